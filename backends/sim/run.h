/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a simulation is made of. For run.c, and for smp*.c, which lend one guest and VMM to
 * several vCPUs in turn.
 */
#ifndef DAV2M_SIM_RUN_INTERNAL_H
#define DAV2M_SIM_RUN_INTERNAL_H

#include "vmm.h"

struct dav2m_sim {
	struct sim_mmu *mmu; /* of the processor that runs the guest now */
	uint64_t seen[4];    /* by kind: loads, stores, instructions, nothing */
	uint64_t due;	     /* instructions at which a sampling point is reached */
	uint64_t window_end;
	uint64_t vpns; /* virtual pages that the guest's tables can hold */
	uint64_t position;
	struct dav2m_sim_counts counts;
	struct sim_vmm vmm;
	struct sim_guest guest;
	struct sim_mmu own_mmu;
	struct dav2m_sim_config config;
};

#endif
