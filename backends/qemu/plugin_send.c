/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection per message; no descriptor stays open while the guest's program runs.
 */
#define _GNU_SOURCE

#include "plugin_send.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
	struct sockaddr_un address;
	pid_t pid;
	pid_t parent;
	int dead; /* nobody listens any more */
} to;

static int connection_open(void)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	while (fd >= 0 && connect(fd, (const struct sockaddr *)&to.address, sizeof(to.address)) < 0)
		if (errno != EINTR) {
			close(fd);
			return -1;
		}
	return fd;
}

static int bytes_send(int fd, const void *data, size_t size)
{
	const char *at = data;
	ssize_t n;

	for (; size > 0; at += n, size -= (size_t)n) {
		n = send(fd, at, size, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n < 0)
			n = 0;
	}
	return 0;
}

void plugin_send(enum trace_wire_kind kind, uint32_t thread, uint32_t number, const uint64_t *words,
		 uint32_t n)
{
	const struct trace_wire head = {.magic = TRACE_WIRE_MAGIC,
					.kind = kind,
					.pid = to.pid,
					.parent = to.parent,
					.thread = thread,
					.number = number,
					.words = n};
	const int before = errno;
	int fd;

	if (to.dead)
		return;
	fd = connection_open();
	to.dead = fd < 0 || bytes_send(fd, &head, sizeof(head)) ||
		  bytes_send(fd, words, n * sizeof(*words));
	if (fd >= 0)
		close(fd);
	errno = before;
}

void plugin_send_begin(const char *socket_path)
{
	to.address.sun_family = AF_UNIX;
	snprintf(to.address.sun_path, sizeof(to.address.sun_path), "%s", socket_path);
	to.pid = getpid();
	plugin_send(TRACE_WIRE_BEGIN, 0, 0, NULL, 0);
}

void plugin_send_child(uint32_t number)
{
	to.parent = to.pid;
	to.pid = getpid();
	plugin_send(TRACE_WIRE_CHILD, 0, number, NULL, 0);
}
