/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring between one producer and the simulations of several modes.
 */
#define _POSIX_C_SOURCE 200809L

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "sim_fanout.h"

#define CONSUMERS 5
#define BATCHES	  200
/* The ring's size in sim_fanout.c. */
#define AHEAD_MAX 8

struct rig {
	atomic_uint put; /* batches handed over, or about to be */
	unsigned seen[CONSUMERS];
	unsigned wrong[CONSUMERS];
	unsigned ahead[CONSUMERS]; /* most that the producer was ahead */
	unsigned stop_at[CONSUMERS];
	pthread_barrier_t meeting;
};

static int consume(void *context, size_t index, const uint64_t *words, size_t n)
{
	struct rig *rig = context;
	const unsigned at = rig->seen[index]++;
	const unsigned ahead = atomic_load(&rig->put) - at;
	unsigned i;

	if (n != at % 7 + 1 || words[0] != at || words[n - 1] != at + n - 1)
		rig->wrong[index]++;
	if (ahead > rig->ahead[index])
		rig->ahead[index] = ahead;
	/* Of different speed. */
	for (i = 0; i < index * index; i++)
		sched_yield();
	return rig->seen[index] == rig->stop_at[index];
}

static void produce(struct fanout *fanout, struct rig *rig, unsigned batches)
{
	uint64_t *words;
	unsigned at, i;

	for (at = 0; at < batches; at++) {
		words = fanout_batch(fanout);
		if (!words)
			return;
		for (i = 0; i < at % 7 + 1; i++)
			words[i] = at + i;
		atomic_fetch_add(&rig->put, 1);
		fanout_put(fanout, at % 7 + 1);
	}
}

static struct rig *rig_run(const unsigned *stop_at)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct fanout *fanout;
	int i;

	for (i = 0; i < CONSUMERS; i++)
		rig->stop_at[i] = stop_at[i];
	fanout = fanout_begin(CONSUMERS, consume, rig);
	ck_assert_ptr_nonnull(fanout);
	produce(fanout, rig, BATCHES);
	fanout_end(fanout);
	for (i = 0; i < CONSUMERS; i++)
		ck_assert_uint_eq(rig->wrong[i], 0);
	return rig;
}

START_TEST(all_see_all_in_order)
{
	static const unsigned never[CONSUMERS] = {0};
	struct rig *rig = rig_run(never);
	int i;

	for (i = 0; i < CONSUMERS; i++) {
		ck_assert_uint_eq(rig->seen[i], BATCHES);
		ck_assert_uint_le(rig->ahead[i], AHEAD_MAX);
	}
	free(rig);
}
END_TEST

START_TEST(one_that_stops_holds_nobody_up)
{
	static const unsigned third[CONSUMERS] = {0, 0, 3, 0, 0};
	struct rig *rig = rig_run(third);
	int i;

	for (i = 0; i < CONSUMERS; i++)
		ck_assert_uint_eq(rig->seen[i], i == 2 ? 3 : BATCHES);
	free(rig);
}
END_TEST

START_TEST(no_consumer_no_batch)
{
	static const unsigned soon[CONSUMERS] = {1, 2, 3, 4, 5};
	struct rig *rig = rig_run(soon);
	int i;

	for (i = 0; i < CONSUMERS; i++)
		ck_assert_uint_eq(rig->seen[i], (unsigned)i + 1);
	ck_assert_uint_lt(atomic_load(&rig->put), BATCHES);
	free(rig);
}
END_TEST

static int meet(void *context, size_t index, const uint64_t *words, size_t n)
{
	struct rig *rig = context;

	(void)words;
	(void)n;
	pthread_barrier_wait(&rig->meeting);
	rig->seen[index]++;
	return 0;
}

/* All wait for all within a batch: that ends only if they are at it at the same time. */
START_TEST(consumers_run_side_by_side)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct fanout *fanout;
	int i;

	pthread_barrier_init(&rig->meeting, NULL, CONSUMERS);
	fanout = fanout_begin(CONSUMERS, meet, rig);
	ck_assert_ptr_nonnull(fanout);
	produce(fanout, rig, 20);
	fanout_end(fanout);
	for (i = 0; i < CONSUMERS; i++)
		ck_assert_uint_eq(rig->seen[i], 20);
	pthread_barrier_destroy(&rig->meeting);
	free(rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim fanout");
	TCase *tcase = tcase_create("fanout");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, all_see_all_in_order);
	tcase_add_test(tcase, one_that_stops_holds_nobody_up);
	tcase_add_test(tcase, no_consumer_no_batch);
	tcase_add_test(tcase, consumers_run_side_by_side);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
