/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sample: what a VMM reads from its counters, raw and cumulative.
 *
 * The VMM hands in counters as they stand. The library takes the differences and follows
 * wrap-around (config.counter_bits), so a VMM never has to reset or subtract. Its side is:
 *
 *  - Between two samples no counter moves by half its range, nor by 2^40: with 32 bits at 3 GHz a
 *    sample each 0.7 s. Beyond that a sample is refused, as a reset or a jump, and a new start;
 *    whole ranges are lost unseen.
 *  - A counter that runs backwards has been reset, but for a little: up to an eighth of what it
 *    still shows and of what others of the sample went forward by is the noise of an estimate.
 *    The counter is held until it has passed where it was. Where events share a PMU, scale what
 *    each has counted between two reads and add that up: such a count never runs backwards.
 *  - Where counters do not go on from where they were (restore, migration, a PMU that somebody else
 *    had), dav2m_rebase() or dav2m_domain_rebase() says so. Unsaid, a reset in the upper half of
 * the range passes for a wrap and a jump below 2^40 for work, and one such sample may cause a
 * switch.
 *  - Paging exits must be counted, here or by dav2m_paging_exits(); regret is content with their
 *    cycles. None told is none: shadow paging then looks free, and no judge leaves it.
 *  - Beside these thresholds need progress, cycles and TLB misses; regret one of progress, TLB
 *    misses and walk cycles, and with progress alone takes walks to come with the work.
 */
#ifndef DAV2M_SAMPLE_H
#define DAV2M_SAMPLE_H

#include <dav2m/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The counters of a sample, in the order in which files list them. */
enum dav2m_counter {
	/* Guest work done: retired guest instructions, or any other count that grows with the
	   work and means the same in both modes. CPI is cycles / progress. */
	DAV2M_PROGRESS = 0,
	/* Unhalted cycles spent on this guest, guest and VMM together (DAV2M section 4: CPI is
	   over both, or the exits that shadow paging costs would be invisible). */
	DAV2M_CYCLES,
	/* Guest data-TLB misses that needed a page walk (last-level DTLB misses). */
	DAV2M_TLB_MISSES,
	/* Cycles in guest page walks; under nested paging both dimensions. */
	DAV2M_WALK_CYCLES,
	/* VM exits that shadow paging caused: #PF, writes to CR0/CR3/CR4/EFER, INVLPG(B). */
	DAV2M_PAGING_EXITS,
	/* Cycles in those exits, world switches included. */
	DAV2M_PAGING_EXIT_CYCLES,
	/* Guest TLB flushes (CR3 loads, INVLPG, INVPCID), as far as the PMU shows them. */
	DAV2M_TLB_FLUSHES
};
#define DAV2M_COUNTERS 7

#define DAV2M_BIT(counter) (1u << (counter))
#define DAV2M_ALL_COUNTERS ((1u << DAV2M_COUNTERS) - 1u)

/*
 * value[c] counts only where valid has DAV2M_BIT(c); elsewhere it is ignored. A counter that
 * the VMM does not have is a missing bit, never a zero.
 */
struct dav2m_sample {
	uint64_t value[DAV2M_COUNTERS];
	uint32_t valid;
};

/* The counter's name in files and tables, for example "tlb_misses". */
DAV2M_API const char *dav2m_counter_name(enum dav2m_counter counter);

#ifdef __cplusplus
}
#endif

#endif
