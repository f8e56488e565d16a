/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains on the machine of smp_time.h: one guest and VMM per domain, lent to its vCPUs in turn.
 *
 * A vCPU's guest runs ahead of time by one piece: an event, or references up to the first that
 * concerns others. What it did becomes operations, and these are played in the order of time. So
 * the guest's data change when a piece begins, what the VMM and other CPUs do about it happens at
 * its own time.
 */
#ifndef DAV2M_SMP_INTERNAL_H
#define DAV2M_SMP_INTERNAL_H

#include "run.h"
#include "smp_time.h"

/* What a vCPU takes along when the guest is lent to the next one. */
struct smp_context {
	uint64_t seen[4];
	uint64_t due;
	uint64_t window_end;
	struct dav2m_sim_counts counts;
	struct sim_process *process;
	uint32_t root;
	uint64_t *word; /* read, not run yet */
	uint32_t at;
	uint32_t words;
	uint32_t interleave_next; /* node of its next new frame, as each process has its own in
				     Linux */
	/* so far in operations: */
	uint64_t cycles;
	uint64_t handling_cycles; /* part of exits after the world switch */
	uint64_t faults;
	uint64_t walks;
};

/*
 * A page table that the guest may write without the VMM. Of Xen's two writable page tables one is
 * for the address space that runs and one for others; this guest writes no others, so one is left.
 */
struct smp_slot {
	uint32_t table;	   /* guest frame; SIM_NO_FRAME: none */
	uint32_t modified; /* entries written since */
	uint32_t root;	   /* of the address space that it is in */
};
struct smp_domain {
	uint32_t id;
	struct dav2m_smp *smp;
	struct dav2m_sim *sim;
	struct sim_platform below; /* the VMM's own */
	struct smp_slot *slot;	   /* of the domain, or of each vCPU */
	uint16_t *detached;	   /* by guest frame: slot + 1, or 0 */
	uint8_t *level;		   /* by guest frame: of the verified page table in it, or 0 */
	uint64_t torn; /* flushes of all its CPUs for lost shadow tables, as operations */
	uint8_t *node; /* by guest frame: node + 1, or 0 before its first touch */
};

struct dav2m_smp {
	struct smp_machine machine;
	struct dav2m_smp_config config;
	struct smp_domain domain[DAV2M_SMP_DOMAINS];
	struct sim_mmu *mmu;	     /* by physical CPU */
	struct smp_context *context; /* by vCPU */
	struct smp_vcpu *running;    /* whose guest runs ahead */
};

static inline uint64_t smp_price(const struct dav2m_smp *smp, enum dav2m_smp_item item)
{
	return smp->config.smp_cost->price[item].cycles;
}

static inline int smp_direct(const struct dav2m_smp *smp)
{
	return (smp->config.flags & DAV2M_SMP_DIRECT) != 0;
}

/* Locks: one to flush, three per domain, one per vCPU. */
static inline uint32_t smp_lock_of(const struct dav2m_smp *smp, enum dav2m_smp_lock kind,
				   const struct smp_vcpu *vcpu)
{
	const uint32_t domain = 1 + vcpu->domain * 3;

	switch (kind) {
	case DAV2M_SMP_FLUSH_LOCK:
		return 0;
	case DAV2M_SMP_DOMAIN_LOCK:
		return domain;
	case DAV2M_SMP_KERNEL_LOCK:
		return domain + 1;
	case DAV2M_SMP_SHOOTDOWN_LOCK:
		return domain + 2;
	case DAV2M_SMP_VCPU_LOCK:
		break;
	}
	return 1 + smp->config.domains * 3 + vcpu->id;
}
#define SMP_LOCK_COUNT(domains, vcpus) (1 + (domains)*3 + (domains) * (vcpus))

/* The what of an SMP_CALL. */
enum smp_call {
	SMP_WRITE = 0, /* to a verified table; a: table; b: 1 if it is of the running space */
	SMP_DECIDE,    /* the same, under the lock */
	SMP_TOUCH,     /* a page that table a maps */
	SMP_ATTACH,    /* table a, under the lock, if it is detached */
	SMP_HYPERCALL, /* a: 1 if it concerns other vCPUs; b: cycles of verification */
	SMP_CLEANUP,   /* attaches all detached tables of the caller's lock */
	SMP_FLUSH_MASK /* TLB flush on all CPUs of the domain */
};

/* smp_guest.c: the guest, run ahead */

int smp_refill(void *self, struct smp_vcpu *vcpu);
/* Takes over the platform of a domain's guest. */
void smp_guest_hook(struct smp_domain *domain);
/* Lends a domain's simulation to a vCPU, and takes it back. */
void smp_context_load(struct dav2m_smp *smp, const struct smp_vcpu *vcpu);
void smp_context_save(struct dav2m_smp *smp, const struct smp_vcpu *vcpu);

/* Physical CPUs of other vCPUs that have an address space loaded, be they idle. */
uint64_t smp_sharers(const struct dav2m_smp *smp, const struct smp_vcpu *vcpu, uint32_t root);

/* smp_direct.c: direct paging */

void smp_direct_call(void *self, struct smp_vcpu *vcpu, const struct smp_op *op);
/* What verifying the tables below and including one costs; marks them as verified, or not. */
uint64_t smp_direct_verify(struct smp_domain *domain, uint32_t table, uint32_t level, int verified);

#endif
