/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Direct paging on sequences made by hand: what each policy counts and what it takes; and what the
 * interface refuses.
 */
#include "smp_rig.h"

/* What a policy counts while each of four pages is written for the first time, then all unmapped.
 */
START_TEST(pages_come_and_go)
{
	static const struct {
		const char *policy;
		uint64_t detached, attached, batched, emulated;
	} cases[] = {
		/* each first touch detaches the table and brings it back; unmapping detaches it
		   once for four, and the flush at the end brings it back */
		{"domain-lock", 4 + 1, 4 + 1, 3, 0},
		{"per-vcpu", 4 + 1, 4 + 1, 3, 0},
		{"immediate", 0, 0, 0, 8},
		{"native", 0, 0, 0, 0},
	};
	struct script script = {.used = {0}};
	struct dav2m_smp_config config = config_of(&script, 1, cases[_i].policy);
	struct dav2m_smp *smp = smp_new(&config);
	struct dav2m_smp_counts before, c;
	uint64_t i;

	/* The process, and a table that the pages share with one that stays. */
	event(&script, 0, DAV2M_SIM_SWITCH, 1, 0, 0);
	touch(&script, 0, DAV2M_SIM_STORE, HEAP);
	touch(&script, 0, DAV2M_SIM_LOAD, HEAP);
	before = run(smp);
	for (i = 1; i <= 4; i++)
		touch(&script, 0, DAV2M_SIM_STORE, HEAP + i);
	event(&script, 0, DAV2M_SIM_UNMAP, (HEAP + 1) * PAGE, 4 * PAGE, 0);
	c = run(smp);
	ck_assert_uint_eq(c.detached - before.detached, cases[_i].detached);
	ck_assert_uint_eq(c.attached - before.attached, cases[_i].attached);
	ck_assert_uint_eq(c.batched - before.batched, cases[_i].batched);
	ck_assert_uint_eq(c.emulated - before.emulated, cases[_i].emulated);
	ck_assert_uint_eq(c.ipis, 0);
	dav2m_smp_free(smp);
}
END_TEST

/* The time of one first touch, in prices: what is between native and a policy. */
START_TEST(first_touch_costs)
{
	static const char *const policies[] = {"native", "domain-lock", "immediate"};
	const struct dav2m_sim_price *p = dav2m_smp_cost_find("xen3-smp")->price;
	const uint64_t trap = p[DAV2M_SMP_HYPERCALL].cycles + p[DAV2M_SMP_LOCK].cycles;
	const uint64_t detach = 2 * p[DAV2M_SMP_ATTACH].cycles + p[DAV2M_SMP_TLB_FLUSH].cycles +
				p[DAV2M_SMP_COPY].cycles;
	const uint64_t attach = 2 * p[DAV2M_SMP_ATTACH].cycles + p[DAV2M_SMP_TLB_FLUSH].cycles +
				1024 * p[DAV2M_SMP_COMPARE].cycles + p[DAV2M_SMP_VERIFY].cycles;
	uint64_t taken[3];
	int i;

	for (i = 0; i < 3; i++) {
		struct script script = {.used = {0}};
		struct dav2m_smp_config config = config_of(&script, 1, policies[i]);
		struct dav2m_smp *smp = smp_new(&config);
		uint64_t before;

		event(&script, 0, DAV2M_SIM_SWITCH, 1, 0, 0);
		touch(&script, 0, DAV2M_SIM_STORE, HEAP);
		touch(&script, 0, DAV2M_SIM_LOAD, HEAP);
		before = run(smp).cycles;
		touch(&script, 0, DAV2M_SIM_STORE, HEAP + 1);
		taken[i] = run(smp).cycles - before;
		dav2m_smp_free(smp);
	}
	ck_assert_uint_eq(taken[1] - taken[0],
			  p[DAV2M_SMP_BOUNCE].cycles + trap + detach + trap + attach);
	ck_assert_uint_eq(taken[2] - taken[0], p[DAV2M_SMP_BOUNCE].cycles + trap +
						       p[DAV2M_SMP_EMULATE].cycles +
						       p[DAV2M_SMP_VERIFY].cycles);
}
END_TEST

/* Two vCPUs unmap pages of their own at the same time: with two writable tables per domain each
   takes the other's away; with two per vCPU each keeps its own to the end. */
START_TEST(tables_are_taken_away)
{
	static const char *const policies[] = {"domain-lock", "per-vcpu"};
	uint64_t detached[2];
	int i;

	for (i = 0; i < 2; i++) {
		struct script script = {.used = {0}};
		struct dav2m_smp_config config = config_of(&script, 2, policies[i]);
		struct dav2m_smp *smp = smp_new(&config);
		uint64_t before, page;
		uint32_t v;

		for (v = 0; v < 2; v++) {
			event(&script, v, DAV2M_SIM_SWITCH, 1 + v, 0, 0);
			for (page = 0; page <= 200; page++)
				touch(&script, v, DAV2M_SIM_STORE, HEAP + page);
			touch(&script, v, DAV2M_SIM_LOAD, HEAP);
		}
		before = run(smp).detached;
		for (v = 0; v < 2; v++)
			event(&script, v, DAV2M_SIM_UNMAP, (HEAP + 1) * PAGE, 200 * PAGE, 0);
		detached[i] = run(smp).detached - before;
		dav2m_smp_free(smp);
	}
	ck_assert_uint_gt(detached[0], 2);
	ck_assert_uint_eq(detached[1], 2);
}
END_TEST

/* Each value of an enum has a name of its own, and what is none has the usual one. */
START_TEST(names)
{
	int i, k;

	for (i = 0; i < DAV2M_SMP_ITEMS; i++)
		for (k = 0; k < i; k++)
			ck_assert_str_ne(dav2m_smp_item_name((enum dav2m_smp_item)i),
					 dav2m_smp_item_name((enum dav2m_smp_item)k));
	for (i = 0; i < DAV2M_SMP_LOCKS; i++)
		ck_assert_str_ne(dav2m_smp_lock_name((enum dav2m_smp_lock)i), "?");
	for (i = 0; i < DAV2M_SMP_PLACEMENTS; i++)
		ck_assert_str_ne(dav2m_smp_placement_name((enum dav2m_smp_placement)i), "?");
	ck_assert_str_eq(dav2m_smp_item_name((enum dav2m_smp_item)DAV2M_SMP_ITEMS), "?");
	ck_assert_str_eq(dav2m_smp_lock_name((enum dav2m_smp_lock)DAV2M_SMP_LOCKS), "?");
	ck_assert_str_eq(dav2m_smp_placement_name((enum dav2m_smp_placement)DAV2M_SMP_PLACEMENTS),
			 "?");
	ck_assert_ptr_null(dav2m_smp_policy_find("x"));
	ck_assert_ptr_null(dav2m_smp_policy_find(NULL));
	ck_assert_ptr_null(dav2m_smp_cost_find("x"));
	for (i = 0; i < DAV2M_SMP_ITEMS; i++)
		ck_assert_ptr_nonnull(dav2m_smp_cost(0)->price[i].source);
}
END_TEST

static int try(struct dav2m_smp_config config)
{
	struct dav2m_smp *smp = NULL;
	const int error = dav2m_smp_new(&config, &smp);

	if (error == 0)
		dav2m_smp_free(smp);
	else
		ck_assert_ptr_null(smp);
	return error;
}

START_TEST(configurations)
{
	struct script script = {.used = {0}};
	const struct dav2m_smp_config good = config_of(&script, 2, "domain-lock");
	struct dav2m_smp_config bad;
	uint64_t cycles;
	struct dav2m_smp *smp;

	ck_assert_int_eq(try(good), 0);
#define BREAK(member, value, expected)                                                             \
	bad = good;                                                                                \
	bad.member = (value);                                                                      \
	ck_assert_int_eq(try(bad), (expected))
	BREAK(machine, NULL, DAV2M_SIM_ERR_NULL);
	BREAK(cost, NULL, DAV2M_SIM_ERR_NULL);
	BREAK(smp_cost, NULL, DAV2M_SIM_ERR_NULL);
	BREAK(read, NULL, DAV2M_SIM_ERR_NULL);
	BREAK(domains, 0, DAV2M_SIM_ERR_RANGE);
	BREAK(domains, DAV2M_SMP_DOMAINS + 1, DAV2M_SIM_ERR_RANGE);
	BREAK(vcpus, 0, DAV2M_SIM_ERR_RANGE);
	BREAK(vcpus, DAV2M_SMP_CPUS + 1, DAV2M_SIM_ERR_RANGE);
	BREAK(pcpus, 0, DAV2M_SIM_ERR_RANGE);
	BREAK(nodes, 0, DAV2M_SIM_ERR_RANGE);
	BREAK(nodes, 3, DAV2M_SIM_ERR_RANGE);
	BREAK(flags, 32, DAV2M_SIM_ERR_RANGE);
	BREAK(flags, DAV2M_SMP_IMMEDIATE, DAV2M_SIM_ERR_RANGE);
	BREAK(mode, DAV2M_SIM_SHADOW, DAV2M_SIM_ERR_RANGE);
	BREAK(guest_bytes, 1, DAV2M_SIM_ERR_RANGE);
	ck_assert_int_eq(dav2m_smp_new(NULL, &smp), DAV2M_SIM_ERR_NULL);
	ck_assert_int_eq(dav2m_smp_run(NULL, 0), DAV2M_SIM_ERR_NULL);
	smp = smp_new(&good);
	ck_assert_int_eq(dav2m_smp_switch(smp, 0, 0, DAV2M_NESTED, &cycles), DAV2M_SIM_ERR_RANGE);
	dav2m_smp_free(smp);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim smp");
	TCase *tcase = tcase_create("smp");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, pages_come_and_go, 0, 4);
	tcase_add_test(tcase, first_touch_costs);
	tcase_add_test(tcase, tables_are_taken_away);
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, configurations);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
