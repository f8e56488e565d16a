/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's physical memory, and its page tables as the processor would read them.
 */
#include <string.h>

#include "hypervisor.h"

void *guest_pointer(uint64_t gpa)
{
	if (gpa >= GUEST_RAM_SIZE)
		stop("guest-physical address without memory", gpa);
	return (void *)(GUEST_RAM + gpa);
}

static uint64_t *entry_of(uint64_t table, int level, uint64_t address)
{
	uint64_t index = address >> (12 + 9 * (level - 1)) & 511;

	return guest_pointer((table & PTE_ADDRESS) + 8 * index);
}

/* Rights are the intersection over all levels; CR0.WP and EFER.NXE are always on here. */
static bool allowed(uint64_t rights, bool nx, uint32_t access)
{
	if ((access & PF_WRITE) && !(rights & PTE_W))
		return false;
	if ((access & PF_USER) && !(rights & PTE_U))
		return false;
	return !((access & PF_FETCH) && nx);
}

/*
 * Follows the guest's tables for an access (PF_WRITE, PF_USER, PF_FETCH as in an error code).
 * Answers false if the guest itself would fault, with the error code it would see. Sets no
 * accessed or dirty bits.
 */
bool walk(uint64_t cr3, uint64_t address, uint32_t access, struct walk *ret_walk)
{
	uint64_t rights = PTE_W | PTE_U;
	uint64_t table = cr3;
	bool nx = false;
	int level;

	for (level = 4; level >= 1; level--) {
		uint64_t *entry = entry_of(table, level, address);

		ret_walk->entry[level] = entry;
		if (!(*entry & PTE_P)) {
			ret_walk->error = access & ~(uint32_t)PF_PRESENT;
			return false;
		}
		rights &= *entry;
		nx |= *entry >> 63;
		table = *entry;
		if (level == 1 || (level == 2 && (*entry & PTE_LARGE)))
			break;
	}
	ret_walk->leaf = level;
	ret_walk->gpa = level == 1 ? (table & PTE_ADDRESS) | (address & 0xfff)
				   : (table & PTE_ADDRESS & ~0x1fffffull) | (address & 0x1fffff);
	ret_walk->error = access | PF_PRESENT;
	return allowed(rights, nx, access);
}

/* Reads guest memory by virtual address. Answers false where the guest has nothing mapped. */
bool guest_read(struct vcpu *v, uint64_t address, void *ret_bytes, size_t n)
{
	uint64_t cr3 = v->paging == PAGING_SHADOW ? v->guest_cr3 : v->vmcb->cr3;
	uint8_t *to = ret_bytes;

	while (n) {
		size_t here = 4096 - (address & 0xfff);
		struct walk w;

		if (here > n)
			here = n;
		if (!walk(cr3, address, 0, &w))
			return false;
		memcpy(to, guest_pointer(w.gpa), here);
		to += here;
		address += here;
		n -= here;
	}
	return true;
}
