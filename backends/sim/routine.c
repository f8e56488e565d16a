/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accumulators of the VMM's routines; see routine.h.
 */
#include "routine.h"

void sim_routine_take(struct dav2m_sim_routine *routine, uint64_t calls, uint64_t cycles)
{
	const uint64_t square = cycles * cycles;
	uint64_t i;

	if (calls == 0)
		return;
	if (routine->calls == 0 || cycles < routine->least_cycles)
		routine->least_cycles = cycles;
	if (cycles > routine->most_cycles)
		routine->most_cycles = cycles;
	routine->calls += calls;
	routine->cycles += calls * cycles;
	for (i = 0; i < calls; i++) { /* one by one: the product could overflow */
		routine->squares_low += square;
		routine->squares_high += routine->squares_low < square;
	}
}

const char *dav2m_sim_routine_name(enum dav2m_sim_routine_id id)
{
	static const char *const name[DAV2M_SIM_ROUTINES] = {
		"page_fault",	 "emulate_write", "fault_fixed", "not_a_shadow_fault",
		"invlpg",	 "update_cr3",	  "resync",	 "make_shadow",
		"remove_shadow", "guest_walk",	  "nested_fault"};

	return (unsigned)id < DAV2M_SIM_ROUTINES ? name[id] : "?";
}
