/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peers that compare counts with constants: static modes, fixed thresholds, faults and misses.
 */
#include "peers.h"

/* DAV2M's own initial thresholds, as <dav2m/config.h> infers them. */
#define EXITS_PER_TICK	10000u
#define MISSES_PER_TICK 100000u

static int above_fixed(struct peer *peer, const struct dav2m_sample *passed)
{
	if (peer->mode == DAV2M_SHADOW)
		return peer_per_tick(passed, DAV2M_PAGING_EXITS) > EXITS_PER_TICK;
	return peer_per_tick(passed, DAV2M_TLB_MISSES) > MISSES_PER_TICK;
}

/* A fault costs shadow paging as much as this many misses cost nested paging. */
#define MISSES_PER_FAULT (PEER_EXIT_CYCLES / (PEER_WALK_2D_CYCLES - PEER_WALK_1D_CYCLES))

/* So long the faults of the last stay in shadow paging are believed: ten seconds at 2 GHz and
   CPI 1. */
#define MEMORY_TICKS 200u

static int faults_against_misses(struct peer *peer, const struct dav2m_sample *passed)
{
	struct peer_faults *state = &peer->state.faults;
	uint64_t misses = peer_per_tick(passed, DAV2M_TLB_MISSES);

	if (peer->mode == DAV2M_SHADOW) {
		state->faults = peer_per_tick(passed, DAV2M_PAGING_EXITS);
		state->nested = 0;
		return state->faults > EXITS_PER_TICK && state->faults * MISSES_PER_FAULT > misses;
	}
	if (state->nested < MEMORY_TICKS)
		state->nested++;
	else
		state->faults = 0;
	return misses > MISSES_PER_TICK && misses > state->faults * MISSES_PER_FAULT;
}

const struct peer_rule peer_static_shadow = {
	.name = "static shadow",
	.source = "what a VMM without nested paging does",
	.inferred = "nothing",
};

const struct peer_rule peer_static_nested = {
	.name = "static nested",
	.source = "the default of current VMMs",
	.inferred = "nothing",
	.start = DAV2M_NESTED,
};

const struct peer_rule peer_fixed_thresholds = {
	.name = "fixed thresholds",
	.source = "DAV2M (ICAC 2011), section 6: fixed thresholds, which it weighs and rejects",
	.inferred = "both thresholds: the exponents in section 7 are lost",
	.clock = DAV2M_PROGRESS,
	.period = PEER_TICK_PROGRESS,
	.leave = above_fixed,
};

const struct peer_rule peer_faults_and_misses = {
	.name = "faults and misses",
	.source = "Wang et al., Selective Hardware/Software Memory Virtualization, VEE 2011: watch "
		  "TLB misses and guest page faults, switch to the mode that they favour",
	.inferred = "the rule itself, from the abstract: thresholds as DAV2M's, a fault weighed as "
		    "100 misses; paging exits stand for faults, those of the last stay in shadow "
		    "paging for 200 ticks, because nested paging shows none",
	.clock = DAV2M_PROGRESS,
	.period = PEER_TICK_PROGRESS,
	.leave = faults_against_misses,
};
