/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cost models. Data only. "DAV2M" is Bae, Lange, Dinda, ICAC 2011; "Xen" are the shadow
 * routines measured on Xen 3.0.4 and a Core 2 Duo E6300 at 1.86 GHz, under MemoryMotion on
 * Debian; "Aim9" are that study's native rates on the same machine, turned into cycles.
 */
#include <string.h>

#include <dav2m/sim/cost.h>

#define STATED(n, why)                                                                             \
	{                                                                                          \
		(n), 0, (why)                                                                      \
	}
#define INFERRED(n, why)                                                                           \
	{                                                                                          \
		(n), 1, (why)                                                                      \
	}

/* The guest's kernel is the same in both models. */
#define GUEST_PRICES                                                                               \
	[DAV2M_SIM_GUEST_FAULT] =                                                                  \
		INFERRED(2639, "Aim9 page_test: 1.86e9 / 590226 per page, less clearing"),         \
	[DAV2M_SIM_GUEST_CLEAR] = INFERRED(512, "4096 bytes at 8 bytes a cycle"),                  \
	[DAV2M_SIM_GUEST_SYSCALL] = INFERRED(593, "Aim9 brk_test: 1.86e9 / 3133755 per call"),     \
	[DAV2M_SIM_GUEST_PTE] = INFERRED(50, "a few dozen instructions per entry in Linux 2.6"),   \
	[DAV2M_SIM_GUEST_SWITCH] = INFERRED(2000, "about 1 us at 2 GHz, the usual figure then"),   \
	[DAV2M_SIM_GUEST_FORK] =                                                                   \
		INFERRED(100000, "Aim9 fork_test: 1.86e9 / 9215 for fork, exit and wait; half"),   \
	[DAV2M_SIM_GUEST_EXEC] =                                                                   \
		INFERRED(400000, "Aim9 exec_test: 1.86e9 / 1144, less fork, exit and faults"),     \
	[DAV2M_SIM_GUEST_EXIT] =                                                                   \
		INFERRED(60000, "Aim9 fork_test: what fork and the page tables leave")

static const struct dav2m_sim_cost costs[] = {
	{
		.name = "palacios2011",
		.about = "Palacios as the DAV2M paper describes it: cached shadow tables, virtual "
			 "TLB, large nested pages",
		.shadowing = DAV2M_SIM_UNSYNCING,
		.nested_page = DAV2M_SIM_2M,
		.price =
			{
				[DAV2M_SIM_INSTRUCTION] =
					INFERRED(1, "CPI of code that neither misses nor exits"),
				[DAV2M_SIM_TLB_L2_HIT] = INFERRED(5, "a few cycles on family 10h"),
				[DAV2M_SIM_WALK_REF] =
					INFERRED(12, "an L2-cache hit on family 10h: page-table "
						     "entries are cached beyond L1"),
				[DAV2M_SIM_WALK_CACHED] =
					INFERRED(2, "a look-up inside the walker"),
				[DAV2M_SIM_EXIT] =
					STATED(1000, "DAV2M section 2: in excess of 1000 cycles"),
				[DAV2M_SIM_INJECT] =
					STATED(368, "Xen: exit \"not a shadow fault\""),
				[DAV2M_SIM_FILL] = STATED(3823, "Xen: exit \"fault fixed\""),
				[DAV2M_SIM_EMULATE] =
					STATED(3823, "Xen: exit \"fault fixed\", which "
						     "includes sh_x86_emulate_write"),
				[DAV2M_SIM_UNSYNC] =
					INFERRED(3823, "Xen: a write fault that is fixed"),
				[DAV2M_SIM_RESYNC] =
					INFERRED(1024, "512 entries compared, 2 cycles each"),
				[DAV2M_SIM_INVLPG] = STATED(143, "Xen: sh_invlpg 142.8"),
				[DAV2M_SIM_CR3] = STATED(1018, "Xen: sh_update_cr3 1017.7"),
				[DAV2M_SIM_MAKE] = STATED(5266, "Xen: sh_make_shadow 5266.2"),
				[DAV2M_SIM_REMOVE] = STATED(
					23912, "Xen: sh_remove_l1_shadow 23911.9 (Windows run)"),
				[DAV2M_SIM_DROP] =
					INFERRED(512, "clearing 4 KB at 8 bytes a cycle"),
				[DAV2M_SIM_NESTED_FILL] =
					INFERRED(3823, "as a shadow fill; no source prices it"),
				[DAV2M_SIM_SAMPLE] =
					INFERRED(500, "four counter reads and a decision"),
				[DAV2M_SIM_MODE_SWITCH] =
					INFERRED(2000, "a dozen control-block fields and a flush"),
				GUEST_PRICES,
			},
	},
	{
		.name = "xen304",
		.about = "Xen 3.0.4: every write to a shadowed table is emulated and propagated",
		.shadowing = DAV2M_SIM_EMULATING,
		.nested_page = DAV2M_SIM_4K,
		.price =
			{
				[DAV2M_SIM_INSTRUCTION] =
					INFERRED(1, "CPI of code that neither misses nor exits"),
				[DAV2M_SIM_TLB_L2_HIT] = INFERRED(5, "a few cycles"),
				[DAV2M_SIM_WALK_REF] = INFERRED(14, "an L2-cache hit on Core 2"),
				[DAV2M_SIM_WALK_CACHED] =
					INFERRED(2, "a look-up inside the walker"),
				[DAV2M_SIM_EXIT] = INFERRED(
					1579, "VT-x round trip on this core (Agesen et al., "
					      "USENIX ATC 2012); the study itself is silent"),
				[DAV2M_SIM_INJECT] = STATED(368, "exit \"not a shadow fault\""),
				[DAV2M_SIM_FILL] = STATED(3823, "exit \"fault fixed\""),
				[DAV2M_SIM_EMULATE] = STATED(3823, "exit \"fault fixed\", which "
								   "includes sh_x86_emulate_write"),
				[DAV2M_SIM_UNSYNC] =
					INFERRED(3823, "not used: tables stay in sync"),
				[DAV2M_SIM_RESYNC] =
					INFERRED(1024, "not used: tables stay in sync"),
				[DAV2M_SIM_INVLPG] = STATED(143, "sh_invlpg 142.8"),
				[DAV2M_SIM_CR3] = STATED(1018, "sh_update_cr3 1017.7"),
				[DAV2M_SIM_MAKE] = STATED(5266, "sh_make_shadow 5266.2"),
				[DAV2M_SIM_REMOVE] =
					STATED(23912, "sh_remove_l1_shadow 23911.9 (Windows run)"),
				[DAV2M_SIM_DROP] =
					INFERRED(512, "clearing 4 KB at 8 bytes a cycle"),
				[DAV2M_SIM_NESTED_FILL] = INFERRED(
					3823, "as a shadow fill; this Xen had no nested paging"),
				[DAV2M_SIM_SAMPLE] =
					INFERRED(500, "four counter reads and a decision"),
				[DAV2M_SIM_MODE_SWITCH] =
					INFERRED(2000, "a dozen control-block fields and a flush"),
				GUEST_PRICES,
			},
	},
};

const struct dav2m_sim_cost *dav2m_sim_cost(size_t index)
{
	return index < sizeof(costs) / sizeof(costs[0]) ? &costs[index] : NULL;
}

const struct dav2m_sim_cost *dav2m_sim_cost_find(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < sizeof(costs) / sizeof(costs[0]); i++)
		if (strcmp(costs[i].name, name) == 0)
			return &costs[i];
	return NULL;
}
