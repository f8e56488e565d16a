/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracks in memory; see sim_track.h.
 */
#include "sim_track.h"

#include <stdlib.h>

static struct track_point *point_new(struct track *track)
{
	const size_t room = track->room ? track->room * 2 : 256;
	struct track_point *point;

	if (track->points == track->room) {
		point = realloc(track->point, room * sizeof(*point));
		if (!point)
			return NULL;
		track->point = point;
		track->room = room;
	}
	return &track->point[track->points++];
}

int track_add(struct track *track, const struct dav2m_sim *sim, const struct dav2m *controller)
{
	struct dav2m_explanation e = {.state = DAV2M_STATE_SHADOW};
	struct track_point *point;
	struct dav2m_sample sample;

	if (!track->wanted)
		return 0;
	point = point_new(track);
	if (!point)
		return -1;
	if (controller)
		dav2m_explain(controller, &e);
	dav2m_sim_sample(sim, &sample);
	*point = (struct track_point){.progress = sample.value[DAV2M_PROGRESS],
				      .cycles = sample.value[DAV2M_CYCLES],
				      .exits = sample.value[DAV2M_PAGING_EXITS],
				      .misses = sample.value[DAV2M_TLB_MISSES],
				      .threshold_vmexit = e.threshold_vmexit,
				      .threshold_tmiss = e.threshold_tmiss,
				      .regret_cycles = e.regret.regret_cycles,
				      .limit_cycles = e.regret.limit_cycles,
				      .state = e.state};
	return 0;
}

void track_free(struct track *track)
{
	free(track->point);
	track->point = NULL;
	track->points = track->room = 0;
}
