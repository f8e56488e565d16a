/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes each row when it is known in which mode it will run.
 */
#include "adversary.h"

#include "tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Its two moves cost alike, 1.6e7 cycles a tick, about a tenth of the lists' switches there and
   back. It moves every row. */
static const struct phase dear_in[DAV2M_MODES] = {
	[DAV2M_SHADOW] = {1, 4000, 4000, 1000, 40, 4000 / 45},
	[DAV2M_NESTED] = {1, 4, 4000, 400000, 40, 0},
};

struct adversary {
	const struct dav2m_policy *policy;
	void *policy_object;
	/* A tick that is dear in a mode (first index), as each mode (second) has it. */
	struct dav2m_sample dear[DAV2M_MODES][DAV2M_MODES][TAPE_TICK_ROWS];
	struct dav2m_pair *pair;
	size_t next; /* row to be made */
	enum dav2m_mode mode;
};

/* Without noise all of its ticks are these, so they are made once and not for each row. */
static void moves_make(struct adversary *adversary, const struct contest_model *model)
{
	int mode;

	for (mode = 0; mode < DAV2M_MODES; mode++) {
		const struct phases one = {.body = &dear_in[mode], .body_phases = 1, .ticks = 1};
		struct dav2m_sample(*dear)[TAPE_TICK_ROWS] = adversary->dear[mode];

		tape_phases_fill(&one, model, 0, 0, dear[DAV2M_SHADOW], dear[DAV2M_NESTED]);
	}
}

static void row_make(struct adversary *adversary)
{
	struct dav2m_pair *pair = adversary->pair;
	size_t row = adversary->next;
	int mode;

	if (row == pair->ticks)
		return;
	for (mode = 0; mode < DAV2M_MODES; mode++)
		pair->tick[mode][row] =
			adversary->dear[adversary->mode][mode][row % TAPE_TICK_ROWS];
	adversary->next++;
}

static int adversary_sample(void *object, const struct dav2m_sample *counters,
			    struct dav2m_decision *ret_decision)
{
	struct adversary *adversary = object;
	int rc = adversary->policy->sample(adversary->policy_object, counters, ret_decision);
	int based = adversary->next > 1 || counters->value[DAV2M_PROGRESS] > 0;

	if (ret_decision->action == DAV2M_SWITCH)
		adversary->mode = ret_decision->mode;
	/* The sample before the guest runs ends no row. */
	if (based)
		row_make(adversary);
	return rc;
}

static int adversary_acknowledge(void *object, enum dav2m_outcome outcome, uint64_t cycles)
{
	struct adversary *adversary = object;

	return adversary->policy->acknowledge(adversary->policy_object, outcome, cycles);
}

int adversary_pair(const struct contest_model *model, const uint64_t switch_cycles[DAV2M_MODES],
		   enum dav2m_mode start, size_t rows, const struct dav2m_policy *policy,
		   void *policy_object, struct dav2m_pair *ret_pair, struct dav2m_host_error *error)
{
	static const struct dav2m_policy calls = {adversary_sample, adversary_acknowledge};
	struct dav2m_pair pair = {.ticks = 0};
	struct adversary adversary = {
		.policy = policy, .policy_object = policy_object, .pair = &pair, .mode = start};
	struct dav2m_replay replay = {.pair = &pair, .start = start};
	struct dav2m_run run;
	int rc = tape_new(rows, &pair, error);

	memcpy(replay.switch_cycles, switch_cycles, sizeof(replay.switch_cycles));
	moves_make(&adversary, model);
	if (!rc) {
		row_make(&adversary);
		rc = dav2m_replay_policy(&replay, &calls, &adversary, &run, error);
	}
	if (rc) {
		dav2m_pair_free(&pair);
		return rc;
	}
	tape_sum(&pair);
	*ret_pair = pair;
	return 0;
}
