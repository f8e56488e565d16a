/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vCPUs, one decision.
 *
 * Two vCPUs meet in three places, and only there are atomics used:
 *   - a vCPU's published totals: a sequence count that is odd while its owner writes. A reader
 *     tries a few times and, if the owner is busy publishing, leaves the tick to a later sample;
 *   - what whoever has the turn tells vCPUs: each its share of the exit threshold, and all how
 *     their counters are to be read;
 *   - `turn`, taken by exchange and never waited for: it guards the controller.
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

/* The sums are as wide as their type, whatever the counters are. */
#define SUM_BITS 64

/* A vCPU need not sample before it has taken this part of the exits worth a sample: were it only an
   equal share of those that are left, one vCPU of many that takes all exits would sample at each of
   the last. 64: looking costs little, and 64 vCPUs or fewer share as long as there is enough. */
#define LEAST_SHARE 64

/* Whose turn it is. */
enum turn {
	NOBODY = 0, /* free to be taken */
	TAKEN,	  /* somebody's who closes a tick, or administrates, and releases it before long */
	SWITCHING /* the vCPU's that was told to switch the domain, until it acknowledges */
};

#define LOAD(p, order)	       __atomic_load_n((p), __ATOMIC_##order)
#define STORE(p, value, order) __atomic_store_n((p), (value), __ATOMIC_##order)

int dav2m_vcpu_paging_exits(struct dav2m_vcpu *vcpu, uint32_t n)
{
	vcpu->exits += n;
	return vcpu->exits > LOAD(&vcpu->exits_due, RELAXED);
}

/* How vCPUs are to read their counters, in one word because it may change while they do: a bit for
   each that is wanted; from bit 8 their width; from bit 16 how often they were to begin anew. */
#define COUNTING_WIDTH	8
#define COUNTING_REBASE 16

static uint8_t width_of(uint32_t counting)
{
	return (uint8_t)(counting >> COUNTING_WIDTH);
}

static void tell_counting(struct dav2m_domain *domain, uint8_t width, uint32_t rebases)
{
	const uint32_t wanted = dav2m_judge_of(&domain->controller)->wanted;

	STORE(&domain->counting,
	      wanted | (uint32_t)width << COUNTING_WIDTH | rebases << COUNTING_REBASE, RELAXED);
}

static uint32_t share_of(const struct dav2m *ctl, uint32_t vcpus)
{
	uint32_t left, least;

	if (ctl->exits_due == UINT32_MAX)
		return UINT32_MAX;
	left = ctl->exits_due > ctl->exits ? ctl->exits_due - ctl->exits : 0;
	least = ctl->exits_due / LEAST_SHARE;
	return left / vcpus > least ? left / vcpus : least;
}

static void share_exits_due(const struct dav2m_domain *domain)
{
	const uint32_t due = share_of(&domain->controller, domain->vcpus);

	/* Another vCPU's line is only taken from it when there is something new. */
	for (uint32_t i = 0; i < domain->vcpus; i++)
		if (LOAD(&domain->vcpu[i].exits_due, RELAXED) != due)
			STORE(&domain->vcpu[i].exits_due, due, RELAXED);
}

/* Read otherwise than before, or for the first time, counters cannot be compared with what they
   were. */
static void begin_counting(struct dav2m_vcpu *vcpu, uint32_t counting)
{
	dav2m_meter_rebase(&vcpu->meter, width_of(counting));
	vcpu->counting = counting;
}

/* Adds what has happened on this vCPU to its totals, which go on whatever its counters do. Only
   its owner calls this. */
static void accumulate(struct dav2m_vcpu *vcpu, const struct dav2m_sample *sample)
{
	const struct dav2m_meter before = vcpu->meter;
	enum dav2m_reading reading =
		dav2m_meter_read(&vcpu->meter, sample, vcpu->counting & DAV2M_ALL_COUNTERS);

	if (reading == READING_OK)
		for (unsigned int c = 0; c < DAV2M_COUNTERS; c++)
			vcpu->total[c] += vcpu->meter.total[c] - before.total[c];
	if (reading == READING_BACKWARD || reading == READING_JUMP)
		STORE(&vcpu->resets, vcpu->resets + 1, RELAXED);
	/* Where its work is not known, its exits are none. */
	if ((reading == READING_OK || reading == READING_INCOMPLETE) &&
	    !(vcpu->meter.known & DAV2M_BIT(DAV2M_PAGING_EXITS)))
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

/* Turns. */

static int check(const struct dav2m_domain *domain)
{
	if (!domain)
		return DAV2M_ERR_NULL;
	return domain->controller.magic == DAV2M_MAGIC ? DAV2M_OK : DAV2M_ERR_UNINIT;
}

/* Takes the turn of a domain that has been checked. */
static int take(struct dav2m_domain *domain)
{
	uint32_t expected = NOBODY;

	return __atomic_compare_exchange_n(&domain->turn, &expected, TAKEN, 0, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED)
		       ? DAV2M_OK
		       : DAV2M_ERR_BUSY;
}

static void pass(struct dav2m_domain *domain, enum turn turn)
{
	STORE(&domain->turn, turn, RELEASE);
}

/* What vCPUs have published before the new mode runs is work of the old one: it is read now, so
   that the new mode's windows begin after it. If it cannot be, they begin with the next sample. */
static void leave_behind(struct dav2m_domain *domain)
{
	struct dav2m *ctl = &domain->controller;
	struct dav2m_sample all;

	if (!sum(domain, &all) ||
	    dav2m_meter_read(&ctl->meter, &all, dav2m_judge_of(ctl)->wanted) == READING_INCOMPLETE)
		dav2m_meter_rebase(&ctl->meter, SUM_BITS);
}

/* Calls. */

int dav2m_domain_init(struct dav2m_domain *domain, const struct dav2m_config *config,
		      enum dav2m_mode running, struct dav2m_vcpu *vcpu, uint32_t n)
{
	struct dav2m_config sums;
	int error;

	if (!domain || !vcpu)
		return DAV2M_ERR_NULL;
	if (n == 0 || n > MAX_VCPUS ||
	    ((size_t)domain | (size_t)vcpu) % _Alignof(struct dav2m_vcpu))
		return DAV2M_ERR_RANGE;
	error = dav2m_config_check(config, NULL);
	if (error)
		return error;
	sums = *config;
	sums.counter_bits = SUM_BITS;
	error = dav2m_init(&domain->controller, &sums, running);
	if (error)
		return error;
	domain->vcpu = vcpu;
	domain->vcpus = n;
	tell_counting(domain, config->counter_bits, 0);
	__builtin_memset(vcpu, 0, n * sizeof(*vcpu));
	share_exits_due(domain);
	pass(domain, NOBODY);
	return DAV2M_OK;
}

int dav2m_domain_sample(struct dav2m_domain *domain, uint32_t index,
			const struct dav2m_sample *sample, struct dav2m_decision *ret_decision)
{
	struct dav2m_vcpu *vcpu;
	uint32_t counting;
	int error;

	if (!domain || !sample || !ret_decision)
		return DAV2M_ERR_NULL;
	error = check(domain);
	if (error)
		return error;
	if (index >= domain->vcpus)
		return DAV2M_ERR_RANGE;
	if (sample->valid & ~DAV2M_ALL_COUNTERS)
		return DAV2M_ERR_SAMPLE;
	vcpu = &domain->vcpu[index];
	counting = LOAD(&domain->counting, RELAXED);
	if (vcpu->counting != counting)
		begin_counting(vcpu, counting);
	accumulate(vcpu, sample);
	publish(vcpu);
	error = take(domain);
	if (error)
		return error;
	error = decide(domain, ret_decision);
	pass(domain, !error && ret_decision->action == DAV2M_SWITCH ? SWITCHING : NOBODY);
	return error;
}

int dav2m_domain_acknowledge(struct dav2m_domain *domain, enum dav2m_outcome outcome,
			     uint64_t cycles)
{
	int error = check(domain);

	if (error)
		return error;
	if (LOAD(&domain->turn, RELAXED) != SWITCHING)
		return DAV2M_ERR_NO_SWITCH;
	if ((unsigned int)outcome >= DAV2M_OUTCOMES)
		return DAV2M_ERR_RANGE;
	if (outcome == DAV2M_DONE)
		leave_behind(domain);
	error = dav2m_acknowledge(&domain->controller, outcome, cycles);
	/* Whatever it said: nobody could end this turn any more. */
	share_exits_due(domain);
	pass(domain, NOBODY);
	return error;
}

int dav2m_domain_pin(struct dav2m_domain *domain, enum dav2m_pin pin)
{
	int error = check(domain);

	if (!error)
		error = take(domain);
	if (error)
		return error;
	error = dav2m_pin(&domain->controller, pin);
	share_exits_due(domain);
	pass(domain, NOBODY);
	return error;
}

/* By whoever has the turn. Sums go on from where they are, however their parts are read. */
static int retune(struct dav2m_domain *domain, const struct dav2m_config *config)
{
	struct dav2m_config sums = *config;
	int error;

	sums.counter_bits = SUM_BITS;
	error = dav2m_retune(&domain->controller, &sums);
	tell_counting(domain, config->counter_bits, domain->counting >> COUNTING_REBASE);
	share_exits_due(domain);
	return error;
}

int dav2m_domain_retune(struct dav2m_domain *domain, const struct dav2m_config *config)
{
	int error = check(domain);

	if (!error)
		error = dav2m_config_check(config, NULL);
	if (!error)
		error = take(domain);
	if (error)
		return error;
	error = retune(domain, config);
	pass(domain, NOBODY);
	return error;
}

int dav2m_domain_rebase(struct dav2m_domain *domain)
{
	int error = check(domain);

	if (!error)
		error = take(domain);
	if (error)
		return error;
	error = dav2m_rebase(&domain->controller);
	tell_counting(domain, width_of(domain->counting),
		      (domain->counting >> COUNTING_REBASE) + 1);
	share_exits_due(domain);
	pass(domain, NOBODY);
	return error;
}

/* By whoever has the turn. */
static int explain(const struct dav2m_domain *domain, struct dav2m_explanation *ret_explanation)
{
	int error = dav2m_explain(&domain->controller, ret_explanation);

	if (error)
		return error;
	for (uint32_t i = 0; i < domain->vcpus; i++) {
		ret_explanation->wraps += LOAD(&domain->vcpu[i].wraps, RELAXED);
		ret_explanation->resets += LOAD(&domain->vcpu[i].resets, RELAXED);
	}
	return DAV2M_OK;
}

int dav2m_domain_explain(struct dav2m_domain *domain, struct dav2m_explanation *ret_explanation)
{
	int error = check(domain);

	if (!error)
		error = take(domain);
	if (error)
		return error;
	error = explain(domain, ret_explanation);
	pass(domain, NOBODY);
	return error;
}
