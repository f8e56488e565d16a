/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's ring 0: enter ring 3, serve its three calls, handle its page faults. As few
 * instructions as possible, because there are hosts that emulate each of them.
 */
#include "board.h"

	.section .text.entry, "ax"
	.globl entry
	.globl trap_ud
	.globl trap_pf
	.globl trap_other

/* The VMM finds the handlers in this table at the start of the image. */
	.quad entry
	.quad trap_ud
	.quad trap_pf
	.quad trap_other

/* rdi: the board; rsi: top of the ring-3 stack. */
entry:
	pushq $0x23
	pushq %rsi
	pushq $0x2
	pushq $0x1b
	leaq guest_main(%rip), %rax
	pushq %rax
	iretq

trap_ud:
	cmpl $CALL_PTE, %eax
	je 1f
	ja 2f
	movl %esi, %eax
	outb %al, $GUEST_PORT
	addq $2, (%rsp)
	iretq
1:	movq %rsi, (%rdi)
	invlpg (%rdx)
	addq $2, (%rsp)
	iretq
2:	movq %rdi, %cr3
	addq $2, (%rsp)
	iretq

/* An unmapped page of the window: its entry has everything but the Present bit. */
trap_pf:
	pushq %rax
	pushq %rcx
	movq %cr2, %rax
	movq %rsp, %rcx
	andq $-GUEST_SLICE_ALIGN, %rcx
	incq BOARD_FAULTS(%rcx)
	addq %rax, BOARD_FAULT_SUM(%rcx)
	subq $GUEST_WINDOW, %rax
	shrq $12, %rax
	cmpq $GUEST_WINDOW_PAGES, %rax
	jae trap_other
	orq $1, SLICE_WINDOW_PT(%rcx, %rax, 8)
	movq 16(%rsp), %rax
	addq %rax, BOARD_FAULT_SUM(%rcx)
	popq %rcx
	popq %rax
	addq $8, %rsp
	iretq

trap_other:
	movb $TELL_TRAPPED, %al
	outb %al, $GUEST_PORT
	hlt
	jmp trap_other

	.section .note.GNU-stack, "", @progbits
