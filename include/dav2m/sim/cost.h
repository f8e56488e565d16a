/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cost models: what each event costs in cycles, and how the VMM keeps its shadow tables.
 *
 * Behaviour comes from the workload's events; a cost model only prices them. Each price says
 * where it comes from and whether that source states it or it was inferred.
 */
#ifndef DAV2M_SIM_COST_H
#define DAV2M_SIM_COST_H

#include <dav2m/sim/machine.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What has a price, in cycles. */
enum dav2m_sim_item {
	/* the processor */
	DAV2M_SIM_INSTRUCTION = 0, /* one instruction, all its memory accesses hitting */
	DAV2M_SIM_TLB_L2_HIT,	   /* L1 TLB miss answered by the L2 TLB */
	DAV2M_SIM_WALK_REF,	   /* a page-table entry read from the memory hierarchy */
	DAV2M_SIM_WALK_CACHED,	   /* an answer from the page-walk cache or the nested TLB */
	/* the VMM */
	DAV2M_SIM_EXIT,	       /* world switch: exit and entry together, handling excluded */
	DAV2M_SIM_INJECT,      /* finding that a #PF is the guest's own, and injecting it */
	DAV2M_SIM_FILL,	       /* filling a shadow entry from the guest's table */
	DAV2M_SIM_EMULATE,     /* emulating a guest write to a write-protected table */
	DAV2M_SIM_UNSYNC,      /* letting a table go out of sync on the first write to it */
	DAV2M_SIM_RESYNC,      /* bringing one out-of-sync table back in sync */
	DAV2M_SIM_INVLPG,      /* handling an intercepted INVLPG */
	DAV2M_SIM_CR3,	       /* handling an intercepted CR3 write */
	DAV2M_SIM_MAKE,	       /* making one shadow table */
	DAV2M_SIM_REMOVE,      /* removing one shadow table because its guest frame changed use */
	DAV2M_SIM_DROP,	       /* freeing one shadow table when all are dropped */
	DAV2M_SIM_NESTED_FILL, /* filling a nested entry on first touch */
	DAV2M_SIM_SAMPLE,      /* reading the counters and deciding, at a sampling exit */
	DAV2M_SIM_MODE_SWITCH, /* the control-block work of a mode switch, transient excluded */
	/* the guest's kernel, as it runs natively */
	DAV2M_SIM_GUEST_FAULT,	 /* a page fault, page clearing excluded */
	DAV2M_SIM_GUEST_CLEAR,	 /* clearing or copying 4 KB */
	DAV2M_SIM_GUEST_SYSCALL, /* entering and leaving a short system call */
	DAV2M_SIM_GUEST_PTE,	 /* visiting one present entry in fork, munmap, mprotect, exit */
	DAV2M_SIM_GUEST_SWITCH,	 /* a context switch, TLB refill excluded */
	DAV2M_SIM_GUEST_FORK,	 /* fork, tables excluded */
	DAV2M_SIM_GUEST_EXEC,	 /* exec, tables excluded */
	DAV2M_SIM_GUEST_EXIT,	 /* exit and wait, tables excluded */
	/* the guest's swap disk */
	DAV2M_SIM_SWAP_SEEK, /* coming to a slot that is not just ahead */
	DAV2M_SIM_SWAP_PAGE  /* transferring 4 KB */
};
#define DAV2M_SIM_ITEMS 28

struct dav2m_sim_price {
	uint32_t cycles;
	uint8_t inferred;   /* 1: not stated by the source */
	const char *source; /* why this value */
};

/* How guest writes to shadowed tables are followed. */
enum dav2m_sim_shadowing {
	/* Each write to a shadowed table exits, is emulated and propagated at once. */
	DAV2M_SIM_EMULATING = 0,
	/* The first write to a leaf table exits and leaves it writable and out of sync; INVLPG and
	   CR3 writes bring it back (the "virtual TLB"). Writes to upper tables are emulated. */
	DAV2M_SIM_UNSYNCING = 1
};

struct dav2m_sim_cost {
	const char *name;
	const char *about; /* one line */
	enum dav2m_sim_shadowing shadowing;
	enum dav2m_sim_page nested_page; /* size of the VMM's nested mappings */
	/* Writes that the guest's kernel needs to map a page, and to unmap one, >= 1. */
	uint8_t map_writes;
	uint8_t unmap_writes;
	struct dav2m_sim_price price[DAV2M_SIM_ITEMS];
};

/* The i-th cost model, or NULL past the last. */
DAV2M_API const struct dav2m_sim_cost *dav2m_sim_cost(size_t index);
/* By name, or NULL. */
DAV2M_API const struct dav2m_sim_cost *dav2m_sim_cost_find(const char *name);
/* For people: "exit", "nested_fill", ...; "?" outside the enum. */
DAV2M_API const char *dav2m_sim_item_name(enum dav2m_sim_item item);

#ifdef __cplusplus
}
#endif

#endif
