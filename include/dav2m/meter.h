/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A meter turns raw cumulative counters into totals whose differences can be believed.
 *
 * Both the controller and each vCPU of a domain hold one. The functions are private to the
 * library; the structure is here because both are embedded by value.
 */
#ifndef DAV2M_METER_H
#define DAV2M_METER_H

#include <dav2m/sample.h>

struct dav2m_meter {
	/* Each counter as it stood in the last sample, had it 64 bits and not wrapped since the
	   meter started. Only differences mean anything. */
	uint64_t total[DAV2M_COUNTERS];
	uint64_t mask;	   /* the bits that the counters have */
	uint64_t believed; /* largest increment of one sample */
	uint8_t known;	   /* DAV2M_BIT of each counter that total follows; before the first
			      sample a bit that no counter has */
	uint8_t gaps;	   /* incomplete samples in a row */
	uint8_t width;	   /* of the counters, in bits */
	uint8_t held;	   /* a counter that is held stands less than 2^held below its total */
	uint32_t wraps;	   /* wrap-arounds followed, but for those that totals tell of */
};

#endif
