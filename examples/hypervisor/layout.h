/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where things lie in the machine's physical memory, and the page of it in which the machine
 * publishes its counters. The hypervisor, its linker script and the QEMU plugin agree on this.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

/* The hypervisor and all it owns, mapped one to one; nothing of the guest's runs or lies below. */
#define HV_END 0x4000000

/* The last page of the hypervisor's share. */
#define COUNTER_PAGE (HV_END - 0x1000)

/* The guest's memory: guest-physical 0 is here. 2 MB aligned, for large nested pages. */
#define GUEST_RAM      HV_END
#define GUEST_RAM_SIZE 0x3000000
#define GUEST_FRAMES   (GUEST_RAM_SIZE / 4096)

/* The machine must have this much (qemu -m 128). */
#define MACHINE_RAM 0x8000000

#ifndef __ASSEMBLER__
#include <stdint.h>

/*
 * Written by the machine (the plugin) while it runs, except for the last group. All counts are
 * cumulative; "guest" is what runs between VMRUN and #VMEXIT.
 */
struct counter_page {
	uint64_t magic; /* COUNTER_MAGIC once somebody publishes here */
	uint64_t guest_instructions;
	uint64_t host_instructions;    /* the hypervisor's own, */
	uint64_t library_instructions; /* and those of them between library_start and _end */
	uint64_t world_switches;       /* VMRUNs */
	uint64_t tlb_misses;	       /* guest data accesses that needed a page walk */
	uint64_t walk_cycles;	       /* what those walks took */
	uint64_t tlb_flushes;	       /* by the guest, or asked for in the VMCB */

	/* Written by the hypervisor, once, before the first VMRUN. */
	uint64_t vmcb; /* its physical address */
	uint64_t library_start;
	uint64_t library_end;
};

/* Writer and reader of another layout do not know each other. */
#define COUNTER_MAGIC (0x6461766d00000000ull + sizeof(struct counter_page))
#endif

#endif
