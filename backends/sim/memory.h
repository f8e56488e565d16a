/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated physical memory, and the page tables in it.
 *
 * Guest-physical and host-physical memory are two of these. Frames are numbered; only frames
 * that hold a page table have content. A table's entries look as x86 has them.
 */
#ifndef DAV2M_SIM_MEMORY_INTERNAL_H
#define DAV2M_SIM_MEMORY_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include <dav2m/sim/run.h>

/* Page-table entry. The frame number is in 4K frames, also for large pages. */
#define SIM_P			0x001ull /* present */
#define SIM_W			0x002ull /* writable */
#define SIM_A			0x020ull /* accessed */
#define SIM_D			0x040ull /* dirty */
#define SIM_PS			0x080ull /* maps a large page */
#define SIM_COW			0x200ull /* the guest kernel's: writable once copied */
#define SIM_SWAPPED		0x400ull /* the guest kernel's, not present: the frame is a swap slot */
#define SIM_FRAME(entry)	((uint32_t)((entry) >> 12))
#define SIM_ENTRY(frame, flags) ((uint64_t)(frame) << 12 | (flags))

/* Frame 0 is never handed out: "no frame". */
#define SIM_NO_FRAME 0u

struct sim_geometry {
	uint8_t levels;
	uint8_t bits; /* of index per level */
};

extern const struct sim_geometry sim_geometry[DAV2M_SIM_TABLES];

static inline uint32_t sim_entries(const struct sim_geometry *g)
{
	return 1u << g->bits;
}

/* Frames per page of a level's entry, as a power of two. */
static inline uint32_t sim_shift(const struct sim_geometry *g, uint32_t level)
{
	return (uint32_t)g->bits * (level - 1);
}

static inline uint32_t sim_index(const struct sim_geometry *g, uint32_t level, uint64_t vpn)
{
	return (uint32_t)(vpn >> sim_shift(g, level)) & (sim_entries(g) - 1);
}

/* Virtual page numbers that the tables can hold. */
static inline uint64_t sim_vpns(const struct sim_geometry *g)
{
	return 1ull << (g->bits * g->levels);
}

struct sim_memory {
	uint32_t frames;    /* in all, frame 0 included */
	uint32_t fresh;	    /* the lowest never used */
	uint32_t fresh_top; /* large pages are handed out from here downwards */
	uint32_t used;	    /* in 4K frames */
	uint32_t used_peak;
	uint32_t free_head;	     /* freed 4K frames, linked through refs, */
	uint32_t free_frames;	     /* and how many */
	uint32_t free_block_head[2]; /* freed blocks of levels 2 and 3 */
	uint32_t bits;		     /* of index per table level */
	uint64_t **table;	     /* by frame: entries, or NULL */
	uint32_t *refs;		     /* by frame: users of a data page */
	uint64_t **spare;	     /* tables kept for reuse */
	uint32_t spares;
	uint32_t spares_room;
	uint32_t entries; /* in a table */
};

int sim_memory_init(struct sim_memory *memory, uint32_t frames, const struct sim_geometry *g);
void sim_memory_free(struct sim_memory *memory);

/* 4K frames that can still be had. */
static inline uint32_t sim_memory_free_frames(const struct sim_memory *memory)
{
	return memory->fresh_top - memory->fresh + memory->free_frames;
}

/* Takes the lowest frames for good; before any other is handed out. */
void sim_memory_reserve(struct sim_memory *memory, uint32_t frames);
/* SIM_NO_FRAME when full. */
uint32_t sim_frame_new(struct sim_memory *memory);
/* A block of frames for a large page: level 2 or 3, aligned. */
uint32_t sim_block_new(struct sim_memory *memory, uint32_t level);
void sim_frame_free(struct sim_memory *memory, uint32_t frame);
void sim_block_free(struct sim_memory *memory, uint32_t frame, uint32_t level);

/* A frame that holds an empty table; SIM_NO_FRAME when full, or without memory on the host. */
uint32_t sim_table_new(struct sim_memory *memory);
void sim_table_free(struct sim_memory *memory, uint32_t frame);

#endif
