/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Swap, on sequences whose counts can be had by hand.
 *
 * The guest has 4096 frames. Its watermarks are sqrt(16 * 16384 KB) = 512 KB = 128 frames, 160
 * and 192. Process 1 writes page after page; the fault that finds fewer than 160 free frames wakes
 * kswapd.
 */
#include "rig.h"

#define A      0x10000ull
#define FRAMES 4096u
#define LOW    160u
/* Prices that are easy to add up. */
#define SEEK   1000000u
#define MOVE   10000u

static struct dav2m_sim_cost cost;

static struct dav2m_sim_config swap_config(enum dav2m_sim_mode mode)
{
	struct dav2m_sim_config config = rig_config(mode);

	cost = *config.cost;
	cost.price[DAV2M_SIM_SWAP_SEEK].cycles = SEEK;
	cost.price[DAV2M_SIM_SWAP_PAGE].cycles = MOVE;
	config.cost = &cost;
	config.guest_bytes = FRAMES * PAGE;
	config.swap_bytes = 64ull << 20;
	return config;
}

static struct dav2m_sim *swap_new(enum dav2m_sim_mode mode)
{
	const struct dav2m_sim_config config = swap_config(mode);
	struct dav2m_sim *sim = rig_new(&config);

	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	return sim;
}

static uint32_t free_frames(const struct dav2m_sim *sim)
{
	return FRAMES - 1 - (uint32_t)rig_counts(sim).pages;
}

static int is_mapped(const struct dav2m_sim *sim, uint64_t page)
{
	uint64_t frame;

	return dav2m_sim_lookup(sim, page, &frame) == 0;
}

/* Writes fresh pages until the next fault will wake kswapd. Answers the page after the last. */
static uint64_t fill(struct dav2m_sim *sim, uint64_t page)
{
	while (free_frames(sim) >= LOW)
		rig_touch(sim, DAV2M_SIM_STORE, page++);
	return page;
}

/* Time passes until the disk has done all it was asked for. */
static void disk_rest(struct dav2m_sim *sim)
{
	rig_event(sim, DAV2M_SIM_SYSCALL, 1000000, 0, 0);
}

START_TEST(memory_that_suffices_is_not_swapped)
{
	struct dav2m_sim *sim = swap_new(DAV2M_SIM_NATIVE);
	const uint64_t end = fill(sim, A);
	struct dav2m_sim_counts c = rig_counts(sim);

	ck_assert_uint_eq(c.swap_writes + c.swap_pages + c.major_faults + c.swap_cache_faults, 0);
	ck_assert_uint_eq(c.resident, end - A);
	ck_assert_uint_eq(c.resident_peak, end - A);
	ck_assert_uint_eq(c.cycles[DAV2M_SIM_SWAP], 0);
	dav2m_sim_free(sim);
}
END_TEST

/*
 * All pages have been used, so the active list goes round once before any is taken: priorities
 * 12 to 7 look at 32 pages each, 6 to 1 at n >> priority; what that is more than n has been seen
 * twice and becomes inactive, the oldest first. Priority 0 finds these and takes them.
 */
START_TEST(the_oldest_go_first)
{
	struct dav2m_sim *sim = swap_new(DAV2M_SIM_NATIVE);
	const uint64_t end = fill(sim, A);
	const uint64_t n = end - A;
	uint64_t looked = 6 * 32, taken, i;

	for (i = 6; i >= 1; i--)
		looked += n >> i;
	ck_assert_uint_gt(looked, n);
	taken = looked - n;
	rig_touch(sim, DAV2M_SIM_STORE, end);
	for (i = 0; i <= n; i++)
		ck_assert_int_eq(is_mapped(sim, A + i), i >= taken);
	ck_assert_uint_eq(rig_counts(sim).swap_writes, taken);
	ck_assert_uint_eq(rig_counts(sim).swap_pages, taken);
	ck_assert_uint_eq(rig_counts(sim).resident, n + 1 - taken);
	ck_assert_uint_eq(rig_counts(sim).major_faults, 0);
	ck_assert_uint_eq(rig_counts(sim).context_switches, 3); /* the test's own, kswapd, back */
	dav2m_sim_free(sim);
}
END_TEST

/* Fills memory and has the first pages taken; answers how many. */
static uint64_t overflow(struct dav2m_sim *sim, uint64_t *ret_end)
{
	*ret_end = fill(sim, A);
	rig_touch(sim, DAV2M_SIM_STORE, (*ret_end)++);
	return rig_counts(sim).swap_writes;
}

START_TEST(a_used_page_gets_a_second_chance)
{
	struct dav2m_sim *sim = swap_new(DAV2M_SIM_NATIVE);
	uint64_t end, taken = overflow(sim, &end);

	/* The next in turn is inactive; it is used, and the one after it goes in its stead. */
	rig_touch(sim, DAV2M_SIM_LOAD, A + taken);
	disk_rest(sim);
	rig_touch(sim, DAV2M_SIM_STORE, end++); /* finds that the writes are done */
	end = fill(sim, end);
	rig_touch(sim, DAV2M_SIM_STORE, end);
	ck_assert(is_mapped(sim, A + taken));
	ck_assert(!is_mapped(sim, A + taken + 1));
	ck_assert_uint_eq(rig_counts(sim).major_faults + rig_counts(sim).swap_cache_faults, 0);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(a_page_that_is_being_written_comes_back_without_the_disk)
{
	struct dav2m_sim *sim = swap_new(DAV2M_SIM_NATIVE);
	uint64_t end;

	overflow(sim, &end);
	rig_touch(sim, DAV2M_SIM_LOAD, A + 1);
	ck_assert_uint_eq(rig_counts(sim).swap_cache_faults, 1);
	ck_assert_uint_eq(rig_counts(sim).major_faults, 0);
	ck_assert_uint_eq(rig_counts(sim).swap_reads, 0);
	ck_assert_uint_eq(rig_counts(sim).cycles[DAV2M_SIM_SWAP], 0);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(a_page_that_is_gone_is_read_with_its_neighbours)
{
	struct dav2m_sim *sim = swap_new(DAV2M_SIM_NATIVE);
	struct dav2m_sim_counts c;
	uint64_t end, i;

	overflow(sim, &end);
	disk_rest(sim);
	/* Slots are given in turn: page A + 10 is in slot 10, of the eight from slot 8. */
	rig_touch(sim, DAV2M_SIM_LOAD, A + 10);
	c = rig_counts(sim);
	ck_assert_uint_eq(c.major_faults, 1);
	ck_assert_uint_eq(c.swap_reads, 8);
	ck_assert_uint_eq(c.cycles[DAV2M_SIM_SWAP], SEEK + 8 * MOVE);
	for (i = 8; i < 16; i++)
		rig_touch(sim, DAV2M_SIM_LOAD, A + i);
	c = rig_counts(sim);
	ck_assert_uint_eq(c.major_faults, 1);
	ck_assert_uint_eq(c.swap_cache_faults, 7);
	/* The next eight lie just ahead. */
	rig_touch(sim, DAV2M_SIM_LOAD, A + 16);
	ck_assert_uint_eq(rig_counts(sim).cycles[DAV2M_SIM_SWAP], SEEK + 16 * MOVE);
	dav2m_sim_free(sim);
}
END_TEST

/* Writes pages until some page has been taken again. */
static void press_until_gone(struct dav2m_sim *sim, uint64_t *end, uint64_t page)
{
	unsigned i;

	for (i = 0; i < 20000 && is_mapped(sim, page); i++)
		rig_touch(sim, DAV2M_SIM_STORE, (*end)++);
	ck_assert(!is_mapped(sim, page));
}

/*
 * A page that came back and was only read is thrown away the second time; one that was written is
 * written to swap again, to the slot that it has.
 */
START_TEST(a_clean_page_is_not_written_again)
{
	struct dav2m_sim *sim = swap_new(DAV2M_SIM_NATIVE);
	const int write = _i;
	uint64_t end, fresh, writes, slots;

	overflow(sim, &end);
	disk_rest(sim);
	rig_touch(sim, write ? DAV2M_SIM_STORE : DAV2M_SIM_LOAD, A + 10);
	fresh = end;
	writes = rig_counts(sim).swap_writes;
	slots = rig_counts(sim).swap_pages;
	press_until_gone(sim, &end, A + 10);
	disk_rest(sim);
	/* Pages new to swap take a slot each; the one that comes again does not. */
	ck_assert_uint_eq(rig_counts(sim).swap_writes - writes,
			  rig_counts(sim).swap_pages - slots + (write ? 1 : 0));
	ck_assert_uint_gt(end, fresh);
	rig_touch(sim, DAV2M_SIM_LOAD, A + 10);
	ck_assert_uint_eq(rig_counts(sim).major_faults, 2);
	dav2m_sim_free(sim);
}
END_TEST

/*
 * Two processes share pages copy-on-write when these go to swap. Each comes back to the same
 * frame; a write of one makes it a copy; the other is alone after that and needs none.
 */
START_TEST(shared_pages_stay_shared_in_swap)
{
	struct dav2m_sim *sim = swap_new(DAV2M_SIM_NATIVE);
	uint64_t end = A + 100, i, first = 0, second = 0;

	for (i = 0; i < 100; i++)
		rig_touch(sim, DAV2M_SIM_STORE, A + i);
	rig_event(sim, DAV2M_SIM_FORK, 2, 0, 0);
	press_until_gone(sim, &end, A + 20);
	disk_rest(sim);
	rig_touch(sim, DAV2M_SIM_LOAD, A + 20);
	ck_assert_uint_eq(rig_counts(sim).major_faults, 1);
	ck_assert_int_eq(dav2m_sim_lookup(sim, A + 20, &first), 0);
	rig_event(sim, DAV2M_SIM_SWITCH, 2, 0, 0);
	ck_assert(!is_mapped(sim, A + 20));
	rig_touch(sim, DAV2M_SIM_LOAD, A + 20);
	ck_assert_uint_eq(rig_counts(sim).major_faults, 1);
	ck_assert_int_eq(dav2m_sim_lookup(sim, A + 20, &second), 0);
	ck_assert_uint_eq(first, second);
	rig_touch(sim, DAV2M_SIM_STORE, A + 20);
	ck_assert_int_eq(dav2m_sim_lookup(sim, A + 20, &second), 0);
	ck_assert_uint_ne(first, second);
	/* Still in swap for process 1, which has read the neighbours: a write copies at once. */
	rig_touch(sim, DAV2M_SIM_STORE, A + 21);
	ck_assert_uint_eq(rig_counts(sim).cow_faults, 2);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	rig_touch(sim, DAV2M_SIM_STORE, A + 20);
	ck_assert_int_eq(dav2m_sim_lookup(sim, A + 20, &second), 0);
	ck_assert_uint_eq(first, second);
	/* Nobody else has it any more: no copy, and no fault after the one that maps it. */
	rig_touch(sim, DAV2M_SIM_STORE, A + 21);
	ck_assert_uint_eq(rig_counts(sim).cow_faults, 3);
	dav2m_sim_free(sim);
}
END_TEST

/* A fork after the pages have gone: the child's entries say where they are, too. */
START_TEST(fork_copies_swapped_pages)
{
	struct dav2m_sim *sim = swap_new(DAV2M_SIM_NATIVE);
	uint64_t end, before;

	overflow(sim, &end);
	disk_rest(sim);
	before = rig_counts(sim).swap_pages;
	rig_event(sim, DAV2M_SIM_FORK, 2, 0, 0);
	rig_event(sim, DAV2M_SIM_EXEC, 0, 0, 0);
	ck_assert_uint_ge(rig_counts(sim).swap_pages, before);
	rig_event(sim, DAV2M_SIM_SWITCH, 2, 0, 0);
	rig_touch(sim, DAV2M_SIM_LOAD, A);
	ck_assert_uint_ge(rig_counts(sim).major_faults, 1);
	rig_event(sim, DAV2M_SIM_EXIT_PROCESS, 0, 0, 0);
	ck_assert_uint_eq(rig_counts(sim).swap_pages, 0);
	dav2m_sim_free(sim);
}
END_TEST

/* Slots, cached pages, pages being written: all of it, at once, whatever was going on. */
START_TEST(exit_frees_swap)
{
	struct dav2m_sim *sim = swap_new((enum dav2m_sim_mode)(_i % 3));
	uint64_t end, i;

	overflow(sim, &end);
	if (_i / 3)
		disk_rest(sim);
	for (i = 0; i < 30; i++)
		rig_touch(sim, i % 2 ? DAV2M_SIM_STORE : DAV2M_SIM_LOAD, A + i);
	for (i = 0; i < 3000; i++)
		rig_touch(sim, DAV2M_SIM_STORE, end++);
	rig_event(sim, DAV2M_SIM_EXIT_PROCESS, 0, 0, 0);
	ck_assert_uint_eq(rig_counts(sim).swap_pages, 0);
	ck_assert_uint_eq(rig_counts(sim).pages, 2); /* process 0's root, the zero page */
	ck_assert_uint_eq(rig_counts(sim).resident, 0);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(swap_has_an_end)
{
	struct dav2m_sim_config config = swap_config(DAV2M_SIM_NATIVE);
	struct dav2m_sim *sim;
	uint64_t i;
	int error = 0;

	config.swap_bytes = 1024 * PAGE;
	sim = rig_new(&config);
	for (i = 0; i < 6000 && error == 0; i++)
		error = rig_try(sim, DAV2M_SIM_STORE, A + i);
	ck_assert_int_eq(error, DAV2M_SIM_ERR_GUEST_MEMORY);
	/* All slots and nearly all frames hold a page; tables have the rest. */
	ck_assert_uint_eq(rig_counts(sim).swap_pages, 1024);
	ck_assert_uint_gt(i, 4096 - 20 + 1024);
	ck_assert_uint_lt(i, 4096 + 1024);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(the_kernel_takes_its_share)
{
	struct dav2m_sim_config config = swap_config(DAV2M_SIM_NATIVE);
	struct dav2m_sim *sim;

	config.kernel_bytes = 5ull << 20;
	sim = rig_new(&config);
	ck_assert_uint_eq(rig_counts(sim).pages, 2 + 1280);
	rig_touch(sim, DAV2M_SIM_STORE, A);
	dav2m_sim_free(sim);
	config.kernel_bytes = 9ull << 20;
	ck_assert_int_eq(dav2m_sim_new(&config, &sim), DAV2M_SIM_ERR_RANGE);
}
END_TEST

/*
 * What one run of kswapd is to a VMM: two CR3 writes, no INVLPG, and every entry that it changes.
 * An emulating one sees each of them; another one lets each leaf table go out of sync once and
 * brings all back with the CR3 write that ends the run. All tables have shadows by then.
 */
START_TEST(a_vmm_sees_what_kswapd_changes)
{
	const int emulating = _i;
	struct dav2m_sim_config config = swap_config(DAV2M_SIM_SHADOW);
	struct dav2m_sim_counts before, after;
	struct dav2m_sim *sim;
	uint64_t end, tables;

	cost.shadowing = emulating ? DAV2M_SIM_EMULATING : DAV2M_SIM_UNSYNCING;
	sim = rig_new(&config);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	end = fill(sim, A);
	tables = (end - A + 511) / 512;
	ck_assert_uint_ne(end % 512, 0); /* the next page is in the last of them */
	/* What was mapped since the last CR3 write has left its tables out of sync. */
	rig_event(sim, DAV2M_SIM_SWITCH, 0, 0, 0);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	before = rig_counts(sim);
	rig_touch(sim, DAV2M_SIM_STORE, end);
	after = rig_counts(sim);
	ck_assert_uint_gt(after.swap_writes, 0);
	ck_assert_uint_eq(after.exits[DAV2M_SIM_EXIT_CR3] - before.exits[DAV2M_SIM_EXIT_CR3], 2);
	ck_assert_uint_eq(after.exits[DAV2M_SIM_EXIT_INVLPG], before.exits[DAV2M_SIM_EXIT_INVLPG]);
	ck_assert_uint_eq(after.exits[DAV2M_SIM_EXIT_INJECT] - before.exits[DAV2M_SIM_EXIT_INJECT],
			  1);
	if (emulating) {
		ck_assert_uint_eq(after.exits[DAV2M_SIM_EXIT_EMULATE] -
					  before.exits[DAV2M_SIM_EXIT_EMULATE],
				  after.table_writes - before.table_writes);
	} else {
		/* The last is the new page's own, after kswapd. */
		ck_assert_uint_eq(after.exits[DAV2M_SIM_EXIT_UNSYNC] -
					  before.exits[DAV2M_SIM_EXIT_UNSYNC],
				  tables + 1);
		ck_assert_uint_eq(after.resyncs - before.resyncs, tables);
	}
	dav2m_sim_free(sim);
}
END_TEST

/* A storm of forks, writes, reads and ends, with three times as many pages as memory has. */
static void storm(struct dav2m_sim *sim, uint64_t *random)
{
	const uint64_t dice = *random = *random * 6364136223846793005ull + 1442695040888963407ull;
	const uint64_t pid = 1 + (dice >> 60) % 4, page = A + (dice >> 33) % 6000;

	switch (dice >> 50 & 0xff) {
	case 0:
		rig_event(sim, DAV2M_SIM_SWITCH, pid, 0, 0);
		break;
	case 1:
		rig_try_event(sim, DAV2M_SIM_FORK, pid, 0, 0);
		break;
	case 2:
		rig_event(sim, DAV2M_SIM_UNMAP, page * PAGE, 300 * PAGE, 0);
		break;
	case 3:
		if (pid == 1)
			rig_try_event(sim, DAV2M_SIM_EXIT_PROCESS, 0, 0, 0);
		break;
	default:
		rig_touch(sim, (dice >> 48 & 3) == 0 ? DAV2M_SIM_LOAD : DAV2M_SIM_STORE, page);
		break;
	}
}

/* The guest must not notice what runs it: nor must swap, with its bits of use and its clock. */
START_TEST(swap_is_the_same_in_every_mode)
{
	struct dav2m_sim *sim[3];
	struct dav2m_sim_counts c[3];
	uint64_t random[3] = {7, 7, 7}, frame[3], page;
	unsigned mode, i;

	for (mode = 0; mode < 3; mode++) {
		struct dav2m_sim_config config = swap_config((enum dav2m_sim_mode)mode);

		cost.shadowing = _i ? DAV2M_SIM_EMULATING : DAV2M_SIM_UNSYNCING;
		sim[mode] = rig_new(&config);
		for (i = 0; i < 40000; i++)
			storm(sim[mode], &random[mode]);
		c[mode] = rig_counts(sim[mode]);
	}
	ck_assert_uint_gt(c[2].major_faults, 400);
	ck_assert_uint_gt(c[2].swap_cache_faults, 100);
	for (mode = 0; mode < 2; mode++) {
		ck_assert_uint_eq(c[mode].major_faults, c[2].major_faults);
		ck_assert_uint_eq(c[mode].swap_cache_faults, c[2].swap_cache_faults);
		ck_assert_uint_eq(c[mode].faults, c[2].faults);
		ck_assert_uint_eq(c[mode].cow_faults, c[2].cow_faults);
		ck_assert_uint_eq(c[mode].swap_reads, c[2].swap_reads);
		ck_assert_uint_eq(c[mode].swap_writes, c[2].swap_writes);
		ck_assert_uint_eq(c[mode].swap_pages, c[2].swap_pages);
		ck_assert_uint_eq(c[mode].table_writes, c[2].table_writes);
		ck_assert_uint_eq(c[mode].cycles[DAV2M_SIM_SWAP], c[2].cycles[DAV2M_SIM_SWAP]);
		ck_assert_uint_eq(c[mode].cycles[DAV2M_SIM_FAULT], c[2].cycles[DAV2M_SIM_FAULT]);
		ck_assert_uint_eq(c[mode].resident, c[2].resident);
	}
	/* What hardware would find is what the kernel has put there. */
	for (page = A; page < A + 6000; page++)
		for (mode = 0; mode < 3; mode++)
			if (dav2m_sim_tlb_lookup(sim[mode], DAV2M_SIM_DATA, page, &frame[0]) == 0) {
				ck_assert_int_eq(dav2m_sim_lookup(sim[mode], page, &frame[1]), 0);
				ck_assert_uint_eq(frame[0], frame[1]);
			}
	for (mode = 0; mode < 3; mode++)
		dav2m_sim_free(sim[mode]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim swap");
	TCase *tcase = tcase_create("swap");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, memory_that_suffices_is_not_swapped);
	tcase_add_test(tcase, the_oldest_go_first);
	tcase_add_test(tcase, a_used_page_gets_a_second_chance);
	tcase_add_test(tcase, a_page_that_is_being_written_comes_back_without_the_disk);
	tcase_add_test(tcase, a_page_that_is_gone_is_read_with_its_neighbours);
	tcase_add_loop_test(tcase, a_clean_page_is_not_written_again, 0, 2);
	tcase_add_test(tcase, shared_pages_stay_shared_in_swap);
	tcase_add_test(tcase, fork_copies_swapped_pages);
	tcase_add_loop_test(tcase, exit_frees_swap, 0, 6);
	tcase_add_test(tcase, swap_has_an_end);
	tcase_add_test(tcase, the_kernel_takes_its_share);
	tcase_add_loop_test(tcase, a_vmm_sees_what_kswapd_changes, 0, 2);
	tcase_add_loop_test(tcase, swap_is_the_same_in_every_mode, 0, 2);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
