/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pictures of `dav2m sim --pictures`: what both modes met over time, and what the controller
 * made of it.
 */
#ifndef DAV2M_TOOLS_SIM_PICTURES_H
#define DAV2M_TOOLS_SIM_PICTURES_H

#include "sim_runs.h"

/*
 * Draws PREFIX.rates (CPI, paging exits and TLB misses of the static modes over time, as in the
 * DAV2M paper's figure 5) and PREFIX.thresholds (the controller's thresholds beside what it
 * counted, as in figure 9), or PREFIX.regret where regret judges, each as .svg and as .png, as far
 * as their modes ran. Answers 0 or a negative enum dav2m_host_code.
 */
int pictures_draw(const struct runs *runs, const struct run_setup *setup, const char *prefix,
		  struct dav2m_host_error *error);

#endif
