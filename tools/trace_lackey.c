/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recording with valgrind's lackey, whose text comes through a pipe.
 */
#define _GNU_SOURCE

#include "trace_recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where lackey writes to: no program's own descriptor. */
#define LACKEY_FD 199

static _Noreturn void lackey_exec(char **program, int pipe)
{
	static char valgrind[] = "valgrind", tool[] = "--tool=lackey", mem[] = "--trace-mem=yes",
		    log[32];
	size_t n = 0, i;
	char **argv;

	while (program[n])
		n++;
	argv = calloc(n + 5, sizeof(*argv));
	snprintf(log, sizeof(log), "--log-fd=%d", LACKEY_FD);
	if (argv && dup2(pipe, LACKEY_FD) == LACKEY_FD) {
		memcpy(argv, (char *[]){valgrind, tool, mem, log}, 4 * sizeof(*argv));
		for (i = 0; i < n; i++)
			argv[4 + i] = program[i];
		execvp(valgrind, argv);
	}
	_exit(STATUS_ABSENT);
}

/* Everything that arrives, as the one process that lackey follows. */
static int lackey_copy(const struct recording *recording, int pipe, struct dav2m_host_error *error)
{
	struct dav2m_host_error reason = {{0}};
	struct trace_input *input;
	char path[32];
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipe);
	rc = trace_input_open(path, TRACE_FORMAT_LACKEY, &input, &reason);
	if (!rc) {
		rc = trace_output_copy(recording->output, input, NULL, &reason);
		trace_input_close(input);
	}
	return rc ? recording_fail(error, rc, "recording with lackey: %.900s", reason.text) : 0;
}

int lackey_record(struct recording *recording, const char *path, struct dav2m_host_error *error)
{
	int ends[2], status = 0;
	int rc = recording_open(recording, path, "valgrind lackey", error);

	if (rc)
		return rc;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return recording_fail(error, DAV2M_HOST_IO, "cannot make a pipe: %s",
				      strerror(errno));
	if (recording_fork(recording) == 0)
		lackey_exec(recording->program, ends[1]);
	close(ends[1]);
	rc = recording->pid < 0
		     ? recording_fail(error, DAV2M_HOST_IO, "cannot fork: %s", strerror(errno))
		     : lackey_copy(recording, ends[0], error);
	close(ends[0]);
	if (recording->pid > 0)
		waitpid(recording->pid, &status, 0);
	recording_program_ended(recording, status);
	return rc;
}
