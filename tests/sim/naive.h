/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plainest possible LRU TLB: a list per set, most recently used first. What the fast ones
 * must agree with, exactly.
 */
#ifndef DAV2M_TESTS_SIM_NAIVE_H
#define DAV2M_TESTS_SIM_NAIVE_H

#include <stdint.h>
#include <string.h>

#define NAIVE_SETS 256
#define NAIVE_WAYS 256

struct naive {
	unsigned sets;
	unsigned ways;
	unsigned used[NAIVE_SETS];
	uint64_t page[NAIVE_SETS][NAIVE_WAYS];
};

static inline void naive_init(struct naive *naive, unsigned entries, unsigned ways)
{
	memset(naive, 0, sizeof(*naive));
	naive->sets = entries / ways;
	naive->ways = ways;
}

/* Takes the page out; 1 if it was there. */
static inline int naive_remove(struct naive *naive, uint64_t page)
{
	const unsigned set = (unsigned)(page % naive->sets);
	uint64_t *row = naive->page[set];
	unsigned i;

	for (i = 0; i < naive->used[set] && row[i] != page; i++)
		;
	if (i == naive->used[set])
		return 0;
	memmove(&row[i], &row[i + 1], (naive->used[set] - i - 1) * sizeof(*row));
	naive->used[set]--;
	return 1;
}

static inline void naive_insert(struct naive *naive, uint64_t page)
{
	const unsigned set = (unsigned)(page % naive->sets);
	uint64_t *row = naive->page[set];

	if (naive->used[set] == naive->ways)
		naive->used[set]--;
	memmove(&row[1], &row[0], naive->used[set] * sizeof(*row));
	row[0] = page;
	naive->used[set]++;
}

/* 1: hit. A page that was not there is not inserted. */
static inline int naive_use(struct naive *naive, uint64_t page)
{
	const int hit = naive_remove(naive, page);

	if (hit)
		naive_insert(naive, page);
	return hit;
}

static inline void naive_flush(struct naive *naive)
{
	memset(naive->used, 0, sizeof(naive->used));
}

/* A generator of its own, so that tests do not depend on the library's. */
static inline uint64_t naive_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

#endif
