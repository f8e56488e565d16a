/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording under way: what trace_record.c and the two recorders share.
 */
#ifndef DAV2M_TOOLS_TRACE_RECORDING_H
#define DAV2M_TOOLS_TRACE_RECORDING_H

#include "trace_output.h"

#include <sys/types.h>

/* As shells tell that a program could not be run. */
#define STATUS_ABSENT 127
/* And, plus its number, that a signal ended one. */
#define STATUS_SIGNAL 128

struct recording {
	char **program;
	struct trace_output *output; /* the recorder opens it */
	pid_t pid;		     /* the program's first process */
	int status;		     /* what it ended with, as shells tell it */
};

/* Answers code, with that sentence. */
int recording_fail(struct dav2m_host_error *error, int code, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));
/* The first file of that name in PATH that can be run; path has PATH_MAX bytes. 0, or -1 and errno.
 */
int recording_find(const char *name, char *path);
int recording_open(struct recording *recording, const char *path, const char *recorder,
		   struct dav2m_host_error *error);
/*
 * Forks. Answers as fork(). From here on this process lets the program alone decide what signals
 * do: the terminal's the program has got itself, others are passed on to its first process.
 */
pid_t recording_fork(struct recording *recording);
/* The first process has; status as waitpid() answered. */
void recording_program_ended(struct recording *recording, int status);
/* 1: a signal came after that, which ends the recording of what has outlived it. */
int recording_stopped(struct recording *recording);

/*
 * The recorders. 0, or a negative enum dav2m_host_code; with MISMATCH from QEMU nothing has run,
 * because this QEMU does not load our plugin.
 */
int qemu_record(struct recording *recording, const char *path, char *qemu, const char *plugin,
		struct dav2m_host_error *error);
int lackey_record(struct recording *recording, const char *path, struct dav2m_host_error *error);

#endif
