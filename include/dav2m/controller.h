/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controller: five states, their edges, one decision per sample.
 *
 * A VMM calls, for each decision domain (a vCPU, or a VM):
 *
 *     dav2m_init()           once, with the mode that runs
 *     dav2m_paging_exits()   on each paging exit, if it sees each one
 *     dav2m_sample()         at its sampling points, with its raw counters
 *     dav2m_acknowledge()    after each switch that the decision asked for
 *
 * Nothing is assumed switched until it is acknowledged. The object holds no pointers: copying
 * its bytes is a valid checkpoint. No call allocates, blocks, reads a clock or uses floating
 * point, and each takes bounded time. One object is used by one thread at a time; for several
 * vCPUs in one domain see <dav2m/domain.h>.
 */
#ifndef DAV2M_CONTROLLER_H
#define DAV2M_CONTROLLER_H

#include <dav2m/config.h>
#include <dav2m/meter.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The paper's five states (section 6, figure 7). The state decides the mode. */
enum dav2m_state {
	DAV2M_STATE_SHADOW = 0, /* shadow paging, counting paging exits */
	DAV2M_STATE_PRENESTED,	/* nested paging on probe: is its CPI better? */
	DAV2M_STATE_PREPAGING,	/* nested paging kept, TLB misses still settling */
	DAV2M_STATE_NESTED,	/* nested paging, counting TLB misses */
	DAV2M_STATE_PRESHADOW	/* shadow paging on probe: is its CPI better? */
};
#define DAV2M_STATES 5

/*
 * Why a sample led to its decision. Every sample counts under exactly one reason, so the counts
 * of dav2m_explain() add up to the samples taken. Edges are explained as the threshold judge takes
 * them; the regret judge takes 1 and 6 when regret has reached its limit, and 6 also to look at
 * shadow paging again; it keeps and gives up probes by what they have lost.
 */
enum dav2m_reason {
	DAV2M_WAITING = 0, /* no window is complete */
	/* An edge of the state machine; dav2m_decision.edge has its number. */
	DAV2M_ROLLED,	    /* edges 2, 7, 11: window complete, nothing crossed, a new one begins */
	DAV2M_EXITS_ABOVE,  /* edge 1: paging exits over their threshold, probe nested paging */
	DAV2M_MISSES_ABOVE, /* edge 6: TLB misses over their threshold, probe shadow paging */
	DAV2M_PROBE_KEPT,   /* edges 4, 10: the probed mode is at least as good as required */
	DAV2M_PROBE_WORSE,  /* edges 3, 9: the probed mode is worse, go back */
	DAV2M_PROBE_ABORTED, /* edges 8, 9: shadow probe over the exit threshold before its end */
	DAV2M_QUIESCED,	     /* edge 5: TLB misses have settled */
	/* A decision was due, or could have been, and something forbids it. */
	DAV2M_SETTLING,	      /* within window_settle of the last switch */
	DAV2M_BACKING_OFF,    /* a switch was deferred or failed a short while ago */
	DAV2M_PINNED,	      /* the caller pinned this mode, or the switch to it is due */
	DAV2M_BLIND,	      /* a counter that the judgement needs is not available. Thresholds:
				 progress and cycles to judge a mode, TLB misses to leave nested
				 paging. Regret: any of progress, TLB misses and walk cycles */
	DAV2M_UNACKNOWLEDGED, /* the switch asked for before still stands */
	/* The sample itself could not be used; windows start again where it says so. */
	DAV2M_BASELINE,	    /* first sample, or the set of counters grew: windows start here */
	DAV2M_INCOMPLETE,   /* a counter seen before is missing: wait for the next sample */
	DAV2M_COUNTER_LOST, /* missing too often: go on without it, windows start again */
	DAV2M_BACKWARD,	    /* a counter ran backwards (reset): windows start again */
	DAV2M_JUMP,	    /* a counter moved by 2^40 or more: windows start again */
	DAV2M_NO_PROGRESS   /* the guest did no work since the last sample */
};
#define DAV2M_REASONS 19

enum dav2m_action {
	DAV2M_STAY = 0,
	DAV2M_SWITCH = 1 /* bring the hardware into decision.mode, then dav2m_acknowledge() */
};

struct dav2m_decision {
	enum dav2m_action action;
	enum dav2m_mode mode;  /* the mode to run in: the running one unless action is SWITCH */
	enum dav2m_state from; /* the state in which the sample was judged */
	enum dav2m_state to;   /* the state after it (with SWITCH: once acknowledged as done) */
	enum dav2m_reason reason;
	uint32_t edge; /* number of the edge taken, [1, 11]; 0 for none */
	uint64_t tick; /* completed since dav2m_init(), modulo 2^32 */
};

/* What became of a switch that was asked for. */
enum dav2m_outcome {
	DAV2M_DONE = 0,	    /* the hardware runs the new mode */
	DAV2M_DEFERRED = 1, /* not now (guest not in a switchable state); the old mode runs */
	DAV2M_FAILED = 2    /* it went wrong; the old mode runs */
};
#define DAV2M_OUTCOMES 3

/* A mode is the pin that allows it only. */
enum dav2m_pin {
	DAV2M_PIN_SHADOW = DAV2M_SHADOW, /* shadow paging only */
	DAV2M_PIN_NESTED = DAV2M_NESTED, /* nested paging only */
	DAV2M_PIN_NONE = 2		 /* the controller decides */
};
#define DAV2M_PINS 3

/* Counts of one stretch of time. CPI is cycles / progress; 0 / 0 means not available. */
struct dav2m_sums {
	uint64_t progress;
	uint64_t cycles;
	uint64_t tlb_misses;
	uint64_t paging_exits;
	uint32_t ticks;
};

/* Ticks of the moving averages of CPI and TLB misses (paper, section 4: 10 steps). */
#define DAV2M_SMOOTHING 10

/* Private: what the meter said at a tick, in 32 bits because only differences count. */
struct dav2m_step {
	uint32_t progress; /* shifted right by step_shift, as are the cycles */
	uint32_t cycles;
	uint32_t tlb_misses;
};

/* Private: one step each four ticks; one of four is at least DAV2M_SMOOTHING ticks old. */
#define DAV2M_STEP_TICKS 4
#define DAV2M_STEPS	 4

/* Things that happen beside the one reason of a sample. */
struct dav2m_tally {
	uint32_t switches[DAV2M_MODES]; /* acknowledged as done, by the mode switched to */
	uint32_t deferred;		/* acknowledged as deferred */
	uint32_t failed;		/* acknowledged as failed */
	uint32_t damped;		/* raises of both because switches came too close */
	uint32_t decayed;		/* moves back towards the initial thresholds */
};

/* Private: what the threshold judge has learned. */
struct dav2m_thresholds {
	uint64_t reference_progress; /* CPI of the mode that a probe is judged against */
	uint64_t reference_cycles;
	uint32_t vmexit;
	uint32_t tmiss;
	uint32_t damped; /* see struct dav2m_tally */
	uint32_t decayed;
};

/* Private: phases of the guest that the regret judge tells apart. */
#define DAV2M_PHASES 8

/* Private: one of them, by its TLB misses and flushes in eighths of an octave. */
struct dav2m_phase {
	uint8_t misses;
	uint8_t flushes;
	uint16_t exits; /* what they cost per tick under shadow paging, packed; all ones: unseen */
};

/* Private: what the regret judge has learned. Costs are in grains, cycles >> step_shift. */
struct dav2m_regret {
	struct dav2m_phase phase[DAV2M_PHASES];
	union {
		uint32_t regret;   /* of this stay */
		uint32_t settling; /* until its transient is over: what that has taken */
	};
	int32_t gain;	       /* of this stay, against the other mode */
	int32_t budget;	       /* for probes; < 0: in debt */
	uint32_t doubt;	       /* about what is remembered as bad; in a probe out of doubt the ticks
				  that it took */
	uint32_t probing_cost; /* of the probes that were lost */
	uint32_t from_walk;    /* totals when the tick began */
	uint32_t from_exits;
	uint32_t from_flushes;
	uint32_t other;	    /* what the last tick would have cost in the other mode, or
			       that last cost until the first tick has settled */
	uint32_t played[2]; /* regret of the rule played with the early and the late limit */
	int32_t late_gain;  /* of the late one against the early one */
	uint16_t trip[DAV2M_MODES]; /* cost of a switch to each mode, transient included; packed, as
				       the next two */
	uint16_t found;		    /* cost of the tick in which a mode is found to be bad */
	uint16_t cost;		    /* of the last tick; in a transient, of window_inst */
	uint16_t limit[2];	    /* early and late, of this stay; packed */
	uint16_t walk_ratio;	    /* of a walk's cost, nested to shadow, in 1/256 */
	uint16_t left_cycles;	    /* of the last tick before the switch, packed; 0: of no use */
	uint16_t left_walk;	    /* of it, what its walks took, */
	uint16_t left_walks;	    /* and their number */
	uint16_t exit_cycles;	    /* a paging exit */
	uint16_t good_ticks;	    /* of the last stay in shadow paging that was no lost probe */
	uint16_t doubt_wrong;	    /* ticks to wait since probes failed; 0: the last did well */
	uint16_t doubt_right;	    /* ticks after which one did well; all ones: none */
	uint8_t phases;		    /* in use */
	uint8_t current;	    /* the phase of the last tick */
	uint8_t left;		    /* the phase of the last tick before the switch */
	uint8_t mode;		    /* of this stay, enum dav2m_mode */
	uint8_t why;		    /* the mode is to be left */
	uint8_t surety;		    /* enum dav2m_surety */
	uint8_t doubt_losses;	    /* probes out of doubt that failed in a row */
	uint8_t played_mode[2];	    /* of the rule played with the early and the late limit, */
	uint8_t played_settling[2]; /* and ticks left of its transient */
	uint8_t measured : 1;	    /* the ratio of walk costs */
	uint8_t told : 1;	    /* the VMM has told what the last switch cost */
	uint8_t arrived : 1;	    /* no tick of this stay has settled yet */
	uint8_t compare : 1;	    /* the tick before it can be compared with the first that has */
	uint8_t probing : 1;	    /* this stay is a probe */
	uint8_t doubted : 1;	    /* and began out of doubt */
	uint8_t filled : 1;	    /* a transient of shadow paging has been seen to its end */
};

/* Private: what the judge in charge keeps between samples. */
union dav2m_judgement {
	struct dav2m_thresholds thresholds;
	struct dav2m_regret regret;
};

/* The controller. Its members are private: dav2m_explain() tells all of them that matter. */
struct dav2m {
	uint32_t exits;	    /* paging exits in the exit window */
	uint32_t exits_due; /* beyond this many, dav2m_paging_exits() asks for a sample */
	uint32_t magic;
	uint8_t state;	       /* enum dav2m_state */
	uint8_t pin;	       /* enum dav2m_pin */
	uint8_t asked;	       /* the verdict whose switch is asked for, 0: none */
	uint8_t handed;	       /* a switch is in the caller's hands, withdrawn or not */
	uint8_t last_reason;   /* enum dav2m_reason */
	uint8_t special;       /* more is under way than a window: see review() */
	uint8_t backoff;       /* ticks left before a switch may be asked for again */
	uint8_t failures;      /* failed switches in a row */
	uint8_t step_shift;    /* of struct dav2m_step */
	uint16_t settle_ticks; /* left of the transient after the last switch */
	uint32_t steps_from;   /* the tick in which the moving averages began */
	uint32_t calm_at;      /* when it has been calm for window_trans */
	struct dav2m_meter meter;
	/* What the meter said, and the tick, when the window began ... */
	uint64_t window_progress;
	uint64_t window_cycles;
	uint64_t window_tlb_misses;
	/* ... and when the exit window did, which is shorter inside a shadow probe only */
	uint64_t exits_progress;
	uint64_t exits_metered;
	uint32_t window_tick;
	uint32_t exits_tick;
	uint64_t tick_progress; /* what the meter said when the unfinished tick began */
	uint32_t tick;		/* completed since dav2m_init(); times below are such ticks */
	uint32_t nested_ticks;	/* in earlier stays; less the beginning of one that goes on */
	uint32_t switched_at[DAV2M_MODES]; /* the last switch to each mode */
	uint64_t switch_cycles; /* of the last switch, to be taken out of the next samples */
	struct dav2m_config config;
	struct dav2m_step step[DAV2M_STEPS];
	uint32_t switches[DAV2M_MODES]; /* these three: see struct dav2m_tally */
	uint32_t deferred;
	uint32_t failed;
	uint32_t count[DAV2M_REASONS];
	union dav2m_judgement judge;
};

/* How the regret judge knows what the other mode would cost. */
enum dav2m_surety {
	DAV2M_GUESSED = 0, /* a phase that shadow paging has not seen: as if it had no exits, or,
			      while no probe can be paid, as many as the one most like it. Under
			      shadow paging, before any walk of nested paging has been measured:
			      as if it cost the same */
	DAV2M_REMEMBERED,  /* walks from counters, exits as shadow paging last saw them in a phase
			      like this one */
	DAV2M_MODELLED	   /* walks from counters, there are no exits */
};
#define DAV2M_SURETIES 3

/* What the regret judge knows; all 0 with another judge. */
struct dav2m_regret_view {
	/* What staying has cost more than the other mode would have, since this stay's transient;
	   at limit_cycles the mode is left. 0 in probes, which lose or win by themselves. */
	uint64_t regret_cycles;
	uint64_t limit_cycles;	    /* drawn for this stay; early or late, as has cost less */
	uint64_t round_trip_cycles; /* measured: both switches, transients included */
	/* What no policy is spared that sees a tick when it is over: what a round trip's two stays
	   lose in their last tick, in which they turn out to be bad. Measured. */
	uint64_t finding_out_cycles;
	/* Paging overhead of the last tick, in a transient per window_inst, */
	uint64_t cost_cycles;
	/* and what the other mode's would have been; from the decision to leave a mode until the
	   switch has settled, what that mode's last tick cost. */
	uint64_t other_cycles;
	enum dav2m_surety surety; /* of that */
	int64_t budget_cycles;	  /* for probes; < 0: in debt, no probe */
	uint64_t probing_cycles;  /* that probes have cost which did not pay, switches included */
	uint32_t walk_ratio_bp;	  /* measured: what a page walk costs under nested paging to what it
				     does under shadow paging, */
	uint32_t exit_cycles;	  /* and what a paging exit costs */
};

/* Everything the controller knows, for people, logs and tests. */
struct dav2m_explanation {
	enum dav2m_state state;
	enum dav2m_mode mode;	 /* of that state: what the hardware runs */
	enum dav2m_action asked; /* SWITCH: a switch is asked for and not acknowledged */
	enum dav2m_pin pin;
	enum dav2m_reason reason;  /* of the last sample */
	uint32_t threshold_vmexit; /* now; the initial ones are in the config. 0: regret judges */
	uint32_t threshold_tmiss;
	/* DAV2M_BIT of each counter that samples carry and the judge uses. Thresholds: progress,
	   cycles, TLB misses and paging exits, the others may come and go; regret: any */
	uint32_t available;
	uint32_t wraps;		  /* counter wrap-arounds followed */
	uint32_t resets;	  /* samples refused because a counter ran backwards or jumped */
	struct dav2m_sums window; /* the unfinished window; its paging exits restart more often
				     than the rest in a shadow probe (edge 11) */
	/* progress, cycles and TLB misses of this stay's last DAV2M_SMOOTHING ticks and up to
	   three before them, and of the unfinished tick */
	struct dav2m_sums smoothed;
	struct dav2m_regret_view regret;
	struct dav2m_sums reference; /* progress and cycles of the mode a probe is judged against */
	uint32_t mode_ticks[DAV2M_MODES]; /* ticks completed in each mode */
	uint32_t since[DAV2M_MODES];	  /* ticks since the last switch to each mode, saturating
					     at window_trans */
	struct dav2m_tally tally;
	uint32_t count[DAV2M_REASONS]; /* samples by reason */
};

/*
 * Starts a controller in the mode that the hardware runs now. The config is copied.
 * Errors: NULL, SIZE, CONFIG (dav2m_config_check() names the field), RANGE (mode).
 */
DAV2M_API int dav2m_init(struct dav2m *ctl, const struct dav2m_config *config,
			 enum dav2m_mode running);

/*
 * Counts n paging exits: call it from the exit path with 1, or with a batch. Returns 1 when
 * the exits have crossed what is worth judging and dav2m_sample() should be called now rather
 * than at the next sampling point; 0 otherwise. A VMM that only has totals leaves this out and
 * hands them in as DAV2M_PAGING_EXITS; where a sample carries them, these counts are dropped,
 * so that no exit counts twice.
 * ctl must be initialised; for the sake of the exit path nothing is checked.
 */
DAV2M_API int dav2m_paging_exits(struct dav2m *ctl, uint32_t n);

/*
 * Takes the counters as they stand and decides. A sample completes at most one tick, when
 * window_inst of progress has passed since the last; samples in between are welcome. A window
 * that a late sample overruns is judged by its rate. A VMM without DAV2M_PROGRESS gets one tick
 * per sample, but no CPI: thresholds start no probe then, regret needs none.
 * Errors: NULL, UNINIT, SAMPLE.
 */
DAV2M_API int dav2m_sample(struct dav2m *ctl, const struct dav2m_sample *sample,
			   struct dav2m_decision *ret_decision);

/*
 * Tells what became of the switch asked for. cycles: what the switch itself has added to
 * DAV2M_CYCLES since the last sample, 0 if unknown; they are kept out of the comparison of the
 * modes, and tell the regret judge what a round trip costs. After DEFERRED the mode is judged anew
 * at once, with thresholds over a whole new window; after FAILED the next attempt waits 1, 2, 4 ..
 * 64 ticks. A VMM that will be able to switch within some exits need not answer yet: the switch
 * stands, and every sample until then asks for it again. A switch that was asked for may have been
 * withdrawn since, by a pin or another judge: it is acknowledged all the same. After DONE the
 * hardware's mode counts, whatever is wanted now. Errors: NULL, UNINIT, NO_SWITCH (none since the
 * last acknowledgement), RANGE (outcome).
 */
DAV2M_API int dav2m_acknowledge(struct dav2m *ctl, enum dav2m_outcome outcome, uint64_t cycles);

/*
 * Allows both modes, or one only. If the other one runs, the following samples ask for the
 * switch, be the guest at work or idle; only after FAILED they wait as dav2m_acknowledge() says. A
 * switch that is asked for and not acknowledged is withdrawn when the pin forbids it, and one
 * that only a pin asked for when that pin is lifted; the following samples do not ask for it.
 * Errors: NULL, UNINIT, RANGE.
 */
DAV2M_API int dav2m_pin(struct dav2m *ctl, enum dav2m_pin pin);

/*
 * Gives a running controller another config: thresholds and windows start afresh, the regret
 * judge forgets what it has learned; state, mode, pin and counts stay. Another judge takes over
 * in the mode that runs, outside any probe, and withdraws a switch that is asked for.
 * Errors: NULL, UNINIT, SIZE, CONFIG.
 */
DAV2M_API int dav2m_retune(struct dav2m *ctl, const struct dav2m_config *config);

/*
 * The counters do not go on from where they were: the VM was restored or migrated, or the PMU has
 * been in other hands. The next sample is a baseline, and windows begin with it; what has been
 * learned stays.
 * Errors: NULL, UNINIT.
 */
DAV2M_API int dav2m_rebase(struct dav2m *ctl);

/* Errors: NULL, UNINIT. */
DAV2M_API int dav2m_explain(const struct dav2m *ctl, struct dav2m_explanation *ret_explanation);

/* The mode of a state: SHADOW and PRESHADOW run shadow paging, the others nested paging. */
DAV2M_API enum dav2m_mode dav2m_state_mode(enum dav2m_state state);

DAV2M_API const char *dav2m_state_name(enum dav2m_state state);
DAV2M_API const char *dav2m_reason_name(enum dav2m_reason reason);
DAV2M_API const char *dav2m_action_name(enum dav2m_action action);
DAV2M_API const char *dav2m_outcome_name(enum dav2m_outcome outcome);
DAV2M_API const char *dav2m_pin_name(enum dav2m_pin pin);
DAV2M_API const char *dav2m_surety_name(enum dav2m_surety surety);

#ifdef __cplusplus
}
#endif

#endif
