/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stays and probes under the regret judge, on round numbers: nested paging's walks cost three times
 * as much as shadow paging's, a round trip costs REGRET_TRIP until something else is measured, and
 * a probe may lose a quarter of one.
 */
#ifndef DAV2M_TESTS_CORE_REGRET_STAYS_H
#define DAV2M_TESTS_CORE_REGRET_STAYS_H

#include "regret_rig.h"

#define LOSS   (REGRET_TRIP / 4)
#define MISSES 100u  /* of a phase */
#define OTHERS 5000u /* of another */
#define SHADOW 300u  /* what the walks of either cost in a tick ... */
#define NESTED 900u  /* ... so that it is regretted for good in three of them */

static struct rig rig;
static struct dav2m_regret *const r = &rig.ctl.judge.regret;

static inline void begin_with(enum dav2m_mode mode, uint32_t share_bp, uint32_t settle)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_BOUNDED);

	config.probe_share_bp = (uint16_t)share_bp;
	config.window_settle = (uint16_t)settle;
	rig_begin_with(&rig, &config, mode, DAV2M_ALL_COUNTERS);
	/* Shadow tables have been filled before: the first time has more patience. */
	r->filled = 1;
}

static inline void begin(enum dav2m_mode mode)
{
	begin_with(mode, 0, 1);
}

/* Some work, its walks and its exits, in cycles. */
static inline enum dav2m_reason part(uint32_t progress, uint32_t misses, uint32_t walk,
				     uint32_t exits)
{
	rig.counters.value[DAV2M_WALK_CYCLES] += walk;
	rig.counters.value[DAV2M_PAGING_EXIT_CYCLES] += exits;
	return rig_work(&rig, progress, (uint64_t)progress + walk + exits, misses, 0);
}

static inline enum dav2m_reason phase(uint32_t misses, uint32_t walk, uint32_t exits)
{
	return part(RIG_TICK, misses, walk, exits);
}

static inline enum dav2m_reason tick(uint32_t walk, uint32_t exits)
{
	return phase(MISSES, walk, exits);
}

/* In the middle of a tick. */
static inline enum dav2m_reason storm(uint32_t exits)
{
	return part(10, 1, 0, exits);
}

static inline struct dav2m_regret_view view(void)
{
	return rig_explain(&rig).regret;
}

/* The switch that was asked for is made. */
static inline void done(void)
{
	rig_done(&rig);
	rig.last.action = DAV2M_STAY;
}

/* Until the mode is left, for a state that is not settled yet. */
static inline void leave_for(enum dav2m_state state, uint32_t walk, uint32_t exits)
{
	for (int i = 0; rig.last.action != DAV2M_SWITCH; i++) {
		ck_assert_int_lt(i, 20);
		(void)tick(walk, exits);
	}
	done();
	rig_expect_state(&rig, state);
}

/* Into a probe of shadow paging in a phase that it has not seen. */
static inline void probe(void)
{
	leave_for(DAV2M_STATE_PRESHADOW, NESTED, 0);
	ck_assert(r->probing);
	ck_assert(!r->doubted);
}

static inline void settled_probe(void)
{
	probe();
	rig_expect_reason(tick(SHADOW, 0), DAV2M_SETTLING);
}

/* To the other mode by the caller's will. */
static inline void move(enum dav2m_pin pin)
{
	ck_assert_int_eq(dav2m_pin(&rig.ctl, pin), 0);
	(void)part(10, 1, 0, 0);
	ck_assert_int_eq(rig.last.action, DAV2M_SWITCH);
	done();
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_NONE), 0);
}

#endif
