/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vCPUs: domains of vCPUs that share one guest, on physical CPUs that each have a TLB.
 *
 * Every vCPU reads a stream of its own. Whoever is earliest in simulated time goes first; spin
 * locks, interprocessor interrupts and memory controllers are used in that order, so what a vCPU
 * waits for is what others do. The same streams give the same result, always.
 *
 * The ways of virtualizing page tables are those of a study of Xen 3.0 on up to 16 processors
 * (Linux Symposium; "the Xen study"): direct paging, where the guest writes its tables and the VMM
 * verifies them, from one lock per domain to none; and shadow and nested paging as in
 * <dav2m/sim/run.h>.
 */
#ifndef DAV2M_SIM_SMP_H
#define DAV2M_SIM_SMP_H

#include <dav2m/sim/run.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DAV2M_SMP_CPUS	  64 /* vCPUs of a domain, and physical CPUs, at most */
#define DAV2M_SMP_DOMAINS 8
#define DAV2M_SMP_NODES	  8

/* What has a price beside enum dav2m_sim_item. */
enum dav2m_smp_item {
	/* processors among themselves; per event */
	DAV2M_SMP_LOCK = 0,    /* taking a free spin lock that this CPU had last */
	DAV2M_SMP_LINE,	       /* moving a cache line, such as a lock's, from another CPU */
	DAV2M_SMP_IPI_SEND,    /* one interrupt-command write; per target */
	DAV2M_SMP_IPI_DELIVER, /* from the write to the target's first instruction */
	DAV2M_SMP_IPI_HANDLE,  /* the target's handler and return, its TLB flush excluded */
	DAV2M_SMP_TLB_FLUSH,   /* flushing a TLB, refill excluded */
	DAV2M_SMP_VCPU_SWITCH, /* the VMM puts another vCPU on a physical CPU */
	/* the guest's kernel */
	DAV2M_SMP_GUEST_LOCK, /* of a short system call, the part under a lock of all CPUs */
	/* direct paging */
	DAV2M_SMP_BOUNCE,    /* a guest fault goes through the VMM to the guest's handler */
	DAV2M_SMP_HYPERCALL, /* entering and leaving the VMM by request */
	DAV2M_SMP_EMULATE,   /* decoding one write to a page table, verification excluded */
	DAV2M_SMP_VERIFY,    /* verifying one entry: the page's owner, type and use count */
	DAV2M_SMP_COMPARE,   /* comparing or reading one entry of a table as a whole */
	DAV2M_SMP_COPY,	     /* copying a page table, when it is detached */
	DAV2M_SMP_ATTACH,    /* changing the entry that hooks a table, or its protection */
	/* memory; per 64-byte line written */
	DAV2M_SMP_STORE_LOCAL,	/* what a CPU needs for it by itself, in its own node */
	DAV2M_SMP_STORE_REMOTE, /* what another node adds to that */
	DAV2M_SMP_CONTROLLER,	/* how long it keeps the node's memory controller */
	DAV2M_SMP_PORT		/* how long it keeps each of the two nodes' ports */
};
#define DAV2M_SMP_ITEMS 19

struct dav2m_smp_cost {
	const char *name;
	const char *about; /* one line */
	uint32_t slice_ms; /* how long a vCPU runs while others wait for its physical CPU */
	struct dav2m_sim_price price[DAV2M_SMP_ITEMS];
};

/* The i-th, or NULL past the last. */
DAV2M_API const struct dav2m_smp_cost *dav2m_smp_cost(size_t index);
/* By name, or NULL. */
DAV2M_API const struct dav2m_smp_cost *dav2m_smp_cost_find(const char *name);
DAV2M_API const char *dav2m_smp_item_name(enum dav2m_smp_item item);

/* Flags of a policy. */
/* Direct paging: the guest writes tables that the hardware walks, the VMM verifies. */
#define DAV2M_SMP_DIRECT       1u
/* The writable page tables, and a lock for them, per vCPU instead of per domain. */
#define DAV2M_SMP_PER_VCPU     2u
/* No flush IPI to a CPU that has flushed since the sender has. */
#define DAV2M_SMP_FLUSH_CLOCK  4u
/* Each write is verified as it occurs; no table is ever detached. */
#define DAV2M_SMP_IMMEDIATE    8u
/* Flushes go to the CPUs that have the address space in question loaded, not to all of the
   domain's: the study's own proposal, which it had no implementation of. */
#define DAV2M_SMP_SAME_CONTEXT 16u
#define DAV2M_SMP_FLAGS	       31u

struct dav2m_smp_policy {
	const char *name;
	const char *about; /* one line */
	enum dav2m_sim_mode mode;
	unsigned flags; /* DAV2M_SMP_DIRECT goes with DAV2M_SIM_NATIVE: the walks are 1-D */
};

DAV2M_API const struct dav2m_smp_policy *dav2m_smp_policy(size_t index);
DAV2M_API const struct dav2m_smp_policy *dav2m_smp_policy_find(const char *name);

/* Where the frames of a guest lie; a frame's node is settled at its first touch. */
enum dav2m_smp_placement {
	DAV2M_SMP_ANYWHERE = 0, /* memory costs nothing of its own */
	DAV2M_SMP_LOCAL,	/* in the node of the CPU that touches it first */
	DAV2M_SMP_INTERLEAVED,	/* frame after frame over all nodes */
	DAV2M_SMP_REMOTE	/* in the node after that of the CPU */
};
#define DAV2M_SMP_PLACEMENTS 4

/* Most system calls at once, and longest time without a job, in cycles. */
#define DAV2M_SMP_TIMES_MAX (1ull << 40)

struct dav2m_smp;

struct dav2m_smp_config {
	const struct dav2m_sim_machine *machine; /* must outlive the simulation, as must these: */
	const struct dav2m_sim_cost *cost;
	const struct dav2m_smp_cost *smp_cost;
	enum dav2m_sim_mode mode; /* of all domains */
	unsigned flags;		  /* DAV2M_SMP_* of a policy */
	enum dav2m_sim_tables tables;
	enum dav2m_sim_page guest_page;
	uint64_t guest_bytes; /* of each domain; as in struct dav2m_sim_config */
	uint32_t domains;     /* [1, DAV2M_SMP_DOMAINS] */
	uint32_t vcpus;	      /* of each domain, [1, DAV2M_SMP_CPUS] */
	uint32_t pcpus;	      /* [1, DAV2M_SMP_CPUS]; vCPU v of domain d runs on (d + v) % pcpus */
	uint32_t nodes;	      /* that the physical CPUs are divided into, [1, DAV2M_SMP_NODES] */
	/* Not ANYWHERE: all accesses miss the caches and occupy the memory they go to. */
	enum dav2m_smp_placement placement;
	uint64_t window_inst; /* instructions of a vCPU between its samples; 0: none */
	/*
	 * The next words of a vCPU, whole events only, at most room; 0 at its end. Process numbers
	 * are the domain's. DAV2M_SIM_MARK n says that a job is done and the next one arrives n
	 * cycles later; until then the vCPU idles. That n, and the n of DAV2M_SIM_SYSCALL, are
	 * at most DAV2M_SMP_TIMES_MAX.
	 */
	size_t (*read)(void *context, uint32_t domain, uint32_t vcpu, uint64_t *words, size_t room);
	/* As in struct dav2m_sim_config, of one vCPU. May call dav2m_smp_switch(). May be NULL. */
	void (*sample)(void *context, struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu,
		       int at_window);
	int (*paging_exit)(void *context, uint32_t domain, uint32_t vcpu); /* may be NULL */
	void *context;
};

/* Room that read() can count on, in words. */
#define DAV2M_SMP_ROOM 4096

/* Cycles of one vCPU, from its beginning. busy = guest + vmm + spin + irq. */
struct dav2m_smp_vcpu_counts {
	uint64_t jobs;
	uint64_t guest_cycles; /* the guest's, and what exits cost outside of locks */
	uint64_t vmm_cycles;   /* direct paging, and handling under the VMM's locks */
	uint64_t spin_cycles;  /* waiting for a lock, or for others to flush */
	uint64_t irq_cycles;   /* handling other CPUs' IPIs */
	uint64_t end_cycles;   /* the time when it ended, or now */
	uint32_t pcpu;
};

/* A spin lock, or all of a kind. */
struct dav2m_smp_lock_counts {
	uint64_t taken;
	uint64_t contended; /* of them, those that had to wait */
	uint64_t held_cycles;
	uint64_t wait_cycles;
};

enum dav2m_smp_lock {
	DAV2M_SMP_DOMAIN_LOCK = 0, /* one per domain: direct paging, or shadow and nested tables */
	DAV2M_SMP_VCPU_LOCK,	   /* one per vCPU: its writable page tables */
	DAV2M_SMP_FLUSH_LOCK,	   /* one per machine: the VMM's TLB-flush IPIs */
	DAV2M_SMP_KERNEL_LOCK,	   /* one per guest: its system calls */
	DAV2M_SMP_SHOOTDOWN_LOCK   /* one per guest: its own TLB-flush IPIs */
};
#define DAV2M_SMP_LOCKS 5

struct dav2m_smp_counts {
	uint64_t cycles; /* from the beginning until the last vCPU has ended */
	uint64_t jobs;
	struct dav2m_smp_lock_counts lock[DAV2M_SMP_LOCKS];
	uint64_t flushes;    /* of more than one TLB, asked for */
	uint64_t ipis;	     /* sent, one per target */
	uint64_t ipis_saved; /* that the flush clock made unnecessary */
	uint64_t detached;   /* page tables made writable */
	uint64_t attached;   /* and verified and hooked in again */
	uint64_t batched;    /* writes to a detached table */
	uint64_t emulated;   /* writes verified as they occurred */
	uint64_t pinned;     /* address spaces verified as a whole */
	uint64_t hypercalls;
	uint64_t vcpu_switches; /* of physical CPUs between vCPUs */
	uint64_t lines_local;	/* 64-byte lines written, by where they lie */
	uint64_t lines_remote;
};

/* Errors: NULL, RANGE, MACHINE, MEMORY. */
DAV2M_API int dav2m_smp_new(const struct dav2m_smp_config *config, struct dav2m_smp **ret_smp);
DAV2M_API void dav2m_smp_free(struct dav2m_smp *smp);

/*
 * Runs until all vCPUs have ended or the earliest of them has reached until_cycles. Answers 1 in
 * the second case, 0 in the first, or a DAV2M_SIM_ERR_*; then the simulation is to be freed.
 * PROCESS also stands for ending or replacing a process that another vCPU runs.
 */
DAV2M_API int dav2m_smp_run(struct dav2m_smp *smp, uint64_t until_cycles);

/*
 * Brings a whole domain into a mode, on behalf of one of its vCPUs: the others are interrupted and
 * stand until it is done. For sample() only. *ret_cycles: what that vCPU spent. Errors: RANGE (a
 * native or direct one has no mode; no such domain or vCPU).
 */
DAV2M_API int dav2m_smp_switch(struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu,
			       enum dav2m_mode to, uint64_t *ret_cycles);
/* As dav2m_sim_charge_sample(), of the vCPU whose sample() is running; elsewhere it does nothing.
 */
DAV2M_API void dav2m_smp_charge_sample(struct dav2m_smp *smp, int with_exit);
/* What a VMM's counters of one vCPU show. DAV2M_CYCLES has the time spent waiting in it. */
DAV2M_API void dav2m_smp_sample(const struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu,
				struct dav2m_sample *ret_sample);

DAV2M_API void dav2m_smp_count(const struct dav2m_smp *smp, struct dav2m_smp_counts *ret_counts);
DAV2M_API void dav2m_smp_vcpu_count(const struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu,
				    struct dav2m_smp_vcpu_counts *ret_counts);
/* What <dav2m/sim/run.h> counts, of one vCPU. */
DAV2M_API void dav2m_smp_sim_count(const struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu,
				   struct dav2m_sim_counts *ret_counts);
DAV2M_API enum dav2m_sim_mode dav2m_smp_mode(const struct dav2m_smp *smp, uint32_t domain);
DAV2M_API const char *dav2m_smp_lock_name(enum dav2m_smp_lock lock);
DAV2M_API const char *dav2m_smp_placement_name(enum dav2m_smp_placement placement);

#ifdef __cplusplus
}
#endif

#endif
