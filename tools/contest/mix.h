/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers that are the same everywhere: splitmix64.
 */
#ifndef DAV2M_TOOLS_CONTEST_MIX_H
#define DAV2M_TOOLS_CONTEST_MIX_H

#include <stdint.h>

#define MIX_STEP 0x9e3779b97f4a7c15u

/* Each x has its own, as if drawn by lot. */
static inline uint64_t mix(uint64_t x)
{
	x += MIX_STEP;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* The next of a sequence; state starts with any seed. */
static inline uint64_t mix_next(uint64_t *state)
{
	uint64_t drawn = mix(*state);

	*state += MIX_STEP;
	return drawn;
}

#endif
