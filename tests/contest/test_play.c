/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a run is scored: on recordings worked out by hand, against the adversary, and behind views.
 */
#include "rig.h"

#include <stdlib.h>

static const struct contest_view clear;

/* Shadow is better twice, nested twice; 30 there, 20 back. */
START_TEST(scored_by_hand)
{
	static const uint64_t cycles[][DAV2M_MODES] = {
		{100, 150}, {100, 150}, {180, 100}, {190, 100}};
	struct dav2m_pair pair = pair_of(cycles, 4);
	struct contest_cell cell = cell_on(&pair, 20, 30);
	struct contest_result shadow = play("static shadow", &cell, &clear);
	struct contest_result nested = play("static nested", &cell, &clear);

	ck_assert_uint_eq(shadow.hindsight_cycles, 430 * MEGA);
	ck_assert_uint_eq(shadow.run.cycles, 570 * MEGA);
	ck_assert_uint_eq(nested.run.cycles, 500 * MEGA);
	ck_assert_uint_eq(shadow.best_static_cycles, 500 * MEGA);
	ck_assert_uint_eq(nested.best_static_cycles, 500 * MEGA);
	ck_assert_uint_eq(shadow.wrong_cycles, 370 * MEGA);
	ck_assert_uint_eq(nested.wrong_cycles, 300 * MEGA);
	ck_assert_uint_eq(shadow.probe_cycles, 0);
	ck_assert_double_eq_tol(contest_over(570, 430), 32.558, 0.001);
	dav2m_pair_free(&pair);
}
END_TEST

/* Exits make the controller try nested paging, which is worse by 50 a tick. */
START_TEST(failed_probe_is_charged)
{
	static const uint64_t cycles[][DAV2M_MODES] = {{100, 150}, {100, 150}, {100, 150},
						       {100, 150}, {100, 150}, {100, 150}};
	struct dav2m_pair pair = pair_of(cycles, 6);
	struct contest_cell cell = cell_on(&pair, 20, 30);
	struct contest_result result;
	uint64_t probed;

	pair.tick[DAV2M_SHADOW][0].value[DAV2M_PAGING_EXITS] = 20000;
	result = play("preset paper", &cell, &clear);
	probed = result.run.mode_progress[DAV2M_NESTED] / PEER_TICK_PROGRESS;
	ck_assert_uint_eq(result.run.switches[DAV2M_NESTED], 1);
	ck_assert_uint_eq(result.run.switches[DAV2M_SHADOW], 1);
	ck_assert_uint_gt(probed, 0);
	ck_assert_uint_eq(result.probe_cycles, (50 + probed * 50) * MEGA);
	ck_assert_uint_eq(result.run.cycles, result.hindsight_cycles + result.probe_cycles);
	dav2m_pair_free(&pair);
}
END_TEST

START_TEST(kept_probe_is_free)
{
	static const uint64_t cycles[][DAV2M_MODES] = {{150, 100}, {150, 100}, {150, 100},
						       {150, 100}, {150, 100}, {150, 100}};
	struct dav2m_pair pair = pair_of(cycles, 6);
	struct contest_cell cell = cell_on(&pair, 20, 30);
	struct contest_result result;

	pair.tick[DAV2M_SHADOW][0].value[DAV2M_PAGING_EXITS] = 20000;
	result = play("preset paper", &cell, &clear);
	ck_assert_uint_eq(result.run.switches[DAV2M_NESTED], 1);
	ck_assert_uint_eq(result.run.switches[DAV2M_SHADOW], 0);
	ck_assert_uint_eq(result.probe_cycles, 0);
	dav2m_pair_free(&pair);
}
END_TEST

/* D is 4: with 100 a tick, a phase of four ticks is long enough, one of three is not. */
START_TEST(phases_are_long_or_not)
{
	static const uint64_t cycles[][DAV2M_MODES] = {{100, 120}, {120, 100}, {120, 100},
						       {100, 100}, {120, 100}, {100, 120},
						       {100, 120}, {100, 120}};
	static const uint64_t trip[DAV2M_MODES] = {2 * MEGA, 2 * MEGA};
	static const uint64_t longer[DAV2M_MODES] = {2 * MEGA, 3 * MEGA};
	struct dav2m_pair pair = pair_of(cycles, 8);

	/* The first and the last do not count; the tick without a better mode does. */
	ck_assert(contest_long_phases(&pair, trip));
	ck_assert(!contest_long_phases(&pair, longer));
	/* One phase only, as long as the recording. */
	pair.ticks = 1;
	ck_assert(!contest_long_phases(&pair, trip));
	dav2m_pair_free(&pair);
}
END_TEST

/* Static modes lose all that the adversary has; a mode that is left becomes the cheap one. */
START_TEST(adversary_is_always_wrong)
{
	struct contest_cell cell = {.workload = {.kind = CONTEST_ADVERSARY, .name = "adversary"},
				    .model = contest_model(0)};
	struct contest_result shadow, nested, mover;

	tape_phases_switches(cell.model, cell.switch_cycles);
	shadow = play("static shadow", &cell, &clear);
	nested = play("static nested", &cell, &clear);
	/* 4e6 of 2.9e7 in each row. */
	ck_assert_uint_eq(shadow.run.cycles,
			  CONTEST_ADVERSARY_ROWS * (PEER_ROW_PROGRESS + 4 * MEGA));
	ck_assert_uint_eq(nested.run.cycles, shadow.run.cycles);
	ck_assert_uint_eq(shadow.wrong_cycles, shadow.run.cycles);
	/* A deterministic policy is charged for each tick, wherever it goes. */
	mover = play("fixed thresholds", &cell, &clear);
	ck_assert_uint_eq(mover.run.cycles - mover.run.switch_cycles, shadow.run.cycles);
}
END_TEST

/* The adversary does not see the coins that are scored. */
START_TEST(adversary_is_oblivious)
{
	struct contest_cell cell = {.workload = {.kind = CONTEST_ADVERSARY, .name = "adversary"},
				    .model = contest_model(0)};
	struct contest_result result;

	tape_phases_switches(cell.model, cell.switch_cycles);
	result = play("randomized work function", &cell, &clear);
	ck_assert_uint_lt(result.run.cycles - result.run.switch_cycles,
			  CONTEST_ADVERSARY_ROWS * (PEER_ROW_PROGRESS + 4 * MEGA));
}
END_TEST

/* Run time of the policy that throws coins. */
static uint64_t thrown(const struct dav2m_pair *pair, struct contest_workload workload,
		       const struct contest_model *model)
{
	struct contest_cell cell = cell_on(pair, 100, 50);

	cell.workload = workload;
	cell.model = model;
	return play("randomized work function", &cell, &clear).run.cycles;
}

/* By workload, model and seed; of a recording the folder does not matter. */
START_TEST(each_cell_has_its_coins)
{
	const struct contest_workload one = {.kind = CONTEST_PHASES, .name = "one", .seed = 1};
	const struct contest_workload two = {.kind = CONTEST_PHASES, .name = "two", .seed = 1};
	const struct contest_workload later = {.kind = CONTEST_PHASES, .name = "one", .seed = 2};
	const struct contest_workload here = {.kind = CONTEST_FILES, .name = "s.csv", .seed = 1};
	const struct contest_workload away = {.kind = CONTEST_FILES, .name = "a/s.csv", .seed = 1};
	const struct contest_workload other = {.kind = CONTEST_FILES, .name = "a/t.csv", .seed = 1};
	struct dav2m_host_error error;
	struct dav2m_pair pair;
	uint64_t cycles;

	ck_assert_int_eq(tape_new(phases_find("saw")->ticks * TAPE_TICK_ROWS, &pair, &error), 0);
	tape_phases_fill(phases_find("saw"), contest_model(0), 200, 1, pair.tick[DAV2M_SHADOW],
			 pair.tick[DAV2M_NESTED]);
	tape_sum(&pair);
	cycles = thrown(&pair, one, contest_model(0));
	ck_assert_uint_eq(thrown(&pair, one, contest_model(0)), cycles);
	ck_assert_uint_ne(thrown(&pair, two, contest_model(0)), cycles);
	ck_assert_uint_ne(thrown(&pair, later, contest_model(0)), cycles);
	ck_assert_uint_ne(thrown(&pair, one, contest_model(3)), cycles);
	cycles = thrown(&pair, here, &contest_as_recorded);
	ck_assert_uint_eq(thrown(&pair, away, &contest_as_recorded), cycles);
	ck_assert_uint_ne(thrown(&pair, other, &contest_as_recorded), cycles);
	dav2m_pair_free(&pair);
}
END_TEST

/* A static mode pays the same whatever is seen; noise is unbiased, the same in every run. */
START_TEST(views_blur_only_what_is_seen)
{
	static const struct contest_view views[] = {
		{.noise_bp = 1000}, {.lost_one_in = 2}, {.hidden = DAV2M_BIT(DAV2M_TLB_MISSES)}};
	struct contest_workload gcc = {
		.kind = CONTEST_PHASES, .name = "gcc", .phases = phases_find("gcc")};
	atomic_uint_least64_t steps = 0;
	struct dav2m_host_error error;
	struct contest_result plain, seen, again;
	struct contest_cell cell;
	struct tape tape;
	size_t i;

	ck_assert_int_eq(tape_make(&gcc, contest_model(0), NULL, &steps, &tape, &error), 0);
	cell = cell_on(&tape.pair, 100, 50);
	plain = play("preset repaired", &cell, &clear);
	for (i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		seen = play("preset repaired", &cell, &views[i]);
		again = play("preset repaired", &cell, &views[i]);
		ck_assert_mem_eq(&seen, &again, sizeof(seen));
		ck_assert_uint_ne(seen.run.cycles, plain.run.cycles);
		ck_assert_uint_eq(seen.hindsight_cycles, plain.hindsight_cycles);
		ck_assert_uint_eq(play("static shadow", &cell, &views[i]).run.cycles,
				  tape.pair.total[DAV2M_SHADOW].value[DAV2M_CYCLES]);
	}
	dav2m_pair_free(&tape.pair);
}
END_TEST

/* palacios2011 leaves the lists as they are; elsewhere exits and walks have other prices. */
START_TEST(lists_are_priced)
{
	const struct phase phase = {1, 1000, 4000, 100000, 60, 0};
	const struct phases phases = {.body = &phase, .body_phases = 1, .ticks = 1};
	const struct contest_model *model;
	const size_t last = TAPE_TICK_ROWS - 1;
	struct dav2m_sample shadow[TAPE_TICK_ROWS], nested[TAPE_TICK_ROWS];
	size_t i;

	for (i = 0; (model = contest_model(i)) != NULL; i++) {
		double exit = contest_exit_price(model), walk = contest_walk_price(model);

		if (!strcmp(model->cost, "palacios2011")) {
			ck_assert_double_eq_tol(exit, 1, 1e-9);
			ck_assert_double_eq_tol(walk, 1, 1e-9);
		}
		tape_phases_fill(&phases, model, 0, 1, shadow, nested);
		ck_assert_uint_eq(shadow[0].value[DAV2M_PAGING_EXIT_CYCLES],
				  (uint64_t)((double)MEGA * exit));
		ck_assert_uint_eq(nested[0].value[DAV2M_WALK_CYCLES], (uint64_t)(1.875e6 * walk));
		/* Cycles are what they were, and what the prices add; each row is a quarter. */
		ck_assert_double_eq_tol((double)nested[last].value[DAV2M_CYCLES],
					(100e6 + 6e6 + 7.5e6 * (walk - 1)) / 4, 2);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		scored_by_hand,		 failed_probe_is_charged,      kept_probe_is_free,
		phases_are_long_or_not,	 adversary_is_always_wrong,    adversary_is_oblivious,
		each_cell_has_its_coins, views_blur_only_what_is_seen, lists_are_priced};
	Suite *suite = suite_create("play");
	TCase *tcase = tcase_create("score");
	SRunner *runner;
	size_t i;
	int failed;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
