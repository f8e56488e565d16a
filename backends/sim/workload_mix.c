/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two kinds of work by turns, one for each paging mode: "calm" reads a set of pages at random
 * and suffers from 2-D walks, "churn" maps, writes and unmaps a page now and then and suffers from
 * exits. What matters to a controller is how long the turns are beside what a switch costs.
 *
 * "phase-mix" has turns of a tenth to a hundred times the cost of a switch. "freeze" alternates
 * fast until thresholds that only rise have risen out of reach, and then slowly, when switching
 * would pay again.
 */
#include "workload_source.h"

#define CODE	    0x400ull
#define CODE_PAGES  4
#define DATA	    0x20000ull
/* Every eighth page of 64 MB: a column of a matrix whose rows are 32 KB. More than TLBs hold, and,
   2 MB nested pages or not, than nested TLBs do; yet not dear to map again. */
#define DATA_PAGES  2048
#define DATA_APART  8
#define CHURN	    0x40000ull
#define HOT_PAGES   16
#define STRIDE	    50	/* instructions before each of calm's references */
#define STEP_REFS   256 /* of calm */
#define BEGIN_PAGES 256 /* in a step */
#define BEGIN_STEPS (DATA_PAGES * DATA_APART / BEGIN_PAGES)
#define STEP_INST   (STEP_REFS * STRIDE)
/* Of churn, a page is mapped, written and unmapped in every so many steps: that costs shadow paging
   about what calm costs nested paging, half a cycle per instruction (opteron2350, palacios2011). */
#define CHURN_STEPS 2

/*
 * A switch there and back, inferred: nearly all of it is filling the shadow entries of the set
 * again, an exit each. At palacios2011's prices, 3823 and 1000 cycles.
 */
#define SWITCH_CYCLES (DATA_PAGES * (3823ull + 1000))

/* phase-mix: its size is a turn's length in hundredths of SWITCH_CYCLES, at a cycle per
   instruction. All sizes run equally long: four turns of the longest. */
#define MIX_INST  (SWITCH_CYCLES * 100 * 4)
#define MIX_STEPS (BEGIN_STEPS + MIX_INST / STEP_INST)

/* freeze, in ticks of its window_inst. */
#define TICK_STEPS   (10000000 / STEP_INST)
#define HEAD_TURN    2 /* ticks */
#define HEAD_TURNS   120
#define BODY_TURN    300
#define BODY_TURNS   2
#define HEAD_STEPS   ((uint64_t)HEAD_TURN * HEAD_TURNS * TICK_STEPS)
#define FREEZE_STEPS (BEGIN_STEPS + HEAD_STEPS + (uint64_t)BODY_TURN * BODY_TURNS * TICK_STEPS)

static void calm(struct dav2m_sim_source *source, struct sim_out *out)
{
	unsigned i;

	for (i = 0; i < STEP_REFS; i++) {
		sim_put(out, DAV2M_SIM_FETCH, CODE + i % CODE_PAGES, STRIDE);
		sim_put(out, i % 4 == 0 ? DAV2M_SIM_STORE : DAV2M_SIM_LOAD,
			DATA + DATA_APART * sim_random_below(source, DATA_PAGES), 1);
	}
}

static void churn(struct dav2m_sim_source *source, struct sim_out *out)
{
	const uint64_t address = CHURN << DAV2M_SIM_PAGE_SHIFT;
	unsigned i;

	for (i = 0; i < HOT_PAGES; i++) {
		sim_put(out, DAV2M_SIM_FETCH, CODE + i % CODE_PAGES, STEP_INST / HOT_PAGES);
		sim_put(out, DAV2M_SIM_LOAD, DATA + i, STEP_REFS / HOT_PAGES);
	}
	if (source->step_at % CHURN_STEPS != 0)
		return;
	sim_put_event(out, DAV2M_SIM_MAP, address, 1ull << DAV2M_SIM_PAGE_SHIFT,
		      DAV2M_SIM_PROT_READ | DAV2M_SIM_PROT_WRITE);
	sim_put(out, DAV2M_SIM_STORE, CHURN, 1);
	sim_put_event(out, DAV2M_SIM_UNMAP, address, 1ull << DAV2M_SIM_PAGE_SHIFT, 0);
}

/* All 64 MB are written, and a page beside the one that comes and goes. */
static void begin_step(const struct dav2m_sim_source *source, struct sim_out *out)
{
	uint64_t i;

	if (source->step_at == 0) {
		sim_put_event(out, DAV2M_SIM_SWITCH,
			      1 + (uint64_t)source->instance * SIM_INSTANCE_PIDS, 0, 0);
		sim_put(out, DAV2M_SIM_STORE, CHURN + 1, 1);
	}
	for (i = 0; i < BEGIN_PAGES; i++)
		sim_put(out, DAV2M_SIM_STORE, DATA + source->step_at * BEGIN_PAGES + i, 512);
	sim_put(out, DAV2M_SIM_FETCH, CODE, STEP_INST);
}

/* One step of the turn of that number; calm comes first. */
static void turn_step(struct dav2m_sim_source *source, struct sim_out *out, uint64_t turn)
{
	if (turn % 2 == 0)
		calm(source, out);
	else
		churn(source, out);
}

static void mix_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	const uint64_t steps = SWITCH_CYCLES * source->size / 100 / STEP_INST;

	if (source->step_at < BEGIN_STEPS)
		begin_step(source, out);
	else
		turn_step(source, out, (source->step_at - BEGIN_STEPS) / steps);
}

static uint64_t mix_steps(uint32_t size)
{
	(void)size;
	return MIX_STEPS;
}

static void freeze_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	const uint64_t at = source->step_at - BEGIN_STEPS;

	if (source->step_at < BEGIN_STEPS)
		begin_step(source, out);
	else
		turn_step(source, out,
			  at < HEAD_STEPS ? at / (HEAD_TURN * TICK_STEPS)
					  : (at - HEAD_STEPS) / (BODY_TURN * TICK_STEPS));
}

static const struct sim_program mixes[] = {
	{
		.workload = {.name = "phase-mix",
			     .about = "calm and churn by turns; size: a turn in hundredths of the "
				      "cost of a switch",
			     .source = "ours: from turns too short to follow to turns that must be",
			     .window_inst = 10000000,
			     .size = 1000,
			     .size_min = 10,
			     .size_max = 10000},
		.steps_of = mix_steps,
		.step = mix_step,
	},
	{
		.workload = {.name = "freeze",
			     .about = "calm and churn by turns of 2 ticks, then of 300",
			     .source = "ours: thresholds that only rise, as the DAV2M paper prints "
				       "them, never come down",
			     .window_inst = 10000000},
		.steps = FREEZE_STEPS,
		.step = freeze_step,
	},
};

size_t sim_mix_count(void)
{
	return sizeof(mixes) / sizeof(mixes[0]);
}

const struct sim_program *sim_mix_program(size_t index)
{
	return &mixes[index];
}
