/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a workload on several vCPUs and tables what came of it; or, as the Xen study's vm-stat did,
 * which vCPU had how much of each physical CPU.
 */
#include "sim_smp.h"

#include "progress.h"

#include <inttypes.h>
#include <string.h>

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

#define SMP_SOURCES (DAV2M_SMP_DOMAINS * DAV2M_SMP_CPUS)

/* One run: the simulation and a source for each vCPU. */
struct smp_one {
	struct dav2m_smp *smp;
	struct dav2m_smp_config config;
	struct dav2m_sim_source *source[SMP_SOURCES];
};

static struct dav2m_sim_source **source_of(struct smp_one *one, uint32_t domain, uint32_t vcpu)
{
	return &one->source[domain * one->config.vcpus + vcpu];
}

static size_t on_read(void *context, uint32_t domain, uint32_t vcpu, uint64_t *words, size_t room)
{
	struct smp_one *one = context;

	return dav2m_sim_source_read(*source_of(one, domain, vcpu), words, room);
}

static void one_end(struct smp_one *one)
{
	size_t i;

	dav2m_smp_free(one->smp);
	for (i = 0; i < SMP_SOURCES; i++)
		dav2m_sim_source_free(one->source[i]);
}

static int sources_begin(struct smp_one *one, const struct dav2m_sim_workload *workload,
			 uint64_t seed, uint32_t scale_bp)
{
	uint32_t d, v;

	for (d = 0; d < one->config.domains; d++) {
		for (v = 0; v < one->config.vcpus; v++) {
			struct dav2m_sim_source **source = source_of(one, d, v);

			*source = dav2m_sim_source_new(workload, seed + d * one->config.vcpus + v,
						       scale_bp);
			if (!*source || dav2m_sim_source_instance(*source, v))
				return DAV2M_SIM_ERR_MEMORY;
		}
	}
	return 0;
}

static int one_run(struct smp_one *one, const struct smp_setup *smp, const struct run_setup *setup,
		   const struct dav2m_smp_policy *policy, uint32_t vcpus,
		   const struct dav2m_sim_workload *workload, uint64_t seed, uint32_t scale_bp)
{
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
		.pcpus = smp->pcpus ? smp->pcpus : vcpus,
		.nodes = smp->nodes,
		.placement = smp->placement,
		.read = on_read,
		.context = one,
	};
	int error;

	memset(one, 0, sizeof(*one));
	one->config = config;
	if (one->config.nodes > one->config.pcpus)
		one->config.nodes = one->config.pcpus;
	error = dav2m_smp_new(&one->config, &one->smp);
	if (!error)
		error = sources_begin(one, workload, seed, scale_bp);
	return error ? error : dav2m_smp_run(one->smp, UINT64_MAX);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? (double)part * 100 / (double)whole : 0;
}

/* All vCPUs' cycles together. */
static void sum(const struct smp_one *one, struct dav2m_smp_vcpu_counts *ret_sum)
{
	struct dav2m_smp_vcpu_counts c;
	uint32_t d, v;

	memset(ret_sum, 0, sizeof(*ret_sum));
	for (d = 0; d < one->config.domains; d++) {
		for (v = 0; v < one->config.vcpus; v++) {
			dav2m_smp_vcpu_count(one->smp, d, v, &c);
			ret_sum->guest_cycles += c.guest_cycles;
			ret_sum->vmm_cycles += c.vmm_cycles;
			ret_sum->spin_cycles += c.spin_cycles;
			ret_sum->irq_cycles += c.irq_cycles;
		}
	}
}

/* *first: the throughput of this policy's first row; 0 before it. */
static void row(struct report *report, const struct smp_one *one, const char *policy, double *first)
{
	struct dav2m_smp_vcpu_counts s;
	struct dav2m_smp_counts c;
	uint64_t busy;
	double rate;

	dav2m_smp_count(one->smp, &c);
	sum(one, &s);
	busy = s.guest_cycles + s.vmm_cycles + s.spin_cycles + s.irq_cycles;
	rate = c.cycles ? (double)c.jobs * 1e9 / (double)c.cycles : 0;
	if (*first <= 0)
		*first = rate;
	report_text(report, policy);
	report_count(report, one->config.vcpus);
	report_count(report, c.cycles);
	report_count(report, c.jobs);
	report_number(report, rate);
	report_number(report, *first > 0 ? rate / *first : 0);
	report_number(report, percent(s.guest_cycles, busy));
	report_number(report, percent(s.vmm_cycles, busy));
	report_number(report, percent(s.spin_cycles, busy));
	report_number(report, percent(s.irq_cycles, busy));
	report_count(report, c.lock[DAV2M_SMP_DOMAIN_LOCK].wait_cycles);
	report_count(report, c.lock[DAV2M_SMP_FLUSH_LOCK].wait_cycles);
	report_count(report, c.ipis);
	report_count(report, c.ipis_saved);
	report_count(report, c.detached);
	report_count(report, c.batched);
	report_count(report, c.emulated);
	report_count(report, c.hypercalls);
	if (one->config.placement != DAV2M_SMP_ANYWHERE && c.cycles)
		report_number(report,
			      (double)(c.lines_local + c.lines_remote) * 1e3 / (double)c.cycles);
	else
		report_none(report);
}

static uint64_t busy_of(const struct smp_one *one, uint32_t domain, uint32_t vcpu, uint32_t pcpu)
{
	struct dav2m_smp_vcpu_counts c;

	dav2m_smp_vcpu_count(one->smp, domain, vcpu, &c);
	if (c.pcpu != pcpu)
		return 0;
	return c.guest_cycles + c.vmm_cycles + c.spin_cycles + c.irq_cycles;
}

/* 0 [070.5] d0-0[006.3] d2-1[064.2] */
static void vm_stat_line(FILE *to, const struct smp_one *one, uint32_t pcpu, uint64_t cycles)
{
	struct dav2m_smp_vcpu_counts c;
	uint64_t busy = 0;
	uint32_t d, v;

	for (d = 0; d < one->config.domains; d++)
		for (v = 0; v < one->config.vcpus; v++)
			busy += busy_of(one, d, v, pcpu);
	fprintf(to, "%" PRIu32 " [%05.1f]", pcpu, percent(busy, cycles));
	for (d = 0; d < one->config.domains; d++) {
		for (v = 0; v < one->config.vcpus; v++) {
			dav2m_smp_vcpu_count(one->smp, d, v, &c);
			if (c.pcpu == pcpu)
				fprintf(to, " d%" PRIu32 "-%" PRIu32 "[%05.1f]", d, v,
					percent(busy_of(one, d, v, pcpu), cycles));
		}
	}
	fputc('\n', to);
}

static void vm_stat(FILE *to, const struct smp_one *one, const char *policy)
{
	struct dav2m_smp_counts c;
	uint32_t pcpu;

	dav2m_smp_count(one->smp, &c);
	fprintf(to, "# %s, %" PRIu32 " domains of %" PRIu32 " vCPUs, %" PRIu64 " cycles\n", policy,
		one->config.domains, one->config.vcpus, c.cycles);
	fputs("# CPU Total Pct Virtual CPUs\n", to);
	for (pcpu = 0; pcpu < one->config.pcpus; pcpu++)
		vm_stat_line(to, one, pcpu, c.cycles);
}

static const struct dav2m_smp_policy *policy_at(const struct smp_setup *smp, uint32_t index)
{
	if (smp->n_policies == 0)
		return dav2m_smp_policy(index);
	return index < smp->n_policies ? smp->policy[index] : NULL;
}

/* All runs, one after another; *report NULL: vm-stat. */
static int all_run(const struct smp_setup *smp, const struct run_setup *setup,
		   const struct dav2m_sim_workload *workload, uint64_t seed, uint32_t scale_bp,
		   struct report *report, FILE *to)
{
	const struct dav2m_smp_policy *policy;
	struct smp_one one;
	uint32_t p, v;
	uint64_t done = 0;
	int error = 0;

	progress_begin("simulating", "runs", 0);
	for (p = 0; !error && (policy = policy_at(smp, p)) != NULL; p++) {
		double first = 0;

		for (v = 0; !error && v < smp->n_vcpus; v++) {
			error = one_run(&one, smp, setup, policy, smp->vcpus[v], workload, seed,
					scale_bp);
			if (!error && report)
				row(report, &one, policy->name, &first);
			else if (!error)
				vm_stat(to, &one, policy->name);
			one_end(&one);
			progress_step(++done);
		}
	}
	progress_end();
	return error;
}

int smp_do(const struct smp_setup *smp, const struct run_setup *setup,
	   const struct dav2m_sim_workload *workload, uint64_t seed, uint32_t scale_bp,
	   enum report_format format, FILE *to, struct dav2m_host_error *error)
{
	struct report *report = smp->vm_stat ? NULL : report_new(columns, COLUMNS);
	int rc = all_run(smp, setup, workload, seed, scale_bp, report, to);

	if (!rc && report) {
		report_note(report,
			    "%s on every vCPU: machine %s, cost %s and %s, %" PRIu32
			    " domains, memory %s",
			    workload->name, setup->machine->name, setup->cost->name,
			    smp->cost->name, smp->domains,
			    dav2m_smp_placement_name(smp->placement));
		rc = report_write(report, format, to) ? DAV2M_SIM_ERR_MEMORY : 0;
	}
	report_free(report);
	if (!rc)
		return 0;
	snprintf(error->text, sizeof(error->text), "%s",
		 dav2m_sim_error_name((enum dav2m_sim_error)rc));
	return DAV2M_HOST_CORE;
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
