/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two rules that docs/bound.md proves things about, and nothing else: when regret says to leave
 * a mode, and what probing may cost. Where the costs come from is regret.c's business.
 *
 * Costs are in grains: cycles shifted right so that a tick's fit 32 bits many times over.
 *
 * Source of the first: the work-function algorithm of the two-state metrical task system (Borodin,
 * Linial, Saks, JACM 1992), which for two states is this sum.
 */
#ifndef DAV2M_REGRET_RULE_H
#define DAV2M_REGRET_RULE_H

#include <dav2m/base.h>

/* a + b, saturating. */
static inline uint32_t dav2m_regret_sum(uint32_t a, uint32_t b)
{
	uint32_t sum = a + b;

	return sum < a ? UINT32_MAX : sum;
}

/* max(0, regret + cost - other), saturating. */
static inline uint32_t dav2m_regret_add(uint32_t regret, uint32_t cost, uint32_t other)
{
	if (cost >= other)
		return dav2m_regret_sum(regret, cost - other);
	return regret > other - cost ? regret - (other - cost) : 0;
}

/* The mode is to be left; the regret of the next one begins at 0. */
static inline int dav2m_regret_due(uint32_t regret, uint32_t limit)
{
	return regret >= limit;
}

/* value x bp / 10000, rounded down; bp < 2^16. */
static inline uint64_t dav2m_share(uint32_t value, uint32_t bp)
{
	/* 53687 / 2^29 = 1 / 10000, rounded down; 2^16 x 53687 < 2^32 */
	return (uint64_t)value * (bp * 53687u) >> 29;
}

/* Probing may begin while the budget is not in debt; a probe that costs more than is left puts it
   there, and no more than that one probe. */
static inline int32_t dav2m_budget_earn(int32_t budget, uint32_t cost, uint32_t share_bp)
{
	int64_t sum = budget + (int64_t)dav2m_share(cost, share_bp);

	return sum > INT32_MAX ? INT32_MAX : (int32_t)sum;
}

/* What has been earned counts up to `most`, so that a long calm buys no storm of probes. */
static inline int32_t dav2m_budget_spend(int32_t budget, uint32_t cost, uint32_t most)
{
	int64_t left = (int64_t)(budget > (int64_t)most ? (int64_t)most : budget) - cost;

	return left < INT32_MIN ? INT32_MIN : (int32_t)left;
}

#endif
