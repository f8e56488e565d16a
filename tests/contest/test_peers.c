/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each peer's rule on sequences worked out by hand. A row is one period of counters in the mode
 * that the peer runs; a switch is made at once and costs what the test says.
 */
#include "peers.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct rig {
	struct peer peer;
	struct dav2m_sample counters;
	uint64_t switch_cycles;
	unsigned int switches;
};

static void sample(struct rig *rig, struct dav2m_decision *ret_decision)
{
	ck_assert_int_eq(peer_policy.sample(&rig->peer, &rig->counters, ret_decision), 0);
}

static struct rig rig_of(const struct peer_rule *rule, uint64_t switch_cycles)
{
	struct rig rig = {.switch_cycles = switch_cycles};
	struct dav2m_decision decision;

	peer_begin(&rig.peer, rule, rule->start, 1);
	rig.counters.valid = DAV2M_ALL_COUNTERS;
	sample(&rig, &decision);
	ck_assert_int_eq(decision.action, DAV2M_STAY);
	return rig;
}

/* Answers whether the peer left its mode after the row. */
static int row(struct rig *rig, struct dav2m_sample increments)
{
	struct dav2m_decision decision;
	enum dav2m_mode before = rig->peer.mode;
	int c;

	for (c = 0; c < DAV2M_COUNTERS; c++)
		rig->counters.value[c] += increments.value[c];
	sample(rig, &decision);
	if (decision.action == DAV2M_STAY)
		return 0;
	ck_assert_int_ne(decision.mode, before);
	rig->counters.value[DAV2M_CYCLES] += rig->switch_cycles;
	peer_policy.acknowledge(&rig->peer, DAV2M_DONE, rig->switch_cycles);
	ck_assert_int_eq(rig->peer.mode, decision.mode);
	rig->switches++;
	return 1;
}

static struct dav2m_sample counts(uint64_t progress, uint64_t exits, uint64_t misses)
{
	struct dav2m_sample increments = {.valid = DAV2M_ALL_COUNTERS};

	increments.value[DAV2M_PROGRESS] = progress;
	increments.value[DAV2M_CYCLES] = progress;
	increments.value[DAV2M_TLB_MISSES] = misses;
	increments.value[DAV2M_PAGING_EXITS] = exits;
	return increments;
}

/* 2e9 cycles, of which so many percent go to exits and to page walks. */
static struct dav2m_sample second(uint64_t progress, unsigned int exits_percent,
				  unsigned int walks_percent)
{
	struct dav2m_sample increments = {.valid = DAV2M_ALL_COUNTERS};

	increments.value[DAV2M_PROGRESS] = progress;
	increments.value[DAV2M_CYCLES] = 2000000000u;
	increments.value[DAV2M_PAGING_EXIT_CYCLES] = 20000000ull * exits_percent;
	increments.value[DAV2M_WALK_CYCLES] = 20000000ull * walks_percent;
	return increments;
}

/* A tick with so many cycles in exits and walks. */
static struct dav2m_sample overhead(uint64_t exit_cycles, uint64_t walk_cycles)
{
	struct dav2m_sample increments = counts(PEER_TICK_PROGRESS, 0, 0);

	increments.value[DAV2M_PAGING_EXIT_CYCLES] = exit_cycles;
	increments.value[DAV2M_WALK_CYCLES] = walk_cycles;
	return increments;
}

START_TEST(static_modes_stay)
{
	const struct peer_rule *rules[DAV2M_MODES] = {&peer_static_shadow, &peer_static_nested};
	unsigned int mode, i;

	for (mode = 0; mode < DAV2M_MODES; mode++) {
		struct rig rig = rig_of(rules[mode], 1);

		ck_assert_int_eq(rig.peer.mode, mode);
		for (i = 0; i < 100; i++)
			ck_assert(!row(&rig, counts(100000000, 1000000, 10000000)));
	}
}
END_TEST

START_TEST(fixed_thresholds)
{
	struct rig rig = rig_of(&peer_fixed_thresholds, 5);

	/* Strictly above, per tick. */
	ck_assert(!row(&rig, counts(100000000, 10000, 0)));
	ck_assert(row(&rig, counts(100000000, 10001, 0)));
	ck_assert(!row(&rig, counts(100000000, 0, 100000)));
	ck_assert(row(&rig, counts(100000000, 0, 100001)));
	/* A long row is held to its rate, a short one waits for the rest of its tick. */
	ck_assert(!row(&rig, counts(300000000, 30000, 0)));
	ck_assert(!row(&rig, counts(50000000, 9000, 0)));
	ck_assert(row(&rig, counts(50000000, 9000, 0)));
	/* It oscillates where both are above: that is what DAV2M holds against it. */
	ck_assert(row(&rig, counts(100000000, 20000, 200000)));
	ck_assert(row(&rig, counts(100000000, 20000, 200000)));
}
END_TEST

START_TEST(faults_against_misses)
{
	struct rig rig = rig_of(&peer_faults_and_misses, 5);
	unsigned int i;

	/* 20000 faults weigh as 2e6 misses. */
	ck_assert(!row(&rig, counts(100000000, 20000, 2000000)));
	ck_assert(row(&rig, counts(100000000, 20000, 1999999)));
	/* Those faults are remembered for 200 ticks. */
	ck_assert(!row(&rig, counts(100000000, 0, 2000000)));
	ck_assert(row(&rig, counts(100000000, 0, 2000001)));
	ck_assert(row(&rig, counts(100000000, 20000, 0)));
	for (i = 0; i < 200; i++)
		ck_assert(!row(&rig, counts(100000000, 0, 1000000)));
	ck_assert(row(&rig, counts(100000000, 0, 1000000)));
	/* Below both thresholds nothing happens. */
	ck_assert(!row(&rig, counts(100000000, 10000, 0)));
}
END_TEST

START_TEST(vote_takes_four)
{
	struct rig rig = rig_of(&peer_overhead_vote, 7);

	/* VMM and walks count together; 9 % is not above 9 %. */
	ck_assert(!row(&rig, second(1000000000, 5, 4)));
	ck_assert(!row(&rig, second(1000000000, 5, 5)));
	ck_assert(!row(&rig, second(1000000000, 10, 0)));
	ck_assert(!row(&rig, second(1000000000, 10, 0)));
	/* Between 2 and 9 % nobody votes; below, for the mode that runs. */
	ck_assert(!row(&rig, second(1000000000, 2, 0)));
	ck_assert(!row(&rig, second(1000000000, 1, 0)));
	ck_assert(!row(&rig, second(1000000000, 10, 0)));
	ck_assert(row(&rig, second(1000000000, 10, 0)));
	/* Two seconds are skipped, then eight votes lead from +4 to -4. */
	ck_assert(!row(&rig, second(1000000000, 0, 90)));
	ck_assert(!row(&rig, second(1000000000, 0, 90)));
	for (int i = 0; i < 7; i++)
		ck_assert(!row(&rig, second(1000000000, 0, 10)));
	ck_assert(row(&rig, second(1000000000, 0, 10)));
}
END_TEST

START_TEST(vote_learns_from_ipc)
{
	struct rig rig = rig_of(&peer_overhead_vote, 0);
	const double *high = rig.peer.state.vote.high_percent;
	int i;

	for (i = 0; i < 4; i++)
		row(&rig, second(1000000000, 10, 0));
	ck_assert_int_eq(rig.peer.mode, DAV2M_NESTED);
	/* Half the IPC: shadow paging's threshold rises by 2 x 2 points. */
	row(&rig, second(1000000000, 0, 0));
	row(&rig, second(500000000, 0, 0));
	ck_assert_double_eq_tol(high[DAV2M_SHADOW], 13, 1e-9);
	ck_assert_double_eq_tol(high[DAV2M_NESTED], 9, 1e-9);
	for (i = 0; i < 8; i++)
		row(&rig, second(500000000, 0, 10));
	ck_assert_int_eq(rig.peer.mode, DAV2M_SHADOW);
	/* Twice the IPC: nested paging's falls by as much; never below 2 %. */
	row(&rig, second(500000000, 0, 0));
	row(&rig, second(1000000000, 0, 0));
	ck_assert_double_eq_tol(high[DAV2M_NESTED], 5, 1e-9);
	for (i = 0; i < 7; i++)
		ck_assert(!row(&rig, second(1000000000, 14, 0)));
	ck_assert(row(&rig, second(1000000000, 14, 0)));
	row(&rig, second(1000000000, 0, 0));
	row(&rig, second(20000000000u, 0, 0));
	ck_assert_double_eq_tol(high[DAV2M_SHADOW], 2, 1e-9);
}
END_TEST

/* With two switch costs of 1e8 and no fading in play, the lead runs from -1e8 to 1e8. */
START_TEST(work_function_is_a_ramp)
{
	struct rig rig = rig_of(&peer_randomized_work_function, 100000000);
	struct peer_work *work = &rig.peer.state.work;

	ck_assert_double_eq_tol(work->shadow_lead_cycles, -1e8, 1);
	/* Costs of the other mode first: already at the end of the ramp. */
	row(&rig, overhead(0, 10000000));
	ck_assert_double_eq_tol(work->shadow_lead_cycles, -1e8, 1);
	work->coin = 0.5;
	/* Exits 1.2e8 less walks that would cost 2 x 1e7 more: +1e8, half way. */
	ck_assert(!row(&rig, overhead(120000000, 10000000)));
	ck_assert_double_eq_tol(work->shadow_lead_cycles, 0, 1);
	ck_assert(row(&rig, overhead(20000000, 0)));
	ck_assert_double_eq_tol(work->shadow_lead_cycles, 2e7, 1);
	/* Nested: walks would cost a third; the last exits fade by 1/128. */
	row(&rig, overhead(0, 30000000));
	ck_assert_double_eq_tol(work->exit_cycles, 20000000.0 * 511 / 512, 1);
	ck_assert_double_eq_tol(work->shadow_lead_cycles, 2e7 + work->exit_cycles - 2e7, 1);
}
END_TEST

/* Over many coins, half way up the ramp, half of the peers have left. */
START_TEST(work_function_throws_fair_coins)
{
	unsigned int left = 0, i;

	for (i = 0; i < 1000; i++) {
		struct rig rig = {.switch_cycles = 100000000};
		struct dav2m_decision decision;

		peer_begin(&rig.peer, &peer_randomized_work_function, DAV2M_SHADOW, i);
		rig.counters.valid = DAV2M_ALL_COUNTERS;
		sample(&rig, &decision);
		left += (unsigned int)row(&rig, overhead(100000000, 0));
	}
	ck_assert_uint_gt(left, 430);
	ck_assert_uint_lt(left, 570);
}
END_TEST

/* A PMU without walk cycles: misses x 20 or 60. */
START_TEST(walks_are_estimated)
{
	struct peer peer = {.mode = DAV2M_SHADOW};
	struct dav2m_sample passed = counts(1, 0, 100);

	passed.value[DAV2M_WALK_CYCLES] = 7;
	ck_assert_double_eq_tol(peer_walk_cycles(&peer, &passed), 7, 1e-9);
	passed.valid &= ~DAV2M_BIT(DAV2M_WALK_CYCLES);
	ck_assert_double_eq_tol(peer_walk_cycles(&peer, &passed), 2000, 1e-9);
	peer.mode = DAV2M_NESTED;
	ck_assert_double_eq_tol(peer_walk_cycles(&peer, &passed), 6000, 1e-9);
}
END_TEST

START_TEST(all_say_where_they_come_from)
{
	size_t i;

	ck_assert_uint_ge(peer_rules_size, 6);
	for (i = 0; i < peer_rules_size; i++) {
		ck_assert_ptr_nonnull(peer_rules[i]->name);
		ck_assert_ptr_nonnull(peer_rules[i]->source);
		ck_assert_ptr_nonnull(peer_rules[i]->inferred);
		ck_assert(!peer_rules[i]->period || peer_rules[i]->leave);
	}
}
END_TEST

/* What the contest's rows and periods are said to be: a preset that samples more often, or more
   rarely, would be played on recordings that were not made for it. */
START_TEST(presets_see_each_row)
{
	static const uint32_t progress[DAV2M_PRESETS] = {
		[DAV2M_PRESET_PAPER] = PEER_TICK_PROGRESS,
		[DAV2M_PRESET_REPAIRED] = PEER_TICK_PROGRESS,
		[DAV2M_PRESET_BOUNDED] = PEER_ROW_PROGRESS};
	struct dav2m_config config = {.size = sizeof(config)};

	ck_assert_int_eq(dav2m_config_preset((enum dav2m_preset)_i, &config), 0);
	ck_assert_uint_eq(config.window_inst, progress[_i]);
	ck_assert_uint_eq(config.window_inst % PEER_ROW_PROGRESS, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {static_modes_stay,
				      fixed_thresholds,
				      faults_against_misses,
				      vote_takes_four,
				      vote_learns_from_ipc,
				      work_function_is_a_ramp,
				      work_function_throws_fair_coins,
				      walks_are_estimated,
				      all_say_where_they_come_from};
	Suite *suite = suite_create("peers");
	TCase *tcase = tcase_create("rules");
	SRunner *runner;
	size_t i;
	int failed;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, presets_see_each_row, 0, DAV2M_PRESETS);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
