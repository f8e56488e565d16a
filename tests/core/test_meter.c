/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters that wrap, run backwards, jump, go missing and appear: what the meter believes, and
 * what the controller then does with its windows.
 */
#include "core.h"
#include "rig.h"

#define MAX_DELTA ((UINT64_C(1) << 40) - 1)
#define MAX_GAPS  16

static const uint8_t widths[] = {32, 33, 41, 48, 63, 64};
#define WIDTHS ((int)sizeof(widths))

static uint64_t mask_of(uint8_t bits)
{
	return bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* Reads all counters; ret_delta is what each total has gained. */
static enum dav2m_reading read_deltas(struct dav2m_meter *meter, const struct dav2m_sample *sample,
				      uint32_t wanted, uint64_t ret_delta[DAV2M_COUNTERS])
{
	struct dav2m_meter before = *meter;
	enum dav2m_reading reading = dav2m_meter_read(meter, sample, wanted);

	for (int c = 0; c < DAV2M_COUNTERS; c++)
		ret_delta[c] = meter->total[c] - before.total[c];
	return reading;
}

/* A meter that holds `before` for all counters. */
static struct dav2m_meter meter_at(uint8_t bits, uint64_t before, struct dav2m_sample *ret_sample)
{
	struct dav2m_meter meter;
	uint64_t delta[DAV2M_COUNTERS];

	dav2m_meter_init(&meter, bits);
	ret_sample->valid = DAV2M_ALL_COUNTERS;
	for (int c = 0; c < DAV2M_COUNTERS; c++)
		ret_sample->value[c] = before;
	ck_assert_int_eq(read_deltas(&meter, ret_sample, DAV2M_ALL_COUNTERS, delta),
			 READING_BASELINE);
	return meter;
}

/* One counter moves by `step` modulo its width, the others by 1. */
static enum dav2m_reading move(uint8_t bits, uint64_t before, int counter, uint64_t step)
{
	struct dav2m_sample sample;
	struct dav2m_meter meter = meter_at(bits, before, &sample);
	uint64_t delta[DAV2M_COUNTERS];
	enum dav2m_reading reading;

	for (int c = 0; c < DAV2M_COUNTERS; c++)
		sample.value[c] = (before + (c == counter ? step : 1)) & mask_of(bits);
	reading = read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta);
	if (reading == READING_OK) {
		for (int c = 0; c < DAV2M_COUNTERS; c++)
			ck_assert_uint_eq(delta[c], c == counter ? step : 1);
		return READING_OK;
	}
	/* Whatever it was, the next sample counts from there. */
	ck_assert_uint_eq(dav2m_meter_wraps(&meter), 0);
	sample.value[counter] = (sample.value[counter] + 5) & mask_of(bits);
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_OK);
	ck_assert_uint_eq(delta[counter], 5);
	return reading;
}

START_TEST(limits_of_belief)
{
	uint8_t bits = widths[_i];
	/* Of a 64-bit counter 63 bits are followed. */
	uint64_t half = bits == 64 ? UINT64_C(1) << 62 : (mask_of(bits) >> 1) + 1;
	uint64_t limit = half <= MAX_DELTA ? half - 1 : MAX_DELTA;

	for (int c = 0; c < DAV2M_COUNTERS; c++) {
		ck_assert_int_eq(move(bits, 100, c, 0), READING_OK);
		ck_assert_int_eq(move(bits, 100, c, limit), READING_OK);
		ck_assert_int_eq(move(bits, mask_of(bits), c, limit), READING_OK);
		ck_assert_int_eq(move(bits, 100, c, limit + 1),
				 limit + 1 == half ? READING_BACKWARD : READING_JUMP);
		ck_assert_int_eq(move(bits, 100, c, half), READING_BACKWARD);
		ck_assert_int_eq(move(bits, 100, c, half - 1),
				 half - 1 <= limit ? READING_OK : READING_JUMP);
		/* A reset to 0, and one unit back. */
		ck_assert_int_eq(move(bits, 100, c, mask_of(bits) - 99), READING_BACKWARD);
		ck_assert_int_eq(move(bits, 100, c, mask_of(bits)), READING_BACKWARD);
	}
}
END_TEST

START_TEST(wraps)
{
	uint8_t bits = widths[_i];
	struct dav2m_sample sample;
	struct dav2m_meter meter = meter_at(bits, mask_of(bits) - 4, &sample);
	uint64_t delta[DAV2M_COUNTERS];

	sample.value[DAV2M_CYCLES] = 7;
	sample.value[DAV2M_PROGRESS] = mask_of(bits);
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_OK);
	ck_assert_uint_eq(delta[DAV2M_CYCLES], 12);
	ck_assert_uint_eq(delta[DAV2M_PROGRESS], 4);
	ck_assert_uint_eq(delta[DAV2M_TLB_MISSES], 0);
	ck_assert_uint_eq(dav2m_meter_wraps(&meter), 1);
	sample.value[DAV2M_PROGRESS] = 0;
	sample.value[DAV2M_TLB_MISSES] = 0;
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_OK);
	ck_assert_uint_eq(delta[DAV2M_PROGRESS], 1);
	ck_assert_uint_eq(delta[DAV2M_TLB_MISSES], 5);
	ck_assert_uint_eq(dav2m_meter_wraps(&meter), 3);
}
END_TEST

/* A 64-bit software counter beyond the configured 48 bits: only differences count, and its low
   bits wrap. */
START_TEST(wider_counter)
{
	struct dav2m_sample sample;
	struct dav2m_meter meter = meter_at(48, (UINT64_C(5) << 48) - 1, &sample);
	uint64_t delta[DAV2M_COUNTERS];

	for (int c = 0; c < DAV2M_COUNTERS; c++)
		sample.value[c] += 3;
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_OK);
	ck_assert_uint_eq(delta[DAV2M_CYCLES], 3);
	ck_assert_uint_eq(dav2m_meter_wraps(&meter), DAV2M_COUNTERS);
}
END_TEST

START_TEST(backward_wins_over_jump)
{
	struct dav2m_sample sample;
	struct dav2m_meter meter = meter_at(48, 100, &sample);
	uint64_t delta[DAV2M_COUNTERS];

	sample.value[DAV2M_PROGRESS] += MAX_DELTA + 1;
	sample.value[DAV2M_TLB_FLUSHES] = 0;
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_BACKWARD);
}
END_TEST

/* A counter takes back an eighth of what the others go forward by: its total stands until it has
   passed where it was, and theirs go on. */
START_TEST(little_back_is_held)
{
	static const uint64_t moves[] = {(uint64_t)-128, 28, 100, 30}; /* at last 30 beyond */
	struct dav2m_sample sample;

	for (int held = 0; held < DAV2M_COUNTERS; held++) {
		struct dav2m_meter meter = meter_at(widths[_i], UINT32_C(1) << 31, &sample);
		uint64_t delta[DAV2M_COUNTERS];

		for (int i = 0; i < 4; i++) {
			for (int c = 0; c < DAV2M_COUNTERS; c++)
				sample.value[c] += c == held ? moves[i] : 1024;
			ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta),
					 READING_OK);
			for (int c = 0; c < DAV2M_COUNTERS; c++)
				ck_assert_uint_eq(delta[c], c != held ? 1024 : i == 3 ? 30 : 0);
		}
	}
}
END_TEST

/* The cycles go back from `before`, the progress forward, and the misses half as far. */
static enum dav2m_reading take_back(uint64_t before, uint64_t back, uint64_t forward)
{
	struct dav2m_sample sample;
	struct dav2m_meter meter = meter_at(48, before, &sample);
	uint64_t delta[DAV2M_COUNTERS];

	sample.value[DAV2M_CYCLES] -= back;
	sample.value[DAV2M_PROGRESS] += forward;
	sample.value[DAV2M_TLB_MISSES] += forward / 2;
	return read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta);
}

START_TEST(little_and_much)
{
	/* An eighth of what the others go forward by, */
	ck_assert_int_eq(take_back(1000000, 128, 1024), READING_OK);
	ck_assert_int_eq(take_back(1000000, 129, 1024), READING_BACKWARD);
	ck_assert_int_eq(take_back(1000000, 128, 1023), READING_BACKWARD);
	ck_assert_int_eq(take_back(1000000, 1, 0), READING_BACKWARD);
	/* and of what is left. */
	ck_assert_int_eq(take_back(900, 100, 1000000), READING_OK);
	ck_assert_int_eq(take_back(900, 101, 1000000), READING_BACKWARD);
	ck_assert_int_eq(take_back(900, 900, 1000000), READING_BACKWARD);
	/* Nor is a jump believed meanwhile. */
	ck_assert_int_eq(take_back(1000000, 1, MAX_DELTA), READING_OK);
	ck_assert_int_eq(take_back(1000000, 1, MAX_DELTA + 1), READING_JUMP);
}
END_TEST

/* Until it has caught up, whatever the others do meanwhile: nothing, or little. */
START_TEST(little_back_waits)
{
	struct dav2m_sample sample;
	struct dav2m_meter meter = meter_at(48, 1000000, &sample);
	uint64_t delta[DAV2M_COUNTERS];

	sample.value[DAV2M_TLB_MISSES] -= 100;
	sample.value[DAV2M_PROGRESS] += 100000;
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_OK);
	for (unsigned int i = 0; i < 10; i++) {
		ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta),
				 READING_OK);
		sample.value[DAV2M_PROGRESS] += i;
		sample.value[DAV2M_TLB_MISSES] += i;
	}
	/* Not any further back. */
	sample.value[DAV2M_TLB_MISSES] -= 200;
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_BACKWARD);
}
END_TEST

/* Of a narrow counter nearly its whole range is no little step back. */
START_TEST(nearly_a_range_is_none)
{
	struct dav2m_sample sample;
	struct dav2m_meter meter = meter_at(32, 0, &sample);
	uint64_t delta[DAV2M_COUNTERS];

	sample.value[DAV2M_CYCLES] = 4100000000;
	sample.value[DAV2M_PROGRESS] = 1900000000;
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_BACKWARD);
}
END_TEST

/* One counter of several is reset, while the sample's others go on by far more than it ever had. */
START_TEST(late_reset_is_one)
{
	struct dav2m_sample sample;
	struct dav2m_meter meter = meter_at(48, 0, &sample);
	uint64_t delta[DAV2M_COUNTERS];

	for (int i = 0; i < 10; i++) {
		sample.value[DAV2M_CYCLES] += 1000000;
		sample.value[DAV2M_TLB_MISSES] += 100;
		ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta),
				 READING_OK);
	}
	sample.value[DAV2M_CYCLES] += 1000000;
	sample.value[DAV2M_TLB_MISSES] = 100; /* since the reset */
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_BACKWARD);
	ck_assert_uint_eq(meter.total[DAV2M_TLB_MISSES], 100);
}
END_TEST

START_TEST(no_counter_at_all)
{
	struct dav2m_sample sample = {.valid = 0};
	struct dav2m_meter meter;
	uint64_t delta[DAV2M_COUNTERS];

	dav2m_meter_init(&meter, 48);
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_BASELINE);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta),
				 READING_OK);
}
END_TEST

/* Fields without a valid bit may hold anything. */
START_TEST(invalid_fields_ignored)
{
	struct dav2m_sample sample = {.valid = DAV2M_BIT(DAV2M_CYCLES)};
	struct dav2m_meter meter;
	uint64_t delta[DAV2M_COUNTERS];

	dav2m_meter_init(&meter, 48);
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_BASELINE);
	for (int c = 0; c < DAV2M_COUNTERS; c++)
		sample.value[c] = c == DAV2M_CYCLES ? 9 : UINT64_MAX;
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_OK);
	for (int c = 0; c < DAV2M_COUNTERS; c++)
		ck_assert_uint_eq(delta[c], c == DAV2M_CYCLES ? 9 : 0);
}
END_TEST

/* And are not kept: a checkpoint is no place for what was on the caller's stack. */
START_TEST(invalid_fields_not_kept)
{
	struct dav2m_sample sample = {.valid = DAV2M_BIT(DAV2M_CYCLES)};
	struct dav2m_meter meter;

	dav2m_meter_init(&meter, 48);
	for (int c = 0; c < DAV2M_COUNTERS; c++)
		sample.value[c] = UINT64_C(0x5eed5eed5eed);
	ck_assert_int_eq(dav2m_meter_read(&meter, &sample, DAV2M_ALL_COUNTERS), READING_BASELINE);
	for (int c = 0; c < DAV2M_COUNTERS; c++)
		ck_assert_uint_eq(meter.total[c], c == DAV2M_CYCLES ? 0x5eed5eed5eed : 0);
}
END_TEST

START_TEST(gap_is_covered)
{
	struct dav2m_sample sample;
	struct dav2m_meter meter = meter_at(48, 0, &sample);
	uint64_t delta[DAV2M_COUNTERS];

	for (int round = 0; round < 2; round++) {
		sample.valid = DAV2M_ALL_COUNTERS & ~DAV2M_BIT(DAV2M_TLB_MISSES);
		for (int gap = 1; gap < MAX_GAPS; gap++) {
			sample.value[DAV2M_CYCLES] += 10;
			ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta),
					 READING_INCOMPLETE);
		}
		sample.valid = DAV2M_ALL_COUNTERS;
		ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta),
				 READING_OK);
		ck_assert_uint_eq(delta[DAV2M_CYCLES], 10 * (MAX_GAPS - 1));
	}
}
END_TEST

START_TEST(counter_given_up)
{
	const uint32_t rest = DAV2M_ALL_COUNTERS & ~DAV2M_BIT(DAV2M_TLB_MISSES);
	struct dav2m_sample sample;
	struct dav2m_meter meter = meter_at(48, 0, &sample);
	uint64_t delta[DAV2M_COUNTERS];

	sample.valid = rest;
	for (int gap = 1; gap < MAX_GAPS; gap++)
		ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta),
				 READING_INCOMPLETE);
	sample.value[DAV2M_CYCLES] = 1000;
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_LOST);
	ck_assert_uint_eq(meter.known, rest);
	sample.value[DAV2M_CYCLES] = 1007;
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_OK);
	ck_assert_uint_eq(delta[DAV2M_CYCLES], 7);
	/* It comes back: from here on it counts again. */
	sample.valid = DAV2M_ALL_COUNTERS;
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_BASELINE);
	ck_assert_int_eq(read_deltas(&meter, &sample, DAV2M_ALL_COUNTERS, delta), READING_OK);
}
END_TEST

/* Half a tick with something in every window, so that a restart shows. */
static void begin_half_tick(struct rig *rig)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);

	rig_begin(rig, &config, DAV2M_SHADOW);
	rig_expect_reason(rig_work(rig, 600, 1200, 30, 10), DAV2M_WAITING);
	ck_assert_uint_eq(rig_explain(rig).window.progress, 600);
}

/* The unusable sample is counted, the windows are empty, and the tick starts again. */
static void expect_restarted(struct rig *rig, enum dav2m_reason reason)
{
	struct dav2m_explanation now = rig_explain(rig);
	uint32_t count = reason == DAV2M_BASELINE ? 2 : 1;

	rig_expect_reason(rig->last.reason, reason);
	ck_assert_int_eq(rig->last.action, DAV2M_STAY);
	ck_assert_uint_eq(now.count[reason], count);
	rig_expect_reason(now.reason, reason);
	ck_assert_uint_eq(now.window.progress, 0);
	ck_assert_uint_eq(now.window.cycles, 0);
	ck_assert_uint_eq(now.window.tlb_misses, 0);
	ck_assert_uint_eq(now.window.paging_exits, 0);
	/* 600 from before would have completed this tick. */
	rig_expect_reason(rig_work(rig, 600, 1200, 0, 0), DAV2M_WAITING);
	ck_assert_uint_eq(rig->last.tick, 0);
	rig_expect_reason(rig_work(rig, 400, 800, 0, 0), DAV2M_ROLLED);
	ck_assert_uint_eq(rig->last.tick, 1);
}

START_TEST(sample_backward)
{
	struct rig rig;

	begin_half_tick(&rig);
	rig.counters.value[DAV2M_CYCLES] = 0;
	rig_work(&rig, 600, 0, 0, RIG_EXITS + 1);
	expect_restarted(&rig, DAV2M_BACKWARD);
}
END_TEST

/* TLB misses that a multiplexed PMU scales take back 1 in each eighth sample: the guest, which is
   far beyond the threshold, is seen all the same. */
START_TEST(sample_scaled)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)(_i % DAV2M_PRESETS));
	const uint64_t part = _i < DAV2M_PRESETS ? 1 : 10; /* of a tick */
	struct rig rig;
	int n = 0;

	rig_begin(&rig, &config, DAV2M_NESTED);
	do {
		uint64_t misses = n % 8 == 7 ? (uint64_t)-1 : 5 * RIG_MISSES / part;

		rig_work(&rig, RIG_TICK / part, 60 * RIG_MISSES / part, misses, 0);
	} while (rig.last.action == DAV2M_STAY && ++n < 1000);
	ck_assert_int_eq(rig.last.action, DAV2M_SWITCH);
	ck_assert_uint_eq(rig_explain(&rig).resets, 0);
}
END_TEST

START_TEST(sample_jump)
{
	struct rig rig;

	begin_half_tick(&rig);
	rig_work(&rig, 600, MAX_DELTA + 1, 0, RIG_EXITS + 1);
	expect_restarted(&rig, DAV2M_JUMP);
}
END_TEST

START_TEST(sample_appearing)
{
	struct rig rig;

	begin_half_tick(&rig);
	rig.counters.valid &= ~DAV2M_BIT(DAV2M_TLB_MISSES);
	for (int i = 0; i < MAX_GAPS; i++)
		rig_work(&rig, 1, 1, 0, 0);
	rig.counters.valid |= DAV2M_BIT(DAV2M_TLB_MISSES);
	rig_work(&rig, 600, 600, 0, RIG_EXITS + 1);
	ck_assert_uint_eq(rig_explain(&rig).available, rig.counters.valid);
	expect_restarted(&rig, DAV2M_BASELINE);
}
END_TEST

START_TEST(sample_lost)
{
	struct rig rig;

	begin_half_tick(&rig);
	rig.counters.valid &= ~DAV2M_BIT(DAV2M_TLB_MISSES);
	for (int gap = 1; gap < MAX_GAPS; gap++)
		rig_expect_reason(rig_work(&rig, 600, 600, 0, RIG_EXITS + 1), DAV2M_INCOMPLETE);
	rig_work(&rig, 600, 600, 0, RIG_EXITS + 1);
	ck_assert_uint_eq(rig_explain(&rig).available, rig.counters.valid);
	expect_restarted(&rig, DAV2M_COUNTER_LOST);
}
END_TEST

/* What no judge uses may come and go, and run as it likes. */
START_TEST(sample_unused)
{
	const uint32_t unused = DAV2M_ALL_COUNTERS & ~RIG_COUNTERS;
	struct rig rig;

	begin_half_tick(&rig);
	for (int i = 0; i < 10; i++) {
		rig.counters.valid ^= unused;
		rig.counters.value[DAV2M_WALK_CYCLES] = i % 3 ? UINT64_MAX : 0;
		rig_expect_reason(rig_work(&rig, 10, 20, 0, 0), DAV2M_WAITING);
		ck_assert_uint_eq(rig_explain(&rig).available, RIG_COUNTERS);
	}
	ck_assert_uint_eq(rig_explain(&rig).window.progress, 700);
	ck_assert_uint_eq(rig_explain(&rig).wraps, 0);
}
END_TEST

/* Nothing is lost by an incomplete sample, the exits counted one by one neither. */
START_TEST(sample_incomplete)
{
	const uint32_t counters = RIG_COUNTERS & ~DAV2M_BIT(DAV2M_PAGING_EXITS);
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	rig_begin_with(&rig, &config, DAV2M_SHADOW, counters);
	rig_expect_reason(rig_work(&rig, 300, 600, 0, 0), DAV2M_WAITING);
	dav2m_paging_exits(&rig.ctl, RIG_EXITS);
	rig.counters.valid &= ~DAV2M_BIT(DAV2M_CYCLES);
	rig_expect_reason(rig_work(&rig, 300, 600, 0, 0), DAV2M_INCOMPLETE);
	ck_assert_uint_eq(rig_explain(&rig).window.progress, 300);
	dav2m_paging_exits(&rig.ctl, 1);
	rig.counters.valid = counters;
	rig_expect_reason(rig_work(&rig, 300, 600, 0, 0), DAV2M_EXITS_ABOVE);
	ck_assert_uint_eq(rig_explain(&rig).window.progress, 900);
	ck_assert_uint_eq(rig_explain(&rig).window.cycles, 1800);
	ck_assert_uint_eq(rig_explain(&rig).window.paging_exits, RIG_EXITS + 1);
}
END_TEST

START_TEST(sample_wraps)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct rig rig;

	config.counter_bits = widths[_i];
	rig_begin(&rig, &config, DAV2M_SHADOW);
	for (int c = 0; c < DAV2M_COUNTERS; c++)
		rig.counters.value[c] = mask_of(config.counter_bits) - 10;
	rig_work(&rig, 0, 0, 0, 0); /* backward: a new start */
	rig.counters.value[DAV2M_CYCLES] = 1989;
	rig.counters.value[DAV2M_PROGRESS] = 489;
	rig_expect_reason(rig_work(&rig, 0, 0, 0, 0), DAV2M_WAITING);
	ck_assert_uint_eq(rig_explain(&rig).window.cycles, 2000);
	ck_assert_uint_eq(rig_explain(&rig).window.progress, 500);
	ck_assert_uint_eq(rig_explain(&rig).wraps, 2);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("meter");

	tcase_add_loop_test(tests, limits_of_belief, 0, WIDTHS);
	tcase_add_loop_test(tests, wraps, 0, WIDTHS);
	tcase_add_test(tests, wider_counter);
	tcase_add_test(tests, backward_wins_over_jump);
	tcase_add_loop_test(tests, little_back_is_held, 0, WIDTHS);
	tcase_add_test(tests, little_and_much);
	tcase_add_test(tests, little_back_waits);
	tcase_add_test(tests, nearly_a_range_is_none);
	tcase_add_test(tests, late_reset_is_one);
	tcase_add_test(tests, no_counter_at_all);
	tcase_add_test(tests, invalid_fields_ignored);
	tcase_add_test(tests, invalid_fields_not_kept);
	tcase_add_test(tests, gap_is_covered);
	tcase_add_test(tests, counter_given_up);
	tcase_add_test(tests, sample_backward);
	tcase_add_loop_test(tests, sample_scaled, 0, 2 * DAV2M_PRESETS);
	tcase_add_test(tests, sample_jump);
	tcase_add_test(tests, sample_appearing);
	tcase_add_test(tests, sample_lost);
	tcase_add_test(tests, sample_unused);
	tcase_add_test(tests, sample_incomplete);
	tcase_add_loop_test(tests, sample_wraps, 0, WIDTHS);
	return rig_main("meter", tests);
}
