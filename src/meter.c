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

/* Largest believable increment of one sample: 2^40, about four minutes of cycles at 4 GHz. No
   sampling point is that far apart, but a suspended host or a migrated guest is. */
#define MAX_DELTA (UINT64_C(1) << 40)

/* Incomplete samples in a row after which the missing counters are given up. A PMU that another
   user borrows comes back sooner; a VM migrated to a host without one never gets it back. */
#define MAX_GAPS 16

void dav2m_meter_init(struct dav2m_meter *meter, uint8_t counter_bits)
{
	*meter = (struct dav2m_meter){.bits = counter_bits};
}

static enum dav2m_reading start(struct dav2m_meter *meter, const struct dav2m_sample *sample,
				enum dav2m_reading reading)
{
	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++)
		meter->base[c] = sample->value[c];
	meter->known = (uint8_t)sample->valid;
	meter->gaps = 0;
	return reading;
}

static enum dav2m_reading miss(struct dav2m_meter *meter, const struct dav2m_sample *sample)
{
	if (++meter->gaps < MAX_GAPS)
		return READING_INCOMPLETE;
	return start(meter, sample, READING_LOST);
}

static enum dav2m_reading classify(const uint64_t delta[DAV2M_COUNTERS], uint64_t half)
{
	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++)
		if (delta[c] >= half)
			return READING_BACKWARD;
	return READING_JUMP;
}

enum dav2m_reading dav2m_meter_read(struct dav2m_meter *meter, const struct dav2m_sample *sample,
				    uint64_t ret_delta[DAV2M_COUNTERS])
{
	const uint64_t mask = UINT64_MAX >> (64 - meter->bits);
	const uint64_t half = (mask >> 1) + 1;
	const uint64_t limit = half <= MAX_DELTA ? half - 1 : MAX_DELTA;
	uint32_t wraps = 0;
	int believable = 1;

	if (meter->known & ~sample->valid)
		return miss(meter, sample);
	if (sample->valid & ~(uint32_t)meter->known || !meter->known)
		return start(meter, sample, READING_BASELINE);
	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++) {
		uint64_t now = sample->value[c], before = meter->base[c];

		if (!(meter->known & DAV2M_BIT(c))) {
			ret_delta[c] = 0;
			continue;
		}
		ret_delta[c] = (now - before) & mask;
		believable &= ret_delta[c] <= limit;
		wraps += now < before;
		meter->base[c] = now;
	}
	meter->gaps = 0;
	if (!believable)
		return classify(ret_delta, half);
	meter->wraps += wraps;
	return READING_OK;
}
