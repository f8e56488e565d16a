/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the vCPUs of a guest tell one another: no TLB holds what is not so, under every policy and
 * while the mode changes, and nobody is told what does not concern it.
 */
#include "smp_rig.h"

/*
 * Two vCPUs run the same process. One unmaps a page that the other's TLB holds; the other one's
 * next access has to see the page that was mapped anew.
 */
START_TEST(shootdown)
{
	static const char *const policies[] = {"native",      "domain-lock", "per-vcpu",
					       "flush-clock", "immediate",   "same-context",
					       "shadow",      "nested"};
	struct script script = {.used = {0}};
	struct dav2m_smp_config config = config_of(&script, 2, policies[_i]);
	struct dav2m_smp *smp = smp_new(&config);
	uint64_t old, seen, is, ipis;
	uint32_t v;

	for (v = 0; v < 2; v++) {
		event(&script, v, DAV2M_SIM_SWITCH, 7, 0, 0);
		touch(&script, v, DAV2M_SIM_STORE, HEAP + v);
	}
	run(smp);
	touch(&script, 0, DAV2M_SIM_STORE, HEAP + 1);
	touch(&script, 1, DAV2M_SIM_STORE, HEAP + 1);
	ipis = run(smp).ipis;
	ck_assert_int_eq(sim_mmu_peek(&smp->mmu[1], DAV2M_SIM_DATA, 0, HEAP + 1, &old), 1);
	/* The freed frame goes to the next page, so that the same page gets another one. */
	event(&script, 0, DAV2M_SIM_UNMAP, (HEAP + 1) * PAGE, PAGE, 0);
	touch(&script, 0, DAV2M_SIM_STORE, HEAP + 2);
	ck_assert_uint_gt(run(smp).ipis, ipis);
	ck_assert_int_eq(sim_mmu_peek(&smp->mmu[1], DAV2M_SIM_DATA, 0, HEAP + 1, &seen), 0);
	touch(&script, 1, DAV2M_SIM_STORE, HEAP + 1);
	run(smp);
	smp_context_load(smp, &smp->machine.vcpu[1]);
	ck_assert_int_eq(dav2m_sim_lookup(smp->domain[0].sim, HEAP + 1, &is), 0);
	ck_assert_uint_ne(is, old);
	/* Direct paging flushes once more when it attaches the table. */
	if (sim_mmu_peek(&smp->mmu[1], DAV2M_SIM_DATA, 0, HEAP + 1, &seen))
		ck_assert_uint_eq(seen, is);
	else
		ck_assert_uint_ne(config.flags, 0);
	dav2m_smp_free(smp);
}
END_TEST

/* What a physical CPU's TLB holds for a vCPU's process is what the guest's tables say. */
static void tlb_check(struct dav2m_smp *smp, uint32_t vcpu, uint64_t pages)
{
	const struct dav2m_sim *sim = smp->domain[0].sim;
	uint64_t page, seen, is;

	smp_context_load(smp, &smp->machine.vcpu[vcpu]);
	for (page = HEAP; page < HEAP + pages; page++) {
		if (!sim_mmu_peek(&smp->mmu[vcpu], DAV2M_SIM_DATA, 0, page, &seen))
			continue;
		ck_assert_int_eq(dav2m_sim_lookup(sim, page, &is), 0);
		ck_assert_uint_eq(seen, is);
	}
	smp_context_save(smp, &smp->machine.vcpu[vcpu]);
}

static uint64_t below(uint64_t *random, uint64_t n)
{
	*random = *random * 6364136223846793005ull + 1442695040888963407ull;
	return (*random >> 33) % n;
}

static void anything(struct script *script, uint32_t vcpu, uint64_t *random, uint64_t *child)
{
	const uint64_t first = HEAP + below(random, 24);
	const uint64_t bytes = (1 + below(random, 6)) * PAGE;

	switch (below(random, 12)) {
	case 0:
		event(script, vcpu, DAV2M_SIM_UNMAP, first * PAGE, bytes, 0);
		return;
	case 1:
		/* It never runs, but the pages are shared until they are written. */
		event(script, vcpu, DAV2M_SIM_FORK, (*child)++, 0, 0);
		return;
	case 2:
		event(script, vcpu, DAV2M_SIM_SWITCH, 1 + below(random, 3), 0, 0);
		return;
	case 3:
		event(script, vcpu, DAV2M_SIM_SYSCALL, 1, 0, 0);
		return;
	default:
		touch(script, vcpu, below(random, 2) ? DAV2M_SIM_STORE : DAV2M_SIM_LOAD, first);
		return;
	}
}

/* Three vCPUs do anything in three processes that they share; whenever all is done, no TLB holds
   what is not so. */
START_TEST(coherent)
{
	const struct dav2m_smp_policy *policy = dav2m_smp_policy((size_t)_i);
	struct script script = {.used = {0}};
	struct dav2m_smp_config config = config_of(&script, 3, policy->name);
	struct dav2m_smp *smp = smp_new(&config);
	uint64_t random = (uint64_t)_i + 1, child = 100;
	int round, i;
	uint32_t v;

	for (round = 0; round < 300; round++) {
		for (v = 0; v < 3; v++)
			for (i = 0; i < 8; i++)
				anything(&script, v, &random, &child);
		run(smp);
		for (v = 0; v < 3; v++)
			tlb_check(smp, v, 32);
	}
	ck_assert_uint_gt(smp->machine.counts.ipis, 100);
	dav2m_smp_free(smp);
}
END_TEST

static void compute(struct script *script, uint32_t vcpu, uint64_t instructions)
{
	uint64_t n;

	for (; instructions > 0; instructions -= n) {
		n = instructions < DAV2M_SIM_RUN_MAX ? instructions : DAV2M_SIM_RUN_MAX;
		script->word[vcpu][script->used[vcpu]++] =
			dav2m_sim_reference(DAV2M_SIM_FETCH, 1, (uint32_t)n);
	}
}

/* From here on two vCPUs run at the same time. */
static void meet(struct dav2m_smp *smp)
{
	struct smp_vcpu *vcpu = smp->machine.vcpu;
	const uint64_t time = vcpu[0].time > vcpu[1].time ? vcpu[0].time : vcpu[1].time;

	vcpu[0].time = vcpu[1].time = time;
}

/*
 * One vCPU takes away the tables that the other one's page-walk cache leads to, at a time that
 * moves along the other one's accesses from round to round: those walk what is there, not what is
 * gone.
 */
START_TEST(tables_go)
{
	const int large = _i == 8; /* only shadow paging has tables below large pages */
	const char *const policy = large ? "shadow" : dav2m_smp_policy((size_t)_i)->name;
	struct script script = {.used = {0}};
	struct dav2m_smp_config config = config_of(&script, 2, policy);
	struct dav2m_smp *smp;
	uint64_t page;
	uint32_t round, v;

	config.guest_page = large ? DAV2M_SIM_2M : DAV2M_SIM_4K;
	smp = smp_new(&config);
	for (v = 0; v < 2; v++)
		event(&script, v, DAV2M_SIM_SWITCH, 7, 0, 0);
	for (round = 0; round < 300; round++) {
		for (page = 0; page < 32; page++)
			touch(&script, 0, DAV2M_SIM_STORE, HEAP + page);
		run(smp);
		meet(smp);
		compute(&script, 0, round * 100);
		event(&script, 0, DAV2M_SIM_UNMAP, HEAP * PAGE, 32 * PAGE, 0);
		for (page = 0; page < 32; page++) {
			touch(&script, 1, DAV2M_SIM_LOAD, HEAP + page);
			compute(&script, 1, 1000);
		}
		run(smp);
		for (v = 0; v < 2; v++)
			tlb_check(smp, v, 32);
	}
	ck_assert_uint_gt(smp->domain[0].sim->guest.tables_freed + smp->domain[0].torn, 100);
	dav2m_smp_free(smp);
}
END_TEST

static void to_and_fro(void *context, struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu,
		       int at_window)
{
	const enum dav2m_sim_mode mode = dav2m_smp_mode(smp, domain);
	uint64_t cycles = 0;

	(void)context;
	ck_assert_int_eq(at_window, 1);
	ck_assert_int_eq(dav2m_smp_switch(smp, domain, vcpu,
					  mode == DAV2M_SIM_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW,
					  &cycles),
			 0);
	/* The other CPUs are interrupted, and answer. */
	ck_assert_uint_gt(cycles, smp->config.cost->price[DAV2M_SIM_MODE_SWITCH].cycles +
					  smp->config.smp_cost->price[DAV2M_SMP_IPI_HANDLE].cycles);
}

/* The same while the domain changes its mode all the time, each vCPU asking for it in turn. */
START_TEST(coherent_while_switching)
{
	struct script script = {.used = {0}};
	struct dav2m_smp_config config = config_of(&script, 3, "shadow");
	uint64_t random = 1, child = 100, switches = 0;
	struct dav2m_sim_counts c;
	struct dav2m_smp *smp;
	int round, i;
	uint32_t v;

	config.window_inst = 20;
	config.sample = to_and_fro;
	smp = smp_new(&config);
	for (round = 0; round < 300; round++) {
		for (v = 0; v < 3; v++) {
			for (i = 0; i < 8; i++) {
				anything(&script, v, &random, &child);
				touch(&script, v, DAV2M_SIM_FETCH, 1);
			}
		}
		run(smp);
		for (v = 0; v < 3; v++)
			tlb_check(smp, v, 32);
	}
	for (v = 0; v < 3; v++) {
		dav2m_smp_sim_count(smp, 0, v, &c);
		ck_assert_uint_eq(c.mode_switches[0] + c.mode_switches[1], 300 * 8 / 20);
		switches += c.mode_switches[0] + c.mode_switches[1];
	}
	ck_assert_uint_eq(switches, 3 * 300 * 8 / 20);
	dav2m_smp_free(smp);
}
END_TEST

/* One process each: nothing that one does concerns the other, and natively there is no IPI. */
START_TEST(no_shootdown)
{
	struct script script = {.used = {0}};
	struct dav2m_smp_config config = config_of(&script, 2, "native");
	struct dav2m_smp *smp = smp_new(&config);
	uint32_t v;

	for (v = 0; v < 2; v++) {
		event(&script, v, DAV2M_SIM_SWITCH, 1 + v, 0, 0);
		touch(&script, v, DAV2M_SIM_STORE, HEAP);
		event(&script, v, DAV2M_SIM_UNMAP, HEAP * PAGE, PAGE, 0);
	}
	ck_assert_uint_eq(run(smp).ipis, 0);
	dav2m_smp_free(smp);
}
END_TEST

/* A process that another vCPU runs is neither ended nor replaced. */
START_TEST(process_in_use)
{
	struct script script = {.used = {0}};
	struct dav2m_smp_config config = config_of(&script, 2, "native");
	struct dav2m_smp *smp = smp_new(&config);

	event(&script, 0, DAV2M_SIM_SWITCH, 7, 0, 0);
	touch(&script, 0, DAV2M_SIM_FETCH, 1);
	event(&script, 1, DAV2M_SIM_SWITCH, 7, 0, 0);
	run(smp);
	event(&script, 1, _i ? DAV2M_SIM_EXEC : DAV2M_SIM_EXIT_PROCESS, 0, 0, 0);
	ck_assert_int_eq(dav2m_smp_run(smp, UINT64_MAX), DAV2M_SIM_ERR_PROCESS);
	dav2m_smp_free(smp);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim smp_coherent");
	TCase *tcase = tcase_create("smp_coherent");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, shootdown, 0, 8);
	tcase_add_loop_test(tcase, coherent, 0, 8);
	tcase_add_loop_test(tcase, tables_go, 0, 9);
	tcase_add_test(tcase, coherent_while_switching);
	tcase_add_test(tcase, no_shootdown);
	tcase_add_loop_test(tcase, process_in_use, 0, 2);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
