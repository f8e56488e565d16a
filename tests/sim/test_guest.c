/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's kernel: what comes in, what is shared, what is forbidden, what is given back.
 */
#include "rig.h"

#define A 0x12345ull

static uint64_t frame_of(const struct dav2m_sim *sim, uint64_t page)
{
	uint64_t frame = 0;

	ck_assert_int_eq(dav2m_sim_lookup(sim, page, &frame), 0);
	return frame;
}

static struct dav2m_sim *native_new(void)
{
	const struct dav2m_sim_config config = rig_config(DAV2M_SIM_NATIVE);

	return rig_new(&config);
}

START_TEST(reads_share_the_zero_page)
{
	struct dav2m_sim *sim = native_new();
	const uint64_t before = rig_counts(sim).pages;

	rig_touch(sim, DAV2M_SIM_LOAD, A);
	rig_touch(sim, DAV2M_SIM_LOAD, A + 1);
	ck_assert_uint_eq(frame_of(sim, A), frame_of(sim, A + 1));
	ck_assert_uint_eq(rig_counts(sim).pages, before + 3); /* three tables */
	rig_touch(sim, DAV2M_SIM_STORE, A);
	ck_assert_uint_ne(frame_of(sim, A), frame_of(sim, A + 1));
	ck_assert_uint_eq(rig_counts(sim).cow_faults, 1);
	ck_assert_uint_eq(rig_counts(sim).faults, 2);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(fork_copies_on_write)
{
	struct dav2m_sim *sim = native_new();
	uint64_t shared;

	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	rig_touch(sim, DAV2M_SIM_STORE, A);
	shared = frame_of(sim, A);
	rig_event(sim, DAV2M_SIM_FORK, 2, 0, 0);
	rig_event(sim, DAV2M_SIM_SWITCH, 2, 0, 0);
	ck_assert_uint_eq(frame_of(sim, A), shared);
	rig_touch(sim, DAV2M_SIM_STORE, A);
	ck_assert_uint_ne(frame_of(sim, A), shared);
	/* The last user takes the page over without a copy. */
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	rig_touch(sim, DAV2M_SIM_STORE, A);
	ck_assert_uint_eq(frame_of(sim, A), shared);
	ck_assert_uint_eq(rig_counts(sim).cow_faults, 2);
	dav2m_sim_free(sim);
}
END_TEST

static void life(struct dav2m_sim *sim, uint64_t pid)
{
	uint64_t i;

	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	rig_event(sim, DAV2M_SIM_FORK, pid, 0, 0);
	rig_event(sim, DAV2M_SIM_SWITCH, pid, 0, 0);
	rig_touch(sim, DAV2M_SIM_STORE, A);
	rig_event(sim, DAV2M_SIM_EXEC, 0, 0, 0);
	for (i = 0; i < 700; i++)
		rig_touch(sim, i % 3 ? DAV2M_SIM_STORE : DAV2M_SIM_FETCH, A + i);
	rig_event(sim, DAV2M_SIM_UNMAP, (A + 3) * PAGE, 600 * PAGE, 0);
	rig_event(sim, DAV2M_SIM_EXIT_PROCESS, 0, 0, 0);
}

/* In every mode, with both page sizes: what a process took comes back, over and over. */
START_TEST(exit_gives_everything_back)
{
	struct dav2m_sim_config config = rig_config((enum dav2m_sim_mode)(_i % 3));
	struct dav2m_sim *sim;
	uint64_t before;
	unsigned i;

	config.guest_page = _i / 3 ? DAV2M_SIM_2M : DAV2M_SIM_4K;
	sim = rig_new(&config);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	rig_touch(sim, DAV2M_SIM_STORE, A);
	/* The first fork shares the parent's page, which its own next write settles. */
	life(sim, 2);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	rig_touch(sim, DAV2M_SIM_STORE, A);
	before = rig_counts(sim).pages;
	for (i = 3; i < 40; i++)
		life(sim, i);
	ck_assert_uint_eq(rig_counts(sim).pages, before);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(protection_is_kept)
{
	struct dav2m_sim *sim = native_new();

	rig_event(sim, DAV2M_SIM_MAP, A * PAGE, 4 * PAGE, DAV2M_SIM_PROT_READ);
	rig_touch(sim, DAV2M_SIM_LOAD, A);
	ck_assert_int_eq(rig_try(sim, DAV2M_SIM_STORE, A), DAV2M_SIM_ERR_SEGV);
	dav2m_sim_free(sim);

	sim = native_new();
	rig_touch(sim, DAV2M_SIM_STORE, A);
	rig_event(sim, DAV2M_SIM_PROTECT, A * PAGE, PAGE, DAV2M_SIM_PROT_READ);
	ck_assert_int_eq(rig_try(sim, DAV2M_SIM_STORE, A), DAV2M_SIM_ERR_SEGV);
	dav2m_sim_free(sim);

	sim = native_new();
	rig_event(sim, DAV2M_SIM_MAP, A * PAGE, 4 * PAGE, DAV2M_SIM_PROT_NONE);
	rig_event(sim, DAV2M_SIM_PROTECT, (A + 1) * PAGE, PAGE, RW);
	rig_touch(sim, DAV2M_SIM_STORE, A + 1);
	ck_assert_int_eq(rig_try(sim, DAV2M_SIM_LOAD, A + 2), DAV2M_SIM_ERR_SEGV);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(a_protected_page_keeps_its_content)
{
	struct dav2m_sim *sim = native_new();
	uint64_t frame;

	rig_touch(sim, DAV2M_SIM_STORE, A);
	frame = frame_of(sim, A);
	rig_event(sim, DAV2M_SIM_PROTECT, A * PAGE, PAGE, DAV2M_SIM_PROT_READ);
	rig_event(sim, DAV2M_SIM_PROTECT, A * PAGE, PAGE, RW);
	rig_touch(sim, DAV2M_SIM_STORE, A);
	ck_assert_uint_eq(frame_of(sim, A), frame);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(brk_gives_back_what_it_shrinks)
{
	struct dav2m_sim *sim = native_new();
	uint64_t frame;

	rig_event(sim, DAV2M_SIM_BRK, (A + 8) * PAGE, 0, 0);
	rig_touch(sim, DAV2M_SIM_STORE, A + 7);
	rig_touch(sim, DAV2M_SIM_STORE, A + 1);
	rig_event(sim, DAV2M_SIM_BRK, (A + 4) * PAGE, 0, 0);
	ck_assert_int_eq(dav2m_sim_lookup(sim, A + 7, &frame), -1);
	ck_assert_int_eq(dav2m_sim_lookup(sim, A + 1, &frame), 0);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(memory_has_an_end)
{
	struct dav2m_sim_config config = rig_config(DAV2M_SIM_NATIVE);
	struct dav2m_sim *sim;
	int error = 0;
	unsigned i;

	config.guest_bytes = 16ull << 20;
	sim = rig_new(&config);
	for (i = 0; i < 5000 && error == 0; i++)
		error = rig_try(sim, DAV2M_SIM_STORE, A + i);
	ck_assert_int_eq(error, DAV2M_SIM_ERR_GUEST_MEMORY);
	/* 4096 frames hold the pages, the zero page, eight leaf tables at least. */
	ck_assert_uint_gt(i, 4000);
	ck_assert_uint_lt(i, 4096);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(wrong_events_are_errors)
{
	struct dav2m_sim *sim = native_new();
	const uint64_t cut = dav2m_sim_event_word(DAV2M_SIM_MAP, 3);
	const uint64_t unknown = 63ull << 2 | DAV2M_SIM_EVENT;
	const uint64_t count = dav2m_sim_event_word(DAV2M_SIM_BRK, 0);

	ck_assert_int_eq(dav2m_sim_run(sim, &cut, 1), DAV2M_SIM_ERR_EVENT);
	ck_assert_int_eq(dav2m_sim_run(sim, &unknown, 1), DAV2M_SIM_ERR_EVENT);
	ck_assert_int_eq(dav2m_sim_run(sim, &count, 1), DAV2M_SIM_ERR_EVENT);
	ck_assert_int_eq(rig_try_event(sim, DAV2M_SIM_SWITCH, DAV2M_SIM_PIDS, 0, 0),
			 DAV2M_SIM_ERR_PROCESS);
	ck_assert_int_eq(rig_try_event(sim, DAV2M_SIM_FORK, 0, 0, 0), DAV2M_SIM_ERR_PROCESS);
	ck_assert_int_eq(rig_try_event(sim, DAV2M_SIM_EXIT_PROCESS, 0, 0, 0),
			 DAV2M_SIM_ERR_PROCESS);
	ck_assert_int_eq(rig_try_event(sim, DAV2M_SIM_MAP, 1ull << 60, PAGE, RW),
			 DAV2M_SIM_ERR_ADDRESS);
	ck_assert_int_eq(rig_try_event(sim, DAV2M_SIM_UNMAP, 0, 0, 0), DAV2M_SIM_ERR_ADDRESS);
	ck_assert_int_eq(rig_try(sim, DAV2M_SIM_LOAD, 1ull << 36), DAV2M_SIM_ERR_ADDRESS);
	ck_assert_uint_eq(dav2m_sim_position(sim), 0);
	dav2m_sim_free(sim);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim guest");
	TCase *tcase = tcase_create("guest");

	tcase_add_test(tcase, reads_share_the_zero_page);
	tcase_add_test(tcase, fork_copies_on_write);
	tcase_add_loop_test(tcase, exit_gives_everything_back, 0, 6);
	tcase_add_test(tcase, protection_is_kept);
	tcase_add_test(tcase, a_protected_page_keeps_its_content);
	tcase_add_test(tcase, brk_gives_back_what_it_shrinks);
	tcase_add_test(tcase, memory_has_an_end);
	tcase_add_test(tcase, wrong_events_are_errors);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
