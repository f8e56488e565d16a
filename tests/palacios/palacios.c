/* SPDX-License-Identifier: BSD-2-Clause */
/* What the suites of this folder share. */
#include <check.h>

#include "palacios.h"

const char *const section_plain[] = {NULL};
const char *const section_hypercall[] = {"hypercall", "on", NULL};

void vm_configure(int cores, const char *const *section)
{
	const struct fake_setup setup = {.cores = cores, .pmu_slots = 4};
	int i;

	fake_create(&setup);
	ck_assert_int_eq(fake_configure(section), 0);
	for (i = 0; i < cores; i++)
		fake_set_guest(i, 1, 1, 0);
}

void vm_start(int cores, const char *const *section)
{
	int i;

	vm_configure(cores, section);
	fake_guest_runs(100000000, 200000000, 10);
	for (i = 0; i < 3 * cores; i++)
		ck_assert_int_eq(fake_enter(i % cores, FAKE_EXIT_OTHER, 0), 0);
}

void vm_end(void)
{
	fake_free();
	ck_assert_int_eq(fake_pages(), 0);
	ck_assert_int_eq(fake_blocks(), 0);
	ck_assert_int_eq(fake_slots(), 0);
	ck_assert_int_eq(fake_errors(), 0);
}

void vm_force(int core, int pin)
{
	fake_hypercall(core, FORCE_HCALL, (fake_u64)pin, 0);
	ck_assert_int_eq(fake_enter(core, FAKE_EXIT_VMMCALL, 0), 0);
	ck_assert_int_eq(fake_enter(core, FAKE_EXIT_OTHER, 0), 0);
}

static void expect_intercepts(const struct fake_look *is, int on)
{
	ck_assert_int_eq(is->cr0_reads, on);
	ck_assert_int_eq(is->cr3_reads, on);
	ck_assert_int_eq(is->cr4_reads, on);
	ck_assert_int_eq(is->cr0_writes, on);
	ck_assert_int_eq(is->cr3_writes, on);
	ck_assert_int_eq(is->cr4_writes, on);
	ck_assert_int_eq(is->invlpg, on);
	ck_assert_int_eq(is->pf, on);
	ck_assert_int_eq(is->tlb_control, 1);
	ck_assert_int_eq(is->asid, 1);
}

void expect_shadow(int core)
{
	struct fake_look is;

	fake_look(core, &is);
	ck_assert_int_eq(is.nested, 0);
	ck_assert_int_eq(is.np_enable, 0);
	expect_intercepts(&is, 1);
}

void expect_nested(int core)
{
	struct fake_look is;

	fake_look(core, &is);
	ck_assert_int_eq(is.nested, 1);
	ck_assert_int_eq(is.np_enable, 1);
	ck_assert_uint_eq(is.n_cr3, is.root);
	expect_intercepts(&is, 0);
}
