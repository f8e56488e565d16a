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
	for (slot = 0; slot < entries; slot++)
		tlb->queue[slot] = (uint8_t)slot;
}

static void filter_drop(struct sim_tlb *tlb, uint32_t slot)
{
	if (tlb->tag[slot] != SIM_KEY_NONE)
		tlb->filter[sim_hash(tlb->tag[slot] & ~SIM_KEY_WRITE)]--;
}

static void slot_clear(struct sim_tlb *tlb, uint32_t slot)
{
	filter_drop(tlb, slot);
	tlb->tag[slot] = SIM_KEY_NONE;
	tlb->stamp[slot] = 0; /* older than everything, so that it is filled first */
}

void sim_tlb_flush(struct sim_tlb *tlb)
{
	uint32_t slot;

	for (slot = 0; slot < tlb->entries; slot++)
		slot_clear(tlb, slot);
	tlb->queue_next = tlb->queue_end = 0;
}

int sim_tlb_search(struct sim_tlb *tlb, uint64_t key, uint32_t hash)
{
	const uint32_t first = ((uint32_t)(key >> 4) & (tlb->sets - 1)) * tlb->ways;
	uint32_t slot;

	key |= SIM_KEY_WRITE;
	for (slot = first; slot < first + tlb->ways; slot++) {
		if ((tlb->tag[slot] | SIM_KEY_WRITE) == key && tlb->tag[slot] != SIM_KEY_NONE) {
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
	uint32_t n, i;

	for (n = 0; n < tlb->entries; n++) {
		const uint8_t slot = tlb->queue[n];
		const uint32_t stamp = tlb->stamp[slot];

		for (i = n; i > 0 && tlb->queue_stamp[i - 1] > stamp; i--) {
			tlb->queue_stamp[i] = tlb->queue_stamp[i - 1];
			tlb->queue[i] = tlb->queue[i - 1];
		}
		tlb->queue_stamp[i] = stamp;
		tlb->queue[i] = slot;
	}
	tlb->queue_next = 0;
	tlb->queue_end = tlb->entries;
}

static uint32_t victim_of_all(struct sim_tlb *tlb)
{
	for (;;) {
		while (tlb->queue_next < tlb->queue_end) {
			const uint32_t at = tlb->queue_next++;

			if (tlb->stamp[tlb->queue[at]] == tlb->queue_stamp[at])
				return tlb->queue[at];
		}
		queue_fill(tlb);
	}
}

static uint32_t victim_of_set(const struct sim_tlb *tlb, uint32_t first)
{
	uint32_t oldest = first;
	uint32_t slot;

	for (slot = first + 1; slot < first + tlb->ways; slot++)
		if (tlb->stamp[slot] < tlb->stamp[oldest])
			oldest = slot;
	return oldest;
}

void sim_tlb_insert(struct sim_tlb *tlb, uint64_t key, uint32_t frame, uint32_t stamp)
{
	const uint32_t set = (uint32_t)(key >> 4) & (tlb->sets - 1);
	const uint32_t slot =
		tlb->sets == 1 ? victim_of_all(tlb) : victim_of_set(tlb, set * tlb->ways);
	const uint32_t hash = sim_hash(key & ~SIM_KEY_WRITE);

	filter_drop(tlb, slot);
	tlb->tag[slot] = key;
	tlb->frame[slot] = frame;
	tlb->stamp[slot] = stamp;
	tlb->hint[hash] = (uint8_t)slot;
	tlb->filter[hash]++;
}

void sim_tlb_remove(struct sim_tlb *tlb, uint64_t key)
{
	const int slot = sim_tlb_find(tlb, key);

	if (slot < 0)
		return;
	slot_clear(tlb, (uint32_t)slot);
	tlb->queue_next = tlb->queue_end = 0;
}

void sim_tlb_rebase(struct sim_tlb *tlb)
{
	uint32_t i;

	queue_fill(tlb);
	for (i = 0; i < tlb->entries; i++)
		if (tlb->queue_stamp[i] != 0)
			tlb->stamp[tlb->queue[i]] = i + 1;
	tlb->clock = tlb->entries;
	tlb->queue_next = tlb->queue_end = 0;
}

int sim_sets_init(struct sim_sets *sets, uint32_t entries, uint32_t ways)
{
	sets->ways = ways;
	sets->sets = entries / ways;
	sets->tag = malloc(entries * sizeof(*sets->tag));
	sets->frame = calloc(entries, sizeof(*sets->frame));
	if (sets->tag == NULL || sets->frame == NULL) {
		sim_sets_free(sets);
		return -1;
	}
	sim_sets_flush(sets);
	return 0;
}

void sim_sets_free(struct sim_sets *sets)
{
	free(sets->tag);
	free(sets->frame);
	sets->tag = NULL;
	sets->frame = NULL;
}

void sim_sets_flush(struct sim_sets *sets)
{
	memset(sets->tag, 0xff, (size_t)sets->sets * sets->ways * sizeof(*sets->tag));
}

/* Way of a key in its set, or ways. */
static uint32_t way_of(const struct sim_sets *sets, const uint64_t *tag, uint64_t key)
{
	uint32_t way;

	key |= SIM_KEY_WRITE;
	for (way = 0; way < sets->ways; way++)
		if ((tag[way] | SIM_KEY_WRITE) == key && tag[way] != SIM_KEY_NONE)
			break;
	return way;
}

/* Moves the ways before the given one back by one and puts the entry first. */
static void put_first(uint64_t *tag, uint32_t *frame, uint32_t way, uint64_t key, uint32_t value)
{
	for (; way > 0; way--) {
		tag[way] = tag[way - 1];
		frame[way] = frame[way - 1];
	}
	tag[0] = key;
	frame[0] = value;
}

int sim_sets_use(struct sim_sets *sets, uint64_t key, uint64_t *ret_tag, uint32_t *ret_frame)
{
	const size_t at = (size_t)sim_sets_base(sets, key) * sets->ways;
	uint64_t *tag = sets->tag + at;
	uint32_t *frame = sets->frame + at;
	const uint32_t way = way_of(sets, tag, key);

	if (way == sets->ways)
		return 0;
	*ret_tag = tag[way];
	*ret_frame = frame[way];
	put_first(tag, frame, way, *ret_tag, *ret_frame);
	return 1;
}

void sim_sets_insert(struct sim_sets *sets, uint64_t key, uint32_t frame)
{
	const size_t at = (size_t)sim_sets_base(sets, key) * sets->ways;

	put_first(sets->tag + at, sets->frame + at, sets->ways - 1, key, frame);
}

/* The hole goes last, where the next entry replaces it. */
void sim_sets_remove(struct sim_sets *sets, uint64_t key)
{
	const size_t at = (size_t)sim_sets_base(sets, key) * sets->ways;
	uint64_t *tag = sets->tag + at;
	uint32_t *frame = sets->frame + at;
	uint32_t way = way_of(sets, tag, key);

	if (way == sets->ways)
		return;
	for (; way + 1 < sets->ways; way++) {
		tag[way] = tag[way + 1];
		frame[way] = frame[way + 1];
	}
	tag[way] = SIM_KEY_NONE;
}
