/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raw counters to totals that can be believed: what a sample is when it is not just the next one.
 *
 * A difference modulo the counter's width follows wrap-around. One that reaches half the width
 * is a counter that ran backwards (a reset, a migration); one beyond MAX_DELTA is a jump. Either
 * way the whole sample is only a new start: half of a sample is worth nothing, because its
 * counters no longer describe the same stretch of time.
 *
 * A count that a multiplexed PMU scales up is an estimate, and now and then takes back a little of
 * what it has claimed. Its total is held until the count has passed it again.
 *
 * An incomplete sample loses nothing: counters are cumulative, so the next complete one covers
 * the gap. Only when a counter stays away is it given up.
 */
#include "core.h"

/* Largest believable increment of one sample: 2^40 - 1, about four minutes of cycles at 4 GHz. No
   sampling point is that far apart, but a suspended host or a migrated guest is. */
#define MAX_DELTA ((UINT64_C(1) << 40) - 1)

/* Incomplete samples in a row after which the missing counters are given up. A PMU that another
   user borrows comes back sooner; a VM migrated to a host without one never gets it back. */
#define MAX_GAPS 16

/* A step back is little up to an eighth of what the counter still shows and of what the others have
   gone forward by, if only since it began. After a reset it shows only what it has counted since,
   and the others, which mostly are reset with it, go forward by nothing. An event that is counted
   1/n of the time takes back at most n - 1 times its mean advance: with n = 4 and a TLB miss per 20
   instructions, which then take two cycles each at least, 1/13 of the cycles. */
#define HELD_SHIFT 3

/* And up to this part of the counter's range: where that is narrow, a late sample's whole range
   less a little is no step back. */
#define HELD_RANGE_SHIFT 8

/* In meter.known until the first sample. */
#define NO_SAMPLE DAV2M_BIT(DAV2M_COUNTERS)

/* A total must have a bit more than its counter, to tell of wraps. Of 64 bits the low 63 are a
   counter as good. */
#define MAX_WIDTH 63

void dav2m_meter_init(struct dav2m_meter *meter, uint8_t counter_bits)
{
	const uint8_t width = counter_bits < MAX_WIDTH ? counter_bits : MAX_WIDTH;
	const uint64_t mask = (UINT64_C(1) << width) - 1;

	*meter = (struct dav2m_meter){
		.mask = mask,
		.believed = mask >> 1 & MAX_DELTA,
		.known = NO_SAMPLE,
		.width = width,
	};
}

uint32_t dav2m_meter_wraps(const struct dav2m_meter *meter)
{
	uint32_t wraps = meter->wraps;

	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++)
		wraps += (uint32_t)(meter->total[c] >> meter->width);
	return wraps;
}

void dav2m_meter_rebase(struct dav2m_meter *meter, uint8_t counter_bits)
{
	const uint32_t wraps = dav2m_meter_wraps(meter);

	dav2m_meter_init(meter, counter_bits);
	meter->wraps = wraps;
}

void dav2m_meter_keep(struct dav2m_meter *meter, uint32_t wanted)
{
	meter->known &= (uint8_t)(wanted | NO_SAMPLE);
}

static enum dav2m_reading start(struct dav2m_meter *meter, const struct dav2m_sample *sample,
				uint32_t valid, enum dav2m_reading reading)
{
	meter->wraps = dav2m_meter_wraps(meter);
	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++)
		meter->total[c] = valid & DAV2M_BIT(c) ? sample->value[c] & meter->mask : 0;
	meter->known = (uint8_t)valid;
	meter->gaps = 0;
	meter->held = 0;
	return reading;
}

/* The set of counters has changed. */
static DAV2M_RARE enum dav2m_reading regroup(struct dav2m_meter *meter,
					     const struct dav2m_sample *sample, uint32_t valid)
{
	if (!(meter->known & ~NO_SAMPLE & ~valid))
		return start(meter, sample, valid, READING_BASELINE);
	if (++meter->gaps < MAX_GAPS)
		return READING_INCOMPLETE;
	return start(meter, sample, valid, READING_LOST);
}

/* Both loops are unrolled, which halves the instructions: samples with more than the usual counters
   come by here each time. The pragma wants DAV2M_COUNTERS as a number. */
_Static_assert(DAV2M_COUNTERS == 7, "the unrolled loops go over all counters");

/* Follows the given counters, unless one of them cannot be believed. */
static inline enum dav2m_reading follow(struct dav2m_meter *meter,
					const struct dav2m_sample *sample, uint32_t counters)
{
	uint64_t step[DAV2M_COUNTERS], all = 0;

#pragma GCC unroll 7
	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++) {
		step[c] = counters & DAV2M_BIT(c) ? dav2m_meter_step(meter, sample, c) : 0;
		all |= step[c];
	}
	if (all > meter->believed)
		return all > meter->mask >> 1 ? READING_BACKWARD : READING_JUMP;
#pragma GCC unroll 7
	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++)
		meter->total[c] += step[c];
	meter->gaps = 0;
	return READING_OK;
}

/* The largest step forward of the given counters. */
static uint64_t ahead_by(const struct dav2m_meter *meter, const struct dav2m_sample *sample,
			 uint32_t counters)
{
	const uint64_t half = meter->mask >> 1;
	uint64_t ahead = 0;

	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++) {
		const uint64_t step = dav2m_meter_step(meter, sample, c);

		if ((counters & DAV2M_BIT(c)) && step <= half && step > ahead)
			ahead = step;
	}
	return ahead;
}

/* Those of the given counters that stand a little below their totals, or where they stood. */
static uint32_t a_little_behind(struct dav2m_meter *meter, const struct dav2m_sample *sample,
				uint32_t counters)
{
	const uint64_t ahead = ahead_by(meter, sample, counters);
	uint32_t behind = 0;
	uint8_t held = 0;

	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++) {
		const uint64_t back = (meter->total[c] - sample->value[c]) & meter->mask;
		const uint64_t shown = sample->value[c] & meter->mask;

		if (!(counters & DAV2M_BIT(c)) || back > shown >> HELD_SHIFT ||
		    back > meter->mask >> HELD_RANGE_SHIFT ||
		    (back > ahead >> HELD_SHIFT && back >> meter->held))
			continue;
		behind |= DAV2M_BIT(c);
		while (back >> held)
			held++;
	}
	meter->held = held;
	return behind;
}

/* A counter has not simply gone on. */
static DAV2M_RARE enum dav2m_reading look_closer(struct dav2m_meter *meter,
						 const struct dav2m_sample *sample, uint32_t valid)
{
	const uint32_t held = a_little_behind(meter, sample, valid);
	const enum dav2m_reading reading = follow(meter, sample, valid & ~held);

	return reading == READING_OK ? reading : start(meter, sample, valid, reading);
}

enum dav2m_reading dav2m_meter_read(struct dav2m_meter *meter, const struct dav2m_sample *sample,
				    uint32_t wanted)
{
	const uint32_t valid = sample->valid & wanted;

	if (valid != meter->known)
		return regroup(meter, sample, valid);
	if (follow(meter, sample, valid) == READING_OK)
		return READING_OK;
	return look_closer(meter, sample, valid);
}
