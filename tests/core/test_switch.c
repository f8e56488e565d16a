/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a switch takes: the acknowledgement and its outcomes; another config.
 */
#include "rig.h"

START_TEST(never_assumed)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_ask(&rig, &config);
	for (int i = 0; i < 50; i++) {
		rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_UNACKNOWLEDGED);
		rig_expect(&rig, DAV2M_SWITCH, 1, DAV2M_STATE_SHADOW, DAV2M_STATE_PRENESTED);
		rig_expect_state(&rig, DAV2M_STATE_SHADOW);
		ck_assert_uint_eq(rig.last.tick, 1);
	}
	/* What happened meanwhile belongs to no window. */
	ck_assert_uint_eq(rig_explain(&rig).reference.cycles, 2000);
	ck_assert_uint_eq(rig_explain(&rig).count[DAV2M_UNACKNOWLEDGED], 50);
	rig_done(&rig);
	rig_expect_state(&rig, DAV2M_STATE_PRENESTED);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_SETTLING);
	ck_assert_int_eq(rig.last.action, DAV2M_STAY);
}
END_TEST

/* A counter that resets while the switch stands changes nothing about it. */
START_TEST(stands_through_reset)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_ask(&rig, &config);
	memset(rig.counters.value, 0, sizeof(rig.counters.value));
	rig_expect_reason(rig_work(&rig, 0, 0, 0, 0), DAV2M_BACKWARD);
	rig_expect(&rig, DAV2M_SWITCH, 1, DAV2M_STATE_SHADOW, DAV2M_STATE_PRENESTED);
}
END_TEST

START_TEST(nothing_to_acknowledge)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	ck_assert_int_eq(dav2m_acknowledge(&rig.ctl, DAV2M_DONE, 0), DAV2M_ERR_NO_SWITCH);
	rig_ask(&rig, &config);
	ck_assert_int_eq(dav2m_acknowledge(&rig.ctl, (enum dav2m_outcome)DAV2M_OUTCOMES, 0),
			 DAV2M_ERR_RANGE);
	rig_done(&rig);
	ck_assert_int_eq(dav2m_acknowledge(&rig.ctl, DAV2M_DONE, 0), DAV2M_ERR_NO_SWITCH);
}
END_TEST

/* Ticks of back-off until the switch is asked for again. */
static int refused_ticks(struct rig *rig)
{
	int ticks = 0;

	while (rig_tick(rig, 2000, 0, RIG_EXITS + 1) == DAV2M_BACKING_OFF) {
		rig_expect(rig, DAV2M_STAY, 0, DAV2M_STATE_SHADOW, DAV2M_STATE_SHADOW);
		ticks++;
	}
	rig_expect_reason(rig->last.reason, DAV2M_EXITS_ABOVE);
	rig_expect(rig, DAV2M_SWITCH, 1, DAV2M_STATE_SHADOW, DAV2M_STATE_PRENESTED);
	return ticks + 1;
}

START_TEST(failed_backs_off)
{
	static const int want[] = {1, 2, 4, 8, 16, 32, 64, 64, 64};
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_ask(&rig, &config);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		rig_acknowledge(&rig, DAV2M_FAILED, 0);
		rig_expect_state(&rig, DAV2M_STATE_SHADOW);
		ck_assert_int_eq(refused_ticks(&rig), want[i]);
	}
	ck_assert_uint_eq(rig_explain(&rig).tally.failed, 9);
	ck_assert_uint_eq(rig_explain(&rig).tally.switches[DAV2M_NESTED], 0);
	ck_assert_uint_eq(rig_explain(&rig).threshold_vmexit, RIG_EXITS);
}
END_TEST

START_TEST(deferred_is_judged_anew)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_ask(&rig, &config);
	for (uint32_t i = 1; i < 10; i++) {
		rig_acknowledge(&rig, DAV2M_DEFERRED, 0);
		rig_expect_state(&rig, DAV2M_STATE_SHADOW);
		rig_expect_reason(rig_work(&rig, 300, 600, 0, RIG_EXITS / 2), DAV2M_WAITING);
		/* So many exits are worth a sample again, and a switch. */
		ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, RIG_EXITS / 2 + 1), 1);
		rig_expect_reason(rig_work(&rig, 300, 600, 0, RIG_EXITS / 2 + 1),
				  DAV2M_EXITS_ABOVE);
		ck_assert_uint_eq(rig_explain(&rig).tally.deferred, i);
	}
}
END_TEST

/* A switch that succeeds makes the next failure the first again; a deferred one does not. */
START_TEST(success_forgives)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct rig rig;

	rig_ask(&rig, &config);
	for (int i = 0; i < 4; i++) {
		rig_acknowledge(&rig, DAV2M_FAILED, 0);
		refused_ticks(&rig);
	}
	rig_acknowledge(&rig, DAV2M_DEFERRED, 0);
	ck_assert_int_eq(refused_ticks(&rig), 1);
	rig_acknowledge(&rig, DAV2M_FAILED, 0);
	ck_assert_int_eq(refused_ticks(&rig), 16);
	rig_done(&rig);
	rig_expect_reason(rig_tick(&rig, 9000, 0, 0), DAV2M_PROBE_WORSE);
	rig_done(&rig);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 1000 * RIG_EXITS), DAV2M_EXITS_ABOVE);
	rig_acknowledge(&rig, DAV2M_FAILED, 0);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 1000 * RIG_EXITS), DAV2M_EXITS_ABOVE);
}
END_TEST

/* A probe whose way back is refused is judged again, from a fresh window. */
START_TEST(refused_way_back)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PRENESTED);
	rig_expect_reason(rig_tick(&rig, 9000, 0, 0), DAV2M_PROBE_WORSE);
	rig_acknowledge(&rig, DAV2M_FAILED, 0);
	rig_expect_state(&rig, DAV2M_STATE_PRENESTED);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_PROBE_KEPT);
}
END_TEST

START_TEST(cycles_kept_out)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct rig rig;

	for (uint64_t more = 0; more <= 1; more++) {
		rig_ask(&rig, &config);
		rig_acknowledge(&rig, DAV2M_DONE, 50000);
		rig_expect_reason(rig_tick(&rig, 50000 + 2200 + more, 0, 0),
				  more ? DAV2M_PROBE_WORSE : DAV2M_PROBE_KEPT);
	}
}
END_TEST

/* They are taken out once, never below 0, within a tick, and those of a failed attempt as well. */
START_TEST(cycles_kept_out_once)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct rig rig;

	config.window_vmexit = 3;
	rig_begin(&rig, &config, DAV2M_SHADOW);
	rig_expect_reason(rig_tick(&rig, 2000, 0, RIG_EXITS + 1), DAV2M_EXITS_ABOVE);
	rig_acknowledge(&rig, DAV2M_FAILED, 1500);
	rig_expect_reason(rig_work(&rig, 500, 1700, 0, 0), DAV2M_WAITING);
	ck_assert_uint_eq(rig_explain(&rig).window.cycles, 200);
	rig_expect_reason(rig_work(&rig, 500, 1700, 0, 0), DAV2M_WAITING);
	ck_assert_uint_eq(rig_explain(&rig).window.cycles, 1900);
	rig_expect_reason(rig_work(&rig, 500, 1700, 0, RIG_EXITS + 1), DAV2M_EXITS_ABOVE);
	rig_acknowledge(&rig, DAV2M_DONE, UINT64_MAX);
	rig_expect_reason(rig_work(&rig, 1000, 1700, 0, 0), DAV2M_WAITING);
	ck_assert_uint_eq(rig_explain(&rig).window.cycles, 0);
	rig_expect_reason(rig_work(&rig, 100, 1700, 0, 0), DAV2M_WAITING);
	ck_assert_uint_eq(rig_explain(&rig).window.cycles, 1700);
}
END_TEST

/* A reset after the switch takes the switch's cycles with it. */
START_TEST(cycles_reset)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct rig rig;

	rig_ask(&rig, &config);
	rig_acknowledge(&rig, DAV2M_DONE, 50000);
	memset(rig.counters.value, 0, sizeof(rig.counters.value));
	rig_expect_reason(rig_work(&rig, 0, 0, 0, 0), DAV2M_BACKWARD);
	rig_expect_reason(rig_tick(&rig, 5000, 0, 0), DAV2M_PROBE_WORSE);
}
END_TEST

/* Thresholds and windows start afresh; state, mode, pin and counts stay. */
START_TEST(retune)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED), other = config;
	struct dav2m_explanation before, after;
	struct rig rig;

	other.threshold_vmexit = 7;
	other.threshold_tmiss = 8;
	rig_reach(&rig, &config, DAV2M_STATE_PRESHADOW);
	rig_expect_reason(rig_tick(&rig, 2000, 3, 4), DAV2M_ROLLED);
	before = rig_explain(&rig);
	ck_assert_int_eq(dav2m_retune(&rig.ctl, &other), 0);
	after = rig_explain(&rig);
	ck_assert_uint_eq(after.threshold_vmexit, 7);
	ck_assert_uint_eq(after.threshold_tmiss, 8);
	ck_assert_uint_eq(after.window.progress, 0);
	ck_assert_uint_eq(after.smoothed.ticks, 0);
	ck_assert_int_eq(after.state, before.state);
	ck_assert_int_eq(after.mode, before.mode);
	ck_assert_int_eq(after.reason, before.reason);
	ck_assert_uint_eq(after.available, before.available);
	ck_assert_uint_eq(after.reference.cycles, before.reference.cycles);
	ck_assert_mem_eq(after.mode_ticks, before.mode_ticks, sizeof(before.mode_ticks));
	ck_assert_mem_eq(after.since, before.since, sizeof(before.since));
	ck_assert_mem_eq(&after.tally, &before.tally, sizeof(before.tally));
	ck_assert_mem_eq(after.count, before.count, sizeof(before.count));
	rig_expect_reason(rig_tick(&rig, 2000, 0, 8), DAV2M_ROLLED);
}
END_TEST

/* The time since a switch stays, as far as the new window_trans reaches. */
START_TEST(retune_time)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED), other = config;
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PRESHADOW);
	for (int tick = 0; tick < 5; tick++)
		rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_ROLLED);
	ck_assert_uint_eq(rig_explain(&rig).since[DAV2M_SHADOW], 6);
	ck_assert_uint_eq(rig_explain(&rig).since[DAV2M_NESTED], 100);
	/* "Long ago" stays long ago. */
	other.window_trans = 1000;
	ck_assert_int_eq(dav2m_retune(&rig.ctl, &other), 0);
	ck_assert_uint_eq(rig_explain(&rig).since[DAV2M_SHADOW], 6);
	ck_assert_uint_eq(rig_explain(&rig).since[DAV2M_NESTED], 1000);
	other.window_tmiss = other.window_trans = 4;
	ck_assert_int_eq(dav2m_retune(&rig.ctl, &other), 0);
	ck_assert_uint_eq(rig_explain(&rig).since[DAV2M_SHADOW], 4);
	ck_assert_uint_eq(rig_explain(&rig).since[DAV2M_NESTED], 4);
}
END_TEST

/* A transient under way lasts as long as the new window_settle says, from the switch on. */
START_TEST(retune_while_settling)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PRESHADOW);
	config.window_settle = 3; /* one of which has passed */
	ck_assert_int_eq(dav2m_retune(&rig.ctl, &config), 0);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_SETTLING);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_SETTLING);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_ROLLED);
}
END_TEST

/* Another judge begins in the mode that runs: it has no reference for a probe under way, does not
   wait for counters that it does not read, and wants no switch yet. */
START_TEST(retune_judge)
{
	const enum dav2m_state from = (enum dav2m_state)_i;
	const enum dav2m_mode mode = dav2m_state_mode(from);
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED), bounded = config;
	struct rig rig;

	rig_reach(&rig, &config, from);
	bounded.judge = 1;
	bounded.window_tmiss = bounded.window_vmexit = 1;
	ck_assert_int_eq(dav2m_retune(&rig.ctl, &bounded), 0);
	rig_expect_state(&rig, mode == DAV2M_SHADOW ? DAV2M_STATE_SHADOW : DAV2M_STATE_NESTED);
	rig.counters.valid = DAV2M_ALL_COUNTERS;
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_BASELINE);
	ck_assert_uint_eq(rig_explain(&rig).available, DAV2M_ALL_COUNTERS);
	ck_assert_int_eq(dav2m_retune(&rig.ctl, &config), 0);
	ck_assert_uint_eq(rig_explain(&rig).available, RIG_COUNTERS);
	ck_assert_str_ne(dav2m_reason_name(rig_tick(&rig, 2000, 0, 0)),
			 dav2m_reason_name(DAV2M_INCOMPLETE));
	ck_assert_int_eq(rig_explain(&rig).mode, mode);
}
END_TEST

START_TEST(retune_judge_withdraws)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED), bounded = config;
	struct rig rig;

	bounded.judge = 1;
	bounded.window_tmiss = 1;
	rig_ask(&rig, &config);
	ck_assert_int_eq(dav2m_retune(&rig.ctl, &bounded), 0);
	ck_assert_int_eq(rig_explain(&rig).asked, DAV2M_STAY);
	rig_acknowledge(&rig, DAV2M_DONE, 0);
	rig_expect_state(&rig, DAV2M_STATE_NESTED);
}
END_TEST

/* The counters of another host, or of before: nothing is made of the difference. */
START_TEST(rebase)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_explanation before;
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_NESTED);
	before = rig_explain(&rig);
	ck_assert_int_eq(dav2m_rebase(&rig.ctl), 0);
	ck_assert_uint_eq(rig_explain(&rig).window.progress, 0);
	for (int c = 0; c < DAV2M_COUNTERS; c++)
		rig.counters.value[c] += UINT64_C(1) << 38;
	rig_expect_reason(rig_work(&rig, 0, 0, 0, 0), DAV2M_BASELINE);
	for (unsigned int tick = 0; tick < 2 * config.window_tmiss; tick++)
		rig_tick(&rig, 2000, 0, 0);
	rig_expect_state(&rig, DAV2M_STATE_NESTED);
	ck_assert_int_eq(rig_explain(&rig).asked, DAV2M_STAY);
	ck_assert_uint_eq(rig_explain(&rig).resets, before.resets);
	ck_assert_uint_eq(rig_explain(&rig).wraps, before.wraps);
	ck_assert_uint_eq(rig_explain(&rig).threshold_tmiss, before.threshold_tmiss);
}
END_TEST

/* Another width: counters are followed from the next sample on, wraps are not forgotten. */
START_TEST(retune_counter_bits)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	config.counter_bits = 32;
	ck_assert_int_eq(dav2m_retune(&rig.ctl, &config), 0);
	rig_expect_reason(rig_work(&rig, 1, 1, 0, 0), DAV2M_BASELINE);
	rig_expect_reason(rig_work(&rig, 1, UINT64_C(1) << 31, 0, 0), DAV2M_BACKWARD);
}
END_TEST

START_TEST(retune_refused)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m before;
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	memcpy(&before, &rig.ctl, sizeof(before));
	config.raise_bp = 1;
	config.window_tmiss = 101;
	ck_assert_int_eq(dav2m_retune(&rig.ctl, &config), DAV2M_ERR_CONFIG);
	config.size--;
	ck_assert_int_eq(dav2m_retune(&rig.ctl, &config), DAV2M_ERR_SIZE);
	ck_assert_mem_eq(&rig.ctl, &before, sizeof(before));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("switch");

	tcase_add_test(tests, never_assumed);
	tcase_add_test(tests, stands_through_reset);
	tcase_add_test(tests, nothing_to_acknowledge);
	tcase_add_test(tests, failed_backs_off);
	tcase_add_test(tests, deferred_is_judged_anew);
	tcase_add_test(tests, success_forgives);
	tcase_add_test(tests, refused_way_back);
	tcase_add_test(tests, cycles_kept_out);
	tcase_add_test(tests, cycles_kept_out_once);
	tcase_add_test(tests, cycles_reset);
	tcase_add_test(tests, retune);
	tcase_add_test(tests, retune_time);
	tcase_add_test(tests, retune_while_settling);
	tcase_add_loop_test(tests, retune_judge, 0, DAV2M_STATES);
	tcase_add_test(tests, retune_judge_withdraws);
	tcase_add_test(tests, rebase);
	tcase_add_test(tests, retune_counter_bits);
	tcase_add_test(tests, retune_refused);
	return rig_main("switch", tests);
}
