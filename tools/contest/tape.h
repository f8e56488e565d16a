/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paired recordings of the contest: simulated, or kept from an earlier simulation; made of lists
 * of phases; or the user's.
 */
#ifndef DAV2M_TOOLS_CONTEST_TAPE_H
#define DAV2M_TOOLS_CONTEST_TAPE_H

#include "record.h"

/* What a cell plays on. */
struct tape {
	struct dav2m_pair pair;
	int interrupted; /* somebody ended a recording of the user's before the program's end */
};

/* An empty pair of so many ticks, to be freed. */
int tape_new(size_t ticks, struct dav2m_pair *ret_pair, struct dav2m_host_error *error);
/* Sums the totals of a pair that was filled by hand. */
void tape_sum(struct dav2m_pair *pair);

/* Rows that a tick of a list of phases is cut into. */
#define TAPE_TICK_ROWS (PHASES_TICK_PROGRESS / PEER_ROW_PROGRESS)

/* phases_fill() at the model's prices, in rows: TAPE_TICK_ROWS for each tick. */
void tape_phases_fill(const struct phases *phases, const struct contest_model *model,
		      uint32_t noise_bp, uint64_t seed, struct dav2m_sample *ret_shadow,
		      struct dav2m_sample *ret_nested);

/* What the model has switches cost on a list of phases. */
void tape_phases_switches(const struct contest_model *model, uint64_t ret_cycles[DAV2M_MODES]);

/*
 * The workload (not the adversary) at the model's prices, with its switch costs, which are those
 * of a model with switch_bp 10000. folder: where recordings of simulated workloads are kept; a
 * recording that is there is not made again. NULL: they are not kept. steps: see record.h.
 */
int tape_make(const struct contest_workload *workload, const struct contest_model *model,
	      const char *folder, atomic_uint_least64_t *steps, struct tape *ret_tape,
	      struct dav2m_host_error *error);

#endif
