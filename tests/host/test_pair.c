/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Alignment by progress: sums preserved, boundaries exact, and what cannot be paired is refused.
 */
#include "host.h"

#include <dav2m/host/replay.h>

#include <stdlib.h>
#include <string.h>

static struct dav2m_pair pair_made(const struct dav2m_trace *shadow,
				   const struct dav2m_trace *nested, uint32_t tolerance_bp)
{
	struct dav2m_pair pair = {.ticks = 0};
	struct dav2m_host_error error = {""};
	int rc = dav2m_pair_make(shadow, nested, tolerance_bp, &pair, &error);

	ck_assert_msg(rc == 0, "%s", error.text);
	return pair;
}

static void pair_refused(const struct dav2m_trace *shadow, const struct dav2m_trace *nested,
			 uint32_t tolerance_bp, enum dav2m_host_code code, const char *reason)
{
	struct dav2m_pair pair = {.ticks = 77};
	struct dav2m_host_error error = {""};

	ck_assert_int_eq(dav2m_pair_make(shadow, nested, tolerance_bp, &pair, &error), code);
	ck_assert_msg(strstr(error.text, reason) != NULL, "'%s' lacks '%s'", error.text, reason);
	ck_assert_uint_eq(pair.ticks, 77);
}

static uint64_t sum(const struct dav2m_sample *tick, size_t ticks, enum dav2m_counter counter)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < ticks; i++)
		total += tick[i].value[counter];
	return total;
}

/*
 * Nested boundaries 0 4 10 16 30 on shadow boundaries 0 10 20 30:
 * tick 0 gets 40 + 7; tick 1 gets 9 + 100 x 4/14 = 28 (rounded down); tick 2 the rest, 72.
 */
START_TEST(boundaries_differ)
{
	static const uint64_t s[][2] = {{10, 5}, {10, 6}, {10, 7}};
	static const uint64_t n[][2] = {{4, 40}, {6, 7}, {6, 9}, {14, 100}};
	struct dav2m_trace shadow = trace_of(DAV2M_TRACE_SHADOW, s, 3);
	struct dav2m_trace nested = trace_of(DAV2M_TRACE_NESTED, n, 4);
	struct dav2m_pair pair = pair_made(&shadow, &nested, 0);
	const uint64_t want[] = {47, 37, 72};
	size_t i;

	ck_assert_uint_eq(pair.ticks, 3);
	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(pair.tick[DAV2M_SHADOW][i].value[DAV2M_CYCLES], s[i][1]);
		ck_assert_uint_eq(pair.tick[DAV2M_NESTED][i].value[DAV2M_CYCLES], want[i]);
		ck_assert_uint_eq(pair.tick[DAV2M_NESTED][i].value[DAV2M_PROGRESS], 10);
	}
	ck_assert_uint_eq(pair.total[DAV2M_SHADOW].value[DAV2M_CYCLES], 18);
	ck_assert_uint_eq(pair.total[DAV2M_NESTED].value[DAV2M_CYCLES], 156);
	dav2m_pair_free(&pair);
	ck_assert_uint_eq(pair.ticks, 0);
	dav2m_trace_free(&shadow);
	dav2m_trace_free(&nested);
}
END_TEST

static void ticks_are(const struct dav2m_pair *pair, size_t ticks, const uint64_t (*want)[3])
{
	size_t i;

	ck_assert_uint_eq(pair->ticks, ticks);
	for (i = 0; i < ticks; i++) {
		ck_assert_uint_eq(pair->tick[DAV2M_SHADOW][i].value[DAV2M_PROGRESS], want[i][0]);
		ck_assert_uint_eq(pair->tick[DAV2M_NESTED][i].value[DAV2M_PROGRESS], want[i][0]);
		ck_assert_uint_eq(pair->tick[DAV2M_SHADOW][i].value[DAV2M_CYCLES], want[i][1]);
		ck_assert_uint_eq(pair->tick[DAV2M_NESTED][i].value[DAV2M_CYCLES], want[i][2]);
	}
}

/* Long lines stay whole, whichever recording has them: nested 30 to shadow's 10, then shadow 20
   to nested's 5. */
START_TEST(long_lines_whole)
{
	static const uint64_t s[][2] = {{10, 1}, {10, 2}, {10, 4}, {20, 8}, {20, 16}};
	static const uint64_t n[][2] = {{30, 900}, {5, 1}, {5, 2},  {5, 4}, {5, 8},
					{5, 16},   {5, 0}, {5, 32}, {5, 64}};
	static const uint64_t want[][3] = {{30, 7, 900}, {20, 8, 15}, {20, 16, 112}};
	struct dav2m_trace shadow = trace_of(DAV2M_TRACE_SHADOW, s, 5);
	struct dav2m_trace nested = trace_of(DAV2M_TRACE_NESTED, n, 9);
	struct dav2m_pair pair = pair_made(&shadow, &nested, 0);

	ticks_are(&pair, 3, want);
	ck_assert_uint_eq(pair.tick_progress, 0);
	dav2m_pair_free(&pair);
	dav2m_trace_free(&shadow);
	dav2m_trace_free(&nested);
}
END_TEST

/*
 * Both modes burst at the same time, which only the shadow recording's short lines show: nested
 * paging, 1 cycle better on the whole, is best throughout. Spread over short ticks its burst of 44
 * would be 11 in each, and three of them better under shadow paging. As a tick, 40 of progress.
 */
START_TEST(no_gain_out_of_long_lines)
{
	static const uint64_t s[][2] = {{10, 5}, {10, 5}, {10, 30}, {10, 5}};
	static const uint64_t n[][2] = {{40, 44}};
	static const uint64_t want[][3] = {{40, 45, 44}};
	struct dav2m_trace shadow = trace_of(DAV2M_TRACE_SHADOW, s, 4);
	struct dav2m_trace nested = trace_of(DAV2M_TRACE_NESTED, n, 1);
	const uint64_t free_switches[DAV2M_MODES] = {0, 0};
	struct dav2m_host_error error;
	struct dav2m_pair pair;
	struct dav2m_run best;

	shadow.header.tick_progress = 10;
	nested.header.tick_progress = 40;
	pair = pair_made(&shadow, &nested, 0);
	ticks_are(&pair, 1, want);
	ck_assert_uint_eq(pair.tick_progress, 40);
	ck_assert_int_eq(dav2m_hindsight(&pair, free_switches, free_switches, NULL, &best, &error),
			 0);
	ck_assert_uint_eq(best.cycles, 44);
	dav2m_pair_free(&pair);
	dav2m_trace_free(&shadow);
	dav2m_trace_free(&nested);
}
END_TEST

/* The pair's tick is never shorter than it says, also when the nested recording is stretched. */
START_TEST(tick_progress_stretched)
{
	static const uint64_t s[][2] = {{50, 5}, {50, 6}, {50, 5}, {50, 6}};
	static const uint64_t n[][2] = {{99, 40}, {99, 41}};
	static const uint64_t want[][3] = {{100, 11, 40}, {100, 11, 41}};
	struct dav2m_trace shadow = trace_of(DAV2M_TRACE_SHADOW, s, 4);
	struct dav2m_trace nested = trace_of(DAV2M_TRACE_NESTED, n, 2);
	struct dav2m_pair pair;

	shadow.header.tick_progress = 50;
	nested.header.tick_progress = 99;
	pair = pair_made(&shadow, &nested, 100);
	ticks_are(&pair, 2, want);
	ck_assert_uint_eq(pair.tick_progress, 100);
	dav2m_pair_free(&pair);
	nested.header.tick_progress = INT64_MAX; /* longer than the whole recording */
	pair = pair_made(&shadow, &nested, 100);
	ck_assert_uint_eq(pair.tick_progress, INT64_MAX);
	dav2m_pair_free(&pair);
	dav2m_trace_free(&shadow);
	dav2m_trace_free(&nested);
}
END_TEST

/* Lines without progress, at the beginning, in the middle and at the end, lose nothing. */
START_TEST(ticks_without_progress)
{
	static const uint64_t s[][2] = {{0, 1}, {10, 2}, {0, 4}, {10, 8}, {0, 16}};
	static const uint64_t n[][2] = {{0, 3}, {10, 5}, {0, 2}, {10, 5}, {0, 7}};
	struct dav2m_trace shadow = trace_of(DAV2M_TRACE_SHADOW, s, 5);
	struct dav2m_trace nested = trace_of(DAV2M_TRACE_NESTED, n, 5);
	struct dav2m_pair pair = pair_made(&shadow, &nested, 0);

	ck_assert_uint_eq(pair.ticks, 2);
	ck_assert_uint_eq(sum(pair.tick[DAV2M_SHADOW], 2, DAV2M_CYCLES), 31);
	ck_assert_uint_eq(sum(pair.tick[DAV2M_NESTED], 2, DAV2M_CYCLES), 22);
	ck_assert_uint_eq(pair.tick[DAV2M_NESTED][0].value[DAV2M_CYCLES], 3 + 5 + 2);
	dav2m_pair_free(&pair);
	dav2m_trace_free(&shadow);
	dav2m_trace_free(&nested);
}
END_TEST

static struct dav2m_trace random_trace(enum dav2m_trace_mode mode, uint64_t total, uint64_t largest,
				       uint64_t *state)
{
	uint64_t(*rows)[2] = calloc(400, sizeof(*rows));
	struct dav2m_trace trace;
	size_t n = 0;

	ck_assert_ptr_nonnull(rows);
	while (total) {
		uint64_t progress = random_next(state) % largest;

		if (progress > total || n == 398)
			progress = total;
		rows[n][0] = progress;
		rows[n++][1] = random_next(state) >> 10;
		total -= progress;
	}
	trace = trace_of(mode, (const uint64_t(*)[2])rows, n);
	free(rows);
	return trace;
}

/* Large numbers too: 54-bit values times 60-bit progress need more than 64 bits. */
START_TEST(sums_preserved)
{
	uint64_t state = (uint64_t)_i + 1;
	uint64_t total = (random_next(&state) >> (random_next(&state) % 50 + 4)) + 1;
	uint64_t other = total + random_next(&state) % (total / 100 + 1);
	struct dav2m_trace shadow = random_trace(DAV2M_TRACE_SHADOW, total, total / 20 + 2, &state);
	struct dav2m_trace nested = random_trace(DAV2M_TRACE_NESTED, other, other / 50 + 2, &state);
	struct dav2m_pair pair = pair_made(&shadow, &nested, 100);
	size_t i;

	ck_assert_uint_eq(sum(pair.tick[DAV2M_SHADOW], pair.ticks, DAV2M_CYCLES),
			  sum(shadow.tick, shadow.ticks, DAV2M_CYCLES));
	ck_assert_uint_eq(sum(pair.tick[DAV2M_NESTED], pair.ticks, DAV2M_CYCLES),
			  sum(nested.tick, nested.ticks, DAV2M_CYCLES));
	ck_assert_uint_eq(sum(pair.tick[DAV2M_NESTED], pair.ticks, DAV2M_PROGRESS), total);
	ck_assert_uint_eq(pair.total[DAV2M_NESTED].value[DAV2M_PROGRESS], total);
	for (i = 0; i < pair.ticks; i++) {
		ck_assert_uint_gt(pair.tick[DAV2M_SHADOW][i].value[DAV2M_PROGRESS], 0);
		ck_assert_uint_eq(pair.tick[DAV2M_SHADOW][i].value[DAV2M_PROGRESS],
				  pair.tick[DAV2M_NESTED][i].value[DAV2M_PROGRESS]);
	}
	dav2m_pair_free(&pair);
	dav2m_trace_free(&shadow);
	dav2m_trace_free(&nested);
}
END_TEST

START_TEST(stretched)
{
	static const uint64_t s[][2] = {{100, 5}, {100, 6}};
	static const uint64_t n[][2] = {{99, 40}, {99, 41}};
	struct dav2m_trace shadow = trace_of(DAV2M_TRACE_SHADOW, s, 2);
	struct dav2m_trace nested = trace_of(DAV2M_TRACE_NESTED, n, 2);
	struct dav2m_pair pair = pair_made(&shadow, &nested, 100);

	ck_assert_uint_eq(pair.tick[DAV2M_NESTED][0].value[DAV2M_CYCLES], 40);
	ck_assert_uint_eq(pair.tick[DAV2M_NESTED][1].value[DAV2M_CYCLES], 41);
	dav2m_pair_free(&pair);
	pair_refused(&shadow, &nested, 99, DAV2M_HOST_MISMATCH,
		     "200 in the shadow recording and 198 in the nested one, which is 2 less "
		     "(1.0000 %); at most 0.99 % is allowed");
	nested.tick[0].value[DAV2M_PROGRESS] = 102;
	pair_refused(&shadow, &nested, 0, DAV2M_HOST_MISMATCH, "1 more (0.5000 %)");
	dav2m_trace_free(&shadow);
	dav2m_trace_free(&nested);
}
END_TEST

START_TEST(missing_counters)
{
	static const uint64_t s[][2] = {{10, 5}, {10, 6}};
	static const uint64_t n[][2] = {{5, 1}, {10, 2}, {5, 3}};
	const uint32_t exits = DAV2M_BIT(DAV2M_PAGING_EXITS);
	const uint32_t misses = DAV2M_BIT(DAV2M_TLB_MISSES);
	struct dav2m_trace shadow = trace_of(DAV2M_TRACE_SHADOW, s, 2);
	struct dav2m_trace nested = trace_of(DAV2M_TRACE_NESTED, n, 3);
	struct dav2m_pair pair;

	shadow.header.columns |= exits;
	shadow.tick[0].valid |= exits;
	shadow.tick[0].value[DAV2M_PAGING_EXITS] = 9;
	nested.header.columns |= misses;
	nested.tick[0].valid |= misses;
	nested.tick[0].value[DAV2M_TLB_MISSES] = 4;
	nested.tick[2].valid |= misses;
	pair = pair_made(&shadow, &nested, 0);
	/* Exits: none under nested paging, known wherever the shadow recording knows them. */
	ck_assert_uint_eq(pair.tick[DAV2M_NESTED][0].valid & exits, exits);
	ck_assert_uint_eq(pair.tick[DAV2M_NESTED][0].value[DAV2M_PAGING_EXITS], 0);
	ck_assert_uint_eq(pair.tick[DAV2M_NESTED][1].valid & exits, 0);
	/* Misses: the middle row of the nested recording does not know and touches both ticks. */
	ck_assert_uint_eq(pair.tick[DAV2M_NESTED][0].valid & misses, 0);
	ck_assert_uint_eq(pair.tick[DAV2M_NESTED][1].valid & misses, 0);
	dav2m_pair_free(&pair);
	nested.tick[1].valid |= misses;
	pair = pair_made(&shadow, &nested, 0);
	ck_assert_uint_eq(pair.tick[DAV2M_NESTED][0].valid & misses, misses);
	ck_assert_uint_eq(pair.total[DAV2M_NESTED].valid & misses, misses);
	dav2m_pair_free(&pair);
	dav2m_trace_free(&shadow);
	dav2m_trace_free(&nested);
}
END_TEST

START_TEST(switch_costs)
{
	static const uint64_t row[][2] = {{10, 5}};
	struct dav2m_trace shadow = trace_of(DAV2M_TRACE_SHADOW, row, 1);
	struct dav2m_trace nested = trace_of(DAV2M_TRACE_NESTED, row, 1);
	struct dav2m_pair pair = pair_made(&shadow, &nested, 0);

	ck_assert_uint_eq(pair.switch_known, 0);
	dav2m_pair_free(&pair);
	shadow.header.switch_known = 3;
	shadow.header.switch_cycles[DAV2M_SHADOW] = 1;
	shadow.header.switch_cycles[DAV2M_NESTED] = 2;
	nested.header.switch_known = DAV2M_BIT(DAV2M_SHADOW);
	nested.header.switch_cycles[DAV2M_SHADOW] = 3;
	pair = pair_made(&shadow, &nested, 0);
	ck_assert_uint_eq(pair.switch_known, 3);
	ck_assert_uint_eq(pair.switch_cycles[DAV2M_SHADOW], 3);
	ck_assert_uint_eq(pair.switch_cycles[DAV2M_NESTED], 2);
	dav2m_pair_free(&pair);
	dav2m_trace_free(&shadow);
	dav2m_trace_free(&nested);
}
END_TEST

START_TEST(refused)
{
	static const uint64_t row[][2] = {{10, 5}, {10, 6}};
	static const uint64_t none[][2] = {{0, 5}, {0, 6}};
	struct dav2m_trace shadow = trace_of(DAV2M_TRACE_SHADOW, row, 2);
	struct dav2m_trace nested = trace_of(DAV2M_TRACE_NESTED, row, 2);
	struct dav2m_trace idle = trace_of(DAV2M_TRACE_NESTED, none, 2);

	pair_refused(&nested, &shadow, 0, DAV2M_HOST_MISMATCH,
		     "shadow: mode is nested, but the first recording must be shadow");
	pair_refused(&shadow, &shadow, 0, DAV2M_HOST_MISMATCH,
		     "nested: mode is shadow, but the second recording must be nested");
	pair_refused(&shadow, &idle, 0, DAV2M_HOST_MISMATCH, "nested recording has no progress");
	idle.header.mode = DAV2M_TRACE_SHADOW;
	pair_refused(&idle, &nested, 0, DAV2M_HOST_MISMATCH, "shadow recording has no progress");
	strcpy(nested.header.progress_unit, "steps");
	pair_refused(&shadow, &nested, 0, DAV2M_HOST_MISMATCH, "progress_unit is ''");
	nested.header.progress_unit[0] = 0;
	nested.tick[1].valid = DAV2M_BIT(DAV2M_PROGRESS);
	pair_refused(&shadow, &nested, 0, DAV2M_HOST_FORMAT,
		     "(memory):6: cycles is not available in this tick");
	nested.tick[1].valid = DAV2M_BIT(DAV2M_CYCLES);
	pair_refused(&shadow, &nested, 0, DAV2M_HOST_FORMAT, "(memory):6: progress is not");
	shadow.tick[0].value[DAV2M_CYCLES] = INT64_MAX;
	pair_refused(&shadow, &nested, 0, DAV2M_HOST_FORMAT, "(memory):6: cycles sums to more");
	pair_refused(NULL, &nested, 0, DAV2M_HOST_ARGUMENT, "NULL");
	dav2m_pair_free(NULL);
	dav2m_trace_free(&shadow);
	dav2m_trace_free(&nested);
	dav2m_trace_free(&idle);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pair");
	TCase *all = tcase_create("pair");
	SRunner *runner;
	int failed;

	tcase_add_test(all, boundaries_differ);
	tcase_add_test(all, long_lines_whole);
	tcase_add_test(all, no_gain_out_of_long_lines);
	tcase_add_test(all, tick_progress_stretched);
	tcase_add_test(all, ticks_without_progress);
	tcase_add_loop_test(all, sums_preserved, 0, 50);
	tcase_add_test(all, stretched);
	tcase_add_test(all, missing_counters);
	tcase_add_test(all, switch_costs);
	tcase_add_test(all, refused);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
