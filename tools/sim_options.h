/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of `dav2m sim`.
 */
#ifndef DAV2M_TOOLS_SIM_OPTIONS_H
#define DAV2M_TOOLS_SIM_OPTIONS_H

#include "report.h"
#include "sim_runs.h"
#include "sim_smp.h"

struct sim_options {
	struct run_setup setup;
	struct smp_setup smp;
	char **traces;
	size_t n_traces;
	enum trace_format input_format;
	const struct dav2m_sim_workload *workload;
	uint64_t seed;
	uint32_t scale_bp;
	uint32_t size; /* of the workload; 0: its usual one */
	int list;
	int routines; /* report these instead of where cycles went */
	int characterize;
	enum report_format format;
	const char *output; /* NULL: the standard output */
};

/* Ends the program when the line is wrong, as argp does. */
void sim_options_parse(int argc, char **argv, struct sim_options *ret_options);

#endif
