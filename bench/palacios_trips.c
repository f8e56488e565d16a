/* SPDX-License-Identifier: BSD-2-Clause */
/* Round trips between the modes on the fake Palacios, with faults and memory-map changes. */
#include <stdio.h>

#include "../tests/palacios/fake/fake.h"

#define TRIPS 10000

/* Into the mode of a pin and through a few exits of it; 1 if the core got there. */
static int go(unsigned int pin, unsigned int trip)
{
	struct fake_look is;

	fake_hypercall(0, 0xda20, pin, 0);
	if (fake_enter(0, FAKE_EXIT_VMMCALL, 0) ||
	    fake_enter(0, FAKE_EXIT_FAULT, trip % 4 * 512 + trip % 512) ||
	    fake_enter(0, FAKE_EXIT_FAULT, 700))
		return 0;
	fake_look(0, &is);
	return is.nested == (pin == 2);
}

int main(void)
{
	const char *const section[] = {"hypercall", "on", NULL};
	const struct fake_setup setup = {.cores = 1, .pmu_slots = 4};
	unsigned int trip, trips = 0;
	int settled = 0, most = 0;

	fake_create(&setup);
	if (fake_configure(section))
		return 1;
	fake_set_guest(0, 1, 1, 0);
	fake_guest_runs(100000000, 200000000, 10); /* a tick each entry */
	for (trip = 0; trip < 3; trip++)
		fake_enter(0, FAKE_EXIT_OTHER, 0);
	for (trip = 0; trip < TRIPS; trip++) {
		trips += go(2, trip) && go(1, trip);
		if (trip % 7 == 0)
			fake_remap(trip % 2048, trip);
		/* The first hundred trips have met every table there is. */
		if (trip < 100)
			settled = fake_pages() > settled ? fake_pages() : settled;
		else
			most = fake_pages() > most ? fake_pages() : most;
	}
	fake_free();
	printf("figure: palacios_round_trips %u trips\n", trips);
	printf("figure: palacios_pages_grown %d pages\n",
	       (most > settled ? most - settled : 0) + fake_pages());
	return trips == TRIPS && !fake_errors() ? 0 : 1;
}
