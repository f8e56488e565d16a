/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A controller on a simulation: it does what its pin says, at the price of its samples only, and
 * finds the better mode on its own.
 */
#include "rig.h"

#define SCALE_BP 400 /* of "phases": its first calm phase, in part */

struct rigged {
	struct dav2m controller;
	struct dav2m_sim_adapter adapter;
};

static void on_sample(void *vm, struct dav2m_sim *sim, int at_window)
{
	struct rigged *rigged = vm;

	dav2m_sim_adapter_sample(&rigged->adapter, sim, at_window);
}

static int on_paging_exit(void *vm)
{
	struct rigged *rigged = vm;

	return dav2m_sim_adapter_paging_exit(&rigged->adapter);
}

static void feed(struct dav2m_sim *sim, uint32_t scale_bp)
{
	struct dav2m_sim_source *source =
		dav2m_sim_source_new(dav2m_sim_workload_find("phases"), 1, scale_bp);
	uint64_t *words = malloc(65536 * sizeof(*words));
	size_t n;

	while ((n = dav2m_sim_source_read(source, words, 65536)) > 0)
		ck_assert_int_eq(dav2m_sim_run(sim, words, n), 0);
	free(words);
	dav2m_sim_source_free(source);
}

static struct dav2m_sim_counts run(struct rigged *rigged, enum dav2m_mode mode, int adaptive,
				   enum dav2m_pin pin, uint32_t scale_bp)
{
	/* Tags, so that a sampling exit leaves the TLBs alone and runs can be compared. */
	struct dav2m_sim_machine machine = *dav2m_sim_machine_find("opteron2350");
	struct dav2m_sim_config config = rig_config((enum dav2m_sim_mode)mode);
	struct dav2m_config controller = {.size = sizeof(controller)};
	struct dav2m_sim_counts counts;
	struct dav2m_sim *sim;

	machine.tagged = 1;
	config.machine = &machine;
	config.guest_bytes = 256ull << 20;
	ck_assert_int_eq(dav2m_config_preset(DAV2M_PRESET_REPAIRED, &controller), 0);
	controller.window_inst = 1000000;
	controller.threshold_vmexit /= 100;
	controller.threshold_tmiss /= 100;
	if (adaptive) {
		config.window_inst = controller.window_inst;
		config.sample = on_sample;
		config.paging_exit = on_paging_exit;
		config.vm = rigged;
		ck_assert_int_eq(dav2m_init(&rigged->controller, &controller, mode), 0);
		ck_assert_int_eq(dav2m_pin(&rigged->controller, pin), 0);
	}
	sim = rig_new(&config);
	rigged->adapter = (struct dav2m_sim_adapter){.controller = &rigged->controller, .sim = sim};
	feed(sim, scale_bp);
	ck_assert_int_eq(rigged->adapter.error, 0);
	counts = rig_counts(sim);
	dav2m_sim_free(sim);
	return counts;
}

START_TEST(pinned_is_static)
{
	const enum dav2m_mode mode = (enum dav2m_mode)_i;
	struct rigged rigged;
	struct dav2m_sim_counts fixed = run(&rigged, mode, 0, DAV2M_PIN_NONE, SCALE_BP);
	struct dav2m_sim_counts pinned =
		run(&rigged, mode, 1, mode == DAV2M_SHADOW ? DAV2M_PIN_SHADOW : DAV2M_PIN_NESTED,
		    SCALE_BP);

	ck_assert_uint_gt(pinned.samples, 0);
	ck_assert_uint_gt(pinned.cycles[DAV2M_SIM_SAMPLING], 0);
	pinned.samples = 0;
	pinned.cycles[DAV2M_SIM_SAMPLING] = 0;
	ck_assert_mem_eq(&fixed, &pinned, sizeof(fixed));
}
END_TEST

/* Pinned to the other mode, the first decision switches, once. */
START_TEST(pin_switches)
{
	struct rigged rigged;
	const struct dav2m_sim_counts c = run(&rigged, DAV2M_SHADOW, 1, DAV2M_PIN_NESTED, SCALE_BP);

	ck_assert_uint_eq(c.mode_switches[DAV2M_NESTED], 1);
	ck_assert_uint_eq(c.mode_switches[DAV2M_SHADOW], 0);
	ck_assert_uint_gt(c.cycles[DAV2M_SIM_SWITCHING], 0);
}
END_TEST

/* The controller's own counts and the simulation's are of the same events. */
START_TEST(both_count_alike)
{
	struct rigged rigged;
	struct dav2m_explanation e;
	const struct dav2m_sim_counts c = run(&rigged, DAV2M_SHADOW, 1, DAV2M_PIN_NONE, 3000);

	ck_assert_int_eq(dav2m_explain(&rigged.controller, &e), 0);
	ck_assert_uint_eq(e.tally.switches[DAV2M_NESTED], c.mode_switches[DAV2M_NESTED]);
	ck_assert_uint_eq(e.tally.switches[DAV2M_SHADOW], c.mode_switches[DAV2M_SHADOW]);
	ck_assert_uint_gt(c.mode_switches[DAV2M_NESTED] + c.mode_switches[DAV2M_SHADOW], 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim adaptive");
	TCase *tcase = tcase_create("adaptive");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, pinned_is_static, 0, 2);
	tcase_add_test(tcase, pin_switches);
	tcase_add_test(tcase, both_count_alike);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
