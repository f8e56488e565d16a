/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's rooms and what each offers to the others. One guest, one virtual processor.
 */
#ifndef HYPERVISOR_H
#define HYPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "mutant.h"
#include "svm.h"

enum paging { PAGING_SHADOW, PAGING_NESTED };

/* In the order world.S knows. RAX and RSP are in the VMCB; rax here is for decoding only. */
struct registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};

/* What the log reports at the end. */
struct statistics {
	uint64_t exits;
	uint64_t paging_exits; /* #PF, CR3 accesses, INVLPG: those that shadow paging causes */
	uint64_t filled;       /* shadow #PF: an entry was missing, now it is there */
	uint64_t reflected;    /* shadow #PF: the guest's own, injected */
	uint64_t spurious;     /* shadow #PF: nothing was missing */
	uint64_t table_writes; /* shadow #PF: the guest began to write a page table */
	uint64_t cr3_loads;
	uint64_t invlpgs;
	uint64_t nested_faults;
	uint64_t timer_exits;
	uint64_t hypercalls;
	uint64_t redelivered;	  /* events whose delivery an exit had interrupted */
	uint64_t switches[2];	  /* by the mode switched to, and */
	uint64_t switch_ticks[2]; /* what they took on the processor's time stamp counter */
};

struct vcpu {
	struct vmcb *vmcb;
	struct registers regs;
	enum paging paging;
	uint64_t guest_cr3;	/* the guest's own CR3; meaningful under shadow paging */
	uint64_t generation;	/* grows with each ASID; entries of older ones are unreachable */
	uint64_t fault_address; /* of the last #PF injected */
	uint64_t owed;		/* an event whose delivery was interrupted and not yet seen to */
	bool guest_done;
	uint64_t guest_checksum;
	struct statistics count;
};

/* main.c: the run as the command line asks for it. */
void hypervisor_main(uint32_t magic, const uint32_t *multiboot);
/* Value of "name=..." on the command line; fallback where it is not there. */
uint64_t option_number(const char *name, uint64_t fallback);
bool option_is(const char *name, const char *value);

/* log.c: the serial line, and the end of the run. */
void print(const char *format, ...); /* %s, %u (uint64_t), %x (uint64_t) */
_Noreturn void stop(const char *reason, uint64_t value);
void log_init(void);
_Noreturn void leave(uint8_t code);
_Noreturn void exception_stop(const uint64_t *stack);

/* machine.c: what this processor can do, its interrupts and its timer. */
void machine_init(void);
void timer_arm(uint64_t ticks); /* one shot */
uint64_t msr_read(uint32_t msr);
void msr_write(uint32_t msr, uint64_t value);
uint32_t cpuid_max_asid(void);
uint64_t time_stamp(void);

/* vcpu.c: the VMCB and the run loop's innermost step. */
void vcpu_init(struct vcpu *v);
void vcpu_run(struct vcpu *v);
void vcpu_flush(struct vcpu *v);
void vcpu_interrupt(struct vcpu *v, uint8_t vector);
void vcpu_inject_page_fault(struct vcpu *v, uint64_t address, uint32_t error);
void vcpu_skip(struct vcpu *v, uint32_t bytes);
uint64_t *vcpu_register(struct vcpu *v, unsigned number);
void world_switch(uint64_t guest_vmcb, uint64_t host_vmcb, struct registers *guest);
void interrupt_window(void);

/* invariant.c: what must hold before each entry, and no emulator would show. */
void invariant_check(const struct vcpu *v);
void invariant_after_exit(const struct vcpu *v);

/* guest_memory.c: the guest's physical memory and its own page tables. */
struct walk {
	uint64_t *entry[5]; /* the guest's entry at each level, down to leaf */
	int leaf;	    /* 1, or 2 for a 2 MB page */
	uint64_t gpa;
	uint32_t error; /* what the guest's #PF would say, if walk() answers false */
};
void *guest_pointer(uint64_t gpa);
bool walk(uint64_t cr3, uint64_t address, uint32_t access, struct walk *ret_walk);
bool guest_read(struct vcpu *v, uint64_t address, void *ret_bytes, size_t n);

enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 0x20, PTE_D = 0x40, PTE_LARGE = 0x80 };
#define PTE_NX	    (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_FETCH = 16 };

/* nested.c, shadow.c: the two ways of virtualizing memory. */
uint64_t nested_root(void);
void nested_fault(struct vcpu *v);
void shadow_init(struct vcpu *v);
void shadow_load_root(struct vcpu *v);
void shadow_fault(struct vcpu *v);
void shadow_load_cr3(struct vcpu *v, uint64_t cr3);
void shadow_invlpg(struct vcpu *v, uint64_t address);
void shadow_zap(void);
void shadow_drop(void);
bool shadow_is_live(void);

/* switch.c */
void switch_paging(struct vcpu *v, enum paging to);

/* decode.c: the instructions that shadow paging intercepts. */
struct instruction {
	uint32_t length;
	enum { INSTRUCTION_UNKNOWN, MOV_TO_CR3, MOV_FROM_CR3, INVLPG } kind;
	unsigned reg;
	uint64_t address;
};
struct instruction decode(struct vcpu *v);

/* exit.c: one function per exit; answers whether shadow paging caused it. */
bool exit_handle(struct vcpu *v);

/* counters.c: what counters there are. */
struct counters {
	uint64_t guest_instructions, cycles, tlb_misses, walk_cycles;
	bool has_walk_cycles;
};
void counters_init(const struct vmcb *vmcb);
const char *counters_name(void);
bool counters_read(struct counters *ret_counters);
void counters_print(void);

/* adapter.c: libdav2m. */
void adapter_init(struct vcpu *v, bool pinned);
void adapter_paging_exit(struct vcpu *v);
void adapter_tick(struct vcpu *v);
uint64_t adapter_period(void);
void adapter_report(void);

#endif
