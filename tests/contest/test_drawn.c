/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of phases drawn by lot: the same everywhere, within their ranges, and as broad as said.
 */
#include "drawn.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MANY 1000u

static struct drawn drawn_of(uint32_t seed, uint32_t number)
{
	struct drawn drawn;

	ck_assert_int_eq(drawn_make(seed, number, &drawn), 0);
	return drawn;
}

/* FNV-1a over every tick. */
static uint32_t hash_of(const struct drawn *drawn)
{
	uint32_t hash = 2166136261u;
	size_t i, f;

	for (i = 0; i < DRAWN_TICKS; i++) {
		const struct phase *tick = &drawn->tick[i];
		const uint32_t fields[] = {tick->exits, tick->exit_cycles, tick->misses,
					   tick->miss_cycles, tick->flushes};

		for (f = 0; f < sizeof(fields) / sizeof(fields[0]); f++)
			hash = (hash ^ fields[f]) * 16777619u;
	}
	return hash;
}

static uint32_t hash_drawn(uint32_t seed, uint32_t number)
{
	struct drawn drawn = drawn_of(seed, number);
	uint32_t hash = hash_of(&drawn);

	drawn_free(&drawn);
	return hash;
}

/* What a name stood for once it must stand for on every machine. */
START_TEST(same_everywhere)
{
	uint32_t hash = 0, number;

	for (number = 1; number <= 40; number++)
		hash = hash * 31 + hash_drawn(7, number);
	ck_assert_uint_eq(hash, 2590168099u);
}
END_TEST

START_TEST(seed_and_number_tell_apart)
{
	struct drawn one = drawn_of(7, 13);
	struct drawn largest = drawn_of(UINT32_MAX, DRAWN_MOST);

	ck_assert_str_eq(one.name, "drawn-7-13");
	ck_assert_str_eq(largest.name, "drawn-4294967295-1000");
	ck_assert_uint_eq(hash_drawn(7, 13), hash_of(&one));
	ck_assert_uint_ne(hash_drawn(7, 14), hash_of(&one));
	ck_assert_uint_ne(hash_drawn(8, 13), hash_of(&one));
	ck_assert_uint_ne(hash_drawn(13, 7), hash_of(&one));
	drawn_free(&one);
	drawn_free(&largest);
}
END_TEST

static int in_range(uint32_t value, uint32_t least, uint32_t most)
{
	return value >= least && value <= most;
}

static int tick_in_range(const struct phase *tick)
{
	return tick->ticks == 1 && in_range(tick->exits, 10, 100000) &&
	       in_range(tick->exit_cycles, 1000, 8000) && in_range(tick->misses, 1000, 4000000) &&
	       in_range(tick->miss_cycles, 20, 80) && tick->flushes <= tick->exits / 10;
}

/* Drift and ramps stay within the ranges as well. */
START_TEST(ranges_are_held)
{
	uint32_t number, i;

	for (number = 1; number <= MANY; number++) {
		struct drawn drawn = drawn_of(3, number);

		ck_assert_uint_eq(drawn.phases.ticks, 6000);
		ck_assert_uint_eq(drawn.phases.body_phases, 6000);
		ck_assert_uint_eq(drawn.phases.head_phases, 0);
		for (i = 0; i < DRAWN_TICKS; i++)
			if (!tick_in_range(&drawn.tick[i]))
				ck_abort_msg("%s: tick %u is out of range", drawn.name, i);
		for (i = 0; i < drawn.kinds; i++) {
			ck_assert_uint_ge(drawn.kind[i].mean_ticks, 1);
			ck_assert_uint_le(drawn.kind[i].mean_ticks, 1000);
		}
		drawn_free(&drawn);
	}
}
END_TEST

/* Counts of what was drawn. */
struct tally {
	unsigned int kinds[DRAWN_KINDS_MOST + 1];
	unsigned int stay[DRAWN_STAYS];
	unsigned int shuffled, exits_grow, misses_grow, ramps, noisy;
	unsigned int all_kinds, few_exits, few_misses, short_stays, flushless;
};

static void tally_add(struct tally *tally, const struct drawn *drawn)
{
	unsigned int i;

	tally->kinds[drawn->kinds]++;
	tally->stay[drawn->stay]++;
	tally->shuffled += drawn->shuffled != 0;
	tally->exits_grow += drawn->growth == DRAWN_EXITS_GROW;
	tally->misses_grow += drawn->growth == DRAWN_MISSES_GROW;
	tally->ramps += drawn->ramps != 0;
	tally->noisy += drawn->noise_bp == 1000;
	ck_assert(drawn->noise_bp == 1000 || drawn->noise_bp == 200);
	for (i = 0; i < drawn->kinds; i++) {
		const struct drawn_kind *kind = &drawn->kind[i];

		tally->all_kinds++;
		tally->few_exits += kind->phase.exits < 1000;	 /* of 10 to 1e5 */
		tally->few_misses += kind->phase.misses < 63246; /* of 1e3 to 4e6 */
		tally->short_stays += kind->mean_ticks < 32;	 /* of 1 to 1000 */
		tally->flushless += kind->exits_per_flush == 0;
	}
}

/* Within four standard deviations of what was to be expected. */
static void share_check(const char *what, unsigned int got, unsigned int of, double share)
{
	double off = got - of * share;

	ck_assert_msg(off * off <= 16 * of * share * (1 - share), "%s: %u of %u", what, got, of);
}

START_TEST(as_broad_as_said)
{
	struct tally tally = {.all_kinds = 0};
	uint32_t i;

	for (i = 1; i <= MANY; i++) {
		struct drawn drawn = drawn_of(5, i);

		tally_add(&tally, &drawn);
		drawn_free(&drawn);
	}
	for (i = 1; i <= DRAWN_KINDS_MOST; i++)
		share_check("so many kinds", tally.kinds[i], MANY, 1.0 / 6);
	for (i = 0; i < DRAWN_STAYS; i++)
		share_check("a sort of stay", tally.stay[i], MANY, 1.0 / 3);
	share_check("shuffled", tally.shuffled, MANY, 0.5);
	share_check("exits grow", tally.exits_grow, MANY, 0.125);
	share_check("misses grow", tally.misses_grow, MANY, 0.125);
	share_check("ramps", tally.ramps, MANY, 0.25);
	share_check("noise of 10 %", tally.noisy, MANY, 0.25);
	share_check("few exits", tally.few_exits, tally.all_kinds, 0.5);
	share_check("few misses", tally.few_misses, tally.all_kinds, 0.5);
	share_check("short stays", tally.short_stays, tally.all_kinds, 0.5);
	share_check("no flushes", tally.flushless, tally.all_kinds, 0.5);
}
END_TEST

/* Which kind a tick is of; only where nothing grows and nothing is in between. */
static unsigned int kind_of(const struct drawn *drawn, const struct phase *tick)
{
	unsigned int i;

	for (i = 0; i < drawn->kinds; i++)
		if (drawn->kind[i].phase.misses == tick->misses &&
		    drawn->kind[i].phase.exits == tick->exits)
			return i;
	ck_abort_msg("%s: a tick is of no kind", drawn->name);
	return 0;
}

static void stay_check(const struct drawn *drawn, unsigned int kind, uint32_t ticks)
{
	uint32_t mean = drawn->kind[kind].mean_ticks;

	if (drawn->stay == DRAWN_CONSTANT)
		ck_assert_uint_eq(ticks, mean);
	if (drawn->stay == DRAWN_QUARTER) {
		ck_assert_uint_ge(4 * ticks, 3 * mean);
		ck_assert_uint_le(4 * ticks, 5 * mean);
	}
}

struct stays {
	unsigned int geometric, shuffled_turns, shuffled_moves;
	double geometric_over_mean;
};

/* Stays of workloads of several kinds, but for the last, which is cut off. */
static void stays_check(const struct drawn *drawn, struct stays *stays)
{
	unsigned int kind = 0, next;
	uint32_t i, begin = 0;

	for (i = 0; i < DRAWN_TICKS; i++) {
		next = kind_of(drawn, &drawn->tick[i]);
		if (next == kind)
			continue;
		stay_check(drawn, kind, i - begin);
		if (drawn->stay == DRAWN_GEOMETRIC && drawn->kind[kind].mean_ticks < 20) {
			stays->geometric++;
			stays->geometric_over_mean +=
				(double)(i - begin) / drawn->kind[kind].mean_ticks;
		}
		if (!drawn->shuffled)
			ck_assert_uint_eq(next, (kind + 1) % drawn->kinds);
		if (drawn->shuffled && drawn->kinds == 6) {
			stays->shuffled_moves++;
			stays->shuffled_turns += next == (kind + 1) % 6;
		}
		kind = next;
		begin = i;
	}
}

START_TEST(stays_are_as_long_as_said)
{
	struct stays stays = {.geometric = 0};
	uint32_t number;

	for (number = 1; number <= MANY; number++) {
		struct drawn drawn = drawn_of(9, number);

		if (!drawn.ramps && drawn.growth == DRAWN_STEADY && drawn.kinds > 1)
			stays_check(&drawn, &stays);
		drawn_free(&drawn);
	}
	ck_assert_uint_gt(stays.geometric, 1000);
	ck_assert_double_eq_tol(stays.geometric_over_mean / stays.geometric, 1, 0.05);
	ck_assert_uint_gt(stays.shuffled_moves, 1000);
	share_check("next in turn", stays.shuffled_turns, stays.shuffled_moves, 0.2);
}
END_TEST

/* Over a stay of a workload of one kind, and over the first quarter of one of two. */
START_TEST(growth_and_ramps)
{
	unsigned int grown = 0, ramped = 0;
	uint32_t number;

	for (number = 1; number <= MANY; number++) {
		struct drawn drawn = drawn_of(11, number);
		uint32_t mean = drawn.kind[0].mean_ticks, exits = drawn.kind[0].phase.exits;
		const struct phase *tick = drawn.tick;

		if (drawn.stay != DRAWN_CONSTANT || mean < 100) {
			drawn_free(&drawn);
			continue;
		}
		if (drawn.growth == DRAWN_EXITS_GROW && exits <= 50000) {
			grown++;
			ck_assert_uint_eq(tick[0].exits, exits);
			ck_assert_uint_eq(tick[mean / 2].exits, exits + exits * (mean / 2) / mean);
			ck_assert_uint_ge(tick[mean - 1].exits, exits * 2 - exits / mean - 1);
		}
		if (drawn.ramps && drawn.kinds == 2 && drawn.growth == DRAWN_STEADY &&
		    drawn.kind[1].mean_ticks >= 40) {
			uint32_t middle = drawn.kind[1].mean_ticks / 8;
			double from = drawn.kind[0].phase.misses, to = drawn.kind[1].phase.misses;
			uint32_t whole = drawn.kind[1].mean_ticks / 4 + 1;

			ramped++;
			ck_assert_uint_eq(tick[mean - 1].misses, drawn.kind[0].phase.misses);
			ck_assert_double_eq_tol(tick[mean + middle].misses,
						from + (to - from) * (middle + 1) / whole, 1);
			ck_assert_uint_eq(tick[mean + whole - 1].misses,
					  drawn.kind[1].phase.misses);
		}
		drawn_free(&drawn);
	}
	ck_assert_uint_gt(grown, 5);
	ck_assert_uint_gt(ramped, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {same_everywhere,		 seed_and_number_tell_apart,
				      ranges_are_held,		 as_broad_as_said,
				      stays_are_as_long_as_said, growth_and_ramps};
	Suite *suite = suite_create("drawn");
	TCase *tcase = tcase_create("lots");
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
