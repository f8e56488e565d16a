/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest runs in ring 3.
 */
#include "kernel.h"

static uint64_t step(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

/* One access to a random page of the working set for each 60 instructions of arithmetic. */
uint64_t user_calm(uint64_t pages, uint64_t steps, uint64_t yields)
{
	uint64_t x = 88172645463325252ull;
	uint64_t sum = 0;

	for (uint64_t i = 0; i < steps; i++) {
		uint64_t *word;

		for (int j = 0; j < 8; j++)
			x = step(x);
		word = (uint64_t *)(CALM_AREA + ((x >> 32) * pages >> 32) * 4096 + (x & 0xff8));
		sum += *word;
		*word = x + i;
		if (yields && i % 16 == 0)
			hypercall(CALL_YIELD, 0, 0);
	}
	return sum ^ x;
}

/* Pages that nobody has mapped: some only read, some written, some read first; one executed. */
uint64_t user_demand(uint64_t pages, uint64_t seed, uint64_t yields)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < pages; i++) {
		volatile uint64_t *word = (uint64_t *)(DEMAND_AREA + i * 4096 + 8 * (seed % 512));
		uint64_t how = seed >> (i % 32) & 3;

		if (how != 1)
			sum += *word;
		if (how != 0)
			*word = seed + i;
		sum += *word;
		if (yields && i % 4 == 0)
			hypercall(CALL_YIELD, 0, 0);
	}
	*(volatile uint8_t *)DEMAND_AREA = 0xc3; /* RET */
	((void (*)(void))DEMAND_AREA)();
	return sum;
}

/* Asks the host for interrupts, which arrive while ring 3 runs. */
uint64_t user_interrupt(uint64_t vector, uint64_t times, uint64_t unused)
{
	(void)unused;
	for (uint64_t i = 0; i < times; i++)
		hypercall(CALL_INTERRUPT, vector, 0);
	return times;
}

uint64_t user_breath(uint64_t times, uint64_t unused_1, uint64_t unused_2)
{
	(void)unused_1;
	(void)unused_2;
	for (uint64_t i = 0; i < times; i++)
		__asm__ volatile("int $0x81");
	return times;
}

uint64_t user_touch(uint64_t address, uint64_t unused_1, uint64_t unused_2)
{
	(void)unused_1;
	(void)unused_2;
	return ++*(volatile uint64_t *)address;
}
