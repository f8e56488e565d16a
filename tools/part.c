/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remembers the names of part files where a signal handler can read them.
 *
 * A file that exists but is not remembered yet would be left behind. So whoever makes one is waited
 * for: a signal that comes meanwhile ends the program when the last of them is done.
 */
#define _POSIX_C_SOURCE 200809L

#include "part.h"

#include "fail.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* At once: the most any command has, a table, a list of decisions and a picture, or a table and a
   recording on each processor, and some more. One that finds no place is left behind, no worse. */
#define PARTS 16

enum { FREE = 0, TAKEN, NAMED };

static struct part {
	atomic_int use; /* lock-free, so that a handler may read it, as all that follow */
	char path[PATH_MAX];
} parts[PARTS];

static atomic_int making; /* how many files or children are being made, not remembered yet */
static atomic_int ending; /* the signal that ends the program; 0: none yet */
static atomic_int child;

/* A child that has not become another program yet must not remove its parent's files. */
static pid_t owner;

static void child_end(void)
{
	if (child <= 0)
		return;
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

static void end_now(int number)
{
	size_t i;

	if (owner == getpid()) {
		child_end();
		for (i = 0; i < PARTS; i++)
			if (parts[i].use == NAMED)
				unlink(parts[i].path);
	}
	/* In a handler it is blocked until that returns, and then ends the program. */
	signal(number, SIG_DFL);
	raise(number);
}

void part_end_program(int number)
{
	ending = number;
	if (!making)
		end_now(number);
}

void part_release(void)
{
	if (atomic_fetch_sub(&making, 1) == 1 && ending)
		end_now(ending);
}

void part_hold(void)
{
	atomic_fetch_add(&making, 1);
	if (!ending)
		return;
	part_release();
	for (;;)
		pause();
}

void part_child(pid_t pid)
{
	child = (int)pid;
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

static struct part *place_free(void)
{
	size_t i;
	int use;

	for (i = 0; i < PARTS; i++) {
		use = FREE;
		if (atomic_compare_exchange_strong(&parts[i].use, &use, TAKEN))
			return &parts[i];
	}
	return NULL;
}

static void remember(const char *part)
{
	struct part *place = place_free();

	if (!place)
		return;
	snprintf(place->path, sizeof(place->path), "%s", part);
	place->use = NAMED;
}

/* Answers its place, or NULL. */
static struct part *place_of(const char *part)
{
	size_t i;

	for (i = 0; i < PARTS; i++)
		if (parts[i].use == NAMED && !strcmp(parts[i].path, part))
			return &parts[i];
	return NULL;
}

static void forget(struct part *place)
{
	if (place)
		place->use = FREE;
}

/* As <dav2m/host/output.h> has it. */
static void part_of(const char *path, char part[PATH_MAX])
{
	snprintf(part, PATH_MAX, "%s.part", path);
}

/* Who opens it would be told that another program writes it. */
static int twice_check(const char *path, struct dav2m_host_error *error)
{
	char part[PATH_MAX];

	part_of(path, part);
	if (!place_of(part))
		return 0;
	return tool_fail(error, DAV2M_HOST_ARGUMENT, "%.500s: two outputs have this name", path);
}

int part_open(const char *path, struct dav2m_output **ret_output, struct dav2m_host_error *error)
{
	int rc;

	signals_take();
	rc = twice_check(path, error);
	if (rc)
		return rc;
	part_hold();
	rc = dav2m_output_open(path, ret_output, error);
	if (!rc)
		remember(dav2m_output_part(*ret_output));
	part_release();
	return rc;
}

/* Forgotten only when the file has its own name or is gone. */
int part_commit(struct dav2m_output *output, struct dav2m_host_error *error)
{
	struct part *place = place_of(dav2m_output_part(output));
	int rc = dav2m_output_commit(output, error);

	forget(place);
	return rc;
}

void part_abort(struct dav2m_output *output)
{
	struct part *place = output ? place_of(dav2m_output_part(output)) : NULL;

	dav2m_output_abort(output);
	forget(place);
}

int part_trace_open(const char *path, const struct dav2m_trace_header *header,
		    struct dav2m_trace_writer **ret_writer, struct dav2m_host_error *error)
{
	char part[PATH_MAX];
	int rc;

	signals_take();
	part_hold();
	rc = dav2m_trace_writer_open(path, header, ret_writer, error);
	part_of(path, part);
	if (!rc)
		remember(part);
	part_release();
	return rc;
}

int part_trace_end(const char *path, struct dav2m_trace_writer *writer, int failed,
		   struct dav2m_host_error *error)
{
	char part[PATH_MAX];
	struct part *place;
	int rc = failed;

	part_of(path, part);
	place = place_of(part);
	if (failed)
		dav2m_trace_writer_abort(writer);
	else
		rc = dav2m_trace_writer_close(writer, error);
	forget(place);
	return rc;
}
