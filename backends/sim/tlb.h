/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two true-LRU lookup structures, exact and fast.
 *
 * sim_tlb serves the small arrays that nearly every reference looks into, of any associativity:
 * a hint per hash guesses the slot, a filter counting the entries per hash proves most misses
 * without a search, and a hit costs one compare and one time stamp. The victim of a fully
 * associative array is the head of a queue that is sorted by stamp only when it runs out: an
 * entry whose stamp has changed since is younger than every entry still in the queue.
 *
 * sim_sets serves second-level arrays: each set is kept in order of use.
 *
 * A key is page << 4 | class << 1 | writable. Neither structure knows what it translates.
 */
#ifndef DAV2M_SIM_TLB_INTERNAL_H
#define DAV2M_SIM_TLB_INTERNAL_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SIM_LIKELY(x)	__builtin_expect(!!(x), 1)
#define SIM_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define SIM_HINTS     4096u
#define SIM_SLOTS     256u
#define SIM_KEY_WRITE 1ull
#define SIM_KEY_NONE  (~0ull)

static inline uint64_t sim_key(uint64_t page, unsigned page_class)
{
	return page << 4 | (uint64_t)page_class << 1;
}

struct sim_tlb {
	uint32_t sets; /* a power of two */
	uint32_t ways;
	uint32_t entries;
	uint32_t clock; /* the last stamp given */
	uint32_t queue_next;
	uint32_t queue_end;
	uint64_t tag[SIM_SLOTS];
	uint32_t stamp[SIM_SLOTS];
	uint32_t frame[SIM_SLOTS];
	uint32_t queue_stamp[SIM_SLOTS];
	uint8_t queue[SIM_SLOTS];
	uint8_t hint[SIM_HINTS];
	uint8_t filter[SIM_HINTS];
};

struct sim_sets {
	uint32_t sets; /* a power of two */
	uint32_t ways;
	uint64_t *tag; /* sets x ways, most recently used first */
	uint32_t *frame;
};

static inline uint32_t sim_hash(uint64_t key)
{
	return (uint32_t)((key >> 4) ^ (key >> 16) ^ (key << 7)) & (SIM_HINTS - 1);
}

void sim_tlb_init(struct sim_tlb *tlb, uint32_t entries, uint32_t ways);
void sim_tlb_flush(struct sim_tlb *tlb);
/* Slot of an entry found by search, or -1. The key's write bit is ignored. */
int sim_tlb_search(struct sim_tlb *tlb, uint64_t key, uint32_t hash);
/* Puts an entry where the least recently used one of its set was. */
void sim_tlb_insert(struct sim_tlb *tlb, uint64_t key, uint32_t frame, uint32_t stamp);
void sim_tlb_remove(struct sim_tlb *tlb, uint64_t key);
/* Renumbers the stamps so that they leave room up to 2^32, keeping their order. */
void sim_tlb_rebase(struct sim_tlb *tlb);

/* Slot of an entry, whatever its write bit, or -1. */
static inline int sim_tlb_find(struct sim_tlb *tlb, uint64_t key)
{
	const uint32_t hash = sim_hash(key & ~SIM_KEY_WRITE);
	const uint32_t slot = tlb->hint[hash];

	if ((tlb->tag[slot] | SIM_KEY_WRITE) == (key | SIM_KEY_WRITE))
		return (int)slot;
	return tlb->filter[hash] == 0 ? -1 : sim_tlb_search(tlb, key, hash);
}

/* For arrays that keep their own time: find and touch. */
static inline int sim_tlb_use(struct sim_tlb *tlb, uint64_t key)
{
	const int slot = sim_tlb_find(tlb, key);

	if (slot >= 0) {
		if (SIM_UNLIKELY(tlb->clock == UINT32_MAX))
			sim_tlb_rebase(tlb);
		tlb->stamp[slot] = ++tlb->clock;
	}
	return slot;
}

static inline void sim_tlb_put(struct sim_tlb *tlb, uint64_t key, uint32_t frame)
{
	if (SIM_UNLIKELY(tlb->clock == UINT32_MAX))
		sim_tlb_rebase(tlb);
	sim_tlb_insert(tlb, key, frame, ++tlb->clock);
}

/* 0, or -1 without memory. */
int sim_sets_init(struct sim_sets *sets, uint32_t entries, uint32_t ways);
void sim_sets_free(struct sim_sets *sets);
void sim_sets_flush(struct sim_sets *sets);
void sim_sets_remove(struct sim_sets *sets, uint64_t key);
void sim_sets_insert(struct sim_sets *sets, uint64_t key, uint32_t frame);

static inline uint32_t sim_sets_base(const struct sim_sets *sets, uint64_t key)
{
	return (uint32_t)(key >> 4) & (sets->sets - 1);
}

/*
 * Finds an entry whatever its write bit, makes it the most recently used of its set and answers
 * 1 with its tag and frame; 0 if it is not there.
 */
int sim_sets_use(struct sim_sets *sets, uint64_t key, uint64_t *ret_tag, uint32_t *ret_frame);

#endif
