/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of the regret judge one by one, and the judge on numbers that a test can be checked by:
 * a tick is RIG_TICK cycles and a grain is one cycle, so that nothing is rounded below 2048.
 */
#ifndef DAV2M_TESTS_CORE_REGRET_RIG_H
#define DAV2M_TESTS_CORE_REGRET_RIG_H

#include "regret.h"
#include "rig.h"

/* The price of a round trip before any has been made: two switches of a tick and a grain. */
#define REGRET_TRIP 2002

/* A controller that has just begun and is said to follow these counters. */
static inline struct dav2m regret_ctl(enum dav2m_mode mode, uint32_t known)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_BOUNDED);
	struct dav2m ctl;

	ck_assert_int_eq(dav2m_init(&ctl, &config, mode), 0);
	ctl.meter.known = (uint8_t)known;
	return ctl;
}

/* A tick that takes this long, of which walks and exits take a part. */
static inline struct dav2m_tick regret_tick(uint32_t cycles, uint32_t walks, uint32_t walk,
					    uint32_t exits)
{
	return (struct dav2m_tick){
		.walks = walks,
		.cycles = cycles,
		.walk = walk,
		.exits = exits,
		.cost = walk + exits,
		.ratio = RATIO_ONE,
	};
}

#endif
