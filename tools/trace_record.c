/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chooses the recorder, and does what both need: finding programs, forking, signals.
 */
#define _GNU_SOURCE

#include "trace_record.h"

#include "command.h"
#include "trace_recording.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const trace_recorder_names[TRACE_RECORDERS] = {"auto", "qemu", "lackey"};

int recording_fail(struct dav2m_host_error *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return code;
}

/* 0, or -1 and errno. */
static int runnable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -1;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return -1;
	}
	return access(path, X_OK);
}

int recording_find(const char *name, char *path)
{
	const char *at = getenv("PATH"), *end;

	if (strchr(name, '/')) {
		snprintf(path, PATH_MAX, "%s", name);
		return runnable(path);
	}
	for (; at && *at; at = *end ? end + 1 : end) {
		end = strchrnul(at, ':');
		snprintf(path, PATH_MAX, "%.*s/%s", (int)(end - at), at, name);
		if (end > at && runnable(path) == 0)
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

static int recording_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL + WTERMSIG(status);
}

int recording_open(struct recording *recording, const char *path, const char *recorder,
		   struct dav2m_host_error *error)
{
	struct dav2m_sim_trace_header header;

	words_join(header.program, sizeof(header.program), recording->program);
	snprintf(header.recorder, sizeof(header.recorder), "%s", recorder);
	return trace_output_open(path, &header, &recording->output, error);
}

static const int signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static struct sigaction before[SIGNALS];

/* The program's first process while it lives, and the signal that came after that; for the handler.
 */
static volatile pid_t program_pid;
static volatile sig_atomic_t stopped;

/* The program has got the terminal's itself: those are the kernel's. */
static void signal_pass(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (!program_pid)
		stopped = number;
	else if (info->si_code <= 0)
		kill(program_pid, number);
}

static void signals_take(void)
{
	struct sigaction pass = {.sa_flags = SA_RESTART | SA_SIGINFO};
	size_t i;

	pass.sa_sigaction = signal_pass;
	for (i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &pass, &before[i]);
}

static void signals_give_back(void)
{
	size_t i;

	for (i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &before[i], NULL);
}

pid_t recording_fork(struct recording *recording)
{
	sigset_t all, unblocked;

	/* None comes before it is known whom it is for. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &unblocked);
	signals_take();
	recording->pid = fork();
	if (recording->pid > 0)
		program_pid = recording->pid;
	else
		signals_give_back();
	sigprocmask(SIG_SETMASK, &unblocked, NULL);
	return recording->pid;
}

void recording_program_ended(struct recording *recording, int status)
{
	program_pid = 0;
	recording->status = recording_status(status);
}

int recording_stopped(struct recording *recording)
{
	if (stopped)
		recording->status = STATUS_SIGNAL + stopped;
	return stopped;
}

static int record(struct recording *recording, enum trace_recorder recorder, const char *path,
		  struct dav2m_host_error *error)
{
	char qemu[PATH_MAX], plugin[PATH_MAX], valgrind[PATH_MAX];
	const int have_qemu = recording_find("qemu-x86_64", qemu) == 0;
	const int have_plugin = plugin_find(plugin) == 0;
	const int have_valgrind = recording_find("valgrind", valgrind) == 0;
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
		return recording_fail(error, DAV2M_HOST_IO, "%s is not here",
				      have_qemu ? "dav2m-trace.so, the plugin for QEMU,"
						: "qemu-x86_64 (package qemu-user)");
	}
	if (!have_valgrind)
		return recording_fail(
			error, DAV2M_HOST_IO,
			"neither qemu-x86_64 (package qemu-user) nor valgrind is here");
	return lackey_record(recording, path, error);
}

int trace_record(enum trace_recorder recorder, char **program, const char *path, int *ret_status,
		 struct dav2m_host_error *error)
{
	struct recording recording = {.program = program};
	struct dav2m_sim_trace_totals totals;
	int rc = record(&recording, recorder, path, error);

	if (recording.pid > 0)
		signals_give_back();
	if (rc) {
		trace_output_abort(recording.output);
		return rc;
	}
	*ret_status = recording.status;
	return trace_output_commit(recording.output, &totals, error);
}
