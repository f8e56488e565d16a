/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regret judge from stay to stay, to the cycle: what one begins and ends with, what it knows of
 * the other mode, and what it leaves to the next.
 */
#include "regret_stays.h"

START_TEST(guesses_are_not_played)
{
	begin(DAV2M_NESTED);
	ck_assert(r->played_mode[EARLY] && r->played_mode[LATE]);
	r->limit[0] = r->limit[1] = pack(UINT32_MAX);
	for (int i = 0; i < 3; i++)
		rig_expect_reason(tick(NESTED, 0), DAV2M_ROLLED);
	ck_assert_uint_eq(view().regret_cycles, 3 * (NESTED - SHADOW));
	ck_assert_uint_eq(r->played[0] | r->played[1], 0);
	begin(DAV2M_SHADOW);
	ck_assert(!r->played_mode[EARLY] && !r->played_mode[LATE]);
}
END_TEST

/* Until a walk of nested paging has been measured it may cost the same, if a look can be paid. */
START_TEST(walks_of_a_mode_not_seen)
{
	begin(DAV2M_SHADOW);
	(void)tick(SHADOW, 0);
	ck_assert_int_eq(view().surety, DAV2M_GUESSED);
	ck_assert_uint_eq(view().other_cycles, SHADOW);
	r->budget = -1;
	(void)tick(SHADOW, 0);
	ck_assert_int_eq(view().surety, DAV2M_MODELLED);
	ck_assert_uint_eq(view().other_cycles, NESTED);
	r->budget = 0;
	r->measured = 1;
	(void)tick(SHADOW, 0);
	ck_assert_int_eq(view().surety, DAV2M_MODELLED);
}
END_TEST

/* Nested paging's phase may look like another than the one that was left, and then shadow paging
   has seen it all the same. The other way it has to see for itself. */
START_TEST(phase_goes_on_after_a_switch)
{
	begin(DAV2M_SHADOW);
	r->measured = 1;
	(void)phase(OTHERS, SHADOW, 70);
	leave_for(DAV2M_STATE_PRENESTED, SHADOW, 2000);
	rig_expect_reason(phase(20, NESTED, 0), DAV2M_SETTLING);
	rig_expect_reason(phase(20, NESTED, 0), DAV2M_PROBE_KEPT);
	ck_assert_uint_eq(view().other_cycles, SHADOW + 2000);
	begin(DAV2M_SHADOW);
	(void)tick(SHADOW, 50);
	move(DAV2M_PIN_NESTED);
	(void)tick(NESTED, 0);
	leave_for(DAV2M_STATE_PRESHADOW, NESTED, 0);
	rig_expect_reason(phase(20, SHADOW, 0), DAV2M_SETTLING);
	(void)phase(20, SHADOW, 500);
	ck_assert_uint_eq(unpack(r->phase[r->current].exits), 500);
}
END_TEST

/* A stay's length is counted from when it was kept; one that was a lost probe does not count. */
START_TEST(good_ticks)
{
	begin(DAV2M_SHADOW);
	for (int i = 0; i < 7; i++)
		(void)tick(SHADOW, 0);
	ck_assert_uint_eq(r->good_ticks, 7);
	r->good_ticks = UINT16_MAX;
	(void)tick(SHADOW, 0);
	ck_assert_uint_eq(r->good_ticks, UINT16_MAX);
	begin(DAV2M_NESTED);
	settled_probe();
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + 10), DAV2M_ROLLED);
	rig_expect_reason(tick(SHADOW, 0), DAV2M_PROBE_KEPT);
	for (int i = 0; i < 4; i++)
		(void)tick(SHADOW, 0);
	ck_assert_uint_eq(r->good_ticks, 4);
	leave_for(DAV2M_STATE_PRENESTED, SHADOW, 10 * NESTED);
	for (int i = 0; i < 5; i++)
		(void)tick(10, 0);
	/* A probe in another phase. */
	while (rig.last.action != DAV2M_SWITCH)
		(void)phase(OTHERS, 10 * NESTED, 0);
	done();
	ck_assert(r->probing);
	ck_assert_uint_eq(r->good_ticks, 5);
	(void)phase(OTHERS, SHADOW, 100000);
	done();
	ck_assert_uint_eq(r->good_ticks, 5);
	/* And back, on what is known: a new stay. */
	for (int i = 0; i < 3; i++)
		(void)tick(10, 0);
	r->phase[r->current].exits = pack(10);
	leave_for(DAV2M_STATE_PRESHADOW, 10 * NESTED, 0);
	ck_assert(!r->probing);
	ck_assert_uint_eq(r->good_ticks, 0);
}
END_TEST

/* Doubt was right when the stay that it led to has gained two round trips, what was lost again
   before it was left not taken off. */
START_TEST(stay_that_was_worth_it)
{
	begin(DAV2M_SHADOW);
	r->measured = 1;
	r->doubted = 1;
	r->doubt = 77;
	r->gain = 2 * REGRET_TRIP + _i;
	leave_for(DAV2M_STATE_PRENESTED, SHADOW, 10 * NESTED);
	ck_assert_uint_eq(r->doubt_right, _i ? 77 : UNSEEN);
	ck_assert_uint_eq(r->doubt, 0);
}
END_TEST

/* What is remembered, but not as bad, is not doubted. */
START_TEST(good_memories_are_not_doubted)
{
	begin(DAV2M_SHADOW);
	(void)tick(110, 200);
	move(DAV2M_PIN_NESTED);
	(void)tick(330, 0);
	(void)tick(330, 0);
	ck_assert_int_eq(view().surety, DAV2M_REMEMBERED);
	ck_assert_uint_eq(view().other_cycles, 310);
	ck_assert_uint_eq(view().regret_cycles, 20);
	ck_assert_uint_eq(r->doubt, 0);
	(void)tick(200, 0);
	ck_assert_uint_gt(r->doubt, 0);
}
END_TEST

/* Where shadow paging has not seen the phase, each TLB flush would be an exit, and no other is
   assumed. */
START_TEST(flushes_would_be_exits)
{
	begin(DAV2M_NESTED);
	r->exit_cycles = 50;
	(void)tick(330, 0);
	ck_assert_int_eq(view().surety, DAV2M_GUESSED);
	ck_assert_uint_eq(view().other_cycles, 110);
	rig.counters.value[DAV2M_TLB_FLUSHES] += 3;
	(void)tick(330, 0);
	ck_assert_int_eq(view().surety, DAV2M_GUESSED);
	ck_assert_uint_eq(view().other_cycles, 110 + 3 * 50);
	ck_assert_uint_eq(r->doubt, 0);
	rig.counters.value[DAV2M_TLB_FLUSHES] += UINT32_MAX;
	(void)tick(330, 0);
	ck_assert_uint_eq(view().other_cycles, UINT32_MAX);
	/* If that is what keeps nested paging, it is doubted: what is saved are the walks. */
	ck_assert_uint_eq(r->doubt, 220);
}
END_TEST

/* A look out of doubt leaves nothing for other probes unless it can be paid for when it fails. */
START_TEST(doubt_is_paid_in_full)
{
	begin(DAV2M_SHADOW);
	r->measured = 1;
	(void)tick(SHADOW, 700);
	move(DAV2M_PIN_NESTED);
	(void)tick(NESTED, 0);
	r->budget = REGRET_TRIP + LOSS - 1 + _i;
	r->doubt = UINT32_MAX;
	(void)tick(NESTED, 0);
	ck_assert_int_eq(view().surety, DAV2M_REMEMBERED);
	ck_assert_int_eq(rig.last.action, _i ? DAV2M_SWITCH : DAV2M_STAY);
}
END_TEST

/* Under shadow paging the ratio of walks is doubted when exits have cost 64 round trips, where
   nested paging is thought to be no better. */
static void doubt_exits(uint32_t doubt, int doubted)
{
	begin(DAV2M_SHADOW);
	r->measured = 1;
	r->doubted = doubted != 0;
	r->budget = 2 * REGRET_TRIP;
	r->doubt = doubt;
	(void)tick(SHADOW, 100);
	ck_assert_uint_eq(view().regret_cycles, 0);
}

START_TEST(exits_are_doubted)
{
	doubt_exits(64 * REGRET_TRIP - 101 + (uint32_t)_i, 0);
	ck_assert_int_eq(rig.last.action, _i ? DAV2M_SWITCH : DAV2M_STAY);
	if (!_i)
		return;
	done();
	rig_expect_state(&rig, DAV2M_STATE_PRENESTED);
	ck_assert(r->probing);
	ck_assert(!r->doubted);
	ck_assert_uint_eq(r->doubt, 0);
	/* A stay that is a look itself is left alone. */
	doubt_exits(UINT32_MAX, 1);
	ck_assert_int_eq(rig.last.action, DAV2M_STAY);
}
END_TEST

/* Doubt of one mode says nothing of the other. */
START_TEST(doubt_ends_with_its_stay)
{
	begin(DAV2M_NESTED);
	(void)tick(NESTED, 0);
	for (unsigned int i = 0; i < r->phases; i++)
		r->phase[i].exits = 0;
	r->doubt = 77;
	while (rig.last.action != DAV2M_SWITCH)
		(void)tick(NESTED, 0);
	done();
	ck_assert(!r->probing);
	ck_assert_uint_eq(r->doubt, 0);
}
END_TEST

/* A probe that its transient ends has still shown what an exit costs. */
START_TEST(transients_tell_what_exits_cost)
{
	begin(DAV2M_NESTED);
	probe();
	r->exit_cycles = 100;
	(void)dav2m_paging_exits(&rig.ctl, 1);
	rig.counters.value[DAV2M_PAGING_EXITS] += 1;
	rig_expect_reason(tick(SHADOW, 300), DAV2M_SETTLING);
	ck_assert_uint_eq(r->exit_cycles, 150);
}
END_TEST

/* The caller's pin begins a stay that nothing is known of, at once; what follows is in the phase
   that was left. */
START_TEST(pin_begins_a_stay)
{
	begin(DAV2M_SHADOW);
	(void)phase(OTHERS, SHADOW, 70);
	(void)tick(SHADOW, 60);
	r->regret = r->doubt = 99;
	r->gain = 99;
	r->told = r->compare = r->probing = r->doubted = 1;
	r->why = DOUBTED;
	move(DAV2M_PIN_NESTED);
	ck_assert_uint_eq(r->mode, DAV2M_NESTED);
	ck_assert_uint_eq(r->regret | r->doubt, 0);
	ck_assert_int_eq(r->gain, 0);
	ck_assert(!r->told && !r->compare && !r->probing && !r->doubted);
	ck_assert_uint_eq(r->why, KNOWN_BETTER);
	ck_assert(r->arrived);
	(void)phase(20, NESTED, 0);
	(void)phase(20, NESTED, 0);
	ck_assert_uint_eq(view().other_cycles, SHADOW + 60);
}
END_TEST

/* Limits are drawn from what a round trip costs now: as the VMM has told, and as the transient has
   shown (_i). */
START_TEST(limits_follow_the_round_trip)
{
	begin(DAV2M_NESTED);
	while (rig.last.action != DAV2M_SWITCH)
		(void)tick(NESTED, 0);
	ck_assert_int_eq(dav2m_acknowledge(&rig.ctl, DAV2M_DONE, _i ? 0 : 49999), 0);
	if (_i) {
		rig_expect_reason(part(RIG_TICK, MISSES, 50000, 0), DAV2M_SETTLING);
		(void)tick(SHADOW, 0);
	}
	ck_assert_uint_ge(view().round_trip_cycles, 1001 + 25000);
	ck_assert_uint_ge(view().limit_cycles, view().round_trip_cycles * 29 / 100);
	ck_assert_uint_lt(view().limit_cycles, view().round_trip_cycles * 6 / 10);
}
END_TEST

/* All ticks of a transient count, and one that has settled is taken off for each. */
START_TEST(long_transients)
{
	begin_with(DAV2M_NESTED, 0, 2);
	probe();
	rig_expect_reason(tick(2000, 0), DAV2M_SETTLING);
	rig_expect_reason(tick(1500, 0), DAV2M_SETTLING);
	(void)tick(SHADOW, 0);
	ck_assert_uint_eq(view().round_trip_cycles,
			  1001 + (1001 + 3000 + 2500 - 2 * (RIG_TICK + SHADOW)) / 2);
	/* Nor does the stay begin with what they gained. */
	ck_assert_int_eq(r->gain, 0); /* kept */
}
END_TEST

START_TEST(transient_gains_nothing)
{
	begin(DAV2M_NESTED);
	probe();
	rig_expect_reason(tick(SHADOW, 900), DAV2M_SETTLING);
	ck_assert_int_eq(r->gain, -300);
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + 10), DAV2M_ROLLED);
	ck_assert_int_eq(r->gain, -10);
}
END_TEST

/* What the last tick of a stay lost counts for both stays of a trip. */
START_TEST(finding_out_counts_twice)
{
	begin(DAV2M_SHADOW);
	r->measured = 1;
	leave_for(DAV2M_STATE_PRENESTED, SHADOW, NESTED - SHADOW + 1300);
	ck_assert_uint_eq(view().finding_out_cycles, 2 * 1300 / 2);
	ck_assert_uint_eq(view().round_trip_cycles, REGRET_TRIP);
}
END_TEST

/* After a retune, and where samples say nothing of the time between, costs are counted anew. */
START_TEST(costs_begin_anew)
{
	begin(DAV2M_SHADOW);
	(void)tick(SHADOW, 0);
	(void)tick(SHADOW, 0);
	if (_i) {
		rig.counters.value[DAV2M_WALK_CYCLES] += UINT64_C(1) << 41;
		rig_expect_reason(tick(SHADOW, 0), DAV2M_JUMP);
	} else {
		struct dav2m_config config = rig.ctl.config;

		ck_assert_int_eq(dav2m_retune(&rig.ctl, &config), 0);
	}
	(void)tick(SHADOW, 0);
	ck_assert_uint_eq(view().cost_cycles, SHADOW);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("stays");

	tcase_add_test(tests, guesses_are_not_played);
	tcase_add_test(tests, walks_of_a_mode_not_seen);
	tcase_add_test(tests, phase_goes_on_after_a_switch);
	tcase_add_test(tests, good_ticks);
	tcase_add_loop_test(tests, stay_that_was_worth_it, 0, 2);
	tcase_add_test(tests, good_memories_are_not_doubted);
	tcase_add_test(tests, flushes_would_be_exits);
	tcase_add_loop_test(tests, doubt_is_paid_in_full, 0, 2);
	tcase_add_loop_test(tests, exits_are_doubted, 0, 2);
	tcase_add_test(tests, doubt_ends_with_its_stay);
	tcase_add_test(tests, transients_tell_what_exits_cost);
	tcase_add_test(tests, pin_begins_a_stay);
	tcase_add_loop_test(tests, limits_follow_the_round_trip, 0, 2);
	tcase_add_test(tests, long_transients);
	tcase_add_test(tests, transient_gains_nothing);
	tcase_add_test(tests, finding_out_counts_twice);
	tcase_add_loop_test(tests, costs_begin_anew, 0, 2);
	return rig_main("regret_stays", tests);
}
