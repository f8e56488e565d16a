/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest of a domain, run ahead for one of its vCPUs; what it does becomes operations. See
 * smp.h.
 */
#include "smp.h"

/* A piece ends after so many words or instructions: for so long at most another CPU's flush comes
   late to the TLB. A choice: twice what a page fault takes, and long enough to be cheap. */
#define STEP_WORDS	  32
#define STEP_INSTRUCTIONS 10000u

void smp_context_load(struct dav2m_smp *smp, const struct smp_vcpu *vcpu)
{
	const struct smp_context *context = &smp->context[vcpu->id];
	struct dav2m_sim *sim = smp->domain[vcpu->domain].sim;

	memcpy(sim->seen, context->seen, sizeof(sim->seen));
	sim->due = context->due;
	sim->window_end = context->window_end;
	sim->counts = context->counts;
	sim->guest.current = context->process;
	sim->mmu = &smp->mmu[vcpu->pcpu];
	sim_vmm_lend(&sim->vmm, sim->mmu, context->root);
}

void smp_context_save(struct dav2m_smp *smp, const struct smp_vcpu *vcpu)
{
	struct smp_context *context = &smp->context[vcpu->id];
	const struct dav2m_sim *sim = smp->domain[vcpu->domain].sim;

	memcpy(context->seen, sim->seen, sizeof(sim->seen));
	context->due = sim->due;
	context->window_end = sim->window_end;
	context->counts = sim->counts;
	context->process = sim->guest.current;
	context->root = sim->vmm.guest_root;
}

static void append(struct dav2m_smp *smp, struct smp_op op)
{
	smp_append(&smp->machine, smp->running, op);
}

static void append_call(struct dav2m_smp *smp, enum smp_call call, uint32_t a, uint64_t b)
{
	append(smp, smp_op(SMP_CALL, call, a, b));
}

static void append_locked(struct dav2m_smp *smp, enum dav2m_smp_lock kind, enum smp_account account,
			  uint64_t cycles)
{
	const uint32_t lock = smp_lock_of(smp, kind, smp->running);

	append(smp, smp_op(SMP_ACQUIRE, 0, lock, 0));
	append(smp, smp_work(account, cycles));
	append(smp, smp_op(SMP_RELEASE, 0, lock, 0));
}

/* Cycles by which a vCPU has come forward, and its exits' handling among them. */
static void totals(const struct dav2m_sim *sim, uint64_t *ret_cycles, uint64_t *ret_handling)
{
	const struct dav2m_sim_price *price = sim->config.cost->price;
	uint64_t cycles = sim->seen[DAV2M_SIM_FETCH] * price[DAV2M_SIM_INSTRUCTION].cycles;
	uint64_t exits = 0;
	int i;

	for (i = DAV2M_SIM_WALK; i < DAV2M_SIM_CAUSES; i++)
		cycles += sim->counts.cycles[i];
	for (i = 0; i < DAV2M_SIM_EXIT_KINDS; i++)
		exits += sim->counts.exits[i];
	*ret_cycles = cycles;
	*ret_handling = sim->counts.cycles[DAV2M_SIM_EXITS] - exits * price[DAV2M_SIM_EXIT].cycles;
}

/*
 * Appends the work done since the last time. Exits are handled under the VMM's lock, of which a
 * domain has one as Xen's shadow code did; their world switches are not.
 */
static void note(struct smp_domain *domain)
{
	struct dav2m_smp *smp = domain->smp;
	const struct dav2m_sim *sim = domain->sim;
	struct smp_context *context = &smp->context[smp->running->id];
	const uint64_t faults = sim->counts.faults + sim->counts.cow_faults;
	uint64_t cycles, handling;

	totals(sim, &cycles, &handling);
	if (cycles - context->cycles > handling - context->handling_cycles)
		append(smp, smp_work(SMP_GUEST, cycles - context->cycles -
							(handling - context->handling_cycles)));
	if (smp_direct(smp) && faults > context->faults)
		append(smp, smp_work(SMP_VMM, (faults - context->faults) *
						      smp_price(smp, DAV2M_SMP_BOUNCE)));
	if (handling > context->handling_cycles)
		append_locked(smp, DAV2M_SMP_DOMAIN_LOCK, SMP_VMM,
			      handling - context->handling_cycles);
	if (sim->vmm.torn_flushes > domain->torn)
		append_call(smp, SMP_FLUSH_MASK, 0, 0);
	context->cycles = cycles;
	context->handling_cycles = handling;
	context->faults = faults;
	domain->torn = sim->vmm.torn_flushes;
}

uint64_t smp_sharers(const struct dav2m_smp *smp, const struct smp_vcpu *vcpu, uint32_t root)
{
	const struct smp_machine *machine = &smp->machine;
	uint64_t mask = 0;
	uint32_t i;

	for (i = 0; i < machine->vcpus; i++)
		if (i != vcpu->id && machine->vcpu[i].domain == vcpu->domain &&
		    smp->context[i].root == root)
			mask |= 1ull << machine->vcpu[i].pcpu;
	return mask & ~(1ull << vcpu->pcpu);
}

/*
 * The guest's kernel tells other CPUs that an address space has changed: by IPIs of its own, each
 * of which exits on both sides when the interrupt controller is the VMM's; under direct paging by
 * asking the VMM.
 */
static void shootdown(struct dav2m_smp *smp, const struct dav2m_sim *sim, uint32_t root)
{
	const uint64_t mask = smp_sharers(smp, smp->running, root);
	const uint32_t exit = sim->config.cost->price[DAV2M_SIM_EXIT].cycles;
	const int direct = smp_direct(smp);
	const enum dav2m_smp_lock kind = direct ? DAV2M_SMP_FLUSH_LOCK : DAV2M_SMP_SHOOTDOWN_LOCK;
	const uint32_t lock = smp_lock_of(smp, kind, smp->running);
	const int exits = sim->vmm.mode != DAV2M_SIM_NATIVE;

	if (mask == 0)
		return;
	smp->machine.counts.flushes++;
	if (direct)
		append(smp, smp_op(SMP_FLUSH, 0, 0, 0));
	append(smp, smp_op(SMP_ACQUIRE, 0, lock, 0));
	if (exits)
		append(smp,
		       smp_work(SMP_VMM, (uint64_t)exit * (uint64_t)__builtin_popcountll(mask)));
	append(smp,
	       smp_op(SMP_SEND, direct ? SMP_SEND_FILTERED : SMP_SEND_ALL, exits ? exit : 0, mask));
	append(smp, smp_op(SMP_RELEASE, 0, lock, 0));
}

static void hypercall(struct dav2m_smp *smp, int others, uint64_t cycles)
{
	append_call(smp, SMP_HYPERCALL, (uint32_t)others, cycles);
}

/* An upper entry hooks a table in, or out, or maps a large page. */
static void upper_write(struct smp_domain *domain, uint32_t table, uint32_t index)
{
	struct dav2m_smp *smp = domain->smp;
	const uint64_t entry = domain->sim->guest.memory.table[table][index];
	uint64_t cycles = smp_price(smp, DAV2M_SMP_VERIFY);

	if ((entry & SIM_P) != 0 && !(entry & SIM_PS))
		cycles += smp_direct_verify(domain, SIM_FRAME(entry), domain->level[table] - 1u, 1);
	hypercall(smp, 1, cycles);
}

static void on_table_write(void *self, uint32_t table, uint32_t index)
{
	struct smp_domain *domain = self;
	struct dav2m_smp *smp = domain->smp;

	domain->below.table_write(domain->below.self, table, index);
	if (smp->running == NULL)
		return;
	note(domain);
	if (!smp_direct(smp) || domain->level[table] == 0)
		return;
	if (domain->level[table] > 1) {
		upper_write(domain, table, index);
		return;
	}
	append_call(smp, SMP_WRITE, table, domain->sim->vmm.guest_root);
}

/* Whatever was in the frame, it is no verified table any more. */
static void on_frame_write(void *self, uint32_t frame)
{
	struct smp_domain *domain = self;

	domain->below.frame_write(domain->below.self, frame);
	domain->level[frame] = 0;
	if (domain->smp->running != NULL)
		note(domain);
}

static void on_invlpg(void *self, uint64_t vpn)
{
	struct smp_domain *domain = self;
	struct dav2m_smp *smp = domain->smp;

	domain->below.invlpg(domain->below.self, vpn);
	if (smp->running == NULL)
		return;
	note(domain);
	if (smp_direct(smp))
		hypercall(smp, 0, 0);
	shootdown(smp, domain->sim, domain->sim->vmm.guest_root);
}

static void on_load_root(void *self, uint32_t root)
{
	struct smp_domain *domain = self;
	struct dav2m_smp *smp = domain->smp;
	const int same = domain->sim->vmm.guest_root == root;
	uint64_t cycles;

	domain->below.load_root(domain->below.self, root);
	if (smp->running == NULL)
		return;
	note(domain);
	if (smp_direct(smp)) {
		cycles = smp_direct_verify(domain, root, domain->sim->guest.geometry->levels, 1);
		if (cycles > 0) {
			hypercall(smp, 1, cycles);
			smp->machine.counts.pinned++;
		}
		hypercall(smp, 0, 0);
	}
	append(smp, smp_op(SMP_FLUSH, 0, 0, 0));
	if (same)
		shootdown(smp, domain->sim, root);
}

void smp_guest_hook(struct smp_domain *domain)
{
	const struct sim_platform platform = {.self = domain,
					      .table_write = on_table_write,
					      .frame_write = on_frame_write,
					      .invlpg = on_invlpg,
					      .load_root = on_load_root};

	domain->below = domain->sim->guest.platform;
	domain->sim->guest.platform = platform;
}

/* Before an address space is taken apart the guest gives its tables back: the writes that empty
   them are nobody's business. */
static void unpin(struct smp_domain *domain)
{
	struct dav2m_smp *smp = domain->smp;
	const struct sim_guest *guest = &domain->sim->guest;

	if (smp_direct(smp) && guest->current->pid != 0)
		hypercall(smp, 1,
			  smp_direct_verify(domain, guest->current->root, guest->geometry->levels,
					    0));
}

/* A process that another vCPU runs can be neither ended nor replaced. */
static int run_elsewhere(const struct dav2m_smp *smp, const struct sim_process *process)
{
	uint32_t i;

	for (i = 0; i < smp->machine.vcpus; i++)
		if (i != smp->running->id && smp->context[i].process == process &&
		    smp->machine.vcpu[i].state != SMP_DONE)
			return 1;
	return 0;
}

/* System calls one by one: each has its part under the kernel's lock. Of very many at once, several
   count as one. */
#define SYSCALL_PIECES 256
static void append_syscalls(struct dav2m_smp *smp, const struct dav2m_sim *sim, uint64_t calls)
{
	struct smp_context *context = &smp->context[smp->running->id];
	const uint64_t whole = sim->config.cost->price[DAV2M_SIM_GUEST_SYSCALL].cycles;
	const uint64_t piece = (calls + SYSCALL_PIECES - 1) / SYSCALL_PIECES;
	uint64_t locked = smp_price(smp, DAV2M_SMP_GUEST_LOCK);
	uint64_t n;

	locked = locked < whole ? locked : whole;
	context->cycles += calls * whole;
	for (; calls > 0; calls -= n) {
		n = calls < piece ? calls : piece;
		append_locked(smp, DAV2M_SMP_KERNEL_LOCK, SMP_GUEST, n * locked);
		append(smp, smp_work(SMP_GUEST, n * (whole - locked)));
	}
}

static int event_run(struct dav2m_smp *smp, struct smp_domain *domain, const uint64_t *word,
		     size_t words)
{
	struct dav2m_sim *sim = domain->sim;
	const enum dav2m_sim_event event = (enum dav2m_sim_event)(*word >> 2 & 0x3f);
	int error;

	/* Times are sums of these. */
	if ((event == DAV2M_SIM_SYSCALL || event == DAV2M_SIM_MARK) && words > 1 &&
	    word[1] > DAV2M_SMP_TIMES_MAX)
		return DAV2M_SIM_ERR_EVENT;
	if (event == DAV2M_SIM_EXIT_PROCESS || event == DAV2M_SIM_EXEC) {
		if (run_elsewhere(smp, sim->guest.current))
			return DAV2M_SIM_ERR_PROCESS;
		unpin(domain);
	}
	error = dav2m_sim_run(sim, word, words);
	if (error < 0)
		return error;
	if (event == DAV2M_SIM_SYSCALL)
		append_syscalls(smp, sim, word[1]);
	note(domain);
	if (event == DAV2M_SIM_MARK)
		append(smp, smp_op(SMP_JOB, 0, 0, word[1]));
	return 0;
}

static uint32_t node_of(struct dav2m_smp *smp, struct smp_domain *domain, uint32_t frame)
{
	const uint32_t own = smp->machine.pcpu[smp->running->pcpu].node;
	const uint32_t nodes = smp->config.nodes;
	uint32_t node = own;

	if (domain->node[frame] != 0)
		return domain->node[frame] - 1u;
	if (smp->config.placement == DAV2M_SMP_INTERLEAVED)
		node = smp->context[smp->running->id].interleave_next++ % nodes;
	else if (smp->config.placement == DAV2M_SMP_REMOTE)
		node = (own + 1) % nodes;
	domain->node[frame] = (uint8_t)(node + 1);
	return node;
}

/* What the guest's tables say about a page: where it lies, and which table maps it. */
static void page_note(struct dav2m_smp *smp, struct smp_domain *domain, uint64_t word)
{
	const struct sim_guest *guest = &domain->sim->guest;
	const uint64_t vpn = word >> 16;
	uint32_t table, level;
	const uint64_t entry = *sim_entry_find(&guest->memory, guest->geometry,
					       guest->current->root, vpn, &table, &level);
	const uint32_t within = (uint32_t)(vpn & ((1ull << sim_shift(guest->geometry, level)) - 1));
	/* Accesses of 8 bytes, each line once. */
	const uint64_t lines = (word >> 2 & DAV2M_SIM_RUN_MAX) / 8;

	if (smp_direct(smp) && level == 1)
		append_call(smp, SMP_TOUCH, table, 0);
	if (smp->config.placement != DAV2M_SMP_ANYWHERE && (word & 3) != DAV2M_SIM_FETCH &&
	    lines > 0)
		append(smp, smp_op(SMP_MEMORY, 0, node_of(smp, domain, SIM_FRAME(entry) + within),
				   lines));
}

static int reference_run(struct dav2m_smp *smp, struct smp_domain *domain, const uint64_t *word)
{
	struct smp_context *context = &smp->context[smp->running->id];
	struct dav2m_sim *sim = domain->sim;
	const int error = dav2m_sim_run(sim, word, 1);

	if (error < 0)
		return error;
	if (sim->counts.walks > context->walks || smp->config.placement != DAV2M_SMP_ANYWHERE) {
		note(domain);
		page_note(smp, domain, *word);
	}
	context->walks = sim->counts.walks;
	return 0;
}

/* Reads on when all has been run: 1, 0 at the end, or an error. */
static int words_read(struct dav2m_smp *smp, const struct smp_vcpu *vcpu)
{
	struct smp_context *context = &smp->context[vcpu->id];

	if (context->at < context->words)
		return 1;
	context->at = 0;
	context->words = (uint32_t)smp->config.read(smp->config.context, vcpu->domain, vcpu->index,
						    context->word, DAV2M_SMP_ROOM);
	return context->words > 0;
}

static int piece_run(struct dav2m_smp *smp, struct smp_domain *domain, struct smp_context *context)
{
	const uint64_t end = domain->sim->seen[DAV2M_SIM_FETCH] + STEP_INSTRUCTIONS;
	uint32_t words, i;
	int error = 0;

	for (i = 0; i < STEP_WORDS && domain->sim->seen[DAV2M_SIM_FETCH] < end &&
		    context->at < context->words && error == 0;
	     i++) {
		const uint64_t *word = &context->word[context->at];

		if ((*word & 3) != DAV2M_SIM_EVENT) {
			context->at++;
			error = reference_run(smp, domain, word);
			/* More than one operation: it concerns others. */
			if (smp->running->tail > 1)
				break;
			continue;
		}
		words = 1 + (uint32_t)(*word >> 8 & 0xff);
		if (words > context->words - context->at)
			return DAV2M_SIM_ERR_EVENT;
		context->at += words;
		note(domain);
		return event_run(smp, domain, word, words);
	}
	note(domain);
	return error;
}

/* Grows with the page tables that the guest, and the VMM, have given back. */
static uint64_t tables_gone(const struct smp_domain *domain)
{
	return domain->sim->guest.tables_freed + domain->sim->vmm.torn_flushes;
}

/*
 * Frames of page tables that went in a piece are reused from its end on. A kernel, and a VMM, keep
 * them until all CPUs have flushed; here the flush comes later, as operations, and nothing may walk
 * through them until then.
 */
static void walks_forget(struct dav2m_smp *smp, const struct smp_domain *domain)
{
	const struct smp_machine *machine = &smp->machine;
	uint32_t i;

	for (i = 0; i < machine->vcpus; i++)
		if (machine->vcpu[i].domain == domain->id)
			sim_mmu_forget_walks(&smp->mmu[machine->vcpu[i].pcpu]);
}

int smp_refill(void *self, struct smp_vcpu *vcpu)
{
	struct dav2m_smp *smp = self;
	struct smp_domain *domain = &smp->domain[vcpu->domain];
	const uint64_t gone = tables_gone(domain);
	int more = words_read(smp, vcpu);
	int error;

	if (more <= 0)
		return more;
	smp->running = vcpu;
	smp_context_load(smp, vcpu);
	error = piece_run(smp, domain, &smp->context[vcpu->id]);
	smp_context_save(smp, vcpu);
	if (tables_gone(domain) != gone)
		walks_forget(smp, domain);
	smp->running = NULL;
	return error < 0 ? error : 1;
}
