/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The book of the recorded processes. Must not know how messages arrive.
 *
 * The host's process numbers are reused at will, those of a trace only after an exit; so processes
 * are numbered anew. A fork's child has its number from the fork on, which it claims with its
 * first message: what the parent does after the fork may arrive before that.
 */
#include "trace_processes.h"

#include <dav2m/sim/stream.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct process {
	int32_t pid;   /* the host's; of a fork not claimed yet: the parent's */
	uint32_t fork; /* 0: claimed */
	uint32_t number;
	int borrowed; /* lives in its parent's address space, whose number it has */
};

struct trace_processes {
	struct trace_output *output;
	struct process *process; /* those that live */
	size_t n;
	size_t room;
	uint32_t running; /* number, 0: none */
	uint32_t thread;  /* of the one that runs */
	uint32_t last;	  /* number given out */
	unsigned left;
	uint8_t used[DAV2M_SIM_PIDS]; /* by number */
};

struct trace_processes *trace_processes_new(struct trace_output *output)
{
	struct trace_processes *processes = calloc(1, sizeof(*processes));

	if (processes)
		processes->output = output;
	return processes;
}

void trace_processes_free(struct trace_processes *processes)
{
	if (processes)
		free(processes->process);
	free(processes);
}

static int fail(struct dav2m_host_error *error, int code, const char *text)
{
	snprintf(error->text, sizeof(error->text), "%s", text);
	return code;
}

static int event_write(struct trace_processes *processes, enum dav2m_sim_event event,
		       uint32_t argument, struct dav2m_host_error *error)
{
	const uint32_t n = dav2m_sim_event_arguments(event);
	const uint64_t words[2] = {dav2m_sim_event_word(event, n), argument};

	return trace_output_write(processes->output, words, 1 + n, error);
}

/* The next number that nobody has; 0 is the guest kernel's own. */
static uint32_t number_new(struct trace_processes *processes)
{
	uint32_t tries;

	for (tries = 0; tries < DAV2M_SIM_PIDS; tries++) {
		processes->last = processes->last % (DAV2M_SIM_PIDS - 1) + 1;
		if (!processes->used[processes->last]) {
			processes->used[processes->last] = 1;
			return processes->last;
		}
	}
	return 0;
}

static struct process *process_find(struct trace_processes *processes, int32_t pid, uint32_t fork)
{
	size_t i;

	for (i = 0; i < processes->n; i++)
		if (processes->process[i].pid == pid && processes->process[i].fork == fork)
			return &processes->process[i];
	return NULL;
}

/* lender: whose number it borrows, or 0. *ret_process is good until the next call. */
static int process_add(struct trace_processes *processes, int32_t pid, uint32_t fork,
		       uint32_t lender, struct process **ret_process,
		       struct dav2m_host_error *error)
{
	const size_t room = processes->room * 2 + 16;
	struct process *process = processes->process;

	if (processes->n == processes->room) {
		process = realloc(process, room * sizeof(*process));
		if (!process)
			return fail(error, DAV2M_HOST_MEMORY, "out of memory");
		processes->process = process;
		processes->room = room;
	}
	process += processes->n;
	*process = (struct process){.pid = pid,
				    .fork = fork,
				    .number = lender ? lender : number_new(processes),
				    .borrowed = lender != 0};
	if (!process->number)
		return fail(error, DAV2M_HOST_FORMAT,
			    "more processes at a time than a trace can number");
	processes->n++;
	*ret_process = process;
	return 0;
}

static void process_drop(struct trace_processes *processes, struct process *process)
{
	*process = processes->process[--processes->n];
}

/* Says that a process runs, unless it does already. */
static int run(struct trace_processes *processes, uint32_t number, uint32_t thread,
	       struct dav2m_host_error *error)
{
	if (processes->running == number && processes->thread == thread)
		return 0;
	processes->running = number;
	processes->thread = thread;
	return event_write(processes, DAV2M_SIM_SWITCH, number, error);
}

/* A program begins in a process: the first one, or instead of another. */
static int begin(struct trace_processes *processes, const struct trace_wire *message,
		 struct process *process, struct dav2m_host_error *error)
{
	int rc;

	if (!process) {
		rc = process_add(processes, message->pid, 0, 0, &process, error);
		return rc ? rc : run(processes, process->number, message->thread, error);
	}
	if (process->borrowed) {
		process->borrowed = 0;
		process->number = number_new(processes);
		if (!process->number)
			return fail(error, DAV2M_HOST_FORMAT,
				    "more processes at a time than a trace can number");
	}
	rc = run(processes, process->number, message->thread, error);
	return rc ? rc : event_write(processes, DAV2M_SIM_EXEC, 0, error);
}

/* Ends a process; what it has borrowed stays its lender's. */
static int end(struct trace_processes *processes, struct process *process,
	       struct dav2m_host_error *error)
{
	const uint32_t number = process->number;
	const int borrowed = process->borrowed;
	int rc;

	process_drop(processes, process);
	if (borrowed)
		return 0;
	processes->used[number] = 0;
	rc = processes->running == number ? 0 : run(processes, number, 0, error);
	processes->running = 0;
	return rc ? rc : event_write(processes, DAV2M_SIM_EXIT_PROCESS, 0, error);
}

static int forked(struct trace_processes *processes, const struct trace_wire *message,
		  const struct process *parent, struct dav2m_host_error *error)
{
	const uint32_t lender = message->kind == TRACE_WIRE_VFORK ? parent->number : 0;
	struct process *child;
	int rc = process_add(processes, message->pid, message->number, lender, &child, error);

	return rc || lender ? rc : event_write(processes, DAV2M_SIM_FORK, child->number, error);
}

/* The child of a fork claims its number; one of its host number that died unseen has ended. */
static int claim(struct trace_processes *processes, const struct trace_wire *message,
		 struct dav2m_host_error *error)
{
	struct process *before = process_find(processes, message->pid, 0);
	struct process *child;
	int rc = before ? end(processes, before, error) : 0;

	child = process_find(processes, message->parent, message->number);
	if (rc || !child)
		return rc;
	child->pid = message->pid;
	child->fork = 0;
	return 0;
}

/* Words of a process, which are its even when nothing is known of it. */
static int words_take(struct trace_processes *processes, const struct trace_wire *message,
		      const uint64_t *words, struct process **process,
		      struct dav2m_host_error *error)
{
	int rc = *process ? 0 : process_add(processes, message->pid, 0, 0, process, error);

	if (!rc)
		rc = run(processes, (*process)->number, message->thread, error);
	return rc ? rc : trace_output_write(processes->output, words, message->words, error);
}

int trace_processes_take(struct trace_processes *processes, const struct trace_wire *message,
			 const uint64_t *words, struct dav2m_host_error *error)
{
	struct process *process = process_find(processes, message->pid, 0);
	int rc;

	switch ((enum trace_wire_kind)message->kind) {
	case TRACE_WIRE_BEGIN:
		return begin(processes, message, process, error);
	case TRACE_WIRE_CHILD:
		return claim(processes, message, error);
	case TRACE_WIRE_FORK_FAILED:
		process = process_find(processes, message->pid, message->number);
		return process ? end(processes, process, error) : 0;
	case TRACE_WIRE_WORDS_ONLY:
		return words_take(processes, message, words, &process, error);
	case TRACE_WIRE_FORK:
	case TRACE_WIRE_VFORK:
		rc = words_take(processes, message, words, &process, error);
		return rc ? rc : forked(processes, message, process, error);
	case TRACE_WIRE_LEAVE:
	case TRACE_WIRE_EXIT:
		processes->left += message->kind == TRACE_WIRE_LEAVE;
		rc = words_take(processes, message, words, &process, error);
		return rc ? rc : end(processes, process, error);
	}
	return fail(error, DAV2M_HOST_FORMAT, "the plugin is of another version");
}

int trace_processes_end(struct trace_processes *processes, struct dav2m_host_error *error)
{
	int rc = 0;

	while (processes->n > 0 && !rc)
		rc = end(processes, &processes->process[processes->n - 1], error);
	return rc;
}

unsigned trace_processes_left(const struct trace_processes *processes)
{
	return processes->left;
}
