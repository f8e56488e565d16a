/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accumulates what the VMM's routines take; integers only. Must not know which exits call them.
 */
#ifndef DAV2M_SIM_ROUTINE_INTERNAL_H
#define DAV2M_SIM_ROUTINE_INTERNAL_H

#include <dav2m/sim/routine.h>

/* Takes a number of calls of this many cycles each, below 2^32, into a routine. */
void sim_routine_take(struct dav2m_sim_routine *routine, uint64_t calls, uint64_t cycles);

#endif
