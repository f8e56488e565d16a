/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulation under test: short calls for single references and events.
 */
#ifndef DAV2M_TESTS_SIM_RIG_H
#define DAV2M_TESTS_SIM_RIG_H

#include <check.h>
#include <stdlib.h>

#include <dav2m/sim/sim.h>

#define RW   (DAV2M_SIM_PROT_READ | DAV2M_SIM_PROT_WRITE)
#define PAGE 4096ull

static inline struct dav2m_sim_config rig_config(enum dav2m_sim_mode mode)
{
	const struct dav2m_sim_config config = {.machine =
							dav2m_sim_machine_find("opteron2350-bare"),
						.cost = dav2m_sim_cost_find("palacios2011"),
						.mode = mode,
						.tables = DAV2M_SIM_LEVELS_4,
						.guest_page = DAV2M_SIM_4K,
						.guest_bytes = 64ull << 20};

	return config;
}

static inline struct dav2m_sim *rig_new(const struct dav2m_sim_config *config)
{
	struct dav2m_sim *sim = NULL;

	ck_assert_int_eq(dav2m_sim_new(config, &sim), 0);
	return sim;
}

static inline int rig_try(struct dav2m_sim *sim, enum dav2m_sim_kind kind, uint64_t page)
{
	const uint64_t word = dav2m_sim_reference(kind, page, 1);

	return dav2m_sim_run(sim, &word, 1);
}

static inline void rig_touch(struct dav2m_sim *sim, enum dav2m_sim_kind kind, uint64_t page)
{
	ck_assert_int_eq(rig_try(sim, kind, page), 0);
}

static inline int rig_try_event(struct dav2m_sim *sim, enum dav2m_sim_event event, uint64_t a,
				uint64_t b, uint64_t c)
{
	const uint32_t n = dav2m_sim_event_arguments(event);
	const uint64_t word[4] = {dav2m_sim_event_word(event, n), a, b, c};

	return dav2m_sim_run(sim, word, 1 + n);
}

static inline void rig_event(struct dav2m_sim *sim, enum dav2m_sim_event event, uint64_t a,
			     uint64_t b, uint64_t c)
{
	ck_assert_int_eq(rig_try_event(sim, event, a, b, c), 0);
}

static inline struct dav2m_sim_counts rig_counts(const struct dav2m_sim *sim)
{
	struct dav2m_sim_counts counts;

	dav2m_sim_count(sim, &counts);
	return counts;
}

static inline int rig_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

#endif
