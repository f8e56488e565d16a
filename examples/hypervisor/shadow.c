/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shadow paging: tables that lead from the guest's virtual addresses straight to physical memory,
 * made from the guest's own tables one fault at a time.
 *
 * Each shadow page stands for one guest page table (frame, level), or for a piece of one of
 * the guest's 2 MB pages ("direct"), and is kept for later use when no other shadow page
 * leads to it, so that a context switch finds its tables again.
 *
 * A shadow page is in one of two conditions. Synchronous: the guest's table is write-protected,
 * no entry says more than the guest's does. Out of sync: the guest has begun to write the table
 * and now writes freely, as it may on a real processor until it invalidates the TLB; then
 * (CR3 load: all; INVLPG: all directories and the one entry) the shadow is compared with the
 * guest's table and what differs is dropped.
 *
 * Accessed and dirty bits: an entry is made only after the guest's is marked accessed, and is
 * writable only after the guest's is marked dirty, so the first access and the first write fault.
 *
 * Every shadow entry is in at most one list: a writable leaf in its frame's "writers", an entry
 * that leads to a shadow page in that page's "parents". The links lie beside the tables.
 */
#include <string.h>

#include "hypervisor.h"

/* 8 MB of tables: enough for 16 MB of guest memory mapped sparsely and some dozen processes. When
   they run out, everything is dropped and built anew. */
#define PAGES 2048u
#define NONE  0u /* page 0 and slot 0 are never used */

struct page {
	uint32_t frame;
	uint8_t level;
	bool direct;
	bool unsync;
	uint32_t next_of_frame; /* shadow pages of the same frame */
	uint32_t next_free;	/* when it is free, or */
	uint32_t next_unsync;	/* out of sync */
	uint32_t parents;	/* first slot that leads here */
};

static uint64_t table[PAGES][512] __attribute__((aligned(4096)));
static struct page page[PAGES];
static uint32_t slot_next[PAGES * 512];
static uint32_t shadows[GUEST_FRAMES]; /* first shadow page of each guest frame */
static uint32_t writers[GUEST_FRAMES]; /* first slot that maps it writable */
static uint32_t unsync_tables, unsync_directories;
static uint32_t root, used, limit, free_list;
static struct vcpu *vcpu;

static uint64_t *slot_entry(uint32_t slot)
{
	return &table[slot / 512][slot % 512];
}

static uint32_t frame_of(uint64_t entry)
{
	return (uint32_t)(((entry & PTE_ADDRESS) - GUEST_RAM) >> 12);
}

static uint32_t child_of(uint64_t entry)
{
	return (uint32_t)(((entry & PTE_ADDRESS) - (uint64_t)table) >> 12);
}

static void list_add(uint32_t *head, uint32_t slot)
{
	slot_next[slot] = *head;
	*head = slot;
}

static void list_remove(uint32_t *head, uint32_t slot)
{
	while (*head != slot)
		head = &slot_next[*head];
	*head = slot_next[slot];
}

/* A processor may have cached what lies behind a directory entry, whatever INVLPG names. */
static void entry_clear(uint32_t slot)
{
	uint64_t *entry = slot_entry(slot);

	if (!*entry)
		return;
	if (page[slot / 512].level > 1) {
		list_remove(&page[child_of(*entry)].parents, slot);
		vcpu_flush(vcpu);
	} else if (*entry & PTE_W) {
		list_remove(&writers[frame_of(*entry)], slot);
	}
	*entry = 0;
}

static void entry_set(uint32_t slot, uint64_t value)
{
	entry_clear(slot);
	*slot_entry(slot) = value;
	if (page[slot / 512].level > 1)
		list_add(&page[child_of(value)].parents, slot);
	else if (value & PTE_W)
		list_add(&writers[frame_of(value)], slot);
}

/* Forgets every shadow table. Their memory is cleared when it is used again. */
void shadow_drop(void)
{
	memset(shadows, 0, sizeof shadows);
	memset(writers, 0, sizeof writers);
	unsync_tables = unsync_directories = root = free_list = NONE;
	used = 1;
	vcpu_flush(vcpu);
}

/* Makes the shadow tables unreachable; nothing in them is consulted until they are dropped. */
void shadow_zap(void)
{
	unsync_tables = unsync_directories = root = NONE;
}

bool shadow_is_live(void)
{
	return root != NONE;
}

static uint32_t *unsync_list(uint32_t p)
{
	return page[p].level == 1 ? &unsync_tables : &unsync_directories;
}

static void unsync_forget(uint32_t p)
{
	uint32_t *head = unsync_list(p);

	while (*head != p)
		head = &page[*head].next_unsync;
	*head = page[p].next_unsync;
	page[p].unsync = false;
}

/* Nothing leads to it and the guest is not running on it: most likely no table any more. */
static bool is_dead(uint32_t p)
{
	return p != root && page[p].parents == NONE;
}

static void page_free(uint32_t p)
{
	uint32_t *head = &shadows[page[p].frame];

	for (uint32_t i = 0; i < 512; i++)
		entry_clear(p * 512 + i);
	while (*head != p)
		head = &page[*head].next_of_frame;
	*head = page[p].next_of_frame;
	if (page[p].unsync)
		unsync_forget(p);
	page[p].next_free = free_list;
	free_list = p;
	vcpu_flush(vcpu);
}

/* Takes write access to a guest frame away from every shadow entry that has it. */
static void frame_protect(uint32_t frame)
{
	if (MUTANT(NO_WRITE_PROTECT) || writers[frame] == NONE)
		return;
	for (uint32_t slot = writers[frame]; slot != NONE; slot = slot_next[slot])
		*slot_entry(slot) &= ~(uint64_t)PTE_W;
	writers[frame] = NONE;
	vcpu_flush(vcpu);
}

static bool frame_is_protected(uint32_t frame)
{
	for (uint32_t p = shadows[frame]; p != NONE; p = page[p].next_of_frame)
		if (!page[p].direct && !page[p].unsync)
			return !MUTANT(NO_WRITE_PROTECT);
	return false;
}

static uint32_t page_allocate(void)
{
	uint32_t p = free_list;

	if (p != NONE)
		free_list = page[p].next_free;
	else if (used < limit)
		p = used++;
	else
		shadow_drop(); /* the caller starts again */
	return p;
}

/* The shadow page of a guest table, made if need be; NONE if all had to be dropped for it. */
static uint32_t page_get(uint32_t frame, int level, bool direct)
{
	uint32_t p;

	for (p = shadows[frame]; p != NONE; p = page[p].next_of_frame)
		if (page[p].level == level && page[p].direct == direct)
			return p;
	p = page_allocate();
	if (p == NONE)
		return NONE;
	page[p] = (struct page){.frame = frame,
				.level = (uint8_t)level,
				.direct = direct,
				.next_of_frame = shadows[frame]};
	memset(table[p], 0, sizeof table[p]);
	shadows[frame] = p;
	if (!direct)
		frame_protect(frame);
	return p;
}

void shadow_init(struct vcpu *v)
{
	uint64_t tables = option_number("tables", PAGES);

	vcpu = v;
	used = 1;
	limit = tables < PAGES ? (uint32_t)tables : PAGES;
}

void shadow_load_root(struct vcpu *v)
{
	if (v->guest_cr3 >= GUEST_RAM_SIZE)
		stop("guest CR3 outside its memory", v->guest_cr3);
	while (root == NONE)
		root = page_get((uint32_t)(v->guest_cr3 >> 12), 4, false);
	v->vmcb->cr3 = (uint64_t)table[root];
	v->vmcb->clean = 0;
}

static uint32_t guest_frame(uint64_t guest)
{
	return (uint32_t)((guest & PTE_ADDRESS) >> 12);
}

/* The guest's rights at this level. No writing through a leaf before it is marked dirty. */
static uint64_t rights_for(uint64_t guest, bool leaf)
{
	uint64_t rights = PTE_P | (guest & (PTE_W | PTE_U | PTE_NX));

	if (leaf && !(guest & PTE_D) && !MUTANT(WRITABLE_WITHOUT_DIRTY))
		rights &= ~(uint64_t)PTE_W;
	return rights;
}

/* A shadow leaf. The rights of a 2 MB page are in the entry that leads to its direct page. */
static uint64_t leaf_for(uint64_t guest, bool direct, uint32_t frame)
{
	uint64_t rights = direct ? PTE_P | PTE_W | PTE_U : rights_for(guest, true);

	if (frame_is_protected(frame))
		rights &= ~(uint64_t)PTE_W;
	return (GUEST_RAM + ((uint64_t)frame << 12)) | rights;
}

/* Does the shadow entry still say no more than the guest's? */
static bool still_true(const struct page *of, uint64_t shadow, uint64_t guest)
{
	bool large = of->level == 2 && (guest & PTE_LARGE);
	uint64_t rights = rights_for(guest, large || of->level == 1);
	const struct page *child;

	if (!(guest & PTE_P) || !(guest & PTE_A))
		return false;
	if (of->level == 1) /* the shadow may lack PTE_W for reasons of its own */
		return frame_of(shadow) == guest_frame(guest) &&
		       ((shadow ^ rights) & (PTE_U | PTE_NX)) == 0 && !(shadow & ~rights & PTE_W);
	child = &page[child_of(shadow)];
	return child->frame == guest_frame(guest) && child->direct == large &&
	       (shadow & ~PTE_ADDRESS) == rights;
}

static void entry_sync(uint32_t p, uint32_t index)
{
	const uint64_t *guest = guest_pointer((uint64_t)page[p].frame << 12);
	uint64_t shadow = table[p][index];

	if (shadow && !still_true(&page[p], shadow, guest[index]))
		entry_clear(p * 512 + index);
}

/* Ends the out-of-sync stay of a list of pages: compared, protected again. */
static void sync_list(uint32_t *list)
{
	while (*list != NONE) {
		uint32_t p = *list;

		if (is_dead(p)) {
			page_free(p);
			continue;
		}
		for (uint32_t i = 0; i < 512; i++)
			entry_sync(p, i);
		unsync_forget(p);
		frame_protect(page[p].frame);
	}
}

void shadow_load_cr3(struct vcpu *v, uint64_t cr3)
{
	if (!MUTANT(NO_CR3_RESYNC)) {
		sync_list(&unsync_directories);
		sync_list(&unsync_tables);
	}
	v->guest_cr3 = cr3 & PTE_ADDRESS;
	root = NONE;
	shadow_load_root(v);
	vcpu_flush(v);
}

/* The leaf shadow table through which an address goes now, or NONE. */
static uint32_t leaf_page(uint64_t address)
{
	uint32_t p = root;

	for (int level = 4; level > 1; level--) {
		uint64_t entry = table[p][address >> (12 + 9 * (level - 1)) & 511];

		if (!entry)
			return NONE;
		p = child_of(entry);
	}
	return p;
}

void shadow_invlpg(struct vcpu *v, uint64_t address)
{
	uint32_t leaf;

	if (MUTANT(NO_INVLPG_ZAP))
		return;
	sync_list(&unsync_directories);
	shadow_load_root(v);
	leaf = leaf_page(address);
	if (leaf != NONE)
		entry_clear(leaf * 512 + (uint32_t)(address >> 12 & 511));
	__asm__ volatile("invlpga" : : "a"(address), "c"(v->vmcb->asid));
}

/* The guest writes to a frame that we shadow as a page table. */
static void table_written(struct vcpu *v, uint32_t frame)
{
	uint32_t next;

	v->count.table_writes++;
	for (uint32_t p = shadows[frame]; p != NONE; p = next) {
		next = page[p].next_of_frame;
		if (page[p].direct || page[p].unsync)
			continue;
		if (is_dead(p)) {
			page_free(p);
			continue;
		}
		page[p].unsync = true;
		page[p].next_unsync = *unsync_list(p);
		*unsync_list(p) = p;
	}
}

/* As the processor would while walking: accessed at every level, dirty where it is written. */
static void mark_used(const struct walk *w, bool write)
{
	for (int level = 4; level >= w->leaf; level--)
		if (!(*w->entry[level] & PTE_A))
			*w->entry[level] |= PTE_A;
	if (write)
		*w->entry[w->leaf] |= PTE_D;
}

/* Leads from p's entry to the shadow of what the guest's entry at this level points to. */
static uint32_t descend(uint32_t p, int level, uint64_t address, const struct walk *w)
{
	uint32_t slot = p * 512 + (uint32_t)(address >> (12 + 9 * (level - 1)) & 511);
	uint64_t guest = *w->entry[level];
	bool large = w->leaf == level;
	uint32_t child = page_get(guest_frame(guest), level - 1, large);
	uint64_t want = (uint64_t)table[child] | rights_for(guest, large);

	if (child != NONE && *slot_entry(slot) != want)
		entry_set(slot, want);
	return child;
}

/* Builds the shadow path for an address. */
static void fill(struct vcpu *v, uint64_t address, const struct walk *w)
{
	uint32_t p = root;
	uint32_t slot;
	uint64_t want;

	for (int level = 4; level > 1; level--) {
		p = descend(p, level, address, w);
		if (p == NONE) {
			shadow_load_root(v);
			return; /* all was dropped: the guest faults again */
		}
	}
	slot = p * 512 + (uint32_t)(address >> 12 & 511);
	want = leaf_for(*w->entry[w->leaf], w->leaf == 2, (uint32_t)(w->gpa >> 12));
	if (*slot_entry(slot) == want) {
		v->count.spurious++;
		return;
	}
	v->count.filled++;
	entry_set(slot, want);
}

/* A #PF under shadow paging: the guest's own, or one that it must not notice. */
void shadow_fault(struct vcpu *v)
{
	uint64_t address = v->vmcb->exit_info_2;
	uint32_t access = (uint32_t)v->vmcb->exit_info_1 & (PF_WRITE | PF_USER | PF_FETCH);
	bool write = access & PF_WRITE;
	struct walk w;

	if (!walk(v->guest_cr3, address, access, &w)) {
		v->count.reflected++;
		vcpu_inject_page_fault(v, address, w.error);
		return;
	}
	if (w.gpa >= GUEST_RAM_SIZE)
		stop("guest touched memory that it does not have", w.gpa);
	mark_used(&w, write);
	if (write && frame_is_protected((uint32_t)(w.gpa >> 12)))
		table_written(v, (uint32_t)(w.gpa >> 12));
	fill(v, address, &w);
}
