/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which events count what, for each processor family: data, and nothing else.
 *
 * For each family the rows come in the order in which they matter, because the group takes what
 * fits: cycles first. Two fixed counters hold cycles and instructions on Intel; up to Broadwell
 * and Skylake, four general ones are left with two threads per core, so there only load misses
 * are counted (stores miss far less often) and flushes may not fit. From Ice Lake on there are
 * eight. AMD has six (four before family 15h), and no event of walk cycles.
 *
 * On Skylake-class parts WALK_ACTIVE leaves out the second dimension of nested paging; the EPT
 * event adds it. Haswell and Broadwell have the same pair under other names. From Ice Lake on no
 * EPT event is listed: whether WALK_ACTIVE covers both dimensions there is not documented, so
 * nested walks may be counted too low.
 */
#include <dav2m/kvm/perf.h>

#define CYCLES(pmu, name)                                                                          \
	{                                                                                          \
		pmu, DAV2M_CYCLES, name, DAV2M_KVM_HOST_AND_GUEST                                  \
	}
#define GUEST(pmu, counter, name)                                                                  \
	{                                                                                          \
		pmu, counter, name, DAV2M_KVM_GUEST_ONLY                                           \
	}

#define INTEL_CORE(pmu)                                                                            \
	CYCLES(pmu, "UNHALTED_CORE_CYCLES"), GUEST(pmu, DAV2M_PROGRESS, "INSTRUCTION_RETIRED")

#define INTEL_HASWELL(pmu)                                                                         \
	INTEL_CORE(pmu), GUEST(pmu, DAV2M_TLB_MISSES, "DTLB_LOAD_MISSES:MISS_CAUSES_A_WALK"),      \
		GUEST(pmu, DAV2M_WALK_CYCLES, "DTLB_LOAD_MISSES:WALK_DURATION"),                   \
		GUEST(pmu, DAV2M_WALK_CYCLES, "DTLB_STORE_MISSES:WALK_DURATION"),                  \
		GUEST(pmu, DAV2M_WALK_CYCLES, "EPT:WALK_CYCLES"),                                  \
		GUEST(pmu, DAV2M_TLB_FLUSHES, "TLB_FLUSH:STLB_ANY")

#define INTEL_SKYLAKE(pmu)                                                                         \
	INTEL_CORE(pmu), GUEST(pmu, DAV2M_TLB_MISSES, "DTLB_LOAD_MISSES:MISS_CAUSES_A_WALK"),      \
		GUEST(pmu, DAV2M_WALK_CYCLES, "DTLB_LOAD_MISSES:WALK_ACTIVE"),                     \
		GUEST(pmu, DAV2M_WALK_CYCLES, "DTLB_STORE_MISSES:WALK_ACTIVE"),                    \
		GUEST(pmu, DAV2M_WALK_CYCLES, "EPT:WALK_PENDING"),                                 \
		GUEST(pmu, DAV2M_TLB_FLUSHES, "TLB_FLUSH:STLB_ANY")

#define INTEL_ICELAKE(pmu)                                                                         \
	INTEL_CORE(pmu), GUEST(pmu, DAV2M_TLB_MISSES, "DTLB_LOAD_MISSES:WALK_COMPLETED"),          \
		GUEST(pmu, DAV2M_TLB_MISSES, "DTLB_STORE_MISSES:WALK_COMPLETED"),                  \
		GUEST(pmu, DAV2M_WALK_CYCLES, "DTLB_LOAD_MISSES:WALK_ACTIVE"),                     \
		GUEST(pmu, DAV2M_WALK_CYCLES, "DTLB_STORE_MISSES:WALK_ACTIVE")

#define AMD_ZEN(pmu)                                                                               \
	CYCLES(pmu, "CYCLES_NOT_IN_HALT"), GUEST(pmu, DAV2M_PROGRESS, "RETIRED_INSTRUCTIONS"),     \
		GUEST(pmu, DAV2M_TLB_MISSES, "L1_DTLB_MISS:TLB_RELOAD_4K_L2_MISS"),                \
		GUEST(pmu, DAV2M_TLB_MISSES, "L1_DTLB_MISS:TLB_RELOAD_2M_L2_MISS")

static const struct dav2m_kvm_event rows[] = {
	INTEL_HASWELL("hsw"),
	INTEL_HASWELL("hsw_ep"),
	INTEL_HASWELL("bdw"),
	INTEL_HASWELL("bdw_ep"),
	INTEL_SKYLAKE("skl"),
	INTEL_SKYLAKE("skx"),
	INTEL_SKYLAKE("clx"),
	INTEL_ICELAKE("icl"),
	INTEL_ICELAKE("icx"),
	INTEL_ICELAKE("spr"),
	CYCLES("amd64_fam10h_barcelona", "CPU_CLK_UNHALTED"),
	GUEST("amd64_fam10h_barcelona", DAV2M_PROGRESS, "RETIRED_INSTRUCTIONS"),
	GUEST("amd64_fam10h_barcelona", DAV2M_TLB_MISSES, "L1_DTLB_AND_L2_DTLB_MISS:ALL"),
	AMD_ZEN("amd64_fam17h_zen1"),
	AMD_ZEN("amd64_fam17h_zen2"),
	GUEST("amd64_fam17h_zen2", DAV2M_TLB_FLUSHES, "TLB_FLUSHES:ALL"),
	AMD_ZEN("amd64_fam19h_zen3"),
	GUEST("amd64_fam19h_zen3", DAV2M_TLB_FLUSHES, "TLB_FLUSHES:ALL"),
	AMD_ZEN("amd64_fam19h_zen4"),
	GUEST("amd64_fam19h_zen4", DAV2M_TLB_FLUSHES, "TLB_FLUSHES:ALL"),
};

const struct dav2m_kvm_event *dav2m_kvm_event(size_t index)
{
	return index < sizeof(rows) / sizeof(rows[0]) ? &rows[index] : NULL;
}
