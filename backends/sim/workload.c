/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of built-in workloads and the machinery that runs one.
 */
#include <stdlib.h>
#include <string.h>

#include "workload_source.h"

#define SCALE_MAX_BP 100000000u

static const struct {
	size_t (*count)(void);
	const struct sim_program *(*program)(size_t index);
} families[] = {
	{sim_phases_count, sim_phases_program}, {sim_mix_count, sim_mix_program},
	{sim_script_count, sim_script_program}, {sim_system_count, sim_system_program},
	{sim_dgemm_count, sim_dgemm_program},
};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

static const struct sim_program *program_at(size_t index)
{
	size_t f;

	for (f = 0; f < FAMILIES; f++) {
		if (index < families[f].count())
			return families[f].program(index);
		index -= families[f].count();
	}
	return NULL;
}

const struct dav2m_sim_workload *dav2m_sim_workload(size_t index)
{
	const struct sim_program *program = program_at(index);

	return program == NULL ? NULL : &program->workload;
}

static const struct sim_program *program_find(const char *name)
{
	const struct sim_program *program;
	size_t i;

	for (i = 0; name != NULL && (program = program_at(i)) != NULL; i++)
		if (strcmp(program->workload.name, name) == 0)
			return program;
	return NULL;
}

const struct dav2m_sim_workload *dav2m_sim_workload_find(const char *name)
{
	const struct sim_program *program = program_find(name);

	return program == NULL ? NULL : &program->workload;
}

static void steps_set(struct dav2m_sim_source *source)
{
	const struct sim_program *program = source->program;
	const uint64_t steps =
		program->steps_of != NULL ? program->steps_of(source->size) : program->steps;

	source->steps = (steps * source->scale_bp + DAV2M_ONE_BP - 1) / DAV2M_ONE_BP;
}

struct dav2m_sim_source *dav2m_sim_source_new(const struct dav2m_sim_workload *workload,
					      uint64_t seed, uint32_t scale_bp)
{
	const struct sim_program *program = workload == NULL ? NULL : program_find(workload->name);
	struct dav2m_sim_source *source;

	if (program == NULL || scale_bp == 0 || scale_bp > SCALE_MAX_BP)
		return NULL;
	source = calloc(1, sizeof(*source));
	if (source == NULL)
		return NULL;
	source->program = program;
	/* Spread, so that neighbouring seeds begin far apart; the state must not be 0. */
	source->random = (seed + 1) * 0x9e3779b97f4a7c15ull | 1;
	source->scale_bp = scale_bp;
	source->size = program->workload.size;
	steps_set(source);
	return source;
}

int dav2m_sim_source_instance(struct dav2m_sim_source *source, uint32_t index)
{
	if (index >= DAV2M_SIM_PIDS / SIM_INSTANCE_PIDS - 1)
		return -1;
	source->instance = index;
	return 0;
}

int dav2m_sim_source_size(struct dav2m_sim_source *source, uint32_t size)
{
	const struct sim_program *program = source->program;

	if (program->steps_of == NULL || source->step_at > 0 || size < program->workload.size_min ||
	    size > program->workload.size_max)
		return -1;
	source->size = size;
	steps_set(source);
	return 0;
}

void dav2m_sim_source_free(struct dav2m_sim_source *source)
{
	free(source);
}

size_t dav2m_sim_source_read(struct dav2m_sim_source *source, uint64_t *words, size_t room)
{
	struct sim_out out = {words, 0};

	while (source->step_at < source->steps && room - out.used >= SIM_STEP_WORDS) {
		source->program->step(source, &out);
		source->step_at++;
	}
	return out.used;
}

uint64_t dav2m_sim_source_done(const struct dav2m_sim_source *source)
{
	return source->step_at;
}

uint64_t dav2m_sim_source_total(const struct dav2m_sim_source *source)
{
	return source->steps;
}
