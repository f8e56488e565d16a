/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulation as a whole: takes references and events from the stream and leads them through
 * TLBs, walks, VMM and guest kernel. Must not know what any of these does inside.
 */
#include <stdlib.h>
#include <string.h>

#include "run.h"

/* A reference is retried after each fault; a shadowed copy-on-write needs five rounds. */
#define ROUNDS_MAX 64

static int config_check(const struct dav2m_sim_config *config)
{
	if (config->machine == NULL || config->cost == NULL)
		return DAV2M_SIM_ERR_NULL;
	if ((unsigned)config->mode >= DAV2M_SIM_MODES ||
	    (unsigned)config->tables >= DAV2M_SIM_TABLES || config->guest_page > DAV2M_SIM_1G ||
	    (config->guest_page == DAV2M_SIM_1G && config->tables == DAV2M_SIM_LEVELS_2) ||
	    config->guest_bytes < 16ull << 20 || config->guest_bytes > 4ull << 40 ||
	    config->guest_bytes % (2ull << 20) != 0 ||
	    config->kernel_bytes > config->guest_bytes / 2 || config->swap_bytes > 4ull << 40)
		return DAV2M_SIM_ERR_RANGE;
	return 0;
}

static int parts_init(struct dav2m_sim *sim)
{
	const struct sim_platform platform = sim_vmm_platform(&sim->vmm);
	int error = sim_mmu_init(&sim->own_mmu, sim->config.machine);

	sim->mmu = &sim->own_mmu;
	if (error < 0)
		return error;
	/* Until the guest has booted, nobody watches it. */
	sim->vmm.mode = DAV2M_SIM_NATIVE;
	error = sim_guest_init(&sim->guest, &sim->config, &platform, &sim->counts,
			       &sim->seen[DAV2M_SIM_FETCH]);
	if (error < 0)
		return error;
	sim->vpns = sim_vpns(sim->guest.geometry);
	return sim_vmm_init(&sim->vmm, &sim->config, sim->mmu, &sim->guest, &sim->counts);
}

int dav2m_sim_new(const struct dav2m_sim_config *config, struct dav2m_sim **ret_sim)
{
	struct dav2m_sim *sim;
	int error;

	if (config == NULL || ret_sim == NULL)
		return DAV2M_SIM_ERR_NULL;
	error = config_check(config);
	if (error < 0)
		return error;
	sim = calloc(1, sizeof(*sim));
	if (sim == NULL)
		return DAV2M_SIM_ERR_MEMORY;
	sim->config = *config;
	sim->window_end = config->window_inst == 0 ? UINT64_MAX : config->window_inst;
	sim->due = sim->window_end;
	error = parts_init(sim);
	if (error < 0) {
		dav2m_sim_free(sim);
		return error;
	}
	*ret_sim = sim;
	return 0;
}

void dav2m_sim_free(struct dav2m_sim *sim)
{
	if (sim == NULL)
		return;
	sim_vmm_free(&sim->vmm);
	sim_guest_free(&sim->guest);
	sim_mmu_free(&sim->own_mmu);
	free(sim);
}

static void walk_charge(struct dav2m_sim *sim, const struct sim_walk *walk)
{
	const struct dav2m_sim_price *price = sim->config.cost->price;

	sim->counts.walks++;
	sim->counts.walk_refs += walk->refs;
	sim->counts.walk_cached += walk->cached;
	sim->counts.cycles[DAV2M_SIM_WALK] +=
		(uint64_t)walk->refs * price[DAV2M_SIM_WALK_REF].cycles +
		(uint64_t)walk->cached * price[DAV2M_SIM_WALK_CACHED].cycles;
}

/* After what may have exited: a poke is answered at the next point between references. */
static inline void settle(struct dav2m_sim *sim)
{
	if (sim->vmm.poked)
		sim->due = 0;
}

/* Walks, and has faults handled, until a walk comes through. */
static int translate(struct dav2m_sim *sim, uint64_t vpn, unsigned kind, struct sim_walk *ret_walk)
{
	const int write = kind == DAV2M_SIM_STORE;
	enum sim_walk_result result;
	int rounds, handled;

	for (rounds = 0; rounds < ROUNDS_MAX; rounds++) {
		result = sim_vmm_walk(&sim->vmm, vpn, write, ret_walk);
		walk_charge(sim, ret_walk);
		if (result == SIM_WALK_DONE)
			return sim->vmm.error;
		handled = sim_vmm_fault(&sim->vmm, vpn, write, result, ret_walk);
		if (handled == 0)
			handled = sim_guest_fault(&sim->guest, vpn, write, kind == DAV2M_SIM_FETCH);
		settle(sim);
		if (handled < 0)
			return handled;
	}
	return DAV2M_SIM_ERR_SEGV;
}

/* A reference that its first-level TLB's hint did not settle. */
static __attribute__((noinline)) int reference_slow(struct dav2m_sim *sim, uint64_t vpn,
						    unsigned kind)
{
	const enum dav2m_sim_stream stream =
		kind == DAV2M_SIM_FETCH ? DAV2M_SIM_CODE : DAV2M_SIM_DATA;
	const enum sim_hit hit = sim_mmu_lookup(sim->mmu, stream, vpn, kind == DAV2M_SIM_STORE);
	struct sim_walk walk;
	int error;

	if (hit == SIM_HIT_L1)
		return 0;
	if (hit != SIM_HIT_UNWRITABLE_L1)
		sim->counts.l1_misses[stream]++;
	if (hit == SIM_HIT_L2 || hit == SIM_HIT_UNWRITABLE_L2)
		sim->counts.cycles[DAV2M_SIM_WALK] +=
			sim->config.cost->price[DAV2M_SIM_TLB_L2_HIT].cycles;
	if (hit == SIM_HIT_L2)
		return 0;
	if (hit == SIM_HIT_NONE)
		sim->counts.l2_misses[stream]++;
	else
		sim->counts.dirty_walks++;
	if (vpn >= sim->vpns)
		return DAV2M_SIM_ERR_ADDRESS;
	error = translate(sim, vpn, kind, &walk);
	if (error < 0)
		return error;
	if (hit != SIM_HIT_NONE)
		sim_mmu_forget(sim->mmu, stream, vpn);
	sim_mmu_fill(sim->mmu, stream, vpn, &walk);
	return 0;
}

/* The next window is counted from here, not from where this one should have ended: one that is
   short by a few instructions is no tick to a controller, which would take two for one. */
static uint64_t next_window_end(const struct dav2m_sim *sim)
{
	const uint64_t now = sim->seen[DAV2M_SIM_FETCH], window = sim->config.window_inst;

	return sim->config.on_grid ? (now / window + 1) * window : now + window;
}

static void sampling_point(struct dav2m_sim *sim)
{
	const int at_window = sim->seen[DAV2M_SIM_FETCH] >= sim->window_end;

	if (at_window)
		sim->window_end = next_window_end(sim);
	sim->due = sim->window_end;
	sim->vmm.poked = 0;
	if (sim->config.sample != NULL)
		sim->config.sample(sim->config.vm, sim, at_window);
}

/* Answers the words of an event in *ret_words. */
static int event_run(struct dav2m_sim *sim, const uint64_t *word, size_t n, size_t *ret_words)
{
	const enum dav2m_sim_event event = (enum dav2m_sim_event)(*word >> 2 & 0x3f);
	const uint32_t arguments = (uint32_t)(*word >> 8 & 0xff);
	int error;

	if ((unsigned)event >= DAV2M_SIM_EVENTS || arguments >= n || *word >> 16 != 0 ||
	    arguments != dav2m_sim_event_arguments(event))
		return DAV2M_SIM_ERR_EVENT;
	*ret_words = 1 + arguments;
	error = sim_guest_event(&sim->guest, event, word + 1);
	settle(sim);
	return error;
}

/* Runs words up to the end, an event or an error; answers through *ret_at where it stopped. */
static int references_run(struct dav2m_sim *sim, const uint64_t *word, size_t n, size_t *ret_at)
{
	struct sim_tlb *const first[2] = {sim->mmu->l1[DAV2M_SIM_DATA][DAV2M_SIM_4K],
					  sim->mmu->l1[DAV2M_SIM_CODE][DAV2M_SIM_4K]};
	uint32_t now = sim->mmu->now;
	int error = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		const unsigned kind = word[i] & 3;
		const uint64_t key = word[i] >> 16 << 4;
		struct sim_tlb *tlb = first[(kind >> 1) & 1];
		uint32_t slot;

		if (SIM_UNLIKELY(kind == DAV2M_SIM_EVENT))
			break;
		slot = tlb->hint[sim_hash(key)];
		now++;
		if (SIM_LIKELY((tlb->tag[slot] | (kind != DAV2M_SIM_STORE)) ==
			       (key | SIM_KEY_WRITE))) {
			tlb->stamp[slot] = now;
		} else {
			sim->mmu->now = now;
			error = reference_slow(sim, key >> 4, kind);
			if (SIM_UNLIKELY(error < 0))
				break;
		}
		sim->seen[kind] += word[i] >> 2 & DAV2M_SIM_RUN_MAX;
		if (SIM_UNLIKELY(sim->seen[DAV2M_SIM_FETCH] >= sim->due))
			sampling_point(sim);
	}
	sim->mmu->now = now;
	*ret_at = i;
	return error;
}

int dav2m_sim_run(struct dav2m_sim *sim, const uint64_t *word, size_t n)
{
	size_t at = 0;
	size_t words, part;
	int error;

	if (sim == NULL || (word == NULL && n > 0))
		return DAV2M_SIM_ERR_NULL;
	while (at < n) {
		part = n - at > UINT32_MAX / 2 ? UINT32_MAX / 2 : n - at;
		if (UINT32_MAX - sim->mmu->now <= part)
			sim_mmu_rebase(sim->mmu);
		error = references_run(sim, word + at, part, &words);
		at += words;
		sim->position += words;
		if (error < 0)
			return error;
		if (words == part)
			continue;
		error = event_run(sim, word + at, n - at, &words);
		if (error < 0)
			return error;
		at += words;
		sim->position += words;
		if (sim->seen[DAV2M_SIM_FETCH] >= sim->due)
			sampling_point(sim);
	}
	return 0;
}

uint64_t dav2m_sim_position(const struct dav2m_sim *sim)
{
	return sim->position;
}

int dav2m_sim_switch(struct dav2m_sim *sim, enum dav2m_mode to)
{
	if (sim->vmm.mode == DAV2M_SIM_NATIVE || (unsigned)to >= DAV2M_MODES)
		return DAV2M_SIM_ERR_RANGE;
	return sim_vmm_switch(&sim->vmm, to);
}

enum dav2m_sim_mode dav2m_sim_mode(const struct dav2m_sim *sim)
{
	return sim->vmm.mode;
}

void dav2m_sim_count(const struct dav2m_sim *sim, struct dav2m_sim_counts *ret_counts)
{
	*ret_counts = sim->counts;
	ret_counts->loads = sim->seen[DAV2M_SIM_LOAD];
	ret_counts->stores = sim->seen[DAV2M_SIM_STORE];
	ret_counts->instructions = sim->seen[DAV2M_SIM_FETCH];
	ret_counts->cycles[DAV2M_SIM_BASE] =
		ret_counts->instructions * sim->config.cost->price[DAV2M_SIM_INSTRUCTION].cycles;
	ret_counts->resident = sim->guest.current->resident;
	ret_counts->pages = sim->guest.memory.used;
	ret_counts->pages_peak = sim->guest.memory.used_peak;
}

void dav2m_sim_routines(const struct dav2m_sim *sim, struct dav2m_sim_routine *ret_routine)
{
	memcpy(ret_routine, sim->vmm.routine, sizeof(sim->vmm.routine));
}

void dav2m_sim_routines_clear(struct dav2m_sim *sim)
{
	memset(sim->vmm.routine, 0, sizeof(sim->vmm.routine));
}

void dav2m_sim_sample(const struct dav2m_sim *sim, struct dav2m_sample *ret_sample)
{
	const struct dav2m_sim_price *price = sim->config.cost->price;
	struct dav2m_sim_counts c;
	uint64_t second_hits;

	dav2m_sim_count(sim, &c);
	second_hits = c.l1_misses[0] + c.l1_misses[1] - c.l2_misses[0] - c.l2_misses[1];
	ret_sample->value[DAV2M_PROGRESS] = c.instructions;
	ret_sample->value[DAV2M_CYCLES] = dav2m_sim_cycles(&c);
	ret_sample->value[DAV2M_TLB_MISSES] = c.l2_misses[DAV2M_SIM_DATA];
	ret_sample->value[DAV2M_WALK_CYCLES] =
		c.cycles[DAV2M_SIM_WALK] - second_hits * price[DAV2M_SIM_TLB_L2_HIT].cycles;
	ret_sample->value[DAV2M_PAGING_EXITS] = dav2m_sim_paging_exits(&c);
	ret_sample->value[DAV2M_PAGING_EXIT_CYCLES] = c.paging_exit_cycles;
	ret_sample->value[DAV2M_TLB_FLUSHES] = c.tlb_flushes;
	ret_sample->valid = DAV2M_ALL_COUNTERS;
}

void dav2m_sim_charge_sample(struct dav2m_sim *sim, int with_exit)
{
	const struct dav2m_sim_price *price = sim->config.cost->price;
	uint64_t cycles = price[DAV2M_SIM_SAMPLE].cycles;

	if (with_exit) {
		cycles += price[DAV2M_SIM_EXIT].cycles;
		if (!sim->config.machine->tagged)
			sim_mmu_flush(sim->mmu);
	}
	sim->counts.cycles[DAV2M_SIM_SAMPLING] += cycles;
	sim->counts.samples++;
}

int dav2m_sim_lookup(const struct dav2m_sim *sim, uint64_t page, uint64_t *ret_frame)
{
	const struct sim_geometry *g = sim->guest.geometry;
	const uint32_t base = sim->vmm.mode == DAV2M_SIM_NATIVE ? 0 : sim->vmm.host_base;
	uint32_t table, level;
	uint64_t entry;

	if (page >= sim_vpns(g))
		return -1;
	entry = *sim_entry_find(&sim->guest.memory, g, sim->guest.current->root, page, &table,
				&level);
	if (!(entry & SIM_P))
		return -1;
	*ret_frame = base + SIM_FRAME(entry) + (page & ((1ull << sim_shift(g, level)) - 1));
	return 0;
}

int dav2m_sim_tlb_lookup(const struct dav2m_sim *sim, enum dav2m_sim_stream stream, uint64_t page,
			 uint64_t *ret_frame)
{
	unsigned p;

	for (p = 0; p < DAV2M_SIM_PAGES; p++)
		if (sim_mmu_peek(sim->mmu, stream, p, page, ret_frame))
			return 0;
	return -1;
}
