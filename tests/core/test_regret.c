/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regret judge as a VMM meets it: what it loses on traces with known answers, with which
 * counters, what probing costs it, and what it makes of switches, pins and storms.
 */
#include <stdio.h>

#include "phases.h"
#include "rig.h"

#define WALKS	   (DAV2M_BIT(DAV2M_WALK_CYCLES) | DAV2M_BIT(DAV2M_TLB_MISSES))
#define EXITS	   (DAV2M_BIT(DAV2M_PAGING_EXITS) | DAV2M_BIT(DAV2M_PAGING_EXIT_CYCLES))
#define WORK	   (DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES))
#define ROUND_TRIP (PHASES_TO_NESTED_CYCLES + PHASES_TO_SHADOW_CYCLES)

/* A VMM that runs a recording. */
struct vmm {
	struct dav2m ctl;
	struct dav2m_sample counters;
	struct dav2m_decision last;
	struct dav2m_sample *tick[DAV2M_MODES];
	size_t ticks;
	enum dav2m_mode mode;
	uint32_t has; /* counters */
	int told;     /* tells what a switch costs */
	uint64_t cycles;
	uint32_t switches;
};

static struct dav2m_config bounded(void)
{
	struct dav2m_config config = {.size = sizeof(config)};

	ck_assert_int_eq(dav2m_config_preset(DAV2M_PRESET_BOUNDED, &config), 0);
	return config;
}

static void vmm_begin(struct vmm *vmm, const struct phases *phases, enum dav2m_mode mode,
		      uint32_t has)
{
	struct dav2m_config config = bounded();

	*vmm = (struct vmm){.ticks = phases->ticks, .mode = mode, .has = has, .told = 1};
	for (int m = 0; m < DAV2M_MODES; m++)
		vmm->tick[m] = calloc(phases->ticks, sizeof(*vmm->tick[m]));
	ck_assert(vmm->tick[0] && vmm->tick[1]);
	phases_fill(phases, 200, 1, vmm->tick[DAV2M_SHADOW], vmm->tick[DAV2M_NESTED]);
	ck_assert_int_eq(dav2m_init(&vmm->ctl, &config, mode), 0);
	vmm->counters.valid = has;
	ck_assert_int_eq(dav2m_sample(&vmm->ctl, &vmm->counters, &vmm->last), 0);
}

static void vmm_end(struct vmm *vmm)
{
	free(vmm->tick[0]);
	free(vmm->tick[1]);
}

static struct dav2m_regret_view view(const struct vmm *vmm)
{
	struct dav2m_explanation now;

	rig_must(dav2m_explain(&vmm->ctl, &now) == 0);
	return now.regret;
}

static void vmm_switch(struct vmm *vmm)
{
	uint64_t cost =
		vmm->last.mode == DAV2M_NESTED ? PHASES_TO_NESTED_CYCLES : PHASES_TO_SHADOW_CYCLES;

	vmm->mode = vmm->last.mode;
	vmm->cycles += cost;
	vmm->counters.value[DAV2M_CYCLES] += cost;
	vmm->switches++;
	rig_must(dav2m_acknowledge(&vmm->ctl, DAV2M_DONE, vmm->told ? cost : 0) == 0);
}

static void vmm_tick(struct vmm *vmm, size_t i)
{
	const struct dav2m_sample *did = &vmm->tick[vmm->mode][i];

	for (int c = 0; c < DAV2M_COUNTERS; c++)
		vmm->counters.value[c] += did->value[c];
	vmm->cycles += did->value[DAV2M_CYCLES];
	if (!(vmm->has & DAV2M_BIT(DAV2M_PAGING_EXITS)))
		(void)dav2m_paging_exits(&vmm->ctl, (uint32_t)did->value[DAV2M_PAGING_EXITS]);
	rig_must(dav2m_sample(&vmm->ctl, &vmm->counters, &vmm->last) == 0);
}

/* Runs the ticks [from, to). */
static void vmm_run(struct vmm *vmm, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		vmm_tick(vmm, i);
		if (vmm->last.action == DAV2M_SWITCH)
			vmm_switch(vmm);
	}
}

static uint64_t hindsight(const struct vmm *vmm)
{
	uint64_t best[DAV2M_MODES] = {0, 0};

	for (size_t i = 0; i < vmm->ticks; i++) {
		uint64_t shadow = best[0], nested = best[1];

		if (i && nested + PHASES_TO_SHADOW_CYCLES < shadow)
			best[0] = nested + PHASES_TO_SHADOW_CYCLES;
		if (i && shadow + PHASES_TO_NESTED_CYCLES < nested)
			best[1] = shadow + PHASES_TO_NESTED_CYCLES;
		best[0] += vmm->tick[0][i].value[DAV2M_CYCLES];
		best[1] += vmm->tick[1][i].value[DAV2M_CYCLES];
	}
	return best[0] < best[1] ? best[0] : best[1];
}

static uint64_t over_hindsight_bp(const struct vmm *vmm)
{
	uint64_t best = hindsight(vmm);

	return (vmm->cycles - best) * DAV2M_ONE_BP / best;
}

/* Counters that a VMM may have. */
static const uint32_t sights[] = {
	DAV2M_ALL_COUNTERS,
	DAV2M_ALL_COUNTERS & ~DAV2M_BIT(DAV2M_WALK_CYCLES),
	WORK | DAV2M_BIT(DAV2M_TLB_MISSES) | DAV2M_BIT(DAV2M_PAGING_EXITS),
	WORK | WALKS | EXITS,
	WORK | WALKS, /* the exits are counted on the exit path */
};
#define SIGHTS ((int)(sizeof(sights) / sizeof(sights[0])))

/* On every trace at most 3 % over hindsight, in the mean 1 %; preset default has 5.7 and 2.4. */
#define MOST_BP 300
#define MEAN_BP 100

/* All traces, from either mode, with what a PMU may lack; and the probes within their share and
   the two that the budget begins with. */
START_TEST(little_is_lost)
{
	uint64_t sum = 0;

	for (size_t t = 0; t < phases_table_size; t++) {
		struct vmm vmm;
		uint64_t over;

		vmm_begin(&vmm, &phases_table[t], (enum dav2m_mode)(_i % DAV2M_MODES),
			  sights[_i / DAV2M_MODES]);
		vmm_run(&vmm, 0, vmm.ticks);
		over = over_hindsight_bp(&vmm);
		sum += over;
		ck_assert_msg(over <= MOST_BP, "%s: %llu bp over hindsight, %u switches",
			      phases_table[t].name, (unsigned long long)over, vmm.switches);
		ck_assert_uint_le(view(&vmm).probing_cycles,
				  vmm.cycles / 256 + 4 * (uint64_t)ROUND_TRIP);
		vmm_end(&vmm);
	}
	ck_assert_uint_le(sum / phases_table_size, MEAN_BP);
}
END_TEST

START_TEST(a_round_trip_is_measured)
{
	struct vmm vmm;

	vmm_begin(&vmm, phases_find("gcc-long"), DAV2M_SHADOW, DAV2M_ALL_COUNTERS);
	vmm.told = _i;
	vmm_run(&vmm, 0, vmm.ticks);
	ck_assert_uint_gt(view(&vmm).round_trip_cycles, ROUND_TRIP * 9u / 10);
	ck_assert_uint_lt(view(&vmm).round_trip_cycles, ROUND_TRIP * 11u / 10);
	/* 15 cycles a walk, and 55 or 75, in the recording. */
	ck_assert_uint_ge(view(&vmm).walk_ratio_bp, 36000);
	ck_assert_uint_le(view(&vmm).walk_ratio_bp, 51000);
	ck_assert_uint_ge(view(&vmm).exit_cycles, 3900);
	ck_assert_uint_le(view(&vmm).exit_cycles, 4100);
	vmm_end(&vmm);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("regret");

	tcase_set_timeout(tests, 600);
	tcase_add_loop_test(tests, little_is_lost, 0, SIGHTS * DAV2M_MODES);
	tcase_add_loop_test(tests, a_round_trip_is_measured, 1, 2);
	return rig_main("regret", tests);
}
