/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page faults and system calls of the guest's kernel; modelled on Linux 2.6: pages come in on
 * demand, an unwritten page shows the shared zero page, fork shares copy-on-write; INVLPG follows a
 * change of one page's entry, a CR3 write one of a range.
 */
#include <stdlib.h>

#include "guest_swap.h"

#define PAGE_BYTES (1ull << DAV2M_SIM_PAGE_SHIFT)

static struct sim_process *process_new(struct sim_guest *guest, uint32_t pid)
{
	struct sim_process *process = calloc(1, sizeof(*process));

	if (process == NULL)
		return NULL;
	process->pid = pid;
	sim_swap_room(guest);
	process->root = sim_table_new(&guest->memory);
	if (process->root == SIM_NO_FRAME) {
		free(process);
		return NULL;
	}
	guest->platform.frame_write(guest->platform.self, process->root);
	guest->process[pid] = process;
	process->next = guest->first;
	guest->first = process;
	guest->counts->processes++;
	return process;
}

static void process_free(struct sim_process *process)
{
	if (process != NULL)
		free(process->region);
	free(process);
}

/* Takes a process off the list of all. */
static void process_end(struct sim_guest *guest, struct sim_process *process)
{
	struct sim_process **at = &guest->first;

	while (*at != process)
		at = &(*at)->next;
	*at = process->next;
	guest->process[process->pid] = NULL;
	process_free(process);
}

static void process_run(struct sim_guest *guest, struct sim_process *process)
{
	guest->current = process;
	guest->platform.load_root(guest->platform.self, process->root);
}

int sim_guest_init(struct sim_guest *guest, const struct dav2m_sim_config *config,
		   const struct sim_platform *platform, struct dav2m_sim_counts *counts,
		   const uint64_t *instructions)
{
	int error;

	guest->instructions = instructions;
	guest->geometry = &sim_geometry[config->tables];
	guest->page = config->guest_page;
	guest->platform = *platform;
	guest->cost = config->cost;
	guest->counts = counts;
	if (sim_memory_init(&guest->memory, (uint32_t)(config->guest_bytes / PAGE_BYTES),
			    guest->geometry) < 0)
		return DAV2M_SIM_ERR_MEMORY;
	sim_memory_reserve(&guest->memory, (uint32_t)(config->kernel_bytes / PAGE_BYTES));
	error = sim_swap_init(guest, config->swap_bytes);
	if (error < 0)
		return error;
	guest->process = calloc(DAV2M_SIM_PIDS, sizeof(*guest->process));
	guest->zero_frame = sim_frame_new(&guest->memory);
	if (guest->process == NULL)
		return DAV2M_SIM_ERR_MEMORY;
	guest->current = process_new(guest, 0);
	return guest->current == NULL ? DAV2M_SIM_ERR_MEMORY : 0;
}

void sim_guest_free(struct sim_guest *guest)
{
	uint32_t pid;

	for (pid = 0; guest->process != NULL && pid < DAV2M_SIM_PIDS; pid++)
		process_free(guest->process[pid]);
	free(guest->process);
	sim_swap_free(guest);
	sim_memory_free(&guest->memory);
}

/* Tells the translation hardware that pages or tables of the running process have changed. */
static void flush(struct sim_guest *guest)
{
	guest->platform.load_root(guest->platform.self, guest->current->root);
}

/* The running process's RSS has grown by 4K pages. */
static void resident_add(struct sim_guest *guest, uint32_t pages)
{
	guest->current->resident += pages;
	if (guest->current->resident > guest->counts->resident_peak)
		guest->counts->resident_peak = guest->current->resident;
}

static uint32_t frame_get(struct sim_guest *guest, uint32_t level, uint64_t vpn)
{
	const uint32_t frame =
		level == 1 ? sim_frame_new(&guest->memory) : sim_block_new(&guest->memory, level);

	if (frame == SIM_NO_FRAME)
		return SIM_NO_FRAME;
	guest->platform.frame_write(guest->platform.self, frame);
	sim_guest_charge(guest, DAV2M_SIM_GUEST_CLEAR, 1u << sim_shift(guest->geometry, level));
	if (level == 1)
		sim_swap_page_new(guest, frame, vpn);
	return frame;
}

/* Answers 1 if a large page of that level may lie there, and there was one left. */
static int page_in_large(struct sim_guest *guest, uint64_t vpn, uint32_t level, int write)
{
	const uint32_t pages = 1u << sim_shift(guest->geometry, level);
	uint32_t table, frame;
	const uint64_t *entry;

	if (!sim_region_usual(guest->current, vpn, pages))
		return 0;
	entry = sim_entry_make(guest, guest->current->root, vpn, level, &table);
	if (entry == NULL || (*entry & SIM_P) != 0)
		return 0;
	frame = frame_get(guest, level, vpn);
	if (frame == SIM_NO_FRAME)
		return 0;
	resident_add(guest, pages);
	sim_entry_rewrite(guest, table, sim_index(guest->geometry, level, vpn),
			  SIM_ENTRY(frame, SIM_P | SIM_W | SIM_A | SIM_PS | (write ? SIM_D : 0)),
			  guest->cost->map_writes);
	return 1;
}

static int page_in_small(struct sim_guest *guest, uint64_t vpn, int write, int fetch)
{
	uint32_t table;
	uint64_t flags = write ? SIM_P | SIM_W | SIM_A | SIM_D : SIM_P | SIM_A | SIM_COW;
	const uint64_t *entry = sim_entry_make(guest, guest->current->root, vpn, 1, &table);
	const uint32_t frame = write || fetch ? frame_get(guest, 1, vpn) : guest->zero_frame;

	if (entry == NULL || frame == SIM_NO_FRAME)
		return DAV2M_SIM_ERR_GUEST_MEMORY;
	resident_add(guest, 1);
	sim_entry_rewrite(guest, table, sim_index(guest->geometry, 1, vpn), SIM_ENTRY(frame, flags),
			  guest->cost->map_writes);
	return 0;
}

static int page_in(struct sim_guest *guest, uint64_t vpn, int write, int fetch)
{
	uint32_t level;

	guest->counts->faults++;
	/* The largest that can be had. */
	for (level = (uint32_t)guest->page + 1; level > 1; level--)
		if (page_in_large(guest, vpn, level, write))
			return 0;
	return page_in_small(guest, vpn, write, fetch);
}

/* A write to a page that is shared, or was. */
static int page_unshare(struct sim_guest *guest, uint64_t vpn, uint32_t table, uint32_t level)
{
	const uint32_t index = sim_index(guest->geometry, level, vpn);
	const uint64_t entry = guest->memory.table[table][index];
	const uint64_t flags = SIM_P | SIM_W | SIM_A | SIM_D | (entry & SIM_PS);
	uint32_t frame = SIM_FRAME(entry);

	guest->counts->cow_faults++;
	if (frame == guest->zero_frame || guest->memory.refs[frame] > 1 ||
	    (level == 1 && sim_swap_page_shared(guest, frame))) {
		frame = frame_get(guest, level, vpn);
		if (frame == SIM_NO_FRAME)
			return DAV2M_SIM_ERR_GUEST_MEMORY;
		sim_page_put(guest, entry, level);
	}
	sim_entry_write(guest, table, index, SIM_ENTRY(frame, flags));
	guest->platform.invlpg(guest->platform.self, vpn);
	return 0;
}

/* A page that is in swap. A copy is made at once where a write needs one. */
static int page_swap_in(struct sim_guest *guest, uint64_t vpn, int write, uint32_t table,
			uint64_t entry)
{
	const uint32_t index = sim_index(guest->geometry, 1, vpn);
	int major, alone;
	const uint32_t frame = sim_swap_in(guest, entry, vpn, &major, &alone);
	const uint64_t flags =
		write && alone ? SIM_P | SIM_W | SIM_A | SIM_D : SIM_P | SIM_A | SIM_COW;

	if (frame == SIM_NO_FRAME)
		return DAV2M_SIM_ERR_GUEST_MEMORY;
	if (major)
		guest->counts->major_faults++;
	else
		guest->counts->swap_cache_faults++;
	resident_add(guest, 1);
	sim_entry_rewrite(guest, table, index, SIM_ENTRY(frame, flags), guest->cost->map_writes);
	return write && !alone ? page_unshare(guest, vpn, table, 1) : 0;
}

int sim_guest_fault(struct sim_guest *guest, uint64_t vpn, int write, int fetch)
{
	const uint32_t prot = sim_region_prot(guest->current, vpn);
	uint32_t table, level;
	uint64_t entry;

	if (vpn >= sim_vpns(guest->geometry))
		return DAV2M_SIM_ERR_ADDRESS;
	if (prot == DAV2M_SIM_PROT_NONE || (write && !(prot & DAV2M_SIM_PROT_WRITE)))
		return DAV2M_SIM_ERR_SEGV;
	sim_guest_charge(guest, DAV2M_SIM_GUEST_FAULT, 1);
	sim_swap_room(guest);
	entry = *sim_entry_find(&guest->memory, guest->geometry, guest->current->root, vpn, &table,
				&level);
	if (entry == 0)
		return page_in(guest, vpn, write, fetch);
	if (sim_swap_is_entry(entry))
		return page_swap_in(guest, vpn, write, table, entry);
	if (write && !(entry & SIM_W))
		return page_unshare(guest, vpn, table, level);
	/* Somebody else has mended the entry; what remains is a stale translation. */
	guest->platform.invlpg(guest->platform.self, vpn);
	return 0;
}

static int event_switch(struct sim_guest *guest, const uint64_t *argument)
{
	struct sim_process *process;

	if (argument[0] >= DAV2M_SIM_PIDS)
		return DAV2M_SIM_ERR_PROCESS;
	process = guest->process[argument[0]];
	if (process == NULL)
		process = process_new(guest, (uint32_t)argument[0]);
	if (process == NULL)
		return DAV2M_SIM_ERR_GUEST_MEMORY;
	sim_guest_charge(guest, DAV2M_SIM_GUEST_SWITCH, 1);
	guest->counts->context_switches++;
	if (process != guest->current)
		process_run(guest, process);
	return 0;
}

/* Pages that [address, address + bytes) touches. */
static int event_range(const struct sim_guest *guest, const uint64_t *argument, uint64_t *ret_first,
		       uint64_t *ret_end)
{
	const uint64_t limit = sim_vpns(guest->geometry) * PAGE_BYTES;

	if (argument[1] == 0 || argument[0] >= limit || argument[1] > limit - argument[0])
		return DAV2M_SIM_ERR_ADDRESS;
	*ret_first = argument[0] / PAGE_BYTES;
	*ret_end = (argument[0] + argument[1] + PAGE_BYTES - 1) / PAGE_BYTES;
	return 0;
}

static void range_forget(struct sim_guest *guest, uint64_t first, uint64_t end)
{
	const uint32_t tables = guest->tables_freed;
	const uint64_t pages = sim_range_unmap(guest, guest->current, first, end);

	if (pages > 0 || guest->tables_freed != tables)
		flush(guest);
}

static int event_map(struct sim_guest *guest, const uint64_t *argument)
{
	uint64_t first, end;
	const int error = event_range(guest, argument, &first, &end);

	if (error < 0)
		return error;
	sim_guest_charge(guest, DAV2M_SIM_GUEST_SYSCALL, 1);
	range_forget(guest, first, end);
	return sim_region_set(guest->current, first, end,
			      (uint32_t)argument[2] & (DAV2M_SIM_PROT_READ | DAV2M_SIM_PROT_WRITE));
}

static int event_unmap(struct sim_guest *guest, const uint64_t *argument)
{
	const uint64_t usual[3] = {argument[0], argument[1],
				   DAV2M_SIM_PROT_READ | DAV2M_SIM_PROT_WRITE};

	return event_map(guest, usual);
}

static int event_protect(struct sim_guest *guest, const uint64_t *argument)
{
	uint64_t first, end, pages;
	int error = event_range(guest, argument, &first, &end);

	if (error < 0)
		return error;
	sim_guest_charge(guest, DAV2M_SIM_GUEST_SYSCALL, 1);
	error = sim_region_set(guest->current, first, end,
			       (uint32_t)argument[2] &
				       (DAV2M_SIM_PROT_READ | DAV2M_SIM_PROT_WRITE));
	if (error < 0 || (argument[2] & DAV2M_SIM_PROT_WRITE) != 0)
		return error;
	pages = sim_range_protect(guest, guest->current->root, first, end);
	if (pages > 0)
		flush(guest);
	return 0;
}

static int event_brk(struct sim_guest *guest, const uint64_t *argument)
{
	const uint64_t end = (argument[0] + PAGE_BYTES - 1) / PAGE_BYTES;
	const uint64_t before = guest->current->brk;

	if (end > sim_vpns(guest->geometry))
		return DAV2M_SIM_ERR_ADDRESS;
	sim_guest_charge(guest, DAV2M_SIM_GUEST_SYSCALL, 1);
	guest->current->brk = end;
	if (before != 0 && end < before)
		range_forget(guest, end, before);
	return 0;
}

static int event_fork(struct sim_guest *guest, const uint64_t *argument)
{
	struct sim_process *child;
	int error;

	if (argument[0] >= DAV2M_SIM_PIDS || guest->process[argument[0]] != NULL)
		return DAV2M_SIM_ERR_PROCESS;
	child = process_new(guest, (uint32_t)argument[0]);
	if (child == NULL)
		return DAV2M_SIM_ERR_GUEST_MEMORY;
	sim_guest_charge(guest, DAV2M_SIM_GUEST_FORK, 1);
	child->brk = guest->current->brk;
	error = sim_region_copy(child, guest->current);
	if (error == 0)
		error = sim_tree_fork(guest, child);
	flush(guest); /* the parent's writable pages have become read-only */
	return error;
}

/* Frees all pages and tables of an address space but its root. */
static void space_empty(struct sim_guest *guest, struct sim_process *process)
{
	sim_range_unmap(guest, process, 0, sim_vpns(guest->geometry));
	sim_region_clear(process);
	process->brk = 0;
}

static int event_exec(struct sim_guest *guest)
{
	struct sim_process *process = guest->current;
	struct sim_process before;

	sim_swap_room(guest);
	before = *process;
	process->root = sim_table_new(&guest->memory);
	if (process->root == SIM_NO_FRAME)
		return DAV2M_SIM_ERR_GUEST_MEMORY;
	sim_guest_charge(guest, DAV2M_SIM_GUEST_EXEC, 1);
	guest->platform.frame_write(guest->platform.self, process->root);
	process_run(guest, process);
	space_empty(guest, &before);
	process->regions = 0;
	process->brk = 0;
	process->resident = 0;
	sim_table_free(&guest->memory, before.root);
	return 0;
}

static int event_exit(struct sim_guest *guest)
{
	struct sim_process *process = guest->current;

	if (process->pid == 0)
		return DAV2M_SIM_ERR_PROCESS;
	sim_guest_charge(guest, DAV2M_SIM_GUEST_EXIT, 1);
	space_empty(guest, process);
	guest->counts->context_switches++;
	process_run(guest, guest->process[0]);
	sim_table_free(&guest->memory, process->root);
	process_end(guest, process);
	return 0;
}

int sim_guest_event(struct sim_guest *guest, enum dav2m_sim_event event, const uint64_t *argument)
{
	switch (event) {
	case DAV2M_SIM_SWITCH:
		return event_switch(guest, argument);
	case DAV2M_SIM_MAP:
		return event_map(guest, argument);
	case DAV2M_SIM_UNMAP:
		return event_unmap(guest, argument);
	case DAV2M_SIM_PROTECT:
		return event_protect(guest, argument);
	case DAV2M_SIM_BRK:
		return event_brk(guest, argument);
	case DAV2M_SIM_FORK:
		return event_fork(guest, argument);
	case DAV2M_SIM_EXEC:
		return event_exec(guest);
	case DAV2M_SIM_EXIT_PROCESS:
		return event_exit(guest);
	case DAV2M_SIM_SYSCALL:
		sim_guest_charge(guest, DAV2M_SIM_GUEST_SYSCALL, argument[0]);
		return 0;
	case DAV2M_SIM_MARK:
		return 0;
	}
	return DAV2M_SIM_ERR_EVENT;
}
