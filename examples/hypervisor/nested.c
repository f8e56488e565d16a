/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested paging: guest-physical to physical in 2 MB pages, filled when first touched. These
 * tables do not depend on what the guest does, so they survive every switch.
 */
#include "hypervisor.h"

#define LARGE_PAGE 0x200000ull

static uint64_t level_4[512] __attribute__((aligned(4096)));
static uint64_t level_3[512] __attribute__((aligned(4096)));
static uint64_t level_2[512] __attribute__((aligned(4096)));

_Static_assert(GUEST_RAM % LARGE_PAGE == 0, "large pages must fit");
_Static_assert(GUEST_RAM_SIZE <= 512 * LARGE_PAGE, "one directory must suffice");

/* User accessible throughout: to the nested walk, every guest access is a user access. */
uint64_t nested_root(void)
{
	level_4[0] = (uint64_t)level_3 | PTE_P | PTE_W | PTE_U;
	level_3[0] = (uint64_t)level_2 | PTE_P | PTE_W | PTE_U;
	return (uint64_t)level_4;
}

void nested_fault(struct vcpu *v)
{
	uint64_t gpa = v->vmcb->exit_info_2;

	v->count.nested_faults++;
	if (gpa >= GUEST_RAM_SIZE)
		stop("guest touched memory that it does not have", gpa);
	if (level_2[gpa / LARGE_PAGE])
		stop("nested fault on a mapped page", v->vmcb->exit_info_1);
	level_2[gpa / LARGE_PAGE] =
		(GUEST_RAM + (gpa & ~(LARGE_PAGE - 1))) | PTE_P | PTE_W | PTE_U | PTE_LARGE;
}
