/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The subcommands of `dav2m`, and what they share on their way out.
 */
#ifndef DAV2M_TOOLS_COMMAND_H
#define DAV2M_TOOLS_COMMAND_H

/* Exit codes of every subcommand. */
enum command_exit {
	COMMAND_DONE = 0,
	COMMAND_FAILED = 1, /* a file, a recording or the machine would not have it */
	COMMAND_USAGE = 2,  /* the command line is wrong */
	/* What is done so far is written. As a shell has it, so that its loops and scripts end. */
	COMMAND_INTERRUPTED = 130
};

/* argv[0] is the full name, "dav2m replay", as messages and --help show it. */
int cmd_replay(int argc, char **argv);
int cmd_sim(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_contest(int argc, char **argv);
int cmd_kvm(int argc, char **argv); /* where the build has libdav2m-kvm */

/* Prints "dav2m: ..." to stderr, after the progress bar if one stands. */
void complain(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

#endif
