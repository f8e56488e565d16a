/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real programs, recorded with all that they start (tests/data/recordings/make.sh): their events
 * drive the guest, TLBs agree with the naive model on every reference, and each paging mode shows
 * what it is known for.
 *
 * usage: test_sim_recordings FOLDER
 */
#include "naive.h"
#include "rig.h"
#include "tlb.h"
#include "trace_input.h"

#include <stdio.h>

#define WORDS 65536

static const char *folder;
static const char *const names[] = {"gzip", "cc1", "script"};
#define RECORDINGS (int)(sizeof(names) / sizeof(names[0]))

static struct trace_input *recording_open(const char *name)
{
	struct dav2m_host_error error;
	struct trace_input *input;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.dav2m", folder, name);
	ck_assert_msg(trace_input_open(path, TRACE_FORMAT_AUTO, &input, &error) == 0, "%s",
		      error.text);
	return input;
}

static size_t recording_read(struct trace_input *input, uint64_t *words)
{
	struct dav2m_host_error error;
	size_t n;

	ck_assert_msg(trace_input_next(input, words, WORDS, &n, &error) == 0, "%s", error.text);
	return n;
}

/* Runs a recording; *ret_before: what an idle guest counts. */
static struct dav2m_sim_counts run(const char *name, enum dav2m_sim_mode mode,
				   struct dav2m_sim_counts *ret_before)
{
	struct dav2m_sim_config config = rig_config(mode);
	uint64_t *words = malloc(WORDS * sizeof(*words));
	struct trace_input *input = recording_open(name);
	struct dav2m_sim_counts counts;
	struct dav2m_sim *sim;
	size_t n;

	config.machine = dav2m_sim_machine_find("opteron2350");
	config.guest_bytes = 1ull << 30;
	sim = rig_new(&config);
	*ret_before = rig_counts(sim);
	while ((n = recording_read(input, words)) > 0)
		ck_assert_int_eq(dav2m_sim_run(sim, words, n), 0);
	counts = rig_counts(sim);
	dav2m_sim_free(sim);
	trace_input_close(input);
	free(words);
	return counts;
}

/* Every process that is made ends, and nothing of it stays; the mode is none of the guest's. */
START_TEST(events_drive_the_guest)
{
	struct dav2m_sim_counts before, native, other;

	native = run(names[_i], DAV2M_SIM_NATIVE, &before);
	ck_assert_uint_gt(native.pages_peak, before.pages + 100);
	ck_assert_uint_eq(native.pages, before.pages);
	ck_assert_uint_gt(native.faults, 100);
	other = run(names[_i], DAV2M_SIM_SHADOW, &before);
	ck_assert_uint_eq(other.faults, native.faults);
	ck_assert_uint_eq(other.cow_faults, native.cow_faults);
	ck_assert_uint_eq(other.instructions, native.instructions);
	ck_assert_uint_eq(other.context_switches, native.context_switches);
	ck_assert_uint_eq(other.pages, before.pages);
	other = run(names[_i], DAV2M_SIM_NESTED, &before);
	ck_assert_uint_eq(other.faults, native.faults);
	ck_assert_uint_eq(other.pages, before.pages);
}
END_TEST

/* 48 entries that may be anywhere, 512 in sets of 4 behind them, against the naive model. */
START_TEST(tlbs_agree_with_the_naive_model)
{
	struct sim_tlb *first = malloc(sizeof(*first));
	struct naive *naive_first = malloc(sizeof(*naive_first));
	struct naive *naive_second = malloc(sizeof(*naive_second));
	uint64_t *words = malloc(WORDS * sizeof(*words));
	struct trace_input *input = recording_open(names[_i]);
	uint64_t misses = 0, tag;
	struct sim_sets second;
	uint32_t frame;
	size_t n, i;

	sim_tlb_init(first, 48, 48);
	ck_assert_int_eq(sim_sets_init(&second, 512, 4), 0);
	naive_init(naive_first, 48, 48);
	naive_init(naive_second, 512, 4);
	while ((n = recording_read(input, words)) > 0)
		for (i = 0; i < n; i++) {
			const uint64_t page = words[i] >> 16, key = sim_key(page, 0);

			if ((words[i] & 3) == DAV2M_SIM_EVENT) {
				i += words[i] >> 8 & 0xff;
				continue;
			}
			if ((words[i] & 3) == DAV2M_SIM_FETCH)
				continue;
			if (sim_tlb_use(first, key) >= 0) {
				if (!naive_use(naive_first, page))
					ck_abort_msg("a hit that is none");
				continue;
			}
			if (naive_use(naive_first, page))
				ck_abort_msg("a miss that is none");
			if (sim_sets_use(&second, key, &tag, &frame) !=
			    naive_use(naive_second, page))
				ck_abort_msg("the second levels disagree");
			if (naive_second->page[page % naive_second->sets][0] != page) {
				sim_sets_insert(&second, key, 0);
				naive_insert(naive_second, page);
				misses++;
			}
			sim_tlb_put(first, key, 0);
			naive_insert(naive_first, page);
		}
	ck_assert_uint_gt(misses, 100);
	trace_input_close(input);
	sim_sets_free(&second);
	free(naive_second);
	free(naive_first);
	free(first);
	free(words);
}
END_TEST

/* What a recording takes under shadow paging more than natively, as a share. */
static double shadow_loss(const char *name)
{
	struct dav2m_sim_counts before;
	const struct dav2m_sim_counts native = run(name, DAV2M_SIM_NATIVE, &before);
	const struct dav2m_sim_counts shadow = run(name, DAV2M_SIM_SHADOW, &before);

	return (double)dav2m_sim_cycles(&shadow) / (double)dav2m_sim_cycles(&native) - 1;
}

/* Many small processes are what shadow paging is bad at; long loops in few pages are less so. */
START_TEST(modes_show_what_they_are_known_for)
{
	struct dav2m_sim_counts before;
	const struct dav2m_sim_counts native = run("script", DAV2M_SIM_NATIVE, &before);
	const struct dav2m_sim_counts nested = run("script", DAV2M_SIM_NESTED, &before);
	const double script = shadow_loss("script");

	ck_assert_uint_ge(native.processes, 51);
	ck_assert_double_lt((double)dav2m_sim_cycles(&nested),
			    1.05 * (double)dav2m_sim_cycles(&native));
	ck_assert_double_gt(script, 0.5);
	ck_assert_double_lt(shadow_loss("gzip"), script / 2);
	ck_assert_double_lt(shadow_loss("cc1"), script / 2);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("sim recordings");
	TCase *tcase = tcase_create("recordings");

	if (argc != 2) {
		fputs("usage: test_sim_recordings FOLDER\n", stderr);
		return 2;
	}
	folder = argv[1];
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, events_drive_the_guest, 0, RECORDINGS);
	tcase_add_loop_test(tcase, tlbs_agree_with_the_naive_model, 0, RECORDINGS);
	tcase_add_test(tcase, modes_show_what_they_are_known_for);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
