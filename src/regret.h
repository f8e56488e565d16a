/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the regret judge share:
 *
 *   regret.c            the judge: when to leave a mode, when to give up a probe
 *   regret_rule.h       the rule itself, about which docs/bound.md proves something
 *   regret_measure.c    a tick's counters -> what it cost, and its signature
 *   regret_phases.c     what paging exits cost in the phases that shadow paging has seen
 *   regret_calibrate.c  what a switch, a page walk and a paging exit cost
 *   regret_doubt.c      when what is remembered is to be believed no more
 *   regret_patience.c   is it better to switch early or late?
 *
 * Costs are in grains: cycles >> step_shift.
 */
#ifndef DAV2M_REGRET_H
#define DAV2M_REGRET_H

#include "core.h"
#include "regret_rule.h"

/* The ratio of walk costs, and that of a tick's work to window_inst, are in 1/256. */
#define RATIO_BITS 8
#define RATIO_ONE  (1u << RATIO_BITS)

#define UNSEEN UINT16_MAX

/* Why the mode was or is to be changed. */
enum { KNOWN_BETTER = 0, UNSEEN_PHASE, DOUBTED };

/* What a tick came to. */
struct dav2m_tick {
	uint64_t walks;	  /* TLB misses, or what stands for them */
	uint32_t cycles;  /* all of them; from here on in grains */
	uint32_t walk;	  /* of these, page walks */
	uint32_t exits;	  /* and paging exits, */
	uint32_t cost;	  /* together; */
	uint32_t other;	  /* and what it would have cost in the other mode, */
	uint32_t saved;	  /* and have saved there without exits, where they are unknown */
	uint32_t ratio;	  /* of work to window_inst, in 1/256 */
	uint32_t flushed; /* TLB flushes */
	uint8_t misses;	  /* the signature: misses and flushes */
	uint8_t flushes;
};

static inline uint32_t least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

static inline uint32_t most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static inline uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

static inline uint32_t bounded(int64_t value, uint32_t low, uint32_t high)
{
	if (value < (int64_t)low)
		return low;
	return value > (int64_t)high ? high : (uint32_t)value;
}

/* Between -limit and limit. */
static inline int32_t within(int64_t value, uint32_t limit)
{
	if (value > (int64_t)limit)
		return (int32_t)limit;
	return value < -(int64_t)limit ? -(int32_t)limit : (int32_t)value;
}

static inline int32_t add(int32_t sum, int64_t more)
{
	return within(sum + more, INT32_MAX);
}

static inline uint32_t part_bp(uint32_t value, uint32_t bp)
{
	return least(dav2m_share(value, bp), UINT32_MAX);
}

/* Floating-point numbers of 11 + 5 bits, to within 1/1024; packing keeps the order. */
static inline uint16_t pack(uint32_t value)
{
	unsigned int shift = value >> 11 ? 21 - (unsigned int)__builtin_clz(value) : 0;

	return (uint16_t)(shift << 11 | value >> shift);
}

static inline uint32_t unpack(uint16_t packed)
{
	return (uint32_t)(packed & 0x7ff) << (packed >> 11);
}

static inline unsigned int log2_floor(uint64_t value)
{
	return 63 - (unsigned int)__builtin_clzll(value);
}

static inline int knows(const struct dav2m *ctl, enum dav2m_counter counter)
{
	return (ctl->meter.known & DAV2M_BIT(counter)) != 0;
}

/* A rate's share of a tick that is not a whole one, or more. */
static inline uint32_t in_tick(uint32_t rate, uint32_t ratio)
{
	return least((uint64_t)rate * ratio >> RATIO_BITS, UINT32_MAX);
}

/* A round trip, both transients included. */
static inline uint32_t round_trip(const struct dav2m_regret *r)
{
	return unpack(r->trip[DAV2M_SHADOW]) + unpack(r->trip[DAV2M_NESTED]);
}

/* The same with what it costs to find out that a mode has turned bad, which no policy is spared
   that sees a tick when it is over. */
static inline uint32_t whole_trip(const struct dav2m_regret *r)
{
	return round_trip(r) + 2 * unpack(r->found);
}

/* What the walks of a tick in one mode would cost in the other. */
static inline uint32_t walk_elsewhere(const struct dav2m_regret *r, uint32_t walk)
{
	if (r->mode == DAV2M_SHADOW)
		return least((uint64_t)walk * r->walk_ratio >> RATIO_BITS, UINT32_MAX);
	/* In 32 bits, for the sake of machines that divide no more; the ratio is at least 1. */
	return walk >> (32 - RATIO_BITS) ? walk / r->walk_ratio << RATIO_BITS
					 : (walk << RATIO_BITS) / r->walk_ratio;
}

/* regret_measure.c */

/* The next tick is measured from here. */
void dav2m_regret_mark(struct dav2m *ctl);
/* What the exits since the mark have cost. */
uint32_t dav2m_regret_exit_cost(const struct dav2m *ctl);
/* The tick that is over, or as far as it has come; other and saved are not filled in. */
void dav2m_regret_measure(const struct dav2m *ctl, struct dav2m_tick *ret_tick);

/* regret_phases.c */

/* The phase of the tick becomes the current one. */
void dav2m_regret_find_phase(struct dav2m *ctl, const struct dav2m_tick *tick);
/* The current phase's exits, from a whole tick or more under shadow paging. */
void dav2m_regret_remember(struct dav2m_regret *r, const struct dav2m_tick *tick);
/* Nested paging has begun to run. Its guest is in the phase that shadow paging was left in, unless
   that flushed at another rate or missed less: each exit flushes, so that the same phase misses no
   more under nested paging, but it may miss much less. */
void dav2m_regret_inherit(struct dav2m_regret *r);
/* The same from a part of a tick, which is all that there will be. */
void dav2m_regret_remember_part(struct dav2m_regret *r, const struct dav2m_tick *tick);
/* What exits cost in the phase whose signature is nearest, packed; UNSEEN: none has been seen. */
uint16_t dav2m_regret_nearest_exits(const struct dav2m_regret *r, const struct dav2m_tick *tick);

/* regret_calibrate.c */

/* Before anything has been measured. */
void dav2m_regret_assume(struct dav2m *ctl);
/* A switch to that mode is made, and the VMM may have told what it cost. */
void dav2m_regret_weigh_switch(struct dav2m *ctl, enum dav2m_mode to);
/* The first settled tick after a switch. */
void dav2m_regret_arrive(struct dav2m *ctl, const struct dav2m_tick *tick);
/* The last tick before one. */
void dav2m_regret_depart(struct dav2m_regret *r, const struct dav2m_tick *tick);
/* A tick under shadow paging. */
void dav2m_regret_calibrate_exits(struct dav2m *ctl, const struct dav2m_tick *tick);

/* regret_doubt.c */

/* Doubts by what could be saved; answers 1 when that is worth a probe. */
int dav2m_regret_doubts(struct dav2m_regret *r, uint32_t saved);
/* A probe begins out of doubt: from here on it is known by the ticks that it took. */
void dav2m_regret_probe_doubt(struct dav2m_regret *r);
/* A probe out of doubt failed. */
void dav2m_regret_doubt_was_wrong(struct dav2m_regret *r);
/* A probe out of doubt was kept, and the stay was worth its switches. */
void dav2m_regret_doubt_was_right(struct dav2m_regret *r);

/* regret_patience.c */

/* The regret at which the mode is left, and the most that this can be. */
uint32_t dav2m_regret_limit(const struct dav2m_regret *r);
uint32_t dav2m_regret_most(const struct dav2m_regret *r);
/* A stay begins, or its switch has shown what it cost: draws how much regret ends it. */
void dav2m_regret_draw(struct dav2m *ctl);
/* Plays the tick, both costs known, with either limit. */
void dav2m_regret_play(struct dav2m *ctl, const struct dav2m_tick *tick);

#endif
