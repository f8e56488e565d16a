/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shadow engine's exits on sequences made by hand: how many, and of which kind.
 */
#include "rig.h"
#include "routine.h"

#define A 0x12345ull

/* Exits of all kinds since the last call. */
struct exits {
	unsigned inject, fill, emulate, unsync, remove, invlpg, cr3;
};

static struct dav2m_sim_counts last;

static void expect(const struct dav2m_sim *sim, struct exits want)
{
	const struct dav2m_sim_counts now = rig_counts(sim);
	uint64_t got[DAV2M_SIM_EXIT_KINDS];
	int i;

	for (i = 0; i < DAV2M_SIM_EXIT_KINDS; i++)
		got[i] = now.exits[i] - last.exits[i];
	last = now;
	ck_assert_uint_eq(got[DAV2M_SIM_EXIT_INJECT], want.inject);
	ck_assert_uint_eq(got[DAV2M_SIM_EXIT_FILL], want.fill);
	ck_assert_uint_eq(got[DAV2M_SIM_EXIT_EMULATE], want.emulate);
	ck_assert_uint_eq(got[DAV2M_SIM_EXIT_UNSYNC], want.unsync);
	ck_assert_uint_eq(got[DAV2M_SIM_EXIT_REMOVE], want.remove);
	ck_assert_uint_eq(got[DAV2M_SIM_EXIT_INVLPG], want.invlpg);
	ck_assert_uint_eq(got[DAV2M_SIM_EXIT_CR3], want.cr3);
	ck_assert_uint_eq(got[DAV2M_SIM_EXIT_NESTED], 0);
}

static struct dav2m_sim *shadow_new(const char *cost)
{
	struct dav2m_sim_config config = rig_config(DAV2M_SIM_SHADOW);
	struct dav2m_sim *sim;

	config.cost = dav2m_sim_cost_find(cost);
	sim = rig_new(&config);
	last = rig_counts(sim);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	expect(sim, (struct exits){.cr3 = 1});
	return sim;
}

START_TEST(virtual_tlb_counts)
{
	struct dav2m_sim *sim = shadow_new("palacios2011");

	/* First touch: the guest's fault, its write to the root it runs on, the fill. */
	rig_touch(sim, DAV2M_SIM_STORE, A);
	expect(sim, (struct exits){.inject = 1, .emulate = 1, .fill = 1});
	/* Same leaf table, now shadowed: the first write lets it go out of sync, */
	rig_touch(sim, DAV2M_SIM_STORE, A + 1);
	expect(sim, (struct exits){.inject = 1, .unsync = 1, .fill = 1});
	/* further ones are free: two exits per fault. */
	rig_touch(sim, DAV2M_SIM_STORE, A + 2);
	expect(sim, (struct exits){.inject = 1, .fill = 1});
	/* A CR3 write brings it back; the shadow tables of both roots stay. */
	rig_event(sim, DAV2M_SIM_SWITCH, 0, 0, 0);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	expect(sim, (struct exits){.cr3 = 2});
	ck_assert_uint_eq(rig_counts(sim).resyncs, 1);
	rig_touch(sim, DAV2M_SIM_STORE, A + 1);
	expect(sim, (struct exits){0});
	/* A read shows the zero page; the write after it is copy-on-write. */
	rig_touch(sim, DAV2M_SIM_LOAD, A + 3);
	expect(sim, (struct exits){.inject = 1, .unsync = 1, .fill = 1});
	rig_touch(sim, DAV2M_SIM_STORE, A + 3);
	expect(sim, (struct exits){.inject = 1, .invlpg = 1});
	dav2m_sim_free(sim);
}
END_TEST

static uint64_t calls(const struct dav2m_sim *sim, enum dav2m_sim_routine_id id)
{
	struct dav2m_sim_routine routine[DAV2M_SIM_ROUTINES];

	dav2m_sim_routines(sim, routine);
	return routine[id].calls;
}

START_TEST(routines_are_what_exits_take)
{
	const struct dav2m_sim_price *price = dav2m_sim_cost_find("xen304")->price;
	struct dav2m_sim_routine routine[DAV2M_SIM_ROUTINES], *r;
	struct dav2m_sim *sim = shadow_new("xen304");
	const uint64_t fill = price[DAV2M_SIM_FILL].cycles;
	const uint64_t inject = price[DAV2M_SIM_INJECT].cycles;
	const uint64_t make = price[DAV2M_SIM_MAKE].cycles;

	dav2m_sim_routines_clear(sim);
	dav2m_sim_routines(sim, routine);
	ck_assert_uint_eq(routine[DAV2M_SIM_ROUTINE_UPDATE_CR3].calls, 0);
	/* Injected, the new tables' entry emulated in the root, filled with three tables made. */
	rig_touch(sim, DAV2M_SIM_STORE, A);
	/* Injected and emulated; the emulated write has brought the entry along. */
	rig_touch(sim, DAV2M_SIM_STORE, A + 1);
	dav2m_sim_routines(sim, routine);
	ck_assert_uint_eq(routine[DAV2M_SIM_ROUTINE_MAKE_SHADOW].calls, 3);
	ck_assert_uint_eq(routine[DAV2M_SIM_ROUTINE_EMULATE_WRITE].calls, 2);
	ck_assert_uint_eq(routine[DAV2M_SIM_ROUTINE_GUEST_WALK].calls, 3);
	ck_assert_uint_eq(routine[DAV2M_SIM_ROUTINE_NESTED_FAULT].calls, 0);
	r = &routine[DAV2M_SIM_ROUTINE_PAGE_FAULT];
	ck_assert_uint_eq(r->calls, 5);
	ck_assert_uint_eq(r->calls, routine[DAV2M_SIM_ROUTINE_FAULT_FIXED].calls +
					    routine[DAV2M_SIM_ROUTINE_NOT_SHADOW].calls);
	ck_assert_uint_eq(r->least_cycles, inject);
	ck_assert_uint_eq(r->most_cycles, fill + 3 * make);
	ck_assert_uint_eq(r->cycles, 2 * inject + 3 * fill + 3 * make);
	ck_assert_uint_eq(r->squares_low, 2 * inject * inject + 2 * fill * fill +
						  (fill + 3 * make) * (fill + 3 * make));
	ck_assert_uint_eq(r->squares_high, 0);
	rig_event(sim, DAV2M_SIM_SWITCH, 0, 0, 0);
	ck_assert_uint_eq(calls(sim, DAV2M_SIM_ROUTINE_UPDATE_CR3), 1);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(sums_of_squares_carry)
{
	struct dav2m_sim_routine r = {0};

	sim_routine_take(&r, 0, 7);
	ck_assert_uint_eq(r.calls, 0);
	sim_routine_take(&r, 3, UINT32_MAX);
	ck_assert_uint_eq(r.calls, 3);
	ck_assert_uint_eq(r.cycles, 3ull * UINT32_MAX);
	/* 3 (2^32 - 1)^2 = 3 2^64 - 6 2^32 + 3 */
	ck_assert_uint_eq(r.squares_high, 2);
	ck_assert_uint_eq(r.squares_low, 3 - 6ull * (1ull << 32));
	ck_assert_str_eq(dav2m_sim_routine_name(DAV2M_SIM_ROUTINE_NESTED_FAULT), "nested_fault");
	ck_assert_str_eq(dav2m_sim_routine_name((enum dav2m_sim_routine_id)DAV2M_SIM_ROUTINES),
			 "?");
}
END_TEST

START_TEST(unmapping_empties_the_tables)
{
	struct dav2m_sim *sim = shadow_new("palacios2011");

	rig_touch(sim, DAV2M_SIM_STORE, A);
	rig_touch(sim, DAV2M_SIM_STORE, A + 1);
	last = rig_counts(sim);
	/* Out of sync already: the entries are free. The three entries above are emulated. */
	rig_event(sim, DAV2M_SIM_UNMAP, A * PAGE, 2 * PAGE, 0);
	expect(sim, (struct exits){.emulate = 3, .cr3 = 1});
	rig_event(sim, DAV2M_SIM_EXIT_PROCESS, 0, 0, 0);
	expect(sim, (struct exits){.cr3 = 1});
	/* The next process gets the root's frame, which the VMM still protects. */
	rig_event(sim, DAV2M_SIM_SWITCH, 2, 0, 0);
	expect(sim, (struct exits){.remove = 1, .cr3 = 1});
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(emulating_propagates)
{
	struct dav2m_sim *sim = shadow_new("xen304");

	rig_touch(sim, DAV2M_SIM_STORE, A);
	expect(sim, (struct exits){.inject = 1, .emulate = 1, .fill = 1});
	/* The emulated write fills the shadow entry, too: no fill exit. */
	rig_touch(sim, DAV2M_SIM_STORE, A + 1);
	expect(sim, (struct exits){.inject = 1, .emulate = 1});
	/* Each entry that munmap clears is emulated, and the three above. */
	rig_event(sim, DAV2M_SIM_UNMAP, A * PAGE, 2 * PAGE, 0);
	expect(sim, (struct exits){.emulate = 5, .cr3 = 1});
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(fork_write_protects)
{
	struct dav2m_sim *sim = shadow_new("palacios2011");

	rig_touch(sim, DAV2M_SIM_STORE, A);
	rig_touch(sim, DAV2M_SIM_STORE, A + 1);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0); /* the same process: no CR3 write */
	rig_event(sim, DAV2M_SIM_SWITCH, 0, 0, 0);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	last = rig_counts(sim);
	/* The parent's leaf table changes twice, one exit; the child's has no shadow yet. */
	rig_event(sim, DAV2M_SIM_FORK, 2, 0, 0);
	expect(sim, (struct exits){.unsync = 1, .cr3 = 1});
	/* The parent's write: found copy-on-write, copied, invalidated. */
	rig_touch(sim, DAV2M_SIM_STORE, A);
	expect(sim, (struct exits){.inject = 1, .unsync = 1, .invlpg = 1});
	dav2m_sim_free(sim);
}
END_TEST

/* 2 MB, and 1 GB. */
START_TEST(large_guest_pages_are_splintered)
{
	struct dav2m_sim_config config = rig_config(DAV2M_SIM_SHADOW);
	struct dav2m_sim *sim;
	uint64_t frame, found;
	int i;

	config.guest_page = _i ? DAV2M_SIM_1G : DAV2M_SIM_2M;
	config.guest_bytes = 2ull << 30;
	sim = rig_new(&config);
	rig_touch(sim, DAV2M_SIM_STORE, 0x400);
	last = rig_counts(sim);
	/* One guest fault brings in all of it, each 4 KB of it needs a shadow entry. */
	for (i = 1; i < 8; i++)
		rig_touch(sim, DAV2M_SIM_STORE, 0x400ull + (unsigned)i);
	expect(sim, (struct exits){.fill = 7});
	ck_assert_int_eq(dav2m_sim_lookup(sim, 0x407, &frame), 0);
	ck_assert_int_eq(dav2m_sim_tlb_lookup(sim, DAV2M_SIM_DATA, 0x407, &found), 0);
	ck_assert_uint_eq(frame, found);
	rig_event(sim, DAV2M_SIM_UNMAP, 0x400 * PAGE, 512 * PAGE, 0);
	last = rig_counts(sim);
	rig_touch(sim, DAV2M_SIM_STORE, 0x407);
	ck_assert_uint_eq(rig_counts(sim).faults, last.faults + 1);
	dav2m_sim_free(sim);
}
END_TEST

/* The direct part of a switch is small; the transient is the fills that follow. */
START_TEST(switching_drops_shadow_tables)
{
	struct dav2m_sim *sim = shadow_new("palacios2011");
	struct dav2m_sim_counts before;
	unsigned i;

	for (i = 0; i < 100; i++)
		rig_touch(sim, DAV2M_SIM_STORE, A + i);
	before = rig_counts(sim);
	ck_assert_int_eq(dav2m_sim_switch(sim, DAV2M_NESTED), 0);
	for (i = 0; i < 100; i++)
		rig_touch(sim, DAV2M_SIM_STORE, A + i);
	ck_assert_uint_gt(rig_counts(sim).exits[DAV2M_SIM_EXIT_NESTED], 0);
	last = rig_counts(sim);
	ck_assert_uint_eq(dav2m_sim_paging_exits(&last), dav2m_sim_paging_exits(&before));
	ck_assert_int_eq(dav2m_sim_switch(sim, DAV2M_SHADOW), 0);
	ck_assert_uint_gt(rig_counts(sim).shadow_dropped, 0);
	for (i = 0; i < 100; i++)
		rig_touch(sim, DAV2M_SIM_STORE, A + i);
	expect(sim, (struct exits){.fill = 100});
	/* Nested tables have been kept: the second time there is nothing to fill. */
	ck_assert_int_eq(dav2m_sim_switch(sim, DAV2M_NESTED), 0);
	for (i = 0; i < 100; i++)
		rig_touch(sim, DAV2M_SIM_STORE, A + i);
	ck_assert_uint_eq(rig_counts(sim).exits[DAV2M_SIM_EXIT_NESTED],
			  last.exits[DAV2M_SIM_EXIT_NESTED]);
	dav2m_sim_free(sim);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim shadow");
	TCase *tcase = tcase_create("shadow");

	tcase_add_test(tcase, virtual_tlb_counts);
	tcase_add_test(tcase, routines_are_what_exits_take);
	tcase_add_test(tcase, sums_of_squares_carry);
	tcase_add_test(tcase, unmapping_empties_the_tables);
	tcase_add_test(tcase, emulating_propagates);
	tcase_add_test(tcase, fork_write_protects);
	tcase_add_loop_test(tcase, large_guest_pages_are_splintered, 0, 2);
	tcase_add_test(tcase, switching_drops_shadow_tables);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
