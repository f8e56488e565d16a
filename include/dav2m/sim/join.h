/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joins neighbouring references of one page into one word, as they are made.
 *
 * Data and code are joined apart: a run grows in the word where it began while runs of the other
 * kind follow it. A store ends a run of loads, loads go into a run of stores. A TLB with true LRU
 * sees the same misses in the same order as from single references; only where the other kind's
 * fault flushes the TLB in the middle of a run, that run's second miss is lost.
 *
 * Inline, because a recorder does it for every reference of a program.
 */
#ifndef DAV2M_SIM_JOIN_H
#define DAV2M_SIM_JOIN_H

#include <dav2m/sim/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The bits of a word that count. */
#define DAV2M_SIM_COUNT_MASK ((uint64_t)DAV2M_SIM_RUN_MAX << 2)

/* Words under construction. Room is the caller's: each call below appends one word at most. */
struct dav2m_sim_join {
	uint64_t *word;
	size_t used;
	uint64_t *open[2]; /* the run that grows, of data and of code; or none */
	uint64_t none;
};

/* No run grows any more: what follows is something else, or another buffer. */
static inline void dav2m_sim_join_close(struct dav2m_sim_join *join)
{
	join->none = UINT64_MAX; /* no reference's page */
	join->open[0] = join->open[1] = &join->none;
}

static inline void dav2m_sim_join_begin(struct dav2m_sim_join *join, uint64_t *word)
{
	join->word = word;
	join->used = 0;
	dav2m_sim_join_close(join);
}

/* Appends a reference, or adds it to the run that it continues. */
static inline void dav2m_sim_join_reference(struct dav2m_sim_join *join, uint64_t reference)
{
	uint64_t **open = &join->open[reference >> 1 & 1];
	const uint64_t run = **open;
	/* In a run of stores a load differs by this bit, which does not count. */
	const uint64_t differ = (run ^ reference) & ~DAV2M_SIM_COUNT_MASK & ~(run & 1);

	if (differ == 0 && (run & DAV2M_SIM_COUNT_MASK) + (reference & DAV2M_SIM_COUNT_MASK) <=
				   DAV2M_SIM_COUNT_MASK) {
		**open = run + (reference & DAV2M_SIM_COUNT_MASK);
		return;
	}
	*open = &join->word[join->used];
	**open = reference;
	/* In this order, for a recorder whose other threads look at what there is so far. */
	__atomic_store_n(&join->used, join->used + 1, __ATOMIC_RELEASE);
}

#ifdef __cplusplus
}
#endif

#endif
