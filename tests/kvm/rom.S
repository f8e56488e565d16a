/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest for QEMU, in place of its BIOS: goes from the reset vector straight to 64-bit mode; then
 * its ring 3 touches memory, and after each round its ring 0 changes every entry of the page
 * directory, so that a shadowing hypervisor must take each page in anew. It never ends.
 *
 * Linked for offset 0 of the 64 KiB below 1 MiB, where the processor sees the image.
 */
#define IMAGE	0xf0000
#define TABLES	0x10000 /* a page each: PML4, its one PDPT, the directory, TSS, IDT */
#define PDPT	0x1000
#define PD	0x2000
#define TSS	0x3000
#define IDT	0x4000
#define PAGES	31    /* of 2 MiB, above the first */
#define BUSY	0x87  /* present, writable, user, 2 MiB */
#define IGNORED 0x200 /* a bit that the processor leaves to software */

	.text
	.code16
	.globl _start
_start:
	cli
	movw %cs, %ax
	movw %ax, %ds
	movw $TABLES >> 4, %ax
	movw %ax, %es
	xorw %ax, %ax
	xorw %di, %di
	movw $0x5000 / 2, %cx
	cld
	rep stosw
	movl $TABLES + PDPT + 7, %es:0
	movl $TABLES + PD + 7, %es:PDPT
	movw $PD, %di
	movl $BUSY, %eax
	movw $PAGES + 1, %cx
1:	movl %eax, %es:(%di)
	addw $8, %di
	addl $0x200000, %eax
	loop 1b
	movl $0x7000, %es:TSS + 4     /* the stack of ring 0 */
	movw $0x68, %es:TSS + 0x66    /* no I/O from ring 3 */
	movw $trap, %es:IDT + 6 * 16  /* the gate of ud2 */
	movw $0x08, %es:IDT + 6 * 16 + 2
	movw $0x8e00, %es:IDT + 6 * 16 + 4
	movw $IMAGE >> 16, %es:IDT + 6 * 16 + 6
	lgdtl gdt_pointer
	lidtl idt_pointer
	movl $0x20, %eax /* PAE */
	movl %eax, %cr4
	movl $TABLES, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax /* EFER.LME */
	wrmsr
	movl %cr0, %eax
	orl $0x80010001, %eax /* PG, WP, PE */
	movl %eax, %cr0
	ljmpl $0x08, $IMAGE + long_mode

	.code64
long_mode:
	movw $0x28, %ax
	ltr %ax
	movl $0x7000, %esp
	pushq $0x1b
	pushq $0x6000
	pushq $2
	pushq $0x23
	pushq $IMAGE + ring3
	iretq
ring3:
	movl $PAGES, %ecx
	movl $0x200000, %ebx
1:	incq (%rbx)
	addl $0x200000, %ebx
	loop 1b
	ud2
	jmp ring3
trap:
	movl $PAGES, %ecx
1:	xorl $IGNORED, TABLES + PD(, %rcx, 8)
	loop 1b
	addq $2, (%rsp)
	iretq

	.balign 8
gdt: /* kernel code, kernel data, user data, user code; the TSS takes two */
	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff
	.quad 0x0000890130000067, 0
gdt_pointer:
	.word gdt_pointer - gdt - 1
	.long IMAGE + gdt
idt_pointer:
	.word 7 * 16 - 1
	.long TABLES + IDT

	.org 0xfff0 /* the reset vector */
	.code16
	ljmpw $IMAGE >> 4, $_start
	.org 0x10000

	.section .note.GNU-stack, "", @progbits
