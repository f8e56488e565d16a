/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cells for the contest's suites: pairs of recordings by hand, and policies by their names.
 */
#ifndef DAV2M_TESTS_CONTEST_RIG_H
#define DAV2M_TESTS_CONTEST_RIG_H

#include "matrix.h"
#include "tape.h"

#include <check.h>
#include <string.h>

#define MEGA 1000000ull

/* Millions of cycles per tick in each mode; no other counter but progress moves. */
static inline struct dav2m_pair pair_of(const uint64_t (*mega_cycles)[DAV2M_MODES], size_t ticks)
{
	struct dav2m_host_error error;
	struct dav2m_pair pair;
	size_t i;
	int mode;

	ck_assert_int_eq(tape_new(ticks, &pair, &error), 0);
	for (i = 0; i < ticks; i++)
		for (mode = 0; mode < DAV2M_MODES; mode++) {
			pair.tick[mode][i].valid = DAV2M_ALL_COUNTERS;
			pair.tick[mode][i].value[DAV2M_PROGRESS] = PEER_TICK_PROGRESS;
			pair.tick[mode][i].value[DAV2M_CYCLES] = mega_cycles[i][mode] * MEGA;
		}
	tape_sum(&pair);
	return pair;
}

static inline struct contest_policy policy_named(const char *name)
{
	struct contest_policy policy;
	size_t i;

	for (i = 0; contest_policy(i, &policy); i++)
		if (!strcmp(policy.name, name))
			return policy;
	ck_abort_msg("no policy %s", name);
	return policy;
}

static inline struct contest_result play(const char *policy, const struct contest_cell *cell,
					 const struct contest_view *view)
{
	struct contest_policy who = policy_named(policy);
	struct contest_result result;
	struct dav2m_host_error error;

	ck_assert_msg(!contest_play(&who, 1, cell, view, &result, &error), "%s", error.text);
	return result;
}

/* Under the first cost model, with switches of so many millions of cycles. */
static inline struct contest_cell cell_on(const struct dav2m_pair *pair, uint64_t to_shadow,
					  uint64_t to_nested)
{
	return (struct contest_cell){.workload = {.kind = CONTEST_PHASES, .name = "by hand"},
				     .model = contest_model(0),
				     .pair = pair,
				     .switch_cycles = {to_shadow * MEGA, to_nested * MEGA}};
}

#endif
