/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of what docs/bound.md allows a run has lost: G7 there is the formula, this is what goes
 * into it. Costs, switches and the best schedule are the recording's; what the judge thinks of
 * itself is asked only for by how much it was wrong.
 */
#ifndef DAV2M_TOOLS_CONTEST_BOUND_H
#define DAV2M_TOOLS_CONTEST_BOUND_H

#include <dav2m/host/replay.h>

/* What the ticks of a recording come to, in cycles. */
struct bound_spread {
	uint64_t work;	  /* of all ticks together, without walks and exits, */
	uint64_t shared;  /* and what they cost in the cheaper mode each */
	uint64_t one;	  /* g: most that one mode takes longer in a tick, */
	uint64_t two;	  /* and in two */
	uint64_t longest; /* tick, whatever it is spent on, */
	uint64_t shortest;
};

/* What of the bound is the recording's, whoever plays on it. */
struct bound_base {
	struct bound_spread spread;
	uint64_t best_cycles[DAV2M_MODES]; /* of the best schedule, by the mode it begins in */
};

/* What a stay in one mode has come to. */
struct bound_stay {
	uint64_t switch_cycles; /* that led to it */
	uint64_t regret_cycles; /* that there was when the mode before it was left */
	uint64_t short_cycles;	/* its share of the watch's */
	uint64_t dearer_cycles; /* than the other mode, in the ticks that would have been cheaper
				   there */
};

/* Watches a run. Private. */
struct bound_watch {
	const struct dav2m_pair *pair;
	const uint64_t *switch_cycles;
	const struct dav2m *controller; /* NULL: not one that a regret judge judges */
	struct bound_stay now, before;
	uint64_t short_cycles; /* X: by which regret rose less, or fell more, than it should have */
	uint64_t lost_cycles;  /* P: by probes, with the regret that the judge forgot over them */
	uint64_t lost_probes;
	uint64_t regret_cycles;	 /* as the judge told it after its last tick, */
	uint64_t probing_cycles; /* what it told of its lost probes, */
	uint64_t ticks;		 /* and how many ticks it had completed */
	int64_t longer_cycles;	 /* than in the other mode, since then */
	uint32_t settling;	 /* ticks left that nobody judges */
};

/* Paging overhead as a part of all that the bound allows: beyond it above 1. Negative: nothing is
   promised, for switches cost nothing, or no regret judge judged. */
struct bound_share {
	double proven;
	double bare; /* of what would be allowed if no probe were lost, nothing misjudged, the price
			of a switch known, and nothing cost both modes the same: by the recording
			alone, for any policy */
};

/* Answers 0 or a negative enum dav2m_host_code. */
int bound_base_find(const struct dav2m_pair *pair, const uint64_t switch_cycles[DAV2M_MODES],
		    struct bound_base *ret_base, struct dav2m_host_error *error);
/* controller: that is about to begin; NULL for another policy. All must outlive the watch. */
void bound_begin(struct bound_watch *watch, const struct dav2m_pair *pair,
		 const uint64_t switch_cycles[DAV2M_MODES], const struct dav2m *controller);
/* Of dav2m_replay's `see`. */
void bound_tick(struct bound_watch *watch, const struct dav2m_replay_tick *tick);
/* The run is over; base is of its recording, its limits were those of the config. */
struct bound_share bound_end(const struct bound_watch *watch, const struct bound_base *base,
			     const struct dav2m_run *run, enum dav2m_mode start,
			     const struct dav2m_config *config);

#endif
