/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What holds whatever a VMM does: errors change nothing, a copy behaves as the original, the mode
 * and the state agree, and switches keep their distance.
 */
#include "rig.h"

static const uint32_t settles[] = {0, 1, 2, 5};
#define SEEDS 24

/* A config with short windows, so that a random run passes through every state often. */
static struct dav2m_config short_config(uint64_t seed)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)(seed % DAV2M_PRESETS));

	config.window_vmexit = (uint16_t)(1 + seed / 2 % 3);
	config.window_tmiss = (uint16_t)(config.window_vmexit + seed / 6 % 4);
	if (config.judge)
		config.window_vmexit = config.window_tmiss = 1;
	config.window_trans = (uint16_t)(config.window_tmiss + 10);
	config.window_settle = (uint16_t)settles[seed / 3 % 4];
	config.threshold_max_times = 8;
	config.decay_bp = seed % 5 ? 5000 : 0;
	return config;
}

/* A run: the controller, the VMM's own idea of the mode, and where its switches were. */
struct run {
	struct rig rig;
	struct dav2m_config config;
	enum dav2m_mode mode;
	uint64_t switched_at; /* tick of the last switch; UINT64_MAX: none yet */
	uint32_t switches;
	uint32_t states; /* bit for each state seen */
	uint64_t seed;
};

static void begin(struct run *run, uint64_t seed)
{
	*run = (struct run){.config = short_config(seed), .seed = seed, .switched_at = UINT64_MAX};
	run->mode = (enum dav2m_mode)(seed / 3 % DAV2M_MODES);
	rig_begin(&run->rig, &run->config, run->mode);
}

/* Work whose cost depends on the mode and changes with the phase; often several samples a tick. */
static void work(struct run *run)
{
	uint64_t r = rig_random(&run->seed);
	int phase = run->rig.counters.value[DAV2M_PROGRESS] / 40000 & 1;
	int dear = phase == (run->mode == DAV2M_NESTED);
	uint64_t progress = r % 16 ? r / 16 % 1500 : 0;
	uint64_t exits = run->mode == DAV2M_SHADOW ? (phase ? 10 : 300) : 0;

	rig_work(&run->rig, progress, progress * (dear ? 3 : 2), progress * (phase ? 2 : 1),
		 exits * progress / 1000);
}

/* Whatever the counters of a broken machine may show. */
static void disturb(struct run *run)
{
	uint64_t r = rig_random(&run->seed);
	int c = (int)(r / 8 % DAV2M_COUNTERS);

	switch (r % 8) {
	case 0:
		run->rig.counters.value[c] = 0;
		break;
	case 1:
		run->rig.counters.value[c] += UINT64_C(1) << (r / 64 % 64);
		break;
	case 2:
		run->rig.counters.value[c] -= r / 64 % 1000;
		break;
	case 3:
		run->rig.counters.valid ^= DAV2M_BIT(c);
		break;
	default:
		run->rig.counters.valid = RIG_COUNTERS;
		break;
	}
}

/* Acknowledges, or not; the VMM's mode follows only a switch that was done. */
static void answer(struct run *run)
{
	uint64_t r = rig_random(&run->seed);
	enum dav2m_outcome outcome = (enum dav2m_outcome)(r % 8 < 6 ? 0 : r % 8 - 5);

	if (run->rig.last.action != DAV2M_SWITCH || r / 8 % 4 == 0)
		return;
	rig_must(dav2m_acknowledge(&run->rig.ctl, outcome, r % 100) == 0);
	if (outcome != DAV2M_DONE)
		return;
	run->mode = run->rig.last.mode;
	run->switched_at = run->rig.last.tick;
	run->switches++;
}

static void check(struct run *run)
{
	const struct dav2m_config *config = &run->config;
	struct dav2m_explanation now = rig_explain(&run->rig);

	run->states |= 1u << now.state;
	rig_must(now.mode == dav2m_state_mode(now.state));
	rig_must(now.mode == run->mode);
	if (config->judge)
		return;
	rig_must(now.threshold_vmexit >= config->threshold_vmexit / config->threshold_min_div);
	rig_must(now.threshold_tmiss >= config->threshold_tmiss / config->threshold_min_div);
	rig_must(now.threshold_vmexit <= config->threshold_vmexit * config->threshold_max_times);
	rig_must(now.threshold_tmiss <= config->threshold_tmiss * config->threshold_max_times);
}

/* A decision's own consistency, against the one before. */
static void check_decision(const struct run *run, uint64_t tick_before)
{
	const struct dav2m_decision *last = &run->rig.last;

	rig_must(last->tick <= tick_before + 1);
	rig_must(last->tick >= tick_before);
	rig_must(last->edge <= 11);
	rig_must(last->mode == dav2m_state_mode(last->to));
	rig_must((last->action == DAV2M_SWITCH) == (last->mode != run->mode));
	/* Nobody asks for a switch within the settle time of the last, but to end a probe. */
	if (!run->config.judge && last->action == DAV2M_SWITCH && run->switched_at != UINT64_MAX)
		rig_must(last->tick >= run->switched_at + run->config.window_settle);
}

static void walk(struct run *run, int samples, int disturbed)
{
	for (int i = 0; i < samples; i++) {
		uint64_t tick = run->rig.last.tick;

		if (disturbed && rig_random(&run->seed) % 8 == 0)
			disturb(run);
		work(run);
		check_decision(run, tick);
		answer(run);
		check(run);
	}
}

START_TEST(invariants)
{
	struct run run;

	begin(&run, (uint64_t)_i);
	walk(&run, 1500, 0);
	/* It has not passed by doing nothing. */
	ck_assert_msg(run.switches > (run.config.judge ? 0 : 3), "seed %d: %u switches", _i,
		      run.switches);
}
END_TEST

START_TEST(invariants_disturbed)
{
	struct run run;

	begin(&run, (uint64_t)_i);
	walk(&run, 1500, 1);
}
END_TEST

START_TEST(every_state_is_seen)
{
	uint32_t states = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct run run;

		begin(&run, seed);
		walk(&run, 1000, 0);
		states |= run.states;
	}
	ck_assert_uint_eq(states, (1u << DAV2M_STATES) - 1);
}
END_TEST

/* The same calls, the same bytes: a run, its twin, and a copy made on the way. */
START_TEST(copies_behave_alike)
{
	struct run first, twin, copy;

	begin(&first, (uint64_t)_i);
	begin(&twin, (uint64_t)_i);
	for (int part = 0; part < 20; part++) {
		memcpy(&copy, &first, sizeof(copy));
		walk(&first, 200, 1);
		walk(&twin, 200, 1);
		walk(&copy, 200, 1);
		ck_assert_mem_eq(&first.rig.ctl, &twin.rig.ctl, sizeof(first.rig.ctl));
		ck_assert_mem_eq(&first.rig.ctl, &copy.rig.ctl, sizeof(first.rig.ctl));
		ck_assert_mem_eq(&first.rig.last, &copy.rig.last, sizeof(first.rig.last));
	}
}
END_TEST

/* The ends of what the regret judge may be configured to, in all combinations. */
static void extreme_config(unsigned int which, struct dav2m_config *ret_config)
{
	static const struct {
		const char *field;
		uint32_t value[2];
	} ends[] = {
		{"window_settle", {0, UINT16_MAX}}, {"round_trip_ticks", {1, 64}},
		{"regret_bp", {2500, 20000}},	    {"probe_share_bp", {0, 10000}},
		{"probe_loss_bp", {1, 40000}},	    {"exit_cycles", {1, UINT16_MAX}},
		{"shadow_walk_cycles", {1, 4095}},  {"nested_walk_cycles", {1, 4095}},
	};
	static const uint32_t windows[] = {1, 65535, 65536, 100000000, UINT32_C(1) << 31};

	*ret_config = rig_config(DAV2M_PRESET_BOUNDED);
	ret_config->window_trans = UINT16_MAX;
	ret_config->window_inst = windows[which % 5];
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		ck_assert_int_eq(
			dav2m_config_set(ret_config, ends[i].field, ends[i].value[which >> i & 1]),
			0);
	ck_assert_int_eq(dav2m_config_check(ret_config, NULL), 0);
}

/* With whatever counters show, up to the largest steps that are believed: no arithmetic fails,
   which a sanitizer sees, and what is learned stays within what its rules say. */
START_TEST(extremes)
{
	const uint64_t largest = (UINT64_C(1) << 40) - 1;
	uint64_t seed = (uint64_t)_i;
	struct dav2m_config config;
	uint32_t switches = 0;

	for (unsigned int which = 0; which < 256; which++) {
		struct dav2m_regret_view now;
		uint64_t most;
		struct rig rig;

		extreme_config(which + (unsigned int)_i, &config);
		/* Sums of four in 32 bits, in grains of 2^15 cycles at most. */
		most = UINT64_C(1) << (31 + 15);
		rig_begin_with(&rig, &config, (enum dav2m_mode)(_i % 2), DAV2M_ALL_COUNTERS);
		for (int i = 0; i < 100; i++) {
			for (int c = 0; c < DAV2M_COUNTERS; c++)
				rig.counters.value[c] +=
					largest >>
					(rig_random(&seed) % 4 ? rig_random(&seed) % 41 : 0);
			rig_work(&rig, 0, 0, 0, 0);
			(void)dav2m_paging_exits(&rig.ctl, (uint32_t)rig_random(&seed));
			if (rig.last.action == DAV2M_SWITCH) {
				(void)dav2m_acknowledge(&rig.ctl, DAV2M_DONE,
							rig_random(&seed) >> i % 64);
				switches++;
			}
			now = rig_explain(&rig).regret;
			rig_must(now.limit_cycles > 0);
			rig_must(now.round_trip_cycles > 0 && now.round_trip_cycles <= most);
			rig_must(now.finding_out_cycles <= most);
			rig_must(now.walk_ratio_bp >= DAV2M_ONE_BP);
			rig_must(now.walk_ratio_bp <= 16 * DAV2M_ONE_BP);
			rig_must(now.exit_cycles > 0);
		}
	}
	ck_assert_uint_gt(switches, 100);
}
END_TEST

/* No disturbance of the counters is ever the reason of a switch. */
START_TEST(nonsense_never_switches)
{
	static const enum dav2m_counter judged[] = {DAV2M_PROGRESS, DAV2M_CYCLES, DAV2M_TLB_MISSES,
						    DAV2M_PAGING_EXITS};
	uint64_t seed = (uint64_t)_i;
	struct dav2m_config config = short_config(seed);
	enum dav2m_mode mode = (enum dav2m_mode)(seed % DAV2M_MODES);
	struct rig rig;

	config.window_vmexit = config.window_tmiss = 1;
	rig_begin(&rig, &config, mode);
	for (int i = 0; i < 2000; i++) {
		uint64_t r = rig_random(&seed);

		/* Quiet work, and in each sample one counter that cannot be believed. */
		rig.counters.value[DAV2M_PROGRESS] += 1000;
		rig.counters.value[DAV2M_CYCLES] += 2000;
		rig.counters.value[judged[r % 4]] += UINT64_C(1) << (40 + r / 4 % 7);
		rig.counters.value[DAV2M_PAGING_EXITS] -= r / 1024 % 2;
		rig_work(&rig, 0, 0, r % 4000, r % 400);
		rig_must(rig.last.action == DAV2M_STAY);
		rig_must(rig.last.tick == 0);
	}
}
END_TEST

/* Every call that fails leaves every byte. */
static void expect_unchanged(struct dav2m *ctl)
{
	struct dav2m_config good = rig_config(DAV2M_PRESET_REPAIRED), bad = good, short_one = good;
	struct dav2m_decision decision = {.tick = 99};
	struct dav2m_explanation explanation = {.wraps = 99};
	struct dav2m_sample sample = {.valid = DAV2M_BIT(DAV2M_COUNTERS)};
	struct dav2m before;
	int asked = ctl->asked != 0;

	bad.p_factor_bp = 0;
	short_one.size -= 1;
	memcpy(&before, ctl, sizeof(before));
	ck_assert_int_eq(dav2m_init(ctl, NULL, DAV2M_SHADOW), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_init(ctl, &bad, DAV2M_SHADOW), DAV2M_ERR_CONFIG);
	ck_assert_int_eq(dav2m_init(ctl, &short_one, DAV2M_SHADOW), DAV2M_ERR_SIZE);
	ck_assert_int_eq(dav2m_init(ctl, &good, (enum dav2m_mode)DAV2M_MODES), DAV2M_ERR_RANGE);
	ck_assert_int_eq(dav2m_retune(ctl, NULL), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_retune(ctl, &bad), DAV2M_ERR_CONFIG);
	ck_assert_int_eq(dav2m_retune(ctl, &short_one), DAV2M_ERR_SIZE);
	ck_assert_int_eq(dav2m_pin(ctl, (enum dav2m_pin)DAV2M_PINS), DAV2M_ERR_RANGE);
	ck_assert_int_eq(dav2m_sample(ctl, NULL, &decision), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_sample(ctl, &sample, NULL), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_sample(ctl, &sample, &decision), DAV2M_ERR_SAMPLE);
	ck_assert_int_eq(dav2m_explain(ctl, NULL), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_acknowledge(ctl, (enum dav2m_outcome)DAV2M_OUTCOMES, 1),
			 asked ? DAV2M_ERR_RANGE : DAV2M_ERR_NO_SWITCH);
	ck_assert_mem_eq(ctl, &before, sizeof(before));
	ck_assert_uint_eq(decision.tick, 99);
	/* Never initialised, or overwritten. */
	ctl->magic ^= 1;
	memcpy(&before, ctl, sizeof(before));
	sample.valid = 0;
	ck_assert_int_eq(dav2m_retune(ctl, &good), DAV2M_ERR_UNINIT);
	ck_assert_int_eq(dav2m_rebase(ctl), DAV2M_ERR_UNINIT);
	ck_assert_int_eq(dav2m_pin(ctl, DAV2M_PIN_NONE), DAV2M_ERR_UNINIT);
	ck_assert_int_eq(dav2m_sample(ctl, &sample, &decision), DAV2M_ERR_UNINIT);
	ck_assert_int_eq(dav2m_explain(ctl, &explanation), DAV2M_ERR_UNINIT);
	ck_assert_int_eq(dav2m_acknowledge(ctl, DAV2M_DONE, 1), DAV2M_ERR_UNINIT);
	ck_assert_mem_eq(ctl, &before, sizeof(before));
	ck_assert_uint_eq(decision.tick, 99);
	ck_assert_uint_eq(explanation.wraps, 99);
}

START_TEST(errors_change_nothing)
{
	struct run run;

	begin(&run, (uint64_t)_i);
	walk(&run, 10 + 37 * _i, 0);
	expect_unchanged(&run.rig.ctl);
}
END_TEST

START_TEST(errors_change_nothing_while_asked)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin(&rig, &config, DAV2M_SHADOW);
	rig_expect_reason(rig_tick(&rig, 2000, 0, RIG_EXITS + 1), DAV2M_EXITS_ABOVE);
	expect_unchanged(&rig.ctl);
}
END_TEST

START_TEST(null_controllers)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_explanation explanation;
	struct dav2m_decision decision;
	struct dav2m_sample sample = {.valid = 0};

	ck_assert_int_eq(dav2m_init(NULL, &config, DAV2M_SHADOW), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_retune(NULL, &config), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_rebase(NULL), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_pin(NULL, DAV2M_PIN_NONE), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_sample(NULL, &sample, &decision), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_explain(NULL, &explanation), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_acknowledge(NULL, DAV2M_DONE, 0), DAV2M_ERR_NULL);
}
END_TEST

/* Equal controllers have equal bytes, whatever was there before. */
START_TEST(padding_is_defined)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m a, b;

	memset(&a, 0x55, sizeof(a));
	memset(&b, 0xaa, sizeof(b));
	ck_assert_int_eq(dav2m_init(&a, &config, DAV2M_NESTED), 0);
	ck_assert_int_eq(dav2m_init(&b, &config, DAV2M_NESTED), 0);
	ck_assert_mem_eq(&a, &b, sizeof(a));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("robust");

	tcase_add_loop_test(tests, invariants, 0, SEEDS);
	tcase_add_loop_test(tests, invariants_disturbed, 0, SEEDS);
	tcase_add_test(tests, every_state_is_seen);
	tcase_add_loop_test(tests, copies_behave_alike, 0, SEEDS);
	tcase_add_loop_test(tests, extremes, 0, 10);
	tcase_add_loop_test(tests, nonsense_never_switches, 0, SEEDS);
	tcase_add_loop_test(tests, errors_change_nothing, 0, SEEDS);
	tcase_add_test(tests, errors_change_nothing_while_asked);
	tcase_add_test(tests, null_controllers);
	tcase_add_test(tests, padding_is_defined);
	tcase_set_timeout(tests, 60);
	return rig_main("robust", tests);
}
