/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folding references; see workload_fold.h.
 */
#include "workload_fold.h"

/* Index of a page, looking at the latest first; fold->pages if it is new. */
static uint32_t page_find(const struct sim_fold *fold, uint64_t page, uint32_t *ret_at)
{
	uint32_t at = fold->pages;

	while (at-- > 0)
		if (fold->page[fold->order[at]] == page)
			break;
	*ret_at = at;
	return at == UINT32_MAX ? fold->pages : fold->order[at];
}

static uint32_t page_new(struct sim_fold *fold, uint64_t page, enum dav2m_sim_kind kind)
{
	const uint32_t i = fold->pages++;

	fold->page[i] = page;
	fold->count[i][0] = fold->count[i][1] = 0;
	fold->first[i] = (uint8_t)kind;
	fold->order[i] = (uint8_t)i;
	return i;
}

/* Makes the page at a place of the order the last one. */
static void order_last(struct sim_fold *fold, uint32_t at)
{
	const uint8_t i = fold->order[at];

	for (; at + 1 < fold->pages; at++)
		fold->order[at] = fold->order[at + 1];
	fold->order[at] = i;
}

void sim_fold_touch(struct sim_fold *fold, struct sim_out *out, enum dav2m_sim_kind kind,
		    uint64_t page, uint32_t count)
{
	uint32_t at;
	uint32_t i = page_find(fold, page, &at);

	if (i == fold->pages) {
		if (fold->pages == SIM_FOLD_PAGES)
			sim_fold_flush(fold, out);
		i = page_new(fold, page, kind);
	} else if (at + 1 < fold->pages) {
		order_last(fold, at);
	}
	fold->count[i][kind == DAV2M_SIM_STORE] += count;
}

static void put(struct sim_out *out, enum dav2m_sim_kind kind, uint64_t page, uint32_t count)
{
	for (; count > DAV2M_SIM_RUN_MAX; count -= DAV2M_SIM_RUN_MAX)
		out->word[out->used++] = dav2m_sim_reference(kind, page, DAV2M_SIM_RUN_MAX);
	out->word[out->used++] = dav2m_sim_reference(kind, page, count);
}

void sim_fold_flush(struct sim_fold *fold, struct sim_out *out)
{
	uint32_t i, kept = 0;

	for (i = 0; i < fold->pages; i++) {
		const enum dav2m_sim_kind first = (enum dav2m_sim_kind)fold->first[i];
		const enum dav2m_sim_kind other =
			first == DAV2M_SIM_STORE ? DAV2M_SIM_LOAD : DAV2M_SIM_STORE;

		put(out, first, fold->page[i], fold->count[i][first == DAV2M_SIM_STORE]);
		if (fold->count[i][other == DAV2M_SIM_STORE] > 0)
			put(out, other, fold->page[i], fold->count[i][other == DAV2M_SIM_STORE]);
	}
	/* The oldest that are in the first order already can stay as they are. */
	while (kept + 1 < fold->pages && fold->order[kept] < fold->order[kept + 1])
		kept++;
	for (i = kept + 1; i < fold->pages; i++)
		put(out, DAV2M_SIM_LOAD, fold->page[fold->order[i]], 0);
	fold->pages = 0;
}
