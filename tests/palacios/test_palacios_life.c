/* SPDX-License-Identifier: BSD-2-Clause */
/* The XML section, the PMU, adapting by itself, dry-run, the failure of every allocation. */
#include <check.h>
#include <dav2m/config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "palacios.h"

static const struct fake_setup one_core = {.cores = 1, .pmu_slots = 4};

static void expect_bad(const char *const *section, const char *said)
{
	fake_create(&one_core);
	ck_assert_int_eq(fake_configure(section), -1);
	ck_assert_msg(strstr(fake_said(), said) != NULL, "\"%s\" does not say \"%s\"", fake_said(),
		      said);
	vm_end();
}

static void expect_good(const char *const *section)
{
	fake_create(&one_core);
	ck_assert_msg(fake_configure(section) == 0, "%s", fake_said());
	vm_end();
}

START_TEST(every_field_of_the_config_is_a_parameter)
{
	const struct dav2m_config_field *field;
	char low[12], high[16], too_high[16];
	size_t i;

	for (i = 0; (field = dav2m_config_field(i)); i++) {
		const char *below[] = {field->name, low, NULL};
		const char *above[] = {field->name, too_high, NULL};

		/* Only what the field's own range forbids: rules between fields are others'. */
		snprintf(high, sizeof(high), "%u", field->max);
		snprintf(too_high, sizeof(too_high), "%llu", field->max + 1ull);
		snprintf(low, sizeof(low), "%d", (int)field->min - 1);
		expect_bad(above, field->name);
		expect_bad(above, high);
		expect_bad(below, field->name);
	}
	ck_assert_uint_gt(i, 10);
}
END_TEST

START_TEST(a_section_is_read_whole)
{
	const char *const elements[] = {"preset",  "paper", "window_inst", " 5000000 ",
					"dry_run", "on",    "force",	   "nested",
					"trace",   "off",   NULL};
	const char *const attributes[] = {"@preset", "repaired", "@window_inst", "5000000", NULL};

	expect_good(elements);
	expect_good(attributes);
	expect_good(section_plain);
}
END_TEST

START_TEST(a_bad_section_names_the_parameter_and_the_rule)
{
	const char *const typo[] = {"window_ints", "1", NULL};
	const char *const word[] = {"window_inst", "12x", NULL};
	const char *const huge[] = {"window_inst", "99999999999999999999", NULL};
	const char *const empty[] = {"window_inst", "", NULL};
	const char *const twice[] = {"trace", "on", "trace", "on", NULL};
	const char *const both[] = {"trace", "on", "@trace", "on", NULL};
	const char *const mode[] = {"force", "ept", NULL};
	const char *const preset[] = {"preset", "papers", NULL};
	const char *const flag[] = {"dry_run", "1", NULL};
	const char *const order[] = {"window_vmexit", "50", "window_tmiss", "5", NULL};

	expect_bad(typo, "<window_ints>: there is no such parameter");
	expect_bad(word, "<window_inst>12x: must be a whole number from 1 to");
	expect_bad(huge, "must be a whole number");
	expect_bad(empty, "<window_inst>: empty");
	expect_bad(twice, "<trace>: given twice");
	expect_bad(both, "<trace>: empty, or given twice");
	expect_bad(mode, "<force>ept: must be shadow, nested or none");
	expect_bad(preset, "<preset>papers: must be repaired, paper or bounded");
	expect_bad(flag, "<dry_run>1: must be off or on");
	expect_bad(order, "<window_");
}
END_TEST

START_TEST(a_mode_can_be_forced_by_the_section)
{
	const char *const section[] = {"force", "nested", NULL};
	int i;

	vm_configure(1, section);
	fake_guest_runs(100000000, 200000000, 10);
	fake_set_guest(0, 0, 0, 0);
	for (i = 0; i < 5; i++)
		ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	expect_shadow(0);
	fake_set_guest(0, 1, 1, 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_NESTED_FAULT, 1), 0);
	expect_nested(0);
	vm_end();
}
END_TEST

START_TEST(the_hypercall_is_off_unless_asked_for)
{
	struct fake_look is;

	vm_start(1, section_plain);
	vm_force(0, NESTED_PIN);
	fake_look(0, &is);
	ck_assert_uint_eq(is.rax, ~0ull);
	expect_shadow(0);
	vm_end();
}
END_TEST

START_TEST(the_hypercall_answers_and_is_the_kernels)
{
	struct fake_look is;

	vm_start(1, section_hypercall);
	fake_hypercall(0, FORCE_HCALL, NESTED_PIN, 3);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_VMMCALL, 0), 0);
	fake_look(0, &is);
	ck_assert_uint_eq(is.rax, ~0ull);
	fake_hypercall(0, FORCE_HCALL, 3, 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_VMMCALL, 0), 0);
	fake_look(0, &is);
	ck_assert_uint_eq(is.rax, ~0ull);
	vm_force(0, NESTED_PIN);
	fake_hypercall(0, FORCE_HCALL, 0, 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_VMMCALL, 0), 0);
	fake_look(0, &is);
	ck_assert_uint_eq(is.rax, 0);
	ck_assert_uint_eq(is.rbx, 1);
	vm_end();
}
END_TEST

START_TEST(a_dry_run_never_switches)
{
	const char *const section[] = {"dry_run", "on", "force", "nested", NULL};
	int i;

	vm_start(1, section);
	fake_guest_runs(100000000, 200000000, 10);
	for (i = 0; i < 50; i++)
		ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	expect_shadow(0);
	ck_assert_int_eq(fake_times_said("switch shadow -> "), 1);
	vm_end();
	ck_assert_int_eq(fake_times_said("0 switches to nested, 0 to shadow"), 1);
}
END_TEST

START_TEST(without_a_pmu_it_only_advises_and_says_so_once)
{
	const struct fake_setup setup = {.cores = 1, .no_pmu = 1};
	int i;

	fake_create(&setup);
	ck_assert_int_eq(fake_configure(section_plain), 0);
	fake_set_guest(0, 1, 1, 0);
	fake_guest_runs(100000000, 200000000, 10);
	for (i = 0; i < 20000; i++)
		ck_assert_int_eq(fake_enter(0, FAKE_EXIT_SHADOW_FAULT, 3), 0);
	expect_shadow(0);
	ck_assert_int_eq(fake_times_said("this host offers no PMU"), 1);
	vm_end();
}
END_TEST

START_TEST(without_three_slots_it_only_advises_and_keeps_none)
{
	const struct fake_setup setup = {.cores = 1, .pmu_slots = 2};

	fake_create(&setup);
	ck_assert_int_eq(fake_configure(section_plain), 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	ck_assert_int_eq(fake_slots(), 0);
	ck_assert_int_eq(fake_times_said("no slot left"), 1);
	vm_end();
}
END_TEST

START_TEST(a_forced_mode_needs_no_pmu)
{
	const struct fake_setup setup = {.cores = 1, .no_pmu = 1};
	const char *const section[] = {"force", "nested", NULL};

	fake_create(&setup);
	ck_assert_int_eq(fake_configure(section), 0);
	fake_set_guest(0, 1, 1, 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	expect_nested(0);
	vm_end();
}
END_TEST

START_TEST(the_pmu_starts_on_the_cores_own_processor)
{
	vm_configure(2, section_plain);
	ck_assert_int_eq(fake_slots(), 0);
	ck_assert_int_eq(fake_enter(1, FAKE_EXIT_OTHER, 0), 0);
	ck_assert_int_eq(fake_slots(), 3);
	vm_end();
}
END_TEST

START_TEST(a_core_that_moves_takes_its_counters_along)
{
	vm_configure(1, section_plain);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	fake_move(0, 2);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	ck_assert_int_eq(fake_slots(), 3);
	vm_end();
}
END_TEST

/* 20,000 exits a tick under shadow paging, which nested paging does not have. */
START_TEST(a_guest_with_many_page_table_writes_ends_in_nested)
{
	const char *const section[] = {"window_inst", "20000000", NULL};
	int i;

	vm_configure(1, section);
	fake_guest_runs_in(0, 1000, 30000, 1);
	fake_guest_runs_in(1, 1000, 1100, 1);
	for (i = 0; i < 10 * 20000; i++)
		ck_assert_int_eq(fake_enter(0, FAKE_EXIT_FAULT, 7), 0);
	expect_nested(0);
	ck_assert_int_ge(fake_times_said("switch shadow -> prenested"), 1);
	vm_end();
	ck_assert_int_eq(fake_times_said("dav2m: core 0: thresholds "), 1);
}
END_TEST

/* The same judged by regret: what it goes by is told at the end instead of thresholds. */
START_TEST(regret_tells_what_it_goes_by)
{
	const char *const section[] = {"preset", "bounded", "window_inst", "20000000", NULL};
	int i;

	vm_configure(1, section);
	fake_guest_runs_in(0, 1000, 30000, 1);
	fake_guest_runs_in(1, 1000, 1100, 1);
	for (i = 0; i < 10 * 20000; i++)
		ck_assert_int_eq(fake_enter(0, FAKE_EXIT_FAULT, 7), 0);
	expect_nested(0);
	vm_end();
	ck_assert_int_eq(fake_times_said("dav2m: core 0: cycles: regret "), 1);
	ck_assert_int_eq(fake_times_said("regret 0 of 0,"), 0);
	ck_assert_int_eq(fake_times_said("thresholds"), 0);
}
END_TEST

/* What others do on the processor during a halt is 100 times the guest's own work here. */
START_TEST(a_halt_counts_no_progress)
{
	int i;

	vm_configure(1, section_plain);
	fake_halt_turns(100);
	fake_guest_runs(1000000, 2000000, 1);
	for (i = 0; i < 400; i++)
		ck_assert_int_eq(fake_enter(0, i % 2 ? FAKE_EXIT_HLT : FAKE_EXIT_OTHER, 0), 0);
	vm_end();
	/* 400 entries of a hundredth of a tick; the last tick may still be open. */
	ck_assert_msg(strstr(fake_said(), "; 3 ticks in shadow") ||
			      strstr(fake_said(), "; 4 ticks in shadow"),
		      "%s", fake_said());
}
END_TEST

START_TEST(each_allocation_may_fail)
{
	int n, refused = 0, total;

	fake_create(&one_core);
	total = fake_allocations();
	ck_assert_int_eq(fake_configure(section_hypercall), 0);
	total = fake_allocations() - total;
	vm_end();
	ck_assert_int_ge(total, 6);
	for (n = 0; n < total; n++) {
		fake_create(&one_core);
		fake_fail_after(n);
		refused += fake_configure(section_hypercall) != 0;
		fake_fail_after(-1);
		fake_set_guest(0, 1, 1, 0);
		vm_force(0, NESTED_PIN);
		vm_end();
	}
	ck_assert_int_eq(refused, total - 1); /* core_init's failure is ignored by Palacios */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("palacios life");
	TCase *tcase = tcase_create("life");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, every_field_of_the_config_is_a_parameter);
	tcase_add_test(tcase, a_section_is_read_whole);
	tcase_add_test(tcase, a_bad_section_names_the_parameter_and_the_rule);
	tcase_add_test(tcase, a_mode_can_be_forced_by_the_section);
	tcase_add_test(tcase, the_hypercall_is_off_unless_asked_for);
	tcase_add_test(tcase, the_hypercall_answers_and_is_the_kernels);
	tcase_add_test(tcase, a_dry_run_never_switches);
	tcase_add_test(tcase, without_a_pmu_it_only_advises_and_says_so_once);
	tcase_add_test(tcase, without_three_slots_it_only_advises_and_keeps_none);
	tcase_add_test(tcase, a_forced_mode_needs_no_pmu);
	tcase_add_test(tcase, the_pmu_starts_on_the_cores_own_processor);
	tcase_add_test(tcase, a_core_that_moves_takes_its_counters_along);
	tcase_add_test(tcase, a_guest_with_many_page_table_writes_ends_in_nested);
	tcase_add_test(tcase, regret_tells_what_it_goes_by);
	tcase_add_test(tcase, a_halt_counts_no_progress);
	tcase_add_test(tcase, each_allocation_may_fail);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
