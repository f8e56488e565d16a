/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Early or late: the limits that are drawn, and the game that is played with both.
 */
#include "regret_rig.h"

#define DRAWS 1000u

static struct dav2m ctl;
static struct dav2m_regret *const r = &ctl.judge.regret;

static void setup(void)
{
	ctl = regret_ctl(DAV2M_SHADOW, DAV2M_ALL_COUNTERS);
	r->trip[0] = r->trip[1] = pack(500);
	r->found = pack(250);
}

static uint32_t early(void)
{
	r->late_gain = 0;
	return dav2m_regret_limit(r);
}

static uint32_t late(void)
{
	r->late_gain = 1;
	return dav2m_regret_limit(r);
}

/* Anywhere from half of regret_bp to all of it; late is twice that of a round trip and finding out.
 */
START_TEST(limits_are_drawn)
{
	uint32_t lowest = UINT32_MAX, highest = 0, lower_half = 0;

	for (uint32_t i = 0; i < DRAWS; i++, ctl.tick++) {
		dav2m_regret_draw(&ctl);
		ck_assert_uint_ge(early(), 300 - 1);
		ck_assert_uint_lt(early(), 600);
		ck_assert_uint_le(distance(late(), 3 * early()), 4);
		lowest = least(lowest, early());
		highest = most(highest, early());
		lower_half += early() < 450;
	}
	ck_assert_uint_lt(lowest, 305);
	ck_assert_uint_gt(highest, 595);
	ck_assert_uint_gt(lower_half, DRAWS / 2 - 60);
	ck_assert_uint_lt(lower_half, DRAWS / 2 + 60);
}
END_TEST

/* How many of the draws are the same with another seed, or one tick later. */
START_TEST(draws_have_nothing_in_common)
{
	uint32_t same = 0;

	for (uint32_t i = 0; i < DRAWS; i++, ctl.tick++) {
		uint32_t first, again;

		dav2m_regret_draw(&ctl);
		first = early();
		dav2m_regret_draw(&ctl);
		again = early();
		ck_assert_uint_eq(first, again);
		if (_i)
			ctl.config.seed++;
		else
			ctl.tick++;
		dav2m_regret_draw(&ctl);
		same += distance(first, early()) <= 3;
		if (_i)
			ctl.config.seed--;
		else
			ctl.tick--;
	}
	/* 7 in 300 by chance. */
	ck_assert_uint_lt(same, DRAWS / 20);
}
END_TEST

/* No regret at all is no reason, even where switches cost nothing. */
START_TEST(limits_are_never_0)
{
	r->trip[0] = r->trip[1] = pack(1);
	r->found = 0;
	ctl.config.regret_bp = 2500;
	dav2m_regret_draw(&ctl);
	ck_assert_uint_eq(early(), 1);
	ck_assert_uint_eq(late(), 1);
}
END_TEST

static void play(uint32_t cost, uint32_t other)
{
	struct dav2m_tick tick = {.cost = cost, .other = other};

	dav2m_regret_play(&ctl, &tick);
}

/* A game by hand: limits of 100 and 300, switches of 50, a tick's transient. */
static void begin_game(void)
{
	r->trip[0] = r->trip[1] = pack(50);
	r->limit[0] = pack(100);
	r->limit[1] = pack(300);
	r->late_gain = 0;
}

START_TEST(both_limits_are_played)
{
	static const int32_t gain[] = {0, 50, -10, -70, -180, -180};

	begin_game();
	for (size_t i = 0; i < sizeof(gain) / sizeof(gain[0]); i++) {
		play(60, 0);
		/* The early one goes in the second tick, the late one in the fifth; each pays its
		   switch, and what the mode costs that it is in. */
		ck_assert_int_eq(r->late_gain, gain[i]);
	}
	ck_assert(r->played_mode[EARLY] && r->played_mode[LATE]);
	/* Back again: after nested paging's transient the early one is the first to pay. */
	for (int i = 0; i < 2; i++)
		play(0, 60);
	ck_assert(!r->played_mode[EARLY] && r->played_mode[LATE]);
	ck_assert_int_eq(r->late_gain, -130);
	play(0, 60);
	ck_assert_int_eq(r->late_gain, -130 - 60);
}
END_TEST

/* While both do what is done there is nothing to play, until it costs more than the other. */
START_TEST(nothing_to_play)
{
	begin_game();
	play(0, 60);
	ck_assert_uint_eq(r->played[0] | r->played[1], 0);
	ck_assert_int_eq(r->late_gain, 0);
	play(60, 0);
	ck_assert_uint_eq(r->played[0], 60);
	ck_assert_uint_eq(r->played[1], 60);
	/* One that does something else is played also where that costs more. */
	play(60, 0);
	play(0, 60);
	ck_assert_int_eq(r->late_gain, 50 + 60);
}
END_TEST

/* A transient as long as that which is settled for, and 255 ticks at most. */
START_TEST(transients_are_played)
{
	begin_game();
	ctl.config.window_settle = _i ? 300 : 3;
	r->limit[1] = pack(UINT32_MAX);
	play(100, 0);
	ck_assert(r->played_mode[EARLY] && !r->played_mode[LATE]);
	for (int i = 0; i < (_i ? 255 : 3); i++)
		play(0, 100);
	ck_assert(r->played_mode[EARLY] && !r->played_mode[LATE]);
	ck_assert_uint_eq(r->played[0], 0);
	play(0, 100);
	ck_assert(!r->played_mode[EARLY] && !r->played_mode[LATE]);
}
END_TEST

/* What has been learnt can be unlearnt: 16 round trips are enough to be sure. */
START_TEST(gain_is_bounded)
{
	begin_game();
	r->found = pack(25);
	r->limit[1] = pack(UINT32_MAX);
	for (int i = 0; i < 200; i++)
		play(60, 0);
	ck_assert_int_eq(r->late_gain, -16 * 150);
	begin_game();
	r->found = pack(25);
	r->limit[0] = r->limit[1] = pack(UINT32_MAX);
	r->played_mode[EARLY] = DAV2M_NESTED;
	for (int i = 0; i < 200; i++)
		play(0, 60);
	ck_assert_int_eq(r->late_gain, 16 * 150);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("patience");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, limits_are_drawn);
	tcase_add_loop_test(tests, draws_have_nothing_in_common, 0, 2);
	tcase_add_test(tests, limits_are_never_0);
	tcase_add_test(tests, both_limits_are_played);
	tcase_add_test(tests, nothing_to_play);
	tcase_add_loop_test(tests, transients_are_played, 0, 2);
	tcase_add_test(tests, gain_is_bounded);
	return rig_main("regret_patience", tests);
}
