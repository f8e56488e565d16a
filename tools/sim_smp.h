/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dav2m sim --vcpus`: a workload on each of several vCPUs, under each of several policies.
 */
#ifndef DAV2M_TOOLS_SIM_SMP_H
#define DAV2M_TOOLS_SIM_SMP_H

#include "report.h"
#include "sim_runs.h"

#include <dav2m/sim/smp.h>
#include <dav2m/sim/workload.h>

#define SMP_LIST 16 /* longest list of vCPU numbers, and of policies */

struct smp_setup {
	uint32_t vcpus[SMP_LIST];
	uint32_t n_vcpus; /* 0: not asked for */
	const struct dav2m_smp_policy *policy[SMP_LIST];
	uint32_t n_policies; /* 0: all of them */
	const struct dav2m_smp_cost *cost;
	uint32_t domains;
	uint32_t pcpus; /* 0: as many as a domain has vCPUs */
	uint32_t nodes;
	enum dav2m_smp_placement placement;
	int vm_stat; /* print who had which physical CPU instead of the table */
};

/* Of a workload: the machine, guest and cost of setup, its length and random numbers. */
int smp_do(const struct smp_setup *smp, const struct run_setup *setup,
	   const struct dav2m_sim_workload *workload, uint64_t seed, uint32_t scale_bp,
	   enum report_format format, FILE *to, struct dav2m_host_error *error);

/* For --list. */
void smp_list(FILE *to);

#endif
