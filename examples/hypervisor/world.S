/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch: void world_switch(uint64_t guest_vmcb, uint64_t host_vmcb,
 *                                     struct registers *guest).
 * VMRUN exchanges what the VMCB's save area holds, VMLOAD and VMSAVE the rest (FS, GS, TR, LDTR and the
 * system call MSRs), this file the general registers. Nobody uses the FPU: the hypervisor is
 * built without it, and the guest finds it switched off.
 */
	.text
	.globl world_switch
world_switch:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	push %rsi                       /* host VMCB */
	push %rdx                       /* guest registers */
	mov %rsi, %rax
	vmsave
	push %rdi                       /* guest VMCB */
	mov %rdi, %rax

	/* From here to STGI nothing interrupts the hypervisor. With V_INTR_MASKING the guest
	   runs under the interrupt flag set here. */
	clgi
	sti
	vmload
	mov 8(%rdx), %rbx
	mov 16(%rdx), %rcx
	mov 32(%rdx), %rsi
	mov 40(%rdx), %rdi
	mov 48(%rdx), %rbp
	mov 56(%rdx), %r8
	mov 64(%rdx), %r9
	mov 72(%rdx), %r10
	mov 80(%rdx), %r11
	mov 88(%rdx), %r12
	mov 96(%rdx), %r13
	mov 104(%rdx), %r14
	mov 112(%rdx), %r15
	mov 24(%rdx), %rdx
	vmrun
	push %rdx
	mov 16(%rsp), %rdx
	mov %rbx, 8(%rdx)
	mov %rcx, 16(%rdx)
	popq 24(%rdx)
	mov %rsi, 32(%rdx)
	mov %rdi, 40(%rdx)
	mov %rbp, 48(%rdx)
	mov %r8, 56(%rdx)
	mov %r9, 64(%rdx)
	mov %r10, 72(%rdx)
	mov %r11, 80(%rdx)
	mov %r12, 88(%rdx)
	mov %r13, 96(%rdx)
	mov %r14, 104(%rdx)
	mov %r15, 112(%rdx)
	pop %rax                        /* guest VMCB */
	vmsave
	pop %rdx
	pop %rax                        /* host VMCB */
	vmload
	cli
	stgi
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
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
