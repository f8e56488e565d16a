/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's phases: one that nested paging slows down, five that shadow paging does.
 *
 * They follow the rules of the architecture and use all the liberty it leaves: a table entry
 * may be changed without INVLPG as long as a CR3 load comes before its next use, an absent entry
 * may be filled in with neither.
 */
#include "kernel.h"

#define WINDOW_PAGES 64
#define SPACES	     4
#define SPACE_PAGES  8

/* Calm: no page table is touched, a working set larger than the TLB is. */
uint64_t phase_calm(uint64_t work)
{
	return user((uint64_t)user_calm, working_set, work * 3000, yielding);
}

/* Maps one of two frames at each page of a window, over and over, as a kernel that remaps its
   temporary mappings does; 3000 instructions of other work between. */
uint64_t phase_rewrite(uint64_t work)
{
	static uint64_t frame[2][WINDOW_PAGES];
	uint64_t seed = work;
	uint64_t sum = 0;

	for (uint64_t i = 0; !frame[1][WINDOW_PAGES - 1] && i < 2 * WINDOW_PAGES; i++)
		frame[i % 2][i / 2] = frame_new();
	for (uint64_t i = 0; i < WINDOW_PAGES; i++)
		map(main_space, WINDOW + i * 4096, frame[0][i], W | NX);
	space_load(main_space); /* in earlier rounds other frames were there */
	for (uint64_t i = 0; i < work * 4; i++) {
		uint64_t n = next_random(&seed) % WINDOW_PAGES;
		volatile uint64_t *word = (uint64_t *)(WINDOW + n * 4096);
		uint64_t *entry = pte_of(main_space, (uint64_t)word, 1);
		bool second = (*entry & ADDRESS) == frame[1][n];

		*word += i;
		*entry = frame[!second][n] | P | W | NX;
		invlpg((uint64_t)word);
		sum = mix(sum, *word);
		compute(750);
		yield();
	}
	return sum;
}

/* Exchanges two pages of a space that is not, or no longer, to be used before the next CR3 load. */
static void exchange(uint64_t space, uint64_t i, uint64_t j)
{
	uint64_t *a = pte_of(space, WINDOW + i * 4096, 1);
	uint64_t *b = pte_of(space, WINDOW + j * 4096, 1);
	uint64_t keep = *a & ADDRESS;

	*a = (*b & ADDRESS) | P | W | NX;
	*b = keep | P | W | NX;
}

static uint64_t contexts_step(const uint64_t *space, uint64_t sum, uint64_t *seed)
{
	uint64_t now = next_random(seed) % SPACES;
	uint64_t i = next_random(seed) % SPACE_PAGES;
	uint64_t j = next_random(seed) % SPACE_PAGES;
	volatile uint64_t *word = (uint64_t *)(WINDOW + i * 4096);

	space_load(space[now]);
	sum = mix(sum, *word);
	*word = sum;
	sum = mix(sum, *(volatile uint64_t *)(WINDOW + j * 4096));
	exchange(space[(now + 1) % SPACES], i, j);
	exchange(space[now], i, j);
	space_load(space[now]); /* the same CR3 again: a flush, nothing else */
	return mix(sum, *word);
}

/* Switches between address spaces that map different frames at the same addresses. */
uint64_t phase_contexts(uint64_t work)
{
	uint64_t space[SPACES];
	uint64_t seed = work + 1;
	uint64_t sum = 0;

	for (int s = 0; s < SPACES; s++) {
		space[s] = space_new();
		for (uint64_t i = 0; i < SPACE_PAGES; i++)
			map(space[s], WINDOW + i * 4096, frame_new(), W | NX);
	}
	for (uint64_t i = 0; i < work * 4; i++) {
		sum = contexts_step(space, sum, &seed);
		compute(750);
		yield();
	}
	space_load(main_space);
	for (int s = 0; s < SPACES; s++)
		space_free(space[s]);
	return sum;
}

/* The user's code and stack are one for all processes: main_space owns their tables. */
static void share_user(uint64_t space)
{
	*pte_make(space, USER, 2) = *pte_of(main_space, USER, 2);
	*pte_make(space, USER_STACK, 2) = *pte_of(main_space, USER_STACK, 2);
}

static void unshare_user(uint64_t space)
{
	*pte_of(space, USER, 2) = 0;
	*pte_of(space, USER_STACK, 2) = 0;
}

/* Processes that come, touch pages nobody has mapped, and go. */
uint64_t phase_demand(uint64_t work)
{
	uint64_t seed = work + 2;
	uint64_t sum = 0;

	for (uint64_t i = 0; i < work; i++) {
		uint64_t space = space_new();

		share_user(space);
		space_load(space);
		sum = mix(sum, user((uint64_t)user_demand, 12, next_random(&seed), yielding));
		space_load(main_space);
		unshare_user(space);
		space_free(space);
		compute(1500);
	}
	return sum;
}

static uint64_t bits(uint64_t address, int level)
{
	return *pte_of(main_space, address, level) & (A | D);
}

/* Clears accessed and dirty bits, uses some of the pages, looks at the bits. */
static uint64_t accessed_step(uint64_t sum, uint64_t random, bool by_cr3)
{
	for (uint64_t i = 0; i < WINDOW_PAGES / 2; i++) {
		*pte_of(main_space, WINDOW + i * 4096, 1) &= ~(uint64_t)(A | D);
		if (!by_cr3)
			invlpg(WINDOW + i * 4096);
	}
	*pte_of(main_space, WINDOW, 2) &= ~(uint64_t)A;
	if (by_cr3)
		space_load(main_space);
	else
		invlpg(WINDOW);
	sum = mix(sum, bits(WINDOW, 2));
	for (uint64_t i = 0; i < WINDOW_PAGES / 2; i++) {
		volatile uint64_t *word = (uint64_t *)(WINDOW + i * 4096);

		if (random >> i & 1)
			sum = mix(sum, *word);
		if (random >> (i + 7) % 31 & 1)
			*word = sum;
		sum = mix(sum, bits((uint64_t)word, 1));
	}
	return mix(sum, bits(WINDOW, 2));
}

/* The same with a 2 MB page, made for it and gone after it. */
static uint64_t accessed_large(uint64_t sum, uint64_t random)
{
	volatile uint64_t *word = (uint64_t *)(LARGE_WINDOW + (random & 0x1ffff8));
	uint64_t *entry = pte_make(main_space, LARGE_WINDOW, 2);

	*entry = LARGE_FRAME | P | W | LARGE | NX;
	sum = mix(sum, *word);
	sum = mix(sum, bits(LARGE_WINDOW, 2));
	*word = sum;
	sum = mix(sum, bits(LARGE_WINDOW, 2));
	*entry = 0;
	invlpg(LARGE_WINDOW + (random >> 8 & 0x1ff000)); /* any address in it will do */
	return sum;
}

uint64_t phase_accessed(uint64_t work)
{
	uint64_t seed = work + 3;
	uint64_t sum = 0;

	for (uint64_t i = 0; i < WINDOW_PAGES / 2; i++)
		if (!pte_of(main_space, WINDOW, 1) ||
		    !(*pte_of(main_space, WINDOW + i * 4096, 1) & P))
			map(main_space, WINDOW + i * 4096, frame_new(), W | NX);
	for (uint64_t i = 0; i < work; i++) {
		sum = accessed_step(sum, next_random(&seed), i & 1);
		sum = accessed_large(sum, next_random(&seed));
		compute(1500);
		yield();
	}
	return sum;
}

static void cool(uint64_t address)
{
	*pte_of(main_space, address, 1) &= ~(uint64_t)(A | D);
	invlpg(address);
}

/* Interrupts, page faults and INT while the stack or the table they need is cold or absent. */
uint64_t phase_delivery(uint64_t work)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < work; i++) {
		uint64_t page = DEMAND_AREA + 0x100000 + (i % 16) * 4096;

		cool(trap_stack_page);
		if (i & 1)
			cool(idt_page);
		sum = mix(sum, user((uint64_t)user_interrupt, VECTOR_INTERRUPT, 2, 0));
		cool(trap_stack_page);
		sum = mix(sum, user((uint64_t)user_touch, page, 0, 0));
		frame_free(*pte_of(main_space, page, 1) & ADDRESS);
		*pte_of(main_space, page, 1) = 0;
		invlpg(page);

		idt_page_fault_stack(1);
		*pte_of(main_space, trap_stack_page, 1) &= ~(uint64_t)P;
		invlpg(trap_stack_page);
		sum = mix(sum, user((uint64_t)user_breath, 2, 0, 0));
		idt_page_fault_stack(0);
		sum = mix(sum, bits(trap_stack_page, 1));
		compute(1500);
		yield();
	}
	return sum;
}
