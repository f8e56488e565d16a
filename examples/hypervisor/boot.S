/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a multiboot loader (GRUB, QEMU's -kernel) to C in 64-bit mode: the first 4 GB mapped one
 * to one, interrupts off, a stack. Also the way into and out of the hypervisor's own interrupts.
 */
	.section .multiboot, "a"
	.balign 4
	.long 0x1badb002                /* magic */
	.long 0x00000002                /* flags: memory information, please */
	.long -(0x1badb002 + 0x00000002)

	.text
	.code32
	.globl boot_entry
boot_entry:
	cli
	cld
	mov $boot_stack_end, %esp
	mov %ebx, %esi                  /* multiboot information, second argument */
	mov %eax, %edi                  /* multiboot magic, first argument */

	/* pml4[0] -> pdpt, pdpt[0..3] -> directory, 2048 pages of 2 MB */
	movl $(pdpt + 3), pml4
	mov $(directory + 3), %eax
	mov $pdpt, %edx
	mov $4, %ecx
1:	mov %eax, (%edx)
	add $0x1000, %eax
	add $8, %edx
	loop 1b
	mov $0x83, %eax                 /* present, writable, large */
	mov $directory, %edx
	mov $2048, %ecx
1:	mov %eax, (%edx)
	add $0x200000, %eax
	add $8, %edx
	loop 1b

	mov $pml4, %eax
	mov %eax, %cr3
	mov $0x20, %eax                 /* CR4.PAE */
	mov %eax, %cr4
	mov %edi, %ebp
	mov $0xc0000080, %ecx           /* EFER.LME, NXE */
	rdmsr
	or $0x900, %eax
	wrmsr
	mov $0x80010001, %eax           /* PG, WP, PE */
	mov %eax, %cr0
	mov %ebp, %edi
	lgdt gdt_pointer
	ljmp $8, $1f

	.code64
1:	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov $0x18, %eax
	ltr %ax
	mov %edi, %edi
	mov %esi, %esi
	call hypervisor_main
	ud2

	/* An exception ends in a message; the timer's interrupt only needs its end told. */
	.globl exception_stub
exception_stub:
	mov %rsp, %rdi
	and $-16, %rsp
	call exception_stop

	.globl timer_stub
timer_stub:
	push %rax
	mov $0xfee000b0, %eax           /* the APIC's end-of-interrupt register */
	movl $0, (%rax)
	pop %rax
	.globl spurious_stub
spurious_stub:
	iretq

	.data
	.balign 8
gdt:	.quad 0
	.quad 0x00af9b000000ffff        /* 0x08: 64-bit code */
	.quad 0x00cf93000000ffff        /* 0x10: data */
	.quad 0x0000890000000067        /* 0x18: a task state segment at 0, never used: VMLOAD and */
	.quad 0                         /*       VMSAVE only want a valid task register */
gdt_pointer:
	.word . - gdt - 1
	.quad gdt

	.bss
	.balign 4096
pml4:	.skip 4096
pdpt:	.skip 4096
directory:
	.skip 4 * 4096
	.skip 65536
boot_stack_end:

	.section .note.GNU-stack, "", @progbits
