/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest kernel's work on its page tables: finding, making, emptying, sharing. Each entry is
 * written through the platform, one by one, as a kernel does.
 */
#include "guest_swap.h"

void sim_entry_write(struct sim_guest *guest, uint32_t table, uint32_t index, uint64_t value)
{
	guest->memory.table[table][index] = value;
	guest->counts->table_writes++;
	guest->platform.table_write(guest->platform.self, table, index);
}

void sim_entry_rewrite(struct sim_guest *guest, uint32_t table, uint32_t index, uint64_t value,
		       uint32_t times)
{
	for (; times > 0; times--)
		sim_entry_write(guest, table, index, value);
}

uint64_t *sim_entry_find(const struct sim_memory *memory, const struct sim_geometry *g,
			 uint32_t root, uint64_t vpn, uint32_t *ret_table, uint32_t *ret_level)
{
	uint32_t level = g->levels;
	uint32_t table = root;
	uint64_t *entry;

	for (;; level--) {
		entry = &memory->table[table][sim_index(g, level, vpn)];
		if (level == 1 || !(*entry & SIM_P) || (*entry & SIM_PS) != 0)
			break;
		table = SIM_FRAME(*entry);
	}
	*ret_table = table;
	*ret_level = level;
	return entry;
}

/* A new table below an entry. */
static uint32_t table_add(struct sim_guest *guest, uint32_t above, uint32_t index)
{
	const uint32_t table = sim_table_new(&guest->memory);

	if (table == SIM_NO_FRAME)
		return SIM_NO_FRAME;
	guest->platform.frame_write(guest->platform.self, table);
	sim_guest_charge(guest, DAV2M_SIM_GUEST_CLEAR, 1);
	sim_entry_write(guest, above, index, SIM_ENTRY(table, SIM_P | SIM_W));
	return table;
}

uint64_t *sim_entry_make(struct sim_guest *guest, uint32_t root, uint64_t vpn, uint32_t level,
			 uint32_t *ret_table)
{
	const struct sim_geometry *g = guest->geometry;
	uint32_t table = root;
	uint32_t at;

	for (at = g->levels; at > level; at--) {
		const uint32_t index = sim_index(g, at, vpn);
		const uint64_t entry = guest->memory.table[table][index];

		if ((entry & SIM_PS) != 0)
			break;
		table = (entry & SIM_P) != 0 ? SIM_FRAME(entry) : table_add(guest, table, index);
		if (table == SIM_NO_FRAME)
			return NULL;
	}
	*ret_table = table;
	return &guest->memory.table[table][sim_index(g, at, vpn)];
}

void sim_page_put(struct sim_guest *guest, uint64_t entry, uint32_t level)
{
	const uint32_t frame = SIM_FRAME(entry);

	if (frame == guest->zero_frame || --guest->memory.refs[frame] > 0)
		return;
	if (level > 1)
		sim_block_free(&guest->memory, frame, level);
	else if (!sim_swap_page_keep(guest, frame))
		sim_frame_free(&guest->memory, frame);
}

/* A range of pages within one table. */
struct range {
	uint32_t table;
	uint32_t level;
	uint64_t base;	/* page that the table's first entry maps */
	uint64_t first; /* page */
	uint64_t end;
};

/* The first entry of a range, and the one past its last. */
static void range_entries(const struct sim_guest *guest, const struct range *r, uint32_t *ret_first,
			  uint32_t *ret_end)
{
	const uint32_t shift = sim_shift(guest->geometry, r->level);
	const uint64_t span = (uint64_t)sim_entries(guest->geometry) << shift;
	const uint64_t first = r->first > r->base ? r->first - r->base : 0;
	const uint64_t end = r->end - r->base < span ? r->end - r->base : span;

	*ret_first = (uint32_t)(first >> shift);
	*ret_end = (uint32_t)((end + (1ull << shift) - 1) >> shift);
}

static struct range range_below(const struct sim_guest *guest, const struct range *r,
				uint32_t index, uint64_t entry)
{
	const uint64_t base = r->base + ((uint64_t)index << sim_shift(guest->geometry, r->level));
	const struct range below = {SIM_FRAME(entry), r->level - 1, base, r->first, r->end};

	return below;
}

static int table_empty(const struct sim_guest *guest, uint32_t table)
{
	const uint32_t entries = sim_entries(guest->geometry);
	uint64_t any = 0;
	uint32_t i;

	for (i = 0; i < entries; i++)
		any |= guest->memory.table[table][i];
	return any == 0;
}

static int is_leaf(uint32_t level, uint64_t entry)
{
	return level == 1 || (entry & SIM_PS) != 0;
}

static void leaf_unmap(struct sim_guest *guest, struct sim_process *process, const struct range *r,
		       uint32_t index, uint64_t entry)
{
	sim_guest_charge(guest, DAV2M_SIM_GUEST_PTE, 1);
	sim_entry_rewrite(guest, r->table, index, 0, guest->cost->unmap_writes);
	if (sim_swap_is_entry(entry)) {
		sim_swap_entry_put(guest, entry);
		return;
	}
	process->resident -= 1u << sim_shift(guest->geometry, r->level);
	sim_page_put(guest, entry, r->level);
}

/* The depth of these recursions is the number of table levels. */
static uint64_t table_unmap(struct sim_guest *guest, struct sim_process *process,
			    const struct range *r)
{
	uint32_t i, end;
	uint64_t pages = 0;

	for (range_entries(guest, r, &i, &end); i < end; i++) {
		const uint64_t entry = guest->memory.table[r->table][i];
		const struct range below = range_below(guest, r, i, entry);

		if (entry == 0)
			continue;
		if (is_leaf(r->level, entry)) {
			leaf_unmap(guest, process, r, i, entry);
			pages++;
			continue;
		}
		pages += table_unmap(guest, process, &below);
		if (table_empty(guest, below.table)) {
			sim_entry_write(guest, r->table, i, 0);
			sim_table_free(&guest->memory, below.table);
			guest->tables_freed++;
		}
	}
	return pages;
}

uint64_t sim_range_unmap(struct sim_guest *guest, struct sim_process *process, uint64_t first,
			 uint64_t end)
{
	const struct range r = {process->root, guest->geometry->levels, 0, first, end};

	return table_unmap(guest, process, &r);
}

static uint64_t table_protect(struct sim_guest *guest, const struct range *r)
{
	uint32_t i, end;
	uint64_t pages = 0;

	for (range_entries(guest, r, &i, &end); i < end; i++) {
		const uint64_t entry = guest->memory.table[r->table][i];
		const struct range below = range_below(guest, r, i, entry);

		if (!(entry & SIM_P))
			continue;
		if (!is_leaf(r->level, entry)) {
			pages += table_protect(guest, &below);
		} else if ((entry & SIM_W) != 0) {
			sim_guest_charge(guest, DAV2M_SIM_GUEST_PTE, 1);
			sim_entry_write(guest, r->table, i, (entry & ~SIM_W) | SIM_COW);
			pages++;
		}
	}
	return pages;
}

uint64_t sim_range_protect(struct sim_guest *guest, uint32_t root, uint64_t first, uint64_t end)
{
	const struct range r = {root, guest->geometry->levels, 0, first, end};

	return table_protect(guest, &r);
}

/* One page becomes the child's, too. */
static void page_share(struct sim_guest *guest, struct sim_process *child, uint32_t from,
		       uint32_t to, uint32_t index, uint32_t level)
{
	uint64_t entry = guest->memory.table[from][index];

	sim_guest_charge(guest, DAV2M_SIM_GUEST_PTE, 1);
	if (sim_swap_is_entry(entry)) {
		sim_swap_entry_copy(guest, entry);
		sim_entry_write(guest, to, index, entry);
		return;
	}
	if ((entry & SIM_W) != 0) {
		entry = (entry & ~SIM_W) | SIM_COW;
		sim_entry_write(guest, from, index, entry);
	}
	if (SIM_FRAME(entry) != guest->zero_frame)
		guest->memory.refs[SIM_FRAME(entry)]++;
	sim_entry_write(guest, to, index, entry);
	child->resident += 1u << sim_shift(guest->geometry, level);
}

static int table_fork(struct sim_guest *guest, struct sim_process *child, uint32_t from,
		      uint32_t to, uint32_t level)
{
	const uint32_t entries = sim_entries(guest->geometry);
	uint32_t i, below;
	int error;

	for (i = 0; i < entries; i++) {
		const uint64_t entry = guest->memory.table[from][i];

		if (entry == 0)
			continue;
		if (is_leaf(level, entry)) {
			page_share(guest, child, from, to, i, level);
			continue;
		}
		sim_swap_room(guest);
		below = table_add(guest, to, i);
		if (below == SIM_NO_FRAME)
			return DAV2M_SIM_ERR_GUEST_MEMORY;
		error = table_fork(guest, child, SIM_FRAME(entry), below, level - 1);
		if (error < 0)
			return error;
	}
	return 0;
}

int sim_tree_fork(struct sim_guest *guest, struct sim_process *child)
{
	return table_fork(guest, child, guest->current->root, child->root, guest->geometry->levels);
}
