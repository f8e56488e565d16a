/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remembers the names of part files where a signal handler can read them.
 */
#define _POSIX_C_SOURCE 200809L

#include "part.h"

#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* At once: the most any command has, a table, a list of decisions and a picture, and some more. One
   that finds no place is left behind, no worse. */
#define PARTS 8

enum { FREE = 0, TAKEN, NAMED };

static struct part {
	atomic_int use; /* lock-free, so that a handler may read it */
	char path[PATH_MAX];
} parts[PARTS];

/* A child that has not become another program yet must not remove its parent's files. */
static pid_t owner;

void part_end_program(int number)
{
	size_t i;

	for (i = 0; i < PARTS && owner == getpid(); i++)
		if (parts[i].use == NAMED)
			unlink(parts[i].path);
	/* It is blocked until the handler returns, and then ends the program. */
	signal(number, SIG_DFL);
	raise(number);
}

static void signals_take(void)
{
	static const int number[] = {SIGINT, SIGTERM, SIGHUP};
	const struct sigaction end = {.sa_handler = part_end_program};
	struct sigaction before;
	size_t i;

	owner = getpid();
	for (i = 0; i < sizeof(number) / sizeof(number[0]); i++)
		if (!sigaction(number[i], NULL, &before) && before.sa_handler == SIG_DFL)
			sigaction(number[i], &end, NULL);
}

static void remember(const char *path)
{
	size_t i;
	int use;

	for (i = 0; i < PARTS; i++) {
		use = FREE;
		if (!atomic_compare_exchange_strong(&parts[i].use, &use, TAKEN))
			continue;
		snprintf(parts[i].path, sizeof(parts[i].path), "%s", path);
		parts[i].use = NAMED;
		return;
	}
}

/* Answers its place, or PARTS. */
static size_t place_of(const struct dav2m_output *output)
{
	size_t i;

	for (i = 0; i < PARTS; i++)
		if (parts[i].use == NAMED && !strcmp(parts[i].path, dav2m_output_part(output)))
			break;
	return i;
}

static void forget(size_t place)
{
	if (place < PARTS)
		parts[place].use = FREE;
}

int part_open(const char *path, struct dav2m_output **ret_output, struct dav2m_host_error *error)
{
	int rc;

	signals_take();
	rc = dav2m_output_open(path, ret_output, error);
	if (!rc)
		remember(dav2m_output_part(*ret_output));
	return rc;
}

/* Forgotten only when the file has its own name or is gone. */
int part_commit(struct dav2m_output *output, struct dav2m_host_error *error)
{
	size_t place = place_of(output);
	int rc = dav2m_output_commit(output, error);

	forget(place);
	return rc;
}

void part_abort(struct dav2m_output *output)
{
	size_t place = output ? place_of(output) : PARTS;

	dav2m_output_abort(output);
	forget(place);
}
