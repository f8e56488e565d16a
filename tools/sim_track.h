/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run's counters and its controller's thresholds or regret were at the end of each tick, for
 * pictures. The first point is the beginning. 64 bytes a tick, kept in memory.
 */
#ifndef DAV2M_TOOLS_SIM_TRACK_H
#define DAV2M_TOOLS_SIM_TRACK_H

#include <dav2m/controller.h>
#include <dav2m/sim/run.h>

struct track_point {
	uint64_t progress; /* instructions; this and what follows from the beginning on */
	uint64_t cycles;
	uint64_t exits; /* paging exits */
	uint64_t misses;
	uint32_t threshold_vmexit; /* of the next tick; 0 without a controller */
	uint32_t threshold_tmiss;
	uint64_t regret_cycles; /* after this tick; 0 where another judge judges */
	uint64_t limit_cycles;
	enum dav2m_state state; /* in the next tick */
};

struct track {
	int wanted; /* 0: nothing is kept */
	struct track_point *point;
	size_t points;
	size_t room;
};

/* controller: NULL for a run without one. 0, or -1 without memory. */
int track_add(struct track *track, const struct dav2m_sim *sim, const struct dav2m *controller);
void track_free(struct track *track);

#endif
