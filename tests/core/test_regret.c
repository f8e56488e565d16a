/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regret judge as a VMM meets it: what it loses on traces with known answers, with which
 * counters, what probing costs it, and what it makes of switches and pins.
 */
#include "regret_vmm.h"

static void vmm_begin(struct vmm *vmm, const struct phases *phases, enum dav2m_mode mode,
		      uint32_t has)
{
	struct dav2m_config config = bounded();
	const size_t rows = PHASES_TICK_PROGRESS / config.window_inst;

	*vmm = (struct vmm){.ticks = phases->ticks * rows, .mode = mode, .has = has, .told = 1};
	for (int m = 0; m < DAV2M_MODES; m++)
		vmm->tick[m] = calloc(vmm->ticks, sizeof(*vmm->tick[m]));
	ck_assert(vmm->tick[0] && vmm->tick[1]);
	phases_fill(phases, 200, 1, vmm->tick[DAV2M_SHADOW], vmm->tick[DAV2M_NESTED]);
	phases_cut(vmm->tick[DAV2M_SHADOW], phases->ticks, rows);
	phases_cut(vmm->tick[DAV2M_NESTED], phases->ticks, rows);
	ck_assert_int_eq(dav2m_init(&vmm->ctl, &config, mode), 0);
	vmm->counters.valid = has;
	ck_assert_int_eq(dav2m_sample(&vmm->ctl, &vmm->counters, &vmm->last), 0);
}

static void vmm_end(struct vmm *vmm)
{
	free(vmm->tick[0]);
	free(vmm->tick[1]);
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

	if (best == 0) /* a trace of nothing */
		return 0;
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

/* On every trace at most 3 % over hindsight, in the mean 1 %; preset repaired has 5.7 and 2.4. */
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
	ck_assert_uint_le(sum, MEAN_BP * phases_table_size);
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

START_TEST(a_pin_begins_a_stay)
{
	struct vmm vmm;

	by_hand(&vmm, DAV2M_SHADOW, DAV2M_ALL_COUNTERS, 39);
	for (int i = 0; i < 5; i++)
		work(&vmm, PHASES_TICK_PROGRESS, i ? calm : exiting_some);
	ck_assert_uint_gt(view(&vmm).regret_cycles, 0);
	ck_assert_int_eq(dav2m_pin(&vmm.ctl, DAV2M_PIN_NESTED), 0);
	work_until(&vmm, DAV2M_NESTED, calm, calm);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, calm);
	ck_assert_uint_lt(view(&vmm).regret_cycles, 1000000);
	ck_assert_int_eq(dav2m_pin(&vmm.ctl, DAV2M_PIN_NONE), 0);
	for (int i = 0; i < 30; i++)
		work(&vmm, PHASES_TICK_PROGRESS, calm);
	ck_assert_int_eq(vmm.mode, DAV2M_NESTED);
}
END_TEST

/* A transient is the switch's cost: the stay that begins with it regrets nothing yet, and tells so;
   nor does it after a retune in the middle (_i). */
START_TEST(a_transient_is_not_regretted)
{
	struct dav2m_config config = bounded_long();
	struct vmm vmm;

	config.window_settle = 2;
	by_hand(&vmm, DAV2M_SHADOW, DAV2M_ALL_COUNTERS, 39);
	ck_assert_int_eq(dav2m_retune(&vmm.ctl, &config), 0);
	work_until(&vmm, DAV2M_NESTED, exiting, missing_less);
	for (int i = 0; i < 2; i++) {
		if (i == 1 && _i)
			ck_assert_int_eq(dav2m_retune(&vmm.ctl, &config), 0);
		work(&vmm, PHASES_TICK_PROGRESS, missing_less);
		rig_expect_reason(vmm.last.reason, DAV2M_SETTLING);
		ck_assert_uint_eq(view(&vmm).regret_cycles, 0);
	}
	work(&vmm, PHASES_TICK_PROGRESS, calm);
	ck_assert_int_eq(vmm.mode, DAV2M_NESTED);
	ck_assert_uint_lt(view(&vmm).regret_cycles, 1000000);
}
END_TEST

/* A VMM that can make no switch for a while is not asked for one that is of no use any more. */
START_TEST(what_was_deferred_is_forgotten)
{
	/* by mode: better under nested paging, better under shadow paging */
	static const struct work storm[] = {{222000000, 100000, 2000000, 30000},
					    {107000000, 100000, 7500000, 0}};
	static const struct work heap[] = {{115000000, 1000000, 15000000, 0},
					   {175000000, 1000000, 75000000, 0}};
	struct vmm vmm;
	uint32_t asked;

	by_hand(&vmm, DAV2M_SHADOW, RIG_COUNTERS, 39);
	for (int i = 0; i < 400; i++)
		work(&vmm, PHASES_TICK_PROGRESS, (i / 100 % 2 ? heap : storm)[vmm.mode]);
	ck_assert_int_eq(vmm.mode, DAV2M_SHADOW);
	vmm.defers = 1;
	asked = vmm.asked;
	for (int i = 0; i < 200; i++)
		work(&vmm, PHASES_TICK_PROGRESS, storm[DAV2M_SHADOW]);
	ck_assert_uint_gt(vmm.asked, asked + 100);
	asked = vmm.asked;
	for (int i = 0; i < 200; i++)
		work(&vmm, PHASES_TICK_PROGRESS, heap[DAV2M_SHADOW]);
	ck_assert_uint_le(vmm.asked, asked + 3);
}
END_TEST

START_TEST(nothing_to_judge_by)
{
	struct vmm vmm;

	by_hand(&vmm, DAV2M_SHADOW, DAV2M_BIT(DAV2M_CYCLES), 39);
	for (int i = 0; i < 100; i++)
		work(&vmm, PHASES_TICK_PROGRESS, exiting);
	ck_assert_int_eq(vmm.last.reason, DAV2M_BLIND);
	ck_assert_int_eq(vmm.mode, DAV2M_SHADOW);
}
END_TEST

/* Only exits, and the cycles of all: enough to leave a storm, and to come back. */
START_TEST(exits_alone)
{
	static const struct phase list[] = {{300, 30000, 4000, 200000, 40, 0},
					    {300, 100, 4000, 600000, 60, 0}};
	static const struct phases phases = {"exits", NULL, 0, 0, list, 2, 6000};
	struct vmm vmm;

	vmm_begin(&vmm, &phases, DAV2M_SHADOW, WORK | DAV2M_BIT(DAV2M_PAGING_EXITS));
	vmm_run(&vmm, 0, vmm.ticks);
	/* Static shadow paging: 46 %, static nested 15 %. */
	ck_assert_uint_lt(over_hindsight_bp(&vmm), 1500);
	vmm_end(&vmm);
}
END_TEST

/* Every counter but progress: each sample is a tick. */
START_TEST(no_progress_counter)
{
	struct vmm vmm;

	by_hand(&vmm, DAV2M_SHADOW, DAV2M_BIT(DAV2M_CYCLES) | EXITS | DAV2M_BIT(DAV2M_WALK_CYCLES),
		39);
	work_until(&vmm, DAV2M_NESTED, exiting, missing_less);
	work_until(&vmm, DAV2M_SHADOW, missing_less, missing);
}
END_TEST

/* Samples that come late hold the work of several ticks, and are judged by it. */
START_TEST(late_samples)
{
	struct vmm vmm;

	vmm_begin(&vmm, phases_find("gcc-long"), DAV2M_SHADOW, DAV2M_ALL_COUNTERS);
	for (size_t i = 0; i < vmm.ticks; i++) {
		const struct dav2m_sample *did = &vmm.tick[vmm.mode][i];

		for (int c = 0; c < DAV2M_COUNTERS; c++)
			vmm.counters.value[c] += did->value[c];
		vmm.cycles += did->value[DAV2M_CYCLES];
		if (i % 3 != 2)
			continue;
		rig_must(dav2m_sample(&vmm.ctl, &vmm.counters, &vmm.last) == 0);
		if (vmm.last.action == DAV2M_SWITCH)
			vmm_switch(&vmm);
	}
	/* Static shadow paging: 48 %, static nested 15 %. */
	ck_assert_uint_lt(over_hindsight_bp(&vmm), 500);
	vmm_end(&vmm);
}
END_TEST

/* What is remembered as bad is doubted again and again, ever more rarely, and found out. */
START_TEST(doubt_is_patient)
{
	struct vmm vmm;
	uint32_t before;

	by_hand(&vmm, DAV2M_NESTED, DAV2M_ALL_COUNTERS, 10000);
	for (int i = 0; i < 8000; i++)
		work(&vmm, PHASES_TICK_PROGRESS, vmm.mode == DAV2M_SHADOW ? exiting : missing);
	before = vmm.switches;
	ck_assert_uint_gt(before, 16);
	ck_assert_uint_lt(before, 60);
	for (int i = 0; i < 1500; i++)
		work(&vmm, PHASES_TICK_PROGRESS, vmm.mode == DAV2M_SHADOW ? missing_less : missing);
	ck_assert_int_eq(vmm.mode, DAV2M_SHADOW);
	ck_assert_uint_eq(vmm.switches, before + 1);
}
END_TEST

/* Walks too cheap to divide by teach nothing of the dear ones in the other mode. */
START_TEST(walks_too_cheap_to_compare)
{
	struct work cheap = exiting;
	struct vmm vmm;
	uint32_t ratio;

	cheap.walk_cycles = 1000;
	by_hand(&vmm, DAV2M_SHADOW, DAV2M_ALL_COUNTERS, 39);
	ratio = view(&vmm).walk_ratio_bp;
	work_until(&vmm, DAV2M_NESTED, cheap, missing);
	for (int i = 0; i < 5; i++)
		work(&vmm, PHASES_TICK_PROGRESS, missing);
	ck_assert_int_eq(vmm.mode, DAV2M_NESTED);
	ck_assert_uint_eq(view(&vmm).walk_ratio_bp, ratio);
}
END_TEST

/* More walks in a tick than the division has bits for: 10 cycles each, then 30. */
START_TEST(walks_by_the_million)
{
	struct work shadow = {1600000000, 30000000, 300000000, 200000};
	struct work nested = {1400000000, 30000000, 900000000, 0};
	struct vmm vmm;
	uint32_t want;

	by_hand(&vmm, DAV2M_SHADOW, DAV2M_ALL_COUNTERS, 39);
	want = (view(&vmm).walk_ratio_bp + 30000) / 2;
	work_until(&vmm, DAV2M_NESTED, shadow, nested);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, nested);
	ck_assert_uint_ge(view(&vmm).walk_ratio_bp, want - 200);
	ck_assert_uint_le(view(&vmm).walk_ratio_bp, want + 200);
}
END_TEST

/* Calibration at its limits: values that shifts must narrow, that say nothing, that cannot be. */
START_TEST(odd_comparisons)
{
	struct work many = {900000000, 30000000, 800000000, 0};
	struct work half = {300000000, 15800000, 150000000, 0};
	struct work none = {100000000, 0, 0, 0};
	struct work slow = {900000000, 1000, 0, 0};
	struct work few = {101000000, 1000000, 1000, 0};
	struct vmm vmm;

	by_hand(&vmm, DAV2M_NESTED, DAV2M_ALL_COUNTERS, 39);
	work_until(&vmm, DAV2M_SHADOW, half, many);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, half);
	ck_assert_uint_ge(view(&vmm).walk_ratio_bp, 10000);
	ck_assert_uint_le(view(&vmm).walk_ratio_bp, 160000);
	/* Walks that cost nothing in shadow paging, and, the other way, nothing in nested. */
	by_hand(&vmm, DAV2M_NESTED, DAV2M_ALL_COUNTERS, 39);
	work_until(&vmm, DAV2M_SHADOW, few, missing);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, few);
	work_until(&vmm, DAV2M_NESTED, exiting, few);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, few);
	/* No walk counter: a guest that misses no more, and one that is slow for other reasons. */
	by_hand(&vmm, DAV2M_NESTED, WORK | EXITS | DAV2M_BIT(DAV2M_TLB_MISSES), 39);
	work_until(&vmm, DAV2M_SHADOW, none, missing);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, none);
	work_until(&vmm, DAV2M_NESTED, exiting, slow);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, slow);
	by_hand(&vmm, DAV2M_SHADOW,
		WORK | DAV2M_BIT(DAV2M_TLB_MISSES) | DAV2M_BIT(DAV2M_PAGING_EXITS), 39);
	work_until(&vmm, DAV2M_NESTED, exiting, slow);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, slow);
	/* Its misses are those of another phase: they tell nothing of exits. */
	ck_assert_uint_eq(view(&vmm).exit_cycles, 4000);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("regret");

	tcase_set_timeout(tests, 600);
	tcase_add_loop_test(tests, little_is_lost, 0, SIGHTS * DAV2M_MODES);
	tcase_add_loop_test(tests, a_round_trip_is_measured, 0, 2);
	tcase_add_test(tests, a_pin_begins_a_stay);
	tcase_add_loop_test(tests, a_transient_is_not_regretted, 0, 2);
	tcase_add_test(tests, what_was_deferred_is_forgotten);
	tcase_add_test(tests, nothing_to_judge_by);
	tcase_add_test(tests, exits_alone);
	tcase_add_test(tests, no_progress_counter);
	tcase_add_test(tests, late_samples);
	tcase_add_test(tests, doubt_is_patient);
	tcase_add_test(tests, walks_too_cheap_to_compare);
	tcase_add_test(tests, walks_by_the_million);
	tcase_add_test(tests, odd_comparisons);
	return rig_main("regret", tests);
}
