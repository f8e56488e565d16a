/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The closed loop: plays the VMM for a policy, with two recordings for hardware.
 */
#include <dav2m/host/replay.h>

#include "error.h"
#include "replay_account.h"

#include <inttypes.h>
#include <string.h>

int dav2m_replay_check(const struct dav2m_pair *pair, const uint64_t switch_cycles[DAV2M_MODES],
		       struct dav2m_host_error *error)
{
	unsigned int to;

	if (!pair || !switch_cycles)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT, "replay: NULL argument");
	if (!pair->ticks)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "replay: the recording has no tick");
	for (to = 0; to < DAV2M_MODES; to++)
		if (switch_cycles[to] > (UINT64_C(1) << 62) / pair->ticks)
			return dav2m_host_fail(
				error, DAV2M_HOST_ARGUMENT,
				"a switch cost of %" PRIu64
				" cycles is too large for %zu ticks: cost x ticks must be "
				"at most 2^62",
				switch_cycles[to], pair->ticks);
	return 0;
}

void dav2m_run_tick(struct dav2m_run *run, enum dav2m_mode mode,
		    const struct dav2m_sample *increments)
{
	run->cycles += increments->value[DAV2M_CYCLES];
	run->mode_cycles[mode] += increments->value[DAV2M_CYCLES];
	run->mode_progress[mode] += increments->value[DAV2M_PROGRESS];
}

void dav2m_run_switch(struct dav2m_run *run, enum dav2m_mode to, uint64_t cycles)
{
	run->cycles += cycles;
	run->switch_cycles += cycles;
	run->switches[to]++;
}

static void sample_add(struct dav2m_sample *cumulative, const struct dav2m_sample *increments)
{
	int c;

	/* Without a branch per counter: what is not valid is 0 in a pair. */
	for (c = 0; c < DAV2M_COUNTERS; c++)
		cumulative->value[c] += increments->value[c];
	cumulative->valid = increments->valid;
}

static int core_fail(struct dav2m_host_error *error, const char *call, int rc)
{
	return dav2m_host_fail(error, DAV2M_HOST_CORE, "the policy's %s answered %s", call,
			       dav2m_error_name((enum dav2m_error)rc));
}

struct loop {
	const struct dav2m_replay *replay;
	const struct dav2m_policy *policy;
	void *policy_object;
	enum dav2m_mode mode;
	struct dav2m_sample counters; /* as a VMM would read them */
	struct dav2m_run run;
};

static int loop_switch(struct loop *loop, enum dav2m_mode to, struct dav2m_host_error *error)
{
	uint64_t cycles = loop->replay->switch_cycles[to];
	int rc;

	loop->counters.value[DAV2M_CYCLES] += cycles;
	dav2m_run_switch(&loop->run, to, cycles);
	loop->mode = to;
	rc = loop->policy->acknowledge(loop->policy_object, DAV2M_DONE, cycles);
	return rc < 0 ? core_fail(error, "acknowledge", rc) : 0;
}

static int decision_check(const struct loop *loop, const struct dav2m_decision *decision,
			  struct dav2m_host_error *error)
{
	const enum dav2m_mode other = loop->mode == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW;

	if (decision->action != DAV2M_SWITCH || decision->mode == other)
		return 0;
	return dav2m_host_fail(error, DAV2M_HOST_CORE,
			       "the policy asked for a switch from %s mode to another than %s",
			       dav2m_mode_name(loop->mode), dav2m_mode_name(other));
}

static int loop_tick(struct loop *loop, size_t i, struct dav2m_host_error *error)
{
	const struct dav2m_replay *replay = loop->replay;
	const struct dav2m_sample *increments = &replay->pair->tick[loop->mode][i];
	struct dav2m_decision decision = {.action = DAV2M_STAY};
	int switched;
	int rc;

	dav2m_run_tick(&loop->run, loop->mode, increments);
	sample_add(&loop->counters, increments);
	rc = loop->policy->sample(loop->policy_object, &loop->counters, &decision);
	if (rc < 0)
		return core_fail(error, "sample", rc);
	rc = decision_check(loop, &decision, error);
	if (rc)
		return rc;
	switched = decision.action == DAV2M_SWITCH && i + 1 < replay->pair->ticks;
	if (replay->see) {
		struct dav2m_replay_tick tick = {i, loop->mode, increments, &decision, switched};

		replay->see(replay->context, &tick);
	}
	return switched ? loop_switch(loop, decision.mode, error) : 0;
}

/* A VMM samples once before the guest runs: without it the first tick would have no base. */
static int loop_base(struct loop *loop, struct dav2m_host_error *error)
{
	struct dav2m_decision decision = {.action = DAV2M_STAY};
	int rc;

	loop->counters.valid = loop->replay->pair->tick[loop->mode][0].valid;
	rc = loop->policy->sample(loop->policy_object, &loop->counters, &decision);
	return rc < 0 ? core_fail(error, "sample", rc) : 0;
}

int dav2m_replay_policy(const struct dav2m_replay *replay, const struct dav2m_policy *policy,
			void *policy_object, struct dav2m_run *ret_run,
			struct dav2m_host_error *error)
{
	struct loop loop = {.replay = replay, .policy = policy, .policy_object = policy_object};
	size_t i;
	int rc;

	if (!replay || !policy || !policy->sample || !policy->acknowledge || !ret_run)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT, "replay: NULL argument");
	rc = dav2m_replay_check(replay->pair, replay->switch_cycles, error);
	if (rc)
		return rc;
	if ((unsigned int)replay->start >= DAV2M_MODES)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "replay: the mode to start in is unknown");
	loop.mode = replay->start;
	rc = loop_base(&loop, error);
	for (i = 0; !rc && i < replay->pair->ticks; i++)
		rc = loop_tick(&loop, i, error);
	if (!rc)
		*ret_run = loop.run;
	return rc;
}

static int controller_sample(void *policy, const struct dav2m_sample *cumulative,
			     struct dav2m_decision *ret_decision)
{
	return dav2m_sample(policy, cumulative, ret_decision);
}

static int controller_acknowledge(void *policy, enum dav2m_outcome outcome, uint64_t cycles)
{
	return dav2m_acknowledge(policy, outcome, cycles);
}

int dav2m_replay_controller(const struct dav2m_replay *replay, const struct dav2m_config *config,
			    struct dav2m *controller, struct dav2m_run *ret_run,
			    struct dav2m_host_error *error)
{
	static const struct dav2m_policy policy = {controller_sample, controller_acknowledge};
	struct dav2m_config_fault fault = {"config", "is wrong"};
	int rc;

	if (!replay || !config || !controller)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT, "replay: NULL argument");
	if (dav2m_config_check(config, &fault))
		return dav2m_host_fail(error, DAV2M_HOST_CONFIG, "%s %s", fault.field, fault.rule);
	rc = dav2m_init(controller, config, replay->start);
	if (rc < 0)
		return core_fail(error, "dav2m_init", rc);
	return dav2m_replay_policy(replay, &policy, controller, ret_run, error);
}
