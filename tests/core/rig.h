/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A controller under test and the VMM that drives it: counters that grow by what a test says,
 * windows of round numbers, every state within reach.
 */
#ifndef DAV2M_TESTS_CORE_RIG_H
#define DAV2M_TESTS_CORE_RIG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <dav2m/dav2m.h>

/* Of rig_config(): small and round, so that a test can be checked by eye. */
#define RIG_TICK	  1000u /* window_inst */
#define RIG_EXITS	  100u	/* threshold_vmexit */
#define RIG_MISSES	  1000u /* threshold_tmiss */
#define RIG_ROUND_TRIP	  2	/* ticks */
#define RIG_SHADOW_CYCLES 2000u /* CPI 2 in the stay before a nested probe */
#define RIG_NESTED_CYCLES 3000u /* CPI 3 in the stay before a shadow probe */
#define RIG_COUNTERS                                                                               \
	(DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES) | DAV2M_BIT(DAV2M_TLB_MISSES) |       \
	 DAV2M_BIT(DAV2M_PAGING_EXITS))

struct rig {
	struct dav2m ctl;
	struct dav2m_sample counters; /* as they stand */
	struct dav2m_decision last;   /* what the latest sample led to */
};

/* A preset with the windows and thresholds above. */
struct dav2m_config rig_config(enum dav2m_preset preset);

/* Initialises the controller and gives it its first sample, with RIG_COUNTERS. */
void rig_begin(struct rig *rig, const struct dav2m_config *config, enum dav2m_mode running);

/* The same, with other counters. */
void rig_begin_with(struct rig *rig, const struct dav2m_config *config, enum dav2m_mode running,
		    uint32_t counters);

/* The counters grow and are sampled. */
enum dav2m_reason rig_work(struct rig *rig, uint64_t progress, uint64_t cycles, uint64_t misses,
			   uint64_t exits);

/* The same for a whole tick's progress. */
enum dav2m_reason rig_tick(struct rig *rig, uint64_t cycles, uint64_t misses, uint64_t exits);

/* Takes a fresh rig into Shadow with a switch to PreNested asked for. */
void rig_ask(struct rig *rig, const struct dav2m_config *config);

/* Acknowledges the switch that was asked for. */
void rig_acknowledge(struct rig *rig, enum dav2m_outcome outcome, uint64_t cycles);

/* The same as done at no cost. */
void rig_done(struct rig *rig);

/* Ticks at CPI 2 without exits or misses while the controller settles. */
void rig_settle(struct rig *rig);

/* Takes a fresh rig into a state, settled, at the beginning of that state's window. */
void rig_reach(struct rig *rig, const struct dav2m_config *config, enum dav2m_state state);

struct dav2m_explanation rig_explain(const struct rig *rig);

/* Some 64-bit value; the same seed gives the same sequence. */
uint64_t rig_random(uint64_t *seed);

/* Runs a suite of one test case and gives main()'s answer. */
int rig_main(const char *name, TCase *tests);

/* An assertion for long loops: Check's own write a mark each, also when they hold. */
#define rig_must(condition)                                                                        \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ck_abort_msg("%s", #condition);                                            \
	} while (0)

/* What the latest decision must say. */
#define rig_expect(rig, want_action, want_edge, want_from, want_to)                                \
	do {                                                                                       \
		const struct dav2m_decision *got_ = &(rig)->last;                                  \
		ck_assert_int_eq(got_->action, want_action);                                       \
		ck_assert_uint_eq(got_->edge, want_edge);                                          \
		ck_assert_str_eq(dav2m_state_name(got_->from), dav2m_state_name(want_from));       \
		ck_assert_str_eq(dav2m_state_name(got_->to), dav2m_state_name(want_to));           \
		ck_assert_int_eq(got_->mode, dav2m_state_mode(want_to));                           \
	} while (0)

#define rig_expect_reason(got, want)                                                               \
	ck_assert_str_eq(dav2m_reason_name(got), dav2m_reason_name(want))

#define rig_expect_state(rig, want)                                                                \
	ck_assert_str_eq(dav2m_state_name(rig_explain(rig).state), dav2m_state_name(want))

#endif
