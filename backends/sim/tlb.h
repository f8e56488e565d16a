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
 * sim_sets serves second-level arrays, which a first level shields from most references: it
 * compares all ways of a set without a branch, as which one hits is hard to predict, and the
 * victim is the least of their stamps.
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

#define SIM_HINTS      4096u
#define SIM_HASH_SHIFT 52 /* 64 - log2(SIM_HINTS) */
#define SIM_SLOTS      256u
#define SIM_KEY_WRITE  1ull
#define SIM_KEY_NONE   (~0ull)

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
	uint64_t queue[SIM_SLOTS]; /* stamp << 8 | slot */
	uint8_t hint[SIM_HINTS];
	uint8_t filter[SIM_HINTS]; /* entries per hash; SIM_KEY_NONE counts like any other */
};

struct sim_sets {
	uint32_t sets; /* a power of two */
	uint32_t ways;
	uint64_t clock; /* the last stamp given; 48 bits outlast any simulation */
	uint64_t *tag;	/* sets x ways */
	uint64_t *used; /* stamp << 16 | way: its minimum names the victim */
	uint32_t *frame;
};

static inline uint32_t sim_hash(uint64_t key)
{
	/* Fibonacci hashing: neighbouring pages spread, and two instructions do it. */
	return (uint32_t)((key >> 1) * 0x9e3779b97f4a7c15ull >> SIM_HASH_SHIFT);
}

void sim_tlb_init(struct sim_tlb *tlb, uint32_t entries, uint32_t ways);
void sim_tlb_flush(struct sim_tlb *tlb);
/* Slot of an entry found by search, or -1. The key's write bit is ignored. */
int sim_tlb_search(struct sim_tlb *tlb, uint64_t key, uint32_t hash);
/* Slot of the least recently used entry of a fully associative array; refills its queue. */
uint32_t sim_tlb_oldest(struct sim_tlb *tlb);
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

static inline uint32_t sim_tlb_victim(struct sim_tlb *tlb, uint64_t key)
{
	uint32_t first, slot, oldest;

	if (tlb->sets == 1) {
		while (tlb->queue_next < tlb->queue_end) {
			const uint64_t item = tlb->queue[tlb->queue_next++];

			if (SIM_LIKELY(tlb->stamp[item & 0xff] == item >> 8))
				return item & 0xff;
		}
		return sim_tlb_oldest(tlb);
	}
	oldest = first = ((uint32_t)(key >> 4) & (tlb->sets - 1)) * tlb->ways;
	for (slot = first + 1; slot < first + tlb->ways; slot++)
		if (tlb->stamp[slot] < tlb->stamp[oldest])
			oldest = slot;
	return oldest;
}

static inline void sim_tlb_tag(struct sim_tlb *tlb, uint32_t slot, uint64_t key, uint32_t hash)
{
	tlb->filter[sim_hash(tlb->tag[slot] & ~SIM_KEY_WRITE)]--;
	tlb->filter[hash]++;
	tlb->tag[slot] = key;
}

/* Puts an entry where the least recently used one of its set was. */
static inline void sim_tlb_insert(struct sim_tlb *tlb, uint64_t key, uint32_t frame, uint32_t stamp)
{
	const uint32_t slot = sim_tlb_victim(tlb, key);
	const uint32_t hash = sim_hash(key & ~SIM_KEY_WRITE);

	sim_tlb_tag(tlb, slot, key, hash);
	tlb->frame[slot] = frame;
	tlb->stamp[slot] = stamp;
	tlb->hint[hash] = (uint8_t)slot;
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

/* Index of the first way of a key's set. */
static inline size_t sim_sets_base(const struct sim_sets *sets, uint64_t key)
{
	return (size_t)((uint32_t)(key >> 4) & (sets->sets - 1)) * sets->ways;
}

static inline uint32_t sim_sets_way_among(const uint64_t *tag, uint32_t ways, uint64_t key)
{
	uint32_t found = 0;
	uint32_t way;

	for (way = 0; way < ways; way++)
		found += ((tag[way] | SIM_KEY_WRITE) == key) * (way + 1);
	return found == 0 ? ways : found - 1;
}

/* Way of a key in its set, whatever its write bit; or ways. Four ways are worth unrolling. */
static inline uint32_t sim_sets_way(const struct sim_sets *sets, size_t at, uint64_t key)
{
	key |= SIM_KEY_WRITE;
	return sets->ways == 4 ? sim_sets_way_among(sets->tag + at, 4, key)
			       : sim_sets_way_among(sets->tag + at, sets->ways, key);
}

static inline void sim_sets_touch(struct sim_sets *sets, size_t at, uint32_t way)
{
	sets->used[at + way] = ++sets->clock << 16 | way;
}

/*
 * Finds an entry whatever its write bit, makes it the most recently used of its set and answers
 * 1 with its tag and frame; 0 if it is not there.
 */
static inline int sim_sets_use(struct sim_sets *sets, uint64_t key, uint64_t *ret_tag,
			       uint32_t *ret_frame)
{
	const size_t at = sim_sets_base(sets, key);
	const uint32_t way = sim_sets_way(sets, at, key);

	if (way == sets->ways)
		return 0;
	*ret_tag = sets->tag[at + way];
	*ret_frame = sets->frame[at + way];
	sim_sets_touch(sets, at, way);
	return 1;
}

static inline uint32_t sim_sets_oldest_among(const uint64_t *used, uint32_t ways)
{
	uint64_t oldest = used[0];
	uint32_t way;

	for (way = 1; way < ways; way++)
		oldest = used[way] < oldest ? used[way] : oldest;
	return oldest & 0xffff;
}

/* Puts an entry where the least recently used one of its set was. */
static inline void sim_sets_insert(struct sim_sets *sets, uint64_t key, uint32_t frame)
{
	const size_t at = sim_sets_base(sets, key);
	const uint32_t way = sets->ways == 4 ? sim_sets_oldest_among(sets->used + at, 4)
					     : sim_sets_oldest_among(sets->used + at, sets->ways);

	sets->tag[at + way] = key;
	sets->frame[at + way] = frame;
	sim_sets_touch(sets, at, way);
}

#endif
