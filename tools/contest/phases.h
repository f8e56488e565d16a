/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Synthetic paired recordings from lists of phases: for the contest, and for tests that need to
 * know the truth.
 *
 * The model: a tick is 1e8 instructions at CPI 1, one-dimensional page walks included. Shadow
 * paging adds exits x cycles each, nested paging adds TLB misses x extra cycles each. Both modes
 * see the same TLB misses and flushes; only shadow paging takes paging exits. No transient: a
 * switch costs what the caller says it costs. All counters are there.
 */
#ifndef DAV2M_TOOLS_PHASES_H
#define DAV2M_TOOLS_PHASES_H

#include <dav2m/sample.h>

#define PHASES_TICK_PROGRESS 100000000u /* instructions */

/* A one-dimensional walk: one reference beyond the walker's caches, about what `dav2m sim` counts
   per miss on spec-apsi and spec-fma3d with palacios2011. */
#define PHASES_WALK_CYCLES 15u

/* The switch costs that go with phases_table, in cycles: half a tick and a whole one. */
#define PHASES_TO_NESTED_CYCLES 50000000u
#define PHASES_TO_SHADOW_CYCLES 100000000u

struct phase {
	uint32_t ticks;
	uint32_t exits;	      /* paging exits per tick under shadow paging */
	uint32_t exit_cycles; /* each */
	uint32_t misses;      /* TLB misses per tick */
	uint32_t miss_cycles; /* each, what the second dimension of a walk adds */
	uint32_t flushes;     /* TLB flushes per tick: programs that unmap flush, those that only
				 map do not */
};

/* head once through, head_repeats times, then body for as long as ticks are wanted. */
struct phases {
	const char *name;
	const struct phase *head;
	size_t head_phases;
	size_t head_repeats;
	const struct phase *body;
	size_t body_phases;
	size_t ticks; /* length of the whole */
};

/* Traces with known answers; the last, "burst", is the one on which thresholds freeze. */
extern const struct phases phases_table[];
extern const size_t phases_table_size;

/* What an entry is, in one line. */
const char *phases_about(size_t index);

/* The entry of that name, or NULL. */
const struct phases *phases_find(const char *name);

/*
 * Fills increments of every tick in both modes (phases->ticks each). Exits and misses vary by up
 * to noise_bp, differently for each tick and seed, and alike in both modes.
 */
void phases_fill(const struct phases *phases, uint32_t noise_bp, uint64_t seed,
		 struct dav2m_sample *ret_shadow, struct dav2m_sample *ret_nested);

/* Cuts each of the ticks, which are at the front of `sample`, into that many rows, which differ by
   1 at most: for whoever looks at the counters more often than once a tick. */
void phases_cut(struct dav2m_sample *sample, size_t ticks, size_t rows);

#endif
