/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much regret is enough? Early, where phases are long; where they are short, a mode is bad no
 * longer when it has been found to be. So the rule is played with either limit all the time, on
 * the costs that are known, and the mode is left at the limit that has cost less.
 *
 *     early   a share of a round trip, drawn anew for each stay
 *     late    twice that share of a round trip and what it costs to find out that it is due
 *
 * The draw is from [1/2, 1) of regret_bp: what a guest does may be in step with any fixed limit,
 * and then each switch is made when it is too late.
 */
#include "regret.h"

/* Beyond so many trips the better limit is known, and what has been learnt can still be
   unlearnt. */
#define SURE_TRIPS_BITS 4

/* In [half, 2 half), the same for the same time and seed. */
static uint32_t draw(const struct dav2m *ctl, uint32_t half)
{
	/* Two rounds of multiplying and folding: stays of neighbouring lengths and seeds have
	   nothing in common. The factors are those of xxHash's primes. */
	uint32_t drawn = (ctl->tick + 1) * UINT32_C(2654435761) ^ ctl->config.seed * 40503u;

	drawn = (drawn ^ drawn >> 15) * UINT32_C(2246822519);
	drawn = (drawn ^ drawn >> 13) & UINT16_MAX;
	return half + (half * drawn >> 16);
}

DAV2M_RARE void dav2m_regret_draw(struct dav2m *ctl)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	const uint32_t bp = draw(ctl, ctl->config.regret_bp / 2);

	/* Never 0: no regret at all is no reason to switch. */
	r->limit[EARLY] = pack(most(1, part_bp(round_trip(r), bp)));
	r->limit[LATE] = pack(most(1, part_bp(whole_trip(r), 2 * bp)));
}

/* What the tick costs when the rule is played with that limit. */
static int64_t play(struct dav2m *ctl, const struct dav2m_tick *tick, unsigned int which)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	const int same = r->played_mode[which] == r->mode;
	const uint32_t cost = same ? tick->cost : tick->other;

	if (r->played_settling[which]) {
		r->played_settling[which]--;
		return cost;
	}
	r->played[which] =
		dav2m_regret_add(r->played[which], cost, same ? tick->other : tick->cost);
	if (!dav2m_regret_due(r->played[which], unpack(r->limit[which])))
		return cost;
	r->played[which] = 0;
	r->played_mode[which] ^= 1;
	r->played_settling[which] = (uint8_t)least(ctl->config.window_settle, UINT8_MAX);
	return (int64_t)cost + unpack(r->trip[r->played_mode[which]]);
}

DAV2M_RARE void dav2m_regret_play_both(struct dav2m *ctl, const struct dav2m_tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	int64_t gain = r->late_gain + play(ctl, tick, EARLY);

	gain -= play(ctl, tick, LATE);
	r->late_gain = within(gain, least((uint64_t)whole_trip(r) << SURE_TRIPS_BITS, INT32_MAX));
}
