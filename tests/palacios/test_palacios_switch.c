/* SPDX-License-Identifier: BSD-2-Clause */
/* The switch itself: registers, roots, VMCB; failures; thousands of round trips. */
#include <check.h>
#include <stdlib.h>

#include "palacios.h"

#define PG   (1ull << 31)
#define PAE  (1ull << 5)
#define LMA  (1ull << 10)
#define SVME (1ull << 12)

START_TEST(to_nested_moves_the_guests_view_to_the_hardware)
{
	struct fake_look before, after;

	vm_start(1, section_hypercall);
	fake_set_regs(0, PG | 0x10033, 0x7654018, 0x6f8, 0xd01);
	fake_look(0, &before);
	ck_assert_uint_ne(before.cr3, before.guest_cr3);
	vm_force(0, NESTED_PIN);
	fake_look(0, &after);
	expect_nested(0);
	ck_assert_uint_eq(after.cr0, PG | 0x10033);
	ck_assert_uint_eq(after.cr3, 0x7654018);
	ck_assert_uint_eq(after.cr4, before.cr4);
	ck_assert_uint_eq(after.efer, 0xd01 | SVME);
	ck_assert_uint_ne(after.root, before.root);
	ck_assert_int_eq(fake_translate(0, 0), -1);
	vm_end();
}
END_TEST

START_TEST(to_shadow_moves_the_hardwares_view_to_the_guest)
{
	struct fake_look first, before, after;

	vm_start(1, section_hypercall);
	fake_look(0, &first);
	vm_force(0, NESTED_PIN);
	fake_set_regs(0, PG | 0x10011, 0x9999000, 0x6b0 | PAE, 0xd00);
	fake_look(0, &before);
	vm_force(0, SHADOW_PIN);
	fake_look(0, &after);
	expect_shadow(0);
	ck_assert_uint_eq(after.guest_cr0, before.cr0);
	ck_assert_uint_eq(after.guest_cr3, 0x9999000);
	ck_assert_uint_eq(after.guest_cr4, before.cr4);
	ck_assert_uint_eq(after.guest_efer, before.efer & ~SVME);
	ck_assert_uint_eq(after.cr0, before.cr0 | PG);
	ck_assert_uint_eq(after.cr4, before.cr4 | PAE);
	ck_assert_uint_eq(after.efer, before.efer);
	ck_assert_uint_ne(after.cr3, before.cr3);
	ck_assert_uint_eq(after.root, first.root);
	vm_end();
}
END_TEST

/* Palacios' copy of the guest's EFER may lack the read-only bit that the hardware needs. */
START_TEST(long_mode_stays_active_when_the_guests_efer_lacks_lma)
{
	struct fake_look is;

	vm_start(1, section_hypercall);
	fake_set_regs(0, PG | 0x11, 0x1000, PAE, 0x901);
	vm_force(0, NESTED_PIN);
	fake_look(0, &is);
	ck_assert_uint_eq(is.efer, 0x901 | LMA | SVME);
	vm_end();
}
END_TEST

/* The reason for cr3 = 0: the guest's cr3 may be the very number of the pager's oldest page. */
START_TEST(a_guest_cr3_equal_to_a_shadow_page_costs_no_page)
{
	struct fake_look is;
	int pages;

	vm_start(1, section_hypercall);
	fake_look(0, &is);
	vm_force(0, NESTED_PIN);
	pages = fake_pages();
	fake_set_regs(0, PG | 0x11, is.cr3 & ~0xfffull, PAE, 0xd00);
	vm_force(0, SHADOW_PIN);
	expect_shadow(0);
	ck_assert_int_eq(fake_pages(), pages);
	vm_end();
}
END_TEST

START_TEST(without_a_page_for_the_root_shadow_stays_whole)
{
	struct fake_look before, after;

	vm_start(1, section_hypercall);
	fake_look(0, &before);
	fake_fail_after(0);
	vm_force(0, NESTED_PIN);
	fake_look(0, &after);
	expect_shadow(0);
	ck_assert_uint_eq(after.cr3, before.cr3);
	ck_assert_uint_eq(after.root, before.root);
	ck_assert_int_ge(fake_times_said("switch to nested failed, shadow stays"), 1);
	vm_end();
}
END_TEST

START_TEST(without_a_page_to_empty_the_parked_root_nested_stays_whole)
{
	struct fake_look before, after;

	vm_start(1, section_hypercall);
	vm_force(0, NESTED_PIN);
	fake_remap(3, 77);
	fake_look(0, &before);
	fake_fail_after(0);
	vm_force(0, SHADOW_PIN);
	fake_look(0, &after);
	expect_nested(0);
	ck_assert_uint_eq(after.root, before.root);
	ck_assert_int_eq(fake_times_said("switch to shadow failed, nested stays"), 1);
	vm_end();
}
END_TEST

START_TEST(a_failing_shadow_pager_leaves_nested_whole)
{
	struct fake_look before, after;

	vm_start(1, section_hypercall);
	vm_force(0, NESTED_PIN);
	fake_look(0, &before);
	fake_fail_activation(1);
	vm_force(0, SHADOW_PIN);
	fake_look(0, &after);
	expect_nested(0);
	ck_assert_uint_eq(after.cr0, before.cr0);
	ck_assert_uint_eq(after.cr3, before.cr3);
	ck_assert_uint_eq(after.cr4, before.cr4);
	ck_assert_uint_eq(after.efer, before.efer);
	ck_assert_uint_eq(after.guest_cr3, before.guest_cr3);
	ck_assert_uint_eq(after.guest_efer, before.guest_efer);
	ck_assert_uint_eq(after.root, before.root);
	fake_fail_activation(0);
	vm_end();
}
END_TEST

START_TEST(ten_thousand_round_trips_grow_nothing)
{
	int trip, pages = 0, blocks = 0;
	unsigned int page;

	vm_start(1, section_hypercall);
	for (trip = 0; trip < 10000; trip++) {
		vm_force(0, NESTED_PIN);
		expect_nested(0);
		for (page = 0; page < 2000; page += 600)
			ck_assert_int_eq(fake_enter(0, FAKE_EXIT_NESTED_FAULT, page), 0);
		if (trip % 3 == 0)
			fake_remap(600, (unsigned int)trip);
		vm_force(0, SHADOW_PIN);
		expect_shadow(0);
		ck_assert_int_eq(fake_enter(0, FAKE_EXIT_SHADOW_FAULT, 7), 0);
		ck_assert_int_eq(fake_enter(0, FAKE_EXIT_CR3, 0), 0);
		if (trip % 5 == 0)
			fake_remap(601, (unsigned int)trip);
		if (trip == 0) {
			pages = fake_pages();
			blocks = fake_blocks();
		}
		ck_assert_int_le(fake_pages(), pages);
		ck_assert_int_eq(fake_blocks(), blocks);
	}
	vm_end();
}
END_TEST

START_TEST(each_core_has_a_mode_of_its_own)
{
	vm_start(2, section_hypercall);
	vm_force(1, NESTED_PIN);
	ck_assert_int_eq(fake_enter(0, FAKE_EXIT_OTHER, 0), 0);
	expect_shadow(0);
	expect_nested(1);
	vm_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("palacios switch");
	TCase *tcase = tcase_create("switch");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, to_nested_moves_the_guests_view_to_the_hardware);
	tcase_add_test(tcase, to_shadow_moves_the_hardwares_view_to_the_guest);
	tcase_add_test(tcase, long_mode_stays_active_when_the_guests_efer_lacks_lma);
	tcase_add_test(tcase, a_guest_cr3_equal_to_a_shadow_page_costs_no_page);
	tcase_add_test(tcase, without_a_page_for_the_root_shadow_stays_whole);
	tcase_add_test(tcase, without_a_page_to_empty_the_parked_root_nested_stays_whole);
	tcase_add_test(tcase, a_failing_shadow_pager_leaves_nested_whole);
	tcase_add_test(tcase, ten_thousand_round_trips_grow_nothing);
	tcase_add_test(tcase, each_core_has_a_mode_of_its_own);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
