/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes what the guest needs in its memory before it runs: the image, descriptor tables, page
 * tables, the board. Doing this here keeps the guest's ring 0 free of set-up code.
 */
#include <string.h>

#include "guest_image.h"
#include "vm.h"

#define PAGE		       4096u
#define PWU		       7u /* present, writable, user */
#define CODE_SELECTOR	       8u
#define GATE_INTERRUPT_PRESENT 0x8eu
#define TSS_IOMAP_NONE	       0x68u /* past its end, or OUT would be allowed in ring 3 */

static unsigned char *physical(struct guest_vm *vm, uint64_t address)
{
	return vm->memory + address;
}

static void store(struct guest_vm *vm, uint64_t address, uint64_t value)
{
	memcpy(physical(vm, address), &value, sizeof(value));
}

/* The image begins with the addresses of its entry and its handlers. */
static uint64_t image_address(unsigned int index)
{
	uint64_t address;

	memcpy(&address, guest_image + index * sizeof(address), sizeof(address));
	return address;
}

uint64_t guest_entry(void)
{
	return image_address(0);
}

uint64_t guest_slice_address(const struct guest_vm *vm, unsigned int index)
{
	return GUEST_SLICE0 + index * vm->slice_bytes;
}

void guest_image_write(struct guest_vm *vm)
{
	memcpy(physical(vm, GUEST_CODE), guest_image, sizeof(guest_image));
}

static void gate_write(struct guest_vm *vm, uint64_t idt, unsigned int vector, uint64_t handler)
{
	uint64_t low = (handler & 0xffff) | (uint64_t)CODE_SELECTOR << 16 |
		       (uint64_t)GATE_INTERRUPT_PRESENT << 40 | (handler >> 16 & 0xffff) << 48;

	store(vm, idt + vector * 16, low);
	store(vm, idt + vector * 16 + 8, handler >> 32);
}

static void descriptors_write(struct guest_vm *vm, uint64_t slice)
{
	uint64_t gdt = slice + SLICE_GDT, tss = slice + SLICE_TSS;

	store(vm, gdt + 0x08, 0x00af9b000000ffff); /* ring 0 code, 64 bit */
	store(vm, gdt + 0x10, 0x00cf93000000ffff);
	store(vm, gdt + 0x18, 0x00affb000000ffff); /* ring 3 code, 64 bit */
	store(vm, gdt + 0x20, 0x00cff3000000ffff);
	store(vm, gdt + 0x28, 0x00008b0000000067 | (tss & 0xffffff) << 16 | (tss >> 24) << 56);
	store(vm, gdt + 0x30, tss >> 32);
	store(vm, tss + 4, slice + SLICE_STACK0_TOP);
	store(vm, tss + 0x60, (uint64_t)TSS_IOMAP_NONE << 48);
	for (unsigned int vector = 0; vector < 32; vector++)
		gate_write(vm, slice + SLICE_IDT, vector,
			   image_address(vector == 6	? 1
					 : vector == 14 ? 2
							: 3));
}

/* Maps 2 MiB, each page to itself, by page table number n of the slice. */
static void identity_map(struct guest_vm *vm, uint64_t slice, unsigned int n, uint64_t address)
{
	uint64_t pt = slice + SLICE_IDENTITY_PT + n * (uint64_t)PAGE;

	store(vm, slice + SLICE_PD + (address >> 21) * 8, pt | PWU);
	for (unsigned int i = 0; i < 512; i++)
		store(vm, pt + i * 8, (address + i * (uint64_t)PAGE) | PWU);
}

static void pages_map(struct guest_vm *vm, uint64_t slice)
{
	unsigned int n = 0;

	store(vm, slice + SLICE_PML4, (slice + SLICE_PDPT) | PWU);
	store(vm, slice + SLICE_PDPT, (slice + SLICE_PD) | PWU);
	store(vm, slice + SLICE_PDPT + 8, (slice + SLICE_WINDOW_PD) | PWU);
	store(vm, slice + SLICE_WINDOW_PD, (slice + SLICE_WINDOW_PT) | PWU);
	identity_map(vm, slice, n++, 0);
	for (uint64_t at = slice; at < slice + vm->slice_bytes; at += GUEST_SLICE_ALIGN)
		identity_map(vm, slice, n++, at);
}

void guest_slice_write(struct guest_vm *vm, unsigned int index, uint64_t calm_pages,
		       uint64_t cold_pages)
{
	uint64_t slice = guest_slice_address(vm, index);
	struct guest_board *board = (struct guest_board *)(void *)physical(vm, slice);

	descriptors_write(vm, slice);
	pages_map(vm, slice);
	board->random = 0x9e3779b97f4a7c15u + index; /* any seed that is not 0 */
	board->slice = slice;
	board->calm_pages = calm_pages;
	board->cold_pages = cold_pages;
	vm->vcpu[index].board = board;
}
