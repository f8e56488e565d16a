/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shadow tables; see shadow.h.
 */
#include <stdlib.h>
#include <string.h>

#include "shadow.h"

int sim_shadow_init(struct sim_shadow *shadow, const struct sim_memory *guest,
		    const struct sim_geometry *geometry, struct sim_memory *host,
		    const struct dav2m_sim_cost *cost, struct dav2m_sim_counts *counts,
		    uint32_t host_base)
{
	memset(shadow, 0, sizeof(*shadow));
	shadow->guest = guest;
	shadow->geometry = geometry;
	shadow->host = host;
	shadow->shadowing = cost->shadowing;
	shadow->counts = counts;
	shadow->host_base = host_base;
	shadow->tables = 1;
	shadow->of_guest = calloc(guest->frames, sizeof(*shadow->of_guest));
	shadow->of_host = calloc(host->frames, sizeof(*shadow->of_host));
	if (shadow->of_guest != NULL && shadow->of_host != NULL)
		return 0;
	sim_shadow_free(shadow);
	return DAV2M_SIM_ERR_MEMORY;
}

void sim_shadow_free(struct sim_shadow *shadow)
{
	free(shadow->of_guest);
	free(shadow->of_host);
	free(shadow->table);
	free(shadow->unsync);
	memset(shadow, 0, sizeof(*shadow));
}

static int record_room(struct sim_shadow *shadow)
{
	const uint32_t room = shadow->tables_room == 0 ? 256 : shadow->tables_room * 2;
	struct sim_shadow_table *table;

	if (shadow->tables < shadow->tables_room)
		return 1;
	table = realloc(shadow->table, room * sizeof(*table));
	if (table == NULL)
		return 0;
	shadow->table = table;
	shadow->tables_room = room;
	return 1;
}

static uint32_t record_new(struct sim_shadow *shadow)
{
	uint32_t id = shadow->free_head;

	if (id != 0) {
		shadow->free_head = shadow->table[id].parent;
		return id;
	}
	return record_room(shadow) ? shadow->tables++ : 0;
}

/* A new, empty shadow table, or 0. */
static uint32_t table_make(struct sim_shadow *shadow, uint32_t gfn, uint32_t root, uint32_t level,
			   int splinter)
{
	const uint32_t id = record_new(shadow);
	const uint32_t frame = id == 0 ? SIM_NO_FRAME : sim_table_new(shadow->host);
	const struct sim_shadow_table fresh = {.frame = frame,
					       .gfn = gfn,
					       .root = root,
					       .level = (uint8_t)level,
					       .splinter = (uint8_t)splinter};

	if (frame == SIM_NO_FRAME)
		return 0;
	shadow->table[id] = fresh;
	shadow->of_host[frame] = id;
	if (!splinter)
		shadow->of_guest[gfn] = id;
	shadow->live++;
	shadow->counts->shadow_made++;
	return id;
}

static uint64_t *entries(const struct sim_shadow *shadow, uint32_t id)
{
	return shadow->host->table[shadow->table[id].frame];
}

static void unsync_leave(struct sim_shadow *shadow, uint32_t id)
{
	uint32_t i = 0;

	while (shadow->unsync[i] != id)
		i++;
	shadow->unsync[i] = shadow->unsync[--shadow->unsyncs];
	shadow->table[id].unsync = 0;
}

static void entry_clear(struct sim_shadow *shadow, uint32_t id, uint32_t index);

/* Frees a table: nothing points at it any more, and those below it stand alone. */
static void table_remove(struct sim_shadow *shadow, uint32_t id)
{
	struct sim_shadow_table *table = &shadow->table[id];
	uint32_t i;

	for (i = 0; table->level > 1 && i < sim_entries(shadow->geometry); i++)
		entry_clear(shadow, id, i);
	if (table->unsync)
		unsync_leave(shadow, id);
	if (table->parent != 0)
		entries(shadow, table->parent)[table->parent_index] = 0;
	if (!table->splinter)
		shadow->of_guest[table->gfn] = 0;
	sim_table_free(shadow->host, table->frame);
	table->frame = SIM_NO_FRAME;
	table->parent = shadow->free_head;
	shadow->free_head = id;
	shadow->live--;
}

/* Takes an entry out. A table below stays cached unless it belongs to this entry. */
static void entry_clear(struct sim_shadow *shadow, uint32_t id, uint32_t index)
{
	uint64_t *entry = &entries(shadow, id)[index];
	uint32_t child;

	if (shadow->table[id].level > 1 && (*entry & SIM_P) != 0) {
		child = shadow->of_host[SIM_FRAME(*entry)];
		shadow->table[child].parent = 0;
		shadow->torn = 1;
		if (shadow->table[child].splinter)
			table_remove(shadow, child);
	}
	*entry = 0;
}

uint32_t sim_shadow_root(struct sim_shadow *shadow, uint32_t guest_root)
{
	uint32_t id = shadow->of_guest[guest_root];

	if (id == 0)
		id = table_make(shadow, guest_root, guest_root, shadow->geometry->levels, 0);
	return id == 0 ? SIM_NO_FRAME : shadow->table[id].frame;
}

/* Sets a leaf entry from the guest's; offset: 4K frames into a large guest page. */
static void leaf_set(struct sim_shadow *shadow, uint32_t id, uint32_t index, uint64_t guest_entry,
		     uint32_t offset)
{
	uint64_t flags = SIM_P | SIM_A;

	/* Not writable before the guest's entry is dirty, or the VMM would miss the first write. */
	if ((guest_entry & (SIM_W | SIM_D)) == (SIM_W | SIM_D))
		flags |= SIM_W | SIM_D;
	entries(shadow, id)[index] =
		SIM_ENTRY(shadow->host_base + SIM_FRAME(guest_entry) + offset, flags);
}

/* The table below an entry, made if it must be; 0 without memory. */
static uint32_t table_below(struct sim_shadow *shadow, uint32_t id, uint32_t index, uint32_t gfn,
			    int splinter)
{
	const uint64_t entry = entries(shadow, id)[index];
	const uint32_t level = shadow->table[id].level - 1u;
	uint32_t child = 0;

	if ((entry & SIM_P) != 0)
		return shadow->of_host[SIM_FRAME(entry)];
	if (!splinter)
		child = shadow->of_guest[gfn];
	if (child == 0)
		child = table_make(shadow, gfn, shadow->table[id].root, level, splinter);
	if (child == 0)
		return 0;
	shadow->table[child].parent = id;
	shadow->table[child].parent_index = (uint16_t)index;
	entries(shadow, id)[index] =
		SIM_ENTRY(shadow->table[child].frame, SIM_P | SIM_W | SIM_A | SIM_D);
	return child;
}

/* The guest's leaf entry for a page, as its hardware would find it, and its level. */
static uint64_t *guest_leaf(const struct sim_shadow *shadow, uint32_t root, uint64_t vpn,
			    uint32_t *ret_level)
{
	uint32_t table = root;
	uint32_t level = shadow->geometry->levels;
	uint64_t *entry;

	for (;; level--) {
		entry = &shadow->guest->table[table][sim_index(shadow->geometry, level, vpn)];
		if (!(*entry & SIM_P))
			return NULL;
		if (level == 1 || (*entry & SIM_PS) != 0)
			break;
		*entry |= SIM_A;
		table = SIM_FRAME(*entry);
	}
	*ret_level = level;
	return entry;
}

/* Follows the guest's tables down to the 4K entry, shadowing each table on the way. */
static uint32_t leaf_table(struct sim_shadow *shadow, uint32_t guest_root, uint64_t vpn)
{
	const struct sim_geometry *g = shadow->geometry;
	uint32_t gfn = guest_root;
	uint32_t level = g->levels;
	uint32_t id;
	int splinter = 0;

	if (sim_shadow_root(shadow, guest_root) == SIM_NO_FRAME)
		return 0;
	for (id = shadow->of_guest[guest_root]; level > 1 && id != 0; level--) {
		const uint32_t index = sim_index(g, level, vpn);
		const uint64_t entry = splinter ? 0 : shadow->guest->table[gfn][index];

		if ((entry & SIM_PS) != 0)
			splinter = 1;
		gfn = splinter ? 0 : SIM_FRAME(entry);
		id = table_below(shadow, id, index, gfn, splinter);
	}
	return id;
}

int sim_shadow_fill(struct sim_shadow *shadow, uint32_t guest_root, uint64_t vpn, int write)
{
	uint32_t level, id;
	uint64_t *entry = guest_leaf(shadow, guest_root, vpn, &level);

	if (entry == NULL || (write && !(*entry & SIM_W)))
		return 0;
	id = leaf_table(shadow, guest_root, vpn);
	if (id == 0)
		return -1;
	*entry |= write ? SIM_A | SIM_D : SIM_A;
	leaf_set(shadow, id, sim_index(shadow->geometry, 1, vpn), *entry,
		 (uint32_t)(vpn & ((1ull << sim_shift(shadow->geometry, level)) - 1)));
	return 1;
}

/* Makes one shadow entry agree with the guest's, as far as it need not be filled by a fault. */
static void entry_follow(struct sim_shadow *shadow, uint32_t id, uint32_t index)
{
	const struct sim_shadow_table *table = &shadow->table[id];
	const uint64_t entry = shadow->guest->table[table->gfn][index];

	if (table->level == 1 && (entry & (SIM_P | SIM_A)) == (SIM_P | SIM_A))
		leaf_set(shadow, id, index, entry, 0);
	else if (table->level == 1 || !(entry & SIM_P) || (entry & SIM_PS) != 0)
		entry_clear(shadow, id, index);
	else if (shadow->of_host[SIM_FRAME(entries(shadow, id)[index])] !=
		 shadow->of_guest[SIM_FRAME(entry)])
		entry_clear(shadow, id, index);
}

static int unsync_enter(struct sim_shadow *shadow, uint32_t id)
{
	const uint32_t room = shadow->unsyncs_room == 0 ? 64 : shadow->unsyncs_room * 2;
	uint32_t *unsync;

	if (shadow->unsyncs == shadow->unsyncs_room) {
		unsync = realloc(shadow->unsync, room * sizeof(*unsync));
		if (unsync == NULL)
			return 0;
		shadow->unsync = unsync;
		shadow->unsyncs_room = room;
	}
	shadow->unsync[shadow->unsyncs++] = id;
	shadow->table[id].unsync = 1;
	return 1;
}

enum sim_shadow_write sim_shadow_write(struct sim_shadow *shadow, uint32_t gfn, uint32_t index)
{
	const uint32_t id = shadow->of_guest[gfn];

	if (id == 0 || shadow->table[id].unsync)
		return SIM_SHADOW_UNSEEN;
	if (shadow->shadowing == DAV2M_SIM_UNSYNCING && shadow->table[id].level == 1 &&
	    unsync_enter(shadow, id))
		return SIM_SHADOW_UNSYNCED;
	entry_follow(shadow, id, index);
	return SIM_SHADOW_EMULATED;
}

int sim_shadow_forget(struct sim_shadow *shadow, uint32_t gfn)
{
	const uint32_t id = shadow->of_guest[gfn];

	if (id == 0)
		return 0;
	table_remove(shadow, id);
	shadow->counts->shadow_removed++;
	return 1;
}

void sim_shadow_invlpg(struct sim_shadow *shadow, uint32_t guest_root, uint64_t vpn)
{
	const struct sim_geometry *g = shadow->geometry;
	uint32_t id = shadow->of_guest[guest_root];
	uint64_t entry;

	while (id != 0 && shadow->table[id].level > 1) {
		entry = entries(shadow, id)[sim_index(g, shadow->table[id].level, vpn)];
		id = (entry & SIM_P) != 0 ? shadow->of_host[SIM_FRAME(entry)] : 0;
	}
	if (id == 0)
		return;
	if (shadow->table[id].splinter)
		entry_clear(shadow, id, sim_index(g, 1, vpn));
	else if (shadow->guest->table[shadow->table[id].gfn] != NULL)
		entry_follow(shadow, id, sim_index(g, 1, vpn));
}

/* A table whose frame the guest has freed meanwhile keeps nothing. */
static void table_resync(struct sim_shadow *shadow, uint32_t id)
{
	const uint64_t *guest = shadow->guest->table[shadow->table[id].gfn];
	const uint64_t *own = entries(shadow, id);
	uint32_t i;

	for (i = 0; i < sim_entries(shadow->geometry); i++) {
		if (!(own[i] & SIM_P))
			continue;
		if (guest == NULL)
			entry_clear(shadow, id, i);
		else
			entry_follow(shadow, id, i);
	}
}

uint32_t sim_shadow_resync(struct sim_shadow *shadow, uint32_t guest_root)
{
	uint32_t i = 0;
	uint32_t done = 0;

	while (i < shadow->unsyncs) {
		const uint32_t id = shadow->unsync[i];

		if (shadow->table[id].root != guest_root) {
			i++;
			continue;
		}
		table_resync(shadow, id);
		unsync_leave(shadow, id);
		done++;
	}
	shadow->counts->resyncs += done;
	return done;
}

uint32_t sim_shadow_drop(struct sim_shadow *shadow)
{
	const uint32_t live = shadow->live;
	uint32_t id;

	for (id = 1; id < shadow->tables; id++) {
		if (shadow->table[id].frame == SIM_NO_FRAME)
			continue;
		shadow->of_guest[shadow->table[id].gfn] = 0;
		sim_table_free(shadow->host, shadow->table[id].frame);
	}
	shadow->tables = 1;
	shadow->free_head = 0;
	shadow->live = 0;
	shadow->unsyncs = 0;
	shadow->counts->shadow_dropped += live;
	return live;
}
