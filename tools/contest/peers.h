/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other people's rules for when to change the paging mode, as policies for dav2m_replay_policy().
 *
 * Each is written from what its source publishes; what the source leaves open is inferred, and
 * said. A peer sees what a VMM counts in the mode that runs, and what its switches cost; of the
 * other mode it knows nothing. All parameters are constants of the rule: no peer is told which
 * workload or cost model it plays on.
 */
#ifndef DAV2M_TOOLS_PEERS_H
#define DAV2M_TOOLS_PEERS_H

#include <dav2m/host/replay.h>

/* Progress in a tick, by which peers that have no period of their own decide: the window_inst of
   the paper's controller in <dav2m/config.h>. */
#define PEER_TICK_PROGRESS 100000000u

/* Progress in a row of the contest's recordings: nobody sees the counters more often. It is the
   window_inst of the regret judge. */
#define PEER_ROW_PROGRESS 25000000u

struct peer_rule;

struct peer_vote {
	int level;			  /* > 0: nested paging, < 0: shadow paging */
	unsigned int skip;		  /* periods until the last switch has settled */
	double high_percent[DAV2M_MODES]; /* overhead beyond which that mode is voted against */
	double ipc;			  /* in the last period that voted */
};

struct peer_faults {
	uint64_t faults;     /* per tick, when shadow paging last ran */
	unsigned int nested; /* ticks since */
};

struct peer_work {
	double shadow_lead_cycles;	   /* work function of shadow less that of nested paging */
	double switch_cycles[DAV2M_MODES]; /* by the mode switched to */
	double exit_cycles;		   /* per tick, as shadow paging would have them */
	double coin;			   /* nested paging runs where its probability is above */
	uint64_t random;
};

/* A peer that plays. Its members are its rule's business. */
struct peer {
	const struct peer_rule *rule;
	enum dav2m_mode mode;
	struct dav2m_sample from; /* counters when the period began */
	int begun;
	union {
		struct peer_vote vote;
		struct peer_faults faults;
		struct peer_work work;
	} state;
};

struct peer_rule {
	const char *name;
	const char *source;
	const char *inferred;  /* what the source does not say, and what we took */
	enum dav2m_mode start; /* the mode that runs at the beginning: the guest boots in shadow
				  paging, unless the rule is to be nested */
	/* A period is over when this counter has moved by this much; 0: never. */
	enum dav2m_counter clock;
	uint64_t period;
	int throws_coins;
	/* seed: 0 for a rule that throws no coins. May be NULL. */
	void (*begin)(struct peer *peer, uint64_t seed);
	/* Judges what the counters did in a period; 1: leave the mode that runs. */
	int (*leave)(struct peer *peer, const struct dav2m_sample *passed);
	/* The switch is made, and cost this. May be NULL. */
	void (*switched)(struct peer *peer, uint64_t cycles);
};

extern const struct peer_rule *const peer_rules[];
extern const size_t peer_rules_size;

void peer_begin(struct peer *peer, const struct peer_rule *rule, enum dav2m_mode running,
		uint64_t seed);

/* For dav2m_replay_policy(), with a struct peer. */
extern const struct dav2m_policy peer_policy;

/* For rules: a counter per tick, and cycles spent in page walks, estimated from the misses where
   there is no such counter. */
uint64_t peer_per_tick(const struct dav2m_sample *passed, enum dav2m_counter counter);
double peer_walk_cycles(const struct peer *peer, const struct dav2m_sample *passed);

/* Cycles of a one- and a two-dimensional walk where nobody counts them: what `dav2m sim` with
   palacios2011 shows for spec-swim (23 and 61 per miss), rounded. */
#define PEER_WALK_1D_CYCLES 20
#define PEER_WALK_2D_CYCLES 60

/* Cycles of a paging exit where nobody counts them: 3.1e3 to 4.3e3 in the same recordings. */
#define PEER_EXIT_CYCLES 4000

extern const struct peer_rule peer_static_shadow, peer_static_nested;
extern const struct peer_rule peer_fixed_thresholds, peer_faults_and_misses;
extern const struct peer_rule peer_overhead_vote, peer_randomized_work_function;

#endif
