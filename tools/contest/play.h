/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One policy on one cell of the contest: what it came to, beside the best schedule in hindsight.
 */
#ifndef DAV2M_TOOLS_CONTEST_PLAY_H
#define DAV2M_TOOLS_CONTEST_PLAY_H

#include "bound.h"
#include "field.h"

/* How well the policy sees; all 0: perfectly. What it is charged does not depend on it. */
struct contest_view {
	uint32_t hidden;      /* DAV2M_BIT of counters that the PMU lacks */
	uint32_t noise_bp;    /* each counter but progress moves by up to so much more or less */
	uint32_t lost_one_in; /* of so many samples one, at random, never comes; 0: none */
};

/* What a policy is played on. */
struct contest_cell {
	struct contest_workload workload;
	const struct contest_model *model;
	const struct dav2m_pair *pair; /* of the adversary: NULL, it is made while it plays */
	uint64_t switch_cycles[DAV2M_MODES];
};

/* Against the adversary: means over CONTEST_ADVERSARY_ROUNDS, unless it says otherwise. */
struct contest_result {
	struct dav2m_run run;
	uint64_t hindsight_cycles;
	uint64_t best_static_cycles;
	uint64_t wrong_cycles; /* spent in another mode than the best schedule has in that tick */
	uint64_t probe_cycles; /* what probes lost that were not kept: their switches, and what
				  they took more than the other mode would have; of the regret
				  judge, as it tells itself */
	int long_phases;       /* see contest_long_phases() */
	uint32_t parameters;   /* fingerprint of what the policy was configured with */
	struct bound_share bound; /* against the adversary: the most of any round */
};

/* Each of n policies by itself, with a result each. Answers 0 or a negative enum
   dav2m_host_code. */
int contest_play(const struct contest_policy *policy, size_t n, const struct contest_cell *cell,
		 const struct contest_view *view, struct contest_result *ret_result,
		 struct dav2m_host_error *error);

/*
 * Whether every phase lasts at least 100 D, D being the cost of a switch there and back. A phase
 * is a stretch in which the same mode is the better one; ticks in which the modes differ by less
 * than 1 % belong to the phase they are in.
 */
int contest_long_phases(const struct dav2m_pair *pair, const uint64_t switch_cycles[DAV2M_MODES]);

/* The field of a config, where there is one, through which controllers that throw coins get
   theirs. Its value in a policy's own config is not played. */
#define CONTEST_COINS "seed"

/* Rows that the adversary plays: as many as most lists of phases have. */
#define CONTEST_ADVERSARY_ROWS 24000u

/* So often it plays where anything is drawn by lot, each time against other coins, and other coins
   are scored: what one throw makes of a policy says little. */
#define CONTEST_ADVERSARY_ROUNDS 8u

#endif
