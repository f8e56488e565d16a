/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of judges and fields against the controller itself: replays of synthetic phases, each
 * field at several values. One that its judge does not use must leave every decision as it was,
 * and one that it uses must change some.
 */
#include "judge_fields.h"

#include "host.h"
#include "phases.h"

#include <dav2m/host/replay.h>

#include <stdlib.h>
#include <string.h>

#define TICKS  3000
#define JUDGES 2
#define HASHED 0x100000001b3ull /* FNV-1a's prime */

/* Fields that a judge uses although no value changes a decision here, and why not. */
static const struct {
	unsigned int judge;
	const char *field;
} quiet[] = {
	{0, "counter_bits"},  /* these counters do not wrap in 32 bits ... */
	{1, "counter_bits"},  /* ... in one tick, and only differences count */
	{0, "judge"},	      /* another value is another judge */
	{1, "judge"},	      /* likewise */
	{1, "window_vmexit"}, /* must be 1 */
	{1, "window_tmiss"},  /* must be 1 */
	{1, "window_trans"},  /* limits window_settle */
};

static struct dav2m_sample shadow[TICKS], nested[TICKS];

static void decision_add(void *context, const struct dav2m_replay_tick *tick)
{
	uint64_t *hash = context;

	*hash = (*hash ^ (uint64_t)tick->decision->to ^ (uint64_t)tick->mode << 8 ^
		 (uint64_t)tick->switched << 16 ^ (uint64_t)tick->decision->reason << 24) *
		HASHED;
}

static void cycles_hide(void)
{
	const uint32_t hidden = DAV2M_BIT(DAV2M_WALK_CYCLES) | DAV2M_BIT(DAV2M_PAGING_EXIT_CYCLES);
	size_t i;

	for (i = 0; i < TICKS; i++) {
		shadow[i].valid &= ~hidden;
		nested[i].valid &= ~hidden;
	}
}

/* All decisions as one number: on all traces, from both modes on, with and without the counters
   that spare a judge its estimates. */
static uint64_t decisions(const struct dav2m_config *config)
{
	struct dav2m_host_error error = {""};
	struct dav2m controller;
	struct dav2m_run run;
	uint64_t hash = 0xcbf29ce484222325ull;
	size_t i;

	for (i = 0; i < 4 * phases_table_size; i++) {
		struct phases phases = phases_table[i / 4];
		struct dav2m_pair pair = {.tick = {shadow, nested}, .ticks = TICKS};
		struct dav2m_replay replay = {
			.pair = &pair,
			.switch_cycles = {PHASES_TO_SHADOW_CYCLES, PHASES_TO_NESTED_CYCLES},
			.start = i % 2 ? DAV2M_NESTED : DAV2M_SHADOW,
			.see = decision_add,
			.context = &hash};

		phases.ticks = TICKS;
		phases_fill(&phases, 2000, i / 4 + 1, shadow, nested);
		if (i / 2 % 2)
			cycles_hide();
		ck_assert_msg(!dav2m_replay_controller(&replay, config, &controller, &run, &error),
			      "%s", error.text);
	}
	return hash;
}

static struct dav2m_config config_of(unsigned int judge)
{
	struct dav2m_config config = {.size = sizeof(config)};

	dav2m_config_preset(judge ? DAV2M_PRESET_BOUNDED : DAV2M_PRESET_REPAIRED, &config);
	ck_assert_uint_eq(config.judge, judge);
	return config;
}

/* Whether another value of the field that the rules allow changes a decision. */
static int changes(unsigned int judge, const struct dav2m_config_field *field)
{
	struct dav2m_config config = config_of(judge);
	const uint64_t before = decisions(&config);
	uint32_t usual = 0;
	size_t i;

	dav2m_config_get(&config, field->name, &usual);
	for (i = 0; i < 6; i++) {
		const uint32_t value[] = {field->min, field->max, usual / 4,
					  usual / 2,  usual + 1,  usual * 4};

		config = config_of(judge);
		if (!dav2m_config_set(&config, field->name, value[i]) && config.judge == judge &&
		    !dav2m_config_check(&config, NULL) && decisions(&config) != before)
			return 1;
	}
	return 0;
}

static int is_quiet(unsigned int judge, const char *field)
{
	size_t i;

	for (i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
		if (quiet[i].judge == judge && !strcmp(quiet[i].field, field))
			return 1;
	return 0;
}

START_TEST(fields)
{
	const struct dav2m_config_field *field;
	size_t i;

	for (i = 0; (field = dav2m_config_field(i)) != NULL; i++) {
		const int uses = judge_uses((unsigned int)_i, field->name);

		ck_assert_msg(uses >= 0, "tools/judge_fields.c does not know %s", field->name);
		ck_assert_msg(changes((unsigned int)_i, field) ==
				      (uses && !is_quiet((unsigned int)_i, field->name)),
			      "%s: the %s judge is said to %suse it", field->name,
			      judge_name((unsigned int)_i), uses ? "" : "not ");
	}
	ck_assert_int_gt((int)i, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("judge_fields");
	TCase *all = tcase_create("judge_fields");
	SRunner *runner;
	int failed;

	tcase_set_timeout(all, 120);
	tcase_add_loop_test(all, fields, 0, JUDGES);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
