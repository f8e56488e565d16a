/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the VMM and its guest agree on: where things are in guest memory, and the board, a page
 * both of them read and write. Included by C on both sides and by the guest's assembly.
 */
#ifndef KVM_GUEST_BOARD_H
#define KVM_GUEST_BOARD_H

/* The guest's code, shared by all vCPUs; it has no data of its own. */
#define GUEST_CODE	  0x100000
/* The first vCPU's slice. Slices are 2 MiB aligned: the ring-0 code finds its own by masking
   its stack pointer. */
#define GUEST_SLICE0	  0x200000
#define GUEST_SLICE_ALIGN 0x200000

/* Offsets in a slice. */
#define SLICE_BOARD	  0x0000
#define SLICE_GDT	  0x1000
#define SLICE_IDT	  0x2000
#define SLICE_TSS	  0x3000
#define SLICE_STACK0_TOP  0x5000
#define SLICE_STACK3_TOP  0x9000
#define SLICE_PML4	  0x9000
#define SLICE_PDPT	  0xa000
#define SLICE_PD	  0xb000 /* identity map of the first GiB */
#define SLICE_WINDOW_PD	  0xc000 /* the window at 1 GiB */
#define SLICE_WINDOW_PT	  0xd000
#define SLICE_SPACES	  0x10000  /* spare address spaces, four tables each */
#define SLICE_IDENTITY_PT 0x40000  /* as many as code and slice need */
#define SLICE_ARENA	  0x200000 /* calm pages, then cold pages */

/* A window of virtual pages that the guest maps, remaps and leaves unmapped. */
#define GUEST_WINDOW	   0x40000000
#define GUEST_WINDOW_PAGES 64
#define GUEST_SPACES	   8
#define GUEST_SPACE_TABLES 4

/* What ring 3 asks of ring 0, by ud2 with this in rax. */
#define CALL_OUT 0 /* out sil to GUEST_PORT */
#define CALL_PTE 1 /* store rsi at rdi, invlpg rdx */
#define CALL_CR3 2 /* load rdi into CR3 */

/* What the guest tells the VMM through the port. */
#define GUEST_PORT   0x10
#define TELL_END     1 /* the script is done */
#define TELL_COLD    2 /* make the cold pages cold: give their memory back */
#define TELL_TRAPPED 3 /* an exception nobody expected */

/* Offsets in the board that the assembly uses. */
#define BOARD_FAULTS	8
#define BOARD_FAULT_SUM 16

#ifndef __ASSEMBLER__
#include <stdint.h>

enum guest_phase {
	GUEST_CALM = 0, /* random access over mapped memory */
	GUEST_COLD,	/* first touch of memory that the host has not given yet */
	GUEST_REMAP,	/* edit a page-table entry, INVLPG, touch */
	GUEST_FAULT,	/* touch an unmapped page: #PF through the guest's own IDT */
	GUEST_SPACE,	/* build an address space, load CR3, touch */
};
#define GUEST_PHASES 5

struct guest_step {
	uint32_t phase;	 /* enum guest_phase */
	uint32_t rounds; /* 64 operations each; calm: 4096 */
};
#define GUEST_STEPS 64

struct guest_board {
	uint32_t phase;	     /* VMM: what to do while no script is given */
	uint32_t steps;	     /* VMM: length of the script, or 0 */
	uint64_t faults;     /* page faults that the guest's handler took */
	uint64_t fault_sum;  /* of their addresses and error codes */
	uint64_t work;	     /* operations done: the guest's progress */
	uint64_t far;	     /* of them, to a random page: what a small TLB misses */
	uint64_t checksum;   /* of all data read and all Accessed and Dirty bits seen */
	uint64_t random;     /* VMM: a seed that is not 0 */
	uint64_t slice;	     /* VMM: guest-physical address of this slice */
	uint64_t calm_pages; /* VMM: size of the arena, and */
	uint64_t cold_pages; /* of the cold pages behind it */
	uint64_t cold_next;
	uint64_t round[GUEST_PHASES];
	struct guest_step script[GUEST_STEPS];
};
#endif

#endif
