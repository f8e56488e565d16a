/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a tick cost in the mode that ran, in grains, and the signature of its phase: the rate of TLB
 * misses and that of TLB flushes, in eighths of an octave.
 */
#include "regret.h"

/* A walk that no counter tells of is taken to come once in this much work; with the default costs
   nested paging is then held to cost 4 % (inferred: the middle of what DAV2M's figure 1 shows). */
#define WORK_PER_WALK_BITS 10

/* Rates below window_inst >> this tell nothing: so few misses cost 0.1 % of a tick, so few flushes
   exit as often as the noise. */
#define FEW_MISSES_BITS	 16
#define FEW_FLUSHES_BITS 20

/* In eighths of an octave; value > 7. */
static uint32_t octaves(uint64_t value)
{
	unsigned int shift = (63 ^ (unsigned int)__builtin_clzll(value)) - 3;

	/* What the shift leaves of it is 8 to 15 eighths. */
	return (shift + 2) * 8 + (unsigned int)(value >> shift);
}

/* A tick that a late sample overran is not a tick's work, nor is one that has not ended. */
static DAV2M_RARE uint32_t odd_ratio(uint64_t progress, uint32_t window_inst)
{
	while (progress >> 24) {
		progress >>= 1;
		window_inst >>= 1;
	}
	return bounded((int64_t)((uint32_t)progress * RATIO_ONE / (window_inst | 1)), 1, 65536);
}

static uint32_t ratio_of(const struct dav2m *ctl, uint64_t progress)
{
	const uint32_t window_inst = ctl->config.window_inst;

	/* Also false for less than a tick's work, where the difference wraps. */
	if (!knows(ctl, DAV2M_PROGRESS) || progress - window_inst <= window_inst / 8)
		return RATIO_ONE;
	return odd_ratio(progress, window_inst);
}

/* A rate in eighths of an octave, what is too little to tell anything left in the dark. */
static inline uint8_t rate_octaves(uint64_t count, uint32_t few, uint32_t ratio)
{
	uint32_t rate;

	if (ratio == RATIO_ONE)
		return (uint8_t)least(octaves(count + few + 8), UINT8_MAX);
	rate = octaves(count + in_tick(few, ratio) + 8) + 8 * RATIO_BITS;
	return (uint8_t)bounded((int64_t)rate - octaves(most(ratio, 8)), 0, UINT8_MAX);
}

/* What a number of walks costs where no counter tells. */
static uint32_t walk_cost(const struct dav2m *ctl, uint64_t walks)
{
	const struct dav2m_regret *r = &ctl->judge.regret;
	uint64_t shadow = walks * ctl->config.shadow_walk_cycles >> ctl->step_shift;

	if (r->mode == DAV2M_NESTED)
		shadow = least(shadow, UINT32_MAX) * (uint64_t)r->walk_ratio >> RATIO_BITS;
	return least(shadow, UINT32_MAX);
}

/* Where nobody counts TLB misses they are taken to come with the work, or with time. */
static uint64_t walks_of_work(const struct dav2m *ctl, uint64_t progress)
{
	if (!knows(ctl, DAV2M_PROGRESS))
		progress = ctl->config.window_inst;
	return progress >> WORK_PER_WALK_BITS;
}

void dav2m_regret_measure(const struct dav2m *ctl, struct dav2m_tick *ret_tick)
{
	const struct dav2m_regret *r = &ctl->judge.regret;
	const uint32_t window_inst = ctl->config.window_inst;
	uint64_t progress = dav2m_window_progress(ctl);
	struct dav2m_tick *tick = ret_tick;

	tick->ratio = ratio_of(ctl, progress);
	tick->walks = knows(ctl, DAV2M_TLB_MISSES) ? dav2m_window_tlb_misses(ctl)
						   : walks_of_work(ctl, progress);
	tick->cycles = least(dav2m_window_cycles(ctl) >> ctl->step_shift, UINT32_MAX);
	tick->walk = knows(ctl, DAV2M_WALK_CYCLES) ? counted(ctl, DAV2M_WALK_CYCLES, r->from_walk)
						   : walk_cost(ctl, tick->walks);
	tick->exits = dav2m_regret_exit_cost(ctl);
	tick->cost = dav2m_regret_sum(tick->walk, tick->exits);
	tick->flushed = (uint32_t)ctl->meter.total[DAV2M_TLB_FLUSHES] - r->from_flushes;
	tick->misses = rate_octaves(tick->walks, window_inst >> FEW_MISSES_BITS, tick->ratio);
	tick->flushes = rate_octaves(tick->flushed, window_inst >> FEW_FLUSHES_BITS, tick->ratio);
}
