/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shadow tables: real tables in host memory that map guest-virtual to host-physical, one for
 * each guest table that the hardware has been led through, kept across CR3 writes.
 *
 * This file keeps the tables true to the guest's; it charges nothing and causes no exits (vmm.c
 * does). A guest table that has a shadow is write-protected, unless it is out of sync. Shadow
 * entries are 4K only, so a large guest page has splinter tables that belong to the entry above
 * them.
 */
#ifndef DAV2M_SIM_SHADOW_INTERNAL_H
#define DAV2M_SIM_SHADOW_INTERNAL_H

#include "memory.h"

struct sim_shadow_table {
	uint32_t frame;	 /* in host memory; SIM_NO_FRAME: this record is free */
	uint32_t gfn;	 /* guest table that it shadows; for splinters the first frame mapped */
	uint32_t root;	 /* guest root under which it was made */
	uint32_t parent; /* table whose entry points here; 0: none does */
	uint16_t parent_index;
	uint8_t level;
	uint8_t splinter;
	uint8_t unsync;
};

struct sim_shadow {
	const struct sim_memory *guest;
	const struct sim_geometry *geometry;
	struct sim_memory *host;
	enum dav2m_sim_shadowing shadowing;
	struct dav2m_sim_counts *counts;
	uint32_t host_base;		/* host frame of guest frame 0 */
	struct sim_shadow_table *table; /* record 0 is unused */
	uint32_t tables;		/* records in use or freed */
	uint32_t tables_room;
	uint32_t free_head; /* freed records, linked through parent */
	uint32_t live;
	uint32_t *of_guest; /* by guest frame: record that shadows it, or 0 */
	uint32_t *of_host;  /* by host frame: record */
	uint32_t *unsync;   /* records out of sync */
	uint32_t unsyncs;
	uint32_t unsyncs_room;
	int torn; /* an upper entry has been taken out: the TLB may know what lay below */
};

enum sim_shadow_write {
	SIM_SHADOW_UNSEEN,   /* not write-protected */
	SIM_SHADOW_EMULATED, /* write-protected: to be emulated; the shadow follows */
	SIM_SHADOW_UNSYNCED  /* write-protected until now: out of sync from here on */
};

int sim_shadow_init(struct sim_shadow *shadow, const struct sim_memory *guest,
		    const struct sim_geometry *geometry, struct sim_memory *host,
		    const struct dav2m_sim_cost *cost, struct dav2m_sim_counts *counts,
		    uint32_t host_base);
void sim_shadow_free(struct sim_shadow *shadow);

/* Host frame of the shadow root of a guest root, which is made if there is none; or NO_FRAME. */
uint32_t sim_shadow_root(struct sim_shadow *shadow, uint32_t guest_root);

/*
 * Looks at a fault with the guest's tables: answers 0 when they forbid the access, too (the
 * fault is the guest's own), 1 when the shadow entry has been filled, -1 without memory.
 */
int sim_shadow_fill(struct sim_shadow *shadow, uint32_t guest_root, uint64_t vpn, int write);

/* The guest has written an entry. */
enum sim_shadow_write sim_shadow_write(struct sim_shadow *shadow, uint32_t gfn, uint32_t index);
/* A guest frame is written as a whole: 1 if it had a shadow, which is now removed. */
int sim_shadow_forget(struct sim_shadow *shadow, uint32_t gfn);
/* Brings one page's entry in line with the guest's. */
void sim_shadow_invlpg(struct sim_shadow *shadow, uint32_t guest_root, uint64_t vpn);
/* Brings the tables of a root that are out of sync back; answers how many. */
uint32_t sim_shadow_resync(struct sim_shadow *shadow, uint32_t guest_root);
/* Frees everything; answers how many tables there were. */
uint32_t sim_shadow_drop(struct sim_shadow *shadow);

#endif
