/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The matrix multiplications: that folding changes no LRU's misses, and that every element is
 * referenced as often as the algorithm says.
 */
#include "workload_fold.h"

#include "naive.h"
#include "rig.h"

#include <string.h>

/* A walk that stays among a few pages for a while, then goes on: what folding is for. */
static uint64_t page_next(uint64_t *random, uint64_t *base)
{
	if (naive_random(random) % 37 == 0)
		*base = naive_random(random) % 300;
	return *base + naive_random(random) % (1 + *base % 19);
}

static unsigned miss(struct naive *lru, uint64_t page)
{
	if (naive_use(lru, page))
		return 0;
	naive_insert(lru, page);
	return 1;
}

START_TEST(folding_changes_no_misses)
{
	static const unsigned entries[] = {SIM_FOLD_PAGES, 16, 48, 64};
	static struct naive plain, folded;
	uint64_t word[SIM_FOLD_WORDS], random = 11, base = 0, sum = 0, folded_sum = 0;
	unsigned misses = 0, folded_misses = 0, i;
	struct sim_fold fold = {.pages = 0};
	struct sim_out out = {word, 0};
	size_t at;

	naive_init(&plain, entries[_i], entries[_i]);
	naive_init(&folded, entries[_i], entries[_i]);
	for (i = 0; i < 200000; i++) {
		const uint64_t page = page_next(&random, &base);
		const int write = naive_random(&random) % 3 == 0;

		misses += miss(&plain, page);
		sum += (page + 1) * (write ? 1000 : 1);
		sim_fold_touch(&fold, &out, write ? DAV2M_SIM_STORE : DAV2M_SIM_LOAD, page, 1);
		if (i % 1000 == 999)
			sim_fold_flush(&fold, &out);
		for (at = 0; at < out.used; at++) {
			folded_misses += miss(&folded, word[at] >> 16);
			folded_sum += ((word[at] >> 16) + 1) *
				      ((word[at] & 3) == DAV2M_SIM_STORE ? 1000 : 1) *
				      (word[at] >> 2 & DAV2M_SIM_RUN_MAX);
		}
		out.used = 0;
	}
	ck_assert_uint_gt(misses, 1000);
	ck_assert_uint_eq(misses, folded_misses);
	ck_assert_uint_eq(sum, folded_sum);
}
END_TEST

/* Long runs are cut into words; nothing is lost. */
START_TEST(long_runs_keep_their_length)
{
	uint64_t word[SIM_FOLD_WORDS], sum = 0;
	struct sim_fold fold = {.pages = 0};
	struct sim_out out = {word, 0};
	size_t at;

	sim_fold_touch(&fold, &out, DAV2M_SIM_STORE, 7, 1000000);
	sim_fold_flush(&fold, &out);
	for (at = 0; at < out.used; at++)
		sum += word[at] >> 2 & DAV2M_SIM_RUN_MAX;
	ck_assert_uint_eq(sum, 1000000);
}
END_TEST

/* References per kind to A, B, C, the workspace and everything else. */
struct tally {
	uint64_t n[5][2];
	uint64_t instructions;
	uint64_t ends; /* processes ended */
};

#define MATRICES  0x20000ull
#define WORKSPACE 0x90000ull

static unsigned place_of(uint64_t page, uint64_t pages)
{
	if (page >= MATRICES && page < MATRICES + 3 * pages)
		return (unsigned)((page - MATRICES) / pages);
	return page >= WORKSPACE && page < WORKSPACE + 0x20000 ? 3 : 4;
}

static void tally_add(struct tally *tally, const uint64_t *word, size_t n, uint64_t pages)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const unsigned kind = word[i] & 3;
		const uint64_t count = word[i] >> 2 & DAV2M_SIM_RUN_MAX;

		if (kind == DAV2M_SIM_EVENT) {
			tally->ends += (word[i] >> 2 & 0x3f) == DAV2M_SIM_EXIT_PROCESS;
			i += word[i] >> 8 & 0xff;
		} else if (kind == DAV2M_SIM_FETCH) {
			tally->instructions += count;
		} else {
			tally->n[place_of(word[i] >> 16, pages)][kind] += count;
		}
	}
}

static uint64_t matrix_pages(uint64_t x)
{
	return (8 * x * x + 8 + 4095) / 4096;
}

static struct tally run_tally(const char *name, uint32_t x)
{
	struct dav2m_sim_source *source =
		dav2m_sim_source_new(dav2m_sim_workload_find(name), 1, DAV2M_ONE_BP);
	static uint64_t word[65536];
	struct tally tally;
	size_t n;

	memset(&tally, 0, sizeof(tally));
	ck_assert_ptr_nonnull(source);
	ck_assert_int_eq(dav2m_sim_source_size(source, x), 0);
	while ((n = dav2m_sim_source_read(source, word, 65536)) > 0)
		tally_add(&tally, word, n, matrix_pages(x));
	ck_assert_int_eq(dav2m_sim_source_size(source, x), -1);
	dav2m_sim_source_free(source);
	/* The number of steps is right: the process has just ended. */
	ck_assert_uint_eq(tally.ends, 1);
	return tally;
}

/* 1800 is what of the k dimension fits CacheEdge; 72 is whole blocks, 100 and 1850 are not. */
START_TEST(atlas_touches_what_it_must)
{
	static const uint32_t sizes[] = {100, 144, 1850};
	const uint64_t x = sizes[_i], parts = x > 1800 ? 2 : 1;
	const uint64_t fill = 512 * matrix_pages(x);
	const struct tally t = run_tally("dgemm", sizes[_i]);

	ck_assert_uint_eq(t.n[0][DAV2M_SIM_LOAD], x * x);
	ck_assert_uint_eq(t.n[1][DAV2M_SIM_LOAD], x * x);
	ck_assert_uint_eq(t.n[2][DAV2M_SIM_LOAD], x * x * parts);
	ck_assert_uint_eq(t.n[0][DAV2M_SIM_STORE], fill);
	ck_assert_uint_eq(t.n[1][DAV2M_SIM_STORE], fill);
	ck_assert_uint_eq(t.n[2][DAV2M_SIM_STORE], fill + x * x * parts);
	ck_assert_uint_eq(t.n[3][DAV2M_SIM_STORE], 2 * x * x);
	/* Of the copies, two doubles a load: x^3 of A, a sixth as many of B; less what pages cut
	   off at odd places, more where blocks are not full. */
	ck_assert_uint_gt(t.n[3][DAV2M_SIM_LOAD], x * x * x / 2);
	ck_assert_uint_lt(t.n[3][DAV2M_SIM_LOAD], x * x * x * 7 / 12 * 11 / 10);
	ck_assert_uint_gt(t.instructions, x * x * x);
}
END_TEST

START_TEST(three_loops_touch_what_they_must)
{
	const uint64_t x = 130, fill = 512 * matrix_pages(x);
	const struct tally t = run_tally("dgemm-naive", 130);

	ck_assert_uint_eq(t.n[0][DAV2M_SIM_LOAD], x * x * x);
	ck_assert_uint_eq(t.n[1][DAV2M_SIM_LOAD], x * x);
	ck_assert_uint_eq(t.n[2][DAV2M_SIM_LOAD], x * x * x);
	ck_assert_uint_eq(t.n[2][DAV2M_SIM_STORE], fill + x * x * x);
}
END_TEST

START_TEST(sizes_have_a_range)
{
	struct dav2m_sim_source *source =
		dav2m_sim_source_new(dav2m_sim_workload_find("dgemm"), 1, DAV2M_ONE_BP);

	ck_assert_int_eq(dav2m_sim_source_size(source, 99), -1);
	ck_assert_int_eq(dav2m_sim_source_size(source, 4001), -1);
	ck_assert_int_eq(dav2m_sim_source_size(source, 4000), 0);
	dav2m_sim_source_free(source);
	source = dav2m_sim_source_new(dav2m_sim_workload_find("phases"), 1, DAV2M_ONE_BP);
	ck_assert_int_eq(dav2m_sim_source_size(source, 100), -1);
	dav2m_sim_source_free(source);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim dgemm");
	TCase *tcase = tcase_create("dgemm");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, folding_changes_no_misses, 0, 4);
	tcase_add_test(tcase, long_runs_keep_their_length);
	tcase_add_loop_test(tcase, atlas_touches_what_it_must, 0, 3);
	tcase_add_test(tcase, three_loops_touch_what_they_must);
	tcase_add_test(tcase, sizes_have_a_range);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
