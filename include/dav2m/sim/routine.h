/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each routine of the simulated VMM was called for and took: calls, and the cycles of a call
 * as sum, sum of squares, least and most, in the shape of tables 9 to 12 of the HVM paper (shadow
 * page tables of Xen 3.0.4). Routines contain one another, as they do there: a page fault is
 * fixed or not a shadow fault, some of the fixed ones emulate a write, and the shadow tables made
 * meanwhile are part of the call. The world switch is part of none.
 */
#ifndef DAV2M_SIM_ROUTINE_H
#define DAV2M_SIM_ROUTINE_H

#include <dav2m/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dav2m_sim_routine_id {
	DAV2M_SIM_ROUTINE_PAGE_FAULT = 0, /* Xen's sh_page_fault */
	DAV2M_SIM_ROUTINE_EMULATE_WRITE,  /* sh_x86_emulate_write, with the fault around it */
	DAV2M_SIM_ROUTINE_FAULT_FIXED,	  /* sh_page_fault's exit "fault fixed" */
	DAV2M_SIM_ROUTINE_NOT_SHADOW,	  /* its exit "not a shadow fault": the guest's own */
	DAV2M_SIM_ROUTINE_INVLPG,	  /* sh_invlpg */
	DAV2M_SIM_ROUTINE_UPDATE_CR3,	  /* sh_update_cr3 */
	DAV2M_SIM_ROUTINE_RESYNC,	  /* one table, within UPDATE_CR3; Xen 3.0.4 has none */
	DAV2M_SIM_ROUTINE_MAKE_SHADOW,	  /* sh_make_shadow */
	DAV2M_SIM_ROUTINE_REMOVE_SHADOW,  /* sh_remove_l1_shadow */
	DAV2M_SIM_ROUTINE_GUEST_WALK,  /* guest_walk_tables; its cycles are those of its callers */
	DAV2M_SIM_ROUTINE_NESTED_FAULT /* of nested paging */
};
#define DAV2M_SIM_ROUTINES 11

struct dav2m_sim_routine {
	uint64_t calls;
	uint64_t cycles;       /* sum over the calls */
	uint64_t squares_low;  /* sum of the squares of a call's cycles: 128 bits, */
	uint64_t squares_high; /* so that it cannot overflow */
	uint64_t least_cycles; /* of a call; 0 if there was none */
	uint64_t most_cycles;
};

struct dav2m_sim;

/* Fills DAV2M_SIM_ROUTINES of them, from the beginning or the last clearing on. */
DAV2M_API void dav2m_sim_routines(const struct dav2m_sim *sim,
				  struct dav2m_sim_routine *ret_routine);
/* Begins anew, as after a warm-up. Counts and simulation are not touched. */
DAV2M_API void dav2m_sim_routines_clear(struct dav2m_sim *sim);
DAV2M_API const char *dav2m_sim_routine_name(enum dav2m_sim_routine_id id);

#ifdef __cplusplus
}
#endif

#endif
