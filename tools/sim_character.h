/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dav2m sim --characterize`: what a program asks of memory, in the ATLAS paper's terms.
 */
#ifndef DAV2M_TOOLS_SIM_CHARACTER_H
#define DAV2M_TOOLS_SIM_CHARACTER_H

#include "report.h"
#include "sim_footprint.h"
#include "sim_runs.h"

/* One row per run. NULL: no memory. */
struct report *character_report(const struct runs *runs, const struct footprint *footprint);

#endif
