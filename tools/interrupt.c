/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One flag for the whole program, because there is one terminal.
 */
#define _POSIX_C_SOURCE 200809L

#include "interrupt.h"

#include "part.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int seen; /* lock-free, so a handler may write it and any thread read it */
static struct sigaction before;

static void on_interrupt(int number)
{
	if (seen)
		part_end_program(number);
	seen = 1;
}

void interrupt_begin(void)
{
	const struct sigaction action = {.sa_handler = on_interrupt};

	sigaction(SIGINT, &action, &before);
}

int interrupt_seen(void)
{
	return seen;
}

void interrupt_end(void)
{
	sigaction(SIGINT, &before, NULL);
}
