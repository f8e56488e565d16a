/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recording under QEMU's user-mode emulation with our plugin: every process of the tree sends
 * messages to a socket of ours. This process becomes the one that orphans fall to, so that the end
 * is when none is left.
 */
#define _GNU_SOURCE

#include "command.h"
#include "launch.h"
#include "trace_processes.h"
#include "trace_recording.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Connections that may wait to be accepted. */
#define BACKLOG	   4096
/* How long a signal that comes just before a wait may go unnoticed. */
#define SILENCE_MS 200

struct collector {
	char *qemu; /* its file, and our plugin's */
	const char *plugin;
	int fd; /* listens */
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	struct sockaddr_un address;
	struct trace_processes *processes;
	uint64_t *words;
	int begun;		   /* a message has arrived */
	char option[2 * PATH_MAX]; /* QEMU's: the plugin and its argument */
	sigset_t waiting;	   /* signals that are blocked while waiting for a message */
};

static int collector_fail(const struct collector *collector, struct dav2m_host_error *error)
{
	return recording_fail(error, DAV2M_HOST_IO, "%s: %s", collector->address.sun_path,
			      strerror(errno));
}

/* A socket in a folder of its own that nobody else may enter. */
static int collector_listen(struct collector *collector, struct dav2m_host_error *error)
{
	const char *tmp = getenv("TMPDIR");
	int size = snprintf(collector->folder, sizeof(collector->folder), "%s/dav2m-XXXXXX",
			    tmp && *tmp ? tmp : "/tmp");

	if ((size_t)size + 2 >= sizeof(collector->folder) || strchr(collector->folder, ','))
		return recording_fail(
			error, DAV2M_HOST_IO,
			"TMPDIR: a path of less than 90 characters without a comma is needed");
	if (!mkdtemp(collector->folder)) {
		size = recording_fail(error, DAV2M_HOST_IO, "%s: %s", collector->folder,
				      strerror(errno));
		collector->folder[0] = '\0';
		return size;
	}
	collector->address.sun_family = AF_UNIX;
	snprintf(collector->address.sun_path, sizeof(collector->address.sun_path), "%.*s/s", size,
		 collector->folder);
	collector->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (collector->fd < 0 ||
	    bind(collector->fd, (const struct sockaddr *)&collector->address,
		 sizeof(collector->address)) < 0 ||
	    listen(collector->fd, BACKLOG) < 0)
		return collector_fail(collector, error);
	return 0;
}

static void collector_close(struct collector *collector)
{
	if (collector->fd >= 0)
		close(collector->fd);
	if (collector->address.sun_path[0])
		unlink(collector->address.sun_path);
	if (collector->folder[0])
		rmdir(collector->folder);
	trace_processes_free(collector->processes);
	free(collector->words);
}

/* Reads size bytes; fewer when the sender was killed. */
static size_t bytes_read(int fd, void *to, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while (used < size) {
		n = read(fd, (char *)to + used, size - used);
		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		used += n > 0 ? (size_t)n : 0;
	}
	return used;
}

/* One message; one that its sender did not finish is as if it had not been sent. */
static int message_take(struct collector *collector, int fd, struct dav2m_host_error *error)
{
	struct trace_wire message;
	size_t size;

	if (bytes_read(fd, &message, sizeof(message)) < sizeof(message))
		return 0;
	if (message.magic != TRACE_WIRE_MAGIC || message.words > 2 * TRACE_WIRE_WORDS)
		return recording_fail(error, DAV2M_HOST_FORMAT, "the plugin is of another version");
	collector->begun = 1;
	size = message.words * sizeof(uint64_t);
	if (bytes_read(fd, collector->words, size) < size)
		return 0;
	return trace_processes_take(collector->processes, &message, collector->words, error);
}

/* All messages that have arrived. */
static int messages_take(struct collector *collector, struct dav2m_host_error *error)
{
	int fd, rc = 0;

	while (!rc && (fd = accept4(collector->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		rc = message_take(collector, fd, error);
		close(fd);
	}
	return rc;
}

/* Buries whoever has ended. Answers whether anybody lives still. */
static int children_reap(struct recording *recording)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == recording->pid)
			recording_program_ended(recording, status);
	return pid == 0;
}

/* Until the last process has ended, or a signal ends it, and all that was sent has arrived. */
static int collect(struct recording *recording, struct collector *collector,
		   struct dav2m_host_error *error)
{
	const struct timespec silence = {.tv_nsec = SILENCE_MS * 1000000L};
	struct pollfd poll = {.fd = collector->fd, .events = POLLIN};
	int living, rc;

	do {
		/* SIGCHLD ends the wait. What was sent before an end is there when that is seen. */
		living = children_reap(recording) && !recording_stopped(recording);
		if (living)
			ppoll(&poll, 1, &silence, &collector->waiting);
		rc = messages_take(collector, error);
	} while (!rc && living);
	if (!rc && !collector->begun && recording->status > STATUS_SIGNAL)
		return recording_fail(error, DAV2M_HOST_IO,
				      "signal %d ended the program before it began",
				      recording->status - STATUS_SIGNAL);
	if (!rc && !collector->begun)
		return recording_fail(error, DAV2M_HOST_MISMATCH,
				      "qemu-x86_64 did not load the plugin, which has version 1 of "
				      "its interface");
	return rc ? rc : trace_processes_end(collector->processes, error);
}

static void on_child(int number)
{
	(void)number;
}

/* What remains of this process in the program's first one. */
static _Noreturn void child_exec(const struct collector *collector, const struct launch *launch)
{
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &collector->waiting, NULL);
	/* The same addresses in every run. */
	personality(ADDR_NO_RANDOMIZE);
	/* Without argv nothing has come here: NOLINTNEXTLINE(*-core.NonNullParamChecker) */
	execv(collector->qemu, launch->argv);
	_exit(STATUS_ABSENT);
}

static int child_start(struct recording *recording, struct launch *launch,
		       struct collector *collector, struct dav2m_host_error *error)
{
	struct sigaction action = {.sa_handler = on_child};
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &collector->waiting);
	sigaction(SIGCHLD, &action, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (recording_fork(recording) < 0)
		return recording_fail(error, DAV2M_HOST_IO, "cannot fork: %s", strerror(errno));
	if (recording->pid == 0)
		child_exec(collector, launch);
	return 0;
}

/* The command line of the program's first process. */
static int launch_first(const struct recording *recording, struct collector *collector,
			struct launch *launch, struct dav2m_host_error *error)
{
	static char seed[] = "-seed", zero[] = "0", load[] = "-plugin";
	char *const prefix[] = {collector->qemu, seed, zero, load, collector->option};
	char path[PATH_MAX];

	snprintf(collector->option, sizeof(collector->option), "%s,socket=%s", collector->plugin,
		 collector->address.sun_path);
	if (recording_find(recording->program[0], path))
		return recording_fail(error, DAV2M_HOST_IO, "%s: %s", recording->program[0],
				      strerror(errno));
	switch (launch_make(prefix, sizeof(prefix) / sizeof(*prefix), path, recording->program,
			    launch)) {
	case LAUNCH_READY:
		return 0;
	case LAUNCH_ABSENT:
		return recording_fail(error, DAV2M_HOST_IO, "%s: cannot be run", path);
	case LAUNCH_FOREIGN:
		break;
	}
	return recording_fail(error, DAV2M_HOST_FORMAT,
			      "%s: is no x86-64 program, or set-user-ID; QEMU cannot record it",
			      path);
}

static int qemu_collect(struct recording *recording, const char *path, struct collector *collector,
			struct dav2m_host_error *error)
{
	struct launch launch = {NULL, NULL};
	int rc = collector_listen(collector, error);

	if (!rc)
		rc = launch_first(recording, collector, &launch, error);
	if (!rc)
		rc = recording_open(recording, path, "qemu-user", error);
	if (!rc) {
		collector->processes = trace_processes_new(recording->output);
		collector->words = malloc(2 * TRACE_WIRE_WORDS * sizeof(*collector->words));
		if (!collector->processes || !collector->words)
			rc = recording_fail(error, DAV2M_HOST_MEMORY, "out of memory");
	}
	if (!rc)
		rc = child_start(recording, &launch, collector, error);
	if (!rc)
		rc = collect(recording, collector, error);
	if (!rc && trace_processes_left(collector->processes))
		complain("%u programs were not followed: not x86-64, or set-user-ID",
			 trace_processes_left(collector->processes));
	launch_free(&launch);
	return rc;
}

int qemu_record(struct recording *recording, const char *path, char *qemu, const char *plugin,
		struct dav2m_host_error *error)
{
	struct collector collector = {.qemu = qemu, .plugin = plugin, .fd = -1};
	const int rc = qemu_collect(recording, path, &collector, error);

	collector_close(&collector);
	return rc;
}
