/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One mode allowed: what a pin asks for, holds and withdraws, and what becomes of a switch that it
 * has withdrawn from under the caller's hands.
 */
#include "rig.h"

/* The other mode is what the pin of that mode leads to, from each state. */
START_TEST(pin_moves)
{
	enum dav2m_state from = (enum dav2m_state)_i;
	int shadow = dav2m_state_mode(from) == DAV2M_SHADOW;
	enum dav2m_state to = shadow ? DAV2M_STATE_NESTED : DAV2M_STATE_SHADOW;
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_explanation before;
	struct rig rig;

	rig_reach(&rig, &config, from);
	before = rig_explain(&rig);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, shadow ? DAV2M_PIN_NESTED : DAV2M_PIN_SHADOW), 0);
	rig_expect_state(&rig, from);
	rig_expect_reason(rig_work(&rig, 10, 20, 0, 0), DAV2M_PINNED);
	rig_expect(&rig, DAV2M_SWITCH, 0, from, to);
	rig_expect_reason(rig_work(&rig, 10, 20, 0, 0), DAV2M_UNACKNOWLEDGED);
	rig_expect(&rig, DAV2M_SWITCH, 0, from, to);
	/* Deferred, it is asked for again at once; failed, after a while. */
	rig_acknowledge(&rig, DAV2M_DEFERRED, 0);
	rig_expect_reason(rig_work(&rig, 10, 20, 0, 0), DAV2M_PINNED);
	rig_acknowledge(&rig, DAV2M_FAILED, 0);
	rig_expect_reason(rig_work(&rig, 10, 20, 0, 0), DAV2M_BACKING_OFF);
	rig_expect(&rig, DAV2M_STAY, 0, from, from);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_PINNED);
	rig_done(&rig);
	rig_expect_state(&rig, to);
	/* The caller's will is neither an oscillation nor a lesson. */
	ck_assert_uint_eq(rig_explain(&rig).tally.damped, before.tally.damped);
	ck_assert_uint_eq(rig_explain(&rig).threshold_vmexit, before.threshold_vmexit);
	ck_assert_uint_eq(rig_explain(&rig).threshold_tmiss, before.threshold_tmiss);
}
END_TEST

/* Pinning to and fro as fast as can be: no oscillation of the controller's. */
START_TEST(pin_is_no_oscillation)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	for (int i = 0; i < 6; i++) {
		enum dav2m_pin pin = i % 2 ? DAV2M_PIN_SHADOW : DAV2M_PIN_NESTED;

		ck_assert_int_eq(dav2m_pin(&rig.ctl, pin), 0);
		/* Settled or not. */
		rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_PINNED);
		rig_done(&rig);
	}
	ck_assert_uint_eq(rig_explain(&rig).tally.switches[DAV2M_SHADOW], 3);
	ck_assert_uint_eq(rig_explain(&rig).tally.damped, 0);
	ck_assert_uint_eq(rig_explain(&rig).threshold_vmexit, RIG_EXITS);
}
END_TEST

/* The running mode pinned: whatever the counters say, it stays. */
START_TEST(pin_holds)
{
	enum dav2m_state from = (enum dav2m_state)_i;
	int shadow = dav2m_state_mode(from) == DAV2M_SHADOW;
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_reach(&rig, &config, from);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, shadow ? DAV2M_PIN_SHADOW : DAV2M_PIN_NESTED), 0);
	for (int tick = 0; tick < 200; tick++) {
		rig_tick(&rig, 90000, 100 * RIG_MISSES, 100 * RIG_EXITS);
		ck_assert_int_eq(rig.last.action, DAV2M_STAY);
		ck_assert_int_eq(rig_explain(&rig).mode, dav2m_state_mode(from));
	}
	ck_assert_uint_gt(rig_explain(&rig).count[DAV2M_PINNED], 0);
	/* Freed, it may leave again. */
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_NONE), 0);
	for (int tick = 0; tick < 20 && rig.last.action == DAV2M_STAY; tick++)
		rig_tick(&rig, 90000, 100 * RIG_MISSES, 100 * RIG_EXITS);
	ck_assert_int_eq(rig.last.action, DAV2M_SWITCH);
}
END_TEST

START_TEST(pin_withdraws)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_ask(&rig, &config);
	/* Pins that allow the switch leave it standing. */
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_NONE), 0);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_NESTED), 0);
	ck_assert_int_eq(rig_explain(&rig).asked, DAV2M_SWITCH);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_SHADOW), 0);
	ck_assert_int_eq(rig_explain(&rig).asked, DAV2M_STAY);
	ck_assert_uint_eq(rig_explain(&rig).window.progress, 0);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_ROLLED);
	ck_assert_int_eq(rig.last.action, DAV2M_STAY);
}
END_TEST

/* The caller was at it when the switch was withdrawn: its word counts, and the way back is asked
   for. */
START_TEST(withdrawn_and_done)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_ask(&rig, &config);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_SHADOW), 0);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_ROLLED);
	rig_acknowledge(&rig, DAV2M_DONE, 1000);
	rig_expect_state(&rig, DAV2M_STATE_NESTED);
	ck_assert_uint_eq(rig_explain(&rig).tally.switches[DAV2M_NESTED], 1);
	rig_expect_reason(rig_work(&rig, 1, 2, 0, 0), DAV2M_PINNED);
	rig_expect(&rig, DAV2M_SWITCH, 0, DAV2M_STATE_NESTED, DAV2M_STATE_SHADOW);
	rig_done(&rig);
	rig_expect_state(&rig, DAV2M_STATE_SHADOW);
	ck_assert_int_eq(dav2m_acknowledge(&rig.ctl, DAV2M_DONE, 0), DAV2M_ERR_NO_SWITCH);
}
END_TEST

START_TEST(withdrawn_and_not_done)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_ask(&rig, &config);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_SHADOW), 0);
	rig_acknowledge(&rig, DAV2M_DEFERRED, 0);
	rig_expect_state(&rig, DAV2M_STATE_SHADOW);
	ck_assert_int_eq(dav2m_acknowledge(&rig.ctl, DAV2M_DONE, 0), DAV2M_ERR_NO_SWITCH);
}
END_TEST

/* An idle guest, and one that has only just switched, is moved as well. */
START_TEST(pin_moves_the_idle)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct rig rig;

	config.window_settle = 100;
	rig_begin(&rig, &config, DAV2M_SHADOW);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_NESTED), 0);
	rig_expect_reason(rig_work(&rig, 0, 0, 0, 0), DAV2M_PINNED);
	rig_done(&rig);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_SHADOW), 0);
	rig_expect_reason(rig_work(&rig, 0, 5, 0, 0), DAV2M_PINNED);
	rig_done(&rig);
	rig_expect_state(&rig, DAV2M_STATE_SHADOW);
	rig_expect_reason(rig_work(&rig, 0, 0, 0, 0), DAV2M_SETTLING);
}
END_TEST

/* A switch that only a pin asked for goes with the pin. */
START_TEST(unpin_withdraws)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_NESTED), 0);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_PINNED);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, DAV2M_PIN_NONE), 0);
	ck_assert_int_eq(rig_explain(&rig).asked, DAV2M_STAY);
	ck_assert_int_eq(rig_explain(&rig).pin, DAV2M_PIN_NONE);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_ROLLED);
}
END_TEST

START_TEST(no_such_pin)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	ck_assert_int_eq(dav2m_pin(&rig.ctl, (enum dav2m_pin)DAV2M_PINS), DAV2M_ERR_RANGE);
	ck_assert_int_eq(rig_explain(&rig).pin, DAV2M_PIN_NONE);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("pin");

	tcase_add_loop_test(tests, pin_moves, 0, DAV2M_STATES);
	tcase_add_test(tests, pin_is_no_oscillation);
	tcase_add_loop_test(tests, pin_holds, 0, DAV2M_STATES);
	tcase_add_test(tests, pin_withdraws);
	tcase_add_test(tests, withdrawn_and_done);
	tcase_add_test(tests, withdrawn_and_not_done);
	tcase_add_loop_test(tests, pin_moves_the_idle, 0, DAV2M_PRESETS);
	tcase_add_test(tests, unpin_withdraws);
	tcase_add_test(tests, no_such_pin);
	return rig_main("pin", tests);
}
