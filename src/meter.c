/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raw counters to differences that can be believed.
 *
 * A difference modulo the counter's width follows wrap-around. One that reaches half the width
 * is a counter that ran backwards (a reset, a migration); one beyond MAX_DELTA is a jump. Either
 * way the whole sample is only a new start: half of a sample is worth nothing, because its
 * counters no longer describe the same stretch of time.
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

void dav2m_meter_init(struct dav2m_meter *meter, uint8_t counter_bits)
{
	*meter = (struct dav2m_meter){.unused_bits = (uint8_t)(64 - counter_bits)};
}

static DAV2M_RARE enum dav2m_reading start(struct dav2m_meter *meter,
					   const struct dav2m_sample *sample, uint32_t valid,
					   enum dav2m_reading reading)
{
	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++)
		meter->base[c] = sample->value[c];
	meter->known = (uint8_t)valid;
	meter->ready = 1;
	meter->gaps = 0;
	return reading;
}

/* The set of counters has changed. */
static DAV2M_RARE enum dav2m_reading regroup(struct dav2m_meter *meter,
					     const struct dav2m_sample *sample, uint32_t valid)
{
	if (!(meter->known & ~valid))
		return start(meter, sample, valid, READING_BASELINE);
	if (++meter->gaps < MAX_GAPS)
		return READING_INCOMPLETE;
	return start(meter, sample, valid, READING_LOST);
}

static DAV2M_RARE enum dav2m_reading too_large(uint64_t all, uint64_t half)
{
	return all & half ? READING_BACKWARD : READING_JUMP;
}

enum dav2m_reading dav2m_meter_read(struct dav2m_meter *meter, const struct dav2m_sample *sample,
				    uint32_t wanted, uint64_t ret_delta[DAV2M_COUNTERS])
{
	const uint64_t mask = UINT64_MAX >> meter->unused_bits;
	const uint32_t valid = sample->valid & wanted;
	uint64_t all = 0;
	uint32_t wraps = 0;

	if (valid != meter->known || !meter->ready)
		return regroup(meter, sample, valid);
	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++)
		ret_delta[c] = 0;
	for (uint32_t left = valid; left; left &= left - 1) {
		size_t c = (size_t)__builtin_ctz(left);
		uint64_t now = sample->value[c], before = meter->base[c];

		meter->base[c] = now;
		wraps += now < before;
		now = (now - before) & mask;
		ret_delta[c] = now;
		all |= now;
	}
	meter->gaps = 0;
	/* An increment is too large when it has a bit beyond the largest's: one test for all. */
	if (all & ~(MAX_DELTA & mask >> 1))
		return too_large(all, (mask >> 1) + 1);
	meter->wraps += wraps;
	return READING_OK;
}
