/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a page walk costs is learned only where walks matter. A program that maps its memory misses
 * rarely, and then walks through tables that nobody has cached: such walks say nothing of those
 * that follow, by the million, once it uses the memory. The figures are what `dav2m sim --workload
 * gups` counts.
 */
#include <check.h>
#include <stdlib.h>

#include <dav2m/controller.h>

/* A tick of 1e8 instructions. */
struct work {
	uint64_t misses;
	uint64_t walk_cycles[DAV2M_MODES];
	uint64_t exits;
	uint64_t exit_cycles;
};

static const struct work mapping = {26667, {3626688, 933345}, 53438, 165870821};
static const struct work using = {7887788, {200266708, 634141554}, 0, 0};

struct guest {
	struct dav2m ctl;
	struct dav2m_sample counters;
	enum dav2m_mode mode;
};

static void work_do(struct guest *guest, const struct work *work)
{
	const uint64_t walk = work->walk_cycles[guest->mode];
	const uint64_t exits = guest->mode == DAV2M_SHADOW ? work->exits : 0;
	const uint64_t exit_cycles = guest->mode == DAV2M_SHADOW ? work->exit_cycles : 0;
	struct dav2m_decision decision;

	guest->counters.value[DAV2M_PROGRESS] += 100000000;
	guest->counters.value[DAV2M_CYCLES] += 100000000 + walk + exit_cycles;
	guest->counters.value[DAV2M_TLB_MISSES] += work->misses;
	guest->counters.value[DAV2M_WALK_CYCLES] += walk;
	guest->counters.value[DAV2M_PAGING_EXITS] += exits;
	guest->counters.value[DAV2M_PAGING_EXIT_CYCLES] += exit_cycles;
	ck_assert_int_eq(dav2m_sample(&guest->ctl, &guest->counters, &decision), 0);
	if (decision.action != DAV2M_SWITCH)
		return;
	guest->mode = decision.mode;
	guest->counters.value[DAV2M_CYCLES] += 50000000;
	ck_assert_int_eq(dav2m_acknowledge(&guest->ctl, DAV2M_DONE, 50000000), 0);
}

START_TEST(rare_walks_teach_nothing)
{
	struct dav2m_config config = {.size = sizeof(config)};
	struct guest guest = {.counters = {.valid = DAV2M_ALL_COUNTERS}};
	struct dav2m_decision decision;
	int i;

	ck_assert_int_eq(dav2m_config_preset(DAV2M_PRESET_BOUNDED, &config), 0);
	ck_assert_int_eq(dav2m_init(&guest.ctl, &config, DAV2M_SHADOW), 0);
	ck_assert_int_eq(dav2m_sample(&guest.ctl, &guest.counters, &decision), 0);
	for (i = 0; i < 20; i++)
		work_do(&guest, &mapping);
	ck_assert_int_eq(guest.mode, DAV2M_NESTED);
	/* A tick loses four round trips. */
	for (i = 0; i < 10; i++)
		work_do(&guest, &using);
	ck_assert_int_eq(guest.mode, DAV2M_SHADOW);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("walk_costs");
	TCase *tcase = tcase_create("calibration");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, rare_walks_teach_nothing);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
