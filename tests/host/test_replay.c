/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The closed loop against an example worked out by hand, and hindsight against all schedules.
 */
#include "host.h"

#include "phases.h"

#include <dav2m/host/replay.h>

#include <stdlib.h>
#include <string.h>

/* A policy that switches after given ticks and writes down what it is told. */
struct script {
	const char *switch_after; /* one character per tick: 's' or 'n' asks for that mode */
	size_t samples;
	uint64_t cycles[16]; /* cumulative, as seen */
	uint64_t progress[16];
	uint64_t acknowledged; /* cycles told */
	int sample_answer;
	int acknowledge_answer;
};

static int script_sample(void *policy, const struct dav2m_sample *cumulative,
			 struct dav2m_decision *ret_decision)
{
	struct script *script = policy;
	char what = script->samples ? script->switch_after[script->samples - 1] : '.';

	script->cycles[script->samples] = cumulative->value[DAV2M_CYCLES];
	script->progress[script->samples++] = cumulative->value[DAV2M_PROGRESS];
	memset(ret_decision, 0, sizeof(*ret_decision));
	ret_decision->action = what == '.' ? DAV2M_STAY : DAV2M_SWITCH;
	ret_decision->mode = what == 'n' ? DAV2M_NESTED : DAV2M_SHADOW;
	return script->sample_answer;
}

static int script_acknowledge(void *policy, enum dav2m_outcome outcome, uint64_t cycles)
{
	struct script *script = policy;

	ck_assert_int_eq(outcome, DAV2M_DONE);
	script->acknowledged += cycles;
	return script->acknowledge_answer;
}

static const struct dav2m_policy script_policy = {script_sample, script_acknowledge};

static void count_ticks(void *context, const struct dav2m_replay_tick *tick)
{
	size_t *seen = context;

	ck_assert_uint_eq(tick->index, seen[0]++);
	seen[1] += tick->mode == DAV2M_NESTED;
	seen[2] += (size_t)tick->switched;
}

/*
 * shadow  100 200 300 400 500
 * nested   11  22  33  44  55
 * run       S   S | N   N | S      | to nested 7, to shadow 5; asked for at the end: not made
 */
START_TEST(worked_by_hand)
{
	static const uint64_t s[] = {100, 200, 300, 400, 500};
	static const uint64_t n[] = {11, 22, 33, 44, 55};
	static const uint64_t seen_cycles[] = {0, 100, 300, 340, 384, 889};
	struct dav2m_pair pair = pair_of(s, n, 5);
	struct script script = {.switch_after = ".n.sn"};
	size_t seen[3] = {0};
	struct dav2m_replay replay = {.pair = &pair,
				      .switch_cycles = {[DAV2M_SHADOW] = 5, [DAV2M_NESTED] = 7},
				      .start = DAV2M_SHADOW,
				      .see = count_ticks,
				      .context = seen};
	struct dav2m_host_error error;
	struct dav2m_run run;
	size_t i;

	ck_assert_int_eq(dav2m_replay_policy(&replay, &script_policy, &script, &run, &error), 0);
	ck_assert_uint_eq(script.samples, 6);
	for (i = 0; i < 6; i++) {
		ck_assert_uint_eq(script.cycles[i], seen_cycles[i]);
		ck_assert_uint_eq(script.progress[i], 10 * i);
	}
	ck_assert_uint_eq(script.acknowledged, 12);
	ck_assert_uint_eq(run.cycles, 889);
	ck_assert_uint_eq(run.switch_cycles, 12);
	ck_assert_uint_eq(run.switches[DAV2M_NESTED], 1);
	ck_assert_uint_eq(run.switches[DAV2M_SHADOW], 1);
	ck_assert_uint_eq(run.mode_cycles[DAV2M_SHADOW], 800);
	ck_assert_uint_eq(run.mode_cycles[DAV2M_NESTED], 77);
	ck_assert_uint_eq(run.mode_progress[DAV2M_SHADOW], 30);
	ck_assert_uint_eq(run.mode_progress[DAV2M_NESTED], 20);
	ck_assert_uint_eq(seen[0], 5);
	ck_assert_uint_eq(seen[1], 2);
	ck_assert_uint_eq(seen[2], 2);
	dav2m_pair_free(&pair);
}
END_TEST

START_TEST(policy_errors)
{
	static const uint64_t cycles[] = {1, 2, 3};
	struct dav2m_pair pair = pair_of(cycles, cycles, 3);
	struct script script = {.switch_after = "n..", .sample_answer = DAV2M_ERR_SAMPLE};
	struct dav2m_replay replay = {.pair = &pair, .start = DAV2M_SHADOW};
	struct dav2m_host_error error;
	struct dav2m_run run = {.cycles = 77};

	ck_assert_int_eq(dav2m_replay_policy(&replay, &script_policy, &script, &run, &error),
			 DAV2M_HOST_CORE);
	ck_assert_ptr_nonnull(strstr(error.text, "sample answered"));
	script = (struct script){.switch_after = "n..", .acknowledge_answer = DAV2M_ERR_RANGE};
	ck_assert_int_eq(dav2m_replay_policy(&replay, &script_policy, &script, &run, &error),
			 DAV2M_HOST_CORE);
	ck_assert_ptr_nonnull(strstr(error.text, "acknowledge answered"));
	script = (struct script){.switch_after = ".s."};
	ck_assert_int_eq(dav2m_replay_policy(&replay, &script_policy, &script, &run, &error),
			 DAV2M_HOST_CORE);
	ck_assert_ptr_nonnull(strstr(error.text, "from shadow mode to another than nested"));
	ck_assert_uint_eq(run.cycles, 77);
	dav2m_pair_free(&pair);
}
END_TEST

/* Answers with two members and no others, and not at all where it stays. */
static int terse_sample(void *policy, const struct dav2m_sample *cumulative,
			struct dav2m_decision *ret_decision)
{
	size_t *samples = policy;

	(void)cumulative;
	if ((*samples)++ == 1) {
		ret_decision->action = DAV2M_SWITCH;
		ret_decision->mode = DAV2M_NESTED;
	}
	return 0;
}

static int terse_acknowledge(void *policy, enum dav2m_outcome outcome, uint64_t cycles)
{
	(void)policy;
	(void)outcome;
	(void)cycles;
	return 0;
}

static void only_what_was_set(void *context, const struct dav2m_replay_tick *tick)
{
	size_t *seen = context;

	ck_assert_int_eq(tick->switched, tick->index == 0);
	ck_assert_int_eq(tick->decision->reason, 0);
	ck_assert_uint_eq(tick->decision->edge, 0);
	(*seen)++;
}

START_TEST(terse_policy)
{
	static const uint64_t s[] = {1, 2, 3}, n[] = {10, 20, 30};
	static const struct dav2m_policy policy = {terse_sample, terse_acknowledge};
	struct dav2m_pair pair = pair_of(s, n, 3);
	size_t samples = 0, seen = 0;
	struct dav2m_replay replay = {.pair = &pair, .see = only_what_was_set, .context = &seen};
	struct dav2m_host_error error;
	struct dav2m_run run;

	ck_assert_int_eq(dav2m_replay_policy(&replay, &policy, &samples, &run, &error), 0);
	ck_assert_uint_eq(samples, 4);
	ck_assert_uint_eq(seen, 3);
	ck_assert_uint_eq(run.cycles, 1 + 20 + 30);
	dav2m_pair_free(&pair);
}
END_TEST

START_TEST(arguments_refused)
{
	static const uint64_t cycles[] = {1, 2, 3};
	const uint64_t none[DAV2M_MODES] = {0, 0}, large[DAV2M_MODES] = {0, UINT64_C(1) << 62};
	struct dav2m_pair pair = pair_of(cycles, cycles, 3), empty = {.ticks = 0};
	struct dav2m_config config = {.size = sizeof(config)};
	struct dav2m_replay replay = {.pair = &empty, .start = DAV2M_SHADOW};
	const uint8_t bad[] = {0, 1, 2};
	struct dav2m controller;
	struct dav2m_host_error error;
	struct dav2m_run run;
	struct script script = {.switch_after = "..."};

	dav2m_config_preset(DAV2M_PRESET_REPAIRED, &config);
	ck_assert_int_eq(dav2m_replay_controller(&replay, &config, &controller, &run, &error),
			 DAV2M_HOST_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.text, "no tick"));
	replay.pair = &pair;
	replay.start = (enum dav2m_mode)2;
	ck_assert_int_eq(dav2m_replay_policy(&replay, &script_policy, &script, &run, &error),
			 DAV2M_HOST_ARGUMENT);
	replay.start = DAV2M_SHADOW;
	replay.switch_cycles[DAV2M_NESTED] = large[1];
	ck_assert_int_eq(dav2m_replay_controller(&replay, &config, &controller, &run, &error),
			 DAV2M_HOST_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.text, "too large for 3 ticks"));
	config.window_tmiss = 0;
	ck_assert_int_eq(dav2m_replay_controller(&replay, &config, &controller, &run, &error),
			 DAV2M_HOST_CONFIG);
	ck_assert_ptr_nonnull(strstr(error.text, "window_tmiss"));
	ck_assert_int_eq(dav2m_replay_controller(NULL, &config, &controller, &run, &error),
			 DAV2M_HOST_ARGUMENT);
	ck_assert_int_eq(dav2m_replay_policy(NULL, &script_policy, &script, &run, &error),
			 DAV2M_HOST_ARGUMENT);
	ck_assert_int_eq(dav2m_replay_schedule(&pair, none, bad, &run, &error),
			 DAV2M_HOST_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.text, "mode of tick 2"));
	ck_assert_int_eq(dav2m_replay_schedule(&pair, none, NULL, &run, &error),
			 DAV2M_HOST_ARGUMENT);
	ck_assert_int_eq(dav2m_replay_schedule(NULL, none, bad, &run, &error), DAV2M_HOST_ARGUMENT);
	ck_assert_int_eq(dav2m_hindsight(&pair, none, large, NULL, &run, &error),
			 DAV2M_HOST_ARGUMENT);
	ck_assert_int_eq(dav2m_hindsight(&pair, none, none, NULL, NULL, &error),
			 DAV2M_HOST_ARGUMENT);
	dav2m_pair_free(&pair);
}
END_TEST

#define BRUTE_TICKS 10

static struct dav2m_pair random_pair(uint64_t *state)
{
	uint64_t s[BRUTE_TICKS], n[BRUTE_TICKS];
	size_t i;

	for (i = 0; i < BRUTE_TICKS; i++) {
		s[i] = random_next(state) % 20;
		n[i] = random_next(state) % 20;
	}
	return pair_of(s, n, BRUTE_TICKS);
}

/* Every schedule there is, priced by hand. */
static uint64_t brute_force(const struct dav2m_pair *pair, const uint64_t *cost,
			    const uint64_t *start)
{
	uint64_t best = UINT64_MAX;
	unsigned int bits, i;

	for (bits = 0; bits < 1u << BRUTE_TICKS; bits++) {
		uint64_t cycles = start[bits & 1];

		for (i = 0; i < BRUTE_TICKS; i++) {
			unsigned int mode = bits >> i & 1;

			cycles += pair->tick[mode][i].value[DAV2M_CYCLES];
			if (i && mode != (bits >> (i - 1) & 1))
				cycles += cost[mode];
		}
		if (cycles < best)
			best = cycles;
	}
	return best;
}

START_TEST(hindsight_is_best)
{
	uint64_t state = (uint64_t)_i + 1;
	struct dav2m_pair pair = random_pair(&state);
	const uint64_t cost[DAV2M_MODES] = {random_next(&state) % 30, random_next(&state) % 30};
	const uint64_t start[DAV2M_MODES] = {0, _i % 2 ? cost[DAV2M_NESTED] : 0};
	uint64_t best = brute_force(&pair, cost, start);
	uint8_t mode[BRUTE_TICKS];
	struct dav2m_host_error error;
	struct dav2m_run run, again, priced;

	ck_assert_int_eq(dav2m_hindsight(&pair, cost, start, mode, &run, &error), 0);
	ck_assert_uint_eq(run.cycles, best);
	ck_assert_int_eq(dav2m_hindsight(&pair, cost, start, NULL, &again, &error), 0);
	ck_assert_mem_eq(&run, &again, sizeof(run));
	/* The schedule it gives back is the one it priced. */
	ck_assert_int_eq(dav2m_replay_schedule(&pair, cost, mode, &priced, &error), 0);
	ck_assert_uint_eq(priced.cycles + start[mode[0]], best);
	ck_assert_uint_eq(priced.switches[0], run.switches[0]);
	ck_assert_uint_eq(priced.switches[1], run.switches[1]);
	ck_assert_uint_eq(run.mode_cycles[0] + run.mode_cycles[1] + run.switch_cycles, run.cycles);
	dav2m_pair_free(&pair);
}
END_TEST

START_TEST(tie_stays)
{
	static const uint64_t s[] = {1, 5, 1}, n[] = {5, 3, 5};
	const uint64_t cost[DAV2M_MODES] = {1, 1}, start[DAV2M_MODES] = {0, 0};
	struct dav2m_pair pair = pair_of(s, n, 3);
	uint8_t mode[3];
	struct dav2m_host_error error;
	struct dav2m_run run;

	ck_assert_int_eq(dav2m_hindsight(&pair, cost, start, mode, &run, &error), 0);
	ck_assert_uint_eq(run.cycles, 7);
	ck_assert_uint_eq(run.switches[0] + run.switches[1], 0);
	dav2m_pair_free(&pair);
}
END_TEST

/* Replaying the controller is bounded by what hindsight and its own rules allow. */
START_TEST(controller_on_phases)
{
	const struct phases *phases = phases_find("gcc-long");
	struct dav2m_pair pair = {.ticks = phases->ticks};
	struct dav2m_config config = {.size = sizeof(config)};
	struct dav2m_replay replay = {
		.pair = &pair,
		.switch_cycles = {PHASES_TO_SHADOW_CYCLES, PHASES_TO_NESTED_CYCLES},
		.start = DAV2M_SHADOW};
	const uint64_t start[DAV2M_MODES] = {0, 0};
	struct dav2m controller;
	struct dav2m_explanation explanation;
	struct dav2m_host_error error;
	struct dav2m_run run, again, best;

	pair.tick[0] = calloc(pair.ticks, sizeof(struct dav2m_sample));
	pair.tick[1] = calloc(pair.ticks, sizeof(struct dav2m_sample));
	ck_assert(pair.tick[0] && pair.tick[1]);
	phases_fill(phases, 200, 1, pair.tick[0], pair.tick[1]);
	dav2m_config_preset(DAV2M_PRESET_REPAIRED, &config);
	ck_assert_int_eq(dav2m_replay_controller(&replay, &config, &controller, &run, &error), 0);
	ck_assert_int_eq(dav2m_hindsight(&pair, replay.switch_cycles, start, NULL, &best, &error),
			 0);
	ck_assert_uint_ge(run.cycles, best.cycles);
	/* Ten changes each way: the controller must follow most of them, or it saw nothing. */
	ck_assert_uint_ge(run.switches[DAV2M_NESTED], 5);
	dav2m_explain(&controller, &explanation);
	ck_assert_uint_eq(explanation.tally.switches[DAV2M_NESTED], run.switches[DAV2M_NESTED]);
	ck_assert_uint_eq(explanation.tally.switches[DAV2M_SHADOW], run.switches[DAV2M_SHADOW]);
	ck_assert_uint_eq((uint64_t)explanation.mode_ticks[0] + explanation.mode_ticks[1],
			  pair.ticks);
	ck_assert_int_eq(dav2m_replay_controller(&replay, &config, &controller, &again, &error), 0);
	ck_assert_mem_eq(&run, &again, sizeof(run));
	dav2m_pair_free(&pair);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("replay");
	TCase *loop = tcase_create("loop");
	TCase *hindsight = tcase_create("hindsight");
	SRunner *runner;
	int failed;

	tcase_add_test(loop, worked_by_hand);
	tcase_add_test(loop, policy_errors);
	tcase_add_test(loop, terse_policy);
	tcase_add_test(loop, arguments_refused);
	tcase_add_test(loop, controller_on_phases);
	tcase_add_loop_test(hindsight, hindsight_is_best, 0, 200);
	tcase_add_test(hindsight, tie_stays);
	suite_add_tcase(suite, loop);
	suite_add_tcase(suite, hindsight);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
