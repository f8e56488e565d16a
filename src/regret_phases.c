/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's phases, by signature, and what paging exits cost in each when shadow paging last
 * saw it.
 */
#include "regret.h"

/* What exits cost is remembered to within this; a tick has 2^15 grains and more. */
#define NEAR_GRAINS 16

static uint32_t apart(const struct dav2m_phase *phase, const struct dav2m_tick *tick)
{
	return distance(phase->misses, tick->misses) * 2 + distance(phase->flushes, tick->flushes);
}

/* A new phase takes the place of the one that is left, if nothing is remembered of that: ticks in
   which one phase ends and another begins look like phases of their own, and would soon have all
   places. Else it takes one of its own or, when all are taken, that of any other: of those that
   come round in turn, forgetting the oldest would forget each just before it comes. While
   nested paging settles, that is not the one which it will inherit from. */
static unsigned int place(struct dav2m *ctl)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	unsigned int any;

	if (r->phase[r->current].exits == UNSEEN)
		return r->current;
	if (r->phases < DAV2M_PHASES)
		return r->phases++;
	/* Knuth's multiplicative hash of the time. */
	any = (ctl->tick * UINT32_C(2654435761) >> 16) % DAV2M_PHASES;
	if (any == r->left && r->arrived && r->mode == DAV2M_NESTED)
		any = (any + 1) % DAV2M_PHASES;
	return any;
}

DAV2M_RARE void dav2m_regret_change_phase(struct dav2m *ctl, const struct dav2m_tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	uint32_t nearest = UINT32_MAX;
	unsigned int found = 0;

	for (unsigned int i = 0; i < r->phases; i++)
		if (dav2m_regret_alike(&r->phase[i], tick) && apart(&r->phase[i], tick) < nearest) {
			nearest = apart(&r->phase[i], tick);
			found = i;
		}
	if (nearest == UINT32_MAX) {
		found = place(ctl);
		r->phase[found] = (struct dav2m_phase){tick->misses, tick->flushes, UNSEEN};
	}
	r->current = (uint8_t)found;
}

DAV2M_RARE void dav2m_regret_inherit(struct dav2m_regret *r)
{
	const struct dav2m_phase *left = &r->phase[r->left];
	struct dav2m_phase *now = &r->phase[r->current];

	if (now->exits == UNSEEN && now->misses <= left->misses + SAME_MISSES &&
	    near(left->flushes, now->flushes, SAME_FLUSHES))
		now->exits = left->exits;
}

DAV2M_RARE uint16_t dav2m_regret_nearest_exits(const struct dav2m_regret *r,
					       const struct dav2m_tick *tick)
{
	uint32_t nearest = UINT32_MAX;
	uint16_t exits = UNSEEN;

	for (unsigned int i = 0; i < r->phases; i++)
		if (r->phase[i].exits != UNSEEN && apart(&r->phase[i], tick) < nearest) {
			nearest = apart(&r->phase[i], tick);
			exits = r->phase[i].exits;
		}
	return exits;
}

DAV2M_RARE uint32_t dav2m_regret_whole(uint32_t cost, uint32_t ratio)
{
	/* x 256 / ratio in 32-bit divisions; the rest is less than 2^16. */
	const uint64_t whole = (uint64_t)(cost / ratio) << RATIO_BITS;
	const uint32_t rest = (cost % ratio << RATIO_BITS) / ratio;

	return least(whole + rest, UINT32_MAX);
}

DAV2M_RARE void dav2m_regret_remember_part(struct dav2m_regret *r, const struct dav2m_tick *tick)
{
	r->phase[r->current].exits = pack(dav2m_regret_whole(tick->exits, tick->ratio));
}

/* How often the tick is twice as long as it should be. */
static unsigned int longer(const struct dav2m_tick *tick)
{
	return log2_floor(most(tick->ratio, RATIO_ONE)) - RATIO_BITS;
}

void dav2m_regret_remember(struct dav2m_regret *r, const struct dav2m_tick *tick)
{
	struct dav2m_phase *phase = &r->phase[r->current];
	int64_t rate, error;

	if (phase->exits == UNSEEN) {
		phase->exits = pack(tick->exits >> longer(tick));
		return;
	}
	rate = unpack(phase->exits);
	error = (int64_t)tick->exits - in_tick((uint32_t)rate, tick->ratio);
	if (error > -NEAR_GRAINS && error < NEAR_GRAINS)
		return;
	/* Half of the way, and less where a longer tick shows more of the error. */
	phase->exits = pack(bounded(rate + (error >> (longer(tick) + 1)), 0, UINT32_MAX));
}
