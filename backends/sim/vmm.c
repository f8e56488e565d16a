/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits, nested tables and mode switches; see vmm.h.
 */
#include <string.h>

#include "vmm.h"

/* Nested tables are x86-64's, whatever the guest has. */
#define HOST_GEOMETRY (&sim_geometry[DAV2M_SIM_LEVELS_4])

static uint64_t price(const struct sim_vmm *vmm, enum dav2m_sim_item item)
{
	return vmm->cost->price[item].cycles;
}

/* Without tags, the VMM's own translations push the guest's out on every exit. */
static void world_switch(struct sim_vmm *vmm)
{
	if (!vmm->machine->tagged)
		sim_mmu_flush(vmm->mmu);
}

static void routine_take(struct sim_vmm *vmm, enum dav2m_sim_routine_id id, uint64_t calls,
			 uint64_t cycles)
{
	sim_routine_take(&vmm->routine[id], calls, cycles);
}

#define ROUTINE(name) (1u << DAV2M_SIM_ROUTINE_##name)

/* The routines that an exit is handled by, from the outermost in. */
static const uint32_t routines_of[DAV2M_SIM_EXIT_KINDS] = {
	[DAV2M_SIM_EXIT_INJECT] = ROUTINE(PAGE_FAULT) | ROUTINE(NOT_SHADOW),
	[DAV2M_SIM_EXIT_FILL] = ROUTINE(PAGE_FAULT) | ROUTINE(FAULT_FIXED),
	[DAV2M_SIM_EXIT_EMULATE] =
		ROUTINE(PAGE_FAULT) | ROUTINE(FAULT_FIXED) | ROUTINE(EMULATE_WRITE),
	[DAV2M_SIM_EXIT_UNSYNC] = ROUTINE(PAGE_FAULT) | ROUTINE(FAULT_FIXED),
	[DAV2M_SIM_EXIT_REMOVE] = ROUTINE(REMOVE_SHADOW),
	[DAV2M_SIM_EXIT_INVLPG] = ROUTINE(INVLPG),
	[DAV2M_SIM_EXIT_CR3] = ROUTINE(UPDATE_CR3),
	[DAV2M_SIM_EXIT_NESTED] = ROUTINE(NESTED_FAULT),
};

static void routines_take(struct sim_vmm *vmm, enum dav2m_sim_exit kind, uint64_t cycles)
{
	int id;

	for (id = 0; id < DAV2M_SIM_ROUTINES; id++)
		if (routines_of[kind] >> id & 1)
			routine_take(vmm, (enum dav2m_sim_routine_id)id, 1, cycles);
}

/* Cycles of making the shadow tables that have been made since there were so many. */
static uint64_t make_charge(struct sim_vmm *vmm, uint64_t made)
{
	const uint64_t tables = vmm->counts->shadow_made - made;

	routine_take(vmm, DAV2M_SIM_ROUTINE_MAKE_SHADOW, tables, price(vmm, DAV2M_SIM_MAKE));
	return tables * price(vmm, DAV2M_SIM_MAKE);
}

static void exit_charge(struct sim_vmm *vmm, enum dav2m_sim_exit kind, uint64_t handling_cycles)
{
	const uint64_t cycles = price(vmm, DAV2M_SIM_EXIT) + handling_cycles;

	vmm->counts->exits[kind]++;
	vmm->counts->cycles[DAV2M_SIM_EXITS] += cycles;
	routines_take(vmm, kind, handling_cycles);
	world_switch(vmm);
	if (kind == DAV2M_SIM_EXIT_NESTED)
		return;
	vmm->counts->paging_exit_cycles += cycles;
	if (vmm->paging_exit != NULL && vmm->paging_exit(vmm->vm))
		vmm->poked = 1;
}

/* Tables that nested paging and shadow paging of the whole guest may need at most. */
static uint32_t host_frames(const struct sim_guest *guest)
{
	const uint64_t tables = (uint64_t)guest->memory.frames * 2 + 4096;

	return tables > UINT32_MAX / 4 ? UINT32_MAX / 4 : (uint32_t)tables;
}

static void active_set(struct sim_vmm *vmm)
{
	if (vmm->mode != DAV2M_SIM_SHADOW) {
		vmm->active.memory = (struct sim_memory *)vmm->guest;
		vmm->active.root = vmm->guest_root;
		return;
	}
	vmm->active.memory = &vmm->host;
	vmm->active.root = sim_shadow_root(&vmm->shadow, vmm->guest_root);
	if (vmm->active.root == SIM_NO_FRAME && vmm->error == 0)
		vmm->error = DAV2M_SIM_ERR_MEMORY;
}

int sim_vmm_init(struct sim_vmm *vmm, const struct dav2m_sim_config *config, struct sim_mmu *mmu,
		 const struct sim_guest *guest, struct dav2m_sim_counts *counts)
{
	int error;

	vmm->mode = config->mode;
	vmm->cost = config->cost;
	vmm->machine = config->machine;
	vmm->counts = counts;
	vmm->mmu = mmu;
	vmm->guest = &guest->memory;
	vmm->geometry = guest->geometry;
	vmm->guest_root = guest->current->root;
	vmm->paging_exit = config->paging_exit;
	vmm->vm = config->vm;
	if (sim_memory_init(&vmm->host, host_frames(guest), HOST_GEOMETRY) < 0)
		return DAV2M_SIM_ERR_MEMORY;
	/* Shadow tables have the guest's shape; the host's arrays are large enough for both. */
	vmm->host.entries = sim_entries(guest->geometry) > vmm->host.entries
				    ? sim_entries(guest->geometry)
				    : vmm->host.entries;
	vmm->host_base = (vmm->host.frames + 0x3ffffu) & ~0x3ffffu; /* on a 1 GB page */
	error = sim_shadow_init(&vmm->shadow, vmm->guest, vmm->geometry, &vmm->host, vmm->cost,
				counts, vmm->host_base);
	if (error < 0)
		return error;
	vmm->nested.memory = &vmm->host;
	vmm->nested.geometry = HOST_GEOMETRY;
	vmm->nested.root = sim_table_new(&vmm->host);
	vmm->active.geometry = vmm->geometry;
	sim_mmu_geometry(mmu, vmm->geometry, vmm->cost->nested_page, vmm->mode == DAV2M_SIM_NESTED);
	active_set(vmm);
	return vmm->nested.root == SIM_NO_FRAME ? DAV2M_SIM_ERR_MEMORY : vmm->error;
}

void sim_vmm_lend(struct sim_vmm *vmm, struct sim_mmu *mmu, uint32_t guest_root)
{
	const uint64_t made = vmm->counts->shadow_made;

	vmm->mmu = mmu;
	vmm->guest_root = guest_root;
	sim_mmu_geometry(mmu, vmm->geometry, vmm->cost->nested_page, vmm->mode == DAV2M_SIM_NESTED);
	active_set(vmm);
	/* Only a switch of modes takes away the shadow of a root that is in use. */
	vmm->counts->cycles[DAV2M_SIM_SWITCHING] += make_charge(vmm, made);
}

void sim_vmm_free(struct sim_vmm *vmm)
{
	sim_shadow_free(&vmm->shadow);
	sim_memory_free(&vmm->host);
}

/* Translations made through tables that are gone must go, too. */
static void torn_flush(struct sim_vmm *vmm)
{
	if (!vmm->shadow.torn)
		return;
	sim_mmu_flush(vmm->mmu);
	vmm->torn_flushes++;
	vmm->shadow.torn = 0;
}

static void on_table_write(void *self, uint32_t table, uint32_t index)
{
	struct sim_vmm *vmm = self;

	if (vmm->mode != DAV2M_SIM_SHADOW)
		return;
	switch (sim_shadow_write(&vmm->shadow, table, index)) {
	case SIM_SHADOW_UNSEEN:
		break;
	case SIM_SHADOW_EMULATED:
		torn_flush(vmm);
		exit_charge(vmm, DAV2M_SIM_EXIT_EMULATE, price(vmm, DAV2M_SIM_EMULATE));
		break;
	case SIM_SHADOW_UNSYNCED:
		exit_charge(vmm, DAV2M_SIM_EXIT_UNSYNC, price(vmm, DAV2M_SIM_UNSYNC));
		break;
	}
}

/* The guest reuses a frame that still has a shadow: that is how the VMM learns of its end. */
static void on_frame_write(void *self, uint32_t frame)
{
	struct sim_vmm *vmm = self;

	if (vmm->mode != DAV2M_SIM_SHADOW || !sim_shadow_forget(&vmm->shadow, frame))
		return;
	vmm->shadow.torn = 1;
	torn_flush(vmm);
	exit_charge(vmm, DAV2M_SIM_EXIT_REMOVE, price(vmm, DAV2M_SIM_REMOVE));
}

static void on_invlpg(void *self, uint64_t vpn)
{
	struct sim_vmm *vmm = self;

	vmm->counts->tlb_flushes++;
	sim_mmu_invlpg(vmm->mmu, vpn);
	if (vmm->mode != DAV2M_SIM_SHADOW)
		return;
	sim_shadow_invlpg(&vmm->shadow, vmm->guest_root, vpn);
	exit_charge(vmm, DAV2M_SIM_EXIT_INVLPG, price(vmm, DAV2M_SIM_INVLPG));
}

static void on_load_root(void *self, uint32_t root)
{
	struct sim_vmm *vmm = self;
	const uint64_t made = vmm->counts->shadow_made;
	uint64_t cycles = price(vmm, DAV2M_SIM_CR3);
	uint32_t resynced;

	vmm->counts->tlb_flushes++;
	vmm->guest_root = root;
	sim_mmu_flush(vmm->mmu);
	active_set(vmm);
	if (vmm->mode != DAV2M_SIM_SHADOW)
		return;
	resynced = sim_shadow_resync(&vmm->shadow, root);
	routine_take(vmm, DAV2M_SIM_ROUTINE_RESYNC, resynced, price(vmm, DAV2M_SIM_RESYNC));
	cycles += resynced * price(vmm, DAV2M_SIM_RESYNC);
	cycles += make_charge(vmm, made);
	exit_charge(vmm, DAV2M_SIM_EXIT_CR3, cycles);
}

struct sim_platform sim_vmm_platform(struct sim_vmm *vmm)
{
	const struct sim_platform platform = {.self = vmm,
					      .table_write = on_table_write,
					      .frame_write = on_frame_write,
					      .invlpg = on_invlpg,
					      .load_root = on_load_root};

	return platform;
}

static int shadow_fault(struct sim_vmm *vmm, uint64_t vpn, int write)
{
	const uint64_t made = vmm->counts->shadow_made;
	uint64_t cycles;
	int filled = sim_shadow_fill(&vmm->shadow, vmm->guest_root, vpn, write);

	routine_take(vmm, DAV2M_SIM_ROUTINE_GUEST_WALK, 1, 0);
	if (filled < 0)
		return DAV2M_SIM_ERR_MEMORY;
	if (filled == 0) {
		exit_charge(vmm, DAV2M_SIM_EXIT_INJECT, price(vmm, DAV2M_SIM_INJECT));
		return 0;
	}
	cycles = price(vmm, DAV2M_SIM_FILL) + make_charge(vmm, made);
	exit_charge(vmm, DAV2M_SIM_EXIT_FILL, cycles);
	return 1;
}

/* Maps the nested page around a guest frame. */
static int nested_fault(struct sim_vmm *vmm, uint32_t gfn)
{
	const struct sim_geometry *g = vmm->nested.geometry;
	const uint32_t leaf = (uint32_t)vmm->cost->nested_page + 1;
	const uint32_t first = gfn & ~((1u << sim_shift(g, leaf)) - 1);
	uint32_t table = vmm->nested.root;
	uint32_t level;

	for (level = g->levels; level > leaf; level--) {
		uint64_t *entry = &vmm->host.table[table][sim_index(g, level, gfn)];

		if (!(*entry & SIM_P)) {
			const uint32_t below = sim_table_new(&vmm->host);

			if (below == SIM_NO_FRAME)
				return DAV2M_SIM_ERR_MEMORY;
			*entry = SIM_ENTRY(below, SIM_P | SIM_W | SIM_A | SIM_D);
		}
		table = SIM_FRAME(*entry);
	}
	vmm->host.table[table][sim_index(g, leaf, gfn)] = SIM_ENTRY(
		vmm->host_base + first, SIM_P | SIM_W | SIM_A | SIM_D | (leaf > 1 ? SIM_PS : 0));
	exit_charge(vmm, DAV2M_SIM_EXIT_NESTED, price(vmm, DAV2M_SIM_NESTED_FILL));
	return 1;
}

int sim_vmm_fault(struct sim_vmm *vmm, uint64_t vpn, int write, enum sim_walk_result result,
		  const struct sim_walk *walk)
{
	if (result == SIM_WALK_NESTED)
		return nested_fault(vmm, walk->frame);
	return vmm->mode == DAV2M_SIM_SHADOW ? shadow_fault(vmm, vpn, write) : 0;
}

/*
 * Nested tables describe where guest memory lies, which no switch changes: they stay. Shadow
 * tables describe what the guest meant, which nobody has followed under nested paging: coming
 * back to them they go, and the faults that fill them again are the transient.
 */
int sim_vmm_switch(struct sim_vmm *vmm, enum dav2m_mode to)
{
	uint64_t cycles = price(vmm, DAV2M_SIM_EXIT) + price(vmm, DAV2M_SIM_MODE_SWITCH);
	const uint64_t made = vmm->counts->shadow_made;

	if (to == DAV2M_SHADOW)
		cycles += sim_shadow_drop(&vmm->shadow) * price(vmm, DAV2M_SIM_DROP);
	vmm->mode = (enum dav2m_sim_mode)to;
	sim_mmu_geometry(vmm->mmu, vmm->geometry, vmm->cost->nested_page, to == DAV2M_NESTED);
	sim_mmu_flush(vmm->mmu);
	active_set(vmm);
	cycles += (vmm->counts->shadow_made - made) * price(vmm, DAV2M_SIM_MAKE);
	vmm->counts->cycles[DAV2M_SIM_SWITCHING] += cycles;
	vmm->counts->mode_switches[to]++;
	return vmm->error;
}
