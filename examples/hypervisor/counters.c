/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What counters there are: those that an emulated machine publishes in COUNTER_PAGE
 * (plugin/machine_counters.c), or the performance counters of an AMD processor, or none.
 */
#include <string.h>

#include "hypervisor.h"

/* One VMRUN and one #VMEXIT. Bae, Lange, Dinda (ICAC 2011), section 3: "in excess of 1000 cycles on
   typical AMD or Intel hardware". What handling the exit takes is not in here: those
   instructions are executed and counted. */
#define WORLD_SWITCH_CYCLES 1000

/* Performance counters, AMD64 Architecture Programmer's Manual volume 2, 13.2. */
#define MSR_PERF_CTL	0xc0010000
#define MSR_PERF_CTR	0xc0010004
#define PERF_GUEST_ONLY (1ull << 40)
#define PERF_ENABLE	(1ull << 22 | 1ull << 17 | 1ull << 16) /* kernel and user */
#define EVENT_RETIRED	0xc0
#define EVENT_CYCLES	0x76
#define EVENT_DTLB_10H	0x746  /* family 10h: L1 and L2 DTLB miss, all page sizes */
#define EVENT_DTLB_17H	0xf045 /* family 17h on: L1 DTLB miss that also missed L2 */
#define FAMILY_17H	0x17

enum { SOURCE_NONE, SOURCE_PAGE, SOURCE_PMU };

static struct counter_page *const page = (struct counter_page *)COUNTER_PAGE;
static int source;

extern const char library_start[], library_end[];

static uint32_t cpu_family(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return (a >> 8 & 15) + (a >> 20 & 255);
}

/* Starts the counters, and believes in them only if the one for cycles moves. */
static bool pmu_start(void)
{
	uint64_t dtlb = cpu_family() >= FAMILY_17H ? EVENT_DTLB_17H : EVENT_DTLB_10H;

	msr_write(MSR_PERF_CTL + 0, EVENT_RETIRED | PERF_ENABLE | PERF_GUEST_ONLY);
	msr_write(MSR_PERF_CTL + 1, EVENT_CYCLES | PERF_ENABLE);
	msr_write(MSR_PERF_CTL + 2, dtlb | PERF_ENABLE | PERF_GUEST_ONLY);
	msr_write(MSR_PERF_CTR + 1, 0);
	for (volatile int i = 0; i < 1000; i++)
		;
	return msr_read(MSR_PERF_CTR + 1) != 0;
}

void counters_init(const struct vmcb *vmcb)
{
	if (page->magic == COUNTER_MAGIC) {
		page->vmcb = (uint64_t)vmcb;
		page->library_start = (uint64_t)library_start;
		page->library_end = (uint64_t)library_end;
		source = SOURCE_PAGE;
	} else if (pmu_start()) {
		source = SOURCE_PMU;
	}
}

const char *counters_name(void)
{
	static const char *const name[] = {"none", "published by the machine", "AMD PMU"};

	return name[source];
}

static void page_read(struct counters *ret)
{
	*ret = (struct counters){
		.guest_instructions = page->guest_instructions,
		.cycles = page->guest_instructions + page->host_instructions + page->walk_cycles +
			  WORLD_SWITCH_CYCLES * page->world_switches,
		.tlb_misses = page->tlb_misses,
		.walk_cycles = page->walk_cycles,
		.has_walk_cycles = true,
	};
}

static void pmu_read(struct counters *ret)
{
	*ret = (struct counters){
		.guest_instructions = msr_read(MSR_PERF_CTR + 0),
		.cycles = msr_read(MSR_PERF_CTR + 1),
		.tlb_misses = msr_read(MSR_PERF_CTR + 2),
	};
}

/* Answers false where there is nothing to count with. */
bool counters_read(struct counters *ret_counters)
{
	if (source == SOURCE_PAGE)
		page_read(ret_counters);
	else if (source == SOURCE_PMU)
		pmu_read(ret_counters);
	return source != SOURCE_NONE;
}

void counters_print(void)
{
	struct counters c;

	if (!counters_read(&c))
		return;
	print("counters: %u cycles, %u guest instructions, %u tlb misses, %u walk cycles\n",
	      c.cycles, c.guest_instructions, c.tlb_misses, c.walk_cycles);
	if (source != SOURCE_PAGE)
		return;
	print("machine: %u host instructions, %u world switches, %u tlb flushes, %u library "
	      "instructions\n",
	      page->host_instructions, page->world_switches, page->tlb_flushes,
	      page->library_instructions);
}
