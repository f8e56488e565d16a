/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QMP: lines of JSON over a UNIX socket. Allocates while it reads, which is why this route comes
 * second.
 */
#include "qmp.h"

#include <dav2m/sample.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "fault.h"
#include "process.h"

/* QEMU answers within milliseconds; a monitor that somebody else holds never does. */
#define ANSWER_TIMEOUT_S 2

static const char what[] = "ask QEMU for statistics (QMP)";

static const char *todo(int code)
{
	switch (code) {
	case EAGAIN:
		return "QMP serves one client at a time: give this guest a socket of its own "
		       "(-qmp unix:PATH,server=on,wait=off) and name it with --qmp";
	case ENOENT:
	case ECONNREFUSED:
		return "no QEMU listens at that socket: name the right one with --qmp";
	case EPROTO:
		return "that socket does not speak QMP (a human monitor?): name another with "
		       "--qmp";
	case EOPNOTSUPP:
		return "this QEMU is older than 7.1, or does not run on KVM";
	case EPIPE:
		return "QEMU closed the connection; has the guest ended?";
	default:
		return dav2m_kvm_fault_todo(code);
	}
}

static int qmp_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		int code = errno;

		close(fd);
		errno = code;
		return -1;
	}
	return fd;
}

/* Fills text until it holds a line; answers the line's length, or -1 with errno. */
static ssize_t line_wait(struct qmp *qmp)
{
	for (;;) {
		char *end = memchr(qmp->text, '\n', qmp->used);
		ssize_t n;

		if (end)
			return end - qmp->text;
		if (qmp->used == sizeof(qmp->text)) {
			errno = EMSGSIZE;
			return -1;
		}
		n = read(qmp->fd, qmp->text + qmp->used, sizeof(qmp->text) - qmp->used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : EPIPE;
			return -1;
		}
		qmp->used += (size_t)n;
	}
}

/* The next message; the caller's to decref. NULL: errno. */
static json_t *message_next(struct qmp *qmp)
{
	ssize_t n = line_wait(qmp);
	json_t *message;

	if (n < 0)
		return NULL;
	message = json_loadb(qmp->text, (size_t)n, 0, NULL);
	qmp->used -= (size_t)n + 1;
	memmove(qmp->text, qmp->text + n + 1, qmp->used);
	if (!message)
		errno = EPROTO;
	return message;
}

/* Sends a command and waits for its answer, past any events. NULL: errno. */
static json_t *command_run(struct qmp *qmp, const char *command)
{
	json_t *message, *answer;
	size_t n = strlen(command);

	if (send(qmp->fd, command, n, MSG_NOSIGNAL) != (ssize_t)n)
		return NULL;
	while ((message = message_next(qmp))) {
		answer = json_object_get(message, "return");
		if (answer) {
			json_incref(answer);
			json_decref(message);
			return answer;
		}
		if (json_object_get(message, "error")) {
			json_decref(message);
			errno = EOPNOTSUPP;
			return NULL;
		}
		json_decref(message);
	}
	return NULL;
}

int dav2m_kvm_qmp_open(struct qmp *qmp, const char *path, struct dav2m_kvm_fault *ret_fault)
{
	json_t *hello, *answer;

	qmp->used = 0;
	qmp->fd = qmp_connect(path);
	if (qmp->fd < 0)
		return dav2m_kvm_fault_errno(ret_fault, what, todo(errno));
	hello = message_next(qmp);
	answer = hello ? command_run(qmp, "{\"execute\":\"qmp_capabilities\"}\n") : NULL;
	json_decref(hello);
	if (!answer) {
		dav2m_kvm_fault_errno(ret_fault, what, todo(errno));
		dav2m_kvm_qmp_close(qmp);
		return DAV2M_ERR_BACKEND;
	}
	json_decref(answer);
	return 0;
}

static void value_take(struct dav2m_kvm_values *values, json_t *stat)
{
	const char *name = json_string_value(json_object_get(stat, "name"));
	json_t *value = json_object_get(stat, "value");

	for (unsigned int i = 0; name && json_is_integer(value) && i < DAV2M_KVM_STATS; i++) {
		if (strcmp(name, dav2m_kvm_stat_name((enum dav2m_kvm_stat)i)))
			continue;
		values->value[i] = (uint64_t)json_integer_value(value);
		values->available |= DAV2M_BIT(i);
	}
}

static void values_take(struct dav2m_kvm_values *values, json_t *entry)
{
	json_t *stats = json_object_get(entry, "stats");

	values->available = 0;
	for (size_t i = 0; i < json_array_size(stats); i++)
		value_take(values, json_array_get(stats, i));
}

/* QEMU lists statistics by the vCPU's path, in no order that it promises. */
static json_t *stats_of(json_t *stats, const char *path)
{
	for (size_t i = 0; path && i < json_array_size(stats); i++) {
		json_t *entry = json_array_get(stats, i);
		const char *name = json_string_value(json_object_get(entry, "qom-path"));

		if (name && !strcmp(name, path))
			return entry;
	}
	return NULL;
}

static int vcpu_compare(const void *a, const void *b)
{
	uint32_t x = ((const struct qmp_vcpu *)a)->number;
	uint32_t y = ((const struct qmp_vcpu *)b)->number;

	return (x > y) - (x < y);
}

static uint32_t vcpus_take(struct qmp_vcpu *ret_vcpu, uint32_t max, json_t *cpus, json_t *stats)
{
	uint32_t n = 0;

	for (; n < max && n < json_array_size(cpus); n++) {
		json_t *cpu = json_array_get(cpus, n);
		const char *path = json_string_value(json_object_get(cpu, "qom-path"));

		ret_vcpu[n].number =
			(uint32_t)json_integer_value(json_object_get(cpu, "cpu-index"));
		ret_vcpu[n].tid = (int)json_integer_value(json_object_get(cpu, "thread-id"));
		values_take(&ret_vcpu[n].values, stats_of(stats, path));
	}
	qsort(ret_vcpu, n, sizeof(*ret_vcpu), vcpu_compare);
	return n;
}

#define QUERY_STATS(target)                                                                        \
	"{\"execute\":\"query-stats\",\"arguments\":{\"target\":\"" target                         \
	"\",\"providers\":[{\"provider\":\"kvm\"}]}}\n"

int dav2m_kvm_qmp_stats(struct qmp *qmp, struct qmp_vcpu *ret_vcpu, uint32_t max, uint32_t *ret_n,
			struct dav2m_kvm_values *ret_vm, struct dav2m_kvm_fault *ret_fault)
{
	json_t *stats = command_run(qmp, QUERY_STATS("vcpu")), *cpus = NULL, *vm;
	size_t there = json_array_size(stats);

	if (stats)
		cpus = command_run(qmp, "{\"execute\":\"query-cpus-fast\"}\n");
	if (!cpus) {
		dav2m_kvm_fault_errno(ret_fault, what, todo(errno));
		json_decref(stats);
		return DAV2M_ERR_BACKEND;
	}
	vm = command_run(qmp, QUERY_STATS("vm"));
	*ret_n = vcpus_take(ret_vcpu, max, cpus, stats);
	values_take(ret_vm, vm ? json_array_get(vm, 0) : NULL);
	json_decref(stats);
	json_decref(cpus);
	json_decref(vm);
	if (!there)
		return dav2m_kvm_fault_set(ret_fault, what,
					   "QEMU has no KVM statistics for this guest", 0);
	return 0;
}

void dav2m_kvm_qmp_close(struct qmp *qmp)
{
	if (qmp->fd >= 0)
		close(qmp->fd);
	qmp->fd = -1;
}

/* The value of "key=" among an option's words, which commas part. 0, or -1. */
static int value_cut(const char *words, const char *key, char *ret_value, size_t bytes)
{
	size_t n = strlen(key);

	for (const char *at = words; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, key, n))
			continue;
		snprintf(ret_value, bytes, "%.*s", (int)strcspn(at + n, ","), at + n);
		return 0;
	}
	return -1;
}

struct command_line {
	char words[16384];
	size_t n;
};

/* The next argument of an option ("qmp", "-qmp", "--qmp" are one), or NULL. */
static const char *argument_next(const struct command_line *line, const char *option,
				 const char *after)
{
	const char *end = line->words + line->n;
	const char *at = after ? after : line->words;

	for (; at < end; at += strlen(at) + 1) {
		const char *value = at + strlen(at) + 1;

		if (*at == '-' && value < end && !strcmp(at + strspn(at, "-"), option))
			return value;
	}
	return NULL;
}

/* The path of the socket that is chardev id. */
static int chardev_path(const struct command_line *line, const char *id, char *ret_path,
			size_t bytes)
{
	const char *chardev = NULL;
	char name[128];

	while ((chardev = argument_next(line, "chardev", chardev)))
		if (!value_cut(chardev, "id=", name, sizeof(name)) && !strcmp(name, id))
			return value_cut(chardev, "path=", ret_path, bytes);
	return -1;
}

/* "-qmp unix:PATH,...", or "-mon chardev=ID,mode=control" and the chardev of that ID. */
static int socket_find(const struct command_line *line, char *ret_path, size_t bytes)
{
	const char *qmp = NULL, *mon = NULL;
	char id[128], mode[16];

	while ((qmp = argument_next(line, "qmp", qmp)))
		if (!value_cut(qmp, "unix:", ret_path, bytes))
			return 0;
	while ((mon = argument_next(line, "mon", mon)))
		if (!value_cut(mon, "mode=", mode, sizeof(mode)) && !strcmp(mode, "control") &&
		    !value_cut(mon, "chardev=", id, sizeof(id)) &&
		    !chardev_path(line, id, ret_path, bytes))
			return 0;
	return -1;
}

int dav2m_kvm_qmp_path_find(const char *proc, int pid, char *ret_path, size_t bytes)
{
	struct command_line line;
	ssize_t n = dav2m_kvm_proc_text(proc, pid, "cmdline", line.words, sizeof(line.words));
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	line.n = n > 0 ? (size_t)n : 0;
	if (socket_find(&line, path, sizeof(path)))
		return -1;
	if (path[0] == '/')
		snprintf(ret_path, bytes, "%s", path);
	else /* QEMU's own folder is what it is relative to */
		snprintf(ret_path, bytes, "%s/%d/cwd/%s", proc, pid, path);
	return 0;
}
