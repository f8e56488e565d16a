/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The threshold judge: what crosses a threshold, how thresholds move, which CPI wins.
 */
#include "core.h"
#include "rig.h"

static const int around[] = {-1, 0, 1};

START_TEST(exits_around_threshold)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	uint32_t exits = (uint32_t)((int)RIG_EXITS + around[_i]);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	rig_expect_reason(rig_tick(&rig, 2000, 0, exits),
			  around[_i] > 0 ? DAV2M_EXITS_ABOVE : DAV2M_ROLLED);
	/* The same over a longer window. */
	config.window_vmexit = 3;
	rig_begin(&rig, &config, DAV2M_SHADOW);
	rig_tick(&rig, 2000, 0, 40);
	rig_tick(&rig, 2000, 0, 40);
	rig_expect_reason(rig_tick(&rig, 2000, 0, exits - 80),
			  around[_i] > 0 ? DAV2M_EXITS_ABOVE : DAV2M_ROLLED);
}
END_TEST

START_TEST(misses_around_threshold)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_NESTED);
	for (int tick = 1; tick < 10; tick++)
		rig_expect_reason(rig_tick(&rig, 2000, 100, 0), DAV2M_WAITING);
	rig_expect_reason(rig_tick(&rig, 2000, (uint64_t)(100 + around[_i]), 0),
			  around[_i] > 0 ? DAV2M_MISSES_ABOVE : DAV2M_ROLLED);
}
END_TEST

/* A window that a late sample overran is held to the same rate. */
START_TEST(late_exits)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	rig_expect_reason(
		rig_work(&rig, 7 * RIG_TICK, 14000, 0, (uint64_t)(7 * (int)RIG_EXITS + around[_i])),
		around[_i] > 0 ? DAV2M_EXITS_ABOVE : DAV2M_ROLLED);
	ck_assert_uint_eq(rig.last.tick, 1);
}
END_TEST

START_TEST(late_misses)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	config.window_tmiss = 2;
	rig_begin(&rig, &config, DAV2M_NESTED);
	rig_expect_reason(rig_work(&rig, 5 * RIG_TICK, 10000, 0, 0), DAV2M_WAITING);
	/* 6 ticks of work in a window of 2: three times the misses are the same rate. */
	rig_expect_reason(
		rig_work(&rig, RIG_TICK, 2000, (uint64_t)(3 * (int)RIG_MISSES + around[_i]), 0),
		around[_i] > 0 ? DAV2M_MISSES_ABOVE : DAV2M_ROLLED);
}
END_TEST

/* Counts that only 128 bits can compare. */
START_TEST(late_by_hours)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	const uint64_t late = UINT64_C(1) << 39;
	struct rig rig;

	config.window_inst = UINT32_C(1) << 31;
	config.threshold_vmexit = UINT32_C(1) << 31;
	rig_begin(&rig, &config, DAV2M_SHADOW);
	/* As many exits as progress: exactly the threshold's rate. */
	rig_expect_reason(rig_work(&rig, late, late, 0, late), DAV2M_ROLLED);
	config.window_tmiss = 1;
	config.threshold_tmiss = UINT32_C(1) << 31;
	rig_begin(&rig, &config, DAV2M_NESTED);
	rig_expect_reason(rig_work(&rig, late - 1, late, late, 0), DAV2M_MISSES_ABOVE);
	rig_begin(&rig, &config, DAV2M_NESTED);
	rig_expect_reason(rig_work(&rig, late, late, late, 0), DAV2M_ROLLED);
}
END_TEST

/* Thresholds by the arithmetic of docs/policy.md, in 64 bits. */
static uint32_t bounded(uint64_t value, uint32_t initial, const struct dav2m_config *config)
{
	uint64_t min = initial / config->threshold_min_div;
	uint64_t max = (uint64_t)initial * config->threshold_max_times;

	if (min < 1)
		min = 1;
	if (max > UINT32_MAX)
		max = UINT32_MAX;
	return (uint32_t)(value < min ? min : value > max ? max : value);
}

static uint32_t raised(uint32_t value, uint32_t initial, const struct dav2m_config *config)
{
	uint64_t up = (uint64_t)value * (DAV2M_ONE_BP + config->raise_bp) / DAV2M_ONE_BP;

	return bounded(up == value && config->raise_bp ? up + 1 : up, initial, config);
}

static uint32_t lowered(uint32_t value, uint32_t initial, const struct dav2m_config *config)
{
	return bounded((uint64_t)value * (DAV2M_ONE_BP - config->lower_bp) / DAV2M_ONE_BP, initial,
		       config);
}

static uint32_t decayed(uint32_t value, uint32_t initial, uint32_t bp)
{
	int64_t distance = (int64_t)initial - value;
	int64_t step = distance * (int64_t)bp / (int64_t)DAV2M_ONE_BP;

	return (uint32_t)(value + (step ? step : distance));
}

static struct dav2m fresh(const struct dav2m_config *config)
{
	struct dav2m ctl;

	ck_assert_int_eq(dav2m_init(&ctl, config, DAV2M_SHADOW), 0);
	return ctl;
}

static void random_config(uint64_t *seed, struct dav2m_config *config)
{
	uint64_t shape = rig_random(seed);

	config->threshold_vmexit = (uint32_t)(rig_random(seed) >> (32 + shape % 32)) | 1;
	config->threshold_tmiss = (uint32_t)(rig_random(seed) >> (32 + shape / 32 % 32)) | 1;
	config->raise_bp = (uint16_t)(rig_random(seed) >> (48 + shape / 1024 % 16));
	config->lower_bp = (uint16_t)(rig_random(seed) % (DAV2M_ONE_BP + 1));
	config->decay_bp = (uint16_t)(1 + rig_random(seed) % DAV2M_ONE_BP);
	config->threshold_min_div = (uint16_t)(1 + rig_random(seed) % 9);
	config->threshold_max_times = (uint16_t)(1 + rig_random(seed) % 99);
}

/* One lesson, or calm, against the arithmetic above. */
static void check_lesson(struct dav2m *ctl, uint64_t choice)
{
	const struct dav2m_judge *judge = &dav2m_threshold_judge;
	const struct dav2m_config *config = &ctl->config;
	uint32_t vmexit = ctl->judge.thresholds.vmexit, tmiss = ctl->judge.thresholds.tmiss;

	switch (choice) {
	case LESSON_NESTED_LOST:
		vmexit = raised(vmexit, config->threshold_vmexit, config);
		break;
	case LESSON_NESTED_WON:
		vmexit = lowered(vmexit, config->threshold_vmexit, config);
		break;
	case LESSON_SHADOW_LOST:
		tmiss = raised(tmiss, config->threshold_tmiss, config);
		break;
	case LESSON_SHADOW_WON:
		tmiss = lowered(tmiss, config->threshold_tmiss, config);
		break;
	default:
		break;
	}
	judge->learn(ctl, (enum dav2m_lesson)choice);
	ck_assert_uint_eq(ctl->judge.thresholds.vmexit, vmexit);
	ck_assert_uint_eq(ctl->judge.thresholds.tmiss, tmiss);
}

static void check_calm(struct dav2m *ctl)
{
	const struct dav2m_config *config = &ctl->config;
	uint32_t vmexit =
		decayed(ctl->judge.thresholds.vmexit, config->threshold_vmexit, config->decay_bp);
	uint32_t tmiss =
		decayed(ctl->judge.thresholds.tmiss, config->threshold_tmiss, config->decay_bp);

	dav2m_threshold_judge.calm(ctl);
	ck_assert_uint_eq(ctl->judge.thresholds.vmexit, vmexit);
	ck_assert_uint_eq(ctl->judge.thresholds.tmiss, tmiss);
}

START_TEST(learning_random)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	uint64_t seed = 3;

	for (int round = 0; round < 500; round++) {
		struct dav2m ctl;

		random_config(&seed, &config);
		ctl = fresh(&config);
		for (int step = 0; step < 50; step++) {
			uint64_t choice = rig_random(&seed) % (LESSON_SHADOW_WON + 2);

			if (choice > LESSON_SHADOW_WON)
				check_calm(&ctl);
			else
				check_lesson(&ctl, choice);
		}
	}
}
END_TEST

static uint32_t learn_often(struct dav2m *ctl, enum dav2m_lesson lesson)
{
	for (int i = 0; i < 100; i++)
		dav2m_threshold_judge.learn(ctl, lesson);
	return ctl->judge.thresholds.vmexit;
}

START_TEST(saturation)
{
	static const struct {
		uint32_t initial;
		uint32_t min;
		uint32_t max;
	} limits[] = {{100, 25, 6400},	     {1, 1, 64}, {3, 1, 192}, {4, 1, 256}, {7, 1, 448},
		      {10000, 2500, 640000}, {8, 2, 512}};
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct dav2m ctl;

		config.threshold_vmexit = limits[i].initial;
		ctl = fresh(&config);
		ck_assert_uint_eq(learn_often(&ctl, LESSON_NESTED_LOST), limits[i].max);
		ck_assert_uint_eq(learn_often(&ctl, LESSON_NESTED_WON), limits[i].min);
	}
}
END_TEST

START_TEST(saturation_of_32_bits)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m ctl;

	config.threshold_vmexit = UINT32_MAX;
	config.raise_bp = UINT16_MAX;
	ctl = fresh(&config);
	ck_assert_uint_eq(learn_often(&ctl, LESSON_NESTED_LOST), UINT32_MAX);
	ck_assert_uint_eq(learn_often(&ctl, LESSON_NESTED_WON), UINT32_MAX / 4);
}
END_TEST

/* However small, a threshold rises; with 0 it stays. It never falls to 0. */
START_TEST(rounding)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m ctl;

	config.threshold_vmexit = 1;
	config.raise_bp = 1;
	config.lower_bp = DAV2M_ONE_BP;
	ctl = fresh(&config);
	dav2m_threshold_judge.learn(&ctl, LESSON_NESTED_WON);
	ck_assert_uint_eq(ctl.judge.thresholds.vmexit, 1);
	dav2m_threshold_judge.learn(&ctl, LESSON_NESTED_LOST);
	ck_assert_uint_eq(ctl.judge.thresholds.vmexit, 2);
	config.raise_bp = 0;
	ctl = fresh(&config);
	ck_assert_uint_eq(learn_often(&ctl, LESSON_NESTED_LOST), 1);
}
END_TEST

/* Runs ticks in Shadow that cross nothing. */
static void stay_calm(struct rig *rig, int ticks)
{
	for (int tick = 0; tick < ticks; tick++)
		rig_expect_reason(rig_tick(rig, 2000, 0, 0), DAV2M_ROLLED);
}

/* A raised threshold comes back by a quarter of the way each 100 ticks, and gets there. */
START_TEST(decay_in_calm)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PRENESTED);
	rig_expect_reason(rig_tick(&rig, 9000, 0, 0), DAV2M_PROBE_WORSE);
	rig_done(&rig);
	rig_settle(&rig);
	ck_assert_uint_eq(rig_explain(&rig).threshold_vmexit, 125);
	stay_calm(&rig, 98);
	ck_assert_uint_eq(rig_explain(&rig).threshold_vmexit, 125);
	stay_calm(&rig, 1);
	ck_assert_uint_eq(rig_explain(&rig).threshold_vmexit, 119);
	ck_assert_uint_eq(rig_explain(&rig).tally.decayed, 1);
	stay_calm(&rig, 100);
	ck_assert_uint_eq(rig_explain(&rig).threshold_vmexit, 115);
	for (int i = 0; i < 20; i++)
		stay_calm(&rig, 100);
	ck_assert_uint_eq(rig_explain(&rig).threshold_vmexit, RIG_EXITS);
	ck_assert_uint_eq(rig_explain(&rig).tally.decayed, 22);
}
END_TEST

START_TEST(no_decay_in_paper)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PRENESTED);
	rig_expect_reason(rig_tick(&rig, 9000, 0, 0), DAV2M_PROBE_WORSE);
	rig_done(&rig);
	stay_calm(&rig, 1000);
	ck_assert_uint_eq(rig_explain(&rig).threshold_vmexit, 125);
	ck_assert_uint_eq(rig_explain(&rig).tally.decayed, 0);
}
END_TEST

/* From Shadow into a nested probe that loses; the second probe follows `gap` ticks later. */
static struct dav2m_explanation probe_twice(uint32_t gap)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct rig rig;

	config.window_trans = 20;
	config.raise_bp = DAV2M_ONE_BP;
	rig_reach(&rig, &config, DAV2M_STATE_PRENESTED);
	rig_expect_reason(rig_tick(&rig, 9000, 0, 0), DAV2M_PROBE_WORSE);
	rig_done(&rig);
	ck_assert_uint_eq(rig_explain(&rig).tally.damped, 0);
	ck_assert_uint_eq(rig_explain(&rig).since[DAV2M_SHADOW], 0);
	ck_assert_uint_eq(rig_explain(&rig).since[DAV2M_NESTED], 1);
	stay_calm(&rig, (int)gap - 2);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 100000), DAV2M_EXITS_ABOVE);
	ck_assert_uint_eq(rig_explain(&rig).since[DAV2M_NESTED], gap);
	rig_done(&rig);
	return rig_explain(&rig);
}

START_TEST(damping)
{
	struct dav2m_explanation close = probe_twice(19), apart = probe_twice(20);

	ck_assert_uint_eq(close.tally.damped, 1);
	ck_assert_uint_eq(close.threshold_vmexit, 4 * RIG_EXITS);
	ck_assert_uint_eq(close.threshold_tmiss, 2 * RIG_MISSES);
	ck_assert_uint_eq(close.since[DAV2M_NESTED], 0);
	ck_assert_uint_eq(apart.tally.damped, 0);
	ck_assert_uint_eq(apart.threshold_vmexit, 2 * RIG_EXITS);
	ck_assert_uint_eq(apart.threshold_tmiss, RIG_MISSES);
}
END_TEST

/* The first quarter of a tick has no CPI to leave with. */
START_TEST(quarter_window)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	rig_expect_reason(rig_work(&rig, RIG_TICK / 4 - 1, 500, 0, RIG_EXITS + 1), DAV2M_WAITING);
	rig_expect_reason(rig_work(&rig, 1, 2, 0, 0), DAV2M_EXITS_ABOVE);
	ck_assert_uint_eq(rig_explain(&rig).reference.progress, RIG_TICK / 4);
	ck_assert_uint_eq(rig_explain(&rig).reference.cycles, 502);
}
END_TEST

/* As printed, an older CPI will do: that of the window before the burst. */
START_TEST(quarter_window_as_printed)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	rig_expect_reason(rig_work(&rig, 10, 900, 0, RIG_EXITS + 1), DAV2M_WAITING);
	rig_begin(&rig, &config, DAV2M_SHADOW);
	rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_ROLLED);
	rig_expect_reason(rig_work(&rig, 10, 900, 0, RIG_EXITS + 1), DAV2M_EXITS_ABOVE);
	ck_assert_uint_eq(rig_explain(&rig).reference.progress, RIG_TICK);
	ck_assert_uint_eq(rig_explain(&rig).reference.cycles, 2000);
}
END_TEST

/* A burst without a quarter tick's work does not outlive its window. */
START_TEST(burst_too_short)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin_with(&rig, &config, DAV2M_SHADOW, RIG_COUNTERS & ~DAV2M_BIT(DAV2M_CYCLES));
	rig_expect_reason(rig_work(&rig, 990, 0, 0, RIG_EXITS + 1), DAV2M_WAITING);
	rig_expect_reason(rig_work(&rig, 10, 0, 0, 0), DAV2M_BLIND);
}
END_TEST

static void expect_factor(enum dav2m_state state, uint16_t factor, uint64_t cycles,
			  enum dav2m_reason want)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct rig rig;

	config.p_factor_bp = factor;
	config.window_tmiss = 1;
	rig_reach(&rig, &config, state);
	rig_expect_reason(rig_tick(&rig, cycles, 0, 0), want);
}

START_TEST(factor_around_equality)
{
	static const struct {
		uint16_t factor;
		uint64_t nested; /* the most that 2000 cycles of shadow allow */
		uint64_t shadow; /* the most that 3000 cycles of nested allow */
	} rows[] = {{11000, 2200, 3300}, {10200, 2040, 3060},	{10000, 2000, 3000},
		    {9999, 1999, 2999},	 {65535, 13107, 19660}, {5000, 1000, 1500}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		expect_factor(DAV2M_STATE_PRENESTED, rows[i].factor, rows[i].nested,
			      DAV2M_PROBE_KEPT);
		expect_factor(DAV2M_STATE_PRENESTED, rows[i].factor, rows[i].nested + 1,
			      DAV2M_PROBE_WORSE);
		expect_factor(DAV2M_STATE_PRESHADOW, rows[i].factor, rows[i].shadow,
			      DAV2M_PROBE_KEPT);
		expect_factor(DAV2M_STATE_PRESHADOW, rows[i].factor, rows[i].shadow + 1,
			      DAV2M_PROBE_WORSE);
	}
}
END_TEST

/* Windows of unequal length are compared by CPI, not by cycles. */
START_TEST(unequal_windows)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct rig rig;

	for (uint64_t more = 0; more <= 1; more++) {
		rig_begin(&rig, &config, DAV2M_SHADOW);
		rig_expect_reason(rig_work(&rig, 500, 1000, 0, RIG_EXITS + 1), DAV2M_EXITS_ABOVE);
		rig_done(&rig);
		rig_expect_reason(rig_work(&rig, 3000, 6600 + more, 0, 0),
				  more ? DAV2M_PROBE_WORSE : DAV2M_PROBE_KEPT);
	}
}
END_TEST

/* n samples of 2^39 cycles in which the guest gets nowhere, and then a tick's progress. */
static enum dav2m_reason long_tick(struct rig *rig, int n, uint64_t exits)
{
	for (int i = 0; i < n; i++)
		rig_expect_reason(rig_work(rig, 0, UINT64_C(1) << 39, 0, 0), DAV2M_NO_PROGRESS);
	return rig_tick(rig, 0, 0, exits);
}

/* Windows of hours still compare: their low bits go, their ratio stays. */
START_TEST(endless_windows)
{
	static const struct {
		int shadow;
		int nested;
		enum dav2m_reason want;
	} rows[] = {{6000, 6000, DAV2M_PROBE_KEPT},
		    {6000, 7000, DAV2M_PROBE_WORSE},
		    {10000, 6000, DAV2M_PROBE_KEPT},
		    {6000, 10000, DAV2M_PROBE_WORSE}};
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct rig rig;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_begin(&rig, &config, DAV2M_SHADOW);
		rig_expect_reason(long_tick(&rig, rows[i].shadow, RIG_EXITS + 1),
				  DAV2M_EXITS_ABOVE);
		rig_done(&rig);
		rig_expect_reason(long_tick(&rig, rows[i].nested, 0), rows[i].want);
	}
}
END_TEST

/* Repaired: a shadow probe with many exits is given up only if its CPI is worse as well. */
START_TEST(shadow_probe_over_exits)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PRESHADOW);
	rig_expect_reason(rig_work(&rig, 900, 2754, 0, RIG_EXITS + 1), DAV2M_WAITING);
	rig_expect_reason(rig_work(&rig, 10, 31, 0, 0), DAV2M_PROBE_ABORTED);
	rig_expect(&rig, DAV2M_SWITCH, 9, DAV2M_STATE_PRESHADOW, DAV2M_STATE_NESTED);
	rig_done(&rig);
	ck_assert_uint_eq(rig_explain(&rig).threshold_tmiss, 1250);
	ck_assert_uint_eq(rig_explain(&rig).threshold_vmexit, RIG_EXITS);
	/* What the probe was judged against still stands. */
	ck_assert_uint_eq(rig_explain(&rig).reference.cycles, 10 * RIG_NESTED_CYCLES);
}
END_TEST

START_TEST(shadow_probe_over_exits_and_better)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PRESHADOW);
	for (int tick = 1; tick < 10; tick++)
		rig_expect_reason(rig_tick(&rig, 2900, 0, 5 * RIG_EXITS), DAV2M_ROLLED);
	rig_expect_reason(rig_tick(&rig, 2900, 0, 5 * RIG_EXITS), DAV2M_PROBE_KEPT);
	rig_expect(&rig, DAV2M_STAY, 10, DAV2M_STATE_PRESHADOW, DAV2M_STATE_SHADOW);
}
END_TEST

/* Over the exits but too short for a CPI: wait. */
START_TEST(shadow_probe_too_young)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PRESHADOW);
	rig_expect_reason(rig_work(&rig, 249, 9000, 0, RIG_EXITS + 1), DAV2M_WAITING);
	rig_expect_reason(rig_work(&rig, 1, 1, 0, 0), DAV2M_PROBE_ABORTED);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("threshold");

	tcase_add_loop_test(tests, exits_around_threshold, 0, 3);
	tcase_add_loop_test(tests, misses_around_threshold, 0, 3);
	tcase_add_loop_test(tests, late_exits, 0, 3);
	tcase_add_loop_test(tests, late_misses, 0, 3);
	tcase_add_test(tests, late_by_hours);
	tcase_add_test(tests, learning_random);
	tcase_add_test(tests, saturation);
	tcase_add_test(tests, saturation_of_32_bits);
	tcase_add_test(tests, rounding);
	tcase_add_test(tests, decay_in_calm);
	tcase_add_test(tests, no_decay_in_paper);
	tcase_add_test(tests, damping);
	tcase_add_test(tests, quarter_window);
	tcase_add_test(tests, quarter_window_as_printed);
	tcase_add_test(tests, burst_too_short);
	tcase_add_test(tests, factor_around_equality);
	tcase_add_test(tests, unequal_windows);
	tcase_add_test(tests, endless_windows);
	tcase_add_test(tests, shadow_probe_over_exits);
	tcase_add_test(tests, shadow_probe_over_exits_and_better);
	tcase_add_test(tests, shadow_probe_too_young);
	return rig_main("threshold", tests);
}
