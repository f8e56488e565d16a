/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VMM under the regret judge: it makes each switch that it is asked for, at the cost that the
 * lists of phases have, and its guest works tick by tick as a test says.
 */
#ifndef DAV2M_TESTS_CORE_REGRET_VMM_H
#define DAV2M_TESTS_CORE_REGRET_VMM_H

#include "phases.h"
#include "rig.h"

#define WALKS	   (DAV2M_BIT(DAV2M_WALK_CYCLES) | DAV2M_BIT(DAV2M_TLB_MISSES))
#define EXITS	   (DAV2M_BIT(DAV2M_PAGING_EXITS) | DAV2M_BIT(DAV2M_PAGING_EXIT_CYCLES))
#define WORK	   (DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES))
#define ROUND_TRIP (PHASES_TO_NESTED_CYCLES + PHASES_TO_SHADOW_CYCLES)

/* Its ticks are those of a recording, or by hand. */
struct vmm {
	struct dav2m ctl;
	struct dav2m_sample counters;
	struct dav2m_decision last;
	struct dav2m_sample *tick[DAV2M_MODES];
	size_t ticks;
	enum dav2m_mode mode;
	uint32_t has; /* counters */
	int told;     /* tells what a switch costs */
	int defers;   /* makes no switch */
	uint32_t asked;
	uint64_t cycles;
	uint32_t switches;
};

static inline struct dav2m_config bounded(void)
{
	struct dav2m_config config = {.size = sizeof(config)};

	ck_assert_int_eq(dav2m_config_preset(DAV2M_PRESET_BOUNDED, &config), 0);
	return config;
}

/* The same with ticks as long as those of the lists, for numbers that can be checked by hand. */
static inline struct dav2m_config bounded_long(void)
{
	struct dav2m_config config = bounded();

	config.round_trip_ticks = (uint8_t)((uint64_t)config.round_trip_ticks * config.window_inst /
					    PHASES_TICK_PROGRESS);
	config.window_inst = PHASES_TICK_PROGRESS;
	return config;
}

static inline struct dav2m_regret_view view(const struct vmm *vmm)
{
	struct dav2m_explanation now;

	rig_must(dav2m_explain(&vmm->ctl, &now) == 0);
	return now.regret;
}

static inline void vmm_switch(struct vmm *vmm)
{
	uint64_t cost =
		vmm->last.mode == DAV2M_NESTED ? PHASES_TO_NESTED_CYCLES : PHASES_TO_SHADOW_CYCLES;

	vmm->asked++;
	if (vmm->defers) {
		rig_must(dav2m_acknowledge(&vmm->ctl, DAV2M_DEFERRED, 0) == 0);
		return;
	}
	vmm->mode = vmm->last.mode;
	vmm->cycles += cost;
	vmm->counters.value[DAV2M_CYCLES] += cost;
	vmm->switches++;
	rig_must(dav2m_acknowledge(&vmm->ctl, DAV2M_DONE, vmm->told ? cost : 0) == 0);
}

/* A tick by hand. */
struct work {
	uint64_t cycles;
	uint64_t misses;
	uint64_t walk_cycles;
	uint64_t exits;
};

static inline void work(struct vmm *vmm, uint64_t progress, struct work work)
{
	uint64_t *value = vmm->counters.value;

	value[DAV2M_PROGRESS] += progress;
	value[DAV2M_CYCLES] += work.cycles;
	value[DAV2M_TLB_MISSES] += work.misses;
	value[DAV2M_WALK_CYCLES] += work.walk_cycles;
	value[DAV2M_PAGING_EXITS] += work.exits;
	value[DAV2M_PAGING_EXIT_CYCLES] += work.exits * 4000;
	(void)dav2m_paging_exits(&vmm->ctl, (uint32_t)work.exits);
	rig_must(dav2m_sample(&vmm->ctl, &vmm->counters, &vmm->last) == 0);
	if (vmm->last.action == DAV2M_SWITCH)
		vmm_switch(vmm);
}

/* The same in either mode for some ticks, or until the mode is the wanted one. */
static inline void work_until(struct vmm *vmm, enum dav2m_mode wanted, struct work shadow,
			      struct work nested)
{
	for (int i = 0; i < 400 && vmm->mode != wanted; i++)
		work(vmm, PHASES_TICK_PROGRESS, vmm->mode == DAV2M_SHADOW ? shadow : nested);
	ck_assert_int_eq(vmm->mode, wanted);
}

static inline void by_hand(struct vmm *vmm, enum dav2m_mode mode, uint32_t has, uint32_t share_bp)
{
	struct dav2m_config config = bounded_long();

	config.probe_share_bp = (uint16_t)share_bp;
	*vmm = (struct vmm){.mode = mode, .has = has, .told = 1};
	ck_assert_int_eq(dav2m_init(&vmm->ctl, &config, mode), 0);
	/* Shadow tables have been filled before: the first time has more patience. */
	vmm->ctl.judge.regret.filled = 1;
	vmm->counters.valid = has;
	ck_assert_int_eq(dav2m_sample(&vmm->ctl, &vmm->counters, &vmm->last), 0);
}

static const struct work calm = {100000000, 1000, 15000, 0};
static const struct work missing = {160000000, 1000000, 75000000, 0};
static const struct work missing_less = {115000000, 1000000, 15000000, 0};
static const struct work exiting_some = {140000000, 1000000, 15000000, 10000};
static const struct work exiting = {220000000, 1000000, 15000000, 30000};

#endif
