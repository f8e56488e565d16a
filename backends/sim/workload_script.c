/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs described by tables: what they do to memory, stretch by stretch. A script is a list of
 * stretches that is run over and over, each time in a fresh process if it says so.
 *
 * The seven "spec-" scripts stand for the benchmarks of the DAV2M paper. Footprints are those
 * that SPEC published for them, the kinds of access are what the paper says of each; how often a
 * program leaves its hot pages is our inference and a round number, the same in every mode.
 *
 * A tick must be longer than the transient of a switch, which is 5000 cycles for each page of the
 * working set: the two large ones have the paper's 1e8 instructions, the others a tenth of it.
 */
#include "workload_source.h"

#define DATA	    0x20000ull
#define HOT_DATA    0x10000ull
#define CODE	    0x400ull
#define CODE_PAGES  8
#define HOT_PAGES   24	 /* stay in a first-level TLB beside one that wanders */
#define REFS	    128	 /* in a step */
#define MB	    256u /* pages */
#define CHURN_PAGES 16
#define FIRST_PID   1

enum pattern {
	HOT,	/* stays in its hot pages */
	RANDOM, /* anywhere in the footprint, every time */
	SWEEP,	/* through the footprint, page by page, and again */
	GROW,	/* the first writes to the footprint, page by page; once it is there, a sweep */
	CHURN	/* map, write, unmap a few pages at the footprint's end */
};

/* REFS references with inst instructions before each, steps times. */
struct stretch {
	enum pattern pattern;
	uint32_t steps;
	uint32_t inst;	/* [1, DAV2M_SIM_RUN_MAX] */
	uint32_t pages; /* footprint */
};

struct script {
	struct sim_program program;
	const struct stretch *stretch;
	uint32_t stretches;
	uint32_t round_steps; /* of all stretches */
	int fresh;	      /* 1: every round is a process of its own */
};

static uint64_t page_next(struct dav2m_sim_source *source, const struct stretch *stretch)
{
	switch (stretch->pattern) {
	case RANDOM:
		return DATA + sim_random_below(source, stretch->pages);
	case SWEEP:
	case GROW:
		return DATA + source->cursor++ % stretch->pages;
	case HOT:
	case CHURN:
		break;
	}
	return HOT_DATA + sim_random_below(source, HOT_PAGES);
}

static void references(struct dav2m_sim_source *source, struct sim_out *out,
		       const struct stretch *stretch)
{
	int i;

	for (i = 0; i < REFS; i++) {
		const int write = stretch->pattern == GROW || i % 4 == 0;

		sim_put(out, DAV2M_SIM_FETCH, CODE + (unsigned)i % CODE_PAGES, stretch->inst);
		sim_put(out, write ? DAV2M_SIM_STORE : DAV2M_SIM_LOAD, page_next(source, stretch),
			1);
	}
}

static void churn(struct dav2m_sim_source *source, struct sim_out *out,
		  const struct stretch *stretch)
{
	const uint64_t first = DATA + stretch->pages;
	const uint64_t address = first << DAV2M_SIM_PAGE_SHIFT;
	const uint64_t bytes = (uint64_t)CHURN_PAGES << DAV2M_SIM_PAGE_SHIFT;
	uint64_t i, j;

	(void)source;
	for (i = 0; i < REFS / CHURN_PAGES; i++) {
		sim_put_event(out, DAV2M_SIM_MAP, address, bytes,
			      DAV2M_SIM_PROT_READ | DAV2M_SIM_PROT_WRITE);
		for (j = 0; j < CHURN_PAGES; j++) {
			sim_put(out, DAV2M_SIM_FETCH, CODE + j % CODE_PAGES, stretch->inst);
			sim_put(out, DAV2M_SIM_STORE, first + j, 8);
		}
		sim_put_event(out, DAV2M_SIM_UNMAP, address, bytes, 0);
	}
}

static void process_fresh(struct dav2m_sim_source *source, struct sim_out *out, uint64_t round)
{
	source->cursor = 0;
	if (round > 0)
		sim_put_event(out, DAV2M_SIM_EXIT_PROCESS, 0, 0, 0);
	sim_put_event(out, DAV2M_SIM_SWITCH, FIRST_PID + round % 1000, 0, 0);
}

static void script_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	/* program is the first member */
	const struct script *script = (const struct script *)source->program;
	uint64_t at = source->step_at % script->round_steps;
	const struct stretch *stretch = script->stretch;

	if (at == 0) {
		sim_put_event(out, DAV2M_SIM_MARK, source->step_at / script->round_steps, 0, 0);
		if (script->fresh || source->step_at == 0)
			process_fresh(source, out, source->step_at / script->round_steps);
	}
	for (; at >= stretch->steps; stretch++)
		at -= stretch->steps;
	if (stretch->pattern == CHURN)
		churn(source, out, stretch);
	else
		references(source, out, stretch);
}

/* swim: 191 MB of grids, which the paper finds accessed at random. */
static const struct stretch swim[] = {{GROW, 382, 600, 191 * MB}, {RANDOM, 780000, 100, 191 * MB}};
/* zeusmp: 512 MB of grids swept along all three axes; along two of them each point is on
   another page. */
static const struct stretch zeusmp[] = {{GROW, 1024, 600, 512 * MB},
					{SWEEP, 90000, 300, 512 * MB},
					{RANDOM, 180000, 300, 512 * MB}};
/* gcc: nine inputs; each reads in, then optimises one function after the other, with its
   allocator giving memory back and taking it again. */
static const struct stretch gcc[] = {{GROW, 300, 1500, 150 * MB},  {CHURN, 600, 1500, 150 * MB},
				     {RANDOM, 4000, 500, 60 * MB}, {CHURN, 300, 1500, 150 * MB},
				     {HOT, 1500, 3000, 1},	   {CHURN, 300, 1500, 150 * MB},
				     {RANDOM, 2000, 500, 60 * MB}};
/* gzip: five inputs, 181 MB of buffers written at the beginning of each. */
static const struct stretch gzip[] = {{GROW, 362, 700, 181 * MB},
				      {HOT, 4000, 3000, 1},
				      {SWEEP, 300, 4096, 181 * MB},
				      {HOT, 4000, 3000, 1}};
/* apsi: 191 MB swept in order. */
static const struct stretch apsi[] = {{GROW, 382, 2500, 191 * MB}, {SWEEP, 60000, 2000, 191 * MB}};
/* crafty: a chess program in 2 MB. */
static const struct stretch crafty[] = {{GROW, 4, 600, 2 * MB}, {RANDOM, 60000, 2000, 2 * MB}};
/* fma3d: 103 MB of elements, gathered in order. */
static const struct stretch fma3d[] = {{GROW, 206, 2500, 103 * MB}, {SWEEP, 60000, 2000, 103 * MB}};
static const struct stretch gups[] = {{GROW, 2048, 600, 1024 * MB}, {RANDOM, 60000, 10, 1024 * MB}};
static const struct stretch arithmetic[] = {{HOT, 4000, 4000, 1}};

#define STRETCHES(s) .stretch = (s), .stretches = sizeof(s) / sizeof((s)[0])
#define DAV2M_SOURCE "DAV2M paper, sections 3 and 4; see docs/simulator.md for what is inferred"

static const struct script scripts[] = {
	{.program = {.workload = {.name = "spec-swim",
				  .about = "171.swim: large set at random; shadow-best",
				  .source = DAV2M_SOURCE,
				  .window_inst = 100000000},
		     .steps = 780382,
		     .step = script_step},
	 STRETCHES(swim),
	 .round_steps = 780382},
	{.program = {.workload = {.name = "spec-zeusmp",
				  .about = "434.zeusmp: large grids along all axes; "
					   "shadow-best",
				  .source = DAV2M_SOURCE,
				  .window_inst = 100000000},
		     .steps = 271024,
		     .step = script_step},
	 STRETCHES(zeusmp),
	 .round_steps = 271024},
	{.program = {.workload = {.name = "spec-gcc",
				  .about = "403.gcc: nine inputs, bursts of page-table work; "
					   "nested-best",
				  .source = DAV2M_SOURCE,
				  .window_inst = 10000000},
		     .steps = 9 * 9000,
		     .step = script_step},
	 STRETCHES(gcc),
	 .round_steps = 9000,
	 .fresh = 1},
	{.program = {.workload = {.name = "spec-gzip",
				  .about = "164.gzip: five inputs, buffers written anew; "
					   "nested-best",
				  .source = DAV2M_SOURCE,
				  .window_inst = 10000000},
		     .steps = 5 * 8662,
		     .step = script_step},
	 STRETCHES(gzip),
	 .round_steps = 8662,
	 .fresh = 1},
	{.program = {.workload = {.name = "spec-apsi",
				  .about = "301.apsi: a large set in order; neutral",
				  .source = DAV2M_SOURCE,
				  .window_inst = 10000000},
		     .steps = 60382,
		     .step = script_step},
	 STRETCHES(apsi),
	 .round_steps = 60382},
	{.program = {.workload = {.name = "spec-crafty",
				  .about = "186.crafty: a small set; neutral",
				  .source = DAV2M_SOURCE,
				  .window_inst = 10000000},
		     .steps = 60004,
		     .step = script_step},
	 STRETCHES(crafty),
	 .round_steps = 60004},
	{.program = {.workload = {.name = "spec-fma3d",
				  .about = "191.fma3d: a middling set in order; neutral",
				  .source = DAV2M_SOURCE,
				  .window_inst = 10000000},
		     .steps = 60206,
		     .step = script_step},
	 STRETCHES(fma3d),
	 .round_steps = 60206},
	{.program =
		 {.workload = {.name = "gups",
			       .about = "1 GB at random, an access every 10 instructions",
			       .source = "HPC Challenge RandomAccess: the worst case for 2-D walks",
			       .window_inst = 10000000},
		  .steps = 62048,
		  .step = script_step},
	 STRETCHES(gups),
	 .round_steps = 62048},
	{.program = {.workload = {.name = "aim-arithmetic",
				  .about = "add, multiply, divide: no page-table work",
				  .source = "HVM paper, table 3: under 1 % lost",
				  .window_inst = 10000000},
		     .steps = 4000,
		     .step = script_step},
	 STRETCHES(arithmetic),
	 .round_steps = 4000},
};

size_t sim_script_count(void)
{
	return sizeof(scripts) / sizeof(scripts[0]);
}

const struct sim_program *sim_script_program(size_t index)
{
	return &scripts[index].program;
}
