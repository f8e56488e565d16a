/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of phases drawn by lot: workloads that nobody has looked at while choosing parameters.
 *
 * All is drawn from the seed and the workload's number in integers, so that a name stands for the
 * same workload on every machine. Prices are those of phases_table. A workload has
 *
 * - 1 to 6 kinds of phase. Each kind has 10 to 100,000 paging exits a tick (log-uniform) at 1000
 *   to 8000 cycles, 1e3 to 4e6 TLB misses a tick (log-uniform) that nested paging makes 20 to 80
 *   cycles dearer, a TLB flush for every 10 to 200 exits or, half of the kinds, none; and a mean
 *   length of 1 to 1000 ticks (log-uniform). What is not log-uniform is uniform.
 * - In half of the workloads the kinds take turns; in the others each stay is in any other kind.
 * - A third of the workloads has stays as long as the kind's mean, a third has them up to a quarter
 *   longer or shorter, in a third their length is geometric: each tick may be the last.
 * - In a quarter of the workloads exits or misses grow over each stay, in a straight line to twice
 *   what they began with, or to the end of the range above.
 * - In a quarter there are ramps: over the first quarter of a stay everything moves in a straight
 *   line from what the stay before ended with.
 * - Noise of 10 % from tick to tick in a quarter, 2 % in the others.
 */
#ifndef DAV2M_TOOLS_CONTEST_DRAWN_H
#define DAV2M_TOOLS_CONTEST_DRAWN_H

#include "phases.h"

#define DRAWN_TICKS	 6000u
#define DRAWN_KINDS_MOST 6u
#define DRAWN_MOST	 1000u /* workloads of one seed */
#define DRAWN_NAME	 32

enum drawn_stay { DRAWN_CONSTANT, DRAWN_QUARTER, DRAWN_GEOMETRIC, DRAWN_STAYS };
enum drawn_growth { DRAWN_STEADY, DRAWN_EXITS_GROW, DRAWN_MISSES_GROW };

struct drawn_kind {
	struct phase phase;
	uint32_t exits_per_flush; /* 0: no flushes */
	uint32_t mean_ticks;
};

struct drawn {
	char name[DRAWN_NAME]; /* drawn-SEED-NUMBER */
	unsigned int kinds;
	struct drawn_kind kind[DRAWN_KINDS_MOST];
	int shuffled; /* the kinds take no turns */
	enum drawn_stay stay;
	enum drawn_growth growth;
	int ramps;
	uint32_t noise_bp;
	uint64_t noise_seed;
	struct phases phases; /* without a name; a phase for each tick */
	struct phase *tick;
};

/* The seed and the number of a name of such a length, written as drawn_make() writes it; 0, or -1
   if it is no such name. */
int drawn_name_parse(const char *name, size_t length, uint32_t *ret_seed, uint32_t *ret_number);

/* The workload of that number, from 1; drawn_free() it. Answers 0, or -1 without memory. */
int drawn_make(uint32_t seed, uint32_t number, struct drawn *ret_drawn);
void drawn_free(struct drawn *drawn);

#endif
