/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of `dav2m sim --routines`: what the VMM's routines were called for and took.
 */
#ifndef DAV2M_TOOLS_SIM_ROUTINES_H
#define DAV2M_TOOLS_SIM_ROUTINES_H

#include "report.h"
#include "sim_runs.h"

/* A row for each mode and each routine that was called. NULL: no memory. */
struct report *routines_report(const struct runs *runs);

#endif
