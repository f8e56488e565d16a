/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controller's parameters: presets, validation, access by name.
 *
 * "Paper" is Bae, Lange, Dinda, "Enhancing Virtualized Application Performance Through Dynamic
 * Adaptive Paging Mode Selection", ICAC 2011. The exponents of its section 7 are lost in the
 * available text; values marked "inferred" are our reading of what they must have been.
 *
 * A default below is that of the repaired preset, for the fields of the regret judge that of the
 * bounded one. All else of bounded is as repaired, but window_inst, which says so, and 1 for
 * window_prepaging and window_tmiss.
 */
#ifndef DAV2M_CONFIG_H
#define DAV2M_CONFIG_H

#include <dav2m/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A tick is the work of window_inst; all other windows are counted in ticks. */
struct dav2m_config {
	/* sizeof(struct dav2m_config), set by the caller before dav2m_config_preset(). */
	uint32_t size;

	/* Units of progress in one tick, [1, 2^31]. Larger: less overhead, slower reaction.
	   Default 1e8 instructions (inferred: about 50 ms at 2 GHz, so that sampling stays below
	   1 % of run time as section 4 of the paper reports); bounded 2.5e7 (ours: a quarter,
	   because what is lost in finding out that a mode has turned bad is a tick;
	   docs/contest.md). */
	uint32_t window_inst;

	/* Initial threshold: paging exits per window_vmexit beyond which shadow paging is left.
	   Default 1e4 (inferred). */
	uint32_t threshold_vmexit;
	/* Initial threshold: TLB misses per window_tmiss beyond which nested paging is left.
	   Default 1e6 (inferred). */
	uint32_t threshold_tmiss;

	/* Ticks over which shadow paging's exits are counted, and length of a nested probe.
	   Default 1 (inferred from section 7: equal to window_inst). */
	uint16_t window_vmexit;
	/* Ticks between a nested probe that was kept and the first count of TLB misses, so that the
	   cold TLB is not mistaken for a bad mode. Default 2 (inferred; section 6, Prepaging). */
	uint16_t window_prepaging;
	/* Ticks over which nested paging's TLB misses are counted, and length of a shadow probe.
	   Default 10 (section 7). */
	uint16_t window_tmiss;
	/* Two switches of one direction closer than this many ticks are an oscillation, and this
	   many ticks without a switch are calm (decay). Default 100 (section 7). */
	uint16_t window_trans;
	/* Ticks after every switch that no window counts: the transient (cold TLB, empty shadow
	   tables) is the switch's cost, not the mode's speed. Paper 0, default 1 (its section 5
	   bounds the longest transient at 100 ms, about two ticks of the default window_inst on its
	   2 GHz machine; most are far shorter). */
	uint16_t window_settle;

	/* Thresholds stay within [initial / min_div, initial x max_times]. Defaults 4 and 64 (ours;
	   the paper gives no limits). */
	uint16_t threshold_min_div;
	uint16_t threshold_max_times;

	/* A probe is given up when its CPI exceeds the other mode's CPI x this. Paper 11000
	   (section 7, pFactor = 1.1: also a mode 10 % worse is kept); default 10200 (ours: modes
	   closer than the noise of a window's CPI, taken as 2 %, count as equal, and then the
	   probed mode stays, because going back costs another switch). */
	uint16_t p_factor_bp;
	/* How far a threshold rises after a failed probe or an oscillation. Default 2500 (ours). */
	uint16_t raise_bp;
	/* How far it falls after a probe that was kept. Paper 0 (its pseudocode only raises),
	   default 1250 (ours). */
	uint16_t lower_bp;
	/* How far both thresholds move back to their initial values after each window_trans ticks
	   without a switch. Paper 0, default 2500 (ours: without it a burst of alternation raises
	   the thresholds for good and the controller freezes). */
	uint16_t decay_bp;

	/* 1: as the paper prints it. A shadow probe that exceeds the exit threshold goes straight
	   to a nested probe, and shadow paging is left on a CPI that may be one window old. 0: such
	   a probe is given up, back to Nested, only if its CPI is worse too, and shadow paging is
	   left only on a CPI that covers the burst itself. */
	uint8_t as_printed;

	/* Width of the VMM's counters, [32, 64]. Default 48 (x86 PMUs); 64-bit software counters
	   work as well with 48, because only differences count. */
	uint8_t counter_bits;

	/* Who judges: 0 the paper's thresholds, for which all of the above is; 1 regret, which
	   takes only window_inst, window_settle and counter_bits of it, judges each tick
	   (window_tmiss must be 1) and is bounded: see DAV2M_PRESET_BOUNDED. Until it has measured
	   a switch it takes a unit of progress for the work of about a cycle, as an instruction is;
	   where the unit is far larger, let thresholds judge. */
	uint8_t judge;
	/* The rest is for regret. A round trip is a switch to the other mode and one back, with
	   their transients. What one costs before it has been measured, in ticks of window_inst
	   cycles, [1, 64]. Default 8 (inferred: the paper's longest transient, 100 ms, is 2e8
	   cycles at 2 GHz); the other presets, whose ticks are four times as long, have 2. */
	uint8_t round_trip_ticks;
	/* A mode is left when staying has cost more than the other mode would have, by a share of
	   a round trip that is drawn anew for each stay, between half of this and all of it. Where
	   patience has paid so far the limit is twice that share of a longer trip, which has in it
	   what it costs to find out that a mode has turned bad. [2500, 20000]; higher: fewer
	   switches, more lost before each. Default 6000 (ours: on the workloads of docs/contest.md
	   all from 5000 to 7500 do as well). */
	uint16_t regret_bp;
	/* Seed of that draw, which keeps guests that do not look for the limits out of step with
	   them. It is no secret: a guest that watches its own switches finds it out from a few, and
	   to that one limits are as good as fixed, which the bound allows for. The same seed and
	   the same samples give the same decisions. Default 1; any will do. */
	uint16_t seed;
	/* Share of all cycles that probes may cost which do not pay. A round trip's worth is there
	   from the beginning; 0 adds nothing to it. Default 20 (1/500 of run time: with the probes
	   that it begins with, less than 1/250 of a program that runs for five minutes). */
	uint16_t probe_share_bp;
	/* A probe that has lost this much of a round trip is given up, [1, 40000]. Its transient
	   counts by itself, and may lose twice as much; that of shadow paging 64 times until one
	   has been seen to its end, for only that shows what it takes to fill the tables. Default
	   2500 (ours). */
	uint16_t probe_loss_bp;
	/* Cycles per page walk under shadow and under nested paging, and per paging exit, before
	   they have been measured, [1, 4095] and [1, 65535]. Defaults 20, 60 and 4000 (what the
	   simulator counts on spec-swim at the prices of palacios2011: 23 and 61 per miss, 3100 to
	   4300 per exit). Without DAV2M_WALK_CYCLES a shadow walk stays at its price, and the
	   nested one is measured against it. */
	uint16_t shadow_walk_cycles;
	uint16_t nested_walk_cycles;
	uint16_t exit_cycles;
};

enum dav2m_preset {
	DAV2M_PRESET_REPAIRED = 0, /* the paper's controller, repaired: lowers, decays, settles */
	DAV2M_PRESET_PAPER = 1,	   /* the paper's controller as printed, to be measured against */
	/*
	 * The regret judge. With D the cost of a round trip, g the most that the modes' costs
	 * differ by from one decision to the next, and OPT the paging overhead of the best
	 * schedule in hindsight, switches included, its own overhead is at most
	 *
	 *     (9 + 12g/D) (OPT + X + D/2)
	 *
	 * where X is the sum of what the other mode's cost was overestimated by. That is for the
	 * preset's regret_bp; docs/bound.md proves it, and says what is known of X.
	 */
	DAV2M_PRESET_BOUNDED = 2,
	/* What to take unless there is a reason not to; docs/contest.md says why it is this one. */
	DAV2M_PRESET_DEFAULT = DAV2M_PRESET_BOUNDED
};
#define DAV2M_PRESETS 3

/* Everything a person or a parser needs to know about one field. */
struct dav2m_config_field {
	const char *name; /* the member's name */
	const char *unit; /* "progress", "ticks", "paging exits", "TLB misses", "bp", "times",
			     "flag", "bits", "seed", "cycles" */
	uint32_t min;	  /* smallest value allowed */
	uint32_t max;	  /* largest value allowed */
	uint16_t offset;  /* in struct dav2m_config, in bytes */
	uint16_t width;	  /* of the unsigned integer there, in bytes */
};

/* What is wrong with a config; both strings are constants. */
struct dav2m_config_fault {
	const char *field; /* the member that breaks the rule */
	const char *rule;  /* the rule, to be read after the field's name */
};

/*
 * Fills ret_config with a preset. ret_config->size must be set.
 * Errors: NULL, SIZE, RANGE (no such preset).
 */
DAV2M_API int dav2m_config_preset(enum dav2m_preset preset, struct dav2m_config *ret_config);

/*
 * Checks ranges, the order window_vmexit <= window_tmiss <= window_trans, window_settle <=
 * window_trans, and for the regret judge window_tmiss = 1.
 * ret_fault may be NULL; it is written only when the answer is DAV2M_ERR_CONFIG.
 * Errors: NULL, SIZE, CONFIG.
 */
DAV2M_API int dav2m_config_check(const struct dav2m_config *config,
				 struct dav2m_config_fault *ret_fault);

/* The i-th field in declaration order (size excluded), or NULL past the last. */
DAV2M_API const struct dav2m_config_field *dav2m_config_field(size_t index);

/*
 * Sets or reads one field by name. Setting checks the field's own range, not the rules between
 * fields: run dav2m_config_check() when all are set.
 * Errors: NULL, SIZE, NAME, RANGE.
 */
DAV2M_API int dav2m_config_set(struct dav2m_config *config, const char *name, uint32_t value);
DAV2M_API int dav2m_config_get(const struct dav2m_config *config, const char *name,
			       uint32_t *ret_value);

/* "repaired", "paper", "bounded". */
DAV2M_API const char *dav2m_preset_name(enum dav2m_preset preset);

#ifdef __cplusplus
}
#endif

#endif
