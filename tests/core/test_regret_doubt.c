/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doubt about what is remembered: how much of it is worth a probe, how long it waits, and what the
 * probes before have taught it.
 */
#include "regret_rig.h"

#define TRIP  1000u /* a round trip and finding out */
#define SAVED 100u  /* could be, in each tick */

static struct dav2m_regret r;

static void setup(void)
{
	struct dav2m ctl = regret_ctl(DAV2M_NESTED, DAV2M_ALL_COUNTERS);

	r = ctl.judge.regret;
	r.trip[0] = r.trip[1] = pack(TRIP / 4);
	r.found = pack(TRIP / 4);
}

/* Ticks until a probe is worth while. */
static uint32_t wait(uint32_t saved)
{
	uint32_t ticks = 1;

	r.doubt = 0;
	while (!dav2m_regret_doubts(&r, saved))
		rig_must(++ticks < 100000);
	return ticks;
}

/* As long as the last stay was good, a little more, and not before 8 round trips. */
START_TEST(first_wait)
{
	r.good_ticks = 32;
	ck_assert_uint_eq(wait(SAVED), 80);
	ck_assert_uint_eq(wait(4 * TRIP), 32 + 1 + 1);
	r.good_ticks = 320;
	ck_assert_uint_eq(wait(SAVED), 320 + 10 + 1);
	/* But at 256 round trips, whatever has been. */
	r.good_ticks = UINT16_MAX;
	ck_assert_uint_eq(wait(SAVED), 2560);
}
END_TEST

/* A phase that grows worse is waited for by what a tick saves now. */
START_TEST(wait_is_of_ticks)
{
	r.good_ticks = 320;
	r.doubt = 200 * SAVED;
	ck_assert(!dav2m_regret_doubts(&r, SAVED));
	ck_assert(dav2m_regret_doubts(&r, SAVED / 2));
}
END_TEST

START_TEST(doubt_saturates)
{
	r.good_ticks = UINT16_MAX;
	ck_assert(dav2m_regret_doubts(&r, UINT32_MAX));
	ck_assert(dav2m_regret_doubts(&r, UINT32_MAX));
	ck_assert_uint_eq(r.doubt, UINT32_MAX);
}
END_TEST

/* In a probe it is known by the ticks that it took, of those as the last one was. */
START_TEST(probe_knows_its_ticks)
{
	r.mode = DAV2M_NESTED;
	r.walk_ratio = 2 * RATIO_ONE;
	r.other = 2 * SAVED; /* all walks, half of which shadow paging would save */
	r.doubt = 150 * SAVED;
	dav2m_regret_probe_doubt(&r);
	ck_assert_uint_eq(r.doubt, 150);
	r.doubt = UINT32_MAX;
	dav2m_regret_probe_doubt(&r);
	ck_assert_uint_eq(r.doubt, UNSEEN - 1);
	/* Nothing to save: not one tick is like it. */
	r.walk_ratio = RATIO_ONE;
	r.doubt = 7;
	dav2m_regret_probe_doubt(&r);
	ck_assert_uint_eq(r.doubt, 7);
}
END_TEST

/* As long as that again, then twice as long each time. */
START_TEST(wrong_doubt_waits_longer)
{
	uint32_t ticks = 150;

	r.doubt = ticks;
	for (int i = 0; i < 3; i++) {
		dav2m_regret_doubt_was_wrong(&r);
		ck_assert_uint_eq(r.doubt, 0);
		ck_assert_uint_eq(wait(SAVED), ticks);
		r.doubt = ticks;
		ticks *= 2;
	}
	for (int i = 0; i < 20; i++)
		dav2m_regret_doubt_was_wrong(&r);
	ck_assert_uint_eq(r.doubt_wrong, UNSEEN - 1);
}
END_TEST

/* The next wait is as long as the one that did well, or less if one did before; that it was wrong
   before is forgotten, and the other way round. */
START_TEST(right_doubt_tells_the_time)
{
	r.doubt = 400;
	dav2m_regret_doubt_was_wrong(&r);
	r.doubt = 150;
	dav2m_regret_doubt_was_right(&r);
	ck_assert_uint_eq(wait(SAVED), 150);
	r.doubt = 160;
	dav2m_regret_doubt_was_right(&r);
	ck_assert_uint_eq(wait(SAVED), 150);
	r.doubt = 120;
	dav2m_regret_doubt_was_right(&r);
	ck_assert_uint_eq(wait(SAVED), 120);
	r.doubt = 200;
	dav2m_regret_doubt_was_wrong(&r);
	ck_assert_uint_eq(wait(SAVED), 200);
	r.doubt = 300;
	dav2m_regret_doubt_was_right(&r);
	ck_assert_uint_eq(wait(SAVED), 300);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("doubt");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, first_wait);
	tcase_add_test(tests, wait_is_of_ticks);
	tcase_add_test(tests, doubt_saturates);
	tcase_add_test(tests, probe_knows_its_ticks);
	tcase_add_test(tests, wrong_doubt_waits_longer);
	tcase_add_test(tests, right_doubt_tells_the_time);
	return rig_main("regret_doubt", tests);
}
