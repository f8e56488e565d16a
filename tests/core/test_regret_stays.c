/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regret judge from stay to stay, to the cycle: what a probe may lose and what it then costs,
 * which switches are probes, what a stay begins and ends with. In all of it nested paging's walks
 * cost three times as much as shadow paging's, a round trip costs REGRET_TRIP until something else
 * is measured, and a probe may lose a quarter of one.
 */
#include "regret_rig.h"

#define LOSS   (REGRET_TRIP / 4)
#define MISSES 100u  /* of a phase */
#define OTHERS 5000u /* of another */
#define SHADOW 300u  /* what the walks of either cost in a tick ... */
#define NESTED 900u  /* ... so that it is regretted for good in three of them */

static struct rig rig;
static struct dav2m_regret *const r = &rig.ctl.judge.regret;

static void begin_with(enum dav2m_mode mode, uint32_t share_bp, uint32_t settle)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_BOUNDED);

	config.probe_share_bp = (uint16_t)share_bp;
	config.window_settle = (uint16_t)settle;
	rig_begin_with(&rig, &config, mode, DAV2M_ALL_COUNTERS);
}

static void begin(enum dav2m_mode mode)
{
	begin_with(mode, 0, 1);
}

/* Some work, its walks and its exits, in cycles. */
static enum dav2m_reason part(uint32_t progress, uint32_t misses, uint32_t walk, uint32_t exits)
{
	rig.counters.value[DAV2M_WALK_CYCLES] += walk;
	rig.counters.value[DAV2M_PAGING_EXIT_CYCLES] += exits;
	return rig_work(&rig, progress, (uint64_t)progress + walk + exits, misses, 0);
}

static enum dav2m_reason phase(uint32_t misses, uint32_t walk, uint32_t exits)
{
	return part(RIG_TICK, misses, walk, exits);
}

static enum dav2m_reason tick(uint32_t walk, uint32_t exits)
{
	return phase(MISSES, walk, exits);
}

/* In the middle of a tick. */
static enum dav2m_reason storm(uint32_t exits)
{
	return part(10, 1, 0, exits);
}

static struct dav2m_regret_view view(void)
{
	return rig_explain(&rig).regret;
}

/* The switch that was asked for is made. */
static void done(void)
{
	rig_done(&rig);
	rig.last.action = DAV2M_STAY;
}

/* Until the mode is left, for a state that is not settled yet. */
static void leave_for(enum dav2m_state state, uint32_t walk, uint32_t exits)
{
	for (int i = 0; rig.last.action != DAV2M_SWITCH; i++) {
		ck_assert_int_lt(i, 20);
		(void)tick(walk, exits);
	}
	done();
	rig_expect_state(&rig, state);
}

/* Into a probe of shadow paging in a phase that it has not seen. */
static void probe(void)
{
	leave_for(DAV2M_STATE_PRESHADOW, NESTED, 0);
	ck_assert(r->probing);
	ck_assert(!r->doubted);
}

static void settled_probe(void)
{
	probe();
	rig_expect_reason(tick(SHADOW, 0), DAV2M_SETTLING);
}

/* To the other mode by the caller's will. */
static void move(enum dav2m_pin pin)
{
	ck_assert_int_eq(dav2m_pin(&rig.ctl, pin), 0);
	(void)part(10, 1, 0, 0);
	ck_assert_int_eq(rig.last.action, DAV2M_SWITCH);
	done();
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_NONE), 0);
}

START_TEST(transient_may_lose_twice_as_much)
{
	begin(DAV2M_NESTED);
	probe();
	rig_expect_reason(tick(SHADOW, NESTED - SHADOW + 2 * LOSS + (uint32_t)_i),
			  _i ? DAV2M_PROBE_WORSE : DAV2M_SETTLING);
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

START_TEST(guesses_are_not_played)
{
	begin(DAV2M_NESTED);
	ck_assert_uint_eq(r->played_mode, 3);
	r->limit[0] = r->limit[1] = pack(UINT32_MAX);
	for (int i = 0; i < 3; i++)
		rig_expect_reason(tick(NESTED, 0), DAV2M_ROLLED);
	ck_assert_uint_eq(view().regret_cycles, 3 * (NESTED - SHADOW));
	ck_assert_uint_eq(r->played[0] | r->played[1], 0);
	begin(DAV2M_SHADOW);
	ck_assert_uint_eq(r->played_mode, 0);
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

/* That makes the first look at nested paging a probe; its transient tells nothing. */
START_TEST(probe_of_nested_paging)
{
	begin(DAV2M_SHADOW);
	leave_for(DAV2M_STATE_PRENESTED, SHADOW, NESTED);
	ck_assert(r->probing);
	rig_expect_reason(tick(100 * NESTED, 0), DAV2M_SETTLING);
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
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, UINT32_MAX / 2), 0);
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

	tcase_add_loop_test(tests, transient_may_lose_twice_as_much, 0, 2);
	tcase_add_loop_test(tests, settled_tick_may_lose_a_quarter, 0, 2);
	tcase_add_loop_test(tests, losses_add_up, 0, 2);
	tcase_add_test(tests, storm_ends_a_transient);
	tcase_add_test(tests, storm_ends_a_settled_probe);
	tcase_add_test(tests, storm_asks_for_a_sample);
	tcase_add_test(tests, exits_limit_saturates);
	tcase_add_test(tests, lost_probe_is_paid);
	tcase_add_test(tests, budget_is_bounded);
	tcase_add_test(tests, nothing_known_and_nothing_bought);
	tcase_add_test(tests, guesses_are_not_played);
	tcase_add_test(tests, nearest_phase_is_no_probe);
	tcase_add_test(tests, walks_of_a_mode_not_seen);
	tcase_add_test(tests, probe_of_nested_paging);
	tcase_add_test(tests, probe_of_nested_paging_has_no_storms);
	tcase_add_test(tests, known_better_is_no_probe);
	tcase_add_test(tests, unseen_phase_after_a_switch);
	tcase_add_test(tests, known_phase_after_a_switch);
	tcase_add_test(tests, phase_goes_on_after_a_switch);
	tcase_add_test(tests, good_ticks);
	tcase_add_loop_test(tests, stay_that_was_worth_it, 0, 2);
	tcase_add_test(tests, good_memories_are_not_doubted);
	tcase_add_test(tests, lost_probe_ends_doubt);
	tcase_add_test(tests, pin_begins_a_stay);
	tcase_add_test(tests, pins_out_of_a_probe);
	tcase_add_loop_test(tests, limits_follow_the_round_trip, 0, 2);
	tcase_add_test(tests, long_transients);
	tcase_add_test(tests, transient_gains_nothing);
	tcase_add_test(tests, finding_out_counts_twice);
	tcase_add_loop_test(tests, costs_begin_anew, 0, 2);
	return rig_main("regret_stays", tests);
}
