/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLB arrays, walk caches and walks of one processor; see mmu.h.
 */
#include "mmu.h"

static int array_valid(const struct dav2m_sim_array *array)
{
	const uint32_t most = array->level == 1 ? SIM_SLOTS - 1 : (uint32_t)UINT16_MAX;
	const uint32_t sets = array->ways == 0 ? 0 : array->entries / array->ways;

	return (array->level == 1 || array->level == 2) && array->entries >= 1 &&
	       array->entries <= most && sets >= 1 && sets * array->ways == array->entries &&
	       (sets & (sets - 1)) == 0 && array->streams != 0 &&
	       array->streams < 1 << DAV2M_SIM_STREAMS && array->pages != 0 &&
	       array->pages < 1 << DAV2M_SIM_PAGES;
}

/* Enters an array for each stream and page size that it serves; 0 if another one has the place. */
static int array_enter(struct sim_mmu *mmu, const struct dav2m_sim_array *array,
		       struct sim_tlb *first, struct sim_sets *second)
{
	int s, p;

	for (s = 0; s < DAV2M_SIM_STREAMS; s++) {
		for (p = 0; p < DAV2M_SIM_PAGES; p++) {
			if (!(array->streams >> s & 1) || !(array->pages >> p & 1))
				continue;
			if (first != NULL ? mmu->l1[s][p] != NULL : mmu->l2[s][p] != NULL)
				return 0;
			if (first != NULL)
				mmu->l1[s][p] = first;
			else
				mmu->l2[s][p] = second;
		}
	}
	return 1;
}

static int array_add(struct sim_mmu *mmu, const struct dav2m_sim_array *array)
{
	struct sim_sets *second = &mmu->second[mmu->second_arrays];
	struct sim_tlb *first = &mmu->firsts[mmu->first_arrays];

	if (!array_valid(array))
		return DAV2M_SIM_ERR_MACHINE;
	if (array->level == 1) {
		sim_tlb_init(first, array->entries, array->ways);
		mmu->first_arrays++;
		return array_enter(mmu, array, first, NULL) ? 0 : DAV2M_SIM_ERR_MACHINE;
	}
	if (sim_sets_init(second, array->entries, array->ways) < 0)
		return DAV2M_SIM_ERR_MEMORY;
	mmu->second_arrays++;
	return array_enter(mmu, array, NULL, second) ? 0 : DAV2M_SIM_ERR_MACHINE;
}

static int arrays_add(struct sim_mmu *mmu, const struct dav2m_sim_machine *machine)
{
	size_t i;
	int error;

	for (i = 0; i < DAV2M_SIM_ARRAYS && machine->array[i].level != 0; i++) {
		error = array_add(mmu, &machine->array[i]);
		if (error < 0)
			return error;
	}
	/* Every reference needs somewhere to look first. */
	if (mmu->l1[DAV2M_SIM_DATA][DAV2M_SIM_4K] == NULL ||
	    mmu->l1[DAV2M_SIM_CODE][DAV2M_SIM_4K] == NULL)
		return DAV2M_SIM_ERR_MACHINE;
	return 0;
}

static struct sim_tlb *cache_add(struct sim_tlb *cache, uint32_t entries)
{
	if (entries == 0)
		return NULL;
	sim_tlb_init(cache, entries, entries);
	return cache;
}

int sim_mmu_init(struct sim_mmu *mmu, const struct dav2m_sim_machine *machine)
{
	int error;

	memset(mmu, 0, sizeof(*mmu));
	if (machine->walk_entries >= SIM_SLOTS || machine->nested_entries >= SIM_SLOTS)
		return DAV2M_SIM_ERR_MACHINE;
	mmu->firsts = malloc(DAV2M_SIM_ARRAYS * sizeof(*mmu->firsts));
	mmu->caches = malloc(2 * sizeof(*mmu->caches));
	if (mmu->firsts == NULL || mmu->caches == NULL) {
		sim_mmu_free(mmu);
		return DAV2M_SIM_ERR_MEMORY;
	}
	error = arrays_add(mmu, machine);
	if (error < 0) {
		sim_mmu_free(mmu);
		return error;
	}
	mmu->walk_cache = cache_add(&mmu->caches[0], machine->walk_entries);
	mmu->nested_tlb = cache_add(&mmu->caches[1], machine->nested_entries);
	return 0;
}

void sim_mmu_free(struct sim_mmu *mmu)
{
	uint32_t i;

	for (i = 0; i < mmu->second_arrays; i++)
		sim_sets_free(&mmu->second[i]);
	free(mmu->firsts);
	free(mmu->caches);
	memset(mmu, 0, sizeof(*mmu));
}

static uint8_t smaller(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

void sim_mmu_forget_walks(struct sim_mmu *mmu)
{
	if (mmu->walk_cache != NULL)
		sim_tlb_flush(mmu->walk_cache);
}

void sim_mmu_flush(struct sim_mmu *mmu)
{
	uint32_t i;

	for (i = 0; i < mmu->first_arrays; i++)
		sim_tlb_flush(&mmu->firsts[i]);
	for (i = 0; i < mmu->second_arrays; i++)
		sim_sets_flush(&mmu->second[i]);
	sim_mmu_forget_walks(mmu);
	if (mmu->nested_tlb != NULL)
		sim_tlb_flush(mmu->nested_tlb);
	mmu->large = 0;
	mmu->splintered = 0;
}

static void entry_remove(struct sim_mmu *mmu, unsigned stream, unsigned page_class, uint64_t vpn)
{
	const uint64_t key = sim_key(vpn >> mmu->shift[page_class], page_class);

	if (mmu->l1[stream][page_class] != NULL)
		sim_tlb_remove(mmu->l1[stream][page_class], key);
	if (mmu->l2[stream][page_class] != NULL)
		sim_sets_remove(mmu->l2[stream][page_class], key);
}

/*
 * Also empties the page-walk cache, as INVLPG does on x86. Where a large page has been taken in
 * in pieces, INVLPG has to remove them all; flushing everything is the simple way to that.
 */
void sim_mmu_invlpg(struct sim_mmu *mmu, uint64_t vpn)
{
	unsigned s, p;

	if (mmu->splintered) {
		sim_mmu_flush(mmu);
		return;
	}
	for (s = 0; s < DAV2M_SIM_STREAMS; s++)
		for (p = 0; p < DAV2M_SIM_PAGES; p++)
			entry_remove(mmu, s, p, vpn);
	sim_mmu_forget_walks(mmu);
}

void sim_mmu_rebase(struct sim_mmu *mmu)
{
	uint32_t i;

	for (i = 0; i < mmu->first_arrays; i++)
		sim_tlb_rebase(&mmu->firsts[i]);
	mmu->now = SIM_SLOTS;
}

/*
 * Nearly every guest has this geometry. The walks below are compiled for it as a constant, too:
 * knowing the shifts and the trip count takes a third of their instructions away.
 */
static const struct sim_geometry four_levels = {4, 9};

/* Host frame of a guest frame; 0 and *ret_shift, or -1 when it has no nested entry. */
static inline int nested_frame(struct sim_mmu *mmu, const struct sim_space *nested, uint32_t gfn,
			       struct sim_walk *walk, uint32_t *ret_frame, uint8_t *ret_shift)
{
	const uint64_t key = sim_key(gfn >> mmu->nested_shift, 0);
	const uint32_t offset = gfn & ((1u << mmu->nested_shift) - 1);
	const struct sim_geometry *g = &four_levels; /* nested tables are the host's */
	uint32_t table = nested->root;
	uint32_t level = g->levels;
	uint64_t entry;
	int slot;

	*ret_shift = mmu->nested_shift;
	if (mmu->nested_tlb != NULL) {
		slot = sim_tlb_use(mmu->nested_tlb, key);
		if (slot >= 0) {
			walk->cached++;
			*ret_frame = mmu->nested_tlb->frame[slot] + offset;
			return 0;
		}
	}
	for (;; level--) {
		entry = nested->memory->table[table][sim_index(g, level, gfn)];
		walk->refs++;
		if (!(entry & SIM_P))
			return -1;
		if (level == 1 || (entry & SIM_PS) != 0)
			break;
		table = SIM_FRAME(entry);
	}
	*ret_frame = SIM_FRAME(entry) + offset;
	if (mmu->nested_tlb != NULL)
		sim_tlb_put(mmu->nested_tlb, key, SIM_FRAME(entry));
	return 0;
}

/* Where the walk may begin: the lowest table that the page-walk cache knows. */
static inline uint32_t walk_begin(struct sim_tlb *cache, const struct sim_space *space,
				  const struct sim_geometry *g, uint64_t vpn, struct sim_walk *walk,
				  uint32_t *ret_table)
{
	uint32_t level;
	int slot;

	for (level = 2; cache != NULL && level <= g->levels; level++) {
		slot = sim_tlb_use(cache, sim_key((vpn >> sim_shift(g, level)) << 3 | level, 0));
		if (slot >= 0) {
			walk->cached++;
			*ret_table = cache->frame[slot];
			return level - 1;
		}
	}
	*ret_table = space->root;
	return g->levels;
}

static inline void entry_mark(uint64_t *entry, uint64_t flags)
{
	if ((*entry & flags) != flags)
		*entry |= flags;
}

static inline __attribute__((always_inline)) enum sim_walk_result
walk(struct sim_mmu *mmu, struct sim_tlb *cache, const struct sim_space *space,
     const struct sim_geometry *g, const struct sim_space *nested, uint64_t vpn, int write,
     struct sim_walk *ret_walk)
{
	uint64_t *const *tables = space->memory->table;
	uint32_t table, begin, level, gfn, ignored;
	uint64_t *entry;
	uint8_t shift;

	ret_walk->refs = ret_walk->cached = 0;
	begin = walk_begin(cache, space, g, vpn, ret_walk, &table);
	entry = tables[table];
	/* From the top, so that the compiler can lay out the levels one after another. */
#pragma GCC unroll 4
	for (level = g->levels; level > 0; level--) {
		if (level > begin)
			continue;
		if (nested != NULL &&
		    nested_frame(mmu, nested, table, ret_walk, &ignored, &shift) < 0) {
			ret_walk->frame = table;
			return SIM_WALK_NESTED;
		}
		entry = &tables[table][sim_index(g, level, vpn)];
		ret_walk->refs++;
		if (!(*entry & SIM_P))
			return SIM_WALK_FAULT;
		if (level == 1 || (*entry & SIM_PS) != 0)
			break;
		entry_mark(entry, SIM_A);
		table = SIM_FRAME(*entry);
		if (cache != NULL)
			sim_tlb_put(cache, sim_key((vpn >> sim_shift(g, level)) << 3 | level, 0),
				    table);
	}
	if (write && !(*entry & SIM_W))
		return SIM_WALK_FAULT;
	ret_walk->page_shift = ret_walk->shift = (uint8_t)sim_shift(g, level);
	gfn = SIM_FRAME(*entry) + (uint32_t)(vpn & ((1ull << ret_walk->shift) - 1));
	if (nested != NULL) {
		if (nested_frame(mmu, nested, gfn, ret_walk, &ret_walk->frame, &shift) < 0) {
			ret_walk->frame = gfn;
			return SIM_WALK_NESTED;
		}
		ret_walk->shift = smaller(ret_walk->shift, shift);
	} else {
		ret_walk->frame = gfn;
	}
	entry_mark(entry, write ? SIM_A | SIM_D : SIM_A);
	ret_walk->writable = (*entry & (SIM_W | SIM_D)) == (SIM_W | SIM_D);
	return SIM_WALK_DONE;
}

/* Each of these is a compilation of walk() of its own; nested_or_null: NULL for a 1-D walk. */
#define WALK(name, cache, geometry, nested_or_null)                                                \
	static enum sim_walk_result name(struct sim_mmu *mmu, const struct sim_space *space,       \
					 const struct sim_space *nested, uint64_t vpn, int write,  \
					 struct sim_walk *ret_walk)                                \
	{                                                                                          \
		(void)nested;                                                                      \
		return walk(mmu, cache, space, geometry, nested_or_null, vpn, write, ret_walk);    \
	}

WALK(walk_four, mmu->walk_cache, &four_levels, NULL)
WALK(walk_four_bare, NULL, &four_levels, NULL)
WALK(walk_four_nested, mmu->walk_cache, &four_levels, nested)
WALK(walk_any, mmu->walk_cache, space->geometry, NULL)
WALK(walk_any_nested, mmu->walk_cache, space->geometry, nested)

static sim_walker *walker_of(const struct sim_mmu *mmu, const struct sim_geometry *g, int nested)
{
	if (g->levels != four_levels.levels || g->bits != four_levels.bits)
		return nested ? walk_any_nested : walk_any;
	if (nested)
		return walk_four_nested;
	return mmu->walk_cache != NULL ? walk_four : walk_four_bare;
}

void sim_mmu_geometry(struct sim_mmu *mmu, const struct sim_geometry *g,
		      enum dav2m_sim_page nested_page, int nested)
{
	/* Nested tables are always the 4-level ones of the host. */
	const uint8_t cut = nested ? (uint8_t)(9 * nested_page) : UINT8_MAX;

	mmu->shift[DAV2M_SIM_4K] = 0;
	mmu->shift[DAV2M_SIM_2M] = smaller(g->bits, cut);
	mmu->shift[DAV2M_SIM_1G] = smaller((uint8_t)(2 * g->bits), cut);
	mmu->nested_shift = (uint8_t)(9 * nested_page);
	mmu->walk = walker_of(mmu, g, nested);
}

enum sim_hit sim_mmu_lookup_large(struct sim_mmu *mmu, enum dav2m_sim_stream stream, uint64_t vpn,
				  int write)
{
	enum sim_hit hit = SIM_HIT_NONE;
	unsigned p;

	for (p = 0; p < DAV2M_SIM_PAGES && hit == SIM_HIT_NONE; p++)
		hit = sim_mmu_lookup_first(mmu, stream, p, vpn, write);
	for (p = 0; p < DAV2M_SIM_PAGES && hit == SIM_HIT_NONE; p++)
		hit = sim_mmu_lookup_second(mmu, stream, p, vpn, write);
	return hit;
}

/* The largest class not larger than the walk allows that the first-level TLB holds. */
static unsigned class_of(const struct sim_mmu *mmu, unsigned stream, uint8_t shift)
{
	unsigned p = DAV2M_SIM_PAGES - 1;

	/* A class that nested pages have cut to the size of the one below it is not used. */
	while (p > 0 && (mmu->shift[p] > shift || mmu->shift[p] == mmu->shift[p - 1] ||
			 mmu->l1[stream][p] == NULL))
		p--;
	return p;
}

void sim_mmu_fill_large(struct sim_mmu *mmu, enum dav2m_sim_stream stream, uint64_t vpn,
			const struct sim_walk *walk)
{
	const unsigned p = class_of(mmu, stream, walk->shift);
	const uint64_t page = sim_mmu_page(mmu, p, vpn);

	if (p != DAV2M_SIM_4K)
		mmu->large = 1;
	if (mmu->shift[p] < walk->page_shift)
		mmu->splintered = 1;
	sim_mmu_enter(mmu, stream, p, sim_key(page, p) | walk->writable,
		      walk->frame - (uint32_t)(vpn - (page << mmu->shift[p])));
}

void sim_mmu_forget(struct sim_mmu *mmu, enum dav2m_sim_stream stream, uint64_t vpn)
{
	unsigned p;

	for (p = 0; p < DAV2M_SIM_PAGES; p++)
		entry_remove(mmu, stream, p, vpn);
}

int sim_mmu_peek(const struct sim_mmu *mmu, enum dav2m_sim_stream stream, unsigned page_class,
		 uint64_t vpn, uint64_t *ret_frame)
{
	const struct sim_tlb *tlb = mmu->l1[stream][page_class];
	const uint64_t page = vpn >> mmu->shift[page_class];
	const uint64_t key = sim_key(page, page_class) | SIM_KEY_WRITE;
	uint32_t slot;

	for (slot = 0; tlb != NULL && slot < tlb->entries; slot++) {
		if ((tlb->tag[slot] | SIM_KEY_WRITE) != key || tlb->tag[slot] == SIM_KEY_NONE)
			continue;
		*ret_frame = tlb->frame[slot] + (vpn - (page << mmu->shift[page_class]));
		return 1;
	}
	return 0;
}
