/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many page-table entries a walk reads: every mix of table depth, guest page and nested page.
 */
#include "rig.h"

struct mix {
	enum dav2m_sim_mode mode;
	enum dav2m_sim_tables tables;
	enum dav2m_sim_page guest_page;
	enum dav2m_sim_page nested_page;
	unsigned refs;
};

static const struct mix mixes[] = {
	{DAV2M_SIM_NATIVE, DAV2M_SIM_LEVELS_4, DAV2M_SIM_4K, DAV2M_SIM_4K, 4},
	{DAV2M_SIM_NATIVE, DAV2M_SIM_LEVELS_4, DAV2M_SIM_2M, DAV2M_SIM_4K, 3},
	{DAV2M_SIM_NATIVE, DAV2M_SIM_LEVELS_2, DAV2M_SIM_4K, DAV2M_SIM_4K, 2},
	{DAV2M_SIM_NATIVE, DAV2M_SIM_LEVELS_2, DAV2M_SIM_2M, DAV2M_SIM_4K, 1},
	{DAV2M_SIM_NATIVE, DAV2M_SIM_LEVELS_5, DAV2M_SIM_4K, DAV2M_SIM_4K, 5},
	{DAV2M_SIM_NATIVE, DAV2M_SIM_LEVELS_5, DAV2M_SIM_2M, DAV2M_SIM_4K, 4},
	/* shadow tables have 4K entries, whatever the guest has */
	{DAV2M_SIM_SHADOW, DAV2M_SIM_LEVELS_4, DAV2M_SIM_4K, DAV2M_SIM_4K, 4},
	{DAV2M_SIM_SHADOW, DAV2M_SIM_LEVELS_4, DAV2M_SIM_2M, DAV2M_SIM_2M, 4},
	{DAV2M_SIM_SHADOW, DAV2M_SIM_LEVELS_2, DAV2M_SIM_4K, DAV2M_SIM_2M, 2},
	{DAV2M_SIM_SHADOW, DAV2M_SIM_LEVELS_2, DAV2M_SIM_2M, DAV2M_SIM_2M, 2},
	{DAV2M_SIM_SHADOW, DAV2M_SIM_LEVELS_5, DAV2M_SIM_4K, DAV2M_SIM_4K, 5},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_4, DAV2M_SIM_4K, DAV2M_SIM_4K, 24},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_4, DAV2M_SIM_4K, DAV2M_SIM_2M, 19},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_4, DAV2M_SIM_4K, DAV2M_SIM_1G, 14},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_4, DAV2M_SIM_2M, DAV2M_SIM_4K, 19},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_4, DAV2M_SIM_2M, DAV2M_SIM_2M, 15},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_4, DAV2M_SIM_2M, DAV2M_SIM_1G, 11},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_2, DAV2M_SIM_4K, DAV2M_SIM_4K, 14},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_2, DAV2M_SIM_4K, DAV2M_SIM_2M, 11},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_2, DAV2M_SIM_2M, DAV2M_SIM_4K, 9},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_2, DAV2M_SIM_2M, DAV2M_SIM_2M, 7},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_5, DAV2M_SIM_4K, DAV2M_SIM_4K, 29},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_5, DAV2M_SIM_2M, DAV2M_SIM_2M, 19},
	{DAV2M_SIM_NATIVE, DAV2M_SIM_LEVELS_4, DAV2M_SIM_1G, DAV2M_SIM_4K, 2},
	{DAV2M_SIM_NATIVE, DAV2M_SIM_LEVELS_5, DAV2M_SIM_1G, DAV2M_SIM_4K, 3},
	{DAV2M_SIM_SHADOW, DAV2M_SIM_LEVELS_4, DAV2M_SIM_1G, DAV2M_SIM_4K, 4},
	{DAV2M_SIM_SHADOW, DAV2M_SIM_LEVELS_5, DAV2M_SIM_1G, DAV2M_SIM_4K, 5},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_4, DAV2M_SIM_1G, DAV2M_SIM_4K, 14},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_4, DAV2M_SIM_1G, DAV2M_SIM_2M, 11},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_4, DAV2M_SIM_1G, DAV2M_SIM_1G, 8},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_5, DAV2M_SIM_4K, DAV2M_SIM_2M, 23},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_5, DAV2M_SIM_4K, DAV2M_SIM_1G, 17},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_5, DAV2M_SIM_2M, DAV2M_SIM_4K, 24},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_5, DAV2M_SIM_2M, DAV2M_SIM_1G, 14},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_5, DAV2M_SIM_1G, DAV2M_SIM_4K, 19},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_5, DAV2M_SIM_1G, DAV2M_SIM_2M, 15},
	{DAV2M_SIM_NESTED, DAV2M_SIM_LEVELS_5, DAV2M_SIM_1G, DAV2M_SIM_1G, 11},
};

/* References of one walk for a page whose tables are all in place, with cold TLBs. */
static uint64_t warm_walk(const struct mix *mix, const struct dav2m_sim_machine *machine)
{
	struct dav2m_sim_config config = rig_config(mix->mode);
	struct dav2m_sim_cost cost = *config.cost;
	struct dav2m_sim_counts before, after;
	struct dav2m_sim *sim;

	cost.nested_page = mix->nested_page;
	config.cost = &cost;
	config.tables = mix->tables;
	config.guest_page = mix->guest_page;
	if (mix->guest_page == DAV2M_SIM_1G)
		config.guest_bytes = 2ull << 30;
	if (machine != NULL)
		config.machine = machine;
	sim = rig_new(&config);
	rig_touch(sim, DAV2M_SIM_STORE, 0x12345);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	rig_event(sim, DAV2M_SIM_SWITCH, 0, 0, 0);
	before = rig_counts(sim);
	rig_touch(sim, DAV2M_SIM_LOAD, 0x12345);
	after = rig_counts(sim);
	ck_assert_uint_eq(after.walks - before.walks, 1);
	ck_assert_uint_eq(after.l2_misses[DAV2M_SIM_DATA] - before.l2_misses[DAV2M_SIM_DATA], 1);
	dav2m_sim_free(sim);
	return after.walk_refs - before.walk_refs;
}

START_TEST(walks_have_their_length)
{
	ck_assert_uint_eq(warm_walk(&mixes[_i], NULL), mixes[_i].refs);
}
END_TEST

/* A page-walk cache leaves one reference of a walk in a region it knows. */
START_TEST(walk_cache_shortens)
{
	struct dav2m_sim_machine machine = *dav2m_sim_machine_find("opteron2350-bare");
	struct dav2m_sim_config config = rig_config(DAV2M_SIM_NATIVE);
	struct dav2m_sim_counts before, after;
	struct dav2m_sim *sim;

	machine.walk_entries = 4;
	config.machine = &machine;
	sim = rig_new(&config);
	rig_touch(sim, DAV2M_SIM_STORE, 0x12345);
	rig_touch(sim, DAV2M_SIM_STORE, 0x12346);
	before = rig_counts(sim);
	rig_touch(sim, DAV2M_SIM_STORE, 0x12347);
	after = rig_counts(sim);
	/* Twice: the walk that faults, and the one after the fault. */
	ck_assert_uint_eq(after.walk_refs - before.walk_refs, 2);
	ck_assert_uint_eq(after.walk_cached - before.walk_cached, 2);
	dav2m_sim_free(sim);
}
END_TEST

/* The nested TLB is looked up by guest-physical page: two virtual pages share its entries. */
START_TEST(nested_tlb_is_keyed_by_guest_physical)
{
	struct dav2m_sim_machine machine = *dav2m_sim_machine_find("opteron2350-bare");
	struct dav2m_sim_config config = rig_config(DAV2M_SIM_NESTED);
	struct dav2m_sim_counts before, after;
	struct dav2m_sim *sim;

	machine.nested_entries = 16;
	machine.tagged = 1;
	config.machine = &machine;
	sim = rig_new(&config);
	/* Both show the zero page. */
	rig_touch(sim, DAV2M_SIM_LOAD, 0x12345);
	rig_touch(sim, DAV2M_SIM_LOAD, 0x12346);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	rig_event(sim, DAV2M_SIM_SWITCH, 0, 0, 0);
	rig_touch(sim, DAV2M_SIM_LOAD, 0x12345);
	before = rig_counts(sim);
	rig_touch(sim, DAV2M_SIM_LOAD, 0x12346);
	after = rig_counts(sim);
	/* Four guest entries; all five nested translations are known. */
	ck_assert_uint_eq(after.walk_refs - before.walk_refs, 4);
	ck_assert_uint_eq(after.walk_cached - before.walk_cached, 5);
	dav2m_sim_free(sim);
}
END_TEST

/*
 * Loads from n pages of 1 GB, two GB apart so that they fall into one set of the second level, by
 * turns with 60 small pages, more than the first level holds. Answers second-level misses after
 * the first turn.
 */
static uint64_t far_turns(unsigned n)
{
	struct dav2m_sim_config config = rig_config(DAV2M_SIM_NATIVE);
	struct dav2m_sim *sim;
	uint64_t before = 0, misses;
	unsigned turn, i;

	config.guest_page = DAV2M_SIM_1G;
	config.guest_bytes = 12ull << 30;
	sim = rig_new(&config);
	/* Pages that may only be read are small. */
	rig_event(sim, DAV2M_SIM_MAP, PAGE, 64 * PAGE, DAV2M_SIM_PROT_READ);
	for (turn = 0; turn < 4; turn++) {
		if (turn == 1)
			before = rig_counts(sim).l2_misses[DAV2M_SIM_DATA];
		for (i = 0; i < n; i++)
			rig_touch(sim, DAV2M_SIM_LOAD, (2 + 2ull * i) << 18);
		for (i = 0; i < 60; i++)
			rig_touch(sim, DAV2M_SIM_LOAD, 1 + i);
	}
	misses = rig_counts(sim).l2_misses[DAV2M_SIM_DATA] - before;
	ck_assert_uint_eq(rig_counts(sim).resident, (uint64_t)n << 18 | 60);
	dav2m_sim_free(sim);
	return misses;
}

/* The Opteron's second level has 16 entries for 1 GB pages in sets of eight. */
START_TEST(far_pages_have_a_second_level)
{
	ck_assert_uint_eq(far_turns(8), 0);
	ck_assert_uint_eq(far_turns(9), 3 * 9);
}
END_TEST

/* Where no 1 GB is left the guest takes 2 MB, and 4 KB after that; all of it comes back. */
START_TEST(large_pages_run_out)
{
	struct dav2m_sim_config config = rig_config(DAV2M_SIM_NATIVE);
	struct dav2m_sim *sim;
	uint64_t before;
	unsigned i, round;

	config.guest_page = DAV2M_SIM_1G;
	/* One aligned GB, and room above and below it. */
	config.guest_bytes = 2052ull << 20;
	sim = rig_new(&config);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	before = rig_counts(sim).pages;
	for (round = 0; round < 3; round++) {
		rig_touch(sim, DAV2M_SIM_STORE, 4ull << 18);
		ck_assert_uint_eq(rig_counts(sim).resident, 1ull << 18);
		rig_touch(sim, DAV2M_SIM_STORE, 5ull << 18);
		ck_assert_uint_eq(rig_counts(sim).resident, (1ull << 18) + 512);
		for (i = 1; i < 250; i++)
			rig_touch(sim, DAV2M_SIM_STORE, (5ull << 18) + 512 * i);
		ck_assert_uint_eq(rig_counts(sim).resident, (1ull << 18) + 512 * 250);
		rig_event(sim, DAV2M_SIM_EXIT_PROCESS, 0, 0, 0);
		rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
		ck_assert_uint_eq(rig_counts(sim).pages, before);
	}
	dav2m_sim_free(sim);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim walk");
	TCase *tcase = tcase_create("walk");

	tcase_add_loop_test(tcase, walks_have_their_length, 0,
			    (int)(sizeof(mixes) / sizeof(mixes[0])));
	tcase_add_test(tcase, walk_cache_shortens);
	tcase_add_test(tcase, nested_tlb_is_keyed_by_guest_physical);
	tcase_add_test(tcase, far_pages_have_a_second_level);
	tcase_add_test(tcase, large_pages_run_out);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
