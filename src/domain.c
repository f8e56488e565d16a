/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vCPUs, one decision.
 *
 * Two vCPUs meet in three places, and only there are atomics used:
 *   - a vCPU's published totals: a sequence count that is odd while its owner writes. A reader
 *     tries a few times and, if the owner is busy publishing, leaves the tick to a later sample;
 *   - a vCPU's share of the exit threshold, stored by the closer;
 *   - `closing`, taken by exchange and never waited for.
 * Totals are published as 32-bit halves, so that 32-bit targets need no library for atomics. The
 * stores of the halves release and their loads acquire, which orders them against the sequence
 * without fences (and is free on x86).
 */
#include <dav2m/domain.h>

#include "core.h"

/* A publication takes a few dozen instructions; a reader that meets several in a row is being
   starved by nobody and can come back at the next sample. */
#define READ_ATTEMPTS 4

#define MAX_VCPUS 4096

#define LOAD(p, order)	       __atomic_load_n((p), __ATOMIC_##order)
#define STORE(p, value, order) __atomic_store_n((p), (value), __ATOMIC_##order)

int dav2m_vcpu_paging_exits(struct dav2m_vcpu *vcpu, uint32_t n)
{
	vcpu->exits += n;
	return vcpu->exits > LOAD(&vcpu->exits_due, RELAXED);
}

static void share_exits_due(const struct dav2m_domain *domain)
{
	const struct dav2m *ctl = &domain->controller;
	uint32_t due = UINT32_MAX;

	if (ctl->exits_due != UINT32_MAX && ctl->exits_due >= ctl->exits)
		due = (ctl->exits_due - ctl->exits) / domain->vcpus;
	/* Another vCPU's line is only taken from it when there is something new. */
	for (uint32_t i = 0; i < domain->vcpus; i++)
		if (LOAD(&domain->vcpu[i].exits_due, RELAXED) != due)
			STORE(&domain->vcpu[i].exits_due, due, RELAXED);
}

/* Adds what has happened on this vCPU to its totals, which go on whatever its counters do. Only
   its owner calls this. */
static void accumulate(struct dav2m_vcpu *vcpu, const struct dav2m_sample *sample)
{
	const struct dav2m_meter before = vcpu->meter;
	enum dav2m_reading reading = dav2m_meter_read(&vcpu->meter, sample, DAV2M_ALL_COUNTERS);

	if (reading == READING_OK)
		for (unsigned int c = 0; c < DAV2M_COUNTERS; c++)
			vcpu->total[c] += vcpu->meter.total[c] - before.total[c];
	if (reading == READING_BACKWARD || reading == READING_JUMP)
		STORE(&vcpu->resets, vcpu->resets + 1, RELAXED);
	if (!(vcpu->meter.known & DAV2M_BIT(DAV2M_PAGING_EXITS)))
		vcpu->total[DAV2M_PAGING_EXITS] += vcpu->exits;
	vcpu->exits = 0;
}

static void publish(struct dav2m_vcpu *vcpu)
{
	uint32_t sequence = LOAD(&vcpu->sequence, RELAXED);

	STORE(&vcpu->sequence, sequence + 1, RELAXED);
	/* Exits counted one by one are as good as a counter. */
	STORE(&vcpu->wraps, dav2m_meter_wraps(&vcpu->meter), RELAXED);
	STORE(&vcpu->known, vcpu->meter.known | DAV2M_BIT(DAV2M_PAGING_EXITS), RELEASE);
	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++) {
		STORE(&vcpu->low[c], (uint32_t)vcpu->total[c], RELEASE);
		STORE(&vcpu->high[c], (uint32_t)(vcpu->total[c] >> 32), RELEASE);
	}
	STORE(&vcpu->sequence, sequence + 2, RELEASE);
}

static int read_once(struct dav2m_vcpu *vcpu, struct dav2m_sample *ret_sample)
{
	uint32_t sequence = LOAD(&vcpu->sequence, ACQUIRE);

	ret_sample->valid = LOAD(&vcpu->known, ACQUIRE);
	for (unsigned int c = 0; c < DAV2M_COUNTERS; c++)
		ret_sample->value[c] = LOAD(&vcpu->low[c], ACQUIRE) |
				       (uint64_t)LOAD(&vcpu->high[c], ACQUIRE) << 32;
	/* Even before, and the same since. */
	return ((sequence & 1) | (LOAD(&vcpu->sequence, RELAXED) ^ sequence)) == 0;
}

static int read_vcpu(struct dav2m_vcpu *vcpu, struct dav2m_sample *ret_sample)
{
	for (int attempt = 0; attempt < READ_ATTEMPTS; attempt++)
		if (read_once(vcpu, ret_sample))
			return 1;
	return 0;
}

/* The domain's counters are the sums; it has those that every vCPU has which ever published. */
static int sum(const struct dav2m_domain *domain, struct dav2m_sample *ret_sample)
{
	struct dav2m_sample one;

	*ret_sample = (struct dav2m_sample){.valid = DAV2M_ALL_COUNTERS};
	for (uint32_t i = 0; i < domain->vcpus; i++) {
		if (!read_vcpu(&domain->vcpu[i], &one))
			return 0;
		if (!one.valid)
			continue; /* has not published yet */
		ret_sample->valid &= one.valid;
		for (unsigned int c = 0; c < DAV2M_COUNTERS; c++)
			ret_sample->value[c] += one.value[c];
	}
	return 1;
}

static int decide(struct dav2m_domain *domain, struct dav2m_decision *ret_decision)
{
	struct dav2m_sample all;
	int error;

	if (!sum(domain, &all))
		return DAV2M_ERR_BUSY;
	error = dav2m_sample(&domain->controller, &all, ret_decision);
	share_exits_due(domain);
	return error;
}

static void release(struct dav2m_domain *domain)
{
	STORE(&domain->closing, 0, RELEASE);
}

int dav2m_domain_init(struct dav2m_domain *domain, const struct dav2m_config *config,
		      enum dav2m_mode running, struct dav2m_vcpu *vcpu, uint32_t n)
{
	int error;

	if (!domain || !vcpu)
		return DAV2M_ERR_NULL;
	if (n == 0 || n > MAX_VCPUS)
		return DAV2M_ERR_RANGE;
	error = dav2m_init(&domain->controller, config, running);
	if (error)
		return error;
	domain->vcpu = vcpu;
	domain->vcpus = n;
	for (uint32_t i = 0; i < n; i++) {
		__builtin_memset(&vcpu[i], 0, sizeof(vcpu[i]));
		dav2m_meter_init(&vcpu[i].meter, config->counter_bits);
	}
	/* The sums are 64 bits wide whatever the counters are. */
	dav2m_meter_init(&domain->controller.meter, 64);
	share_exits_due(domain);
	release(domain);
	return DAV2M_OK;
}

int dav2m_domain_sample(struct dav2m_domain *domain, uint32_t index,
			const struct dav2m_sample *sample, struct dav2m_decision *ret_decision)
{
	int error;

	if (!domain || !sample || !ret_decision)
		return DAV2M_ERR_NULL;
	if (!domain->vcpu)
		return DAV2M_ERR_UNINIT;
	if (index >= domain->vcpus)
		return DAV2M_ERR_RANGE;
	if (sample->valid & ~DAV2M_ALL_COUNTERS)
		return DAV2M_ERR_SAMPLE;
	accumulate(&domain->vcpu[index], sample);
	publish(&domain->vcpu[index]);
	if (__atomic_exchange_n(&domain->closing, 1, __ATOMIC_ACQUIRE))
		return DAV2M_ERR_BUSY;
	error = decide(domain, ret_decision);
	if (error || ret_decision->action != DAV2M_SWITCH)
		release(domain);
	return error;
}

int dav2m_domain_acknowledge(struct dav2m_domain *domain, enum dav2m_outcome outcome,
			     uint64_t cycles)
{
	int error;

	if (!domain)
		return DAV2M_ERR_NULL;
	error = dav2m_acknowledge(&domain->controller, outcome, cycles);
	if (error)
		return error;
	share_exits_due(domain);
	release(domain);
	return DAV2M_OK;
}

int dav2m_domain_explain(const struct dav2m_domain *domain,
			 struct dav2m_explanation *ret_explanation)
{
	int error;

	if (!domain)
		return DAV2M_ERR_NULL;
	error = dav2m_explain(&domain->controller, ret_explanation);
	if (error)
		return error;
	for (uint32_t i = 0; i < domain->vcpus; i++) {
		ret_explanation->wraps += LOAD(&domain->vcpu[i].wraps, RELAXED);
		ret_explanation->resets += LOAD(&domain->vcpu[i].resets, RELAXED);
	}
	return DAV2M_OK;
}
