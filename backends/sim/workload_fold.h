/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folds a stream of references into fewer words that mean the same to any LRU TLB.
 *
 * References are gathered while they stay within SIM_FOLD_PAGES pages. Among so few pages, all
 * references but a page's first are hits in an LRU array of that many entries or more, so only
 * two things of the stream can matter: the order in which the pages are first touched, which
 * decides who misses and who is replaced, and the order in which they are last touched, which is
 * what LRU remembers. The fold writes one word per page in the first order, with all its
 * references, and touches again those pages whose place in the second order differs.
 *
 * Exact for fully associative first-level arrays of SIM_FOLD_PAGES entries or more, and for a
 * second level, which sees misses only; a test holds it to a naive LRU. What may differ: conflicts
 * among the few pages in a set-associative first level, and when within a fold a page that was
 * read first has its dirty bit set.
 */
#ifndef DAV2M_SIM_WORKLOAD_FOLD_INTERNAL_H
#define DAV2M_SIM_WORKLOAD_FOLD_INTERNAL_H

#include <stddef.h>

#include <dav2m/sim/stream.h>

/* Below the 16 entries of the smallest first-level data TLB that is fully associative. */
#define SIM_FOLD_PAGES 12u

/* The words under construction. */
struct sim_out {
	uint64_t *word;
	size_t used;
};

struct sim_fold {
	uint64_t page[SIM_FOLD_PAGES];	   /* in the order of their first touch */
	uint32_t count[SIM_FOLD_PAGES][2]; /* loads, stores */
	uint8_t first[SIM_FOLD_PAGES];	   /* kind of the first touch */
	uint8_t order[SIM_FOLD_PAGES];	   /* indexes in the order of the last touch */
	uint32_t pages;
};

/* Words that one flush may append, for a count of references each page below 2^20. */
#define SIM_FOLD_WORDS (SIM_FOLD_PAGES * 3u + (1u << 20) / DAV2M_SIM_RUN_MAX)

/* count references of a kind (load or store) to a page. May flush what was gathered before. */
void sim_fold_touch(struct sim_fold *fold, struct sim_out *out, enum dav2m_sim_kind kind,
		    uint64_t page, uint32_t count);
/* Writes out what has been gathered. */
void sim_fold_flush(struct sim_fold *fold, struct sim_out *out);

#endif
