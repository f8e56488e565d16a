/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several processors in time: who runs when, and who waits for whom.
 *
 * A vCPU is a queue of operations, each some cycles of work or the use of something that others
 * use, too: a spin lock, an interrupt, a node's memory. The vCPU that is earliest plays its next
 * operation; so locks are taken, IPIs sent and controllers occupied in the order of time, ties
 * going to the lower physical CPU. Nothing here knows of guests and page tables: what an operation
 * is for is its owner's business (struct smp_owner).
 *
 * A spin lock goes to whoever began to wait first. IPIs are taken at once, also by a CPU that
 * spins: flush_tlb_mask() of that Xen waits with interrupts enabled.
 */
#ifndef DAV2M_SMP_TIME_INTERNAL_H
#define DAV2M_SMP_TIME_INTERNAL_H

#include <dav2m/sim/smp.h>

#define SMP_VCPUS (DAV2M_SMP_DOMAINS * DAV2M_SMP_CPUS)
#define SMP_NONE  UINT32_MAX

enum smp_kind {
	SMP_RUN,     /* b: cycles; what: enum smp_account */
	SMP_ACQUIRE, /* a: lock */
	SMP_RELEASE, /* a: lock */
	SMP_FLUSH,   /* the own TLB; remembers the flush clock */
	SMP_SEND,    /* flush IPIs, and waits for all; b: mask of physical CPUs, 0: those that the
			domain runs on; a: what its handler takes more; what: enum smp_send */
	SMP_MEMORY,  /* a: node; b: lines */
	SMP_JOB,     /* a job is done; b: cycles until the next one arrives */
	SMP_CALL     /* the owner's */
};

enum smp_account { SMP_GUEST = 0, SMP_VMM };
enum smp_send { SMP_SEND_ALL = 0, SMP_SEND_FILTERED };

struct smp_op {
	uint8_t kind;
	uint8_t what;
	uint32_t a;
	uint64_t b;
};

/* Operations in the order in which they are to be played. */
#define SMP_PROGRAM 48
struct smp_program {
	struct smp_op op[SMP_PROGRAM];
	uint32_t n;
};

enum smp_state { SMP_READY, SMP_RUNNING, SMP_SPINNING, SMP_DONE };

struct smp_vcpu {
	uint32_t id;
	uint32_t domain;
	uint32_t index; /* in its domain */
	uint32_t pcpu;
	enum smp_state state;
	uint64_t time;	      /* READY: from when on it can run */
	struct smp_op *queue; /* what the guest has done, in order */
	uint32_t head;
	uint32_t tail;
	uint32_t room;
	struct smp_op *stack; /* what comes before that; the next one last */
	uint32_t depth;
	uint32_t stack_room;
	uint32_t next_waiter;
	uint64_t flushed; /* flush clock at its last SMP_FLUSH */
	struct dav2m_smp_vcpu_counts counts;
};

struct smp_pcpu {
	uint32_t node;
	uint32_t current;   /* vCPU that has it, or SMP_NONE */
	uint32_t loaded;    /* the last one that had it, whose translations the TLB holds */
	uint64_t free;	    /* since when it has nobody */
	uint64_t slice_end; /* of current */
	uint64_t irq_until; /* end of the last IPI's handler */
	uint64_t flushed;   /* flush clock at its last TLB flush */
};

struct smp_lock {
	enum dav2m_smp_lock kind;
	uint32_t holder; /* vCPU, or SMP_NONE */
	uint32_t cpu;	 /* physical one that had it last, or SMP_NONE */
	uint32_t first_waiter;
	uint32_t last_waiter;
	uint64_t taken_at;
};

/* A memory controller, or a node's port to the others. */
struct smp_node {
	uint64_t controller_free;
	uint64_t port_free;
};

struct smp_machine;

struct smp_owner {
	void *self;
	/* The queue is empty: append to it. Answers 1, 0 at the vCPU's end, or an error. */
	int (*refill)(void *self, struct smp_vcpu *vcpu);
	/* An SMP_CALL's turn has come. */
	void (*call)(void *self, struct smp_vcpu *vcpu, const struct smp_op *op);
	/* All of a physical CPU's translations go. */
	void (*flush)(void *self, uint32_t pcpu);
};

struct smp_machine {
	struct smp_owner owner;
	const struct dav2m_sim_price *price;
	uint64_t slice_cycles;
	int filter; /* SMP_SEND_FILTERED does */
	struct smp_vcpu *vcpu;
	uint32_t vcpus;
	struct smp_pcpu pcpu[DAV2M_SMP_CPUS];
	uint32_t pcpus;
	struct smp_lock *lock;
	uint32_t locks;
	struct smp_node node[DAV2M_SMP_NODES];
	uint64_t flush_clock;
	int error; /* no memory for an operation */
	struct dav2m_smp_counts counts;
};

/* vcpus and locks are there, zeroed. Gives each lock its kind later. 0 or an error. */
int smp_machine_init(struct smp_machine *machine, uint32_t domains, uint32_t vcpus, uint32_t pcpus,
		     uint32_t nodes, uint32_t locks);
void smp_machine_free(struct smp_machine *machine);

/* As dav2m_smp_run(). */
int smp_machine_run(struct smp_machine *machine, uint64_t until_cycles);

/* Appends what the guest has done; work after work of the same account becomes one. */
void smp_append(struct smp_machine *machine, struct smp_vcpu *vcpu, struct smp_op op);
/* Puts a program before everything that waits to be played. */
void smp_play(struct smp_machine *machine, struct smp_vcpu *vcpu,
	      const struct smp_program *program);
/* Physical CPUs, but its own, that have a vCPU's domain loaded. */
uint64_t smp_domain_mask(const struct smp_machine *machine, const struct smp_vcpu *vcpu);
/* Stops a domain's other vCPUs until a vCPU has done some work; advances that vCPU. */
void smp_stop_others(struct smp_machine *machine, struct smp_vcpu *vcpu, uint64_t cycles);

static inline struct smp_op smp_op(enum smp_kind kind, uint32_t what, uint32_t a, uint64_t b)
{
	const struct smp_op op = {(uint8_t)kind, (uint8_t)what, a, b};

	return op;
}

static inline struct smp_op smp_work(enum smp_account account, uint64_t cycles)
{
	return smp_op(SMP_RUN, account, 0, cycles);
}

static inline void smp_add(struct smp_program *program, struct smp_op op)
{
	program->op[program->n++] = op;
}

#endif
