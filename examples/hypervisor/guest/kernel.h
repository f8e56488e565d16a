/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's kernel as its phases see it: frames, address spaces, traps, checksum.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL	     0xffffffff80000000ull
#define KERNEL_PAGES 0xffffffffc0000000ull /* kernel memory mapped in 4 KB pages */
#define USER	     0x40000000ull
#define USER_STACK   0x50000000ull
#define CALM_AREA    0x60000000ull
#define WINDOW	     0x68000000ull /* pages whose mapping phases play with */
#define DEMAND_AREA  0x70000000ull
#define LARGE_WINDOW 0x78000000ull
#define LARGE_FRAME  0x200000ull /* 2 MB between the kernel's image and the first frame */

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, LARGE = 0x80 };
#define NX	(1ull << 63)
#define ADDRESS 0x000ffffffffff000ull

enum {
	VECTOR_PAGE_FAULT = 14,
	VECTOR_INTERRUPT = 0x40,
	VECTOR_SYSTEM = 0x80,
	VECTOR_BREATH = 0x81
};

/* What the host is asked for; its exit.c has the same numbers. */
enum { CALL_REPORT = 1, CALL_DONE, CALL_INTERRUPT, CALL_YIELD, CALL_OPTION };
enum { OPTION_ROUNDS, OPTION_WORK, OPTION_PAGES, OPTION_YIELD };

static inline uint64_t hypercall(uint64_t call, uint64_t a, uint64_t b)
{
	__asm__ volatile("vmmcall" : "+a"(call) : "D"(a), "S"(b) : "memory");
	return call;
}

/* start.S */
struct frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};
uint64_t user_run(uint64_t function, uint64_t stack, uint64_t a, uint64_t b, uint64_t c);
_Noreturn void user_return(uint64_t value);

/* kernel.c */
extern bool yielding; /* give the host a chance to switch every so often */
extern uint64_t working_set;
void yield(void);
uint64_t mix(uint64_t sum, uint64_t value);
uint64_t next_random(uint64_t *state);
void compute(uint64_t steps);
uint64_t frame_new(void); /* zeroed */
void frame_free(uint64_t gpa);
void *frame_pointer(uint64_t gpa);
uint64_t space_new(void);
void space_free(uint64_t space); /* and every frame mapped in it */
void space_load(uint64_t space);
extern uint64_t main_space;
uint64_t *pte_of(uint64_t space, uint64_t address, int level);	 /* NULL: no table there */
uint64_t *pte_make(uint64_t space, uint64_t address, int level); /* makes the tables above */
void map(uint64_t space, uint64_t address, uint64_t gpa, uint64_t flags);
void invlpg(uint64_t address);
uint64_t user(uint64_t function, uint64_t a, uint64_t b, uint64_t c);
uint64_t traps_seen(void); /* counts and error codes of all traps so far, as a checksum */
void idt_page_fault_stack(unsigned ist);
extern const uint64_t trap_stack_page, idt_page;

/* phase.c: each answers a checksum of all that it could observe. */
uint64_t phase_calm(uint64_t work);
uint64_t phase_rewrite(uint64_t work);
uint64_t phase_contexts(uint64_t work);
uint64_t phase_demand(uint64_t work);
uint64_t phase_accessed(uint64_t work);
uint64_t phase_delivery(uint64_t work);

/* user.c: called through user(). */
uint64_t user_calm(uint64_t pages, uint64_t steps, uint64_t yields);
uint64_t user_demand(uint64_t pages, uint64_t seed, uint64_t yields);
uint64_t user_interrupt(uint64_t vector, uint64_t times, uint64_t unused);
uint64_t user_breath(uint64_t times, uint64_t unused_1, uint64_t unused_2);
uint64_t user_touch(uint64_t address, uint64_t unused_1, uint64_t unused_2);

#endif
