/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch: void world_switch(uint64_t guest_vmcb, uint64_t host_vmcb,
 *                                     struct registers *guest).
 * VMRUN exchanges what the VMCB's save area holds; VMLOAD and VMSAVE the rest (FS, GS, TR, LDTR
 * and the system call MSRs); this file the general registers. Nobody uses the FPU: the hypervisor
 * is built without it, and the guest is too.
 */
	/* Moves all registers of struct registers but RAX, and RDX, through which it is found. */
	.macro registers move
	.set offset, 0
	.irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	.ifnc \register, rax
	.ifnc \register, rdx
	\move \register
	.endif
	.endif
	.set offset, offset + 8
	.endr
	.endm
	.macro load register
	mov offset(%rdx), %\register
	.endm
	.macro save register
	mov %\register, offset(%rdx)
	.endm

	.text
	.globl world_switch
world_switch:
	.irp register, rbx, rbp, r12, r13, r14, r15
	push %\register
	.endr
	push %rdx                       /* guest registers */
	push %rsi                       /* host VMCB */
	mov %rsi, %rax
	vmsave
	push %rdi                       /* guest VMCB */
	mov %rdi, %rax

	/* From here to STGI nothing interrupts the hypervisor. With V_INTR_MASKING the guest
	   runs under the interrupt flag set here. */
	clgi
	sti
	vmload
	registers load
	mov 24(%rdx), %rdx
	vmrun
	push %rdx
	mov 24(%rsp), %rdx
	registers save
	popq 24(%rdx)
	pop %rax                        /* guest VMCB */
	vmsave
	pop %rax                        /* host VMCB */
	vmload
	pop %rdx
	cli
	stgi
	.irp register, r15, r14, r13, r12, rbp, rbx
	pop %\register
	.endr
	ret

	/* Lets a pending physical interrupt in: void interrupt_window(void). */
	.globl interrupt_window
interrupt_window:
	sti
	nop
	nop
	cli
	ret

	.section .note.GNU-stack, "", @progbits
