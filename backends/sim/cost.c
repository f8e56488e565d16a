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

/* Each entry is written once to map and once to unmap: in the Xen study's Debian run, two faults
   that are fixed go with each one that was the guest's own. That both are emulated writes is
   inferred: the study counts half of them as such, and does not say what the others fixed;
   docs/simulator.md tells more. */
#define LINUX_WRITES .map_writes = 1, .unmap_writes = 1

/* Linux 2.6 as a guest. */
#define GUEST_PRICES                                                                               \
	GUEST_PRICES_BUT_FAULT, [DAV2M_SIM_GUEST_FAULT] = INFERRED(                                \
					2639,                                                      \
					"Aim9 page_test: 1.86e9 / 590226 per page, less clearing")
#define GUEST_PRICES_BUT_FAULT                                                                     \
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

/*
 * A 7200/min disk of 2006, which no source names: 8.5 ms to seek and half a turn of 4.2 ms, 60 MB/s
 * (68 us for a page); in cycles of the machine that the model was measured on.
 */
#define DISK_PRICES(mhz)                                                                           \
	[DAV2M_SIM_SWAP_SEEK] = INFERRED(12700u * (mhz), "a 7200/min disk: 8.5 ms seek, 4.2 ms "   \
							 "half a turn"),                           \
	[DAV2M_SIM_SWAP_PAGE] = INFERRED(68u * (mhz), "4 KB at 60 MB/s")

/* What both Xen models share. */
#define XEN_PRICES                                                                                 \
	[DAV2M_SIM_INSTRUCTION] = INFERRED(1, "CPI of code that neither misses nor exits"),        \
	[DAV2M_SIM_TLB_L2_HIT] = INFERRED(5, "a few cycles"),                                      \
	[DAV2M_SIM_WALK_REF] = INFERRED(14, "an L2-cache hit on Core 2"),                          \
	[DAV2M_SIM_WALK_CACHED] = INFERRED(2, "a look-up inside the walker"),                      \
	[DAV2M_SIM_EXIT] = INFERRED(1579, "VT-x round trip on this core (Agesen et al., USENIX "   \
					  "ATC 2012); the study itself is silent"),                \
	[DAV2M_SIM_UNSYNC] = INFERRED(3823, "not used: tables stay in sync"),                      \
	[DAV2M_SIM_RESYNC] = INFERRED(1024, "not used: tables stay in sync"),                      \
	[DAV2M_SIM_REMOVE] = STATED(23912, "sh_remove_l1_shadow 23911.9 (Windows run)"),           \
	[DAV2M_SIM_DROP] = INFERRED(512, "clearing 4 KB at 8 bytes a cycle"),                      \
	[DAV2M_SIM_NESTED_FILL] =                                                                  \
		INFERRED(3823, "as a shadow fill; this Xen had no nested paging"),                 \
	[DAV2M_SIM_SAMPLE] = INFERRED(500, "four counter reads and a decision"),                   \
	[DAV2M_SIM_MODE_SWITCH] = INFERRED(2000, "a dozen control-block fields and a flush"),      \
	DISK_PRICES(1860)

/* Nobody has published these for a current machine; they are orders of magnitude. */
#define MODERN_PRICES                                                                              \
	[DAV2M_SIM_INSTRUCTION] = INFERRED(1, "CPI of code that neither misses nor exits"),        \
	[DAV2M_SIM_TLB_L2_HIT] = INFERRED(7, "a few cycles on current cores"),                     \
	[DAV2M_SIM_WALK_REF] = INFERRED(14, "an L2-cache hit"),                                    \
	[DAV2M_SIM_WALK_CACHED] = INFERRED(1, "a look-up inside the walker"),                      \
	[DAV2M_SIM_INJECT] = INFERRED(500, "a software walk of the guest's tables"),               \
	[DAV2M_SIM_FILL] = INFERRED(2000, "software walk, memory-slot look-up, lock, entry"),      \
	[DAV2M_SIM_EMULATE] = INFERRED(3000, "decoding and emulating one instruction"),            \
	[DAV2M_SIM_UNSYNC] = INFERRED(2000, "as a fill"),                                          \
	[DAV2M_SIM_RESYNC] = INFERRED(1024, "512 entries compared, 2 cycles each"),                \
	[DAV2M_SIM_INVLPG] = INFERRED(500, "finding and following one entry"),                     \
	[DAV2M_SIM_CR3] = INFERRED(800, "finding a cached root"),                                  \
	[DAV2M_SIM_MAKE] = INFERRED(2000, "allocating, hashing, write-protecting"),                \
	[DAV2M_SIM_REMOVE] = INFERRED(4000, "unlinking a table found by reverse map"),             \
	[DAV2M_SIM_DROP] = INFERRED(512, "clearing 4 KB at 8 bytes a cycle"),                      \
	[DAV2M_SIM_NESTED_FILL] = INFERRED(2000, "as a fill"),                                     \
	[DAV2M_SIM_SAMPLE] = INFERRED(500, "four counter reads and a decision"),                   \
	[DAV2M_SIM_MODE_SWITCH] = INFERRED(3000, "a dozen control fields and a flush"),            \
	[DAV2M_SIM_SWAP_SEEK] = INFERRED(250000, "a flash drive's 100 us to answer, at 2.5 GHz"),  \
	[DAV2M_SIM_SWAP_PAGE] = INFERRED(5000, "4 KB at 2 GB/s"), GUEST_PRICES

static const struct dav2m_sim_cost costs[] = {
	{
		.name = "palacios2011",
		.about = "Palacios as the DAV2M paper describes it: cached shadow tables, virtual "
			 "TLB, large nested pages",
		.shadowing = DAV2M_SIM_UNSYNCING,
		.nested_page = DAV2M_SIM_2M,
		LINUX_WRITES,
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
				DISK_PRICES(2000),
			},
	},
	{
		.name = "xen304",
		.about = "Xen 3.0.4: every write to a shadowed table is emulated and propagated",
		.shadowing = DAV2M_SIM_EMULATING,
		.nested_page = DAV2M_SIM_4K,
		LINUX_WRITES,
		.price =
			{
				XEN_PRICES,
				[DAV2M_SIM_INJECT] =
					STATED(368, "exit \"not a shadow fault\" 368.0"),
				[DAV2M_SIM_FILL] = STATED(3823, "exit \"fault fixed\" 3823.1"),
				[DAV2M_SIM_EMULATE] =
					STATED(3823, "exit \"fault fixed\" 3823.1, which "
						     "includes sh_x86_emulate_write"),
				[DAV2M_SIM_INVLPG] = STATED(143, "sh_invlpg 142.8"),
				[DAV2M_SIM_CR3] = STATED(1018, "sh_update_cr3 1017.7"),
				[DAV2M_SIM_MAKE] = STATED(5266, "sh_make_shadow 5266.2"),
				GUEST_PRICES,
			},
	},
	{
		.name = "xen304-windows",
		.about = "Xen 3.0.4 under Windows XP: the guest writes its entries seven times",
		.shadowing = DAV2M_SIM_EMULATING,
		.nested_page = DAV2M_SIM_4K,
		/* 75,278,737 emulated writes for 10,780,573 faults of the guest's own; how they
		   divide between mapping and unmapping is inferred. */
		.map_writes = 4,
		.unmap_writes = 3,
		.price =
			{
				XEN_PRICES,
				[DAV2M_SIM_INJECT] =
					STATED(363, "exit \"not a shadow fault\" 363.1"),
				[DAV2M_SIM_FILL] = STATED(4437, "exit \"fault fixed\" 4436.9"),
				[DAV2M_SIM_EMULATE] =
					STATED(4437, "exit \"fault fixed\" 4436.9, which "
						     "includes sh_x86_emulate_write"),
				[DAV2M_SIM_INVLPG] = STATED(127, "sh_invlpg 126.9"),
				[DAV2M_SIM_CR3] = STATED(580, "sh_update_cr3 579.5"),
				[DAV2M_SIM_MAKE] = STATED(4729, "sh_make_shadow 4729.4"),
				GUEST_PRICES_BUT_FAULT,
				[DAV2M_SIM_GUEST_FAULT] = INFERRED(
					4840,
					"as Linux, and what a page of MemoryMotion takes more on "
					"Windows: 46 s / 10.8e6 - 33 s / 10.7e6"),
			},
	},
	{
		.name = "modern",
		.about = "a current server with a KVM-like VMM: virtual TLB, large nested pages",
		.shadowing = DAV2M_SIM_UNSYNCING,
		.nested_page = DAV2M_SIM_2M,
		LINUX_WRITES,
		.price =
			{
				MODERN_PRICES,
				[DAV2M_SIM_EXIT] = INFERRED(1300, "exit and entry with the usual "
								  "mitigations"),
			},
	},
	{
		.name = "nested-cloud",
		.about = "the same inside a cloud's virtual machine: every exit ten times as dear",
		.shadowing = DAV2M_SIM_UNSYNCING,
		.nested_page = DAV2M_SIM_2M,
		LINUX_WRITES,
		.price =
			{
				MODERN_PRICES,
				[DAV2M_SIM_EXIT] =
					INFERRED(13000, "ten times modern: each exit goes "
							"through the outer VMM"),
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
