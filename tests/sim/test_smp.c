/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vCPUs in one guest: what direct paging counts on sequences made by hand, what the guest
 * tells its other CPUs, that the guest does the same under every policy, that the same streams give
 * the same result, and a decision domain that switches the whole machine.
 */
#include "rig.h"

#include <dav2m/domain.h>

#include "smp.h"

#define WORDS 4096
#define HEAP  0x8000ull

/* A word list for each of at most four vCPUs, read as often as it has been filled. */
struct script {
	uint64_t word[4][WORDS];
	size_t used[4];
};

static size_t on_read(void *context, uint32_t domain, uint32_t vcpu, uint64_t *words, size_t room)
{
	struct script *script = context;
	const size_t n = script->used[vcpu];

	ck_assert_uint_le(n, room);
	ck_assert_uint_eq(domain, 0);
	memcpy(words, script->word[vcpu], n * sizeof(*words));
	script->used[vcpu] = 0;
	return n;
}

static void touch(struct script *script, uint32_t vcpu, enum dav2m_sim_kind kind, uint64_t page)
{
	script->word[vcpu][script->used[vcpu]++] = dav2m_sim_reference(kind, page, 1);
}

static void event(struct script *script, uint32_t vcpu, enum dav2m_sim_event event, uint64_t a,
		  uint64_t b, uint64_t c)
{
	const uint64_t argument[] = {a, b, c};
	const uint32_t n = dav2m_sim_event_arguments(event);
	uint32_t i;

	script->word[vcpu][script->used[vcpu]++] = dav2m_sim_event_word(event, n);
	for (i = 0; i < n; i++)
		/* No event has more: NOLINTNEXTLINE(*-core.uninitialized.Assign) */
		script->word[vcpu][script->used[vcpu]++] = argument[i];
}

static struct dav2m_smp_config config_of(struct script *script, uint32_t vcpus, const char *policy)
{
	const struct dav2m_smp_policy *p = dav2m_smp_policy_find(policy);
	const struct dav2m_smp_config config = {
		.machine = dav2m_sim_machine_find("core2-e6300"),
		.cost = dav2m_sim_cost_find("xen304"),
		.smp_cost = dav2m_smp_cost_find("xen3-smp"),
		.mode = p->mode,
		.flags = p->flags,
		.tables = DAV2M_SIM_LEVELS_2,
		.guest_bytes = 64ull << 20,
		.domains = 1,
		.vcpus = vcpus,
		.pcpus = vcpus,
		.nodes = 1,
		.read = on_read,
		.context = script,
	};

	return config;
}

static struct dav2m_smp *smp_new(const struct dav2m_smp_config *config)
{
	struct dav2m_smp *smp = NULL;

	ck_assert_int_eq(dav2m_smp_new(config, &smp), 0);
	return smp;
}

/* Runs what the script holds; the vCPUs end with it, so their states are set back for more. */
static struct dav2m_smp_counts run(struct dav2m_smp *smp)
{
	struct dav2m_smp_counts counts;
	uint32_t i;

	ck_assert_int_eq(dav2m_smp_run(smp, UINT64_MAX), 0);
	for (i = 0; i < smp->machine.vcpus; i++)
		smp->machine.vcpu[i].state = SMP_READY;
	dav2m_smp_count(smp, &counts);
	return counts;
}

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

/* The built-in load on each vCPU. */

struct load {
	struct dav2m_sim_source *source[16];
	struct dav2m_domain domain;
	struct dav2m_vcpu vcpu[16];
	uint32_t decided; /* switches that the domain has asked for */
};

static size_t load_read(void *context, uint32_t domain, uint32_t vcpu, uint64_t *words, size_t room)
{
	struct load *load = context;

	(void)domain;
	return dav2m_sim_source_read(load->source[vcpu], words, room);
}

static struct dav2m_smp *load_new(struct load *load, struct dav2m_smp_config *config,
				  const char *workload, uint32_t scale_bp)
{
	uint32_t v;

	config->read = load_read;
	config->context = load;
	config->guest_bytes = 256ull << 20;
	for (v = 0; v < config->vcpus; v++) {
		load->source[v] =
			dav2m_sim_source_new(dav2m_sim_workload_find(workload), 1 + v, scale_bp);
		ck_assert_int_eq(dav2m_sim_source_instance(load->source[v], v), 0);
	}
	return smp_new(config);
}

static void load_free(struct load *load, struct dav2m_smp *smp)
{
	int v;

	dav2m_smp_free(smp);
	for (v = 0; v < 16; v++)
		dav2m_sim_source_free(load->source[v]);
}

/* What a guest has done, whoever watched: summed over its vCPUs. */
struct doings {
	uint64_t instructions, faults, cow_faults, table_writes, processes, switches, jobs;
};

static struct doings doings_of(const struct dav2m_smp *smp, uint32_t vcpus)
{
	struct doings d = {.jobs = 0};
	struct dav2m_smp_vcpu_counts own;
	struct dav2m_sim_counts c;
	uint32_t v;

	for (v = 0; v < vcpus; v++) {
		dav2m_smp_sim_count(smp, 0, v, &c);
		dav2m_smp_vcpu_count(smp, 0, v, &own);
		d.instructions += c.instructions;
		d.faults += c.faults;
		d.cow_faults += c.cow_faults;
		d.table_writes += c.table_writes;
		d.processes += c.processes;
		d.switches += c.context_switches;
		d.jobs += own.jobs;
		/* Nobody idles in this load: all time is accounted for. */
		ck_assert_uint_eq(own.end_cycles, own.guest_cycles + own.vmm_cycles +
							  own.spin_cycles + own.irq_cycles);
	}
	return d;
}

START_TEST(same_guest_everywhere)
{
	static const struct {
		enum dav2m_sim_tables tables;
		enum dav2m_sim_page page;
	} guests[] = {{DAV2M_SIM_LEVELS_2, DAV2M_SIM_4K},
		      {DAV2M_SIM_LEVELS_4, DAV2M_SIM_4K},
		      {DAV2M_SIM_LEVELS_4, DAV2M_SIM_2M},
		      {DAV2M_SIM_LEVELS_5, DAV2M_SIM_4K}};
	const struct dav2m_smp_policy *policy;
	struct doings first = {.jobs = 0};
	size_t i;

	for (i = 0; (policy = dav2m_smp_policy(i)) != NULL; i++) {
		struct load load = {.decided = 0};
		struct dav2m_smp_config config = config_of(NULL, 3, policy->name);
		struct dav2m_smp *smp;
		struct doings d;

		config.tables = guests[_i].tables;
		config.guest_page = guests[_i].page;
		smp = load_new(&load, &config, "file-server", 500);
		ck_assert_int_eq(dav2m_smp_run(smp, UINT64_MAX), 0);
		d = doings_of(smp, 3);
		if (i == 0)
			first = d;
		ck_assert_uint_eq(d.jobs, 6);
		ck_assert_mem_eq(&d, &first, sizeof(d));
		load_free(&load, smp);
	}
	ck_assert_uint_eq(i, 8);
}
END_TEST

/* One vCPU natively: the time is that of the simulation with one processor, and its kernel lock's.
 */
START_TEST(one_vcpu_is_the_simulation)
{
	struct load load = {.decided = 0};
	struct dav2m_smp_config config = config_of(NULL, 1, "native");
	struct dav2m_smp *smp = load_new(&load, &config, "file-server", 500);
	struct dav2m_smp_vcpu_counts own;
	struct dav2m_sim_counts c;
	struct dav2m_smp_counts all;

	ck_assert_int_eq(dav2m_smp_run(smp, UINT64_MAX), 0);
	dav2m_smp_sim_count(smp, 0, 0, &c);
	dav2m_smp_vcpu_count(smp, 0, 0, &own);
	dav2m_smp_count(smp, &all);
	ck_assert_uint_eq(own.guest_cycles,
			  dav2m_sim_cycles(&c) +
				  all.lock[DAV2M_SMP_KERNEL_LOCK].taken *
					  config.smp_cost->price[DAV2M_SMP_LOCK].cycles);
	ck_assert_uint_gt(all.lock[DAV2M_SMP_KERNEL_LOCK].taken, 0);
	load_free(&load, smp);
}
END_TEST

/* The same twice, piece by piece or at once. */
START_TEST(deterministic)
{
	struct dav2m_smp_counts c[2];
	struct dav2m_smp_vcpu_counts v[2][4];
	uint64_t until;
	uint32_t i, k;

	for (i = 0; i < 2; i++) {
		struct load load = {.decided = 0};
		struct dav2m_smp_config config = config_of(NULL, 4, "flush-clock");
		struct dav2m_smp *smp = load_new(&load, &config, "file-server", 500);
		int more = 1;

		for (until = 1000003; i == 1 && more == 1; until += 1000003)
			more = dav2m_smp_run(smp, until);
		if (i == 0)
			more = dav2m_smp_run(smp, UINT64_MAX);
		ck_assert_int_eq(more, 0);
		dav2m_smp_count(smp, &c[i]);
		for (k = 0; k < 4; k++)
			dav2m_smp_vcpu_count(smp, 0, k, &v[i][k]);
		load_free(&load, smp);
	}
	ck_assert_uint_gt(c[0].ipis_saved, 0);
	ck_assert_mem_eq(&c[0], &c[1], sizeof(c[0]));
	ck_assert_mem_eq(v[0], v[1], sizeof(v[0]));
}
END_TEST

/* Each step of the study, at eight vCPUs, does more per cycle than the one before. */
START_TEST(each_step_helps)
{
	static const char *const steps[] = {"domain-lock", "per-vcpu", "flush-clock", "immediate",
					    "native"};
	uint64_t before = UINT64_MAX;
	int i;

	for (i = 0; i < 5; i++) {
		struct load load = {.decided = 0};
		struct dav2m_smp_config config = config_of(NULL, 8, steps[i]);
		struct dav2m_smp *smp = load_new(&load, &config, "file-server", 500);
		struct dav2m_smp_counts c;

		ck_assert_int_eq(dav2m_smp_run(smp, UINT64_MAX), 0);
		dav2m_smp_count(smp, &c);
		ck_assert_uint_lt(c.cycles, before);
		before = c.cycles;
		load_free(&load, smp);
	}
}
END_TEST

/* A decision domain, linked as into a VMM with several vCPUs. */

static void on_sample(void *context, struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu,
		      int at_window)
{
	struct load *load = context;
	struct dav2m_sample sample;
	struct dav2m_decision decision;
	uint64_t cycles;

	dav2m_smp_charge_sample(smp, at_window);
	dav2m_smp_sample(smp, domain, vcpu, &sample);
	ck_assert_int_eq(dav2m_domain_sample(&load->domain, vcpu, &sample, &decision), 0);
	if (decision.action != DAV2M_SWITCH)
		return;
	load->decided++;
	ck_assert_int_eq(dav2m_smp_switch(smp, domain, vcpu, decision.mode, &cycles), 0);
	ck_assert_int_eq(dav2m_domain_acknowledge(&load->domain, DAV2M_DONE, cycles), 0);
}

static int on_paging_exit(void *context, uint32_t domain, uint32_t vcpu)
{
	struct load *load = context;

	(void)domain;
	return dav2m_vcpu_paging_exits(&load->vcpu[vcpu], 1);
}

static struct dav2m_smp *domain_new(struct load *load, struct dav2m_smp_config *config)
{
	struct dav2m_config controller = {.size = sizeof(controller)};

	ck_assert_int_eq(dav2m_config_preset(DAV2M_PRESET_REPAIRED, &controller), 0);
	controller.window_inst = 1000000;
	controller.threshold_vmexit /= 100;
	controller.threshold_tmiss /= 100;
	config->window_inst = controller.window_inst;
	config->sample = on_sample;
	config->paging_exit = on_paging_exit;
	ck_assert_int_eq(dav2m_domain_init(&load->domain, &controller,
					   (enum dav2m_mode)config->mode, load->vcpu,
					   config->vcpus),
			 0);
	return load_new(load, config, "file-server", 2000);
}

static uint64_t mode_switches(const struct dav2m_smp *smp, uint32_t vcpus, enum dav2m_mode to)
{
	struct dav2m_sim_counts c;
	uint64_t sum = 0;
	uint32_t v;

	for (v = 0; v < vcpus; v++) {
		dav2m_smp_sim_count(smp, 0, v, &c);
		sum += c.mode_switches[to];
	}
	return sum;
}

/* Pinned to the other mode, the first decision switches all vCPUs, once; the guest notices
   nothing. */
START_TEST(domain_switches_once)
{
	static struct load load;
	struct dav2m_smp_config config = config_of(NULL, 4, "shadow");
	struct dav2m_smp *smp;
	struct dav2m_sim_counts c;
	uint32_t v;

	memset(&load, 0, sizeof(load));
	smp = domain_new(&load, &config);
	ck_assert_int_eq(dav2m_pin(&load.domain.controller, DAV2M_PIN_NESTED), 0);
	ck_assert_int_eq(dav2m_smp_run(smp, UINT64_MAX), 0);
	ck_assert_uint_eq(load.decided, 1);
	ck_assert_int_eq(dav2m_smp_mode(smp, 0), DAV2M_SIM_NESTED);
	ck_assert_uint_eq(mode_switches(smp, 4, DAV2M_NESTED), 1);
	ck_assert_uint_eq(mode_switches(smp, 4, DAV2M_SHADOW), 0);
	for (v = 0; v < 4; v++) {
		dav2m_smp_sim_count(smp, 0, v, &c);
		/* Nested fills say that it has run in the new mode; fills, in the old one. */
		ck_assert_uint_gt(c.exits[DAV2M_SIM_EXIT_FILL], 0);
		ck_assert_uint_gt(c.samples, 0);
	}
	ck_assert_uint_eq(doings_of(smp, 4).jobs, 4 * 8);
	load_free(&load, smp);
}
END_TEST

/* Left alone it finds that nested paging is the better mode for this load, and gains by it. */
START_TEST(domain_decides)
{
	static struct load adaptive, fixed;
	struct dav2m_smp_config config = config_of(NULL, 4, "shadow");
	struct dav2m_smp *smp;
	struct dav2m_smp_counts with, without;

	memset(&fixed, 0, sizeof(fixed));
	smp = load_new(&fixed, &config, "file-server", 2000);
	ck_assert_int_eq(dav2m_smp_run(smp, UINT64_MAX), 0);
	dav2m_smp_count(smp, &without);
	load_free(&fixed, smp);
	memset(&adaptive, 0, sizeof(adaptive));
	smp = domain_new(&adaptive, &config);
	ck_assert_int_eq(dav2m_smp_run(smp, UINT64_MAX), 0);
	dav2m_smp_count(smp, &with);
	ck_assert_uint_ge(adaptive.decided, 1);
	ck_assert_uint_eq(mode_switches(smp, 4, DAV2M_NESTED) + mode_switches(smp, 4, DAV2M_SHADOW),
			  adaptive.decided);
	ck_assert_uint_lt(with.cycles, without.cycles);
	load_free(&adaptive, smp);
}
END_TEST

/* Local, interleaved, remote: in this order, when all CPUs write at once. */
START_TEST(placements)
{
	uint64_t before = 0;
	int placement;

	for (placement = DAV2M_SMP_LOCAL; placement <= DAV2M_SMP_REMOTE; placement++) {
		struct load load = {.decided = 0};
		struct dav2m_smp_config config = config_of(NULL, 8, "native");
		struct dav2m_smp *smp;
		struct dav2m_smp_counts c;

		config.nodes = 4;
		config.placement = (enum dav2m_smp_placement)placement;
		smp = load_new(&load, &config, "memwrite", 500);
		ck_assert_int_eq(dav2m_smp_run(smp, UINT64_MAX), 0);
		dav2m_smp_count(smp, &c);
		ck_assert_uint_eq(c.lines_local + c.lines_remote, 8ull * 13 * 64 * 64);
		if (placement == DAV2M_SMP_LOCAL)
			ck_assert_uint_eq(c.lines_remote, 0);
		else if (placement == DAV2M_SMP_REMOTE)
			ck_assert_uint_eq(c.lines_local, 0);
		else /* frames go round the nodes, so that a quarter is at home, by and large */
			ck_assert_uint_gt(c.lines_remote, 2 * c.lines_local);
		ck_assert_uint_gt(c.cycles, before);
		before = c.cycles;
		load_free(&load, smp);
	}
}
END_TEST

/* Several domains share the physical CPUs: each vCPU gets its part, nobody two at once. */
START_TEST(domains_share)
{
	struct load load = {.decided = 0};
	struct dav2m_smp_config config = config_of(NULL, 1, "native");
	struct dav2m_smp_vcpu_counts own;
	struct dav2m_smp_counts c;
	struct dav2m_smp *smp;
	uint64_t busy = 0;
	uint32_t d;

	config.domains = 2;
	config.vcpus = 2;
	config.pcpus = 1;
	config.smp_cost = dav2m_smp_cost_find("xen3-smp");
	/* Both domains read the same two sources; who gets what does not matter here. */
	smp = load_new(&load, &config, "aim-arithmetic", 100);
	ck_assert_int_eq(dav2m_smp_run(smp, UINT64_MAX), 0);
	dav2m_smp_count(smp, &c);
	for (d = 0; d < 4; d++) {
		dav2m_smp_vcpu_count(smp, d / 2, d % 2, &own);
		busy += own.guest_cycles + own.vmm_cycles + own.spin_cycles + own.irq_cycles;
		ck_assert_uint_eq(own.pcpu, 0);
	}
	ck_assert_uint_eq(busy, c.cycles);
	ck_assert_uint_ge(c.vcpu_switches, 3);
	load_free(&load, smp);
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
	tcase_add_loop_test(tcase, shootdown, 0, 8);
	tcase_add_loop_test(tcase, coherent, 0, 8);
	tcase_add_test(tcase, coherent_while_switching);
	tcase_add_test(tcase, no_shootdown);
	tcase_add_loop_test(tcase, process_in_use, 0, 2);
	tcase_add_loop_test(tcase, same_guest_everywhere, 0, 4);
	tcase_add_test(tcase, one_vcpu_is_the_simulation);
	tcase_add_test(tcase, deterministic);
	tcase_add_test(tcase, each_step_helps);
	tcase_add_test(tcase, domain_switches_once);
	tcase_add_test(tcase, domain_decides);
	tcase_add_test(tcase, placements);
	tcase_add_test(tcase, domains_share);
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, configurations);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
