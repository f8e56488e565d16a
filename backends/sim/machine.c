/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machines. Data only: each row is what the source named beside it says.
 */
#include <string.h>

#include <dav2m/sim/machine.h>

#define DATA (1 << DAV2M_SIM_DATA)
#define CODE (1 << DAV2M_SIM_CODE)
#define P4K  (1 << DAV2M_SIM_4K)
#define P2M  (1 << DAV2M_SIM_2M)
#define P1G  (1 << DAV2M_SIM_1G)

static const struct dav2m_sim_machine machines[] = {
	{
		.name = "opteron2350",
		.about = "AMD Opteron 2350 (Barcelona), 2 GHz: the DAV2M paper's first machine",
		.source =
			"TLB arrays: DAV2M paper, figure 1. Inferred: walk cache of 24 and nested "
			"TLB of 16 entries (the configuration that Bhargava et al., ASPLOS 2008, "
			"study for this processor family). TLB tags are not used (paper, "
			"section 4)",
		.mhz = 2000,
		.array = {{1, DATA, P4K | P2M | P1G, 48, 48},
			  {1, CODE, P4K, 32, 32},
			  {1, CODE, P2M, 16, 16},
			  {2, DATA, P4K, 512, 4},
			  {2, DATA, P2M, 128, 2},
			  {2, DATA, P1G, 16, 8},
			  {2, CODE, P4K, 512, 4}},
		.walk_entries = 24,
		.nested_entries = 16,
		.tagged = 0,
	},
	{
		.name = "opteron2350-bare",
		.about = "the same without walk cache and nested TLB: every walk at full length",
		.source = "TLB arrays: DAV2M paper, figure 1. For the paper's worst case of 24 "
			  "references, and for checking the model",
		.mhz = 2000,
		.array = {{1, DATA, P4K | P2M | P1G, 48, 48},
			  {1, CODE, P4K, 32, 32},
			  {1, CODE, P2M, 16, 16},
			  {2, DATA, P4K, 512, 4},
			  {2, DATA, P2M, 128, 2},
			  {2, DATA, P1G, 16, 8},
			  {2, CODE, P4K, 512, 4}},
		.walk_entries = 0,
		.nested_entries = 0,
		.tagged = 0,
	},
};

const struct dav2m_sim_machine *dav2m_sim_machine(size_t index)
{
	return index < sizeof(machines) / sizeof(machines[0]) ? &machines[index] : NULL;
}

const struct dav2m_sim_machine *dav2m_sim_machine_find(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < sizeof(machines) / sizeof(machines[0]); i++)
		if (strcmp(machines[i].name, name) == 0)
			return &machines[i];
	return NULL;
}
