/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two LRU structures against the naive one: the same hits on every reference.
 */
#include <check.h>
#include <stdlib.h>

#include "naive.h"
#include "tlb.h"

/* Pages: mostly a small hot set, sometimes anything; with neighbours in other sets. */
static uint64_t page_draw(uint64_t *state)
{
	const uint64_t r = naive_random(state);

	switch (r % 8) {
	case 0:
		return naive_random(state) % 100000;
	case 1:
	case 2:
		return naive_random(state) % 300;
	default:
		return naive_random(state) % 40 * 4096;
	}
}

static void compare_tlb(unsigned entries, unsigned ways, int with_rebase)
{
	struct sim_tlb *tlb = malloc(sizeof(*tlb));
	struct naive *naive = malloc(sizeof(*naive));
	uint64_t state = entries * 1000 + ways;
	unsigned i;

	sim_tlb_init(tlb, entries, ways);
	naive_init(naive, entries, ways);
	for (i = 0; i < 200000; i++) {
		const uint64_t page = page_draw(&state);
		const int hit = sim_tlb_use(tlb, sim_key(page, 0)) >= 0;

		ck_assert_msg(hit == naive_use(naive, page), "reference %u, page %llu", i,
			      (unsigned long long)page);
		if (!hit) {
			sim_tlb_put(tlb, sim_key(page, 0), 0);
			naive_insert(naive, page);
		}
		if (i % 97 == 0) {
			sim_tlb_remove(tlb, sim_key(page, 0));
			naive_remove(naive, page);
		}
		if (i % 5003 == 0) {
			sim_tlb_flush(tlb);
			naive_flush(naive);
		}
		if (with_rebase && i % 1009 == 0)
			sim_tlb_rebase(tlb);
	}
	free(tlb);
	free(naive);
}

START_TEST(fully_associative_is_exact)
{
	compare_tlb(48, 48, 0);
	compare_tlb(32, 32, 0);
	compare_tlb(1, 1, 0);
	compare_tlb(255, 255, 0);
}
END_TEST

START_TEST(set_associative_is_exact)
{
	compare_tlb(64, 4, 0);
	compare_tlb(16, 1, 0);
	compare_tlb(192, 6, 0);
}
END_TEST

START_TEST(rebasing_keeps_the_order)
{
	compare_tlb(48, 48, 1);
	compare_tlb(64, 4, 1);
}
END_TEST

START_TEST(stamps_may_reach_their_end)
{
	struct sim_tlb *tlb = malloc(sizeof(*tlb));

	sim_tlb_init(tlb, 2, 2);
	tlb->clock = UINT32_MAX - 2;
	sim_tlb_put(tlb, sim_key(1, 0), 0);
	sim_tlb_put(tlb, sim_key(2, 0), 0);
	/* The clock is at its end: this use and the following insertion renumber. */
	ck_assert_int_ge(sim_tlb_use(tlb, sim_key(1, 0)), 0);
	sim_tlb_put(tlb, sim_key(3, 0), 0);
	ck_assert_int_ge(sim_tlb_find(tlb, sim_key(1, 0)), 0);
	ck_assert_int_lt(sim_tlb_find(tlb, sim_key(2, 0)), 0);
	free(tlb);
}
END_TEST

static void compare_sets(unsigned entries, unsigned ways)
{
	struct sim_sets sets;
	struct naive *naive = malloc(sizeof(*naive));
	uint64_t state = entries + ways;
	uint64_t tag;
	uint32_t frame;
	unsigned i;

	ck_assert_int_eq(sim_sets_init(&sets, entries, ways), 0);
	naive_init(naive, entries, ways);
	for (i = 0; i < 200000; i++) {
		const uint64_t page = page_draw(&state);
		const int hit = sim_sets_use(&sets, sim_key(page, 0), &tag, &frame);

		ck_assert_int_eq(hit, naive_use(naive, page));
		if (hit)
			ck_assert_uint_eq(frame, (uint32_t)page + 7);
		if (!hit) {
			sim_sets_insert(&sets, sim_key(page, 0), (uint32_t)page + 7);
			naive_insert(naive, page);
		}
		if (i % 97 == 0) {
			sim_sets_remove(&sets, sim_key(page, 0));
			naive_remove(naive, page);
		}
		if (i % 50021 == 0) {
			sim_sets_flush(&sets);
			naive_flush(naive);
		}
	}
	sim_sets_free(&sets);
	free(naive);
}

START_TEST(second_level_is_exact)
{
	compare_sets(512, 4);
	compare_sets(128, 2);
	compare_sets(16, 8);
	compare_sets(8, 8);
}
END_TEST

START_TEST(page_sizes_do_not_mix)
{
	struct sim_tlb *tlb = malloc(sizeof(*tlb));

	sim_tlb_init(tlb, 8, 8);
	sim_tlb_put(tlb, sim_key(5, 1), 0);
	ck_assert_int_lt(sim_tlb_find(tlb, sim_key(5, 0)), 0);
	ck_assert_int_ge(sim_tlb_find(tlb, sim_key(5, 1)), 0);
	free(tlb);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim tlb");
	TCase *tcase = tcase_create("tlb");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, fully_associative_is_exact);
	tcase_add_test(tcase, set_associative_is_exact);
	tcase_add_test(tcase, rebasing_keeps_the_order);
	tcase_add_test(tcase, stamps_may_reach_their_end);
	tcase_add_test(tcase, second_level_is_exact);
	tcase_add_test(tcase, page_sizes_do_not_mix);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
