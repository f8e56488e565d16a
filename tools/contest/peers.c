/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all peers share: cutting the counters into periods, and answering as a policy.
 */
#include "peers.h"

#include <string.h>

const struct peer_rule *const peer_rules[] = {
	&peer_static_shadow,	 &peer_static_nested, &peer_fixed_thresholds,
	&peer_faults_and_misses, &peer_overhead_vote, &peer_randomized_work_function,
};
const size_t peer_rules_size = sizeof(peer_rules) / sizeof(peer_rules[0]);

void peer_begin(struct peer *peer, const struct peer_rule *rule, enum dav2m_mode running,
		uint64_t seed)
{
	memset(peer, 0, sizeof(*peer));
	peer->rule = rule;
	peer->mode = running;
	if (rule->begin)
		rule->begin(peer, rule->throws_coins ? seed : 0);
}

/* What the counters did since the period began. */
static struct dav2m_sample passed_since(const struct peer *peer, const struct dav2m_sample *now)
{
	struct dav2m_sample passed = {.valid = now->valid & peer->from.valid};
	int c;

	for (c = 0; c < DAV2M_COUNTERS; c++)
		if (passed.valid & DAV2M_BIT(c))
			passed.value[c] = now->value[c] - peer->from.value[c];
	return passed;
}

static int peer_sample(void *object, const struct dav2m_sample *now,
		       struct dav2m_decision *ret_decision)
{
	struct peer *peer = object;
	const struct peer_rule *rule = peer->rule;
	struct dav2m_sample passed;

	memset(ret_decision, 0, sizeof(*ret_decision));
	ret_decision->mode = peer->mode;
	if (!peer->begun) {
		peer->from = *now;
		peer->begun = 1;
		return 0;
	}
	passed = passed_since(peer, now);
	if (!rule->period || passed.value[rule->clock] < rule->period)
		return 0;
	peer->from = *now;
	if (rule->leave(peer, &passed)) {
		ret_decision->action = DAV2M_SWITCH;
		ret_decision->mode = peer->mode == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW;
	}
	return 0;
}

/* What a switch cost is not held against the mode that it led to. */
static int peer_acknowledge(void *object, enum dav2m_outcome outcome, uint64_t cycles)
{
	struct peer *peer = object;

	if (outcome != DAV2M_DONE)
		return 0;
	peer->mode = peer->mode == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW;
	peer->from.value[DAV2M_CYCLES] += cycles;
	if (peer->rule->switched)
		peer->rule->switched(peer, cycles);
	return 0;
}

const struct dav2m_policy peer_policy = {.sample = peer_sample, .acknowledge = peer_acknowledge};

uint64_t peer_per_tick(const struct dav2m_sample *passed, enum dav2m_counter counter)
{
	double ticks = (double)passed->value[DAV2M_PROGRESS] / PEER_TICK_PROGRESS;

	return ticks > 0 ? (uint64_t)((double)passed->value[counter] / ticks) : 0;
}

double peer_walk_cycles(const struct peer *peer, const struct dav2m_sample *passed)
{
	if (passed->valid & DAV2M_BIT(DAV2M_WALK_CYCLES))
		return (double)passed->value[DAV2M_WALK_CYCLES];
	return (double)passed->value[DAV2M_TLB_MISSES] *
	       (peer->mode == DAV2M_NESTED ? PEER_WALK_2D_CYCLES : PEER_WALK_1D_CYCLES);
}
