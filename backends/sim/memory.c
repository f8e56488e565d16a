/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of simulated physical memory. Must not know who uses them.
 */
#include <stdlib.h>
#include <string.h>

#include "memory.h"

const struct sim_geometry sim_geometry[DAV2M_SIM_TABLES] = {
	[DAV2M_SIM_LEVELS_2] = {2, 10},
	[DAV2M_SIM_LEVELS_4] = {4, 9},
	[DAV2M_SIM_LEVELS_5] = {5, 9},
};

int sim_memory_init(struct sim_memory *memory, uint32_t frames, const struct sim_geometry *g)
{
	memset(memory, 0, sizeof(*memory));
	memory->frames = frames;
	memory->fresh = 1;
	memory->bits = g->bits;
	memory->fresh_top = frames & ~(sim_entries(g) - 1);
	memory->entries = sim_entries(g);
	memory->table = calloc(frames, sizeof(*memory->table));
	memory->refs = calloc(frames, sizeof(*memory->refs));
	if (memory->table != NULL && memory->refs != NULL)
		return 0;
	sim_memory_free(memory);
	return -1;
}

void sim_memory_free(struct sim_memory *memory)
{
	uint32_t i;

	for (i = 0; memory->table != NULL && i < memory->fresh; i++)
		free(memory->table[i]);
	for (i = 0; i < memory->spares; i++)
		free(memory->spare[i]);
	free(memory->table);
	free(memory->refs);
	free(memory->spare);
	memset(memory, 0, sizeof(*memory));
}

static void used_add(struct sim_memory *memory, uint32_t frames)
{
	memory->used += frames;
	if (memory->used > memory->used_peak)
		memory->used_peak = memory->used;
}

void sim_memory_reserve(struct sim_memory *memory, uint32_t frames)
{
	memory->fresh += frames;
	used_add(memory, frames);
}

uint32_t sim_frame_new(struct sim_memory *memory)
{
	uint32_t frame = memory->free_head;

	if (frame != SIM_NO_FRAME) {
		memory->free_head = memory->refs[frame];
		memory->free_frames--;
	} else if (memory->fresh < memory->fresh_top) {
		frame = memory->fresh++;
	} else {
		return SIM_NO_FRAME;
	}
	memory->refs[frame] = 1;
	used_add(memory, 1);
	return frame;
}

static uint32_t block_frames(const struct sim_memory *memory, uint32_t level)
{
	return 1u << memory->bits * (level - 1);
}

static void block_put(struct sim_memory *memory, uint32_t frame, uint32_t level)
{
	memory->refs[frame] = memory->free_block_head[level - 2];
	memory->free_block_head[level - 2] = frame;
}

/* From the top of what was never used; what alignment leaves over becomes smaller blocks. */
static uint32_t block_fresh(struct sim_memory *memory, uint32_t level)
{
	const uint32_t frames = block_frames(memory, level);
	const uint32_t end = memory->fresh_top & ~(frames - 1);

	if (end < memory->fresh || end - memory->fresh < frames)
		return SIM_NO_FRAME;
	while (memory->fresh_top > end) {
		memory->fresh_top -= block_frames(memory, 2);
		block_put(memory, memory->fresh_top, 2);
	}
	return memory->fresh_top -= frames;
}

uint32_t sim_block_new(struct sim_memory *memory, uint32_t level)
{
	uint32_t frame = memory->free_block_head[level - 2];

	if (frame != SIM_NO_FRAME)
		memory->free_block_head[level - 2] = memory->refs[frame];
	else
		frame = block_fresh(memory, level);
	if (frame == SIM_NO_FRAME)
		return SIM_NO_FRAME;
	memory->refs[frame] = 1;
	used_add(memory, block_frames(memory, level));
	return frame;
}

void sim_frame_free(struct sim_memory *memory, uint32_t frame)
{
	memory->refs[frame] = memory->free_head;
	memory->free_head = frame;
	memory->free_frames++;
	memory->used--;
}

void sim_block_free(struct sim_memory *memory, uint32_t frame, uint32_t level)
{
	block_put(memory, frame, level);
	memory->used -= block_frames(memory, level);
}

static uint64_t *entries_new(struct sim_memory *memory)
{
	uint64_t *entry;

	if (memory->spares == 0)
		return calloc(memory->entries, sizeof(*entry));
	entry = memory->spare[--memory->spares];
	memset(entry, 0, memory->entries * sizeof(*entry));
	return entry;
}

uint32_t sim_table_new(struct sim_memory *memory)
{
	const uint32_t frame = sim_frame_new(memory);

	if (frame == SIM_NO_FRAME)
		return SIM_NO_FRAME;
	memory->table[frame] = entries_new(memory);
	if (memory->table[frame] == NULL) {
		sim_frame_free(memory, frame);
		return SIM_NO_FRAME;
	}
	return frame;
}

static int spare_room(struct sim_memory *memory)
{
	const uint32_t room = memory->spares_room == 0 ? 64 : memory->spares_room * 2;
	uint64_t **spare;

	if (memory->spares < memory->spares_room)
		return 1;
	spare = realloc(memory->spare, room * sizeof(*spare));
	if (spare == NULL)
		return 0;
	memory->spare = spare;
	memory->spares_room = room;
	return 1;
}

void sim_table_free(struct sim_memory *memory, uint32_t frame)
{
	if (spare_room(memory))
		memory->spare[memory->spares++] = memory->table[frame];
	else
		free(memory->table[frame]);
	memory->table[frame] = NULL;
	sim_frame_free(memory, frame);
}
