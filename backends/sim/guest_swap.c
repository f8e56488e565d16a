/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page replacement, swap slots and the swap disk; see guest_swap.h.
 */
#include <stdlib.h>

#include "guest_swap.h"

/* Where a page is. The first three are lists. */
enum place { ACTIVE = 0, INACTIVE, WRITING, NOWHERE };
#define LISTS 3

/* First of the priorities of a reclaim: at each, a 2^priority-th of a list is looked at
   (DEF_PRIORITY). */
#define PRIORITY_FIRST 12
/* Fewest pages looked at (SWAP_CLUSTER_MAX). */
#define SCAN_LEAST     32u
/* Slots read at once: 2^page_cluster, 8 with 16 MB of memory or more (swap_setup). */
#define READ_AROUND    8u
/* Frames that one fault needs: a page, a table per level, and pages read with it. */
#define ROOM_FRAMES    16u

#define NO_SLOT UINT32_MAX

struct page {
	uint64_t vpn;
	uint64_t written_at; /* WRITING: the time when the disk is done with it */
	uint32_t pid;	     /* a process that maps it, most likely */
	uint32_t slot;	     /* or NO_SLOT */
	uint8_t place;
	uint8_t dirty; /* the slot does not hold what the page does */
};

struct link {
	uint32_t next;
	uint32_t before;
};

struct slot {
	uint32_t uses;	/* entries that say that their page is here */
	uint32_t frame; /* that holds the same page; SIM_NO_FRAME: none */
};

struct sim_swap {
	struct page *page; /* by frame */
	struct link *link; /* by frame; the lists' heads come after them */
	uint32_t heads;	   /* frames: index of the first head */
	uint32_t pages[LISTS];
	struct slot *slot;
	uint32_t slots;
	uint32_t used;	    /* slots */
	uint32_t next_slot; /* where the search for a free one begins */
	uint32_t disk_slot; /* that the disk's head has come to */
	uint64_t disk_time; /* when the disk will have done all it has been asked for */
	uint32_t watermark_min;
	uint32_t watermark_low;
	uint32_t watermark_high;
};

static uint32_t square_root(uint64_t n)
{
	uint32_t root = 0, bit;

	for (bit = 1u << 31; bit > 0; bit >>= 1)
		if ((uint64_t)(root | bit) * (root | bit) <= n)
			root |= bit;
	return root;
}

/* min_free_kbytes is sqrt(16 * memory in KB); low and high are 1.25 and 1.5 of it. */
static void watermarks_set(struct sim_swap *swap, uint32_t frames)
{
	swap->watermark_min = square_root((uint64_t)frames * 4 * 16) / 4;
	swap->watermark_low = swap->watermark_min + swap->watermark_min / 4;
	swap->watermark_high = swap->watermark_min + swap->watermark_min / 2;
}

static void lists_init(struct sim_swap *swap, uint32_t frames)
{
	uint32_t i;

	swap->heads = frames;
	for (i = 0; i < LISTS; i++)
		swap->link[frames + i].next = swap->link[frames + i].before = frames + i;
	for (i = 0; i < frames; i++) {
		swap->page[i].place = NOWHERE;
		swap->page[i].slot = NO_SLOT;
	}
}

int sim_swap_init(struct sim_guest *guest, uint64_t swap_bytes)
{
	const uint32_t frames = guest->memory.frames;
	struct sim_swap *swap;

	if (swap_bytes == 0)
		return 0;
	guest->swap = swap = calloc(1, sizeof(*swap));
	if (swap == NULL)
		return DAV2M_SIM_ERR_MEMORY;
	swap->slots = (uint32_t)(swap_bytes >> DAV2M_SIM_PAGE_SHIFT);
	swap->disk_slot = swap->slots; /* somewhere else */
	swap->page = calloc(frames, sizeof(*swap->page));
	swap->link = calloc((size_t)frames + LISTS, sizeof(*swap->link));
	swap->slot = calloc(swap->slots, sizeof(*swap->slot));
	if (swap->page == NULL || swap->link == NULL || swap->slot == NULL)
		return DAV2M_SIM_ERR_MEMORY;
	watermarks_set(swap, frames);
	lists_init(swap, frames);
	return 0;
}

void sim_swap_free(struct sim_guest *guest)
{
	if (guest->swap == NULL)
		return;
	free(guest->swap->page);
	free(guest->swap->link);
	free(guest->swap->slot);
	free(guest->swap);
	guest->swap = NULL;
}

/* Lists */

static void page_leave(struct sim_swap *swap, uint32_t frame)
{
	const struct link *link = &swap->link[frame];

	if (swap->page[frame].place == NOWHERE)
		return;
	swap->link[link->before].next = link->next;
	swap->link[link->next].before = link->before;
	swap->pages[swap->page[frame].place]--;
	swap->page[frame].place = NOWHERE;
}

/* To the head of a list; reclaim looks at its tail. */
static void page_enter(struct sim_swap *swap, uint32_t frame, enum place place)
{
	const uint32_t head = swap->heads + place;
	struct link *link = &swap->link[frame];

	page_leave(swap, frame);
	link->next = swap->link[head].next;
	link->before = head;
	swap->link[link->next].before = frame;
	swap->link[head].next = frame;
	swap->page[frame].place = (uint8_t)place;
	swap->pages[place]++;
}

static uint32_t list_tail(const struct sim_swap *swap, enum place place)
{
	return swap->link[swap->heads + place].before;
}

/* The disk. It serves one request after another, in the order in which they come. */

/*
 * The guest's time: what the same run takes natively, TLB misses left out. The same in every
 * paging mode, so that the guest does the same in every mode.
 */
static uint64_t now(const struct sim_guest *guest)
{
	return *guest->instructions * guest->cost->price[DAV2M_SIM_INSTRUCTION].cycles +
	       guest->counts->cycles[DAV2M_SIM_FAULT] + guest->counts->cycles[DAV2M_SIM_SWAP];
}

/* Adds a transfer to the disk's work and answers when it will be done. */
static uint64_t disk_transfer(struct sim_guest *guest, uint32_t slot)
{
	struct sim_swap *swap = guest->swap;
	const uint64_t begin = now(guest);

	if (swap->disk_time < begin)
		swap->disk_time = begin;
	/* Slots just ahead pass under the head. */
	if (slot - swap->disk_slot >= READ_AROUND)
		swap->disk_time += guest->cost->price[DAV2M_SIM_SWAP_SEEK].cycles;
	swap->disk_time += guest->cost->price[DAV2M_SIM_SWAP_PAGE].cycles;
	swap->disk_slot = slot + 1;
	return swap->disk_time;
}

static void disk_wait(struct sim_guest *guest, uint64_t until)
{
	const uint64_t begin = now(guest);

	if (until > begin)
		guest->counts->cycles[DAV2M_SIM_SWAP] += until - begin;
}

/* Slots */

static uint32_t slot_new(struct sim_guest *guest)
{
	struct sim_swap *swap = guest->swap;
	uint32_t slot = swap->next_slot;

	if (swap->used == swap->slots)
		return NO_SLOT;
	while (swap->slot[slot].uses > 0 || swap->slot[slot].frame != SIM_NO_FRAME)
		slot = slot + 1 < swap->slots ? slot + 1 : 0;
	swap->next_slot = slot + 1 < swap->slots ? slot + 1 : 0;
	swap->used++;
	guest->counts->swap_pages = swap->used;
	if (swap->used > guest->counts->swap_pages_peak)
		guest->counts->swap_pages_peak = swap->used;
	return slot;
}

static void slot_settle(struct sim_guest *guest, uint32_t slot)
{
	struct sim_swap *swap = guest->swap;

	if (swap->slot[slot].uses == 0 && swap->slot[slot].frame == SIM_NO_FRAME)
		guest->counts->swap_pages = --swap->used;
}

/* Takes a page out of the swap cache. */
static void cache_drop(struct sim_guest *guest, uint32_t frame)
{
	struct page *page = &guest->swap->page[frame];

	if (page->slot == NO_SLOT)
		return;
	guest->swap->slot[page->slot].frame = SIM_NO_FRAME;
	slot_settle(guest, page->slot);
	page->slot = NO_SLOT;
}

static void page_free(struct sim_guest *guest, uint32_t frame)
{
	page_leave(guest->swap, frame);
	cache_drop(guest, frame);
	sim_frame_free(&guest->memory, frame);
}

void sim_swap_page_new(struct sim_guest *guest, uint32_t frame, uint64_t vpn)
{
	struct page *page;

	if (guest->swap == NULL)
		return;
	page = &guest->swap->page[frame];
	page->vpn = vpn;
	page->pid = guest->current->pid;
	page->slot = NO_SLOT;
	page->dirty = 0;
	page_enter(guest->swap, frame, ACTIVE);
}

int sim_swap_page_shared(const struct sim_guest *guest, uint32_t frame)
{
	const struct sim_swap *swap = guest->swap;

	return swap != NULL && swap->page[frame].slot != NO_SLOT &&
	       swap->slot[swap->page[frame].slot].uses > 0;
}

int sim_swap_page_keep(struct sim_guest *guest, uint32_t frame)
{
	if (guest->swap == NULL)
		return 0;
	if (sim_swap_page_shared(guest, frame))
		return 1;
	page_leave(guest->swap, frame);
	cache_drop(guest, frame);
	return 0;
}

void sim_swap_entry_copy(struct sim_guest *guest, uint64_t entry)
{
	guest->swap->slot[SIM_FRAME(entry)].uses++;
}

void sim_swap_entry_put(struct sim_guest *guest, uint64_t entry)
{
	struct slot *slot = &guest->swap->slot[SIM_FRAME(entry)];

	if (--slot->uses > 0)
		return;
	if (slot->frame == SIM_NO_FRAME)
		slot_settle(guest, SIM_FRAME(entry));
	else if (guest->memory.refs[slot->frame] == 0)
		page_free(guest, slot->frame);
}

/* Mappings of a page. A page that fork has shared is at the same address in each process. */

typedef uint64_t mapping_visit(struct sim_guest *guest, struct sim_process *process, uint32_t table,
			       uint64_t vpn);

/* Answers 1 and what the visit answered if the process maps the frame. */
static int mapping_try(struct sim_guest *guest, struct sim_process *process, uint32_t frame,
		       mapping_visit *visit, uint64_t *flags)
{
	const uint64_t vpn = guest->swap->page[frame].vpn;
	uint32_t table, level;
	const uint64_t entry = *sim_entry_find(&guest->memory, guest->geometry, process->root, vpn,
					       &table, &level);

	if (level != 1 || !(entry & SIM_P) || SIM_FRAME(entry) != frame)
		return 0;
	guest->swap->page[frame].pid = process->pid;
	*flags |= visit(guest, process, table, vpn);
	return 1;
}

/* Visits all entries that map a frame and answers the sum of the answers. */
static uint64_t mappings_visit(struct sim_guest *guest, uint32_t frame, mapping_visit *visit)
{
	uint32_t left = guest->memory.refs[frame];
	struct sim_process *process = guest->process[guest->swap->page[frame].pid];
	uint64_t flags = 0;

	if (left == 1 && process != NULL && mapping_try(guest, process, frame, visit, &flags))
		return flags;
	for (process = guest->first; left > 0 && process != NULL; process = process->next)
		left -= (uint32_t)mapping_try(guest, process, frame, visit, &flags);
	return flags;
}

static uint64_t accessed_clear(struct sim_guest *guest, struct sim_process *process, uint32_t table,
			       uint64_t vpn)
{
	const uint32_t index = sim_index(guest->geometry, 1, vpn);
	const uint64_t entry = guest->memory.table[table][index];

	(void)process;
	if ((entry & SIM_A) != 0)
		sim_entry_write(guest, table, index, entry & ~SIM_A);
	return entry & SIM_A;
}

static uint64_t page_unmap(struct sim_guest *guest, struct sim_process *process, uint32_t table,
			   uint64_t vpn)
{
	const uint32_t index = sim_index(guest->geometry, 1, vpn);
	const uint64_t entry = guest->memory.table[table][index];
	const uint32_t slot = guest->swap->page[SIM_FRAME(entry)].slot;

	sim_entry_write(guest, table, index, SIM_ENTRY(slot, SIM_SWAPPED));
	guest->swap->slot[slot].uses++;
	guest->memory.refs[SIM_FRAME(entry)]--;
	process->resident--;
	return entry & SIM_D;
}

static int page_referenced(struct sim_guest *guest, uint32_t frame)
{
	sim_guest_charge(guest, DAV2M_SIM_GUEST_PTE, 1);
	return mappings_visit(guest, frame, accessed_clear) != 0;
}

/* Reclaim */

/* Looks at the tail of the active list; what was not used goes to the inactive one. */
static void active_age(struct sim_guest *guest, uint32_t pages)
{
	struct sim_swap *swap = guest->swap;

	for (; pages > 0 && swap->pages[ACTIVE] > 0; pages--) {
		const uint32_t frame = list_tail(swap, ACTIVE);

		page_enter(swap, frame, page_referenced(guest, frame) ? ACTIVE : INACTIVE);
	}
}

static void page_write(struct sim_guest *guest, uint32_t frame)
{
	struct page *page = &guest->swap->page[frame];

	page->dirty = 0;
	page->written_at = disk_transfer(guest, page->slot);
	page_enter(guest->swap, frame, WRITING);
	guest->counts->swap_writes++;
}

/* An inactive page that nobody has used. */
static void page_evict(struct sim_guest *guest, uint32_t frame)
{
	struct page *page = &guest->swap->page[frame];

	if (page->slot == NO_SLOT) {
		page->slot = slot_new(guest);
		page->dirty = 1;
		if (page->slot == NO_SLOT) {
			page_enter(guest->swap, frame, ACTIVE);
			return;
		}
		guest->swap->slot[page->slot].frame = frame;
	}
	if (mappings_visit(guest, frame, page_unmap) != 0)
		page->dirty = 1;
	if (page->dirty)
		page_write(guest, frame);
	else
		page_free(guest, frame);
}

static void inactive_shrink(struct sim_guest *guest, uint32_t pages)
{
	struct sim_swap *swap = guest->swap;

	for (; pages > 0 && swap->pages[INACTIVE] > 0; pages--) {
		const uint32_t frame = list_tail(swap, INACTIVE);

		if (page_referenced(guest, frame))
			page_enter(swap, frame, ACTIVE);
		else
			page_evict(guest, frame);
	}
}

/* Frames that are free, or will be as soon as the disk is done. */
static uint32_t frames_coming(const struct sim_guest *guest)
{
	return sim_memory_free_frames(&guest->memory) + guest->swap->pages[WRITING];
}

static uint32_t scan_pages(uint32_t pages, uint32_t priority)
{
	return pages >> priority > SCAN_LEAST ? pages >> priority : SCAN_LEAST;
}

static uint32_t scan_step(uint32_t *left)
{
	const uint32_t pages = *left < SCAN_LEAST ? *left : SCAN_LEAST;

	*left -= pages;
	return pages;
}

/* Looks at a part of both lists as they are now, by turns (shrink_zone). */
static void lists_scan(struct sim_guest *guest, uint32_t priority)
{
	const struct sim_swap *swap = guest->swap;
	uint32_t active = scan_pages(swap->pages[ACTIVE], priority);
	uint32_t inactive = scan_pages(swap->pages[INACTIVE], priority);

	while (active > 0 || inactive > 0) {
		active_age(guest, scan_step(&active));
		inactive_shrink(guest, scan_step(&inactive));
	}
}

/*
 * A run of kswapd. It has no address space, so that its first change of another's tables makes
 * it give up the borrowed one (flush_tlb_page of an SMP kernel calls leave_mm); the process gets
 * its own back when it goes on. That is two CR3 writes, and no INVLPG.
 */
static void kswapd_run(struct sim_guest *guest)
{
	const struct sim_swap *swap = guest->swap;
	uint32_t priority = PRIORITY_FIRST + 1;

	guest->counts->context_switches += 2;
	sim_guest_charge(guest, DAV2M_SIM_GUEST_SWITCH, 2);
	guest->platform.load_root(guest->platform.self, guest->process[0]->root);
	while (priority-- > 0 && frames_coming(guest) < swap->watermark_high)
		lists_scan(guest, priority);
	guest->platform.load_root(guest->platform.self, guest->current->root);
}

/* Frees what the disk has written by a time. */
static void writes_end(struct sim_guest *guest, uint64_t time)
{
	struct sim_swap *swap = guest->swap;

	while (swap->pages[WRITING] > 0) {
		const uint32_t frame = list_tail(swap, WRITING);

		if (swap->page[frame].written_at > time)
			break;
		page_free(guest, frame);
	}
}

void sim_swap_room(struct sim_guest *guest)
{
	struct sim_swap *swap = guest->swap;

	if (swap == NULL)
		return;
	writes_end(guest, now(guest));
	if (frames_coming(guest) < swap->watermark_low)
		kswapd_run(guest);
	while (sim_memory_free_frames(&guest->memory) < swap->watermark_min &&
	       swap->pages[WRITING] > 0) {
		disk_wait(guest, swap->page[list_tail(swap, WRITING)].written_at);
		writes_end(guest, now(guest));
	}
}

/* Reading */

/* Reads a slot's page into the swap cache. Answers its frame, or SIM_NO_FRAME. */
static uint32_t slot_read(struct sim_guest *guest, uint32_t slot, uint64_t vpn)
{
	const uint32_t frame = sim_frame_new(&guest->memory);

	if (frame == SIM_NO_FRAME)
		return SIM_NO_FRAME;
	guest->platform.frame_write(guest->platform.self, frame);
	sim_swap_page_new(guest, frame, vpn);
	guest->memory.refs[frame] = 0;
	guest->swap->page[frame].slot = slot;
	guest->swap->slot[slot].frame = frame;
	guest->counts->swap_reads++;
	return frame;
}

/*
 * Reads a slot and those around it in one go. Whose page a neighbour is becomes known when it
 * is mapped.
 */
static uint32_t slots_read(struct sim_guest *guest, uint32_t slot, uint64_t vpn)
{
	struct sim_swap *swap = guest->swap;
	const uint32_t frame = slot_read(guest, slot, vpn);
	const uint32_t first = slot & ~(READ_AROUND - 1);
	uint64_t done = 0;
	uint32_t at;

	if (frame == SIM_NO_FRAME)
		return SIM_NO_FRAME;
	for (at = first; at < first + READ_AROUND && at < swap->slots; at++) {
		const int wanted = at != slot && swap->slot[at].uses > 0 &&
				   swap->slot[at].frame == SIM_NO_FRAME &&
				   sim_memory_free_frames(&guest->memory) > ROOM_FRAMES;

		if (at == slot || (wanted && slot_read(guest, at, 0) != SIM_NO_FRAME))
			done = disk_transfer(guest, at);
	}
	disk_wait(guest, done);
	return frame;
}

uint32_t sim_swap_in(struct sim_guest *guest, uint64_t entry, uint64_t vpn, int *ret_major,
		     int *ret_alone)
{
	struct sim_swap *swap = guest->swap;
	const uint32_t slot = SIM_FRAME(entry);
	uint32_t frame = swap->slot[slot].frame;

	*ret_major = frame == SIM_NO_FRAME;
	if (*ret_major)
		frame = slots_read(guest, slot, vpn);
	if (frame == SIM_NO_FRAME)
		return SIM_NO_FRAME;
	page_enter(swap, frame, ACTIVE);
	swap->page[frame].vpn = vpn;
	swap->page[frame].pid = guest->current->pid;
	swap->slot[slot].uses--;
	*ret_alone = ++guest->memory.refs[frame] == 1 && swap->slot[slot].uses == 0;
	/* With swap half full, a slot is worth more than a write saved (vm_swap_full). */
	if (*ret_alone && swap->used > swap->slots / 2)
		cache_drop(guest, frame);
	return frame;
}
