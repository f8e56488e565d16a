/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest, as a flat image inside the hypervisor.
 */
	.section .rodata
	.balign 16
	.globl guest_image, guest_image_end
guest_image:
	.incbin "guest.bin"
guest_image_end:

	.section .note.GNU-stack, "", @progbits
