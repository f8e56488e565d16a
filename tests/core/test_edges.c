/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state machine: its table cell by cell, and each edge as a VMM meets it.
 */
#include <stdio.h>

#include "core.h"
#include "rig.h"

/* The presets whose judge the thresholds are: default and paper. */
#define THRESHOLD_PRESETS (DAV2M_PRESET_PAPER + 1)

/*
 * Written from docs/policy.md, not from the source: for each state and verdict the state it leads
 * to, the edge's number, and what is learnt (n, s: nested, shadow; + won, - lost).
 */
#define CELL 8
static const char *const table[DAV2M_STATES][DAV2M_VERDICTS] = {
	/* hold, roll, leave, keep, reject, abort, give up, quiesced, blind, pin */
	/* S  */ {"S", "S 2", "PN 1", "S", "S", "S", "S", "S", "S", "N"},
	/* PN */ {"PN", "PN", "PN", "PP 4 n+", "S 3 n-", "PN", "PN", "PN", "PN", "S"},
	/* PP */ {"PP", "PP", "PP", "PP", "PP", "PP", "PP", "N 5", "PP", "S"},
	/* N  */ {"N", "N 7", "PS 6", "N", "N", "N", "N", "N", "N", "S"},
	/* PS */ {"PS", "PS 11", "PS", "S 10 s+", "N 9 s-", "PN 8", "N 9 s-", "PS", "PS", "N"},
};

static const enum dav2m_reason reason_of_verdict[DAV2M_VERDICTS] = {
	[VERDICT_HOLD] = DAV2M_WAITING,		 [VERDICT_ROLL] = DAV2M_ROLLED,
	[VERDICT_LEAVE] = DAV2M_MISSES_ABOVE,	 [VERDICT_KEEP] = DAV2M_PROBE_KEPT,
	[VERDICT_REJECT] = DAV2M_PROBE_WORSE,	 [VERDICT_ABORT] = DAV2M_PROBE_ABORTED,
	[VERDICT_GIVE_UP] = DAV2M_PROBE_ABORTED, [VERDICT_QUIESCED] = DAV2M_QUIESCED,
	[VERDICT_BLIND] = DAV2M_BLIND,		 [VERDICT_PIN] = DAV2M_PINNED,
};

/* A cell in the table's notation. */
static void describe(const struct dav2m_edge *edge, char ret_text[static CELL + 1])
{
	static const char *const states[DAV2M_STATES] = {"S", "PN", "PP", "N", "PS"};
	static const char *const lessons[] = {"", " n-", " n+", " s-", " s+"};
	char number[4] = "";

	if (edge->number)
		snprintf(number, sizeof(number), " %u", edge->number % 100u);
	snprintf(ret_text, CELL + 1, "%s%s%s", states[edge->to], number, lessons[edge->lesson]);
}

START_TEST(cells)
{
	for (int state = 0; state < DAV2M_STATES; state++) {
		for (int verdict = 0; verdict < DAV2M_VERDICTS; verdict++) {
			char text[CELL + 1];

			describe(&dav2m_edges[state][verdict], text);
			ck_assert_msg(!strcmp(text, table[state][verdict]),
				      "state %d, verdict %d: '%s' is not '%s'", state, verdict,
				      text, table[state][verdict]);
		}
	}
}
END_TEST

/* What a cell says fits its verdict; a cell that no guard asks for waits. */
START_TEST(reasons)
{
	for (int state = 0; state < DAV2M_STATES; state++) {
		for (int verdict = 0; verdict < DAV2M_VERDICTS; verdict++) {
			const struct dav2m_edge *edge = &dav2m_edges[state][verdict];
			enum dav2m_reason want = reason_of_verdict[verdict];
			int probing = state != DAV2M_STATE_PREPAGING;

			if (verdict == VERDICT_LEAVE && state == DAV2M_STATE_SHADOW)
				want = DAV2M_EXITS_ABOVE;
			if (!edge->number && verdict != VERDICT_PIN &&
			    !(verdict == VERDICT_BLIND && probing))
				want = DAV2M_WAITING;
			ck_assert_msg(edge->reason == want, "state %d, verdict %d: %s", state,
				      verdict, dav2m_reason_name(edge->reason));
		}
	}
}
END_TEST

/* The thresholds and the window after an edge. */
static void expect_after(const struct rig *rig, enum dav2m_state state, uint32_t vmexit,
			 uint32_t tmiss)
{
	struct dav2m_explanation now = rig_explain(rig);

	rig_expect_state(rig, state);
	ck_assert_int_eq(now.mode, dav2m_state_mode(state));
	ck_assert_int_eq(now.asked, DAV2M_STAY);
	ck_assert_uint_eq(now.threshold_vmexit, vmexit);
	ck_assert_uint_eq(now.threshold_tmiss, tmiss);
	ck_assert_uint_eq(now.window.progress, 0);
	ck_assert_uint_eq(now.window.cycles, 0);
	ck_assert_uint_eq(now.window.tlb_misses, 0);
	ck_assert_uint_eq(now.window.paging_exits, 0);
	ck_assert_uint_eq(now.window.ticks, 0);
}

static void expect_reference(const struct rig *rig, uint64_t progress, uint64_t cycles)
{
	struct dav2m_explanation now = rig_explain(rig);

	ck_assert_uint_eq(now.reference.progress, progress);
	ck_assert_uint_eq(now.reference.cycles, cycles);
}

START_TEST(edge_1)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_SHADOW);
	rig_expect_reason(rig_work(&rig, 300, 660, 5, RIG_EXITS), DAV2M_WAITING);
	rig_expect_reason(rig_work(&rig, 100, 240, 5, 1), DAV2M_EXITS_ABOVE);
	rig_expect(&rig, DAV2M_SWITCH, 1, DAV2M_STATE_SHADOW, DAV2M_STATE_PRENESTED);
	/* Not switched before it is acknowledged; the CPI of the burst is kept. */
	rig_expect_state(&rig, DAV2M_STATE_SHADOW);
	ck_assert_int_eq(rig_explain(&rig).asked, DAV2M_SWITCH);
	expect_reference(&rig, 400, 900);
	rig_done(&rig);
	expect_after(&rig, DAV2M_STATE_PRENESTED, RIG_EXITS, RIG_MISSES);
	expect_reference(&rig, 400, 900);
	ck_assert_uint_eq(rig_explain(&rig).tally.switches[DAV2M_NESTED], 1);
	ck_assert_uint_eq(rig_explain(&rig).tally.switches[DAV2M_SHADOW], 0);
}
END_TEST

START_TEST(edge_2)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct rig rig;

	config.window_vmexit = 3;
	rig_reach(&rig, &config, DAV2M_STATE_SHADOW);
	rig_expect_reason(rig_tick(&rig, 2000, 7, 30), DAV2M_WAITING);
	rig_expect_reason(rig_tick(&rig, 2100, 7, 30), DAV2M_WAITING);
	expect_reference(&rig, 0, 0);
	rig_expect_reason(rig_tick(&rig, 2200, 7, 40), DAV2M_ROLLED);
	rig_expect(&rig, DAV2M_STAY, 2, DAV2M_STATE_SHADOW, DAV2M_STATE_SHADOW);
	expect_after(&rig, DAV2M_STATE_SHADOW, RIG_EXITS, RIG_MISSES);
	/* Only as printed a probe may be judged against a window before its own. */
	expect_reference(&rig, config.as_printed ? 3000 : 0, config.as_printed ? 6300 : 0);
	/* exits = 0: those of the last window are forgotten. */
	rig_expect_reason(rig_tick(&rig, 2000, 0, RIG_EXITS), DAV2M_WAITING);
}
END_TEST

/* CPI 2 in shadow; p_factor allows 2200 (paper) or 2040 cycles. */
static uint64_t allowed(const struct dav2m_config *config)
{
	return (uint64_t)RIG_SHADOW_CYCLES * config->p_factor_bp / DAV2M_ONE_BP;
}

START_TEST(edge_3)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PRENESTED);
	rig_expect_reason(rig_tick(&rig, allowed(&config) + 1, 9, 0), DAV2M_PROBE_WORSE);
	rig_expect(&rig, DAV2M_SWITCH, 3, DAV2M_STATE_PRENESTED, DAV2M_STATE_SHADOW);
	/* Nothing is learnt from a switch that may yet fail. */
	ck_assert_uint_eq(rig_explain(&rig).threshold_vmexit, RIG_EXITS);
	rig_done(&rig);
	expect_after(&rig, DAV2M_STATE_SHADOW, 125, RIG_MISSES);
	expect_reference(&rig, RIG_TICK, RIG_SHADOW_CYCLES);
}
END_TEST

START_TEST(edge_4)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	uint32_t lowered = _i == DAV2M_PRESET_PAPER ? RIG_EXITS : 87;
	struct rig rig;

	config.window_vmexit = 2;
	rig_reach(&rig, &config, DAV2M_STATE_SHADOW);
	rig_expect_reason(rig_tick(&rig, RIG_SHADOW_CYCLES, 0, RIG_EXITS + 1), DAV2M_EXITS_ABOVE);
	rig_done(&rig);
	rig_settle(&rig);
	rig_expect_reason(rig_tick(&rig, allowed(&config) - 10, 9, 0), DAV2M_WAITING);
	rig_expect_reason(rig_tick(&rig, allowed(&config) + 10, 9, 0), DAV2M_PROBE_KEPT);
	rig_expect(&rig, DAV2M_STAY, 4, DAV2M_STATE_PRENESTED, DAV2M_STATE_PREPAGING);
	expect_after(&rig, DAV2M_STATE_PREPAGING, lowered, RIG_MISSES);
	expect_reference(&rig, RIG_TICK, RIG_SHADOW_CYCLES);
}
END_TEST

START_TEST(edge_5)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct dav2m_explanation before;
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PREPAGING);
	before = rig_explain(&rig);
	rig_expect_reason(rig_tick(&rig, 9000, RIG_MISSES * 100, 0), DAV2M_WAITING);
	rig_expect(&rig, DAV2M_STAY, 0, DAV2M_STATE_PREPAGING, DAV2M_STATE_PREPAGING);
	rig_expect_reason(rig_tick(&rig, 9000, RIG_MISSES * 100, 0), DAV2M_QUIESCED);
	rig_expect(&rig, DAV2M_STAY, 5, DAV2M_STATE_PREPAGING, DAV2M_STATE_NESTED);
	expect_after(&rig, DAV2M_STATE_NESTED, before.threshold_vmexit, before.threshold_tmiss);
}
END_TEST

START_TEST(edge_6)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_NESTED);
	for (int tick = 1; tick < 10; tick++)
		rig_expect_reason(rig_tick(&rig, 3000, RIG_MISSES, 0), DAV2M_WAITING);
	rig_expect_reason(rig_tick(&rig, 3100, 0, 0), DAV2M_MISSES_ABOVE);
	rig_expect(&rig, DAV2M_SWITCH, 6, DAV2M_STATE_NESTED, DAV2M_STATE_PRESHADOW);
	expect_reference(&rig, 10 * RIG_TICK, 30100);
	rig_done(&rig);
	expect_after(&rig, DAV2M_STATE_PRESHADOW, RIG_EXITS, RIG_MISSES);
	expect_reference(&rig, 10 * RIG_TICK, 30100);
	ck_assert_uint_eq(rig_explain(&rig).tally.switches[DAV2M_SHADOW], 1);
}
END_TEST

START_TEST(edge_7)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_NESTED);
	for (int tick = 1; tick < 10; tick++)
		rig_expect_reason(rig_tick(&rig, 3000, RIG_MISSES / 10, 5), DAV2M_WAITING);
	rig_expect_reason(rig_tick(&rig, 3000, RIG_MISSES / 10, 5), DAV2M_ROLLED);
	rig_expect(&rig, DAV2M_STAY, 7, DAV2M_STATE_NESTED, DAV2M_STATE_NESTED);
	expect_after(&rig, DAV2M_STATE_NESTED, RIG_EXITS, RIG_MISSES);
	expect_reference(&rig, 0, 0);
}
END_TEST

/* As printed, a shadow probe over the exit threshold is a nested probe at once. */
START_TEST(edge_8)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PRESHADOW);
	rig_expect_reason(rig_work(&rig, 500, 700, 0, RIG_EXITS), DAV2M_WAITING);
	rig_expect_reason(rig_work(&rig, 100, 100, 0, 1), DAV2M_PROBE_ABORTED);
	rig_expect(&rig, DAV2M_SWITCH, 8, DAV2M_STATE_PRESHADOW, DAV2M_STATE_PRENESTED);
	expect_reference(&rig, 600, 800);
	rig_done(&rig);
	/* The two switches went different ways: no oscillation yet. */
	expect_after(&rig, DAV2M_STATE_PRENESTED, RIG_EXITS, RIG_MISSES);
}
END_TEST

/* CPI 3 in nested. */
static uint64_t allowed_shadow(const struct dav2m_config *config)
{
	return (uint64_t)RIG_NESTED_CYCLES * config->p_factor_bp / DAV2M_ONE_BP;
}

START_TEST(edge_9)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PRESHADOW);
	for (int tick = 1; tick < 10; tick++)
		rig_expect_reason(rig_tick(&rig, allowed_shadow(&config), 5, 0), DAV2M_ROLLED);
	rig_expect_reason(rig_tick(&rig, allowed_shadow(&config) + 1, 5, 0), DAV2M_PROBE_WORSE);
	rig_expect(&rig, DAV2M_SWITCH, 9, DAV2M_STATE_PRESHADOW, DAV2M_STATE_NESTED);
	ck_assert_uint_eq(rig_explain(&rig).threshold_tmiss, RIG_MISSES);
	rig_done(&rig);
	expect_after(&rig, DAV2M_STATE_NESTED, RIG_EXITS, 1250);
}
END_TEST

START_TEST(edge_10)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	uint32_t lowered = _i == DAV2M_PRESET_PAPER ? RIG_MISSES : 875;
	struct rig rig;

	rig_reach(&rig, &config, DAV2M_STATE_PRESHADOW);
	for (int tick = 1; tick < 10; tick++)
		rig_expect_reason(rig_tick(&rig, allowed_shadow(&config), 5, 0), DAV2M_ROLLED);
	rig_expect_reason(rig_tick(&rig, allowed_shadow(&config), 5, 0), DAV2M_PROBE_KEPT);
	rig_expect(&rig, DAV2M_STAY, 10, DAV2M_STATE_PRESHADOW, DAV2M_STATE_SHADOW);
	expect_after(&rig, DAV2M_STATE_SHADOW, RIG_EXITS, lowered);
}
END_TEST

/* Inside a shadow probe only the exits restart. */
START_TEST(edge_11)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct rig rig;

	config.window_vmexit = 2;
	rig_reach(&rig, &config, DAV2M_STATE_PRESHADOW);
	rig_expect_reason(rig_tick(&rig, 2000, 5, RIG_EXITS - 1), DAV2M_WAITING);
	ck_assert_uint_eq(rig_explain(&rig).window.paging_exits, RIG_EXITS - 1);
	rig_expect_reason(rig_tick(&rig, 2000, 5, 1), DAV2M_ROLLED);
	rig_expect(&rig, DAV2M_STAY, 11, DAV2M_STATE_PRESHADOW, DAV2M_STATE_PRESHADOW);
	ck_assert_uint_eq(rig_explain(&rig).window.paging_exits, 0);
	ck_assert_uint_eq(rig_explain(&rig).window.progress, 2 * RIG_TICK);
	ck_assert_uint_eq(rig_explain(&rig).window.cycles, 4000);
	ck_assert_uint_eq(rig_explain(&rig).window.ticks, 2);
	expect_reference(&rig, 10 * RIG_TICK, 10 * RIG_NESTED_CYCLES);
	rig_expect_reason(rig_tick(&rig, 2000, 5, RIG_EXITS), DAV2M_WAITING);
}
END_TEST

/* A window that no CPI can be had of: the state waits for the next. */
START_TEST(blind)
{
	static const enum dav2m_state states[] = {DAV2M_STATE_SHADOW, DAV2M_STATE_NESTED};
	const uint32_t counters[] = {RIG_COUNTERS & ~DAV2M_BIT(DAV2M_CYCLES),
				     RIG_COUNTERS & ~DAV2M_BIT(DAV2M_PROGRESS)};
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct rig rig;

	config.window_tmiss = 1;
	for (int s = 0; s < 2; s++) {
		for (int c = 0; c < 2; c++) {
			rig_begin_with(&rig, &config, dav2m_state_mode(states[s]), counters[c]);
			rig_expect_reason(rig_tick(&rig, 2000, RIG_MISSES + 1, RIG_EXITS + 1),
					  DAV2M_BLIND);
			rig_expect(&rig, DAV2M_STAY, 0, states[s], states[s]);
			expect_after(&rig, states[s], RIG_EXITS, RIG_MISSES);
			/* What is below the thresholds needs no CPI. */
			rig_expect_reason(rig_tick(&rig, 2000, RIG_MISSES, RIG_EXITS),
					  DAV2M_ROLLED);
		}
	}
}
END_TEST

START_TEST(blind_without_misses)
{
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct rig rig;

	config.window_tmiss = 2;
	rig_begin_with(&rig, &config, DAV2M_NESTED, RIG_COUNTERS & ~DAV2M_BIT(DAV2M_TLB_MISSES));
	rig_expect_reason(rig_tick(&rig, 2000, 5000, 0), DAV2M_WAITING);
	rig_expect_reason(rig_tick(&rig, 2000, 5000, 0), DAV2M_BLIND);
	expect_after(&rig, DAV2M_STATE_NESTED, RIG_EXITS, RIG_MISSES);
}
END_TEST

/* A counter lost while a probe runs: the probe lasts until it is back. */
START_TEST(blind_probe)
{
	static const enum dav2m_state states[] = {DAV2M_STATE_PRENESTED, DAV2M_STATE_PRESHADOW};
	struct dav2m_config config = rig_config((enum dav2m_preset)_i);
	struct rig rig;

	config.window_tmiss = 1;
	for (int s = 0; s < 2; s++) {
		rig_reach(&rig, &config, states[s]);
		rig.counters.valid &= ~DAV2M_BIT(DAV2M_CYCLES);
		while (rig_tick(&rig, 0, 0, 0) == DAV2M_INCOMPLETE)
			;
		rig_expect_reason(rig.last.reason, DAV2M_COUNTER_LOST);
		rig_expect_reason(rig_tick(&rig, 0, 0, 0), DAV2M_BLIND);
		expect_after(&rig, states[s], RIG_EXITS, RIG_MISSES);
		rig.counters.valid = RIG_COUNTERS;
		rig_expect_reason(rig_tick(&rig, 0, 0, 0), DAV2M_BASELINE);
		rig_expect_reason(rig_tick(&rig, 2000, 0, 0), DAV2M_PROBE_KEPT);
	}
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("edges");

	tcase_add_test(tests, cells);
	tcase_add_test(tests, reasons);
	tcase_add_loop_test(tests, edge_1, 0, THRESHOLD_PRESETS);
	tcase_add_loop_test(tests, edge_2, 0, THRESHOLD_PRESETS);
	tcase_add_loop_test(tests, edge_3, 0, THRESHOLD_PRESETS);
	tcase_add_loop_test(tests, edge_4, 0, THRESHOLD_PRESETS);
	tcase_add_loop_test(tests, edge_5, 0, THRESHOLD_PRESETS);
	tcase_add_loop_test(tests, edge_6, 0, THRESHOLD_PRESETS);
	tcase_add_loop_test(tests, edge_7, 0, THRESHOLD_PRESETS);
	tcase_add_test(tests, edge_8);
	tcase_add_loop_test(tests, edge_9, 0, THRESHOLD_PRESETS);
	tcase_add_loop_test(tests, edge_10, 0, THRESHOLD_PRESETS);
	tcase_add_loop_test(tests, edge_11, 0, THRESHOLD_PRESETS);
	tcase_add_loop_test(tests, blind, 0, THRESHOLD_PRESETS);
	tcase_add_loop_test(tests, blind_without_misses, 0, THRESHOLD_PRESETS);
	tcase_add_loop_test(tests, blind_probe, 0, THRESHOLD_PRESETS);
	return rig_main("edges", tests);
}
