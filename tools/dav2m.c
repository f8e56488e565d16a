/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `dav2m` command: finds the subcommand and hands over. Each lives in its own cmd_*.c.
 */
#include "command.h"
#include "progress.h"

#include <dav2m/base.h>

#include <argp.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

static const struct command commands[] = {
#ifndef DAV2M_KVM_ONLY
	{"replay", cmd_replay, "what the controller would have done with two recordings"},
	{"trace", cmd_trace, "record a program's memory references, or convert a recording"},
	{"sim", cmd_sim, "what each paging mode, and the controller, make of a program"},
	{"contest", cmd_contest, "every policy on every workload under every cost model"},
#endif
#ifdef DAV2M_WITH_KVM
	{"kvm", cmd_kvm, "list, record, watch and advise the KVM guests of this host"},
#endif
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

void complain(const char *format, ...)
{
	va_list args;

	progress_clear();
	fputs("dav2m: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static void version_print(FILE *to, struct argp_state *state)
{
	(void)state;
	fprintf(to, "dav2m %s\n", dav2m_version());
}

static void usage_print(FILE *to)
{
	size_t i;

	fputs("Usage: dav2m COMMAND [OPTION...] [ARGUMENT...]\n"
	      "Shadow or nested paging: record, replay, compare.\n\n",
	      to);
	for (i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\ndav2m COMMAND --help describes a command, dav2m --version tells the version.\n",
	      to);
}

static const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

/* argp prints argv[0] in its messages: it must say which command is talking. */
static int command_run(const struct command *command, int argc, char **argv)
{
	char name[64];

	snprintf(name, sizeof(name), "dav2m %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

static int help_run(int argc, char **argv)
{
	char option[] = "--help";
	char *help[] = {NULL, option, NULL};
	const struct command *command = argc > 2 ? command_find(argv[2]) : NULL;

	if (command)
		return command_run(command, 2, help);
	if (argc > 2) {
		complain("'%s' is not a command; dav2m help lists them", argv[2]);
		return COMMAND_USAGE;
	}
	usage_print(stdout);
	return COMMAND_DONE;
}

static int failed;

/* A full disk must not look like success, --help's neither. A command that failed has said why. */
static void output_check(void)
{
	if (failed || (fflush(stdout) == 0 && !ferror(stdout)))
		return;
	complain("cannot write to the standard output");
	_exit(COMMAND_FAILED);
}

/* Where one of these is closed, the next file to be opened would get its number and, say, the
   complaints. /dev/null is opened so that using it fails as a closed one would. */
static void standard_descriptors_fill(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static int run(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		usage_print(stderr);
		return COMMAND_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-?"))
		return help_run(argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		version_print(stdout, NULL);
		return COMMAND_DONE;
	}
	command = command_find(argv[1]);
	if (command)
		return command_run(command, argc - 1, argv + 1);
	complain("'%s' is not a command; dav2m help lists them", argv[1]);
	return COMMAND_USAGE;
}

int main(int argc, char **argv)
{
	int code;

	standard_descriptors_fill();
	atexit(output_check);
	argp_err_exit_status = COMMAND_USAGE;
	argp_program_version_hook = version_print;
	code = run(argc, argv);
	failed = code != COMMAND_DONE;
	return code;
}
