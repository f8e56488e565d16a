/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calm and churn by turns: turns are as long as they are meant to be, and each kind of work is
 * dear in the mode that it is meant to be dear in.
 */
#include "rig.h"

#define STEP_INST     12800ull
/* 2048 pages filled again, at 4823 cycles each; a turn is that in hundredths, in whole steps. */
#define SWITCH_CYCLES 9877504ull

/* Instructions of each turn: churn begins with an unmap, calm with the first far load after it. */
static void turns_measure(uint32_t size, uint64_t *ret_length, unsigned turns)
{
	struct dav2m_sim_source *source =
		dav2m_sim_source_new(dav2m_sim_workload_find("phase-mix"), 1, DAV2M_ONE_BP);
	uint64_t word[4096], inst = 0, begin = 0;
	unsigned turn = 0, churning = 0;
	size_t n, i;

	ck_assert_int_eq(dav2m_sim_source_size(source, size), 0);
	while (turn < turns && (n = dav2m_sim_source_read(source, word, 4096)) > 0) {
		for (i = 0; i < n && turn < turns; i++) {
			const unsigned kind = word[i] & 3;
			/* The hot pages are the first 16 of the data, calm's are 8 apart. */
			const int far = kind == DAV2M_SIM_LOAD && word[i] >> 16 > 0x20000 + 16;
			const int unmap =
				kind == DAV2M_SIM_EVENT && (word[i] >> 2 & 0x3f) == DAV2M_SIM_UNMAP;

			if (kind == DAV2M_SIM_FETCH)
				inst += word[i] >> 2 & DAV2M_SIM_RUN_MAX;
			if (kind == DAV2M_SIM_EVENT)
				i += word[i] >> 8 & 0xff;
			if (churning ? far : unmap) {
				ret_length[turn++] = inst - begin;
				begin = inst;
				churning = !churning;
			}
		}
	}
	ck_assert_uint_eq(turn, turns);
	dav2m_sim_source_free(source);
}

START_TEST(turns_have_their_length)
{
	static const uint32_t sizes[] = {10, 100, 1000};
	const uint64_t expected = SWITCH_CYCLES * sizes[_i] / 100 / STEP_INST * STEP_INST;
	uint64_t length[4];
	unsigned i;

	turns_measure(sizes[_i], length, 4);
	/* The first has the beginning before it: 64 steps. The marks lie within two steps. */
	length[0] -= 64 * STEP_INST;
	for (i = 0; i < 4; i++) {
		ck_assert_uint_ge(length[i] + 2 * STEP_INST, expected);
		ck_assert_uint_le(length[i], expected + 2 * STEP_INST);
	}
}
END_TEST

/* Cycles of the first turns in a mode: calm's, then churn's. */
static void turns_run(enum dav2m_sim_mode mode, uint64_t *ret_calm, uint64_t *ret_churn)
{
	struct dav2m_sim_config config = rig_config(mode);
	struct dav2m_sim_source *source =
		dav2m_sim_source_new(dav2m_sim_workload_find("phase-mix"), 1, DAV2M_ONE_BP);
	const uint64_t turn = SWITCH_CYCLES * 10 / STEP_INST * STEP_INST;
	const uint64_t calm_end = 64 * STEP_INST + turn;
	struct dav2m_sim_counts before = {0}, between = {0}, after = {0};
	uint64_t word[4096];
	struct dav2m_sim *sim;
	size_t n;

	config.machine = dav2m_sim_machine_find("opteron2350");
	config.guest_bytes = 256ull << 20;
	sim = rig_new(&config);
	ck_assert_int_eq(dav2m_sim_source_size(source, 1000), 0);
	while (after.instructions < calm_end + turn &&
	       (n = dav2m_sim_source_read(source, word, 4096)) > 0) {
		ck_assert_int_eq(dav2m_sim_run(sim, word, n), 0);
		after = rig_counts(sim);
		/* The first half of calm fills shadow tables. */
		if (after.instructions < calm_end - turn / 2)
			before = after;
		if (after.instructions < calm_end)
			between = after;
	}
	*ret_calm = dav2m_sim_cycles(&between) - dav2m_sim_cycles(&before);
	*ret_churn = dav2m_sim_cycles(&after) - dav2m_sim_cycles(&between);
	dav2m_sim_source_free(source);
	dav2m_sim_free(sim);
}

START_TEST(each_turn_has_its_mode)
{
	uint64_t calm[2], churn[2];

	turns_run(DAV2M_SIM_SHADOW, &calm[0], &churn[0]);
	turns_run(DAV2M_SIM_NESTED, &calm[1], &churn[1]);
	ck_assert_uint_gt(calm[1], calm[0] * 11 / 10);
	ck_assert_uint_gt(churn[0], churn[1] * 11 / 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim mix");
	TCase *tcase = tcase_create("mix");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, turns_have_their_length, 0, 3);
	tcase_add_test(tcase, each_turn_has_its_mode);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
