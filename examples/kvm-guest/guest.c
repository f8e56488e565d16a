/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's ring 3: five kinds of memory work, each of which asks something else of paging.
 *
 * Everything it does depends on the board alone, never on time, so that the checksum after a
 * script is the same in every paging mode and however often the mode is switched.
 */
#include "board.h"

#define PAGE		   4096u
#define CALM_ACCESSES	   4096u /* per round: about as long as 64 page faults on a fast host */
#define PRESENT_WRITE_USER 7u
#define ACCESSED_DIRTY	   0x60u

void guest_main(struct guest_board *board);

static void call(uint64_t what, uint64_t a, uint64_t b, uint64_t c)
{
	__asm__ volatile("ud2" : "+a"(what) : "D"(a), "S"(b), "d"(c) : "memory");
}

static void tell(uint64_t what)
{
	call(CALL_OUT, 0, what, 0);
}

static uint64_t random_next(struct guest_board *board)
{
	uint64_t x = board->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	board->random = x;
	return x;
}

static void mix(struct guest_board *board, uint64_t x)
{
	board->checksum = (board->checksum << 7 | board->checksum >> 57) ^ x;
}

static volatile uint64_t *at(uint64_t address)
{
	return (volatile uint64_t *)address;
}

static uint64_t random_page(struct guest_board *board)
{
	uint64_t page = (random_next(board) >> 20) % board->calm_pages;

	return board->slice + SLICE_ARENA + page * PAGE;
}

static uint64_t window(uint64_t page)
{
	return GUEST_WINDOW + page * PAGE;
}

/* Reads, mixes, writes: an access that sets Accessed and Dirty. */
static void touch(struct guest_board *board, uint64_t address, uint64_t salt)
{
	uint64_t x = *at(address);

	mix(board, x);
	*at(address) = x + salt;
}

static void calm(struct guest_board *board)
{
	for (uint32_t i = 0; i < CALM_ACCESSES; i++) {
		touch(board, random_page(board) + (board->random & 0x1ff) * 8, i);
		board->work++;
		board->far++;
	}
}

static void cold(struct guest_board *board)
{
	uint64_t base = board->slice + SLICE_ARENA + board->calm_pages * PAGE;

	for (uint32_t i = 0; i < GUEST_WINDOW_PAGES; i++) {
		if (board->cold_next == board->cold_pages) {
			tell(TELL_COLD);
			board->cold_next = 0;
		}
		touch(board, base + board->cold_next * PAGE, i + 1);
		board->cold_next++;
		board->work++;
	}
}

static void remap(struct guest_board *board)
{
	volatile uint64_t *pt = at(board->slice + SLICE_WINDOW_PT);

	for (uint32_t i = 0; i < GUEST_WINDOW_PAGES; i++) {
		call(CALL_PTE, (uint64_t)&pt[i], random_page(board) | PRESENT_WRITE_USER,
		     window(i));
		touch(board, window(i), i);
		mix(board, pt[i] & ACCESSED_DIRTY);
		board->work++;
	}
}

static void fault(struct guest_board *board)
{
	volatile uint64_t *pt = at(board->slice + SLICE_WINDOW_PT);

	for (uint32_t i = 0; i < GUEST_WINDOW_PAGES; i++)
		pt[i] = random_page(board) | (PRESENT_WRITE_USER & ~1u);
	call(CALL_CR3, board->slice + SLICE_PML4, 0, 0);
	for (uint32_t i = 0; i < GUEST_WINDOW_PAGES; i++) {
		touch(board, window(i), i);
		mix(board, pt[i] & ACCESSED_DIRTY);
		board->work++;
	}
	mix(board, board->faults);
	mix(board, board->fault_sum);
}

static uint64_t space_build(struct guest_board *board, uint64_t n)
{
	uint64_t tables = board->slice + SLICE_SPACES + n * GUEST_SPACE_TABLES * PAGE;
	volatile uint64_t *pt = at(tables + 3 * PAGE);

	*at(tables) = (tables + PAGE) | PRESENT_WRITE_USER;
	*at(tables + PAGE) = (board->slice + SLICE_PD) | PRESENT_WRITE_USER;
	*at(tables + PAGE + 8) = (tables + 2 * PAGE) | PRESENT_WRITE_USER;
	*at(tables + 2 * PAGE) = (tables + 3 * PAGE) | PRESENT_WRITE_USER;
	for (uint32_t i = 0; i < GUEST_WINDOW_PAGES; i++)
		pt[i] = random_page(board) | PRESENT_WRITE_USER;
	return tables;
}

static void space(struct guest_board *board)
{
	uint64_t tables = space_build(board, board->round[GUEST_SPACE] % GUEST_SPACES);
	volatile uint64_t *pt = at(tables + 3 * PAGE);

	call(CALL_CR3, tables, 0, 0);
	for (uint32_t i = 0; i < GUEST_WINDOW_PAGES; i++) {
		touch(board, window(i), i);
		mix(board, pt[i] & ACCESSED_DIRTY);
		board->work++;
	}
	call(CALL_CR3, board->slice + SLICE_PML4, 0, 0);
}

static void round_run(struct guest_board *board, uint32_t phase)
{
	if (phase == GUEST_CALM)
		calm(board);
	else if (phase == GUEST_COLD)
		cold(board);
	else if (phase == GUEST_REMAP)
		remap(board);
	else if (phase == GUEST_FAULT)
		fault(board);
	else
		space(board);
	board->round[phase]++;
}

void guest_main(struct guest_board *board)
{
	while (!board->steps)
		round_run(board, *(volatile uint32_t *)&board->phase);
	for (uint32_t i = 0; i < board->steps; i++)
		for (uint32_t k = 0; k < board->script[i].rounds; k++)
			round_run(board, board->script[i].phase);
	for (;;)
		tell(TELL_END);
}
