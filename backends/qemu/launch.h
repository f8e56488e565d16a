/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a program is run under QEMU: finding the file that the kernel would run, scripts' first
 * lines included, and the command line around it. Shared by `dav2m trace`, which runs the first
 * program, and the plugin, which does so for every exec.
 */
#ifndef DAV2M_QEMU_LAUNCH_H
#define DAV2M_QEMU_LAUNCH_H

#include <stddef.h>

enum launch_answer {
	LAUNCH_READY = 0,
	LAUNCH_ABSENT, /* the kernel would refuse, too, or there is no memory */
	LAUNCH_FOREIGN /* it would run, but not under this QEMU: another machine's, or set-user-ID
			*/
};

/* What to run; strings and arrays belong to it. */
struct launch {
	char **argv; /* QEMU's, NULL at the end */
	char *text;  /* what parts of argv point into */
};

/* The option after which a command line has argv[0], path and arguments of the guest's program. */
#define LAUNCH_LAST_OPTION "-0"

/*
 * prefix: the command line up to LAUNCH_LAST_OPTION, without it; path and argv as of execve. On
 * LAUNCH_READY *ret_launch is to be freed.
 */
enum launch_answer launch_make(char *const *prefix, size_t prefixes, const char *path,
			       char *const *argv, struct launch *ret_launch);
void launch_free(struct launch *launch);

#endif
