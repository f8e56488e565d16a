/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The freeze: a burst of fast alternation raises the thresholds so far that the slow alternation
 * after it crosses nothing any more. Decay is what cures it.
 */
#include <stdio.h>

#include "phases.h"
#include "rig.h"

/* Ticks of the burst, in which switching this often is no use to anybody. */
#define BURST_TICKS (60 * 4)
#define NOISE_BP    200

static const uint64_t switch_cycles[DAV2M_MODES] = {PHASES_TO_SHADOW_CYCLES,
						    PHASES_TO_NESTED_CYCLES};

struct recording {
	size_t ticks;
	struct dav2m_sample *mode[DAV2M_MODES];
};

struct outcome {
	uint64_t cycles;
	unsigned int burst_switches; /* while it alternates fast */
	unsigned int slow_switches;  /* afterwards */
};

static struct recording record(void)
{
	const struct phases *burst = phases_find("burst");
	struct recording recording;

	ck_assert_ptr_nonnull(burst);
	recording.ticks = burst->ticks;
	for (int mode = 0; mode < DAV2M_MODES; mode++) {
		recording.mode[mode] = calloc(burst->ticks, sizeof(struct dav2m_sample));
		ck_assert_ptr_nonnull(recording.mode[mode]);
	}
	phases_fill(burst, NOISE_BP, 1, recording.mode[DAV2M_SHADOW], recording.mode[DAV2M_NESTED]);
	return recording;
}

static void discard(struct recording *recording)
{
	for (int mode = 0; mode < DAV2M_MODES; mode++)
		free(recording->mode[mode]);
}

static void advance(struct dav2m_sample *counters, const struct dav2m_sample *tick)
{
	counters->valid = tick->valid;
	for (int c = 0; c < DAV2M_COUNTERS; c++)
		counters->value[c] += tick->value[c];
}

/* Does what the decision asks for, at its cost. */
static void obey(struct dav2m *ctl, const struct dav2m_decision *decision,
		 struct dav2m_sample *counters, struct outcome *outcome)
{
	uint64_t cycles = switch_cycles[decision->mode];

	if (decision->action != DAV2M_SWITCH)
		return;
	counters->value[DAV2M_CYCLES] += cycles;
	ck_assert_int_eq(dav2m_acknowledge(ctl, DAV2M_DONE, cycles), 0);
	if (decision->tick <= BURST_TICKS)
		outcome->burst_switches++;
	else
		outcome->slow_switches++;
}

static struct outcome run(const struct recording *recording, const struct dav2m_config *config)
{
	struct dav2m_sample counters = recording->mode[0][0];
	struct dav2m_decision decision = {.mode = DAV2M_SHADOW};
	struct outcome outcome = {.cycles = 0};
	struct dav2m ctl;

	memset(counters.value, 0, sizeof(counters.value));
	ck_assert_int_eq(dav2m_init(&ctl, config, DAV2M_SHADOW), 0);
	ck_assert_int_eq(dav2m_sample(&ctl, &counters, &decision), 0);
	for (size_t tick = 0; tick < recording->ticks; tick++) {
		advance(&counters, &recording->mode[decision.mode][tick]);
		ck_assert_int_eq(dav2m_sample(&ctl, &counters, &decision), 0);
		obey(&ctl, &decision, &counters, &outcome);
	}
	outcome.cycles = counters.value[DAV2M_CYCLES];
	return outcome;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The cheapest schedule that starts in shadow. */
static uint64_t hindsight(const struct recording *recording)
{
	uint64_t shadow = 0, nested = switch_cycles[DAV2M_NESTED];

	for (size_t tick = 0; tick < recording->ticks; tick++) {
		uint64_t before = shadow;

		shadow = least(shadow, nested + switch_cycles[DAV2M_SHADOW]);
		nested = least(nested, before + switch_cycles[DAV2M_NESTED]);
		shadow += recording->mode[DAV2M_SHADOW][tick].value[DAV2M_CYCLES];
		nested += recording->mode[DAV2M_NESTED][tick].value[DAV2M_CYCLES];
	}
	return least(shadow, nested);
}

static double percent_over(uint64_t cycles, uint64_t best)
{
	return 100.0 * ((double)cycles / (double)best - 1.0);
}

/*
 * The paper as printed; the same as its prose has it, with thresholds that fall on success; and the
 * repaired preset where the slow phases exceed the threshold by half. (At its own thresholds, which
 * they exceed threefold, the repaired preset escapes this trace even without decay: a settle tick
 * makes it switch less in the burst.)
 */
static const struct {
	const char *name;
	enum dav2m_preset preset;
	uint16_t lower_bp;
	uint32_t threshold_vmexit;
} rows[] = {
	{"as printed", DAV2M_PRESET_PAPER, 0, 10000},
	{"as in the prose", DAV2M_PRESET_PAPER, 1250, 10000},
	{"repaired", DAV2M_PRESET_REPAIRED, 1250, 20000},
};
#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static double over_hindsight(int row, uint16_t decay_bp, struct outcome *ret)
{
	struct dav2m_config config = {.size = sizeof(config)};
	struct recording recording = record();
	double percent;

	ck_assert_int_eq(dav2m_config_preset(rows[row].preset, &config), 0);
	config.lower_bp = rows[row].lower_bp;
	config.threshold_vmexit = rows[row].threshold_vmexit;
	config.decay_bp = decay_bp;
	*ret = run(&recording, &config);
	percent = percent_over(ret->cycles, hindsight(&recording));
	printf("%s, decay %u bp: %.1f %% over hindsight, %u + %u switches\n", rows[row].name,
	       decay_bp, percent, ret->burst_switches, ret->slow_switches);
	discard(&recording);
	return percent;
}

/* Eight slow alternations are worth fifteen switches; frozen, it makes one at most. */
START_TEST(frozen_without_decay)
{
	struct outcome outcome;
	double percent = over_hindsight(_i, 0, &outcome);

	ck_assert_uint_gt(outcome.burst_switches, 4);
	ck_assert_uint_le(outcome.slow_switches, 1);
	ck_assert_double_gt(percent, 15.0);
}
END_TEST

START_TEST(recovers_with_decay)
{
	struct outcome outcome;
	double percent = over_hindsight(_i, 2500, &outcome);

	ck_assert_uint_gt(outcome.burst_switches, 4);
	ck_assert_uint_ge(outcome.slow_switches, 15);
	ck_assert_double_lt(percent, 5.0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("freeze");

	tcase_add_loop_test(tests, frozen_without_decay, 0, ROWS);
	tcase_add_loop_test(tests, recovers_with_decay, 0, ROWS);
	tcase_set_timeout(tests, 60);
	return rig_main("freeze", tests);
}
