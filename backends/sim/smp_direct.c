/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Direct paging as Xen 3.0 did it: the hardware walks the guest's own tables, which hold machine
 * addresses, so the VMM verifies every entry (the Xen study, section 5.1; the order of steps is
 * that of ptwr_do_page_fault() and ptwr_flush() in Xen's published source of that time).
 *
 * The first write to a verified table faults. The VMM detaches the table: it unhooks it, flushes
 * the TLBs of all CPUs that the domain runs on, keeps a copy and lets the guest write. Attaching it
 * again means: protect, flush, compare with the copy, verify what changed, hook in. That happens
 * when another table wants its place, when the guest touches memory that the table maps, or at the
 * next hypercall.
 */
#include "smp.h"

static uint32_t page_table_lock(const struct dav2m_smp *smp, const struct smp_vcpu *vcpu)
{
	return smp_lock_of(smp,
			   (smp->config.flags & DAV2M_SMP_PER_VCPU) != 0 ? DAV2M_SMP_VCPU_LOCK
									 : DAV2M_SMP_DOMAIN_LOCK,
			   vcpu);
}

static struct smp_slot *slot_of(struct dav2m_smp *smp, const struct smp_vcpu *vcpu)
{
	const int own = (smp->config.flags & DAV2M_SMP_PER_VCPU) != 0;

	return &smp->domain[vcpu->domain].slot[own ? vcpu->index : 0];
}

static struct smp_op vmm_work(const struct dav2m_smp *smp, enum dav2m_smp_item item)
{
	return smp_work(SMP_VMM, smp_price(smp, item));
}

/*
 * The VMM's flush of all TLBs that may know the translations of an address space. It takes those of
 * all CPUs that the domain runs on, or asks which of them have that space loaded.
 */
static void add_flush(struct dav2m_smp *smp, const struct smp_vcpu *vcpu, uint32_t root,
		      struct smp_program *program)
{
	const uint32_t lock = smp_lock_of(smp, DAV2M_SMP_FLUSH_LOCK, vcpu);
	const uint64_t mask = (smp->config.flags & DAV2M_SMP_SAME_CONTEXT) != 0
				      ? smp_sharers(smp, vcpu, root)
				      : smp_domain_mask(&smp->machine, vcpu);

	smp_add(program, smp_op(SMP_FLUSH, 0, 0, 0));
	if (mask == 0)
		return;
	smp->machine.counts.flushes++;
	smp_add(program, smp_op(SMP_ACQUIRE, 0, lock, 0));
	smp_add(program, smp_op(SMP_SEND, SMP_SEND_FILTERED, 0, mask));
	smp_add(program, smp_op(SMP_RELEASE, 0, lock, 0));
}

static void add_attach(struct dav2m_smp *smp, struct smp_vcpu *vcpu, struct smp_slot *slot,
		       struct smp_program *program)
{
	struct smp_domain *domain = &smp->domain[vcpu->domain];
	const uint64_t entries = sim_entries(domain->sim->guest.geometry);

	smp_add(program, vmm_work(smp, DAV2M_SMP_ATTACH));
	add_flush(smp, vcpu, slot->root, program);
	smp_add(program,
		smp_work(SMP_VMM, entries * smp_price(smp, DAV2M_SMP_COMPARE) +
					  slot->modified * smp_price(smp, DAV2M_SMP_VERIFY)));
	smp_add(program, vmm_work(smp, DAV2M_SMP_ATTACH));
	domain->detached[slot->table] = 0;
	slot->table = SIM_NO_FRAME;
	smp->machine.counts.attached++;
}

static void add_detach(struct dav2m_smp *smp, struct smp_vcpu *vcpu, struct smp_slot *slot,
		       uint32_t table, uint32_t root, struct smp_program *program)
{
	struct smp_domain *domain = &smp->domain[vcpu->domain];

	smp_add(program, vmm_work(smp, DAV2M_SMP_ATTACH));
	add_flush(smp, vcpu, root, program);
	smp_add(program, vmm_work(smp, DAV2M_SMP_COPY));
	smp_add(program, vmm_work(smp, DAV2M_SMP_ATTACH));
	slot->table = table;
	slot->modified = 1;
	slot->root = root;
	domain->detached[table] = (uint16_t)(slot - domain->slot + 1);
	smp->machine.counts.detached++;
}

/* A write that finds its table detached needs nobody; answers 1 if so. */
static int batched(struct dav2m_smp *smp, const struct smp_vcpu *vcpu, uint32_t table)
{
	struct smp_domain *domain = &smp->domain[vcpu->domain];
	const uint32_t slot = domain->detached[table];

	if (slot == 0)
		return 0;
	domain->slot[slot - 1].modified++;
	smp->machine.counts.batched++;
	return 1;
}

static void on_write(struct dav2m_smp *smp, struct smp_vcpu *vcpu, const struct smp_op *op)
{
	const uint32_t lock = page_table_lock(smp, vcpu);
	struct smp_program program = {.n = 0};

	if (batched(smp, vcpu, op->a))
		return;
	smp_add(&program, vmm_work(smp, DAV2M_SMP_HYPERCALL));
	smp_add(&program, smp_op(SMP_ACQUIRE, 0, lock, 0));
	if ((smp->config.flags & DAV2M_SMP_IMMEDIATE) != 0) {
		smp_add(&program, vmm_work(smp, DAV2M_SMP_EMULATE));
		smp_add(&program, vmm_work(smp, DAV2M_SMP_VERIFY));
		smp->machine.counts.emulated++;
	} else {
		smp_add(&program, smp_op(SMP_CALL, SMP_DECIDE, op->a, op->b));
	}
	smp_add(&program, smp_op(SMP_RELEASE, 0, lock, 0));
	smp_play(&smp->machine, vcpu, &program);
}

static void on_decide(struct dav2m_smp *smp, struct smp_vcpu *vcpu, const struct smp_op *op)
{
	struct smp_slot *slot = slot_of(smp, vcpu);
	struct smp_program program = {.n = 0};

	/* Somebody else may have detached it while this one waited. */
	if (batched(smp, vcpu, op->a))
		return;
	if (slot->table != SIM_NO_FRAME)
		add_attach(smp, vcpu, slot, &program);
	add_detach(smp, vcpu, slot, op->a, (uint32_t)op->b, &program);
	smp_play(&smp->machine, vcpu, &program);
}

/* What a detached table maps is not mapped: touching it faults, and brings the table back. */
static void on_touch(struct dav2m_smp *smp, struct smp_vcpu *vcpu, const struct smp_op *op)
{
	const uint32_t lock = page_table_lock(smp, vcpu);
	struct smp_program program = {.n = 0};

	if (smp->domain[vcpu->domain].detached[op->a] == 0)
		return;
	smp_add(&program, vmm_work(smp, DAV2M_SMP_HYPERCALL));
	smp_add(&program, smp_op(SMP_ACQUIRE, 0, lock, 0));
	smp_add(&program, smp_op(SMP_CALL, SMP_ATTACH, op->a, 0));
	smp_add(&program, smp_op(SMP_RELEASE, 0, lock, 0));
	smp_play(&smp->machine, vcpu, &program);
}

static void on_attach(struct dav2m_smp *smp, struct smp_vcpu *vcpu, const struct smp_op *op)
{
	struct smp_domain *domain = &smp->domain[vcpu->domain];
	const uint32_t slot = domain->detached[op->a];
	struct smp_program program = {.n = 0};

	if (slot != 0)
		add_attach(smp, vcpu, &domain->slot[slot - 1], &program);
	smp_play(&smp->machine, vcpu, &program);
}

static void on_cleanup(struct dav2m_smp *smp, struct smp_vcpu *vcpu)
{
	struct smp_slot *slot = slot_of(smp, vcpu);
	struct smp_program program = {.n = 0};

	if (slot->table != SIM_NO_FRAME)
		add_attach(smp, vcpu, slot, &program);
	smp_play(&smp->machine, vcpu, &program);
}

/*
 * With page-table state per vCPU, a request that concerns the caller's own state only (loading
 * CR3, flushing its TLB) is served under the vCPU's lock; the paper says that uses of the domain's
 * lock were reduced, which these are is inferred.
 */
static void on_hypercall(struct dav2m_smp *smp, struct smp_vcpu *vcpu, const struct smp_op *op)
{
	const uint32_t lock = op->a != 0 ? smp_lock_of(smp, DAV2M_SMP_DOMAIN_LOCK, vcpu)
					 : page_table_lock(smp, vcpu);
	struct smp_program program = {.n = 0};

	smp->machine.counts.hypercalls++;
	smp_add(&program, vmm_work(smp, DAV2M_SMP_HYPERCALL));
	smp_add(&program, smp_op(SMP_ACQUIRE, 0, lock, 0));
	smp_add(&program, smp_op(SMP_CALL, SMP_CLEANUP, 0, 0));
	smp_add(&program, smp_work(SMP_VMM, op->b));
	smp_add(&program, smp_op(SMP_RELEASE, 0, lock, 0));
	smp_play(&smp->machine, vcpu, &program);
}

static void on_flush_mask(struct dav2m_smp *smp, struct smp_vcpu *vcpu)
{
	struct smp_program program = {.n = 0};

	add_flush(smp, vcpu, (uint32_t)smp->context[vcpu->id].root, &program);
	smp_play(&smp->machine, vcpu, &program);
}

void smp_direct_call(void *self, struct smp_vcpu *vcpu, const struct smp_op *op)
{
	struct dav2m_smp *smp = self;

	switch ((enum smp_call)op->what) {
	case SMP_WRITE:
		on_write(smp, vcpu, op);
		return;
	case SMP_DECIDE:
		on_decide(smp, vcpu, op);
		return;
	case SMP_TOUCH:
		on_touch(smp, vcpu, op);
		return;
	case SMP_ATTACH:
		on_attach(smp, vcpu, op);
		return;
	case SMP_HYPERCALL:
		on_hypercall(smp, vcpu, op);
		return;
	case SMP_CLEANUP:
		on_cleanup(smp, vcpu);
		return;
	case SMP_FLUSH_MASK:
		on_flush_mask(smp, vcpu);
		return;
	}
}

uint64_t smp_direct_verify(struct smp_domain *domain, uint32_t table, uint32_t level, int verified)
{
	const struct dav2m_smp *smp = domain->smp;
	const struct sim_guest *guest = &domain->sim->guest;
	const uint32_t entries = sim_entries(guest->geometry);
	uint64_t cycles = entries * smp_price(smp, DAV2M_SMP_COMPARE);
	uint32_t i;

	if (domain->level[table] == (verified ? level : 0))
		return 0;
	domain->level[table] = (uint8_t)(verified ? level : 0);
	for (i = 0; i < entries; i++) {
		const uint64_t entry = guest->memory.table[table][i];

		if (!(entry & SIM_P))
			continue;
		cycles += smp_price(smp, DAV2M_SMP_VERIFY);
		if (level > 1 && !(entry & SIM_PS))
			cycles += smp_direct_verify(domain, SIM_FRAME(entry), level - 1, verified);
	}
	return cycles;
}
