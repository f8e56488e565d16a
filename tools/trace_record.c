/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two recorders: QEMU's user-mode emulation with our plugin, and valgrind's lackey.
 *
 * Under QEMU every process of the tree sends messages to a socket of ours. This process becomes the
 * one that orphans fall to, so that the end is when none is left.
 */
#define _GNU_SOURCE

#include "trace_record.h"

#include "command.h"
#include "launch.h"
#include "trace_input.h"
#include "trace_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* As shells tell what became of a program. */
#define STATUS_ABSENT 127
#define STATUS_SIGNAL 128
/* Connections that may wait to be accepted. */
#define BACKLOG	      4096

const char *const trace_recorder_names[TRACE_RECORDERS] = {"auto", "qemu", "lackey"};

/* A recording under way. */
struct recording {
	char **program;
	struct trace_output *output;
	pid_t pid; /* the program's first process */
	int status;
};

static int fail(struct dav2m_host_error *error, int code, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));

static int fail(struct dav2m_host_error *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return code;
}

/* The first file of that name in PATH that can be run; path has PATH_MAX bytes. */
static int program_find(const char *name, char *path)
{
	const char *at = getenv("PATH"), *end;

	if (strchr(name, '/')) {
		snprintf(path, PATH_MAX, "%s", name);
		return access(path, X_OK);
	}
	for (; at && *at; at = *end ? end + 1 : end) {
		end = strchrnul(at, ':');
		snprintf(path, PATH_MAX, "%.*s/%s", (int)(end - at), at, name);
		if (end > at && access(path, X_OK) == 0)
			return 0;
	}
	errno = ENOENT;
	return -1;
}

/* Our plugin, as built or as installed beside this command; path has PATH_MAX bytes. */
static int plugin_find(char *path)
{
	static const char *const places[] = {"../backends/qemu", DAV2M_BIN_TO_LIB "/dav2m"};
	char self[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t i;

	if (n < 0)
		return -1;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		/* QEMU separates the plugin's arguments by commas. */
		const int size = snprintf(path, PATH_MAX, "%s/%s/dav2m-trace.so", self, places[i]);

		if (size < PATH_MAX && !strchr(path, ',') && access(path, R_OK) == 0)
			return 0;
	}
	return -1;
}

static void words_join(char *to, size_t room, char **words)
{
	size_t used = 0;

	for (*to = '\0'; *words && used < room; words++)
		used += (size_t)snprintf(to + used, room - used, "%s%s", used ? " " : "", *words);
}

static int status_shell(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL + WTERMSIG(status);
}

static int output_open(struct recording *recording, const char *path, const char *recorder,
		       struct dav2m_host_error *error)
{
	struct dav2m_sim_trace_header header;

	words_join(header.program, sizeof(header.program), recording->program);
	snprintf(header.recorder, sizeof(header.recorder), "%s", recorder);
	return trace_output_open(path, &header, &recording->output, error);
}

/* ---- QEMU ---- */

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
	return fail(error, DAV2M_HOST_IO, "%s: %s", collector->address.sun_path, strerror(errno));
}

/* A socket in a folder of its own that nobody else may enter. */
static int collector_listen(struct collector *collector, struct dav2m_host_error *error)
{
	const char *tmp = getenv("TMPDIR");
	int size = snprintf(collector->folder, sizeof(collector->folder), "%s/dav2m-XXXXXX",
			    tmp && *tmp ? tmp : "/tmp");

	if ((size_t)size + 2 >= sizeof(collector->folder) || strchr(collector->folder, ','))
		return fail(error, DAV2M_HOST_IO,
			    "TMPDIR: a path of less than 90 characters without a comma is needed");
	if (!mkdtemp(collector->folder)) {
		size = fail(error, DAV2M_HOST_IO, "%s: %s", collector->folder, strerror(errno));
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
		return fail(error, DAV2M_HOST_FORMAT, "the plugin is of another version");
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
			recording->status = status_shell(status);
	return pid == 0;
}

/* Until the last process has ended and all that it sent has arrived. */
static int collect(struct recording *recording, struct collector *collector,
		   struct dav2m_host_error *error)
{
	struct pollfd poll = {.fd = collector->fd, .events = POLLIN};
	int living, rc;

	do {
		/* SIGCHLD ends the wait. What was sent before an end is there when that is seen. */
		living = children_reap(recording);
		if (living)
			ppoll(&poll, 1, NULL, &collector->waiting);
		rc = messages_take(collector, error);
	} while (!rc && living);
	if (!rc && !collector->begun)
		return fail(error, DAV2M_HOST_MISMATCH,
			    "qemu-x86_64 did not load the plugin; versions 4.2 to 8.2 can");
	return rc ? rc : trace_processes_end(collector->processes, error);
}

static void on_child(int number)
{
	(void)number;
}

/* What remains of this process in the program's first one. */
static _Noreturn void child_exec(const struct collector *collector, const struct launch *launch)
{
	signal(SIGINT, SIG_DFL);
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
	signal(SIGINT, SIG_IGN); /* the program's; the trace ends when that does */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	recording->pid = fork();
	if (recording->pid < 0)
		return fail(error, DAV2M_HOST_IO, "cannot fork: %s", strerror(errno));
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
	if (program_find(recording->program[0], path))
		return fail(error, DAV2M_HOST_IO, "%s: %s", recording->program[0], strerror(errno));
	switch (launch_make(prefix, sizeof(prefix) / sizeof(*prefix), path, recording->program,
			    launch)) {
	case LAUNCH_READY:
		return 0;
	case LAUNCH_ABSENT:
		return fail(error, DAV2M_HOST_IO, "%s: cannot be run", path);
	case LAUNCH_FOREIGN:
		break;
	}
	return fail(error, DAV2M_HOST_FORMAT,
		    "%s: is no x86-64 program, or set-user-ID; QEMU cannot record it", path);
}

static int qemu_collect(struct recording *recording, const char *path, struct collector *collector,
			struct dav2m_host_error *error)
{
	struct launch launch = {NULL, NULL};
	int rc = collector_listen(collector, error);

	if (!rc)
		rc = launch_first(recording, collector, &launch, error);
	if (!rc)
		rc = output_open(recording, path, "qemu-user", error);
	if (!rc) {
		collector->processes = trace_processes_new(recording->output);
		collector->words = malloc(2 * TRACE_WIRE_WORDS * sizeof(*collector->words));
		if (!collector->processes || !collector->words)
			rc = fail(error, DAV2M_HOST_MEMORY, "out of memory");
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

static int qemu_record(struct recording *recording, const char *path, char *qemu, char *plugin,
		       struct dav2m_host_error *error)
{
	struct collector collector = {.qemu = qemu, .plugin = plugin, .fd = -1};
	const int rc = qemu_collect(recording, path, &collector, error);

	collector_close(&collector);
	return rc;
}

/* ---- lackey ---- */

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
		signal(SIGINT, SIG_DFL);
		execvp(valgrind, argv);
	}
	_exit(STATUS_ABSENT);
}

/* Everything that arrives, as the one process that lackey follows. */
static int lackey_copy(const struct recording *recording, int pipe, struct dav2m_host_error *error)
{
	struct dav2m_host_error reason;
	struct trace_input *input;
	char path[32];
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipe);
	rc = trace_input_open(path, TRACE_FORMAT_LACKEY, &input, &reason);
	if (!rc) {
		rc = trace_output_copy(recording->output, input, NULL, &reason);
		trace_input_close(input);
	}
	return rc ? fail(error, rc, "recording with lackey: %.900s", reason.text) : 0;
}

static int lackey_record(struct recording *recording, const char *path,
			 struct dav2m_host_error *error)
{
	int ends[2], status = 0;
	int rc = output_open(recording, path, "valgrind lackey", error);

	if (rc)
		return rc;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(error, DAV2M_HOST_IO, "cannot make a pipe: %s", strerror(errno));
	signal(SIGINT, SIG_IGN); /* the program's; the trace ends when that does */
	recording->pid = fork();
	if (recording->pid == 0)
		lackey_exec(recording->program, ends[1]);
	close(ends[1]);
	rc = recording->pid < 0 ? fail(error, DAV2M_HOST_IO, "cannot fork: %s", strerror(errno))
				: lackey_copy(recording, ends[0], error);
	close(ends[0]);
	if (recording->pid > 0)
		waitpid(recording->pid, &status, 0);
	recording->status = status_shell(status);
	return rc;
}

/* ---- both ---- */

static int record(struct recording *recording, enum trace_recorder recorder, const char *path,
		  struct dav2m_host_error *error)
{
	char qemu[PATH_MAX], plugin[PATH_MAX], valgrind[PATH_MAX];
	const int have_qemu = program_find("qemu-x86_64", qemu) == 0;
	const int have_plugin = plugin_find(plugin) == 0;
	const int have_valgrind = program_find("valgrind", valgrind) == 0;
	int rc;

	if (recorder != TRACE_RECORDER_LACKEY && have_qemu && have_plugin) {
		rc = qemu_record(recording, path, qemu, plugin, error);
		if (rc != DAV2M_HOST_MISMATCH || recorder != TRACE_RECORDER_AUTO || !have_valgrind)
			return rc;
		/* Nothing has run yet. */
		complain("%s; recording with lackey", error->text);
		trace_output_abort(recording->output);
		recording->output = NULL;
	} else if (recorder == TRACE_RECORDER_QEMU) {
		return fail(error, DAV2M_HOST_IO, "%s is not here",
			    have_qemu ? "dav2m-trace.so, the plugin for QEMU,"
				      : "qemu-x86_64 (package qemu-user)");
	}
	if (!have_valgrind)
		return fail(error, DAV2M_HOST_IO,
			    "neither qemu-x86_64 (package qemu-user) nor valgrind is here");
	return lackey_record(recording, path, error);
}

int trace_record(enum trace_recorder recorder, char **program, const char *path, int *ret_status,
		 struct dav2m_host_error *error)
{
	struct recording recording = {.program = program};
	struct dav2m_sim_trace_totals totals;
	int rc = record(&recording, recorder, path, error);

	if (rc) {
		trace_output_abort(recording.output);
		return rc;
	}
	*ret_status = recording.status;
	return trace_output_commit(recording.output, &totals, error);
}
