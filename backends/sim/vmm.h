/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMM: nested tables, shadow tables, the exits that keep them true, and the switch between
 * the two modes. It sees the guest only as hardware shows it: through faults, intercepted
 * instructions and the guest's tables. Natively it does nothing but pass TLB flushes on.
 */
#ifndef DAV2M_SIM_VMM_INTERNAL_H
#define DAV2M_SIM_VMM_INTERNAL_H

#include "guest.h"
#include "mmu.h"
#include "routine.h"
#include "shadow.h"

struct sim_vmm {
	enum dav2m_sim_mode mode;
	const struct dav2m_sim_cost *cost;
	const struct dav2m_sim_machine *machine;
	struct dav2m_sim_counts *counts;
	struct dav2m_sim_routine routine[DAV2M_SIM_ROUTINES];
	struct sim_mmu *mmu;
	const struct sim_memory *guest;
	const struct sim_geometry *geometry;
	uint32_t guest_root;	/* what the guest believes is in CR3 */
	struct sim_memory host; /* tables only; guest memory lies behind them */
	uint32_t host_base;	/* host frame of guest frame 0 */
	struct sim_space nested;
	struct sim_shadow shadow;
	struct sim_space active; /* what 1-D walks go through: guest's tables, or shadow tables */
	int (*paging_exit)(void *vm);
	void *vm;
	int poked;	       /* paging_exit has asked for a sample */
	uint64_t torn_flushes; /* of the TLB, because shadow tables went: all CPUs need them */
	int error;	       /* first DAV2M_SIM_ERR_*, for callers that cannot answer one */
};

int sim_vmm_init(struct sim_vmm *vmm, const struct dav2m_sim_config *config, struct sim_mmu *mmu,
		 const struct sim_guest *guest, struct dav2m_sim_counts *counts);
/* The processor that runs the guest from here on, and what the guest believes is in its CR3. */
void sim_vmm_lend(struct sim_vmm *vmm, struct sim_mmu *mmu, uint32_t guest_root);
void sim_vmm_free(struct sim_vmm *vmm);

/* The guest's kernel acts through these. */
struct sim_platform sim_vmm_platform(struct sim_vmm *vmm);

/* A page walk for the guest, in the mode that runs. */
static inline enum sim_walk_result sim_vmm_walk(struct sim_vmm *vmm, uint64_t vpn, int write,
						struct sim_walk *ret_walk)
{
	return sim_mmu_walk(vmm->mmu, &vmm->active, &vmm->nested, vpn, write, ret_walk);
}

/*
 * A walk has failed. Answers 1: handled, walk again; 0: the guest's kernel has to handle it;
 * or a DAV2M_SIM_ERR_*.
 */
int sim_vmm_fault(struct sim_vmm *vmm, uint64_t vpn, int write, enum sim_walk_result result,
		  const struct sim_walk *walk);
int sim_vmm_switch(struct sim_vmm *vmm, enum dav2m_mode to);

#endif
