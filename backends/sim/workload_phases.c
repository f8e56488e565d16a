/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "phases": a solver with a large random working set and a shell that runs short-lived
 * compilers take turns on one processor. The first suffers from 2-D walks, the second from
 * shadow paging's exits; what that comes to is left to machine and cost model.
 */
#include "workload_source.h"

/* Four rounds of calm, then churn. */
#define PHASES 8

/* The solver: 64 MB at random, one access every 50 instructions (sparse algebra: a gather per
   few dozen instructions of arithmetic). */
#define SOLVER_PID	  2
#define SOLVER_PAGES	  16384
#define SOLVER_DATA	  0x10000ull
#define SOLVER_CODE	  0x400ull
#define SOLVER_CODE_PAGES 4
#define SOLVER_STRIDE	  50
#define CALM_STEP	  128	/* accesses in a step */
#define CALM_STEPS	  60000 /* a phase: 384 M instructions */

/* A compiler run: one process that touches some 1.5 MB while it runs 5 M instructions. */
#define SHELL_PID	 1
#define SHELL_DATA	 0x8000ull
#define SHELL_PAGES	 64
#define JOB_STEPS	 64
#define JOB_CODE	 0x400ull
#define JOB_CODE_PAGES	 120
#define JOB_DATA	 0x2000ull
#define JOB_PAGES_A_STEP 4
#define JOB_MAP		 0x7f000ull
#define JOB_MAP_PAGES	 32
#define JOB_MAP_EVERY	 16
#define CHURN_STEPS	 (64 * JOB_STEPS) /* a phase: about 330 M instructions */

#define ROUND_STEPS (CALM_STEPS + CHURN_STEPS)

static void calm_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	int i;

	for (i = 0; i < CALM_STEP; i++) {
		const uint64_t page = SOLVER_DATA + sim_random_below(source, SOLVER_PAGES);

		sim_put(out, DAV2M_SIM_FETCH, SOLVER_CODE + (unsigned)i % SOLVER_CODE_PAGES,
			SOLVER_STRIDE);
		/* One access in four writes. */
		sim_put(out, i % 4 == 0 ? DAV2M_SIM_STORE : DAV2M_SIM_LOAD, page, 1);
	}
}

static void job_begin(struct dav2m_sim_source *source, struct sim_out *out)
{
	/* Numbers come round long after their process has ended. */
	const uint64_t pid = 16 + source->next_pid++ % (DAV2M_SIM_PIDS - 16);
	uint64_t i;

	sim_put_event(out, DAV2M_SIM_SWITCH, SHELL_PID, 0, 0);
	for (i = 0; i < SHELL_PAGES; i++)
		sim_put(out, DAV2M_SIM_STORE, SHELL_DATA + i, 8);
	sim_put(out, DAV2M_SIM_FETCH, JOB_CODE, 4000);
	sim_put_event(out, DAV2M_SIM_FORK, pid, 0, 0);
	sim_put_event(out, DAV2M_SIM_SWITCH, pid, 0, 0);
	sim_put_event(out, DAV2M_SIM_EXEC, 0, 0, 0);
}

static void job_map(struct sim_out *out)
{
	const uint64_t address = JOB_MAP << DAV2M_SIM_PAGE_SHIFT;
	const uint64_t bytes = (uint64_t)JOB_MAP_PAGES << DAV2M_SIM_PAGE_SHIFT;
	uint64_t i;

	sim_put_event(out, DAV2M_SIM_MAP, address, bytes,
		      DAV2M_SIM_PROT_READ | DAV2M_SIM_PROT_WRITE);
	for (i = 0; i < JOB_MAP_PAGES; i++) {
		sim_put(out, DAV2M_SIM_FETCH, JOB_CODE + i % JOB_CODE_PAGES, 500);
		sim_put(out, DAV2M_SIM_STORE, JOB_MAP + i, 64);
	}
	sim_put_event(out, DAV2M_SIM_UNMAP, address, bytes, 0);
}

/* Works on what it has, and takes some more. */
static void job_work(struct dav2m_sim_source *source, struct sim_out *out, uint64_t at)
{
	const uint64_t have = (at + 1) * JOB_PAGES_A_STEP;
	uint64_t i;

	sim_put_event(out, DAV2M_SIM_BRK, (JOB_DATA + have) << DAV2M_SIM_PAGE_SHIFT, 0, 0);
	for (i = 0; i < JOB_PAGES_A_STEP; i++)
		sim_put(out, DAV2M_SIM_STORE, JOB_DATA + at * JOB_PAGES_A_STEP + i, 64);
	for (i = 0; i < 80; i++) {
		sim_put(out, DAV2M_SIM_FETCH,
			JOB_CODE + sim_random_below(source, 1 + at * JOB_CODE_PAGES / JOB_STEPS),
			1000);
		sim_put(out, DAV2M_SIM_LOAD, JOB_DATA + sim_random_below(source, have), 300);
	}
	sim_put_event(out, DAV2M_SIM_SYSCALL, 4, 0, 0);
}

static void churn_step(struct dav2m_sim_source *source, struct sim_out *out, uint64_t at)
{
	if (at == 0)
		job_begin(source, out);
	job_work(source, out, at);
	if (at % JOB_MAP_EVERY == JOB_MAP_EVERY - 1)
		job_map(out);
	if (at == JOB_STEPS - 1) {
		sim_put_event(out, DAV2M_SIM_EXIT_PROCESS, 0, 0, 0);
		sim_put_event(out, DAV2M_SIM_SWITCH, SHELL_PID, 0, 0);
	}
}

static void phases_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	const uint64_t at = source->step_at % ROUND_STEPS;
	const uint64_t round = source->step_at / ROUND_STEPS;

	if (at == 0) {
		sim_put_event(out, DAV2M_SIM_MARK, round * 2, 0, 0);
		sim_put_event(out, DAV2M_SIM_SWITCH, SOLVER_PID, 0, 0);
	}
	if (at == CALM_STEPS)
		sim_put_event(out, DAV2M_SIM_MARK, round * 2 + 1, 0, 0);
	if (at < CALM_STEPS)
		calm_step(source, out);
	else
		churn_step(source, out, (at - CALM_STEPS) % JOB_STEPS);
}

static const struct sim_program phases = {
	.workload =
		{.name = "phases",
		 .about = "calm with 64 MB at random, then compilers run one after another; four "
			  "rounds",
		 .source = "ours: the two sides of the DAV2M paper in one run",
		 .window_inst = 10000000},
	.steps = (uint64_t)ROUND_STEPS * PHASES / 2,
	.step = phases_step,
};

size_t sim_phases_count(void)
{
	return 1;
}

const struct sim_program *sim_phases_program(size_t index)
{
	(void)index;
	return &phases;
}
