/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operating-system workloads of the HVM paper: Aim9's memory and process tests and MemoryMotion.
 * Each step is a few operations of the test, as a process would ask its kernel for them.
 */
#include "workload_source.h"

#define HEAP  0x8000ull
#define STACK 0x7ff00ull
#define CODE  0x400ull
#define RW    (DAV2M_SIM_PROT_READ | DAV2M_SIM_PROT_WRITE)

/* What a small C program of that time touches until main() runs: loader and libc text that is
   read, data that is written. Inferred: some 60 of one and 40 of the other. */
#define PROGRAM_TEXT 60
#define PROGRAM_DATA 40
/* What a parent has written when it forks. Inferred: a benchmark driver's data and stack. */
#define PARENT_PAGES 60

/* The process that forks, one per vCPU. */
static uint64_t self(const struct dav2m_sim_source *source)
{
	return 1 + (uint64_t)source->instance * SIM_INSTANCE_PIDS;
}

static void instructions(struct sim_out *out, uint32_t n)
{
	sim_put(out, DAV2M_SIM_FETCH, CODE, n);
}

static void begin(const struct dav2m_sim_source *source, struct sim_out *out)
{
	uint64_t i;

	if (source->step_at > 0)
		return;
	sim_put_event(out, DAV2M_SIM_SWITCH, self(source), 0, 0);
	for (i = 0; i < PARENT_PAGES; i++)
		sim_put(out, DAV2M_SIM_STORE, STACK + i, 1);
}

static uint64_t pid_next(struct dav2m_sim_source *source)
{
	return self(source) + 1 + source->next_pid++ % (SIM_INSTANCE_PIDS - 2);
}

/* page_test: 256 pages by brk, each written, and given back. */
static void page_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	uint64_t i;

	begin(source, out);
	sim_put_event(out, DAV2M_SIM_BRK, (HEAP + 256) << DAV2M_SIM_PAGE_SHIFT, 0, 0);
	for (i = 0; i < 256; i++) {
		instructions(out, 20);
		sim_put(out, DAV2M_SIM_STORE, HEAP + i, 1);
	}
	sim_put_event(out, DAV2M_SIM_BRK, HEAP << DAV2M_SIM_PAGE_SHIFT, 0, 0);
}

/* brk_test: the heap's end moves, nothing is touched. */
static void brk_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	uint64_t i;

	begin(source, out);
	for (i = 0; i < 64; i++) {
		instructions(out, 100);
		sim_put_event(out, DAV2M_SIM_BRK, (HEAP + 1 + i % 17) << DAV2M_SIM_PAGE_SHIFT, 0,
			      0);
	}
}

/* The parent's writes after a fork, and the child's until it execs or ends. */
static void stack_touch(struct sim_out *out)
{
	uint64_t i;

	for (i = 0; i < 4; i++) {
		instructions(out, 500);
		sim_put(out, DAV2M_SIM_STORE, STACK + i, 4);
	}
}

static void child_begin(struct sim_out *out, uint64_t pid)
{
	sim_put_event(out, DAV2M_SIM_FORK, pid, 0, 0);
	stack_touch(out);
	sim_put_event(out, DAV2M_SIM_SWITCH, pid, 0, 0);
	stack_touch(out);
}

static void child_end(const struct dav2m_sim_source *source, struct sim_out *out)
{
	sim_put_event(out, DAV2M_SIM_EXIT_PROCESS, 0, 0, 0);
	sim_put_event(out, DAV2M_SIM_SWITCH, self(source), 0, 0);
}

static void fork_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	begin(source, out);
	child_begin(out, pid_next(source));
	child_end(source, out);
}

static void program_run(struct sim_out *out)
{
	uint64_t i;

	sim_put_event(out, DAV2M_SIM_EXEC, 0, 0, 0);
	for (i = 0; i < PROGRAM_TEXT; i++)
		sim_put(out, DAV2M_SIM_FETCH, CODE + i, 2000);
	for (i = 0; i < PROGRAM_DATA; i++) {
		instructions(out, 500);
		sim_put(out, DAV2M_SIM_STORE, HEAP + i, 16);
	}
	sim_put_event(out, DAV2M_SIM_SYSCALL, 30, 0, 0);
}

static void exec_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	begin(source, out);
	child_begin(out, pid_next(source));
	program_run(out);
	child_end(source, out);
}

/* shell_rtns: a shell starts, and runs a command. */
static void shell_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	exec_step(source, out);
	child_begin(out, pid_next(source));
	program_run(out);
	instructions(out, 16000);
	child_end(source, out);
}

/* MemoryMotion: processes that allocate 32 MB, write all of it, free it and end. A step is a
   64th of such a life. */
#define MOTION_STEPS 64
#define MOTION_PAGES 128
static void motion_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	const uint64_t at = source->step_at % MOTION_STEPS;
	const uint64_t bytes = (uint64_t)MOTION_STEPS * MOTION_PAGES << DAV2M_SIM_PAGE_SHIFT;
	const uint64_t address = HEAP << DAV2M_SIM_PAGE_SHIFT;
	uint64_t i;

	begin(source, out);
	if (at == 0) {
		child_begin(out, pid_next(source));
		program_run(out);
		sim_put_event(out, DAV2M_SIM_MAP, address + (1 << 20), bytes, RW);
	}
	for (i = 0; i < MOTION_PAGES; i++) {
		/* A page is 512 stores of 8 bytes in an unrolled loop. */
		instructions(out, 1024);
		sim_put(out, DAV2M_SIM_STORE, HEAP + 256 + at * MOTION_PAGES + i, 512);
	}
	if (at == MOTION_STEPS - 1) {
		sim_put_event(out, DAV2M_SIM_UNMAP, address + (1 << 20), bytes, 0);
		child_end(source, out);
	}
}

/*
 * The Xen study's load: a server that forks a process for each request, which starts a program,
 * maps a piece of a file, reads it with as many system calls as pages, computes and ends. The study
 * names the operations, not how many of each: the numbers are inferred, round, and the same under
 * every policy. A light request computes ten times as much; where requests are waited for, the next
 * one comes after as long as the work takes natively, on the average.
 */
#define REQUEST_PAGES	64
#define REQUEST_FETCHES 64
static void request(struct dav2m_sim_source *source, struct sim_out *out, uint32_t times,
		    uint64_t idle_cycles)
{
	const uint64_t window = HEAP + 4096;
	const uint64_t address = window << DAV2M_SIM_PAGE_SHIFT;
	const uint64_t bytes = (uint64_t)REQUEST_PAGES << DAV2M_SIM_PAGE_SHIFT;
	uint64_t i;

	begin(source, out);
	child_begin(out, pid_next(source));
	program_run(out);
	sim_put_event(out, DAV2M_SIM_MAP, address, bytes, RW);
	for (i = 0; i < REQUEST_PAGES; i++)
		sim_put(out, DAV2M_SIM_STORE, window + i, 64);
	sim_put_event(out, DAV2M_SIM_SYSCALL, REQUEST_PAGES, 0, 0);
	for (i = 0; i < (uint64_t)REQUEST_FETCHES * times; i++)
		instructions(out, DAV2M_SIM_RUN_MAX);
	sim_put_event(out, DAV2M_SIM_UNMAP, address, bytes, 0);
	child_end(source, out);
	sim_put_event(out, DAV2M_SIM_MARK, idle_cycles, 0, 0);
}

static void server_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	request(source, out, 1, 0);
}

static void light_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	request(source, out, 10, 0);
}

static void waits_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	request(source, out, 1, sim_random_below(source, 2 * 2400000));
}

/* memwrite: a buffer of 16 MB, written again and again, 64 pages a step. */
#define BUFFER_PAGES 4096
static void memwrite_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	uint64_t i;

	if (source->step_at == 0)
		sim_put_event(out, DAV2M_SIM_SWITCH, self(source), 0, 0);
	for (i = 0; i < 64; i++) {
		/* A page is 512 stores of 8 bytes in an unrolled loop. */
		instructions(out, 1024);
		sim_put(out, DAV2M_SIM_STORE, HEAP + source->cursor++ % BUFFER_PAGES, 512);
	}
	sim_put_event(out, DAV2M_SIM_MARK, 0, 0, 0);
}

#define PROGRAM(n, a, s, count, f)                                                                 \
	{                                                                                          \
		.workload = {.name = (n), .about = (a), .source = (s), .window_inst = 10000000},   \
		.steps = (count), .step = (f)                                                      \
	}

static const struct sim_program systems[] = {
	PROGRAM("aim-page", "page_test: heap pages written and given back",
		"HVM paper, table 8: 84.21 % lost under shadow paging", 400, page_step),
	PROGRAM("aim-brk", "brk_test: the heap's end moves, nothing is touched",
		"HVM paper, table 8: 0.86 % lost", 4000, brk_step),
	PROGRAM("aim-fork", "fork_test: fork, exit, wait", "HVM paper, table 8: 91.45 % lost", 2000,
		fork_step),
	PROGRAM("aim-exec", "exec_test: fork, exec of a small program, exit",
		"HVM paper, table 8: 81.47 % lost", 1000, exec_step),
	PROGRAM("aim-shell", "shell_rtns: a shell that runs a command",
		"HVM paper, table 8: 76.9 % lost", 600, shell_step),
	PROGRAM("memory-motion", "processes that allocate, write and free 32 MB",
		"HVM paper, sections 3.1 and 3.7: 33 s -> 125 s on Debian, 46 s -> 340 s on "
		"Windows",
		20 * MOTION_STEPS, motion_step),
	PROGRAM("file-server", "a process per request: fork, exec, map, read, unmap, exit",
		"Xen SMP study (Linux Symposium), section 5: reAIM's file-server load", 40,
		server_step),
	PROGRAM("file-server-light", "the same with ten times the work between page-table changes",
		"as file-server", 20, light_step),
	PROGRAM("file-server-waits", "the same, each request waited for as long as it takes",
		"as file-server; for vm-stat", 40, waits_step),
	PROGRAM("memwrite", "a buffer of 16 MB is written again and again",
		"Xen SMP study (Linux Symposium), section 4.1.3", 256, memwrite_step),
};

size_t sim_system_count(void)
{
	return sizeof(systems) / sizeof(systems[0]);
}

const struct sim_program *sim_system_program(size_t index)
{
	return &systems[index];
}
