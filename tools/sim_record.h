/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run's counters showed, tick by tick, and what switches cost beside runs that never switch.
 * Kept in memory until all runs are over (a tick is 64 bytes), because the header of a recording
 * tells the cost of a switch.
 */
#ifndef DAV2M_TOOLS_SIM_RECORD_H
#define DAV2M_TOOLS_SIM_RECORD_H

#include <dav2m/host/trace.h>
#include <dav2m/sim/run.h>

struct recording {
	int wanted;		     /* 0: nothing is kept */
	struct dav2m_sample *sample; /* cumulative; the first is that of the beginning */
	size_t samples;
	size_t room;
};

/* 0, or -1 without memory. */
int recording_add(struct recording *recording, const struct dav2m_sim *sim);
void recording_free(struct recording *recording);

/* Whether a run that switches now and then switches at the tick that was added last. */
int recording_turns(const struct recording *recording);
/*
 * What a switch cost the switcher, which began in shadow paging, on average and with its
 * transient: what it spent more in the ticks after it than the run that is always in that mode.
 * Sets the header's costs of those directions that were tried.
 */
void recording_switch_costs(const struct recording *switcher, const struct recording *shadow,
			    const struct recording *nested, struct dav2m_trace_header *header);

/* Writes PREFIX.MODE.csv. 0, or a negative enum dav2m_host_code. */
int recording_write(const struct recording *recording, const char *prefix, const char *mode,
		    const struct dav2m_trace_header *header, struct dav2m_host_error *error);

#endif
