/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two LRU structures of tlb.h. Must not know about pages, modes or costs.
 */
#include "tlb.h"

void sim_tlb_init(struct sim_tlb *tlb, uint32_t entries, uint32_t ways)
{
	uint32_t slot;

	memset(tlb, 0, sizeof(*tlb));
	tlb->entries = entries;
	tlb->ways = ways;
	tlb->sets = entries / ways;
	memset(tlb->tag, 0xff, sizeof(tlb->tag));
	tlb->filter[sim_hash(SIM_KEY_NONE & ~SIM_KEY_WRITE)] = (uint8_t)entries;
	for (slot = 0; slot < entries; slot++)
		tlb->queue[slot] = slot;
}

static void slot_clear(struct sim_tlb *tlb, uint32_t slot)
{
	sim_tlb_tag(tlb, slot, SIM_KEY_NONE, sim_hash(SIM_KEY_NONE & ~SIM_KEY_WRITE));
}

/* The stamps stay: they are older than all that follow, in the order that the queue has. */
void sim_tlb_flush(struct sim_tlb *tlb)
{
	uint32_t slot;

	for (slot = 0; slot < tlb->entries; slot++)
		if (tlb->tag[slot] != SIM_KEY_NONE)
			slot_clear(tlb, slot);
}

int sim_tlb_search(struct sim_tlb *tlb, uint64_t key, uint32_t hash)
{
	const uint32_t first = ((uint32_t)(key >> 4) & (tlb->sets - 1)) * tlb->ways;
	uint32_t slot;

	key |= SIM_KEY_WRITE;
	for (slot = first; slot < first + tlb->ways; slot++) {
		if ((tlb->tag[slot] | SIM_KEY_WRITE) == key) {
			tlb->hint[hash] = (uint8_t)slot;
			return (int)slot;
		}
	}
	return -1;
}

/*
 * Sorts all slots by stamp. Insertion sort, starting from the order of the last time: slots that
 * were replaced in the order of the queue are still in order.
 */
static void queue_fill(struct sim_tlb *tlb)
{
	uint64_t *const queue = tlb->queue;
	uint64_t last = 0; /* the greatest so far */
	uint32_t n, i;

	for (n = 0; n < tlb->entries; n++) {
		const uint32_t slot = queue[n] & 0xff;
		const uint64_t item = (uint64_t)tlb->stamp[slot] << 8 | slot;

		if (SIM_LIKELY(item > last)) {
			queue[n] = last = item;
			continue;
		}
		for (i = n; i > 0 && queue[i - 1] > item; i--)
			queue[i] = queue[i - 1];
		queue[i] = item;
	}
	tlb->queue_next = 0;
	tlb->queue_end = tlb->entries;
}

uint32_t sim_tlb_oldest(struct sim_tlb *tlb)
{
	queue_fill(tlb);
	return tlb->queue[tlb->queue_next++] & 0xff;
}

void sim_tlb_remove(struct sim_tlb *tlb, uint64_t key)
{
	const int slot = sim_tlb_find(tlb, key);

	if (slot < 0)
		return;
	slot_clear(tlb, (uint32_t)slot);
	tlb->stamp[slot] = 0; /* older than everything, so that it is filled first */
	tlb->queue_next = tlb->queue_end = 0;
}

void sim_tlb_rebase(struct sim_tlb *tlb)
{
	uint32_t i;

	queue_fill(tlb);
	for (i = 0; i < tlb->entries; i++)
		if (tlb->queue[i] >> 8 != 0)
			tlb->stamp[tlb->queue[i] & 0xff] = i + 1;
	tlb->clock = tlb->entries;
	tlb->queue_next = tlb->queue_end = 0;
}

int sim_sets_init(struct sim_sets *sets, uint32_t entries, uint32_t ways)
{
	uint32_t i;

	sets->ways = ways;
	sets->sets = entries / ways;
	sets->clock = 0;
	sets->tag = malloc(entries * sizeof(*sets->tag));
	sets->used = malloc(entries * sizeof(*sets->used));
	sets->frame = calloc(entries, sizeof(*sets->frame));
	if (sets->tag == NULL || sets->used == NULL || sets->frame == NULL) {
		sim_sets_free(sets);
		return -1;
	}
	for (i = 0; i < entries; i++)
		sets->used[i] = i % ways;
	sim_sets_flush(sets);
	return 0;
}

void sim_sets_free(struct sim_sets *sets)
{
	free(sets->tag);
	free(sets->used);
	free(sets->frame);
	sets->tag = sets->used = NULL;
	sets->frame = NULL;
}

/* The stamps stay: they are older than all that follow. */
void sim_sets_flush(struct sim_sets *sets)
{
	memset(sets->tag, 0xff, (size_t)sets->sets * sets->ways * sizeof(*sets->tag));
}

/* The hole is the oldest, where the next entry goes. */
void sim_sets_remove(struct sim_sets *sets, uint64_t key)
{
	const size_t at = sim_sets_base(sets, key);
	const uint32_t way = sim_sets_way(sets, at, key);

	if (way == sets->ways)
		return;
	sets->tag[at + way] = SIM_KEY_NONE;
	sets->used[at + way] = way;
}
