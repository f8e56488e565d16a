/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of time; see smp_time.h.
 */
#include <stdlib.h>
#include <string.h>

#include "smp_time.h"

static uint64_t price(const struct smp_machine *machine, enum dav2m_smp_item item)
{
	return machine->price[item].cycles;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void vcpus_place(struct smp_machine *machine, uint32_t domains)
{
	const uint32_t each = machine->vcpus / domains;
	uint32_t id;

	for (id = 0; id < machine->vcpus; id++) {
		struct smp_vcpu *vcpu = &machine->vcpu[id];

		vcpu->id = id;
		vcpu->domain = id / each;
		vcpu->index = id % each;
		vcpu->pcpu = (vcpu->domain + vcpu->index) % machine->pcpus;
		vcpu->counts.pcpu = vcpu->pcpu;
	}
}

int smp_machine_init(struct smp_machine *machine, uint32_t domains, uint32_t vcpus, uint32_t pcpus,
		     uint32_t nodes, uint32_t locks)
{
	uint32_t i;

	machine->vcpus = domains * vcpus;
	machine->pcpus = pcpus;
	machine->locks = locks;
	machine->vcpu = calloc(machine->vcpus, sizeof(*machine->vcpu));
	machine->lock = calloc(locks, sizeof(*machine->lock));
	if (machine->vcpu == NULL || machine->lock == NULL)
		return DAV2M_SIM_ERR_MEMORY;
	vcpus_place(machine, domains);
	for (i = 0; i < pcpus; i++) {
		machine->pcpu[i].node = i * nodes / pcpus;
		machine->pcpu[i].current = machine->pcpu[i].loaded = SMP_NONE;
	}
	for (i = 0; i < locks; i++) {
		machine->lock[i].holder = machine->lock[i].cpu = SMP_NONE;
		machine->lock[i].first_waiter = machine->lock[i].last_waiter = SMP_NONE;
	}
	return 0;
}

void smp_machine_free(struct smp_machine *machine)
{
	uint32_t i;

	for (i = 0; machine->vcpu != NULL && i < machine->vcpus; i++) {
		free(machine->vcpu[i].queue);
		free(machine->vcpu[i].stack);
	}
	free(machine->vcpu);
	free(machine->lock);
}

/* Room for n more in a growing array; 0 without memory. */
static int op_room(struct smp_op **array, uint32_t used, uint32_t more, uint32_t *room)
{
	const uint32_t need = used + more < 64 ? 64 : (used + more) * 2;
	struct smp_op *grown;

	if (*array != NULL && used + more <= *room)
		return 1;
	grown = realloc(*array, need * sizeof(*grown));
	if (grown == NULL)
		return 0;
	*array = grown;
	*room = need;
	return 1;
}

void smp_append(struct smp_machine *machine, struct smp_vcpu *vcpu, struct smp_op op)
{
	struct smp_op *last;

	if (vcpu->head == vcpu->tail)
		vcpu->head = vcpu->tail = 0;
	last = vcpu->head == vcpu->tail ? NULL : &vcpu->queue[vcpu->tail - 1];
	if (last != NULL && op.kind == SMP_RUN && last->kind == SMP_RUN && last->what == op.what) {
		last->b += op.b;
		return;
	}
	if (!op_room(&vcpu->queue, vcpu->tail, 1, &vcpu->room))
		machine->error = DAV2M_SIM_ERR_MEMORY;
	else
		vcpu->queue[vcpu->tail++] = op;
}

void smp_play(struct smp_machine *machine, struct smp_vcpu *vcpu, const struct smp_program *program)
{
	uint32_t i;

	if (!op_room(&vcpu->stack, vcpu->depth, program->n, &vcpu->stack_room)) {
		machine->error = DAV2M_SIM_ERR_MEMORY;
		return;
	}
	for (i = program->n; i > 0; i--)
		vcpu->stack[vcpu->depth++] = program->op[i - 1];
}

static void work(struct smp_vcpu *vcpu, enum smp_account account, uint64_t cycles)
{
	vcpu->time += cycles;
	if (account == SMP_GUEST)
		vcpu->counts.guest_cycles += cycles;
	else
		vcpu->counts.vmm_cycles += cycles;
}

static struct dav2m_smp_lock_counts *lock_counts(struct smp_machine *machine,
						 const struct smp_lock *lock)
{
	return &machine->counts.lock[lock->kind];
}

static enum smp_account lock_account(const struct smp_lock *lock)
{
	return lock->kind == DAV2M_SMP_KERNEL_LOCK || lock->kind == DAV2M_SMP_SHOOTDOWN_LOCK
		       ? SMP_GUEST
		       : SMP_VMM;
}

/* The lock is a vCPU's from its present time on. */
static void lock_take(struct smp_machine *machine, struct smp_lock *lock, struct smp_vcpu *vcpu)
{
	lock->holder = vcpu->id;
	lock->cpu = vcpu->pcpu;
	lock->taken_at = vcpu->time;
	lock_counts(machine, lock)->taken++;
}

static void lock_acquire(struct smp_machine *machine, struct smp_lock *lock, struct smp_vcpu *vcpu)
{
	if (lock->holder == SMP_NONE) {
		work(vcpu, lock_account(lock),
		     price(machine, lock->cpu == vcpu->pcpu || lock->cpu == SMP_NONE
					    ? DAV2M_SMP_LOCK
					    : DAV2M_SMP_LINE));
		lock_take(machine, lock, vcpu);
		return;
	}
	lock_counts(machine, lock)->contended++;
	vcpu->state = SMP_SPINNING;
	vcpu->next_waiter = SMP_NONE;
	if (lock->first_waiter == SMP_NONE)
		lock->first_waiter = vcpu->id;
	else
		machine->vcpu[lock->last_waiter].next_waiter = vcpu->id;
	lock->last_waiter = vcpu->id;
}

/* The next one spins until the lock's line has reached it, or until its IPI is handled. */
static void lock_release(struct smp_machine *machine, struct smp_lock *lock, uint64_t now)
{
	struct dav2m_smp_lock_counts *counts = lock_counts(machine, lock);
	struct smp_vcpu *next;
	uint64_t from;

	counts->held_cycles += now - lock->taken_at;
	lock->holder = SMP_NONE;
	if (lock->first_waiter == SMP_NONE)
		return;
	next = &machine->vcpu[lock->first_waiter];
	lock->first_waiter = next->next_waiter;
	from = next->time;
	next->time =
		later(now + price(machine, DAV2M_SMP_LINE), machine->pcpu[next->pcpu].irq_until);
	next->counts.spin_cycles += next->time - from;
	counts->wait_cycles += next->time - from;
	next->state = SMP_RUNNING;
	lock_take(machine, lock, next);
}

static void tlb_flush(struct smp_machine *machine, uint32_t pcpu)
{
	machine->pcpu[pcpu].flushed = ++machine->flush_clock;
	machine->owner.flush(machine->owner.self, pcpu);
}

uint64_t smp_domain_mask(const struct smp_machine *machine, const struct smp_vcpu *vcpu)
{
	uint64_t mask = 0;
	uint32_t i;

	for (i = 0; i < machine->pcpus; i++) {
		const uint32_t loaded = machine->pcpu[i].loaded;

		if (i != vcpu->pcpu && loaded != SMP_NONE &&
		    machine->vcpu[loaded].domain == vcpu->domain)
			mask |= 1ull << i;
	}
	return mask;
}

/*
 * An IPI reaches a physical CPU and is handled; answers when. Whatever runs there ends so much
 * later. (The vCPU there may be up to one delivery earlier than the IPI: its next operation then
 * moves although the IPI would have come after it.)
 */
static uint64_t interrupt(struct smp_machine *machine, uint32_t cpu, uint64_t at, uint64_t cycles)
{
	struct smp_pcpu *pcpu = &machine->pcpu[cpu];
	struct smp_vcpu *vcpu = pcpu->current == SMP_NONE ? NULL : &machine->vcpu[pcpu->current];

	pcpu->irq_until = later(at, pcpu->irq_until) + cycles;
	if (vcpu != NULL && vcpu->state == SMP_RUNNING) {
		vcpu->time += cycles;
		vcpu->counts.irq_cycles += cycles;
	}
	return pcpu->irq_until;
}

static void send(struct smp_machine *machine, struct smp_vcpu *vcpu, const struct smp_op *op)
{
	const uint64_t mask = op->b != 0 ? op->b : smp_domain_mask(machine, vcpu);
	const uint64_t handler =
		price(machine, DAV2M_SMP_IPI_HANDLE) + price(machine, DAV2M_SMP_TLB_FLUSH) + op->a;
	uint64_t done = 0;
	uint32_t i;

	for (i = 0; i < machine->pcpus; i++) {
		if (!(mask >> i & 1) || i == vcpu->pcpu)
			continue;
		if (op->what == SMP_SEND_FILTERED && machine->filter &&
		    machine->pcpu[i].flushed > vcpu->flushed) {
			machine->counts.ipis_saved++;
			continue;
		}
		machine->counts.ipis++;
		work(vcpu, SMP_VMM, price(machine, DAV2M_SMP_IPI_SEND));
		done = later(done, interrupt(machine, i,
					     vcpu->time + price(machine, DAV2M_SMP_IPI_DELIVER),
					     handler));
		tlb_flush(machine, i);
	}
	if (done == 0)
		return;
	/* The last one's acknowledgement is a cache line. */
	done += price(machine, DAV2M_SMP_LINE);
	vcpu->counts.spin_cycles += done - vcpu->time;
	vcpu->time = done;
}

void smp_stop_others(struct smp_machine *machine, struct smp_vcpu *vcpu, uint64_t cycles)
{
	const struct smp_op all = smp_op(SMP_SEND, SMP_SEND_ALL, 0, 0);
	const uint64_t mask = smp_domain_mask(machine, vcpu);
	uint32_t i;

	tlb_flush(machine, vcpu->pcpu);
	send(machine, vcpu, &all);
	work(vcpu, SMP_VMM, cycles);
	for (i = 0; i < machine->pcpus; i++) {
		struct smp_pcpu *pcpu = &machine->pcpu[i];

		if ((mask >> i & 1) && pcpu->irq_until < vcpu->time)
			interrupt(machine, i, pcpu->irq_until, vcpu->time - pcpu->irq_until);
	}
}

/* A line is fetched and written back: its CPU, its node and both ports take part side by side. */
static void memory(struct smp_machine *machine, struct smp_vcpu *vcpu, uint32_t home,
		   uint64_t lines)
{
	const uint32_t own = machine->pcpu[vcpu->pcpu].node;
	struct smp_node *node = machine->node;
	uint64_t done = vcpu->time + lines * price(machine, DAV2M_SMP_STORE_LOCAL);

	node[home].controller_free = later(vcpu->time, node[home].controller_free) +
				     lines * price(machine, DAV2M_SMP_CONTROLLER);
	if (home == own) {
		machine->counts.lines_local += lines;
	} else {
		const uint64_t port = lines * price(machine, DAV2M_SMP_PORT);

		machine->counts.lines_remote += lines;
		done += lines * price(machine, DAV2M_SMP_STORE_REMOTE);
		node[home].port_free = later(vcpu->time, node[home].port_free) + port;
		node[own].port_free = later(vcpu->time, node[own].port_free) + port;
		done = later(done, later(node[home].port_free, node[own].port_free));
	}
	done = later(done, node[home].controller_free);
	work(vcpu, SMP_GUEST, done - vcpu->time);
}

static void leave(struct smp_machine *machine, struct smp_vcpu *vcpu, enum smp_state state)
{
	struct smp_pcpu *pcpu = &machine->pcpu[vcpu->pcpu];

	vcpu->state = state;
	pcpu->current = SMP_NONE;
	pcpu->free = vcpu->time;
}

static void job(struct smp_machine *machine, struct smp_vcpu *vcpu, uint64_t idle)
{
	vcpu->counts.jobs++;
	if (idle == 0)
		return;
	leave(machine, vcpu, SMP_READY);
	vcpu->time += idle;
}

static void op_play(struct smp_machine *machine, struct smp_vcpu *vcpu, const struct smp_op *op)
{
	switch ((enum smp_kind)op->kind) {
	case SMP_RUN:
		work(vcpu, (enum smp_account)op->what, op->b);
		return;
	case SMP_ACQUIRE:
		lock_acquire(machine, &machine->lock[op->a], vcpu);
		return;
	case SMP_RELEASE:
		lock_release(machine, &machine->lock[op->a], vcpu->time);
		return;
	case SMP_FLUSH:
		work(vcpu, SMP_VMM, price(machine, DAV2M_SMP_TLB_FLUSH));
		tlb_flush(machine, vcpu->pcpu);
		vcpu->flushed = machine->flush_clock;
		return;
	case SMP_SEND:
		send(machine, vcpu, op);
		return;
	case SMP_MEMORY:
		memory(machine, vcpu, op->a, op->b);
		return;
	case SMP_JOB:
		job(machine, vcpu, op->b);
		return;
	case SMP_CALL:
		machine->owner.call(machine->owner.self, vcpu, op);
		return;
	}
}

/* When a vCPU that has no physical CPU could have its own. */
static uint64_t ready_at(const struct smp_machine *machine, const struct smp_vcpu *vcpu)
{
	return later(vcpu->time, machine->pcpu[vcpu->pcpu].free);
}

/*
 * Which vCPU is the next on a physical CPU, or SMP_NONE: the earliest that is ready, ties going
 * round from the one that ran last.
 */
static uint32_t next_on(const struct smp_machine *machine, uint32_t cpu)
{
	const uint32_t loaded = machine->pcpu[cpu].loaded;
	const uint32_t last = loaded == SMP_NONE ? machine->vcpus - 1 : loaded;
	uint32_t best = SMP_NONE;
	uint32_t i;

	for (i = 1; i <= machine->vcpus; i++) {
		const struct smp_vcpu *vcpu = &machine->vcpu[(last + i) % machine->vcpus];

		if (vcpu->pcpu == cpu && vcpu->state == SMP_READY &&
		    (best == SMP_NONE ||
		     ready_at(machine, vcpu) < ready_at(machine, &machine->vcpu[best])))
			best = vcpu->id;
	}
	return best;
}

/* The vCPU that acts next, or SMP_NONE; *ret_time: when. */
static uint32_t earliest(const struct smp_machine *machine, uint64_t *ret_time)
{
	uint32_t best = SMP_NONE;
	uint32_t cpu;

	*ret_time = UINT64_MAX;
	for (cpu = 0; cpu < machine->pcpus; cpu++) {
		const uint32_t current = machine->pcpu[cpu].current;
		const uint32_t id = current == SMP_NONE ? next_on(machine, cpu) : current;
		uint64_t time;

		if (id == SMP_NONE || machine->vcpu[id].state == SMP_SPINNING)
			continue;
		time = current == SMP_NONE ? ready_at(machine, &machine->vcpu[id])
					   : machine->vcpu[id].time;
		if (time < *ret_time) {
			*ret_time = time;
			best = id;
		}
	}
	return best;
}

/* Another vCPU's translations are of no use, and the VMM's world switch flushes them. */
static void enter(struct smp_machine *machine, struct smp_vcpu *vcpu, uint64_t now)
{
	struct smp_pcpu *pcpu = &machine->pcpu[vcpu->pcpu];

	vcpu->state = SMP_RUNNING;
	vcpu->time = now;
	pcpu->current = vcpu->id;
	if (pcpu->loaded != vcpu->id) {
		if (pcpu->loaded != SMP_NONE) {
			machine->counts.vcpu_switches++;
			work(vcpu, SMP_VMM, price(machine, DAV2M_SMP_VCPU_SWITCH));
			tlb_flush(machine, vcpu->pcpu);
		}
		pcpu->loaded = vcpu->id;
	}
	pcpu->slice_end = vcpu->time + machine->slice_cycles;
}

/* Gives the physical CPU away when the slice is over and somebody waits for it. */
static int preempt(struct smp_machine *machine, struct smp_vcpu *vcpu)
{
	const struct smp_pcpu *pcpu = &machine->pcpu[vcpu->pcpu];
	uint32_t next;

	if (vcpu->time < pcpu->slice_end)
		return 0;
	next = next_on(machine, vcpu->pcpu);
	if (next == SMP_NONE || machine->vcpu[next].time > vcpu->time)
		return 0;
	leave(machine, vcpu, SMP_READY);
	return 1;
}

/* One operation of a vCPU, or more of its guest's doings. */
static int step(struct smp_machine *machine, struct smp_vcpu *vcpu)
{
	struct smp_op op;
	int more;

	if (vcpu->depth > 0) {
		op = vcpu->stack[--vcpu->depth];
	} else if (vcpu->head < vcpu->tail) {
		op = vcpu->queue[vcpu->head++];
	} else {
		if (preempt(machine, vcpu))
			return 1;
		more = machine->owner.refill(machine->owner.self, vcpu);
		if (more == 0)
			leave(machine, vcpu, SMP_DONE);
		return more < 0 ? more : 1;
	}
	op_play(machine, vcpu, &op);
	return 1;
}

int smp_machine_run(struct smp_machine *machine, uint64_t until_cycles)
{
	uint64_t now;
	uint32_t id;
	int more;

	while ((id = earliest(machine, &now)) != SMP_NONE) {
		struct smp_vcpu *vcpu = &machine->vcpu[id];

		if (now >= until_cycles)
			return 1;
		if (machine->pcpu[vcpu->pcpu].current == SMP_NONE)
			enter(machine, vcpu, now);
		more = step(machine, vcpu);
		if (more < 0 || machine->error < 0)
			return more < 0 ? more : machine->error;
	}
	return 0;
}
