/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's first instructions, page tables, traps, and the way to ring 3 and back.
 */
#define KERNEL 0xffffffff80000000

	.section .head, "a"
	.quad 0x100000                  /* struct guest_header of the hypervisor: load address, */
	.quad guest_start               /* entry, */
	.quad boot_pml4 - KERNEL        /* CR3, */
	.quad boot_stack_end            /* stack */

	.text
	.globl guest_start
guest_start:
	lgdt gdt_pointer
	pushq $0x08
	pushq $1f
	lretq
1:	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $tss, %rax                  /* the TSS descriptor's base, scattered over 8 bytes */
	mov %ax, gdt_tss + 2
	shr $16, %rax
	mov %al, gdt_tss + 4
	mov %ah, gdt_tss + 7
	shr $16, %rax
	mov %eax, gdt_tss + 8
	mov $0x28, %eax
	ltr %ax
	call kernel_main
	ud2

	/* uint64_t user_run(uint64_t function, uint64_t stack, uint64_t a, uint64_t b, uint64_t c)
	   calls function(a, b, c) in ring 3 and answers what it returns. */
	.globl user_run
user_run:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, kernel_stack
	pushq $0x1b                     /* user data */
	push %rsi
	pushq $0x202                    /* interrupts on, in ring 3 only */
	pushq $0x23                     /* user code */
	pushq $user_call
	mov %rdi, %rax
	mov %rdx, %rdi
	mov %rcx, %rsi
	mov %r8, %rdx
	iretq

	/* Ring 3: calls RAX, then gives its result back through INT 0x80. */
	.section .user_entry, "ax"
user_call:
	call *%rax
	mov %rax, %rdi
	int $0x80
	ud2
	.text

	/* The user's function has returned: back to where user_run() was called from. */
	.globl user_return
user_return:
	mov kernel_stack, %rsp
	mov %rdi, %rax
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

	/* Traps: vector and a struct frame for kernel_trap(). */
	.macro trap name, vector, error
	.globl \name
\name:
	.if \error == 0
	pushq $0
	.endif
	pushq $\vector
	jmp trap_any
	.endm
	trap trap_double_fault, 8, 1
	trap trap_protection, 13, 1
	trap trap_page_fault, 14, 1
	trap trap_interrupt, 0x40, 0
	trap trap_system, 0x80, 0
	trap trap_breath, 0x81, 0
trap_any:
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rdi
	cld
	call kernel_trap
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	add $16, %rsp
	iretq

	.data
	.balign 8
gdt:	.quad 0
	.quad 0x00af9b000000ffff        /* 0x08: kernel code */
	.quad 0x00cf93000000ffff        /* 0x10: kernel data */
	.quad 0x00cff3000000ffff        /* 0x18: user data */
	.quad 0x00affb000000ffff        /* 0x20: user code */
gdt_tss:
	.quad 0x0000890000000067        /* 0x28 */
	.quad 0
gdt_pointer:
	.word . - gdt - 1
	.quad gdt

	.balign 16
	.globl tss
tss:	.skip 104

	/* The kernel's half of every address space: 1 GB at -2 GB, in 2 MB pages, marked used and
	   dirty beforehand. */
	.balign 4096
	.globl boot_pml4
boot_pml4:
	.skip 511 * 8
	.quad boot_pdpt - KERNEL + 0x23
	.globl boot_pdpt
boot_pdpt:
	.skip 510 * 8
	.quad boot_directory - KERNEL + 0x23
	.quad 0
boot_directory:
	.set i, 0
	.rept 512
	.quad i * 0x200000 + 0xe3
	.set i, i + 1
	.endr

	.bss
	.balign 8
kernel_stack:
	.skip 8
	.balign 4096
	.skip 16384
boot_stack_end:

	.section .note.GNU-stack, "", @progbits
