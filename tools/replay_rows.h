/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policies that `dav2m replay` compares, and the table of what they cost.
 */
#ifndef DAV2M_TOOLS_REPLAY_ROWS_H
#define DAV2M_TOOLS_REPLAY_ROWS_H

#include "report.h"

#include <dav2m/host/replay.h>

struct controller_options;
struct timeline;

struct replay_job {
	struct dav2m_pair pair;
	struct dav2m_trace_header header[DAV2M_MODES];
	uint64_t nested_progress; /* as it was recorded */
	uint64_t switch_cycles[DAV2M_MODES];
	const char *switch_source; /* who says so; NULL: nobody yet */
	enum dav2m_mode start;
	uint32_t tolerance_bp;
	int native_known;
	uint64_t native_cycles;
	uint64_t native_progress; /* as it was recorded; 0: nobody knows */
	int fit;		  /* windows and thresholds follow the recording's tick */
	const struct controller_options *options;
	struct dav2m_config config; /* of the controller that picture and decisions show */
	char shown[64];		    /* its name */
};

/* The controller that is shown. The options must outlive the job. */
void replay_job_configure(struct replay_job *job, const struct controller_options *options);

/* When the recordings are read: checks the config, settles switch costs. Host library codes. */
int replay_job_complete(struct replay_job *job, struct dav2m_host_error *error);

/* Takes native_cycles from a native recording of the same work. */
int replay_native_sum(struct replay_job *job, const struct dav2m_trace *native,
		      struct dav2m_host_error *error);

/* One row per policy. */
int replay_rows_write(const struct replay_job *job, enum report_format format, FILE *to,
		      struct dav2m_host_error *error);

/* Runs the shown controller again for its decisions (CSV) and its picture; each may be NULL. */
int replay_shown_run(const struct replay_job *job, FILE *decisions, struct timeline *timeline,
		     struct dav2m_host_error *error);

#endif
