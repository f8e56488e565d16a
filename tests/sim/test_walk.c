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

int main(void)
{
	Suite *suite = suite_create("sim walk");
	TCase *tcase = tcase_create("walk");

	tcase_add_loop_test(tcase, walks_have_their_length, 0,
			    (int)(sizeof(mixes) / sizeof(mixes[0])));
	tcase_add_test(tcase, walk_cache_shortens);
	tcase_add_test(tcase, nested_tlb_is_keyed_by_guest_physical);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
