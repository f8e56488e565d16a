/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vCPUs: setting up and reading out. Must not know how anything is virtualized.
 */
#include <stdlib.h>
#include <string.h>

#include "smp.h"

static int config_check(const struct dav2m_smp_config *config)
{
	if (config->machine == NULL || config->cost == NULL || config->smp_cost == NULL ||
	    config->read == NULL)
		return DAV2M_SIM_ERR_NULL;
	if (config->domains < 1 || config->domains > DAV2M_SMP_DOMAINS || config->vcpus < 1 ||
	    config->vcpus > DAV2M_SMP_CPUS || config->pcpus < 1 || config->pcpus > DAV2M_SMP_CPUS ||
	    config->nodes < 1 || config->nodes > DAV2M_SMP_NODES || config->nodes > config->pcpus ||
	    (unsigned)config->placement >= DAV2M_SMP_PLACEMENTS ||
	    (config->flags & ~DAV2M_SMP_FLAGS) != 0)
		return DAV2M_SIM_ERR_RANGE;
	/* The other flags say how, so they go with it; and the hardware walks the guest's tables.
	 */
	if ((config->flags & DAV2M_SMP_DIRECT) != 0 ? config->mode != DAV2M_SIM_NATIVE
						    : config->flags != 0)
		return DAV2M_SIM_ERR_RANGE;
	return 0;
}

static void on_sample(void *vm, struct dav2m_sim *sim, int at_window)
{
	const struct smp_domain *domain = vm;
	struct dav2m_smp *smp = domain->smp;

	(void)sim;
	if (smp->config.sample != NULL)
		smp->config.sample(smp->config.context, smp, domain->id, smp->running->index,
				   at_window);
}

static int on_paging_exit(void *vm)
{
	const struct smp_domain *domain = vm;
	struct dav2m_smp *smp = domain->smp;

	if (smp->config.paging_exit == NULL || smp->running == NULL)
		return 0;
	return smp->config.paging_exit(smp->config.context, domain->id, smp->running->index);
}

static void on_flush(void *self, uint32_t pcpu)
{
	struct dav2m_smp *smp = self;

	sim_mmu_flush(&smp->mmu[pcpu]);
}

static int domain_slots_new(struct smp_domain *domain)
{
	const uint32_t frames = domain->sim->guest.memory.frames;

	domain->slot = calloc(domain->smp->config.vcpus, sizeof(*domain->slot));
	domain->detached = calloc(frames, sizeof(*domain->detached));
	domain->level = calloc(frames, sizeof(*domain->level));
	domain->node = calloc(frames, sizeof(*domain->node));
	if (domain->slot == NULL || domain->detached == NULL || domain->level == NULL ||
	    domain->node == NULL)
		return DAV2M_SIM_ERR_MEMORY;
	return 0;
}

static int domain_new(struct dav2m_smp *smp, uint32_t id)
{
	struct smp_domain *domain = &smp->domain[id];
	const struct dav2m_smp_config *config = &smp->config;
	const struct dav2m_sim_config inner = {.machine = config->machine,
					       .cost = config->cost,
					       .mode = config->mode,
					       .tables = config->tables,
					       .guest_page = config->guest_page,
					       .guest_bytes = config->guest_bytes,
					       .window_inst = config->window_inst,
					       .sample = on_sample,
					       .paging_exit = on_paging_exit,
					       .vm = domain};
	int error;

	domain->id = id;
	domain->smp = smp;
	error = dav2m_sim_new(&inner, &domain->sim);
	if (error == 0)
		error = domain_slots_new(domain);
	if (error < 0)
		return error;
	smp_guest_hook(domain);
	/* The kernel's own address space was verified when the domain was built. */
	smp_direct_verify(domain, domain->sim->vmm.guest_root, domain->sim->guest.geometry->levels,
			  1);
	return 0;
}

static int mmus_new(struct dav2m_smp *smp)
{
	uint32_t i;
	int error = 0;

	smp->mmu = calloc(smp->config.pcpus, sizeof(*smp->mmu));
	if (smp->mmu == NULL)
		return DAV2M_SIM_ERR_MEMORY;
	for (i = 0; i < smp->config.pcpus && error == 0; i++)
		error = sim_mmu_init(&smp->mmu[i], smp->config.machine);
	return error;
}

/* Every vCPU begins where the domain's simulation does; what that has counted is the first one's.
 */
static int contexts_new(struct dav2m_smp *smp)
{
	uint32_t i;

	smp->context = calloc(smp->machine.vcpus, sizeof(*smp->context));
	for (i = 0; smp->context != NULL && i < smp->machine.vcpus; i++) {
		smp_context_save(smp, &smp->machine.vcpu[i]);
		if (smp->machine.vcpu[i].index > 0)
			memset(&smp->context[i].counts, 0, sizeof(smp->context[i].counts));
		smp->context[i].word = malloc(DAV2M_SMP_ROOM * sizeof(*smp->context[i].word));
		if (smp->context[i].word == NULL)
			return DAV2M_SIM_ERR_MEMORY;
	}
	return smp->context == NULL ? DAV2M_SIM_ERR_MEMORY : 0;
}

static void locks_name(struct dav2m_smp *smp)
{
	struct smp_machine *machine = &smp->machine;
	uint32_t i;
	int kind;

	for (i = 0; i < machine->vcpus; i++)
		for (kind = 0; kind < DAV2M_SMP_LOCKS; kind++)
			machine->lock[smp_lock_of(smp, (enum dav2m_smp_lock)kind,
						  &machine->vcpu[i])]
				.kind = (enum dav2m_smp_lock)kind;
}

static int parts_new(struct dav2m_smp *smp)
{
	const struct dav2m_smp_config *config = &smp->config;
	struct smp_machine *machine = &smp->machine;
	const struct smp_owner owner = {
		.self = smp, .refill = smp_refill, .call = smp_direct_call, .flush = on_flush};
	uint32_t i;
	int error;

	machine->owner = owner;
	machine->price = config->smp_cost->price;
	machine->slice_cycles = (uint64_t)config->smp_cost->slice_ms * config->machine->mhz * 1000;
	machine->filter = (config->flags & DAV2M_SMP_FLUSH_CLOCK) != 0;
	error = smp_machine_init(machine, config->domains, config->vcpus, config->pcpus,
				 config->nodes, SMP_LOCK_COUNT(config->domains, config->vcpus));
	for (i = 0; i < config->domains && error == 0; i++)
		error = domain_new(smp, i);
	if (error == 0)
		error = mmus_new(smp);
	if (error == 0)
		error = contexts_new(smp);
	if (error == 0)
		locks_name(smp);
	return error;
}

int dav2m_smp_new(const struct dav2m_smp_config *config, struct dav2m_smp **ret_smp)
{
	struct dav2m_smp *smp;
	int error;

	if (config == NULL || ret_smp == NULL)
		return DAV2M_SIM_ERR_NULL;
	error = config_check(config);
	if (error < 0)
		return error;
	smp = calloc(1, sizeof(*smp));
	if (smp == NULL)
		return DAV2M_SIM_ERR_MEMORY;
	smp->config = *config;
	error = parts_new(smp);
	if (error < 0) {
		dav2m_smp_free(smp);
		return error;
	}
	*ret_smp = smp;
	return 0;
}

void dav2m_smp_free(struct dav2m_smp *smp)
{
	uint32_t i;

	if (smp == NULL)
		return;
	for (i = 0; i < smp->config.domains; i++) {
		dav2m_sim_free(smp->domain[i].sim);
		free(smp->domain[i].slot);
		free(smp->domain[i].detached);
		free(smp->domain[i].level);
		free(smp->domain[i].node);
	}
	for (i = 0; smp->mmu != NULL && i < smp->config.pcpus; i++)
		sim_mmu_free(&smp->mmu[i]);
	for (i = 0; smp->context != NULL && i < smp->machine.vcpus; i++)
		free(smp->context[i].word);
	free(smp->mmu);
	free(smp->context);
	smp_machine_free(&smp->machine);
	free(smp);
}

int dav2m_smp_run(struct dav2m_smp *smp, uint64_t until_cycles)
{
	return smp == NULL ? DAV2M_SIM_ERR_NULL : smp_machine_run(&smp->machine, until_cycles);
}

static struct smp_vcpu *vcpu_of(const struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu)
{
	if (domain >= smp->config.domains || vcpu >= smp->config.vcpus)
		return NULL;
	return &smp->machine.vcpu[domain * smp->config.vcpus + vcpu];
}

int dav2m_smp_switch(struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu, enum dav2m_mode to,
		     uint64_t *ret_cycles)
{
	struct smp_vcpu *caller = vcpu_of(smp, domain, vcpu);
	const uint64_t begin = caller == NULL ? 0 : caller->time;
	struct dav2m_sim *sim = caller == NULL ? NULL : smp->domain[domain].sim;
	uint64_t cycles;
	int error;

	if (caller == NULL || caller != smp->running || (unsigned)to >= DAV2M_MODES ||
	    sim->vmm.mode == DAV2M_SIM_NATIVE)
		return DAV2M_SIM_ERR_RANGE;
	cycles = sim->counts.cycles[DAV2M_SIM_SWITCHING];
	error = sim_vmm_switch(&sim->vmm, to);
	cycles = sim->counts.cycles[DAV2M_SIM_SWITCHING] - cycles;
	smp_stop_others(&smp->machine, caller, cycles);
	/* It is spent already, and must not be appended as work again. */
	smp->context[caller->id].cycles += cycles;
	*ret_cycles = caller->time - begin;
	return error;
}

/* Reads a vCPU's part of its domain's simulation; another one may just have it. */
static void vcpu_read(const struct dav2m_smp *smp, const struct smp_vcpu *vcpu,
		      struct dav2m_sample *ret_sample, struct dav2m_sim_counts *ret_counts)
{
	struct dav2m_smp *lent = (struct dav2m_smp *)smp;
	const struct dav2m_sim *sim = smp->domain[vcpu->domain].sim;
	const struct smp_vcpu *running = smp->running;

	if (running != vcpu) {
		if (running != NULL)
			smp_context_save(lent, running);
		smp_context_load(lent, vcpu);
	}
	if (ret_sample != NULL)
		dav2m_sim_sample(sim, ret_sample);
	if (ret_counts != NULL)
		dav2m_sim_count(sim, ret_counts);
	if (running != vcpu) {
		/* Being lent may have made the shadow of a root. */
		smp_context_save(lent, vcpu);
		if (running != NULL)
			smp_context_load(lent, running);
	}
}

void dav2m_smp_charge_sample(struct dav2m_smp *smp, int with_exit)
{
	if (smp->running != NULL)
		dav2m_sim_charge_sample(smp->domain[smp->running->domain].sim, with_exit);
}

void dav2m_smp_sample(const struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu,
		      struct dav2m_sample *ret_sample)
{
	const struct smp_vcpu *of = vcpu_of(smp, domain, vcpu);

	ret_sample->valid = 0;
	if (of == NULL)
		return;
	vcpu_read(smp, of, ret_sample, NULL);
	ret_sample->value[DAV2M_CYCLES] += of->counts.spin_cycles + of->counts.irq_cycles;
}

void dav2m_smp_sim_count(const struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu,
			 struct dav2m_sim_counts *ret_counts)
{
	const struct smp_vcpu *of = vcpu_of(smp, domain, vcpu);

	memset(ret_counts, 0, sizeof(*ret_counts));
	if (of != NULL)
		vcpu_read(smp, of, NULL, ret_counts);
}

void dav2m_smp_vcpu_count(const struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu,
			  struct dav2m_smp_vcpu_counts *ret_counts)
{
	const struct smp_vcpu *of = vcpu_of(smp, domain, vcpu);

	memset(ret_counts, 0, sizeof(*ret_counts));
	if (of == NULL)
		return;
	*ret_counts = of->counts;
	ret_counts->end_cycles = of->time;
}

void dav2m_smp_count(const struct dav2m_smp *smp, struct dav2m_smp_counts *ret_counts)
{
	uint32_t i;

	*ret_counts = smp->machine.counts;
	for (i = 0; i < smp->machine.vcpus; i++) {
		const struct smp_vcpu *vcpu = &smp->machine.vcpu[i];

		ret_counts->jobs += vcpu->counts.jobs;
		if (vcpu->time > ret_counts->cycles)
			ret_counts->cycles = vcpu->time;
	}
}

enum dav2m_sim_mode dav2m_smp_mode(const struct dav2m_smp *smp, uint32_t domain)
{
	return smp->domain[domain < smp->config.domains ? domain : 0].sim->vmm.mode;
}
