/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD-V as the hardware defines it (AMD64 Architecture Programmer's Manual, volume 2, chapter 15
 * and appendices B and C): the control block, its intercepts, exit codes, event format.
 */
#ifndef SVM_H
#define SVM_H

#include <stddef.h>
#include <stdint.h>

enum {
	INTERCEPT_CR3_READ = 1u << 3, /* vmcb.intercept_cr */
	INTERCEPT_CR0_WRITE = 1u << 16,
	INTERCEPT_CR3_WRITE = 1u << 19,
	INTERCEPT_CR4_WRITE = 1u << 20,

	INTERCEPT_PF = 1u << 14, /* vmcb.intercept_exception */

	INTERCEPT_INTR = 1u << 0, /* vmcb.intercept_1 */
	INTERCEPT_NMI = 1u << 1,
	INTERCEPT_HLT = 1u << 24,
	INTERCEPT_INVLPG = 1u << 25,
	INTERCEPT_INVLPGA = 1u << 26,
	INTERCEPT_IO = 1u << 27,
	INTERCEPT_MSR = 1u << 28,

	INTERCEPT_SVM = 0x7f /* vmcb.intercept_2: VMRUN, VMMCALL, VMLOAD .. SKINIT */
};

#define INTERCEPT_SHUTDOWN (1u << 31) /* an enum would have no room for it */

enum {
	EXIT_CR3_READ = 0x03,
	EXIT_CR3_WRITE = 0x13,
	EXIT_PF = 0x4e,
	EXIT_INTR = 0x60,
	EXIT_INVLPG = 0x79,
	EXIT_SHUTDOWN = 0x7f,
	EXIT_VMMCALL = 0x81,
	EXIT_NPF = 0x400
};

#define EVENT_VECTOR(e) ((e)&0xffu)
#define EVENT_TYPE(e)	((e)&0x700u)
#define EVENT_INTERRUPT 0x000u
#define EVENT_EXCEPTION 0x300u
#define EVENT_SOFTWARE	0x400u
#define EVENT_HAS_ERROR 0x800u
#define EVENT_VALID	0x80000000u

/* No exception has a vector above 31; QEMU 7.2 calls an interrupted interrupt an exception. */
#define EVENT_IS_EXTERNAL(e)                                                                       \
	(EVENT_TYPE(e) == EVENT_INTERRUPT ||                                                       \
	 (EVENT_TYPE(e) == EVENT_EXCEPTION && EVENT_VECTOR(e) > 31))

/* vmcb.v_intr: an interrupt that the guest takes as soon as its own flags let it. */
#define V_IRQ	     (1ull << 8)
#define V_IGNORE_TPR (1ull << 20)
#define V_VECTOR(v)  ((uint64_t)(v) << 32)

#define VMCB_CLEAN_ALL 0x3ff /* all that AMD64 defines but what is not used here */
#define TLB_FLUSH_ALL  1
#define V_INTR_MASKING (1ull << 24)

struct segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	uint32_t intercept_cr;
	uint32_t intercept_dr;
	uint32_t intercept_exception;
	uint32_t intercept_1;
	uint32_t intercept_2;
	uint8_t reserved_014[0x40 - 0x14];
	uint64_t iopm;
	uint64_t msrpm;
	uint64_t tsc_offset;
	uint32_t asid;
	uint32_t tlb_control;
	uint64_t v_intr;
	uint64_t interrupt_shadow;
	uint64_t exit_code;
	uint64_t exit_info_1;
	uint64_t exit_info_2;
	uint64_t exit_event; /* EXITINTINFO: what was being delivered when the exit came */
	uint64_t nested_enable;
	uint8_t reserved_098[0xa8 - 0x98];
	uint64_t event; /* EVENTINJ: what to deliver at entry */
	uint64_t nested_cr3;
	uint64_t lbr;
	uint64_t clean; /* what the processor may keep cached from the last run */
	uint8_t reserved_0c8[0x400 - 0xc8];

	struct segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved_4a0[0x4cb - 0x4a0];
	uint8_t cpl;
	uint32_t reserved_4cc;
	uint64_t efer;
	uint8_t reserved_4d8[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved_580[0x5d8 - 0x580];
	uint64_t rsp;
	uint8_t reserved_5e0[0x5f8 - 0x5e0];
	uint64_t rax, star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	uint8_t reserved_648[0x668 - 0x648];
	uint64_t g_pat;
	uint8_t reserved_670[0x1000 - 0x670];
};

_Static_assert(offsetof(struct vmcb, exit_code) == 0x70, "control area");
_Static_assert(offsetof(struct vmcb, clean) == 0xc0, "control area");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "save area");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "save area");
_Static_assert(offsetof(struct vmcb, g_pat) == 0x668, "save area");
_Static_assert(sizeof(struct vmcb) == 4096, "one page");

#endif
