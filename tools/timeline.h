/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The picture of one controller's run over a paired recording, drawn by gnuplot.
 */
#ifndef DAV2M_TOOLS_TIMELINE_H
#define DAV2M_TOOLS_TIMELINE_H

#include "replay_rows.h"

struct timeline;

/* job must outlive the timeline. Answers 0 or a negative enum dav2m_host_code. */
int timeline_open(const struct replay_job *job, const char *path, struct timeline **ret_timeline,
		  struct dav2m_host_error *error);

void timeline_tick(struct timeline *timeline, const struct dav2m_replay_tick *tick,
		   const struct dav2m_explanation *explanation);

/* Draws and frees, whatever the answer. */
int timeline_commit(struct timeline *timeline, struct dav2m_host_error *error);

/* NULL is allowed. */
void timeline_abort(struct timeline *timeline);

#endif
