/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three guests run the same stream: one under each paging mode, and one that switches now and
 * then, to see what that costs. Rows are cut where the work is, so that they are the same in all.
 */
#include "record.h"

#include "fail.h"
#include "sim_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The switcher switches every eighth row, so every 2e8 of progress: longer than the transient of
   any workload, which is over when all pages were touched again. */
#define ROW_PROGRESS PEER_ROW_PROGRESS
/* So fine the simulation is looked at, on a grid, to cut rows near where they should end. */
#define LOOK_INST    100000u

/* A recording has some hundred rows, so that both directions of a switch are tried. */
#define LEAST_PROGRESS 2000000000u

/* Five minutes at 2 GHz and CPI 2: about what the programs of the DAV2M paper take. */
#define ROWS 12000u

/* Programs that start up once, in progress: their other runs begin behind it. Of the SPEC programs
   of one input bench/validation leaves out as much, for the same reason: what takes them seconds
   here is under a hundredth of the original. */
static const struct {
	const char *name;
	uint64_t progress;
} start_ups[] = {
	{"spec-swim", 3000000000},   {"spec-zeusmp", 3000000000}, {"spec-apsi", 3000000000},
	{"spec-crafty", 3000000000}, {"spec-fma3d", 3000000000},  {"gups", 1000000000},
};

#define GUEST_BYTES (2ull << 30) /* as `dav2m sim` has it */

enum lane_index { SHADOW_LANE = DAV2M_SHADOW, NESTED_LANE = DAV2M_NESTED, SWITCHER_LANE, LANES };

struct lane {
	struct dav2m_sim *sim;
	struct recording recording;
	uint64_t next; /* progress at which the next row ends */
	int switcher;
	int failed;
};

static uint64_t progress_of(const struct dav2m_sim *sim)
{
	struct dav2m_sim_counts counts;

	dav2m_sim_count(sim, &counts);
	return counts.instructions + counts.cycles[DAV2M_SIM_FAULT];
}

static void row_add(struct lane *lane, uint64_t progress)
{
	struct recording *recording = &lane->recording;

	if (recording_add(recording, lane->sim))
		lane->failed = 1;
	else
		recording->sample[recording->samples - 1].value[DAV2M_PROGRESS] = progress;
	lane->next = progress + ROW_PROGRESS;
}

static void on_sample(void *vm, struct dav2m_sim *sim, int at_window)
{
	struct lane *lane = vm;
	uint64_t progress = progress_of(sim);

	(void)at_window;
	if (progress < lane->next)
		return;
	row_add(lane, progress);
	if (!lane->failed && lane->switcher && recording_turns(&lane->recording))
		dav2m_sim_switch(sim, dav2m_sim_mode(sim) == DAV2M_SIM_SHADOW ? DAV2M_NESTED
									      : DAV2M_SHADOW);
}

static int lane_begin(struct lane *lane, const struct contest_model *model, enum lane_index index,
		      struct dav2m_host_error *error)
{
	struct dav2m_sim_config config = {.machine = dav2m_sim_machine_find(model->machine),
					  .cost = dav2m_sim_cost_find(model->cost),
					  .mode = index == NESTED_LANE ? DAV2M_SIM_NESTED
								       : DAV2M_SIM_SHADOW,
					  .tables = DAV2M_SIM_LEVELS_4,
					  .guest_page = DAV2M_SIM_4K,
					  .guest_bytes = GUEST_BYTES,
					  .window_inst = LOOK_INST,
					  .on_grid = 1,
					  .sample = on_sample,
					  .vm = lane};
	int code = dav2m_sim_new(&config, &lane->sim);

	if (code)
		return tool_fail(error, DAV2M_HOST_CORE, "%s",
				 dav2m_sim_error_name((enum dav2m_sim_error)code));
	lane->switcher = index == SWITCHER_LANE;
	lane->recording.wanted = 1;
	row_add(lane, 0);
	return 0;
}

static int words_run(struct lane *lane, const uint64_t *words, size_t n,
		     struct dav2m_host_error *error)
{
	int i, code;

	for (i = 0; i < LANES; i++) {
		code = dav2m_sim_run(lane[i].sim, words, n);
		if (code)
			return tool_fail(error, DAV2M_HOST_CORE, "%s",
					 dav2m_sim_error_name((enum dav2m_sim_error)code));
		if (lane[i].failed)
			return tool_fail_memory(error);
	}
	return 0;
}

/* steps NULL: not counted. */
static int stream_run(struct lane *lane, struct dav2m_sim_source *source,
		      atomic_uint_least64_t *steps, struct dav2m_host_error *error)
{
	uint64_t words[8 * DAV2M_SIM_SOURCE_ROOM];
	uint64_t before = 0, done;
	size_t n;
	int rc = 0;

	while (!rc && (n = dav2m_sim_source_read(source, words, 8 * DAV2M_SIM_SOURCE_ROOM)) > 0) {
		rc = words_run(lane, words, n, error);
		done = dav2m_sim_source_done(source);
		if (steps)
			atomic_fetch_add(steps, done - before);
		before = done;
	}
	return rc;
}

static void lanes_end(struct lane *lane)
{
	int i;

	for (i = 0; i < LANES; i++) {
		recording_free(&lane[i].recording);
		dav2m_sim_free(lane[i].sim);
	}
	memset(lane, 0, LANES * sizeof(*lane));
}

static int lanes_run(struct lane *lane, const struct contest_workload *workload,
		     const struct contest_model *model, uint32_t scale_bp,
		     atomic_uint_least64_t *steps, struct dav2m_host_error *error)
{
	struct dav2m_sim_source *source =
		dav2m_sim_source_new(workload->simulated, workload->seed, scale_bp);
	int rc = source ? 0 : tool_fail_memory(error);
	int i;

	for (i = 0; i < LANES && !rc; i++)
		rc = lane_begin(&lane[i], model, (enum lane_index)i, error);
	if (!rc)
		rc = stream_run(lane, source, steps, error);
	for (i = 0; i < LANES && !rc; i++)
		row_add(&lane[i], progress_of(lane[i].sim));
	dav2m_sim_source_free(source);
	return rc;
}

/* Short workloads run again, stretched. */
static int lanes_run_long(struct lane *lane, const struct contest_workload *workload,
			  const struct contest_model *model, atomic_uint_least64_t *steps,
			  struct dav2m_host_error *error)
{
	int rc = lanes_run(lane, workload, model, DAV2M_ONE_BP, steps, error);
	uint64_t progress = rc ? 0 : progress_of(lane[0].sim);

	if (rc || progress >= LEAST_PROGRESS)
		return rc;
	lanes_end(lane);
	/* progress > 0: a workload does something. */
	return lanes_run(lane, workload, model,
			 (uint32_t)(LEAST_PROGRESS / progress + 1) * DAV2M_ONE_BP, NULL, error);
}

static uint64_t start_up_progress(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(start_ups) / sizeof(start_ups[0]); i++)
		if (!strcmp(start_ups[i].name, name))
			return start_ups[i].progress;
	return 0;
}

static void increments_add(struct dav2m_sample *tick, const struct dav2m_sample *from,
			   const struct dav2m_sample *to)
{
	int c;

	tick->valid = DAV2M_ALL_COUNTERS;
	for (c = 0; c < DAV2M_COUNTERS; c++)
		tick->value[c] += to->value[c] - from->value[c];
}

/* Plays the rows over and over, from `again` on; the last, which is short, is joined to the next.
 */
static int ticks_fill(const struct recording *recording, uint64_t again_progress,
		      struct dav2m_trace *trace)
{
	const struct dav2m_sample *sample = recording->sample;
	size_t row = 0, again = 0;

	while (again + 2 < recording->samples &&
	       sample[again].value[DAV2M_PROGRESS] < again_progress)
		again++;
	trace->tick = calloc(ROWS, sizeof(*trace->tick));
	if (!trace->tick)
		return -1;
	while (trace->ticks < ROWS) {
		struct dav2m_sample *tick = &trace->tick[trace->ticks];

		increments_add(tick, &sample[row], &sample[row + 1]);
		if (tick->value[DAV2M_PROGRESS] >= ROW_PROGRESS)
			trace->ticks++;
		row = row + 2 < recording->samples ? row + 1 : again;
	}
	return 0;
}

static int same_work(const struct lane *lane)
{
	const struct recording *one = &lane[SHADOW_LANE].recording;
	int i;
	size_t row;

	for (i = NESTED_LANE; i < LANES; i++) {
		const struct recording *other = &lane[i].recording;

		if (other->samples != one->samples)
			return 0;
		for (row = 0; row < one->samples; row++)
			if (other->sample[row].value[DAV2M_PROGRESS] !=
			    one->sample[row].value[DAV2M_PROGRESS])
				return 0;
	}
	return 1;
}

static struct dav2m_trace_header header_of(const struct lane *lane,
					   const struct contest_workload *workload,
					   const struct contest_model *model)
{
	struct dav2m_trace_header header = {.columns = DAV2M_ALL_COUNTERS};

	recording_switch_costs(&lane[SWITCHER_LANE].recording, &lane[SHADOW_LANE].recording,
			       &lane[NESTED_LANE].recording, &header);
	snprintf(header.program, sizeof(header.program), "%s", workload->name);
	snprintf(header.progress_unit, sizeof(header.progress_unit),
		 "instructions, the kernel's at one a cycle");
	snprintf(header.note, sizeof(header.note), "simulated again and again: machine %s, cost %s",
		 model->machine, model->cost);
	return header;
}

int contest_record(const struct contest_workload *workload, const struct contest_model *model,
		   atomic_uint_least64_t *steps, struct dav2m_trace ret_trace[DAV2M_MODES],
		   struct dav2m_host_error *error)
{
	uint64_t again = start_up_progress(workload->name);
	struct lane lane[LANES] = {{.sim = NULL}};
	int rc = lanes_run_long(lane, workload, model, steps, error);
	int mode;

	if (!rc && !same_work(lane))
		rc = tool_fail(error, DAV2M_HOST_MISMATCH, "the modes did not do the same work");
	for (mode = 0; mode < DAV2M_MODES && !rc; mode++) {
		ret_trace[mode].header = header_of(lane, workload, model);
		ret_trace[mode].header.mode = (enum dav2m_trace_mode)mode;
		if (ticks_fill(&lane[mode].recording, again, &ret_trace[mode]))
			rc = tool_fail_memory(error);
	}
	lanes_end(lane);
	return rc;
}

uint64_t contest_record_steps(const struct contest_workload *workload)
{
	struct dav2m_sim_source *source =
		dav2m_sim_source_new(workload->simulated, workload->seed, DAV2M_ONE_BP);
	uint64_t steps = source ? dav2m_sim_source_total(source) : 0;

	dav2m_sim_source_free(source);
	return steps;
}
