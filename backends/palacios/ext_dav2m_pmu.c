/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters from Palacios' PMU interface, read on the core's own thread.
 *
 * The PMU counts whatever its processor runs, host and guest alike, and the library wants
 *
 *     progress    guest instructions: from just before an entry to just after the exit
 *     cycles      guest and VMM (paper, section 4), but not while the guest is halted, when the
 *                 processor works for others
 *     TLB misses  as the cycles
 *
 * Instructions are therefore read twice per exit, the other two only at samples and around
 * halts: on AMD each read is up to five MSR accesses.
 *
 * Not used: Palacios' PMU telemetry. It resets what it reads at every entry.
 */
#include "ext_dav2m.h"

#ifdef V3_CONFIG_HOST_PMU

#include <interfaces/vmm_pmu.h>

/* Set by the host's module, or NULL. No header declares it. */
extern struct v3_pmu_iface *palacios_pmu;

/* Counters are 48 bits wide on AMD; a longer stretch than 2^40 is a counter that was reset. */
#define COUNTER_MASK 0xffffffffffffull
#define MAX_STRETCH  (1ull << 40)

static const v3_pmon_ctr_t event[EXT_DAV2M_PMU_COUNTERS] = {
	V3_PMON_RETIRED_INST_COUNT, /* EXT_DAV2M_INSTRUCTIONS */
	V3_PMON_CLOCK_COUNT,	    /* EXT_DAV2M_CYCLES */
	V3_PMON_TLB_MISS_COUNT,	    /* EXT_DAV2M_TLB_MISSES */
};

static void begin(struct ext_dav2m_pmu *pmu, unsigned int i)
{
	pmu->last[i] = v3_pmu_get_value(event[i]);
}

/* Ends the running stretch, counts it, and begins the next where it ended. */
static void count(struct ext_dav2m_pmu *pmu, unsigned int i)
{
	const uint64_t now = v3_pmu_get_value(event[i]);
	const uint64_t stretch = (now - pmu->last[i]) & COUNTER_MASK;

	pmu->last[i] = now;
	if (stretch < MAX_STRETCH)
		pmu->sum[i] += stretch;
}

static void stop_first(unsigned int n)
{
	while (n--)
		v3_pmu_stop_tracking(event[n]);
	v3_pmu_deinit();
}

/* Every entry point is asserted on by a loop without end, so each is looked at first. */
static int usable(const struct v3_pmu_iface *pmu)
{
	return pmu && pmu->init && pmu->deinit && pmu->start_tracking && pmu->stop_tracking &&
	       pmu->get_value;
}

static const char *start_counters(struct ext_dav2m_pmu *pmu)
{
	unsigned int i;

	if (!usable(palacios_pmu))
		return "this host offers no PMU";
	v3_pmu_init();
	for (i = 0; i < EXT_DAV2M_PMU_COUNTERS; i++) {
		if (v3_pmu_start_tracking(event[i])) {
			stop_first(i);
			return "the PMU has no slot left for instructions, cycles and TLB misses";
		}
	}
	for (i = 0; i < EXT_DAV2M_PMU_COUNTERS; i++)
		begin(pmu, i);
	return NULL;
}

/*
 * Counters belong to a processor, core_init runs on another thread, and a core may be moved: so
 * they are started here, and again wherever the core wakes up. The old processor's slots are
 * given back from afar.
 */
void ext_dav2m_pmu_start(struct ext_dav2m_core *c)
{
	struct ext_dav2m_pmu *pmu = &c->pmu;
	const uint32_t cpu = V3_Get_CPU();
	const char *why;

	if (pmu->tried && pmu->cpu == cpu)
		return;
	ext_dav2m_pmu_stop(c);
	pmu->cpu = cpu;
	why = start_counters(pmu);
	pmu->started = !why;
	if (why && !pmu->tried)
		PrintError(c->core->vm_info, c->core,
			   "dav2m: %s: dav2m only advises, the paging mode stays\n", why);
	pmu->tried = 1;
}

void ext_dav2m_pmu_before_entry(struct ext_dav2m_core *c)
{
	if (c->pmu.started)
		begin(&c->pmu, EXT_DAV2M_INSTRUCTIONS);
}

/* A halt begins: what the VMM did for this guest so far counts, what follows does not. */
void ext_dav2m_pmu_after_exit(struct ext_dav2m_core *c)
{
	if (!c->pmu.started)
		return;
	count(&c->pmu, EXT_DAV2M_INSTRUCTIONS);
	if (c->halted) {
		count(&c->pmu, EXT_DAV2M_CYCLES);
		count(&c->pmu, EXT_DAV2M_TLB_MISSES);
	}
}

void ext_dav2m_pmu_idle(struct ext_dav2m_core *c)
{
	unsigned int i;

	for (i = 0; c->pmu.started && i < EXT_DAV2M_PMU_COUNTERS; i++)
		begin(&c->pmu, i);
}

void ext_dav2m_pmu_sample(struct ext_dav2m_core *c)
{
	if (!c->pmu.started)
		return;
	count(&c->pmu, EXT_DAV2M_CYCLES);
	count(&c->pmu, EXT_DAV2M_TLB_MISSES);
}

static void stop_here(void *unused)
{
	(void)unused;
	stop_first(EXT_DAV2M_PMU_COUNTERS);
}

/* From any thread: slots that are not given back are missing for the next VM. */
void ext_dav2m_pmu_stop(struct ext_dav2m_core *c)
{
	if (c->pmu.started)
		V3_Call_On_CPU(c->pmu.cpu, stop_here, NULL);
	c->pmu.started = 0;
}

#else

/* Palacios was configured without the interface. */
void ext_dav2m_pmu_start(struct ext_dav2m_core *c)
{
	if (!c->pmu.tried)
		PrintError(c->core->vm_info, c->core,
			   "dav2m: Palacios was built without HOST_PMU: dav2m only advises, the "
			   "paging mode stays\n");
	c->pmu.tried = 1;
}

void ext_dav2m_pmu_before_entry(struct ext_dav2m_core *c)
{
	(void)c;
}

void ext_dav2m_pmu_after_exit(struct ext_dav2m_core *c)
{
	(void)c;
}

void ext_dav2m_pmu_idle(struct ext_dav2m_core *c)
{
	(void)c;
}

void ext_dav2m_pmu_sample(struct ext_dav2m_core *c)
{
	(void)c;
}

void ext_dav2m_pmu_stop(struct ext_dav2m_core *c)
{
	(void)c;
}

#endif
