/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A paired recording: the same work under both modes, tick by tick side by side.
 *
 * Two recordings of the same program rarely have their tick boundaries at the same place in the
 * program. They are aligned by cumulative progress: a tick ends when both recordings have ended a
 * line since it began, so the longer lines are kept and shorter ones put together. Of a line that
 * goes on in the next tick each counter is apportioned in proportion to progress, in exact integer
 * arithmetic, so that every sum is preserved.
 */
#ifndef DAV2M_HOST_PAIR_H
#define DAV2M_HOST_PAIR_H

#include <dav2m/host/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero it before the first use; dav2m_pair_free() after the last. */
struct dav2m_pair {
	size_t ticks;
	/* Increments of each tick in each mode. Progress is above 0 and the same in both; cycles
	   are always there. */
	struct dav2m_sample *tick[DAV2M_MODES];
	struct dav2m_sample total[DAV2M_MODES]; /* sums over all ticks; valid: in every tick */
	uint32_t switch_known;			/* DAV2M_BIT(mode): */
	uint64_t switch_cycles[DAV2M_MODES];	/* measured cost of a switch to that mode */
	uint64_t tick_progress;			/* nominal, of the longer lines; 0: not fixed */
};

/*
 * Pairs a shadow and a nested recording. Both must have progress and cycles in each tick. Their
 * progress must be in the same unit and must have the same total, or differ by at most
 * tolerance_bp of the shadow recording's: then the nested one is stretched to it.
 * A line without progress joins the one before it, at the beginning the one after. Paging exits
 * that the nested recording has no column for are none, because nested paging takes none. A
 * switch cost that both recordings know is taken from the one in whose mode the switch begins.
 * Errors: ARGUMENT, FORMAT, MISMATCH, MEMORY.
 */
DAV2M_API int dav2m_pair_make(const struct dav2m_trace *shadow, const struct dav2m_trace *nested,
			      uint32_t tolerance_bp, struct dav2m_pair *ret_pair,
			      struct dav2m_host_error *error);

/* Frees what the pair holds and leaves it empty. NULL is allowed. */
DAV2M_API void dav2m_pair_free(struct dav2m_pair *pair);

#ifdef __cplusplus
}
#endif

#endif
