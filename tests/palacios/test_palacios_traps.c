/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The traps that Palacios lays for whoever switches modes, numbered as in docs/palacios.md.
 * bench/palacios counts the numbers whose tests all pass, by the names of the test cases.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "palacios.h"

static void expect_refusal(const struct fake_setup *setup, const char *why)
{
	fake_create(setup);
	ck_assert_int_eq(fake_configure(section_plain), -1);
	ck_assert_int_eq(fake_times_said("dav2m: refused: "), 1);
	ck_assert_msg(strstr(fake_said(), why) != NULL, "\"%s\" does not say \"%s\"", fake_said(),
		      why);
	vm_end();
}

/* 1. A nested start leaves the shadow pager uninitialised. */
START_TEST(a_nested_start_is_refused)
{
	const struct fake_setup setup = {.cores = 1, .nested_start = 1};

	fake_create(&setup);
	ck_assert_int_eq(fake_configure(section_plain), -1);
	ck_assert_int_eq(fake_times_said("must start in shadow paging"), 1);
}
END_TEST

/* 2. An exit that is handled in the other mode ends the VM. */
START_TEST(a_forced_switch_waits_for_the_next_entry)
{
	vm_start(1, section_hypercall);
	fake_hypercall(0, FORCE_HCALL, NESTED_PIN, 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_VMMCALL, 0), 0);
	expect_shadow(0); /* asked for while an exit is handled: not yet */
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_NESTED_FAULT, 1), 0);
	expect_nested(0);
	vm_end();
}
END_TEST

START_TEST(the_handling_of_a_halt_is_no_safe_point)
{
	struct fake_look is;

	vm_start(1, section_hypercall);
	fake_halt_turns(5);
	fake_hypercall(0, FORCE_HCALL, NESTED_PIN, 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_VMMCALL, 0), 0);
	fake_upcall(0, 1); /* keeps the entry before the halt from switching */
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_HLT, 0), 0);
	fake_upcall(0, 0);
	expect_shadow(0);
	/* The entry that follows a halt cannot be told from the halt: the one after it can. */
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	fake_look(0, &is);
	ck_assert_int_eq(is.nested, 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_NESTED_FAULT, 1), 0);
	expect_nested(0);
	vm_end();
}
END_TEST

START_TEST(a_switch_that_becomes_possible_in_a_halt_waits)
{
	vm_start(1, section_hypercall);
	fake_watch_shadow(1);
	vm_force(0, NESTED_PIN);
	fake_halt_turns(5);
	fake_halt_ends_watch(1);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_HLT, 0), 0);
	expect_shadow(0);
	fake_halt_ends_watch(0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	expect_nested(0);
	vm_end();
}
END_TEST

START_TEST(every_exit_is_handled_in_the_mode_that_raised_it)
{
	struct fake_look is;
	int i;

	vm_start(1, section_hypercall);
	for (i = 0; i < 2000; i++) {
		fake_hypercall(0, FORCE_HCALL, (fake_u64)(i % 2), 0);
		ck_assert_int_eq(fake_enter(0, FAKE_EXIT_VMMCALL, 0), 0);
		/* the next entry runs in the mode asked for, and raises that mode's fault */
		ck_assert_int_eq(
			fake_enter(0, i % 2 ? FAKE_EXIT_NESTED_FAULT : FAKE_EXIT_SHADOW_FAULT, 9),
			0);
		fake_look(0, &is);
		ck_assert_int_eq(is.nested, i % 2);
	}
	vm_end();
}
END_TEST

START_TEST(no_switch_inside_a_symbiotic_call)
{
	vm_start(1, section_hypercall);
	fake_upcall(0, 1);
	vm_force(0, NESTED_PIN);
	expect_shadow(0);
	fake_upcall(0, 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	expect_nested(0);
	vm_end();
}
END_TEST

/* 3. Only the tables that run hear that the memory map changed. */
START_TEST(a_parked_nested_root_forgets_a_changed_map)
{
	vm_start(1, section_hypercall);
	vm_force(0, NESTED_PIN);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_NESTED_FAULT, 3), 0);
	ck_assert_int_eq(fake_translate(0, 3), 3);
	vm_force(0, SHADOW_PIN);
	fake_remap(3, 777);
	vm_force(0, NESTED_PIN);
	ck_assert_int_eq(fake_translate(0, 3), -1);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_NESTED_FAULT, 3), 0);
	ck_assert_int_eq(fake_translate(0, 3), 777);
	vm_end();
}
END_TEST

START_TEST(a_parked_nested_root_is_kept_while_the_map_stays)
{
	vm_start(1, section_hypercall);
	vm_force(0, NESTED_PIN);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_NESTED_FAULT, 3), 0);
	vm_force(0, SHADOW_PIN);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_CR3, 0), 0);
	vm_force(0, NESTED_PIN);
	ck_assert_int_eq(fake_translate(0, 3), 3);
	vm_end();
}
END_TEST

START_TEST(a_parked_passthrough_root_forgets_a_changed_map)
{
	vm_start(1, section_hypercall);
	fake_set_guest(0, 0, 0, 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_SHADOW_FAULT, 4), 0);
	ck_assert_int_eq(fake_translate(0, 4), 4);
	fake_set_guest(0, 1, 1, 0);
	vm_force(0, NESTED_PIN);
	fake_remap(4, 888);
	vm_force(0, SHADOW_PIN);
	ck_assert_int_eq(fake_translate(0, 4), -1);
	vm_end();
}
END_TEST

START_TEST(a_reset_empties_the_parked_root_unannounced)
{
	vm_start(1, section_hypercall);
	vm_force(0, NESTED_PIN);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_NESTED_FAULT, 5), 0);
	vm_force(0, SHADOW_PIN);
	fake_reset(0); /* page 5 moves, and nobody is told */
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	fake_set_guest(0, 1, 1, 0);
	vm_force(0, NESTED_PIN);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_NESTED_FAULT, 5), 0);
	ck_assert_int_eq(fake_translate(0, 5), 1555);
	vm_end();
}
END_TEST

/* 4. Memory tracking and checkpoints look at the mode once. */
START_TEST(no_switch_while_shadow_paging_is_watched)
{
	vm_start(1, section_hypercall);
	fake_watch_shadow(1);
	vm_force(0, NESTED_PIN);
	expect_shadow(0);
	fake_watch_shadow(0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	expect_nested(0);
	vm_end();
}
END_TEST

START_TEST(no_switch_while_nested_paging_is_watched)
{
	vm_start(1, section_hypercall);
	vm_force(0, NESTED_PIN);
	fake_watch_nested(1);
	vm_force(0, SHADOW_PIN);
	expect_nested(0);
	fake_watch_nested(0);
	vm_end();
}
END_TEST

START_TEST(no_switch_while_memory_is_tracked)
{
	vm_start(1, section_hypercall);
	fake_track(1);
	vm_force(0, NESTED_PIN);
	expect_shadow(0);
	vm_end();
}
END_TEST

START_TEST(tracking_at_the_start_is_refused)
{
	const struct fake_setup setup = {.cores = 1, .tracked = 1};

	expect_refusal(&setup, "memory tracking");
}
END_TEST

START_TEST(no_checkpoint_of_a_nested_core)
{
	vm_start(1, section_hypercall);
	ck_assert_int_eq(fake_save(), 0);
	vm_force(0, NESTED_PIN);
	ck_assert_int_eq(fake_save(), -1);
	ck_assert_int_eq(fake_times_said("no checkpoint while core 0 runs nested"), 1);
	vm_force(0, SHADOW_PIN);
	ck_assert_int_eq(fake_save(), 0);
	vm_end();
}
END_TEST

START_TEST(no_switch_from_a_state_that_somebody_replaced)
{
	vm_start(1, section_hypercall);
	fake_break_vmcb(0);
	vm_force(0, NESTED_PIN);
	fake_break_vmcb(0);
	expect_shadow(0);
	vm_end();
}
END_TEST

/* 5. The core, its timer and the callbacks are gone when the extension is asked to leave. */
START_TEST(teardown_in_shadow_leaves_nothing)
{
	vm_start(2, section_hypercall);
	vm_force(0, NESTED_PIN);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_NESTED_FAULT, 3), 0);
	vm_force(0, SHADOW_PIN);
	vm_end();
	ck_assert_int_eq(fake_times_said("1 switches to nested, 1 to shadow"), 1);
}
END_TEST

START_TEST(teardown_in_nested_leaves_nothing)
{
	vm_start(2, section_hypercall);
	vm_force(1, NESTED_PIN);
	ck_assert_int_eq(fake_enter(1, FAKE_EXIT_NESTED_FAULT, 3), 0);
	vm_end();
	ck_assert_int_eq(fake_times_said("1 switches to nested, 0 to shadow"), 1);
}
END_TEST

START_TEST(teardown_half_configured_believes_nothing)
{
	const struct fake_setup setup = {.cores = 2, .pmu_slots = 4};

	fake_create(&setup);
	ck_assert_int_eq(fake_configure_half(section_hypercall), 0);
	vm_end();
}
END_TEST

/* 6. Guests that demand nested paging from their start, and machines that cannot. */
START_TEST(multiboot_is_refused)
{
	const struct fake_setup setup = {.cores = 1, .multiboot = 1};

	expect_refusal(&setup, "Multiboot");
}
END_TEST

START_TEST(hvm_is_refused)
{
	const struct fake_setup setup = {.cores = 1, .hvm = 1};

	expect_refusal(&setup, "HVM");
}
END_TEST

START_TEST(vmx_is_refused)
{
	const struct fake_setup setup = {.cores = 1, .vmx = 1};

	expect_refusal(&setup, "VMX is not supported");
}
END_TEST

START_TEST(svm_without_nested_paging_is_refused)
{
	const struct fake_setup setup = {.cores = 1, .old_svm = 1};

	expect_refusal(&setup, "SVM with nested paging");
}
END_TEST

/* 7. A 32-bit-PAE root must lie below 4 GB: it is the one that Palacios allocated, always. */
START_TEST(the_passthrough_root_is_never_replaced)
{
	struct fake_look first, is;
	unsigned int trip;

	vm_start(1, section_hypercall);
	fake_look(0, &first);
	ck_assert_uint_lt(first.root, 1ull << 32);
	for (trip = 0; trip < 50; trip++) {
		vm_force(0, NESTED_PIN);
		fake_remap(trip, trip + 100);
		vm_force(0, SHADOW_PIN);
		fake_look(0, &is);
		ck_assert_uint_eq(is.root, first.root);
	}
	vm_end();
}
END_TEST

/* The guard: long mode with paging on, else deferred. */
START_TEST(no_switch_outside_long_mode_with_paging)
{
	vm_start(1, section_hypercall);
	fake_set_guest(0, 0, 0, 0);
	vm_force(0, NESTED_PIN);
	expect_shadow(0);
	fake_set_guest(0, 0, 1, 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	expect_shadow(0);
	fake_set_guest(0, 1, 1, 1);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	expect_shadow(0);
	fake_set_guest(0, 1, 1, 0);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	expect_nested(0);
	vm_end();
}
END_TEST

static void add(Suite *suite, const char *name, const TTest *const *tests, size_t n)
{
	TCase *tcase = tcase_create(name);
	size_t i;

	for (i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
}

#define ADD(suite, name, ...)                                                                      \
	do {                                                                                       \
		const TTest *const tests[] = {__VA_ARGS__};                                        \
		add(suite, name, tests, sizeof(tests) / sizeof(tests[0]));                         \
	} while (0)

int main(void)
{
	Suite *suite = suite_create("palacios traps");
	SRunner *runner;
	int failed;

	ADD(suite, "trap-1", a_nested_start_is_refused);
	ADD(suite, "trap-2", a_forced_switch_waits_for_the_next_entry,
	    the_handling_of_a_halt_is_no_safe_point, a_switch_that_becomes_possible_in_a_halt_waits,
	    every_exit_is_handled_in_the_mode_that_raised_it, no_switch_inside_a_symbiotic_call);
	ADD(suite, "trap-3", a_parked_nested_root_forgets_a_changed_map,
	    a_parked_nested_root_is_kept_while_the_map_stays,
	    a_parked_passthrough_root_forgets_a_changed_map,
	    a_reset_empties_the_parked_root_unannounced);
	ADD(suite, "trap-4", no_switch_while_shadow_paging_is_watched,
	    no_switch_while_nested_paging_is_watched, no_switch_while_memory_is_tracked,
	    tracking_at_the_start_is_refused, no_checkpoint_of_a_nested_core,
	    no_switch_from_a_state_that_somebody_replaced);
	ADD(suite, "trap-5", teardown_in_shadow_leaves_nothing, teardown_in_nested_leaves_nothing,
	    teardown_half_configured_believes_nothing);
	ADD(suite, "trap-6", multiboot_is_refused, hvm_is_refused, vmx_is_refused,
	    svm_without_nested_paging_is_refused);
	ADD(suite, "trap-7", the_passthrough_root_is_never_replaced);
	ADD(suite, "guard", no_switch_outside_long_mode_with_paging);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
