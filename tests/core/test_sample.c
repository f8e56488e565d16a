/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples and ticks: what completes one, what is told about it, when an exit asks for a sample.
 */
#include "rig.h"

START_TEST(first_sample_is_a_base)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_decision decision;
	struct dav2m_sample sample = {.valid = RIG_COUNTERS};
	struct dav2m ctl;

	for (int c = 0; c < DAV2M_COUNTERS; c++)
		sample.value[c] = UINT64_C(123456789012);
	ck_assert_int_eq(dav2m_init(&ctl, &config, DAV2M_SHADOW), 0);
	ck_assert_int_eq(dav2m_sample(&ctl, &sample, &decision), 0);
	rig_expect_reason(decision.reason, DAV2M_BASELINE);
	ck_assert_int_eq(decision.action, DAV2M_STAY);
	ck_assert_int_eq(decision.mode, DAV2M_SHADOW);
	ck_assert_uint_eq(decision.tick, 0);
}
END_TEST

START_TEST(initial_state)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	rig_expect_state(&rig, DAV2M_STATE_SHADOW);
	rig_begin(&rig, &config, DAV2M_NESTED);
	rig_expect_state(&rig, DAV2M_STATE_NESTED);
	ck_assert_uint_eq(rig_explain(&rig).since[DAV2M_SHADOW], 100);
	ck_assert_uint_eq(rig_explain(&rig).since[DAV2M_NESTED], 100);
	ck_assert_uint_eq(rig_explain(&rig).available, RIG_COUNTERS);
}
END_TEST

/* A tick is window_inst of progress, however many samples it takes; one sample ends at most one. */
START_TEST(ticks)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	config.window_vmexit = 10;
	rig_begin(&rig, &config, DAV2M_SHADOW);
	rig_work(&rig, 999, 1, 0, 0);
	ck_assert_uint_eq(rig.last.tick, 0);
	rig_work(&rig, 1, 1, 0, 0);
	ck_assert_uint_eq(rig.last.tick, 1);
	rig_work(&rig, 5000, 1, 0, 0);
	ck_assert_uint_eq(rig.last.tick, 2);
	/* What exceeds a tick is not carried into the next. */
	rig_work(&rig, 999, 1, 0, 0);
	ck_assert_uint_eq(rig.last.tick, 2);
	ck_assert_uint_eq(rig_explain(&rig).mode_ticks[DAV2M_SHADOW], 2);
	ck_assert_uint_eq(rig_explain(&rig).mode_ticks[DAV2M_NESTED], 0);
}
END_TEST

START_TEST(no_progress)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	rig_expect_reason(rig_work(&rig, 0, 0, 0, 0), DAV2M_NO_PROGRESS);
	rig_expect_reason(rig_work(&rig, 0, 5000, 0, 10 * RIG_EXITS), DAV2M_NO_PROGRESS);
	ck_assert_int_eq(rig.last.action, DAV2M_STAY);
	/* The exits are not lost. */
	rig_expect_reason(rig_work(&rig, 250, 500, 0, 0), DAV2M_EXITS_ABOVE);
	ck_assert_uint_eq(rig_explain(&rig).reference.cycles, 5500);
	ck_assert_uint_eq(rig_explain(&rig).count[DAV2M_NO_PROGRESS], 2);
}
END_TEST

/* Without a measure of work each sample is a tick; nothing can be compared, so nothing switches. */
START_TEST(no_progress_counter)
{
	const uint32_t counters = RIG_COUNTERS & ~DAV2M_BIT(DAV2M_PROGRESS);
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	for (int mode = 0; mode < DAV2M_MODES; mode++) {
		rig_begin_with(&rig, &config, (enum dav2m_mode)mode, counters);
		for (uint64_t tick = 1; tick <= 300; tick++) {
			rig_work(&rig, 0, 2000, 10 * RIG_MISSES, 10 * RIG_EXITS);
			ck_assert_uint_eq(rig.last.tick, tick);
			ck_assert_int_eq(rig.last.action, DAV2M_STAY);
		}
		ck_assert_uint_eq(rig_explain(&rig).count[DAV2M_BLIND],
				  mode == DAV2M_SHADOW ? 300 : 30);
		ck_assert_uint_eq(rig_explain(&rig).smoothed.progress, 0);
		ck_assert_uint_eq(rig_explain(&rig).smoothed.ticks, 12);
		ck_assert_uint_eq(rig_explain(&rig).smoothed.cycles, 24000);
	}
}
END_TEST

/* No tick that settles belongs to a window. */
START_TEST(settling)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	config.window_settle = 3;
	rig_begin(&rig, &config, DAV2M_SHADOW);
	rig_expect_reason(rig_tick(&rig, 2000, 0, RIG_EXITS + 1), DAV2M_EXITS_ABOVE);
	rig_done(&rig);
	for (int half = 0; half < 6; half++) {
		rig_expect_reason(rig_work(&rig, 500, 90000, 0, 0), DAV2M_SETTLING);
		rig_expect(&rig, DAV2M_STAY, 0, DAV2M_STATE_PRENESTED, DAV2M_STATE_PRENESTED);
	}
	ck_assert_uint_eq(rig_explain(&rig).window.cycles, 0);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_PROBE_KEPT);
}
END_TEST

/* The moving averages are those of the last ten ticks of this mode, or up to three more. */
START_TEST(smoothing)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	for (uint64_t tick = 1; tick <= 25; tick++) {
		uint64_t before = tick > 10 ? (tick - 10) / 4 * 4 : 0, n = tick - before;
		struct dav2m_sums got;

		rig_work(&rig, 400, tick, 0, 0);
		rig_tick(&rig, 2 * tick, 3 * tick, tick);
		got = rig_explain(&rig).smoothed;
		ck_assert_uint_eq(got.ticks, n);
		ck_assert_uint_eq(got.progress, 1400 * n);
		ck_assert_uint_eq(got.cycles, 3 * (before + 1 + tick) * n / 2);
		ck_assert_uint_eq(got.tlb_misses, 3 * (before + 1 + tick) * n / 2);
		ck_assert_uint_eq(got.paging_exits, 0);
	}
	rig_expect_reason(rig_tick(&rig, 2000, 0, RIG_EXITS + 1), DAV2M_EXITS_ABOVE);
	ck_assert_uint_eq(rig_explain(&rig).smoothed.ticks, 10);
	rig_work(&rig, 300, 700, 0, 0);
	rig_done(&rig);
	ck_assert_uint_eq(rig_explain(&rig).smoothed.ticks, 0);
	ck_assert_uint_eq(rig_explain(&rig).smoothed.cycles, 0);
	/* A change of state that keeps the mode keeps them. */
	rig_settle(&rig);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_PROBE_KEPT);
	ck_assert_uint_eq(rig_explain(&rig).smoothed.ticks, 2);
}
END_TEST

/* Large ticks lose low bits, never more. */
START_TEST(smoothing_of_large_ticks)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	const uint64_t inst = UINT64_C(1) << 31, cycles = 3 * inst + 12345;
	struct dav2m_sums got;
	struct rig rig;

	config.window_inst = UINT32_C(1) << 31;
	rig_begin(&rig, &config, DAV2M_NESTED);
	for (int tick = 0; tick < 10; tick++)
		rig_work(&rig, inst, cycles, 5, 0);
	got = rig_explain(&rig).smoothed;
	ck_assert_uint_eq(got.progress, 10 * inst);
	/* A 2^15th of a tick, which is three times window_inst. */
	ck_assert_uint_le(got.cycles, 10 * cycles);
	ck_assert_uint_ge(got.cycles, 10 * cycles - (inst >> 15));
}
END_TEST

START_TEST(counts_add_up)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_explanation now;
	uint64_t seed = 4, samples = 1, sum = 0;
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	for (; samples <= 3000; samples++) {
		uint64_t r = rig_random(&seed);

		rig.counters.valid = r % 50 ? RIG_COUNTERS : DAV2M_ALL_COUNTERS >> r / 64 % 7;
		if (r / 512 % 97 == 0)
			rig.counters.value[DAV2M_CYCLES] /= 2;
		rig_work(&rig, r % 2000, r % 4000, r / 4096 % 500, r / 65536 % 200);
		if (rig.last.action == DAV2M_SWITCH && r % 3)
			rig_done(&rig);
	}
	now = rig_explain(&rig);
	for (int reason = 0; reason < DAV2M_REASONS; reason++)
		sum += now.count[reason];
	ck_assert_uint_eq(sum, samples);
	ck_assert_uint_eq((uint64_t)now.mode_ticks[0] + now.mode_ticks[1], rig.last.tick);
}
END_TEST

static void begin_counted(struct rig *rig, const struct dav2m_config *config, enum dav2m_mode mode)
{
	rig_begin_with(rig, config, mode, RIG_COUNTERS & ~DAV2M_BIT(DAV2M_PAGING_EXITS));
}

/* Exits counted one by one: the sample is due with the first beyond the threshold. */
START_TEST(exits_due)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	begin_counted(&rig, &config, DAV2M_SHADOW);
	for (uint32_t exit = 1; exit <= RIG_EXITS; exit++)
		ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 1), 0);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 1), 1);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 1), 1);
	rig_expect_reason(rig_work(&rig, 300, 600, 0, 0), DAV2M_EXITS_ABOVE);
	/* While the switch stands, and while nested paging runs, none is. */
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, UINT32_MAX), 0);
	rig_done(&rig);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 0), 0);
}
END_TEST

/* What an earlier sample of the window has counted is not waited for again. */
START_TEST(exits_due_within_window)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	begin_counted(&rig, &config, DAV2M_SHADOW);
	dav2m_paging_exits(&rig.ctl, 60);
	rig_expect_reason(rig_work(&rig, 300, 600, 0, 0), DAV2M_WAITING);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 40), 0);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 1), 1);
	rig_expect_reason(rig_work(&rig, 1, 2, 0, 0), DAV2M_EXITS_ABOVE);
}
END_TEST

/* Crossed too early to be judged: not asked for again before the next tick. */
START_TEST(exits_due_too_early)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	begin_counted(&rig, &config, DAV2M_SHADOW);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, RIG_EXITS + 1), 1);
	rig_expect_reason(rig_work(&rig, 100, 200, 0, 0), DAV2M_WAITING);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 10 * RIG_EXITS), 0);
	rig_expect_reason(rig_work(&rig, 100, 200, 0, 0), DAV2M_WAITING);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 10 * RIG_EXITS), 0);
	rig_expect_reason(rig_work(&rig, 50, 100, 0, 0), DAV2M_EXITS_ABOVE);
}
END_TEST

/* The next tick asks again. */
START_TEST(exits_due_again)
{
	const uint32_t counters =
		RIG_COUNTERS & ~(DAV2M_BIT(DAV2M_PAGING_EXITS) | DAV2M_BIT(DAV2M_CYCLES));
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	config.window_vmexit = 3;
	rig_begin_with(&rig, &config, DAV2M_SHADOW, counters);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, RIG_EXITS + 1), 1);
	rig_expect_reason(rig_work(&rig, 900, 0, 0, 0), DAV2M_WAITING);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 1), 0);
	rig_expect_reason(rig_work(&rig, 50, 0, 0, 0), DAV2M_WAITING);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 1), 0);
	rig_expect_reason(rig_work(&rig, 50, 0, 0, 0), DAV2M_WAITING);
	ck_assert_uint_eq(rig.last.tick, 1);
	rig_expect_reason(rig_work(&rig, 1000, 0, 0, 0), DAV2M_WAITING);
	rig_expect_reason(rig_work(&rig, 1000, 0, 0, 0), DAV2M_BLIND);
	/* A new window: from the start. */
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, RIG_EXITS), 0);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 1), 1);
}
END_TEST

/* A threshold that decays moves what is due with it. */
START_TEST(exits_due_after_decay)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	config.decay_bp = DAV2M_ONE_BP;
	begin_counted(&rig, &config, DAV2M_SHADOW);
	dav2m_paging_exits(&rig.ctl, RIG_EXITS + 1);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_EXITS_ABOVE);
	rig_done(&rig);
	rig_settle(&rig);
	rig_expect_reason(rig_tick(&rig, 9000, 0, 0), DAV2M_PROBE_WORSE);
	rig_done(&rig);
	rig_settle(&rig);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 125), 0);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 0), 0);
	while (rig_explain(&rig).tally.decayed == 0)
		rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_ROLLED);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, RIG_EXITS), 0);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 1), 1);
}
END_TEST

/* Whatever forbids a switch makes asking for a sample idle. */
/* A storm in which the guest does nothing else is looked at once, too. */
START_TEST(exits_due_without_progress)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct rig rig;
	int asked = 0;

	rig_begin_with(&rig, &config, DAV2M_SHADOW, RIG_COUNTERS & ~DAV2M_BIT(DAV2M_PAGING_EXITS));
	for (int exit = 0; exit < 100000; exit++) {
		if (!dav2m_paging_exits(&rig.ctl, 1))
			continue;
		asked++;
		rig_expect_reason(rig_work(&rig, 0, 4000, 0, 0), DAV2M_NO_PROGRESS);
	}
	ck_assert_int_le(asked, 1);
}
END_TEST

START_TEST(exits_not_due)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	begin_counted(&rig, &config, DAV2M_NESTED);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 10 * RIG_EXITS), 0);
	begin_counted(&rig, &config, DAV2M_SHADOW);
	dav2m_pin(&rig.ctl, DAV2M_PIN_SHADOW);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 10 * RIG_EXITS), 0);
	dav2m_pin(&rig.ctl, DAV2M_PIN_NONE);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 1), 1);
	rig_expect_reason(rig_work(&rig, 300, 600, 0, 0), DAV2M_EXITS_ABOVE);
	ck_assert_int_eq(dav2m_acknowledge(&rig.ctl, DAV2M_FAILED, 0), 0);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 10 * RIG_EXITS), 0);
	/* Settling, in the shadow probe. */
	rig_begin(&rig, &config, DAV2M_NESTED);
	while (rig_tick(&rig, 3000, RIG_MISSES, 0) == DAV2M_WAITING)
		;
	rig_done(&rig);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, 10 * RIG_EXITS), 0);
	rig_settle(&rig);
	ck_assert_int_eq(dav2m_paging_exits(&rig.ctl, RIG_EXITS + 1), 1);
}
END_TEST

/* Where a sample carries the exits, those counted one by one are dropped. */
START_TEST(no_exit_counts_twice)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	dav2m_paging_exits(&rig.ctl, 70);
	rig_expect_reason(rig_work(&rig, 500, 1000, 0, 70), DAV2M_WAITING);
	ck_assert_uint_eq(rig_explain(&rig).window.paging_exits, 70);
	rig_expect_reason(rig_work(&rig, 500, 1000, 0, 30), DAV2M_ROLLED);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("sample");

	tcase_add_test(tests, first_sample_is_a_base);
	tcase_add_test(tests, initial_state);
	tcase_add_test(tests, ticks);
	tcase_add_test(tests, no_progress);
	tcase_add_test(tests, no_progress_counter);
	tcase_add_test(tests, settling);
	tcase_add_test(tests, smoothing);
	tcase_add_test(tests, smoothing_of_large_ticks);
	tcase_add_test(tests, counts_add_up);
	tcase_add_test(tests, exits_due);
	tcase_add_test(tests, exits_due_within_window);
	tcase_add_test(tests, exits_due_too_early);
	tcase_add_test(tests, exits_due_again);
	tcase_add_loop_test(tests, exits_due_without_progress, 0, DAV2M_PRESETS);
	tcase_add_test(tests, exits_due_after_decay);
	tcase_add_test(tests, exits_not_due);
	tcase_add_test(tests, no_exit_counts_twice);
	return rig_main("sample", tests);
}
