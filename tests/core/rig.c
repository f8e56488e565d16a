/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A controller under test and the VMM that drives it.
 */
#include "rig.h"

struct dav2m_config rig_config(enum dav2m_preset preset)
{
	struct dav2m_config config = {.size = sizeof(config)};

	ck_assert_int_eq(dav2m_config_preset(preset, &config), 0);
	config.window_inst = RIG_TICK;
	config.threshold_vmexit = RIG_EXITS;
	config.threshold_tmiss = RIG_MISSES;
	config.round_trip_ticks = RIG_ROUND_TRIP;
	return config;
}

static enum dav2m_reason take_sample(struct rig *rig)
{
	rig_must(dav2m_sample(&rig->ctl, &rig->counters, &rig->last) == 0);
	return rig->last.reason;
}

void rig_begin_with(struct rig *rig, const struct dav2m_config *config, enum dav2m_mode running,
		    uint32_t counters)
{
	rig->counters = (struct dav2m_sample){.valid = counters};
	ck_assert_int_eq(dav2m_init(&rig->ctl, config, running), 0);
	rig_expect_reason(take_sample(rig), DAV2M_BASELINE);
}

void rig_begin(struct rig *rig, const struct dav2m_config *config, enum dav2m_mode running)
{
	rig_begin_with(rig, config, running, RIG_COUNTERS);
}

enum dav2m_reason rig_work(struct rig *rig, uint64_t progress, uint64_t cycles, uint64_t misses,
			   uint64_t exits)
{
	rig->counters.value[DAV2M_PROGRESS] += progress;
	rig->counters.value[DAV2M_CYCLES] += cycles;
	rig->counters.value[DAV2M_TLB_MISSES] += misses;
	rig->counters.value[DAV2M_PAGING_EXITS] += exits;
	return take_sample(rig);
}

enum dav2m_reason rig_tick(struct rig *rig, uint64_t cycles, uint64_t misses, uint64_t exits)
{
	return rig_work(rig, RIG_TICK, cycles, misses, exits);
}

void rig_ask(struct rig *rig, const struct dav2m_config *config)
{
	rig_begin(rig, config, DAV2M_SHADOW);
	rig_expect_reason(rig_tick(rig, RIG_SHADOW_CYCLES, 0, RIG_EXITS + 1), DAV2M_EXITS_ABOVE);
}

void rig_acknowledge(struct rig *rig, enum dav2m_outcome outcome, uint64_t cycles)
{
	ck_assert_int_eq(dav2m_acknowledge(&rig->ctl, outcome, cycles), 0);
}

void rig_done(struct rig *rig)
{
	rig_acknowledge(rig, DAV2M_DONE, 0);
}

void rig_settle(struct rig *rig)
{
	for (unsigned int tick = 0; tick < rig->ctl.config.window_settle; tick++)
		rig_expect_reason(rig_tick(rig, RIG_SHADOW_CYCLES, 0, 0), DAV2M_SETTLING);
}

/* Any mode to the probe of the other. */
static void start_probe(struct rig *rig)
{
	rig_done(rig);
	rig_settle(rig);
}

static void reach_prenested(struct rig *rig, const struct dav2m_config *config)
{
	rig_begin(rig, config, DAV2M_SHADOW);
	rig_expect_reason(rig_tick(rig, RIG_SHADOW_CYCLES, 0, config->threshold_vmexit + 1ull),
			  DAV2M_EXITS_ABOVE);
	start_probe(rig);
}

static void reach_prepaging(struct rig *rig, const struct dav2m_config *config)
{
	reach_prenested(rig, config);
	while (rig_tick(rig, RIG_SHADOW_CYCLES, 0, 0) == DAV2M_WAITING)
		;
	rig_expect_reason(rig->last.reason, DAV2M_PROBE_KEPT);
}

static void reach_preshadow(struct rig *rig, const struct dav2m_config *config)
{
	rig_begin(rig, config, DAV2M_NESTED);
	while (rig_tick(rig, RIG_NESTED_CYCLES, config->threshold_tmiss + 1ull, 0) == DAV2M_WAITING)
		;
	rig_expect_reason(rig->last.reason, DAV2M_MISSES_ABOVE);
	start_probe(rig);
}

void rig_reach(struct rig *rig, const struct dav2m_config *config, enum dav2m_state state)
{
	switch (state) {
	case DAV2M_STATE_SHADOW:
		rig_begin(rig, config, DAV2M_SHADOW);
		break;
	case DAV2M_STATE_PRENESTED:
		reach_prenested(rig, config);
		break;
	case DAV2M_STATE_PREPAGING:
		reach_prepaging(rig, config);
		break;
	case DAV2M_STATE_NESTED:
		rig_begin(rig, config, DAV2M_NESTED);
		break;
	case DAV2M_STATE_PRESHADOW:
		reach_preshadow(rig, config);
		break;
	}
	rig_expect_state(rig, state);
}

struct dav2m_explanation rig_explain(const struct rig *rig)
{
	struct dav2m_explanation explanation;

	rig_must(dav2m_explain(&rig->ctl, &explanation) == 0);
	return explanation;
}

uint64_t rig_random(uint64_t *seed)
{
	/* splitmix64 */
	uint64_t x = *seed += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

int rig_main(const char *name, TCase *tests)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
