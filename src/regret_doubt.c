/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doubt: while nested paging runs a phase that is remembered as bad for shadow paging, memory may
 * be out of date, and what could be saved adds up. When it is worth a probe, and time for one,
 * shadow paging is looked at again.
 *
 * Time is counted in ticks, because phases tend to last as long as they did. The first wait is as
 * long as the last stay in shadow paging was good. After a probe that fails it is as long again,
 * and then twice as long each time; one that does well tells when there is something to find, and
 * the next comes just after that.
 *
 * While shadow paging runs, the ratio of walk costs may be that of another phase. What could be
 * saved are the exits; nested paging is looked at when they are worth many probes.
 */
#include "regret.h"

/* No probe before 8 round trips could be saved: one that fails costs about a sixth of that. At most
   2^8: beyond that no memory is believed. */
#define WORTH_TRIPS_BITS 3
#define MOST_TRIPS_BITS	 8

/* Under shadow paging no probe before exits have cost 2^6 round trips: one that fails costs about 2
   % of that. */
#define EXITS_TRIPS_BITS 6

/* How much later than it was right, 1/32 and a tick: phases vary, and before their end there is
   nothing to find. */
#define LATER_BITS 5

static uint64_t trips(const struct dav2m_regret *r, unsigned int bits)
{
	return (uint64_t)whole_trip(r) << bits;
}

static uint32_t wait_ticks(const struct dav2m_regret *r)
{
	if (r->doubt_right != UNSEEN)
		return r->doubt_right;
	if (r->doubt_wrong)
		return r->doubt_wrong;
	return r->good_ticks + (r->good_ticks >> LATER_BITS) + 1u;
}

int dav2m_regret_doubts(struct dav2m_regret *r, uint32_t saved)
{
	r->doubt = dav2m_regret_sum(r->doubt, saved);
	if (r->doubt < trips(r, WORTH_TRIPS_BITS))
		return 0;
	if (r->mode == DAV2M_SHADOW)
		return r->doubt >= trips(r, EXITS_TRIPS_BITS);
	return r->doubt >= (uint64_t)saved * wait_ticks(r) || r->doubt >= trips(r, MOST_TRIPS_BITS);
}

void dav2m_regret_probe_doubt(struct dav2m_regret *r)
{
	/* Of the last tick, whose cost is all walks. */
	const uint32_t saved = r->other - walk_elsewhere(r, r->other);

	r->doubt = least(r->doubt / most(saved, 1), UNSEEN - 1);
}

void dav2m_regret_doubt_was_wrong(struct dav2m_regret *r)
{
	r->doubt_wrong =
		(uint16_t)(r->doubt_wrong ? least(2u * r->doubt_wrong, UNSEEN - 1) : r->doubt);
	r->doubt_right = UNSEEN;
	if (r->doubt_losses < MOST_LOSSES)
		r->doubt_losses++;
	r->doubt = 0;
}

void dav2m_regret_doubt_was_right(struct dav2m_regret *r)
{
	/* The least after which it was: so that coming a little later each time does not add up. */
	r->doubt_right = (uint16_t)least(r->doubt_right, r->doubt);
	r->doubt_wrong = 0;
	r->doubt_losses = 0;
}
