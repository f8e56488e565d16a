/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulation: one guest on one machine under one paging mode, fed with a reference stream.
 *
 * The caller owns the clock: it hands in words and gets callbacks at sampling points. The same
 * words give the same counts, always. One simulation is used by one thread at a time.
 */
#ifndef DAV2M_SIM_RUN_H
#define DAV2M_SIM_RUN_H

#include <dav2m/backend.h>
#include <dav2m/sim/cost.h>
#include <dav2m/sim/guest.h>
#include <dav2m/sim/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dav2m_sim_error {
	DAV2M_SIM_OK = 0,
	DAV2M_SIM_ERR_NULL = -1,	 /* a pointer that the call needs is NULL */
	DAV2M_SIM_ERR_RANGE = -2,	 /* a value outside its enum or range */
	DAV2M_SIM_ERR_MACHINE = -3,	 /* the machine's arrays break a rule of machine.h */
	DAV2M_SIM_ERR_MEMORY = -4,	 /* no memory on the host */
	DAV2M_SIM_ERR_GUEST_MEMORY = -5, /* the guest's physical memory is full */
	DAV2M_SIM_ERR_ADDRESS = -6,	 /* an address that the guest's page tables cannot hold */
	DAV2M_SIM_ERR_EVENT = -7,	 /* an unknown event, or one cut off */
	DAV2M_SIM_ERR_PROCESS = -8, /* a fork onto a process that exists, or exit of process 0 */
	DAV2M_SIM_ERR_SEGV = -9	    /* an access that the process's mappings forbid */
};

/* What runs the guest. The first two are enum dav2m_mode. */
enum dav2m_sim_mode {
	DAV2M_SIM_SHADOW = DAV2M_SHADOW,
	DAV2M_SIM_NESTED = DAV2M_NESTED,
	DAV2M_SIM_NATIVE = 2
};
#define DAV2M_SIM_MODES 3

/* Where cycles go. They add up to the total. */
enum dav2m_sim_cause {
	DAV2M_SIM_BASE = 0,  /* instructions */
	DAV2M_SIM_WALK,	     /* TLB misses: L2 hits and page walks */
	DAV2M_SIM_EXITS,     /* exits of either mode: world switch and handling */
	DAV2M_SIM_FAULT,     /* the guest's kernel: faults, system calls, context switches */
	DAV2M_SIM_SWITCHING, /* mode switches, without the transient that follows them */
	DAV2M_SIM_SAMPLING,  /* sampling exits of a controller */
	DAV2M_SIM_SWAP	     /* the guest's processes waiting for the swap disk */
};
#define DAV2M_SIM_CAUSES 7

enum dav2m_sim_exit {
	DAV2M_SIM_EXIT_INJECT = 0, /* a #PF that was the guest's own */
	DAV2M_SIM_EXIT_FILL,	   /* shadow entry filled */
	DAV2M_SIM_EXIT_EMULATE,	   /* table write emulated */
	DAV2M_SIM_EXIT_UNSYNC,	   /* table let go out of sync */
	DAV2M_SIM_EXIT_REMOVE,	   /* table frame changed use: shadow removed */
	DAV2M_SIM_EXIT_INVLPG,
	DAV2M_SIM_EXIT_CR3,
	DAV2M_SIM_EXIT_NESTED /* nested entry filled; the only one that is no paging exit in
				 the sense of <dav2m/sample.h> */
};
#define DAV2M_SIM_EXIT_KINDS 8

/* Everything that is counted, from the beginning of the simulation. */
struct dav2m_sim_counts {
	uint64_t instructions;
	uint64_t loads;
	uint64_t stores;
	uint64_t cycles[DAV2M_SIM_CAUSES];
	uint64_t paging_exit_cycles; /* part of cycles[DAV2M_SIM_EXITS] */
	uint64_t l1_misses[DAV2M_SIM_STREAMS];
	uint64_t l2_misses[DAV2M_SIM_STREAMS]; /* == l1_misses where there is no L2 TLB */
	uint64_t walks;			       /* page walks, failed ones included */
	uint64_t walk_refs;		       /* page-table entries that they read */
	uint64_t walk_cached;		       /* answers of page-walk cache and nested TLB */
	uint64_t dirty_walks;		       /* walks only to set a dirty bit; no TLB miss */
	uint64_t exits[DAV2M_SIM_EXIT_KINDS];
	uint64_t shadow_made;	 /* shadow tables made, */
	uint64_t shadow_removed; /* removed one by one, */
	uint64_t shadow_dropped; /* and dropped at mode switches */
	uint64_t resyncs;
	uint64_t tlb_flushes;	    /* asked for by the guest: CR3 writes, INVLPG */
	uint64_t faults;	    /* guest page faults that brought a page in */
	uint64_t cow_faults;	    /* guest page faults that made a page private */
	uint64_t swap_cache_faults; /* on a page marked for eviction, or read with another */
	uint64_t major_faults;	    /* that waited for a page from swap */
	uint64_t swap_reads;	    /* pages */
	uint64_t swap_writes;	    /* pages */
	uint64_t swap_pages;	    /* slots in use now */
	uint64_t swap_pages_peak;
	uint64_t resident;	/* 4K pages mapped by the process that runs: its RSS */
	uint64_t resident_peak; /* largest RSS that a process has had */
	uint64_t pages;		/* 4K guest frames in use now, tables included */
	uint64_t pages_peak;
	uint64_t table_writes; /* entries that the guest wrote into its tables */
	uint64_t context_switches;
	uint64_t processes;		     /* made */
	uint64_t mode_switches[DAV2M_MODES]; /* by the mode switched to */
	uint64_t samples;
};

struct dav2m_sim;

struct dav2m_sim_config {
	const struct dav2m_sim_machine *machine; /* must outlive the simulation */
	const struct dav2m_sim_cost *cost;	 /* must outlive the simulation */
	enum dav2m_sim_mode mode;		 /* that the guest starts in */
	enum dav2m_sim_tables tables;
	enum dav2m_sim_page
		guest_page;   /* what the guest's kernel hands out where it can, and next smaller
				 ones where it cannot; 1G needs tables of 4 levels or 5 */
	uint64_t guest_bytes; /* guest-physical memory, [16 MB, 4 TB], whole 2 MB */
	/* Of it, what the guest's kernel keeps for itself beside page tables, at most half. */
	uint64_t kernel_bytes;
	uint64_t swap_bytes;  /* swap space; 0: none, [0, 4 TB] */
	uint64_t window_inst; /* instructions between samples; 0: none */
	int on_grid; /* 1: windows end at multiples of window_inst, so that one may be short */
	/* Called between two references when window_inst or a little more has passed since the last
	   such call (at_window 1), or when paging_exit asked for it (0). May switch the mode. NULL:
	   nobody samples. */
	void (*sample)(void *vm, struct dav2m_sim *sim, int at_window);
	/* Called on each paging exit. Answers 1 to have sample called. NULL: nobody asks. */
	int (*paging_exit)(void *vm);
	void *vm; /* for the callbacks */
};

/* Errors: NULL, RANGE, MACHINE, MEMORY. */
DAV2M_API int dav2m_sim_new(const struct dav2m_sim_config *config, struct dav2m_sim **ret_sim);
DAV2M_API void dav2m_sim_free(struct dav2m_sim *sim);

/*
 * Runs n words. After an error the counts are those up to the word that caused it, whose index
 * dav2m_sim_position() tells; the simulation is to be freed.
 */
DAV2M_API int dav2m_sim_run(struct dav2m_sim *sim, const uint64_t *word, size_t n);
/* Words run so far, over all calls. */
DAV2M_API uint64_t dav2m_sim_position(const struct dav2m_sim *sim);

/* Brings the VM into a paging mode. Errors: RANGE (a native simulation has no mode). */
DAV2M_API int dav2m_sim_switch(struct dav2m_sim *sim, enum dav2m_mode to);

DAV2M_API enum dav2m_sim_mode dav2m_sim_mode(const struct dav2m_sim *sim);
DAV2M_API void dav2m_sim_count(const struct dav2m_sim *sim, struct dav2m_sim_counts *ret_counts);
DAV2M_API uint64_t dav2m_sim_cycles(const struct dav2m_sim_counts *counts);
/* Paging exits in the sense of <dav2m/sample.h>. */
DAV2M_API uint64_t dav2m_sim_paging_exits(const struct dav2m_sim_counts *counts);

/* What a VMM's counters show at this moment. All counters are valid. */
DAV2M_API void dav2m_sim_sample(const struct dav2m_sim *sim, struct dav2m_sample *ret_sample);

/* Charges reading the counters and deciding; with_exit: and the PMU's exit that led there. */
DAV2M_API void dav2m_sim_charge_sample(struct dav2m_sim *sim, int with_exit);

/*
 * Where a page of the running process is: the host's (natively the guest's) 4K frame, by the
 * guest's tables. Answers 0 and sets *ret_frame, or -1 if it is not mapped. For tests and tools;
 * the simulated hardware does not see it.
 */
DAV2M_API int dav2m_sim_lookup(const struct dav2m_sim *sim, uint64_t page, uint64_t *ret_frame);
/* The same, by the TLBs that hold it; -1 if none does. */
DAV2M_API int dav2m_sim_tlb_lookup(const struct dav2m_sim *sim, enum dav2m_sim_stream stream,
				   uint64_t page, uint64_t *ret_frame);

DAV2M_API const char *dav2m_sim_error_name(enum dav2m_sim_error error);
DAV2M_API const char *dav2m_sim_mode_name(enum dav2m_sim_mode mode);
DAV2M_API const char *dav2m_sim_cause_name(enum dav2m_sim_cause cause);
DAV2M_API const char *dav2m_sim_exit_name(enum dav2m_sim_exit exit);

/*
 * A controller on a simulation, linked as into any VMM. vm of these callbacks is a
 * struct dav2m_sim_adapter; the controller is the caller's. The paging exits are counted on the
 * exit path (dav2m_paging_exits), so samples leave DAV2M_PAGING_EXITS out.
 */
struct dav2m_sim_adapter {
	struct dav2m *controller;
	struct dav2m_sim *sim; /* set when dav2m_sim_new() has answered */
	void (*trace)(void *context, const struct dav2m_decision *decision); /* may be NULL */
	void *context;
	int error; /* first error that dav2m_drive() answered, or 0 */
};

/* The struct dav2m_backend of a simulation. */
DAV2M_API const struct dav2m_backend *dav2m_sim_backend(void);
/* For struct dav2m_sim_config, with vm a struct dav2m_sim_adapter. */
DAV2M_API void dav2m_sim_adapter_sample(void *vm, struct dav2m_sim *sim, int at_window);
DAV2M_API int dav2m_sim_adapter_paging_exit(void *vm);

#ifdef __cplusplus
}
#endif

#endif
