/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replay: what a controller, or any other policy, would have done with a paired recording.
 *
 * The loop is closed. The policy sees raw cumulative counters, as from a VMM; its decisions
 * choose which recording supplies the next tick; a switch adds its cost to the run and to the
 * cycles that the policy sees. A switch that is asked for after the last tick is not made:
 * there is no work left.
 */
#ifndef DAV2M_HOST_REPLAY_H
#define DAV2M_HOST_REPLAY_H

#include <dav2m/controller.h>
#include <dav2m/host/pair.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a run over a paired recording came to. */
struct dav2m_run {
	uint64_t cycles;		     /* of the whole run, switches included */
	uint64_t switch_cycles;		     /* of these, for switching */
	uint64_t switches[DAV2M_MODES];	     /* by the mode switched to */
	uint64_t mode_cycles[DAV2M_MODES];   /* spent in each mode, switching apart */
	uint64_t mode_progress[DAV2M_MODES]; /* work done in each mode */
};

/* What happened in one tick. The pointers are valid during the call only. */
struct dav2m_replay_tick {
	size_t index;			       /* of the pair's tick */
	enum dav2m_mode mode;		       /* that ran it */
	const struct dav2m_sample *increments; /* what the counters did */
	const struct dav2m_decision *decision; /* of the sample at its end */
	int switched;			       /* 1: the switch asked for is made after it */
};

struct dav2m_replay {
	const struct dav2m_pair *pair;
	uint64_t switch_cycles[DAV2M_MODES]; /* cost of a switch to each mode */
	enum dav2m_mode start;		     /* the mode that runs at the beginning */
	/* Sees every tick, before a switch that follows it. May be NULL. */
	void (*see)(void *context, const struct dav2m_replay_tick *tick);
	void *context;
};

/* A policy. Both calls answer 0 or a negative enum dav2m_error, which ends the replay. */
struct dav2m_policy {
	/* Counters as a VMM reads them: once before the guest runs, when the answer counts for
	   nothing, then after each tick. ret_decision is zeroed, which means stay; to leave the
	   mode that runs, set action to DAV2M_SWITCH and mode to the other one. The other members
	   are only shown to struct dav2m_replay's see. */
	int (*sample)(void *policy, const struct dav2m_sample *cumulative,
		      struct dav2m_decision *ret_decision);
	/* The switch is made, outcome DAV2M_DONE, and has added so many cycles to DAV2M_CYCLES. */
	int (*acknowledge)(void *policy, enum dav2m_outcome outcome, uint64_t cycles);
};

/*
 * Replays under a policy of the caller's. policy_object is the first argument of its calls.
 * Errors: ARGUMENT (NULL, no tick, unknown mode, switch_cycles x ticks above 2^62), CORE (an
 * error of the policy, or a switch to the mode that runs).
 */
DAV2M_API int dav2m_replay_policy(const struct dav2m_replay *replay,
				  const struct dav2m_policy *policy, void *policy_object,
				  struct dav2m_run *ret_run, struct dav2m_host_error *error);

/*
 * Replays under a controller, which is initialised here with replay->start and may be explained
 * by replay->see and afterwards. Errors: as dav2m_replay_policy(), CONFIG.
 */
DAV2M_API int dav2m_replay_controller(const struct dav2m_replay *replay,
				      const struct dav2m_config *config, struct dav2m *controller,
				      struct dav2m_run *ret_run, struct dav2m_host_error *error);

/*
 * What a given schedule costs: mode[i] is an enum dav2m_mode, the mode of tick i. The first one
 * is free. Errors: ARGUMENT, with a value outside the enum too.
 */
DAV2M_API int dav2m_replay_schedule(const struct dav2m_pair *pair,
				    const uint64_t switch_cycles[DAV2M_MODES], const uint8_t *mode,
				    struct dav2m_run *ret_run, struct dav2m_host_error *error);

/*
 * The best schedule in hindsight: fewest cycles, and of those the one that switches last. Exact,
 * in linear time. start_cycles is what beginning in each mode costs: {0, 0} leaves the choice
 * free; a switch cost in the place of the mode that does not run charges for leaving the other.
 * It counts among ret_run's switch_cycles but not among its switches. ret_mode: pair->ticks
 * modes, or NULL. Errors: ARGUMENT, MEMORY.
 */
DAV2M_API int dav2m_hindsight(const struct dav2m_pair *pair,
			      const uint64_t switch_cycles[DAV2M_MODES],
			      const uint64_t start_cycles[DAV2M_MODES], uint8_t *ret_mode,
			      struct dav2m_run *ret_run, struct dav2m_host_error *error);

#ifdef __cplusplus
}
#endif

#endif
