/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What several vCPUs cost each other, and the policies. Data only. "SOSP" is Barham et al., "Xen
 * and the Art of Virtualization", SOSP 2003, whose lmbench table was measured at 2.4 GHz. The
 * policies are those of the Xen study (smp.h), which states no prices: all here are inferred.
 */
#include <string.h>

#include <dav2m/sim/smp.h>

#define INFERRED(n, why)                                                                           \
	{                                                                                          \
		(n), 1, (why)                                                                      \
	}

static const struct dav2m_smp_cost costs[] = {
	{
		.name = "xen3-smp",
		.about = "Xen 3.0 on a 16-way server of 2006, four nodes of four",
		/* Xen's credit scheduler's; the study names no scheduler. */
		.slice_ms = 30,
		.price =
			{
				[DAV2M_SMP_LOCK] = INFERRED(50, "one locked instruction"),
				[DAV2M_SMP_LINE] =
					INFERRED(200, "another socket's cache, about 100 ns"),
				[DAV2M_SMP_IPI_SEND] =
					INFERRED(150, "an uncached write to the local APIC"),
				[DAV2M_SMP_IPI_DELIVER] =
					INFERRED(700, "APIC bus and the target's interrupt entry"),
				[DAV2M_SMP_IPI_HANDLE] =
					INFERRED(800, "trap, handler, end of interrupt, return"),
				[DAV2M_SMP_TLB_FLUSH] = INFERRED(300, "a CR3 write"),
				[DAV2M_SMP_VCPU_SWITCH] =
					INFERRED(4000, "registers, descriptor tables, a CR3 write"),
				[DAV2M_SMP_GUEST_LOCK] =
					INFERRED(30, "a short critical section, such as a look-up "
						     "in the directory cache, and its share of "
						     "calls"),
				[DAV2M_SMP_BOUNCE] = INFERRED(
					816, "SOSP table 5: protection fault, 1.06 -> 1.40 "
					     "us at 2.4 GHz"),
				[DAV2M_SMP_HYPERCALL] =
					INFERRED(408, "half a bounce: in and out once"),
				[DAV2M_SMP_EMULATE] = INFERRED(
					1620, "SOSP table 5: page fault, 1.42 -> 2.73 us "
					      "= 3144 cycles at 2.4 GHz, less bounce, trap "
					      "and verification"),
				[DAV2M_SMP_VERIFY] =
					INFERRED(300, "two atomic counts of the page's owner, and "
						      "a cache miss on them"),
				[DAV2M_SMP_COMPARE] =
					INFERRED(2, "as in the other cost models: 512 entries, "
						    "1024 cycles"),
				[DAV2M_SMP_COPY] = INFERRED(512, "4096 bytes at 8 bytes a cycle"),
				[DAV2M_SMP_ATTACH] =
					INFERRED(200, "map the table, change one entry, INVLPG"),
				[DAV2M_SMP_STORE_LOCAL] =
					INFERRED(30, "one core streaming 4 GB/s at 2 GHz"),
				[DAV2M_SMP_STORE_REMOTE] =
					INFERRED(30, "60 ns more, four lines under way"),
				[DAV2M_SMP_CONTROLLER] =
					INFERRED(24, "fetch and write back, two channels of "
						     "DDR2-667: 10.6 GB/s at 2 GHz"),
				[DAV2M_SMP_PORT] =
					INFERRED(32, "4 GB/s at 2 GHz each way: HyperTransport of "
						     "1 GHz, 16 bits"),
			},
	},
};

const struct dav2m_smp_cost *dav2m_smp_cost(size_t index)
{
	return index < sizeof(costs) / sizeof(costs[0]) ? &costs[index] : NULL;
}

const struct dav2m_smp_cost *dav2m_smp_cost_find(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < sizeof(costs) / sizeof(costs[0]); i++)
		if (strcmp(costs[i].name, name) == 0)
			return &costs[i];
	return NULL;
}

static const struct dav2m_smp_policy policies[] = {
	{"native", "no VMM", DAV2M_SIM_NATIVE, 0},
	{"domain-lock", "direct paging: writable page tables and one lock per domain",
	 DAV2M_SIM_NATIVE, DAV2M_SMP_DIRECT},
	{"per-vcpu", "the same, writable page tables and a lock for them per vCPU",
	 DAV2M_SIM_NATIVE, DAV2M_SMP_DIRECT | DAV2M_SMP_PER_VCPU},
	{"flush-clock", "the same, flush IPIs filtered by the flush clock", DAV2M_SIM_NATIVE,
	 DAV2M_SMP_DIRECT | DAV2M_SMP_PER_VCPU | DAV2M_SMP_FLUSH_CLOCK},
	{"immediate", "the same, each write verified at once, no table detached", DAV2M_SIM_NATIVE,
	 DAV2M_SMP_DIRECT | DAV2M_SMP_PER_VCPU | DAV2M_SMP_FLUSH_CLOCK | DAV2M_SMP_IMMEDIATE},
	{"same-context", "per-vcpu, flushes only of CPUs in the same address space (proposed)",
	 DAV2M_SIM_NATIVE, DAV2M_SMP_DIRECT | DAV2M_SMP_PER_VCPU | DAV2M_SMP_SAME_CONTEXT},
	{"shadow", "shadow paging, exits handled under one lock per domain", DAV2M_SIM_SHADOW, 0},
	{"nested", "nested paging, exits handled under one lock per domain", DAV2M_SIM_NESTED, 0},
};

const struct dav2m_smp_policy *dav2m_smp_policy(size_t index)
{
	return index < sizeof(policies) / sizeof(policies[0]) ? &policies[index] : NULL;
}

const struct dav2m_smp_policy *dav2m_smp_policy_find(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < sizeof(policies) / sizeof(policies[0]); i++)
		if (strcmp(policies[i].name, name) == 0)
			return &policies[i];
	return NULL;
}

#define NAME(table, i) ((size_t)(i) < sizeof(table) / sizeof((table)[0]) ? (table)[(i)] : "?")

const char *dav2m_smp_item_name(enum dav2m_smp_item item)
{
	static const char *const name[] = {
		"lock",	       "line",	       "ipi_send",   "ipi_deliver", "ipi_handle",
		"tlb_flush",   "vcpu_switch",  "guest_lock", "bounce",	    "hypercall",
		"emulate",     "verify",       "compare",    "copy",	    "attach",
		"store_local", "store_remote", "controller", "port"};

	return NAME(name, item);
}

const char *dav2m_smp_lock_name(enum dav2m_smp_lock lock)
{
	static const char *const name[] = {"domain", "vcpu", "flush", "kernel", "shootdown"};

	return NAME(name, lock);
}

const char *dav2m_smp_placement_name(enum dav2m_smp_placement placement)
{
	static const char *const name[] = {"anywhere", "local", "interleaved", "remote"};

	return NAME(name, placement);
}
