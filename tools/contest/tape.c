/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the pairs that the contest is played on.
 */
#define _POSIX_C_SOURCE 200809L

#include "tape.h"

#include "counter_input.h"
#include "fail.h"
#include "part.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Counts of a phase vary by 2 % from tick to tick, where nothing else was drawn. */
#define PHASES_NOISE_BP 200u

/* Recordings of the user's may differ by this much in work: the longest tick of a real sampler. */
#define TOLERANCE_BP 100u

int tape_new(size_t ticks, struct dav2m_pair *ret_pair, struct dav2m_host_error *error)
{
	int mode;

	memset(ret_pair, 0, sizeof(*ret_pair));
	ret_pair->ticks = ticks;
	for (mode = 0; mode < DAV2M_MODES; mode++)
		ret_pair->tick[mode] = calloc(ticks, sizeof(*ret_pair->tick[mode]));
	return ret_pair->tick[DAV2M_SHADOW] && ret_pair->tick[DAV2M_NESTED]
		       ? 0
		       : tool_fail_memory(error);
}

void tape_sum(struct dav2m_pair *pair)
{
	int mode, c;
	size_t i;

	for (mode = 0; mode < DAV2M_MODES; mode++) {
		pair->total[mode].valid = DAV2M_ALL_COUNTERS;
		for (i = 0; i < pair->ticks; i++) {
			pair->total[mode].valid &= pair->tick[mode][i].valid;
			for (c = 0; c < DAV2M_COUNTERS; c++)
				pair->total[mode].value[c] += pair->tick[mode][i].value[c];
		}
	}
}

static void reprice(struct dav2m_sample *tick, enum dav2m_counter part, uint64_t old, double factor)
{
	uint64_t priced = (uint64_t)((double)old * factor);

	tick->value[part] += priced - old;
	tick->value[DAV2M_CYCLES] += priced - old;
}

void tape_phases_fill(const struct phases *phases, const struct contest_model *model,
		      uint32_t noise_bp, uint64_t seed, struct dav2m_sample *ret_shadow,
		      struct dav2m_sample *ret_nested)
{
	double exit = contest_exit_price(model), walk = contest_walk_price(model);
	size_t i;

	phases_fill(phases, noise_bp, seed, ret_shadow, ret_nested);
	phases_cut(ret_shadow, phases->ticks, TAPE_TICK_ROWS);
	phases_cut(ret_nested, phases->ticks, TAPE_TICK_ROWS);
	for (i = 0; i < phases->ticks * TAPE_TICK_ROWS; i++) {
		reprice(&ret_shadow[i], DAV2M_PAGING_EXIT_CYCLES,
			ret_shadow[i].value[DAV2M_PAGING_EXIT_CYCLES], exit);
		reprice(&ret_shadow[i], DAV2M_WALK_CYCLES, ret_shadow[i].value[DAV2M_WALK_CYCLES],
			walk);
		reprice(&ret_nested[i], DAV2M_WALK_CYCLES, ret_nested[i].value[DAV2M_WALK_CYCLES],
			walk);
	}
}

/* A switch costs exits, most of all. */
void tape_phases_switches(const struct contest_model *model, uint64_t ret_cycles[DAV2M_MODES])
{
	double exit = contest_exit_price(model);

	ret_cycles[DAV2M_SHADOW] = (uint64_t)(PHASES_TO_SHADOW_CYCLES * exit);
	ret_cycles[DAV2M_NESTED] = (uint64_t)(PHASES_TO_NESTED_CYCLES * exit);
}

static int phases_make(const struct contest_workload *workload, const struct contest_model *model,
		       struct dav2m_pair *ret_pair, struct dav2m_host_error *error)
{
	const struct drawn *drawn = workload->drawn;
	uint32_t noise_bp = drawn ? drawn->noise_bp : PHASES_NOISE_BP;
	uint64_t seed = drawn ? drawn->noise_seed : workload->seed;
	int rc = tape_new(workload->phases->ticks * TAPE_TICK_ROWS, ret_pair, error);

	if (rc)
		return rc;
	tape_phases_fill(workload->phases, model, noise_bp, seed, ret_pair->tick[DAV2M_SHADOW],
			 ret_pair->tick[DAV2M_NESTED]);
	tape_phases_switches(model, ret_pair->switch_cycles);
	ret_pair->switch_known = DAV2M_BIT(DAV2M_SHADOW) | DAV2M_BIT(DAV2M_NESTED);
	tape_sum(ret_pair);
	return 0;
}

static int path_make(const char *folder, const struct contest_workload *workload,
		     const struct contest_model *model, int mode, char *path, size_t size,
		     struct dav2m_host_error *error)
{
	const char *mode_name = dav2m_mode_name((enum dav2m_mode)mode);
	char seed[32] = "";

	if (workload->seed != 1)
		snprintf(seed, sizeof(seed), ".seed-%u", (unsigned int)workload->seed);
	if ((size_t)snprintf(path, size, "%s/%s.%s.%s%s.%s.csv", folder, workload->name,
			     model->machine, model->cost, seed, mode_name) < size)
		return 0;
	return tool_fail(error, DAV2M_HOST_ARGUMENT, "--recordings: the name is too long");
}

static int trace_write(const char *path, const struct dav2m_trace *trace,
		       struct dav2m_host_error *error)
{
	struct dav2m_trace_writer *writer;
	size_t i;
	int rc = part_trace_open(path, &trace->header, &writer, error);

	if (rc)
		return rc;
	for (i = 0; !rc && i < trace->ticks; i++)
		rc = dav2m_trace_writer_append(writer, &trace->tick[i], error);
	return part_trace_end(path, writer, rc, error);
}

/* 1: both were there and are read; 0: one was not. */
static int kept_read(char path[DAV2M_MODES][4096], struct dav2m_trace trace[DAV2M_MODES],
		     struct dav2m_host_error *error)
{
	int mode, rc;

	for (mode = 0; mode < DAV2M_MODES; mode++)
		if (access(path[mode], F_OK))
			return 0;
	for (mode = 0; mode < DAV2M_MODES; mode++) {
		rc = dav2m_trace_load(path[mode], 0, &trace[mode], error);
		if (rc)
			return rc;
	}
	return 1;
}

static int kept_or_made(const struct contest_workload *workload, const struct contest_model *model,
			const char *folder, atomic_uint_least64_t *steps,
			struct dav2m_trace trace[DAV2M_MODES], struct dav2m_host_error *error)
{
	char path[DAV2M_MODES][4096];
	int mode, rc = 0;

	for (mode = 0; mode < DAV2M_MODES && folder && !rc; mode++)
		rc = path_make(folder, workload, model, mode, path[mode], sizeof(path[mode]),
			       error);
	if (folder && !rc)
		rc = kept_read(path, trace, error);
	if (rc == 1)
		atomic_fetch_add(steps, contest_record_steps(workload));
	if (rc)
		return rc < 0 ? rc : 0;
	/* Before it is made: that takes long. */
	if (folder && access(folder, W_OK | X_OK))
		return tool_fail(error, DAV2M_HOST_IO,
				 "--recordings: %.500s: cannot write there: %s", folder,
				 strerror(errno));
	rc = contest_record(workload, model, steps, trace, error);
	for (mode = 0; mode < DAV2M_MODES && folder && !rc; mode++)
		rc = trace_write(path[mode], &trace[mode], error);
	return rc;
}

static int files_read(const struct contest_workload *workload,
		      struct dav2m_trace trace[DAV2M_MODES], struct dav2m_host_error *error)
{
	int mode, rc = 0;

	for (mode = 0; mode < DAV2M_MODES && !rc; mode++)
		rc = counter_input_read(workload->file[mode], 0, 0, &trace[mode], error);
	return rc;
}

static int switches_check(const struct contest_workload *workload, const struct dav2m_pair *pair,
			  struct dav2m_host_error *error)
{
	if (pair->switch_known == (DAV2M_BIT(DAV2M_SHADOW) | DAV2M_BIT(DAV2M_NESTED)))
		return 0;
	return tool_fail(error, DAV2M_HOST_FORMAT,
			 "%.300s: the recordings do not say what a switch costs "
			 "(switch_cost_to_nested_cycles, switch_cost_to_shadow_cycles)",
			 workload->name);
}

int tape_make(const struct contest_workload *workload, const struct contest_model *model,
	      const char *folder, atomic_uint_least64_t *steps, struct tape *ret_tape,
	      struct dav2m_host_error *error)
{
	struct dav2m_trace trace[DAV2M_MODES] = {{.tick = NULL}};
	const struct dav2m_trace *shadow = &trace[DAV2M_SHADOW], *nested = &trace[DAV2M_NESTED];
	int rc;

	ret_tape->interrupted = 0;
	if (workload->kind == CONTEST_PHASES)
		return phases_make(workload, model, &ret_tape->pair, error);
	rc = workload->kind == CONTEST_FILES
		     ? files_read(workload, trace, error)
		     : kept_or_made(workload, model, folder, steps, trace, error);
	if (!rc)
		rc = dav2m_pair_make(shadow, nested, TOLERANCE_BP, &ret_tape->pair, error);
	if (!rc)
		rc = switches_check(workload, &ret_tape->pair, error);
	ret_tape->interrupted = shadow->header.interrupted || nested->header.interrupted;
	dav2m_trace_free(&trace[DAV2M_SHADOW]);
	dav2m_trace_free(&trace[DAV2M_NESTED]);
	return rc;
}
