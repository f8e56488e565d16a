/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a workload on several vCPUs and tables what came of it; or, as the Xen study's vm-stat did,
 * which vCPU had how much of each physical CPU.
 */
#include "sim_smp.h"

#include "interrupt.h"
#include "parallel.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct report_column columns[] = {
	{"policy", "policy", "", 0, 0},
	{"vcpus", "vCPUs", "", 0, 0},
	{"cycles", "cycles", "", 2, 1},
	{"jobs", "jobs", "", 0, 0},
	{"jobs_per_gcycle", "jobs", "per 1e9 cycles", 1, 0},
	{"relative", "relative", "to the first", 2, 0},
	{"guest_percent", "guest", "%", 1, 0},
	{"vmm_percent", "VMM", "%", 1, 0},
	{"spin_percent", "spin", "%", 1, 0},
	{"irq_percent", "IPIs", "%", 1, 0},
	{"domain_wait_cycles", "domain lock", "waited", 2, 1},
	{"flush_wait_cycles", "flush lock", "waited", 2, 1},
	{"ipis", "IPIs", "sent", 1, 1},
	{"ipis_saved", "IPIs", "saved", 1, 1},
	{"detached", "detached", "tables", 1, 1},
	{"batched", "batched", "writes", 1, 1},
	{"emulated", "verified", "at once", 1, 1},
	{"hypercalls", "hypercalls", "", 1, 1},
	{"lines_per_kcycle", "lines", "per 1000 cycles", 2, 0},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const struct report_column vm_stat_columns[] = {
	{"policy", "policy", "", 0, 0},
	{"vcpus", "vCPUs", "", 0, 0},
	{"pcpu", "CPU", "", 0, 0},
	{"pcpu_percent", "busy", "%", 1, 0},
	{"domain", "domain", "", 0, 0},
	{"vcpu", "vCPU", "", 0, 0},
	{"vcpu_percent", "had it", "%", 1, 0},
};
#define VM_STAT_COLUMNS (sizeof(vm_stat_columns) / sizeof(vm_stat_columns[0]))

#define SMP_SOURCES (DAV2M_SMP_DOMAINS * DAV2M_SMP_CPUS)
/* Simulated cycles between two looks whether somebody has pressed ctrl-C: some milliseconds. */
#define LOOK_CYCLES 10000000u

/* One run of a policy, and its result. */
struct one {
	const struct dav2m_smp_policy *policy;
	struct dav2m_smp_config config;
	struct dav2m_sim_source *source[SMP_SOURCES];
	atomic_uint_least64_t *steps; /* of all runs' sources */
	int ran;
	struct dav2m_smp_counts counts;
	struct dav2m_smp_vcpu_counts vcpu[SMP_SOURCES];
};

/* All runs, and what they share. */
struct all {
	const struct smp_setup *smp;
	const struct run_setup *setup;
	const struct dav2m_sim_workload *workload;
	uint64_t seed;
	uint32_t scale_bp;
	atomic_uint_least64_t steps;
	struct one *one;
	size_t n;
};

static size_t index_of(const struct one *one, uint32_t domain, uint32_t vcpu)
{
	return (size_t)domain * one->config.vcpus + vcpu;
}

static size_t on_read(void *context, uint32_t domain, uint32_t vcpu, uint64_t *words, size_t room)
{
	struct one *one = context;
	struct dav2m_sim_source *source = one->source[index_of(one, domain, vcpu)];
	const uint64_t before = dav2m_sim_source_done(source);
	const size_t n = dav2m_sim_source_read(source, words, room);

	atomic_fetch_add(one->steps, dav2m_sim_source_done(source) - before);
	return n;
}

static int sources_begin(struct one *one, const struct all *all)
{
	uint32_t i;

	for (i = 0; i < one->config.domains * one->config.vcpus; i++) {
		one->source[i] = dav2m_sim_source_new(all->workload, all->seed + i, all->scale_bp);
		if (!one->source[i] ||
		    dav2m_sim_source_instance(one->source[i], i % one->config.vcpus))
			return DAV2M_SIM_ERR_MEMORY;
	}
	return 0;
}

static void sources_end(struct one *one)
{
	size_t i;

	for (i = 0; i < SMP_SOURCES; i++)
		dav2m_sim_source_free(one->source[i]);
}

static void result_take(struct one *one, const struct dav2m_smp *smp)
{
	uint32_t d, v;

	one->ran = 1;
	dav2m_smp_count(smp, &one->counts);
	for (d = 0; d < one->config.domains; d++)
		for (v = 0; v < one->config.vcpus; v++)
			dav2m_smp_vcpu_count(smp, d, v, &one->vcpu[index_of(one, d, v)]);
}

/* Until all is done, or until ctrl-C: then the result is that so far. */
static int one_run(struct one *one, struct dav2m_smp *smp)
{
	uint64_t until = LOOK_CYCLES;
	int more;

	while ((more = dav2m_smp_run(smp, until)) == 1 && !interrupt_seen())
		until += LOOK_CYCLES;
	if (more >= 0)
		result_take(one, smp);
	return more < 0 ? more : 0;
}

static int on_job(void *context, size_t index, struct dav2m_host_error *error)
{
	const struct all *all = context;
	struct one *one = &all->one[index];
	struct dav2m_smp *smp = NULL;
	int rc;

	if (interrupt_seen())
		return 0;
	rc = dav2m_smp_new(&one->config, &smp);
	if (!rc)
		rc = sources_begin(one, all);
	if (!rc)
		rc = one_run(one, smp);
	sources_end(one);
	dav2m_smp_free(smp);
	if (!rc)
		return 0;
	snprintf(error->text, sizeof(error->text), "%s, %" PRIu32 " vCPU%s: %s", one->policy->name,
		 one->config.vcpus, report_plural(one->config.vcpus),
		 dav2m_sim_error_name((enum dav2m_sim_error)rc));
	return DAV2M_HOST_CORE;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? (double)part * 100 / (double)whole : 0;
}

static uint64_t busy_of(const struct dav2m_smp_vcpu_counts *c)
{
	return c->guest_cycles + c->vmm_cycles + c->spin_cycles + c->irq_cycles;
}

/* All vCPUs' cycles together. */
static struct dav2m_smp_vcpu_counts sum(const struct one *one)
{
	struct dav2m_smp_vcpu_counts s = {.jobs = 0};
	size_t i;

	for (i = 0; i < (size_t)one->config.domains * one->config.vcpus; i++) {
		s.guest_cycles += one->vcpu[i].guest_cycles;
		s.vmm_cycles += one->vcpu[i].vmm_cycles;
		s.spin_cycles += one->vcpu[i].spin_cycles;
		s.irq_cycles += one->vcpu[i].irq_cycles;
	}
	return s;
}

static double rate_of(const struct one *one)
{
	return one->counts.cycles ? (double)one->counts.jobs * 1e9 / (double)one->counts.cycles : 0;
}

/* first: of this policy, in the list of vCPU numbers. */
static void row(struct report *report, const struct one *one, const struct one *first)
{
	const struct dav2m_smp_counts *c = &one->counts;
	const struct dav2m_smp_vcpu_counts s = sum(one);
	const uint64_t busy = busy_of(&s);

	report_text(report, one->policy->name);
	report_count(report, one->config.vcpus);
	report_count(report, c->cycles);
	report_count(report, c->jobs);
	report_number(report, rate_of(one));
	if (rate_of(first) > 0)
		report_number(report, rate_of(one) / rate_of(first));
	else
		report_none(report);
	report_number(report, percent(s.guest_cycles, busy));
	report_number(report, percent(s.vmm_cycles, busy));
	report_number(report, percent(s.spin_cycles, busy));
	report_number(report, percent(s.irq_cycles, busy));
	report_count(report, c->lock[DAV2M_SMP_DOMAIN_LOCK].wait_cycles);
	report_count(report, c->lock[DAV2M_SMP_FLUSH_LOCK].wait_cycles);
	report_count(report, c->ipis);
	report_count(report, c->ipis_saved);
	report_count(report, c->detached);
	report_count(report, c->batched);
	report_count(report, c->emulated);
	report_count(report, c->hypercalls);
	if (one->config.placement != DAV2M_SMP_ANYWHERE && c->cycles)
		report_number(report,
			      (double)(c->lines_local + c->lines_remote) * 1e3 / (double)c->cycles);
	else
		report_none(report);
}

static uint64_t pcpu_busy(const struct one *one, uint32_t pcpu)
{
	uint64_t busy = 0;
	size_t i;

	for (i = 0; i < (size_t)one->config.domains * one->config.vcpus; i++)
		if (one->vcpu[i].pcpu == pcpu)
			busy += busy_of(&one->vcpu[i]);
	return busy;
}

/* 0 [070.5] d0-0[006.3] d2-1[064.2] */
static void vm_stat_line(FILE *to, const struct one *one, uint32_t pcpu)
{
	const struct dav2m_smp_vcpu_counts *c;
	uint32_t d, v;

	fprintf(to, "%" PRIu32 " [%05.1f]", pcpu,
		percent(pcpu_busy(one, pcpu), one->counts.cycles));
	for (d = 0; d < one->config.domains; d++) {
		for (v = 0; v < one->config.vcpus; v++) {
			c = &one->vcpu[index_of(one, d, v)];
			if (c->pcpu == pcpu)
				fprintf(to, " d%" PRIu32 "-%" PRIu32 "[%05.1f]", d, v,
					percent(busy_of(c), one->counts.cycles));
		}
	}
	fputc('\n', to);
}

static void vm_stat_text(FILE *to, const struct one *one)
{
	uint32_t pcpu;

	fprintf(to, "# %s, %" PRIu32 " domain%s of %" PRIu32 " vCPU%s, %" PRIu64 " cycles\n",
		one->policy->name, one->config.domains, report_plural(one->config.domains),
		one->config.vcpus, report_plural(one->config.vcpus), one->counts.cycles);
	fputs("# CPU Total Pct Virtual CPUs\n", to);
	for (pcpu = 0; pcpu < one->config.pcpus; pcpu++)
		vm_stat_line(to, one, pcpu);
}

static void vm_stat_rows(struct report *report, const struct one *one)
{
	const struct dav2m_smp_vcpu_counts *c;
	uint32_t pcpu, d, v;

	for (pcpu = 0; pcpu < one->config.pcpus; pcpu++) {
		for (d = 0; d < one->config.domains; d++) {
			for (v = 0; v < one->config.vcpus; v++) {
				c = &one->vcpu[index_of(one, d, v)];
				if (c->pcpu != pcpu)
					continue;
				report_text(report, one->policy->name);
				report_count(report, one->config.vcpus);
				report_count(report, pcpu);
				report_number(report,
					      percent(pcpu_busy(one, pcpu), one->counts.cycles));
				report_count(report, d);
				report_count(report, v);
				report_number(report, percent(busy_of(c), one->counts.cycles));
			}
		}
	}
}

static const struct dav2m_smp_policy *policy_at(const struct smp_setup *smp, uint32_t index)
{
	if (smp->n_policies == 0)
		return dav2m_smp_policy(index);
	return index < smp->n_policies ? smp->policy[index] : NULL;
}

static void one_config(struct one *one, struct all *all, const struct dav2m_smp_policy *policy,
		       uint32_t vcpus)
{
	const struct smp_setup *smp = all->smp;
	const struct run_setup *setup = all->setup;
	const uint32_t pcpus = smp->pcpus ? smp->pcpus : vcpus;
	const struct dav2m_smp_config config = {
		.machine = setup->machine,
		.cost = setup->cost,
		.smp_cost = smp->cost,
		.mode = policy->mode,
		.flags = policy->flags,
		.tables = setup->tables,
		.guest_page = setup->guest_page,
		.guest_bytes = setup->guest_bytes,
		.domains = smp->domains,
		.vcpus = vcpus,
		.pcpus = pcpus,
		.nodes = smp->nodes < pcpus ? smp->nodes : pcpus,
		.placement = smp->placement,
		.read = on_read,
		.context = one,
	};

	one->policy = policy;
	one->config = config;
	one->steps = &all->steps;
}

/* A run for each policy and number of vCPUs; 0, or -1 without memory. */
static int all_begin(struct all *all)
{
	const struct smp_setup *smp = all->smp;
	const struct dav2m_smp_policy *policy;
	uint32_t p, v;

	for (p = 0; policy_at(smp, p) != NULL; p++)
		;
	all->one = calloc((size_t)p * smp->n_vcpus + 1, sizeof(*all->one));
	if (!all->one)
		return -1;
	for (p = 0; (policy = policy_at(smp, p)) != NULL; p++)
		for (v = 0; v < smp->n_vcpus; v++)
			one_config(&all->one[all->n++], all, policy, smp->vcpus[v]);
	return 0;
}

/* Steps that all sources of all runs will take. */
static uint64_t steps_total(const struct all *all)
{
	struct dav2m_sim_source *source =
		dav2m_sim_source_new(all->workload, all->seed, all->scale_bp);
	uint64_t total = 0;
	size_t i;

	for (i = 0; source && i < all->n; i++)
		total += dav2m_sim_source_total(source) * all->one[i].config.domains *
			 all->one[i].config.vcpus;
	dav2m_sim_source_free(source);
	return total;
}

static int all_run(struct all *all, struct dav2m_host_error *error)
{
	const struct parallel parallel = {.jobs = all->n,
					  .job = on_job,
					  .context = all,
					  .what = "simulating",
					  .unit = "steps",
					  .total = steps_total(all),
					  .done = &all->steps};
	int rc;

	interrupt_begin();
	rc = parallel_do(&parallel, error);
	interrupt_end();
	return rc;
}

static void notes(struct report *report, const struct all *all)
{
	report_note(report,
		    "%s on every vCPU: machine %s, cost %s and %s, %" PRIu32 " domain%s, memory %s",
		    all->workload->name, all->setup->machine->name, all->setup->cost->name,
		    all->smp->cost->name, all->smp->domains, report_plural(all->smp->domains),
		    dav2m_smp_placement_name(all->smp->placement));
	if (interrupt_seen())
		report_note(report, "interrupted: these are the results so far");
}

static int all_print(const struct all *all, enum report_format format, FILE *to)
{
	const int text = all->smp->vm_stat && format == REPORT_TABLE;
	struct report *report = all->smp->vm_stat ? report_new(vm_stat_columns, VM_STAT_COLUMNS)
						  : report_new(columns, COLUMNS);
	size_t i;
	int rc;

	for (i = 0; report && i < all->n; i++) {
		const struct one *one = &all->one[i];

		if (!one->ran)
			continue;
		if (text)
			vm_stat_text(to, one);
		else if (all->smp->vm_stat)
			vm_stat_rows(report, one);
		else
			row(report, one, &all->one[i - i % all->smp->n_vcpus]);
	}
	if (report)
		notes(report, all);
	rc = text || !report ? 0 : report_write(report, format, to);
	rc = report ? rc : -1;
	report_free(report);
	return rc;
}

int smp_do(const struct smp_setup *smp, const struct run_setup *setup,
	   const struct dav2m_sim_workload *workload, uint64_t seed, uint32_t scale_bp,
	   enum report_format format, FILE *to, struct dav2m_host_error *error)
{
	struct all all = {.smp = smp,
			  .setup = setup,
			  .workload = workload,
			  .seed = seed,
			  .scale_bp = scale_bp};
	int memory = all_begin(&all);
	int rc = memory ? 0 : all_run(&all, error);

	if (!memory && !rc)
		memory = all_print(&all, format, to);
	free(all.one);
	if (!memory)
		return rc;
	snprintf(error->text, sizeof(error->text), "out of memory");
	return DAV2M_HOST_MEMORY;
}

void smp_list(FILE *to)
{
	const struct dav2m_smp_policy *policy;
	const struct dav2m_smp_cost *cost;
	size_t i;
	int item;

	fputs("\npolicies for several vCPUs\n", to);
	for (i = 0; (policy = dav2m_smp_policy(i)) != NULL; i++)
		fprintf(to, "  %-18s %s\n", policy->name, policy->about);
	fputs("\nwhat several vCPUs cost each other (cycles; * inferred)\n", to);
	for (i = 0; (cost = dav2m_smp_cost(i)) != NULL; i++) {
		fprintf(to, "  %-18s %s\n", cost->name, cost->about);
		for (item = 0; item < DAV2M_SMP_ITEMS; item++)
			fprintf(to, "    %-14s %7" PRIu32 "%c %s\n",
				dav2m_smp_item_name((enum dav2m_smp_item)item),
				cost->price[item].cycles, cost->price[item].inferred ? '*' : ' ',
				cost->price[item].source);
	}
}
