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
 * Costs are in grains: cycles >> step_shift. What each tick has to ask, and mostly has answered in
 * a few instructions, is inline here; what follows from another answer is in the files.
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

/* What a probe may lose doubles with the probes that failed before it up to 2^6 times: 16 round
   trips and more than any transient. */
#define MOST_LOSSES 6

/* What a tick came to. */
struct dav2m_tick {
	uint64_t walks;	  /* TLB misses, or what stands for them */
	uint32_t cycles;  /* all of them; from here on in grains */
	uint32_t walk;	  /* of these, page walks */
	uint32_t exits;	  /* and paging exits, */
	uint32_t cost;	  /* together; */
	uint32_t other;	  /* and what it would have cost in the other mode, */
	uint32_t saved;	  /* and have saved there if what is not counted were nothing: exits; under
			     shadow paging, what walks would be dearer */
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

/* At most `reach` apart; 2 x reach < 2^32. */
static inline int near(uint32_t a, uint32_t b, uint32_t reach)
{
	return a - b + reach <= 2 * reach;
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

/* Of no 0. Compilers know 31 - clz as one instruction when it is written like this. */
static inline unsigned int log2_floor(uint32_t value)
{
	return 31 ^ (unsigned int)__builtin_clz(value);
}

/* Floating-point numbers of 11 + 5 bits, to within 1/1024; packing keeps the order. */
static inline uint16_t pack(uint32_t value)
{
	unsigned int shift = log2_floor(value >> 10 | 1);

	return (uint16_t)(shift << 11 | value >> shift);
}

static inline uint32_t unpack(uint16_t packed)
{
	return (uint32_t)(packed & 0x7ff) << (packed >> 11);
}

static inline int knows(const struct dav2m *ctl, enum dav2m_counter counter)
{
	return (int)(ctl->meter.known & DAV2M_BIT(counter));
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
static inline void dav2m_regret_mark(struct dav2m *ctl)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	const uint64_t *total = ctl->meter.total;

	r->from_walk = (uint32_t)(total[DAV2M_WALK_CYCLES] >> ctl->step_shift);
	r->from_exits = (uint32_t)(total[DAV2M_PAGING_EXIT_CYCLES] >> ctl->step_shift);
	r->from_flushes = (uint32_t)total[DAV2M_TLB_FLUSHES];
}

static inline uint32_t counted(const struct dav2m *ctl, enum dav2m_counter counter, uint32_t from)
{
	return (uint32_t)(ctl->meter.total[counter] >> ctl->step_shift) - from;
}

/* What a number of exits costs where nobody has counted their cycles. */
static inline uint32_t exit_price(const struct dav2m *ctl, uint32_t exits)
{
	return least((uint64_t)exits * ctl->judge.regret.exit_cycles >> ctl->step_shift,
		     UINT32_MAX);
}

/* What the exits since the mark have cost. */
static inline uint32_t dav2m_regret_exit_cost(const struct dav2m *ctl)
{
	const struct dav2m_regret *r = &ctl->judge.regret;

	if (r->mode == DAV2M_NESTED)
		return 0;
	if (knows(ctl, DAV2M_PAGING_EXIT_CYCLES))
		return counted(ctl, DAV2M_PAGING_EXIT_CYCLES, r->from_exits);
	return exit_price(ctl, ctl->exits);
}

/* The tick that is over, or as far as it has come; other and saved are not filled in. */
void dav2m_regret_measure(const struct dav2m *ctl, struct dav2m_tick *ret_tick);

/* regret_phases.c */

/* Signatures as far apart as this are one phase: half an octave of TLB misses, an octave of
   flushes. Noise of 10 % is 1/8 octave, and phases that matter differ by more. */
#define SAME_MISSES  4
#define SAME_FLUSHES 8

static inline int dav2m_regret_alike(const struct dav2m_phase *phase, const struct dav2m_tick *tick)
{
	return near(phase->misses, tick->misses, SAME_MISSES) &&
	       near(phase->flushes, tick->flushes, SAME_FLUSHES);
}

/* The phase of the tick is not the current one. */
void dav2m_regret_change_phase(struct dav2m *ctl, const struct dav2m_tick *tick);
/* The phase of the tick becomes the current one. */
static inline void dav2m_regret_find_phase(struct dav2m *ctl, const struct dav2m_tick *tick)
{
	const struct dav2m_regret *r = &ctl->judge.regret;

	if (r->phases == 0 || !dav2m_regret_alike(&r->phase[r->current], tick))
		dav2m_regret_change_phase(ctl, tick);
}
/* What a part of a tick, or a late sample's, comes to in a whole one. */
uint32_t dav2m_regret_whole(uint32_t cost, uint32_t ratio);
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
/* There were exits, and their cycles have been counted. */
void dav2m_regret_price_exits(struct dav2m *ctl, const struct dav2m_tick *tick);
/* A tick under shadow paging. */
static inline void dav2m_regret_calibrate_exits(struct dav2m *ctl, const struct dav2m_tick *tick)
{
	if (knows(ctl, DAV2M_PAGING_EXIT_CYCLES) && ctl->exits)
		dav2m_regret_price_exits(ctl, tick);
}

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

/* Two limits; see the file. */
enum { EARLY = 0, LATE };

/* The regret at which the mode is left, and the most that this can be. */
static inline uint32_t dav2m_regret_limit(const struct dav2m_regret *r)
{
	return unpack(r->limit[r->late_gain > 0 ? LATE : EARLY]);
}

static inline uint32_t dav2m_regret_most(const struct dav2m_regret *r)
{
	return unpack((uint16_t)most(r->limit[EARLY], r->limit[LATE]));
}

/* A stay begins, or its switch has shown what it cost: draws how much regret ends it. */
void dav2m_regret_draw(struct dav2m *ctl);
/* The rule with either limit is under way: one of them may do something. */
void dav2m_regret_play_both(struct dav2m *ctl, const struct dav2m_tick *tick);
/* Plays the tick, both costs known, with either limit. */
static inline void dav2m_regret_play(struct dav2m *ctl, const struct dav2m_tick *tick)
{
	const struct dav2m_regret *r = &ctl->judge.regret;

	/* Both do what is done, and go on: they cost the same. */
	if (tick->cost <= tick->other && r->played_mode[EARLY] == r->mode &&
	    r->played_mode[LATE] == r->mode &&
	    !(r->played[EARLY] | r->played[LATE] | r->played_settling[EARLY] |
	      r->played_settling[LATE]))
		return;
	dav2m_regret_play_both(ctl, tick);
}

#endif
