/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A workload of the simulator as two recordings, one under each paging mode, long enough to play
 * the contest on.
 */
#ifndef DAV2M_TOOLS_CONTEST_RECORD_H
#define DAV2M_TOOLS_CONTEST_RECORD_H

#include "field.h"

#include <dav2m/host/trace.h>

#include <stdatomic.h>

/* Steps that contest_record() adds to its count in all, for a progress bar. */
uint64_t contest_record_steps(const struct contest_workload *workload);

/*
 * Simulates a workload of the simulator and fills both traces, which are to be freed whatever the
 * answer. A trace is 12000 rows of PEER_ROW_PROGRESS, which counts the guest kernel's work too,
 * at one instruction a cycle, because the simulator gives it cycles only. The program is run again
 * and again to fill them. Answers 0 or a negative enum dav2m_host_code.
 */
int contest_record(const struct contest_workload *workload, const struct contest_model *model,
		   atomic_uint_least64_t *steps, struct dav2m_trace ret_trace[DAV2M_MODES],
		   struct dav2m_host_error *error);

#endif
