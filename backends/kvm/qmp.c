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
static const char todo[] = "QMP serves one client at a time: give this guest a socket of its own "
			   "(-qmp unix:PATH,server=on,wait=off) and name it with --qmp";

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
		return dav2m_kvm_fault_errno(ret_fault, what, todo);
	hello = message_next(qmp);
	answer = hello ? command_run(qmp, "{\"execute\":\"qmp_capabilities\"}\n") : NULL;
	json_decref(hello);
	if (!answer) {
		dav2m_kvm_fault_errno(ret_fault, what, todo);
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

int dav2m_kvm_qmp_stats(struct qmp *qmp, struct dav2m_kvm_values *ret_vcpu, uint32_t max,
			uint32_t *ret_n, struct dav2m_kvm_values *ret_vm,
			struct dav2m_kvm_fault *ret_fault)
{
	json_t *vcpus, *vm;

	vcpus = command_run(qmp, "{\"execute\":\"query-stats\",\"arguments\":{\"target\":\"vcpu\","
				 "\"providers\":[{\"provider\":\"kvm\"}]}}\n");
	if (!vcpus)
		return dav2m_kvm_fault_errno(ret_fault, what,
					     errno == EOPNOTSUPP
						     ? "this QEMU is older than 7.1, or does not "
						       "run on KVM"
						     : todo);
	vm = command_run(qmp, "{\"execute\":\"query-stats\",\"arguments\":{\"target\":\"vm\","
			      "\"providers\":[{\"provider\":\"kvm\"}]}}\n");
	*ret_n = (uint32_t)json_array_size(vcpus);
	for (uint32_t i = 0; i < *ret_n && i < max; i++)
		values_take(&ret_vcpu[i], json_array_get(vcpus, i));
	values_take(ret_vm, vm ? json_array_get(vm, 0) : NULL);
	json_decref(vcpus);
	json_decref(vm);
	if (!*ret_n)
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

/* "unix:PATH,server=on", or a chardev's "socket,id=...,path=PATH,...": the path. */
static int path_cut(const char *word, const char *key, char *ret_path, size_t bytes)
{
	const char *at = strstr(word, key);

	if (!at)
		return -1;
	at += strlen(key);
	snprintf(ret_path, bytes, "%.*s", (int)strcspn(at, ","), at);
	return 0;
}

int dav2m_kvm_qmp_path_find(const char *proc, int pid, char *ret_path, size_t bytes)
{
	char words[16384];
	ssize_t n = dav2m_kvm_proc_text(proc, pid, "cmdline", words, sizeof(words));
	const char *last = "";

	for (const char *at = words; n > 0 && at < words + n; at += strlen(at) + 1) {
		if (!strcmp(last, "-qmp") && !path_cut(at, "unix:", ret_path, bytes))
			return 0;
		if (!strcmp(last, "-chardev") && strstr(at, "monitor") &&
		    !path_cut(at, "path=", ret_path, bytes))
			return 0;
		last = at;
	}
	return -1;
}
