/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A meter turns raw cumulative counters into differences that can be believed.
 *
 * Both the controller and each vCPU of a domain hold one. The functions are private to the
 * library; the structure is here because both are embedded by value.
 */
#ifndef DAV2M_METER_H
#define DAV2M_METER_H

#include <dav2m/sample.h>

struct dav2m_meter {
	uint64_t base[DAV2M_COUNTERS]; /* the last value of each counter that was believed */
	uint8_t known;		       /* DAV2M_BIT of each counter that base holds */
	uint8_t unused_bits;	       /* 64 - width of the counters */
	uint8_t gaps;		       /* incomplete samples in a row */
	uint8_t ready;		       /* base holds a sample */
	uint32_t wraps;		       /* wrap-arounds followed */
};

#endif
