/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory-management unit of one processor: its TLB arrays, page-walk cache, nested TLB, and
 * the 1-D and 2-D page walk over real tables. It reports what a walk met; it does not handle
 * faults and does not know what anything costs.
 *
 * A 2-D walk translates the guest-physical address of every guest table it reads, and that of
 * the page at the end: (g + 1) * (n + 1) - 1 references, 24 for 4 + 4 levels. The nested TLB is
 * looked up by guest-physical page.
 */
#ifndef DAV2M_SIM_MMU_INTERNAL_H
#define DAV2M_SIM_MMU_INTERNAL_H

#include "memory.h"
#include "tlb.h"

/* A tree of page tables. */
struct sim_space {
	struct sim_memory *memory;
	const struct sim_geometry *geometry;
	uint32_t root;
};

enum sim_walk_result {
	SIM_WALK_DONE,
	SIM_WALK_FAULT,	 /* not present, or not writable, in the walked tables */
	SIM_WALK_NESTED, /* a nested entry is missing */
};

struct sim_walk {
	uint32_t refs;
	uint32_t cached;
	uint32_t frame; /* DONE: of the 4K page; NESTED: the guest frame that has no nested entry */
	uint8_t shift;	/* DONE: size of what may be cached, in 4K pages, as a power of two, */
	uint8_t page_shift; /* and of the page in the guest's (or shadow) tables */
	uint8_t writable;   /* DONE: a write needs no further walk */
};

struct sim_mmu;
typedef enum sim_walk_result sim_walker(struct sim_mmu *mmu, const struct sim_space *space,
					const struct sim_space *nested, uint64_t vpn, int write,
					struct sim_walk *ret_walk);

struct sim_mmu {
	struct sim_tlb *l1[DAV2M_SIM_STREAMS][DAV2M_SIM_PAGES];	 /* NULL: not held */
	struct sim_sets *l2[DAV2M_SIM_STREAMS][DAV2M_SIM_PAGES]; /* NULL: not held */
	uint8_t shift[DAV2M_SIM_PAGES]; /* 4K pages per entry of a class, as a power of two */
	uint8_t large;			/* 1: an entry of class 2M or 1G may be present */
	uint8_t splintered;		/* 1: a page may be held in several entries */
	uint8_t nested_shift;
	sim_walker *walk;	    /* for this geometry */
	uint32_t now;		    /* stamp of the reference under way */
	struct sim_tlb *walk_cache; /* NULL: none */
	struct sim_tlb *nested_tlb; /* NULL: none */
	struct sim_tlb *firsts;
	uint32_t first_arrays;
	struct sim_sets second[DAV2M_SIM_ARRAYS];
	uint32_t second_arrays;
	struct sim_tlb *caches;
};

/* A DAV2M_SIM_ERR_*, or 0. */
int sim_mmu_init(struct sim_mmu *mmu, const struct dav2m_sim_machine *machine);
void sim_mmu_free(struct sim_mmu *mmu);

/* How walks go, and sizes of large pages: the guest's tables', cut to the nested pages' if nested.
 */
void sim_mmu_geometry(struct sim_mmu *mmu, const struct sim_geometry *g,
		      enum dav2m_sim_page nested_page, int nested);
void sim_mmu_flush(struct sim_mmu *mmu);
/* Empties the page-walk cache. */
void sim_mmu_forget_walks(struct sim_mmu *mmu);
void sim_mmu_invlpg(struct sim_mmu *mmu, uint64_t vpn);
void sim_mmu_rebase(struct sim_mmu *mmu);

/* Translates a page; nested: the tables of nested paging, not looked at by 1-D walks. */
static inline enum sim_walk_result sim_mmu_walk(struct sim_mmu *mmu, const struct sim_space *space,
						const struct sim_space *nested, uint64_t vpn,
						int write, struct sim_walk *ret_walk)
{
	return mmu->walk(mmu, space, nested, vpn, write, ret_walk);
}

enum sim_hit {
	SIM_HIT_NONE, /* in no TLB */
	SIM_HIT_L1,
	SIM_HIT_L2,	       /* now in L1, too */
	SIM_HIT_UNWRITABLE_L1, /* there, but a write needs a walk */
	SIM_HIT_UNWRITABLE_L2
};

/* The page number by which an entry of a class is known. Every class's shift is 0 for 4K. */
static inline uint64_t sim_mmu_page(const struct sim_mmu *mmu, unsigned page_class, uint64_t vpn)
{
	return page_class == DAV2M_SIM_4K ? vpn : vpn >> mmu->shift[page_class];
}

static inline enum sim_hit sim_mmu_lookup_first(struct sim_mmu *mmu, unsigned stream,
						unsigned page_class, uint64_t vpn, int write)
{
	struct sim_tlb *tlb = mmu->l1[stream][page_class];
	int slot;

	if (tlb == NULL)
		return SIM_HIT_NONE;
	slot = sim_tlb_find(tlb, sim_key(sim_mmu_page(mmu, page_class, vpn), page_class));
	if (slot < 0)
		return SIM_HIT_NONE;
	if (write && !(tlb->tag[slot] & SIM_KEY_WRITE))
		return SIM_HIT_UNWRITABLE_L1;
	tlb->stamp[slot] = mmu->now;
	return SIM_HIT_L1;
}

static inline enum sim_hit sim_mmu_lookup_second(struct sim_mmu *mmu, unsigned stream,
						 unsigned page_class, uint64_t vpn, int write)
{
	struct sim_sets *sets = mmu->l2[stream][page_class];
	uint64_t tag;
	uint32_t frame;

	if (sets == NULL ||
	    !sim_sets_use(sets, sim_key(sim_mmu_page(mmu, page_class, vpn), page_class), &tag,
			  &frame))
		return SIM_HIT_NONE;
	if (write && !(tag & SIM_KEY_WRITE))
		return SIM_HIT_UNWRITABLE_L2;
	if (mmu->l1[stream][page_class] != NULL)
		sim_tlb_insert(mmu->l1[stream][page_class], tag, frame, mmu->now);
	return SIM_HIT_L2;
}

enum sim_hit sim_mmu_lookup_large(struct sim_mmu *mmu, enum dav2m_sim_stream stream, uint64_t vpn,
				  int write);
void sim_mmu_fill_large(struct sim_mmu *mmu, enum dav2m_sim_stream stream, uint64_t vpn,
			const struct sim_walk *walk);

/* The full look-up of one reference, for those that the caller's fast path did not settle. */
static inline enum sim_hit sim_mmu_lookup(struct sim_mmu *mmu, enum dav2m_sim_stream stream,
					  uint64_t vpn, int write)
{
	enum sim_hit hit;

	if (mmu->large)
		return sim_mmu_lookup_large(mmu, stream, vpn, write);
	hit = sim_mmu_lookup_first(mmu, stream, DAV2M_SIM_4K, vpn, write);
	return hit != SIM_HIT_NONE ? hit
				   : sim_mmu_lookup_second(mmu, stream, DAV2M_SIM_4K, vpn, write);
}

static inline void sim_mmu_enter(struct sim_mmu *mmu, unsigned stream, unsigned page_class,
				 uint64_t key, uint32_t frame)
{
	sim_tlb_insert(mmu->l1[stream][page_class], key, frame, mmu->now);
	if (mmu->l2[stream][page_class] != NULL)
		sim_sets_insert(mmu->l2[stream][page_class], key, frame);
}

/* Takes a walk's result into the TLBs. */
static inline void sim_mmu_fill(struct sim_mmu *mmu, enum dav2m_sim_stream stream, uint64_t vpn,
				const struct sim_walk *walk)
{
	if (walk->page_shift != 0)
		sim_mmu_fill_large(mmu, stream, vpn, walk);
	else
		sim_mmu_enter(mmu, stream, DAV2M_SIM_4K,
			      sim_key(vpn, DAV2M_SIM_4K) | walk->writable, walk->frame);
}

/* Takes a page's entry out of one stream's TLBs. */
void sim_mmu_forget(struct sim_mmu *mmu, enum dav2m_sim_stream stream, uint64_t vpn);
/* The frame that the first-level TLB holds for a page, without touching anything; 1 if it does. */
int sim_mmu_peek(const struct sim_mmu *mmu, enum dav2m_sim_stream stream, unsigned page_class,
		 uint64_t vpn, uint64_t *ret_frame);

#endif
