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
	{
		.name = "phenom550",
		.about = "AMD Phenom II X2 550, 3 GHz: the DAV2M paper's second machine",
		.source = "clock: DAV2M paper, section 7. Inferred: arrays, walk cache and nested "
			  "TLB as in the Opteron 2350, which is of the same family 10h",
		.mhz = 3000,
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
		.name = "core2-e6300",
		.about = "Intel Core 2 Duo E6300, 1.86 GHz: the HVM paper's machine",
		.source = "clock: HVM paper, section 3.1. Inferred: TLB arrays as Intel's "
			  "optimisation manual has them for this core; a walk cache of 16 entries. "
			  "It has neither nested paging nor tags",
		.mhz = 1860,
		.array = {{1, DATA, P4K, 16, 4},
			  {1, DATA, P2M, 16, 4},
			  {1, CODE, P4K, 128, 4},
			  {1, CODE, P2M, 8, 4},
			  {2, DATA, P4K, 256, 4},
			  {2, DATA, P2M, 32, 4}},
		.walk_entries = 16,
		.nested_entries = 16,
		.tagged = 0,
	},
	{
		.name = "pentium-d",
		.about = "Intel Pentium D, 2.8 GHz: the ATLAS paper's machine",
		.source = "clock, 64 data and 32 code entries: ATLAS paper, sections 3 and 5.4. "
			  "Inferred: fully associative; large pages share the data array and have "
			  "8 code entries; no walk cache, none is documented. It has no nested "
			  "paging: the nested TLB is inferred, as elsewhere",
		.mhz = 2800,
		.array = {{1, DATA, P4K | P2M, 64, 64},
			  {1, CODE, P4K, 32, 32},
			  {1, CODE, P2M, 8, 8}},
		.walk_entries = 0,
		.nested_entries = 16,
		.tagged = 0,
	},
	{
		.name = "skylake-sp",
		.about = "a current Intel server core, tagged TLBs",
		.source = "TLB arrays: Intel optimisation manual (Skylake server). Inferred: walk "
			  "cache of 32 and nested TLB of 16 entries; Intel documents neither",
		.mhz = 2500,
		.array = {{1, DATA, P4K, 64, 4},
			  {1, DATA, P2M, 32, 4},
			  {1, DATA, P1G, 4, 4},
			  {1, CODE, P4K, 128, 8},
			  {1, CODE, P2M, 8, 8},
			  {2, DATA | CODE, P4K | P2M, 1536, 12},
			  {2, DATA, P1G, 16, 4}},
		.walk_entries = 32,
		.nested_entries = 16,
		.tagged = 1,
	},
	{
		.name = "zen2",
		.about = "a current AMD server core, tagged TLBs",
		.source =
			"TLB arrays and page-directory cache of 64 entries: AMD optimisation guide "
			"for family 17h, models 30h and up. Inferred: nested TLB of 16 entries",
		.mhz = 2500,
		.array = {{1, DATA, P4K | P2M | P1G, 64, 64},
			  {1, CODE, P4K | P2M | P1G, 64, 64},
			  {2, DATA, P4K | P2M, 2048, 16},
			  {2, CODE, P4K | P2M, 1024, 8}},
		.walk_entries = 64,
		.nested_entries = 16,
		.tagged = 1,
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
