/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a built-in workload is made of: a small program of the guest that is called again and
 * again and appends words until it has done all of its work.
 */
#ifndef DAV2M_SIM_WORKLOAD_SOURCE_H
#define DAV2M_SIM_WORKLOAD_SOURCE_H

#include <dav2m/sim/workload.h>

#include "workload_fold.h"

/* Where a matrix multiplication is. */
struct sim_dgemm {
	uint32_t phase;
	uint32_t part; /* of the k dimension: its first k */
	uint32_t i;    /* row that the block begins with; or a counter of the phase's own */
	uint32_t j;    /* column of C or B that it begins with */
	uint32_t k;    /* within the part */
	uint32_t run;  /* processes so far */
};

struct sim_program;

struct dav2m_sim_source {
	const struct sim_program *program;
	uint64_t random;   /* generator state, never 0 */
	uint64_t step_at;  /* steps done */
	uint64_t steps;	   /* in all */
	uint32_t instance; /* which vCPU it feeds */
	uint32_t next_pid;
	uint64_t cursor; /* where a sweep is */
	uint32_t scale_bp;
	uint32_t size; /* of what the workload works on, for those that have one */
	struct sim_dgemm dgemm;
};

/* One step appends at most this many words. */
#define SIM_STEP_WORDS DAV2M_SIM_SOURCE_ROOM

/* Instances have process numbers of their own, so many each. */
#define SIM_INSTANCE_PIDS 1000u

/* xorshift64*: a full-period generator of one word of state. */
static inline uint64_t sim_random(struct dav2m_sim_source *source)
{
	uint64_t x = source->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	source->random = x;
	return x * 0x2545f4914f6cdd1dull;
}

/* Uniform in [0, n), n below 2^32. */
static inline uint64_t sim_random_below(struct dav2m_sim_source *source, uint64_t n)
{
	return (sim_random(source) >> 32) * n >> 32;
}

static inline void sim_put(struct sim_out *out, enum dav2m_sim_kind kind, uint64_t page,
			   uint32_t count)
{
	out->word[out->used++] = dav2m_sim_reference(kind, page, count);
}

static inline void sim_put_event(struct sim_out *out, enum dav2m_sim_event event, uint64_t a,
				 uint64_t b, uint64_t c)
{
	const uint64_t argument[DAV2M_SIM_ARGUMENTS] = {a, b, c};
	const uint32_t n = dav2m_sim_event_arguments(event);
	uint32_t i;

	out->word[out->used++] = dav2m_sim_event_word(event, n);
	for (i = 0; i < n; i++)
		/* No event has more: NOLINTNEXTLINE(*-core.uninitialized.Assign) */
		out->word[out->used++] = argument[i];
}

/* One kind of workload: how it is listed, how long it is, what one step of it does. */
struct sim_program {
	struct dav2m_sim_workload workload;
	uint64_t steps; /* at scale 1 */
	/* The same for a size, for workloads that have one; NULL otherwise. */
	uint64_t (*steps_of)(uint32_t size);
	void (*step)(struct dav2m_sim_source *source, struct sim_out *out);
};

/* One family per file, each a list. */
size_t sim_phases_count(void);
const struct sim_program *sim_phases_program(size_t index);
size_t sim_script_count(void);
const struct sim_program *sim_script_program(size_t index);
size_t sim_mix_count(void);
const struct sim_program *sim_mix_program(size_t index);
size_t sim_dgemm_count(void);
const struct sim_program *sim_dgemm_program(size_t index);
size_t sim_system_count(void);
const struct sim_program *sim_system_program(size_t index);

#endif
