/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A built-in workload on each vCPU: the guest does the same under every policy, the same streams
 * give the same result, the study's steps help in their order, and a decision domain switches the
 * whole machine.
 */
#include "smp_rig.h"

#include <dav2m/domain.h>

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

/* What one vCPU's counters show is published. Answers as dav2m_domain_sample(). */
static int publish(struct load *load, const struct dav2m_smp *smp, uint32_t vcpu,
		   struct dav2m_decision *ret_decision)
{
	struct dav2m_sample sample;

	dav2m_smp_sample(smp, 0, vcpu, &sample);
	return dav2m_domain_sample(&load->domain, vcpu, &sample, ret_decision);
}

static uint64_t cycles_of_all(const struct load *load, const struct dav2m_smp *smp)
{
	struct dav2m_sample sample;
	uint64_t cycles = 0;

	for (uint32_t v = 0; v < load->domain.vcpus; v++) {
		dav2m_smp_sample(smp, 0, v, &sample);
		cycles += sample.value[DAV2M_CYCLES];
	}
	return cycles;
}

/* The others stand while this vCPU's sample is taken: they publish what they have done in the old
   mode, and then all are switched. */
static void switch_all(struct load *load, struct dav2m_smp *smp, uint32_t vcpu, enum dav2m_mode to)
{
	const uint64_t before = cycles_of_all(load, smp);
	struct dav2m_decision none;
	uint64_t own;

	for (uint32_t v = 0; v < load->domain.vcpus; v++)
		if (v != vcpu)
			ck_assert_int_eq(publish(load, smp, v, &none), DAV2M_ERR_BUSY);
	ck_assert_int_eq(dav2m_smp_switch(smp, 0, vcpu, to, &own), 0);
	ck_assert_int_eq(dav2m_domain_acknowledge(&load->domain, DAV2M_DONE,
						  cycles_of_all(load, smp) - before),
			 0);
}

static void on_sample(void *context, struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu,
		      int at_window)
{
	struct load *load = context;
	struct dav2m_decision decision;

	ck_assert_uint_eq(domain, 0);
	dav2m_smp_charge_sample(smp, at_window);
	ck_assert_int_eq(publish(load, smp, vcpu, &decision), 0);
	if (decision.action != DAV2M_SWITCH)
		return;
	load->decided++;
	switch_all(load, smp, vcpu, decision.mode);
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
	ck_assert_int_eq(dav2m_domain_pin(&load.domain, DAV2M_PIN_NESTED), 0);
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

int main(void)
{
	Suite *suite = suite_create("sim smp_load");
	TCase *tcase = tcase_create("smp_load");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, same_guest_everywhere, 0, 4);
	tcase_add_test(tcase, one_vcpu_is_the_simulation);
	tcase_add_test(tcase, deterministic);
	tcase_add_test(tcase, each_step_helps);
	tcase_add_test(tcase, domain_switches_once);
	tcase_add_test(tcase, domain_decides);
	tcase_add_test(tcase, placements);
	tcase_add_test(tcase, domains_share);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
