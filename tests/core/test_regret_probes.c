/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regret judge's probes, to the cycle: which switches are probes, what one may lose, when it is
 * given up, and what it then costs.
 */
#include "regret_stays.h"

START_TEST(transient_may_lose_twice_as_much)
{
	begin(DAV2M_NESTED);
	probe();
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + 2 * LOSS + (uint32_t)_i),
			  _i ? DAV2M_PROBE_WORSE : DAV2M_SETTLING);
}
END_TEST

/* The first time that shadow tables are filled it may lose 16 round trips: nobody knows yet what
   that costs. */
START_TEST(first_transient_is_not_cut_short)
{
	begin(DAV2M_NESTED);
	r->filled = 0;
	probe();
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + LOSS * 64 + (uint32_t)_i),
			  _i ? DAV2M_PROBE_WORSE : DAV2M_SETTLING);
	ck_assert(!r->filled);
}
END_TEST

/* That time is over when any stay has seen them filled, even one by the caller's will. */
START_TEST(patience_lasts_until_tables_are_filled)
{
	begin(DAV2M_NESTED);
	r->filled = 0;
	move(DAV2M_PIN_SHADOW);
	rig_expect_reason(phase(MISSES / 10, SHADOW, 0), DAV2M_SETTLING);
	if (_i)
		rig_expect_reason(phase(MISSES / 10, SHADOW, 0), DAV2M_ROLLED);
	move(DAV2M_PIN_NESTED);
	rig_expect_reason(tick(NESTED, 0), DAV2M_SETTLING);
	probe();
	rig_expect_reason(tick(SHADOW, NESTED + LOSS * 32),
			  _i ? DAV2M_PROBE_WORSE : DAV2M_SETTLING);
}
END_TEST

/* With new parameters everything begins anew. */
START_TEST(retuned_judge_has_patience)
{
	struct dav2m_config config;

	begin(DAV2M_NESTED);
	config = rig.ctl.config;
	settled_probe();
	ck_assert_int_eq(dav2m_retune(&rig.ctl, &config), 0);
	move(DAV2M_PIN_NESTED);
	rig_expect_reason(tick(NESTED, 0), DAV2M_SETTLING);
	probe();
	rig_expect_reason(tick(SHADOW, NESTED + LOSS * 32), DAV2M_SETTLING);
}
END_TEST

/* What a tick loses that has cost a quarter less than the one before is the transient's. */
START_TEST(filling_tables_is_a_transient)
{
	const uint32_t filling = 2000 - SHADOW;

	begin(DAV2M_NESTED);
	r->filled = 0;
	probe();
	rig_expect_reason(tick(SHADOW, filling), DAV2M_SETTLING);
	rig_expect_reason(tick(SHADOW, 1500 - SHADOW + (uint32_t)_i),
			  _i ? DAV2M_PROBE_WORSE : DAV2M_ROLLED);
	if (_i)
		return;
	ck_assert(r->arrived);
	rig_expect_reason(tick(SHADOW, 1125 - SHADOW), DAV2M_ROLLED);
	rig_expect_reason(tick(SHADOW, 0), DAV2M_PROBE_KEPT);
	ck_assert(!r->arrived);
	/* What was longer than the last tick, and what was lost, is the price of the switch. */
	ck_assert_uint_eq(view().round_trip_cycles, 1001 + (1001 + 1700 + 600 + 225) / 2);
}
END_TEST

/* Two ticks in one sample; what it comes to in one is right to within 1/256. */
static enum dav2m_reason late(uint32_t walk, uint32_t exits)
{
	return part(2 * RIG_TICK, 2 * MISSES, 2 * walk, 2 * exits);
}

/* However late a sample is: it is by what a whole tick costs that one tick is measured by the next.
 */
START_TEST(late_samples_of_filling_tables)
{
	begin(DAV2M_NESTED);
	r->filled = 0;
	probe();
	rig_expect_reason(late(SHADOW, 2000 - SHADOW), DAV2M_SETTLING);
	if (_i < 2) {
		rig_expect_reason(tick(SHADOW, 1485 - SHADOW + (_i ? 30u : 0u)), DAV2M_ROLLED);
		ck_assert_int_eq(r->arrived, !_i);
		return;
	}
	rig_expect_reason(late(SHADOW, 1500 - SHADOW), DAV2M_ROLLED);
	ck_assert(r->arrived);
	rig_expect_reason(tick(SHADOW, 1110 - SHADOW + (_i == 3 ? 30u : 0u)), DAV2M_ROLLED);
	ck_assert_int_eq(r->arrived, _i == 2);
}
END_TEST

/* Nor is one measured by what nested paging cost, where nothing is settled for. */
START_TEST(filling_begins_under_shadow_paging)
{
	begin_with(DAV2M_NESTED, 0, 0);
	while (rig.last.action != DAV2M_SWITCH)
		(void)late(NESTED, 0);
	done();
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + 100), DAV2M_ROLLED);
	ck_assert(!r->arrived);
}
END_TEST

/* However often the VMM samples: in the middle of a tick its exits may still be those of filling.
 */
START_TEST(filling_goes_on_in_the_middle_of_a_tick)
{
	begin(DAV2M_NESTED);
	r->filled = 0;
	probe();
	rig_expect_reason(tick(SHADOW, 25000), DAV2M_SETTLING);
	r->filled = 1;
	rig_expect_reason(storm(unpack(r->cost) * 3 / 4 - 100), DAV2M_WAITING);
	rig_expect_reason(storm(200), DAV2M_PROBE_ABORTED);
}
END_TEST

/* Not before window_settle is over: until then a tick loses what it loses. */
START_TEST(settling_ticks_are_not_filling)
{
	begin_with(DAV2M_NESTED, 0, 2);
	r->filled = 0;
	probe();
	rig_expect_reason(tick(SHADOW, 25000), DAV2M_SETTLING);
	r->filled = 1;
	rig_expect_reason(storm(10), DAV2M_PROBE_ABORTED);
}
END_TEST

/* Nor after a tick has settled, though exits are a quarter less than in that. */
START_TEST(settled_probes_are_not_filling)
{
	const uint32_t lost = LOSS - 10;

	begin(DAV2M_NESTED);
	settled_probe();
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + lost), DAV2M_ROLLED);
	ck_assert_uint_lt(NESTED + LOSS - lost, (NESTED + lost) * 3 / 4);
	rig_expect_reason(storm(NESTED + LOSS - lost), DAV2M_WAITING);
	rig_expect_reason(storm(1), DAV2M_PROBE_ABORTED);
}
END_TEST

/* A tick as a VMM sees it that has no counter of walk or exit cycles. */
static enum dav2m_reason usual_tick(uint32_t walk, uint32_t exits)
{
	return rig_tick(&rig, RIG_TICK + walk + exits, MISSES, exits);
}

/* From its first settled tick on a probe may lose less, and that is what the VMM is told to look
   out for. */
START_TEST(storms_of_settled_probes_are_told)
{
	struct dav2m_config config;
	uint32_t exits = 0;

	begin(DAV2M_NESTED);
	config = rig.ctl.config;
	config.shadow_walk_cycles = SHADOW / MISSES;
	config.nested_walk_cycles = NESTED / MISSES;
	config.exit_cycles = 1;
	rig_begin(&rig, &config, DAV2M_NESTED);
	r->filled = r->measured = 1;
	while (rig.last.action != DAV2M_SWITCH)
		(void)usual_tick(NESTED, 0);
	done();
	rig_expect_reason(usual_tick(SHADOW, 0), DAV2M_SETTLING);
	rig_expect_reason(usual_tick(SHADOW, NESTED - SHADOW + 1), DAV2M_ROLLED);
	ck_assert(r->probing);
	while (!dav2m_paging_exits(&rig.ctl, 1))
		exits++;
	ck_assert_uint_ge(exits, NESTED + LOSS);
	ck_assert_uint_le(exits, (NESTED + LOSS) * 33 / 32);
}
END_TEST

START_TEST(settled_tick_may_lose_a_quarter)
{
	begin(DAV2M_NESTED);
	settled_probe();
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + LOSS + (uint32_t)_i),
			  _i ? DAV2M_PROBE_WORSE : DAV2M_ROLLED);
}
END_TEST

/* What ticks lose adds up, until one that loses nothing ends the probe. */
START_TEST(losses_add_up)
{
	begin(DAV2M_NESTED);
	settled_probe();
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + LOSS - 10), DAV2M_ROLLED);
	ck_assert_int_eq(r->gain, -(int)LOSS + 10);
	ck_assert(r->probing);
	if (_i) {
		rig_expect_reason(tick(SHADOW, NESTED - SHADOW), DAV2M_PROBE_KEPT);
		ck_assert(!r->probing);
		ck_assert_int_eq(r->gain, 0);
		return;
	}
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + 10), DAV2M_ROLLED);
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + 1), DAV2M_PROBE_WORSE);
}
END_TEST

/* In the middle of a tick: a whole one of nested paging, and what may be lost. */
START_TEST(storm_ends_a_transient)
{
	begin(DAV2M_NESTED);
	probe();
	rig_expect_reason(storm(NESTED + 2 * LOSS), DAV2M_SETTLING);
	rig_expect_reason(storm(1), DAV2M_PROBE_ABORTED);
	ck_assert_uint_eq(unpack(r->phase[r->current].exits), NESTED + 2 * LOSS + 1);
}
END_TEST

START_TEST(storm_ends_a_settled_probe)
{
	begin(DAV2M_NESTED);
	settled_probe();
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + 100), DAV2M_ROLLED);
	rig_expect_reason(storm(NESTED + LOSS - 100), DAV2M_WAITING);
	rig_expect_reason(storm(1), DAV2M_PROBE_ABORTED);
	ck_assert_uint_eq(unpack(r->phase[r->current].exits), NESTED + LOSS - 100 + 1);
	done();
	/* The tick's loss and all of the storm, and the switches. */
	ck_assert_uint_eq(view().probing_cycles, REGRET_TRIP + NESTED + LOSS + 1);
}
END_TEST

/* A storm asks for a sample no sooner than it would end the probe, and not much later. */
START_TEST(storm_asks_for_a_sample)
{
	uint32_t exits = 0;

	begin(DAV2M_NESTED);
	r->exit_cycles = 10;
	probe();
	while (!dav2m_paging_exits(&rig.ctl, 1))
		exits++;
	ck_assert_uint_ge(exits, (NESTED + 2 * LOSS) / 10);
	ck_assert_uint_le(exits, (NESTED + 2 * LOSS) / 10 * 33 / 32);
}
END_TEST

/* As far as 32 bits go, and no further. */
START_TEST(exits_limit_saturates)
{
	begin(DAV2M_NESTED);
	r->probing = 1;
	r->exit_cycles = 1;
	r->other = UINT32_MAX;
	ck_assert_uint_eq(dav2m_regret_judge.exits_limit(&rig.ctl), UINT32_MAX - 1);
	r->other = UINT32_MAX / 2;
	ck_assert_uint_ge(dav2m_regret_judge.exits_limit(&rig.ctl), UINT32_MAX / 2);
}
END_TEST

/* A lost probe costs its switches and its loss; nothing more is bought in debt. */
START_TEST(lost_probe_is_paid)
{
	begin(DAV2M_NESTED);
	ck_assert_int_eq(view().budget_cycles, REGRET_TRIP);
	probe();
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + 2 * LOSS + 1), DAV2M_PROBE_WORSE);
	done();
	rig_expect_state(&rig, DAV2M_STATE_NESTED);
	ck_assert(!r->probing);
	ck_assert_uint_eq(view().probing_cycles, REGRET_TRIP + 2 * LOSS + 1);
	ck_assert_int_eq(view().budget_cycles, -(int64_t)(2 * LOSS + 1));
	/* What it has seen is remembered, and nested paging is not compared with it. */
	rig_expect_reason(tick(NESTED, 0), DAV2M_SETTLING);
	rig_expect_reason(tick(NESTED, 0), DAV2M_ROLLED);
	ck_assert_int_eq(view().surety, DAV2M_REMEMBERED);
	ck_assert_uint_eq(view().other_cycles, NESTED + 2 * LOSS + 1);
	ck_assert(!r->measured);
	/* In another phase it is taken to be the same, and not left for a look. */
	for (int i = 0; i < 20; i++)
		rig_expect_reason(phase(OTHERS, NESTED, 0), DAV2M_ROLLED);
	ck_assert_int_eq(view().surety, DAV2M_GUESSED);
	ck_assert_uint_eq(view().other_cycles, NESTED + 2 * LOSS + 1);
}
END_TEST

/* Lost probes add up, and a long calm has paid for no more than eight round trips of them. */
START_TEST(budget_is_bounded)
{
	begin_with(DAV2M_NESTED, 10000, 1);
	for (int i = 0; i < 100; i++)
		(void)tick(0, 0);
	for (uint32_t i = 1; i <= 2; i++) {
		uint32_t misses = MISSES << 2 * i;

		while (rig.last.action != DAV2M_SWITCH)
			(void)phase(misses, NESTED, 0);
		done();
		ck_assert(r->probing);
		rig_expect_reason(phase(misses, SHADOW, NESTED - SHADOW + 2 * LOSS + 1),
				  DAV2M_PROBE_WORSE);
		done();
		if (i == 1)
			ck_assert_int_eq(view().budget_cycles, 7 * REGRET_TRIP - (2 * LOSS + 1));
		ck_assert_uint_eq(view().probing_cycles, i * (REGRET_TRIP + 2 * LOSS + 1));
		(void)phase(misses, NESTED, 0);
	}
}
END_TEST

/* Without a budget, and nothing seen at all: as if it were the same. */
START_TEST(nothing_known_and_nothing_bought)
{
	begin(DAV2M_NESTED);
	r->budget = -1;
	for (int i = 0; i < 20; i++)
		rig_expect_reason(tick(NESTED, 0), DAV2M_ROLLED);
	ck_assert_int_eq(view().surety, DAV2M_GUESSED);
	ck_assert_uint_eq(view().other_cycles, NESTED);
	ck_assert_uint_eq(view().regret_cycles, 0);
	/* Nor are guesses played. */
	ck_assert_int_eq(r->late_gain, 0);
	ck_assert_uint_eq(r->played[0] | r->played[1], 0);
}
END_TEST

/* What is known by what a like phase costs is no probe. */
START_TEST(nearest_phase_is_no_probe)
{
	begin(DAV2M_SHADOW);
	(void)tick(SHADOW, 50);
	move(DAV2M_PIN_NESTED);
	r->budget = -1;
	while (rig.last.action != DAV2M_SWITCH)
		(void)phase(OTHERS, NESTED, 0);
	ck_assert_int_eq(view().surety, DAV2M_GUESSED);
	done();
	rig_expect_state(&rig, DAV2M_STATE_PRESHADOW);
	ck_assert(!r->probing);
}
END_TEST

/* That makes the first look at nested paging a probe; its transient tells nothing. */
START_TEST(probe_of_nested_paging)
{
	begin(DAV2M_SHADOW);
	leave_for(DAV2M_STATE_PRENESTED, SHADOW, NESTED);
	ck_assert(r->probing);
	rig_expect_reason(tick(100 * NESTED, 0), DAV2M_SETTLING);
	/* What it loses are no exits. */
	rig_expect_reason(tick(2000, 0), DAV2M_WAITING);
	ck_assert(r->probing);
	ck_assert_uint_eq(rig.ctl.exits_due, UINT32_MAX);
	rig_expect_reason(tick(NESTED, 0), DAV2M_PROBE_KEPT);
	ck_assert(!r->probing);
}
END_TEST

/* Nor is it, when it is lost and cannot be left, ended by what only a storm may end: the tick goes
   on. */
START_TEST(probe_of_nested_paging_has_no_storms)
{
	int64_t budget;

	begin_with(DAV2M_SHADOW, 10000, 1);
	leave_for(DAV2M_STATE_PRENESTED, SHADOW, NESTED);
	rig_expect_reason(tick(NESTED, 0), DAV2M_SETTLING);
	rig_expect_reason(tick(10 * NESTED, 0), DAV2M_PROBE_WORSE);
	ck_assert_int_eq(dav2m_acknowledge(&rig.ctl, DAV2M_FAILED, 0), 0);
	budget = view().budget_cycles;
	(void)part(10, 1, 500, 0);
	(void)part(RIG_TICK, MISSES, 300, 0);
	ck_assert_uint_eq(view().cost_cycles, 500 + 300);
	ck_assert_int_ge(view().budget_cycles, budget + 10 + 500 + (int)RIG_TICK + 300 - 2);
}
END_TEST

/* A switch on what is known is none: a storm in its transient is no reason to go back. */
START_TEST(known_better_is_no_probe)
{
	begin(DAV2M_SHADOW);
	(void)tick(SHADOW, 50);
	move(DAV2M_PIN_NESTED);
	(void)tick(NESTED, 0);
	leave_for(DAV2M_STATE_PRESHADOW, NESTED, 0);
	ck_assert(!r->probing);
	rig_expect_reason(storm(100000), DAV2M_SETTLING);
	rig_expect_reason(tick(SHADOW, 0), DAV2M_SETTLING);
	rig_expect_reason(tick(SHADOW, 0), DAV2M_PROBE_KEPT);
}
END_TEST

/* A phase that comes at the end of a transient, and that the other mode has not seen, is left for
   a probe like any other: from a state that leads to one. */
START_TEST(unseen_phase_after_a_switch)
{
	begin(DAV2M_SHADOW);
	r->measured = 1;
	leave_for(DAV2M_STATE_PRENESTED, SHADOW, NESTED + 5 * REGRET_TRIP);
	ck_assert(!r->probing);
	rig_expect_reason(tick(NESTED, 0), DAV2M_SETTLING);
	rig_expect_reason(phase(OTHERS, 10 * NESTED, 0), DAV2M_PROBE_KEPT);
	rig_expect_reason(phase(OTHERS, 10 * NESTED, 0), DAV2M_QUIESCED);
	rig_expect_reason(phase(OTHERS, 10 * NESTED, 0), DAV2M_MISSES_ABOVE);
	done();
	rig_expect_state(&rig, DAV2M_STATE_PRESHADOW);
	ck_assert(r->probing);
}
END_TEST

/* One that is known to be bad is left at once. */
START_TEST(known_phase_after_a_switch)
{
	begin(DAV2M_SHADOW);
	r->measured = 1;
	(void)phase(OTHERS, SHADOW, 10);
	leave_for(DAV2M_STATE_PRENESTED, SHADOW, NESTED + 5 * REGRET_TRIP);
	rig_expect_reason(tick(NESTED, 0), DAV2M_SETTLING);
	rig_expect_reason(phase(OTHERS, 20 * NESTED, 0), DAV2M_PROBE_WORSE);
	done();
	rig_expect_state(&rig, DAV2M_STATE_SHADOW);
	ck_assert(!r->probing);
}
END_TEST

/* A probe that had nothing to do with doubt does not leave it either. */
START_TEST(lost_probe_ends_doubt)
{
	begin(DAV2M_NESTED);
	probe();
	r->doubt = 1000;
	(void)tick(SHADOW, 100 * NESTED);
	done();
	ck_assert_uint_eq(r->doubt, 0);
	ck_assert_uint_eq(r->doubt_wrong, 0);
}
END_TEST

/* There and back before a tick is over, out of a probe: that was one no more. */
START_TEST(pins_out_of_a_probe)
{
	begin_with(DAV2M_NESTED, 0, 0);
	probe();
	move(DAV2M_PIN_NESTED);
	move(DAV2M_PIN_SHADOW);
	rig_expect_state(&rig, DAV2M_STATE_SHADOW);
	ck_assert(!r->probing);
	r->measured = 1;
	leave_for(DAV2M_STATE_PRENESTED, SHADOW, 10 * NESTED);
	ck_assert_uint_eq(view().probing_cycles, 0);
}
END_TEST

/* Who wants the mode that is probed pays for it, not the budget. */
START_TEST(pin_ends_a_probe)
{
	int64_t budget;

	begin_with(DAV2M_NESTED, 0, 1);
	settled_probe();
	budget = view().budget_cycles;
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_SHADOW), 0);
	for (int i = 0; i < 50; i++)
		(void)tick(SHADOW, 10 * NESTED);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_NONE), 0);
	leave_for(DAV2M_STATE_PRENESTED, SHADOW, 10 * NESTED);
	ck_assert_uint_eq(view().probing_cycles, 0);
	ck_assert_int_ge(view().budget_cycles, budget);
	/* Nor does regret grow that cannot be acted on. */
	begin(DAV2M_SHADOW);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_SHADOW), 0);
	for (int i = 0; i < 50; i++)
		(void)tick(SHADOW, 10 * NESTED);
	ck_assert_uint_ge(view().regret_cycles, view().limit_cycles);
	ck_assert_uint_le(view().regret_cycles, view().limit_cycles + SHADOW + 10 * NESTED);
}
END_TEST

/* A rebuild of shadow tables may take longer than any tick: after each probe out of doubt that
   failed the next may lose twice as much. */
START_TEST(doubt_gains_patience)
{
	uint32_t first;

	begin(DAV2M_NESTED);
	r->probing = r->doubted = 1;
	r->other = 0;
	r->exit_cycles = 1;
	first = dav2m_regret_judge.exits_limit(&rig.ctl);
	for (int i = 0; i < 9; i++)
		dav2m_regret_doubt_was_wrong(r);
	ck_assert_uint_ge(dav2m_regret_judge.exits_limit(&rig.ctl), 60 * first);
	ck_assert_uint_le(dav2m_regret_judge.exits_limit(&rig.ctl), 68 * first);
	dav2m_regret_doubt_was_right(r);
	ck_assert_uint_eq(dav2m_regret_judge.exits_limit(&rig.ctl), first);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("probes");

	tcase_add_loop_test(tests, transient_may_lose_twice_as_much, 0, 2);
	tcase_add_loop_test(tests, first_transient_is_not_cut_short, 0, 2);
	tcase_add_loop_test(tests, patience_lasts_until_tables_are_filled, 0, 2);
	tcase_add_test(tests, retuned_judge_has_patience);
	tcase_add_loop_test(tests, filling_tables_is_a_transient, 0, 2);
	tcase_add_loop_test(tests, late_samples_of_filling_tables, 0, 4);
	tcase_add_test(tests, filling_begins_under_shadow_paging);
	tcase_add_test(tests, filling_goes_on_in_the_middle_of_a_tick);
	tcase_add_test(tests, settling_ticks_are_not_filling);
	tcase_add_test(tests, settled_probes_are_not_filling);
	tcase_add_test(tests, storms_of_settled_probes_are_told);
	tcase_add_loop_test(tests, settled_tick_may_lose_a_quarter, 0, 2);
	tcase_add_loop_test(tests, losses_add_up, 0, 2);
	tcase_add_test(tests, storm_ends_a_transient);
	tcase_add_test(tests, storm_ends_a_settled_probe);
	tcase_add_test(tests, storm_asks_for_a_sample);
	tcase_add_test(tests, exits_limit_saturates);
	tcase_add_test(tests, lost_probe_is_paid);
	tcase_add_test(tests, budget_is_bounded);
	tcase_add_test(tests, nothing_known_and_nothing_bought);
	tcase_add_test(tests, nearest_phase_is_no_probe);
	tcase_add_test(tests, probe_of_nested_paging);
	tcase_add_test(tests, probe_of_nested_paging_has_no_storms);
	tcase_add_test(tests, known_better_is_no_probe);
	tcase_add_test(tests, unseen_phase_after_a_switch);
	tcase_add_test(tests, known_phase_after_a_switch);
	tcase_add_test(tests, lost_probe_ends_doubt);
	tcase_add_test(tests, pins_out_of_a_probe);
	tcase_add_test(tests, pin_ends_a_probe);
	tcase_add_test(tests, doubt_gains_patience);
	return rig_main("regret_probes", tests);
}
