/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's operating system: processes, their mappings, and real page tables in
 * guest-physical memory that it builds on demand.
 *
 * It knows nothing of paging modes. Whatever it does to its tables and to the translation
 * hardware it does through struct sim_platform, where a VMM may intercept it; what its work
 * costs natively it charges itself.
 */
#ifndef DAV2M_SIM_GUEST_INTERNAL_H
#define DAV2M_SIM_GUEST_INTERNAL_H

#include "memory.h"

/* What the guest's kernel does that hardware or a VMM may notice. */
struct sim_platform {
	void *self;
	/* An entry of a table has been written. */
	void (*table_write)(void *self, uint32_t table, uint32_t index);
	/* A whole frame is being written: cleared, or filled with a copy. */
	void (*frame_write)(void *self, uint32_t frame);
	void (*invlpg)(void *self, uint64_t vpn);
	/* CR3 is written: the TLB holds nothing of before. */
	void (*load_root)(void *self, uint32_t root);
};

/* Pages of a process that are not readable and writable as all others are. */
struct sim_region {
	uint64_t first; /* page */
	uint64_t end;	/* page past the last */
	uint32_t prot;
};

struct sim_process {
	uint32_t pid;
	uint32_t root;
	uint32_t resident; /* 4K pages that its tables map */
	uint64_t brk;	   /* page past the heap's last; 0: not known yet */
	struct sim_region *region;
	uint32_t regions;
	uint32_t regions_room;
	struct sim_process *next; /* in the list of all */
};

struct sim_swap;

struct sim_guest {
	struct sim_memory memory;
	const struct sim_geometry *geometry;
	enum dav2m_sim_page page; /* what it hands out where it can */
	struct sim_platform platform;
	const struct dav2m_sim_cost *cost;
	struct dav2m_sim_counts *counts;
	const uint64_t *instructions; /* run so far */
	struct sim_process **process; /* by pid */
	struct sim_process *first;    /* of the list of all */
	struct sim_process *current;
	struct sim_swap *swap; /* NULL: no swap space */
	uint32_t zero_frame;   /* what a page shows that was never written */
	uint32_t tables_freed; /* so far */
};

/* instructions: where their number can be read at any time. */
int sim_guest_init(struct sim_guest *guest, const struct dav2m_sim_config *config,
		   const struct sim_platform *platform, struct dav2m_sim_counts *counts,
		   const uint64_t *instructions);
void sim_guest_free(struct sim_guest *guest);

/* A page fault of the running process. 0, or a DAV2M_SIM_ERR_*. */
int sim_guest_fault(struct sim_guest *guest, uint64_t vpn, int write, int fetch);
/* 0, or a DAV2M_SIM_ERR_*. MARK is not the guest's. */
int sim_guest_event(struct sim_guest *guest, enum dav2m_sim_event event, const uint64_t *argument);

static inline void sim_guest_charge(struct sim_guest *guest, enum dav2m_sim_item item, uint64_t n)
{
	guest->counts->cycles[DAV2M_SIM_FAULT] += n * guest->cost->price[item].cycles;
}

/* guest_tables.c: the tables themselves */

/* Writes an entry where the platform can see it. */
void sim_entry_write(struct sim_guest *guest, uint32_t table, uint32_t index, uint64_t value);
/* The same value, several times over. */
void sim_entry_rewrite(struct sim_guest *guest, uint32_t table, uint32_t index, uint64_t value,
		       uint32_t times);
/* The entry that maps a page, or the last one on the way to it. */
uint64_t *sim_entry_find(const struct sim_memory *memory, const struct sim_geometry *g,
			 uint32_t root, uint64_t vpn, uint32_t *ret_table, uint32_t *ret_level);
/* As before, down to a level, making tables where there are none. NULL: guest memory is full. */
uint64_t *sim_entry_make(struct sim_guest *guest, uint32_t root, uint64_t vpn, uint32_t level,
			 uint32_t *ret_table);
/* Makes [first, end) of a process empty; frees pages and tables. Answers the pages it had. */
uint64_t sim_range_unmap(struct sim_guest *guest, struct sim_process *process, uint64_t first,
			 uint64_t end);
/* Makes [first, end) read-only until the next write fault. Answers the pages it changed. */
uint64_t sim_range_protect(struct sim_guest *guest, uint32_t root, uint64_t first, uint64_t end);
/* Gives the child's empty tree all pages of the running process, copy-on-write. 0 or an error. */
int sim_tree_fork(struct sim_guest *guest, struct sim_process *child);
/* Drops one use of a page. */
void sim_page_put(struct sim_guest *guest, uint64_t entry, uint32_t level);

/* guest_regions.c: what a process may do where */

uint32_t sim_region_prot(const struct sim_process *process, uint64_t vpn);
/* Whether the aligned block of n pages around a page lies in no region. */
int sim_region_usual(const struct sim_process *process, uint64_t vpn, uint64_t n);
/* 0, or DAV2M_SIM_ERR_MEMORY. */
int sim_region_set(struct sim_process *process, uint64_t first, uint64_t end, uint32_t prot);
int sim_region_copy(struct sim_process *to, const struct sim_process *from);
void sim_region_clear(struct sim_process *process);

#endif
