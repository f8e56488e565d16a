/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vCPUs in one decision domain (a VM whose paging mode is one for all its vCPUs).
 *
 * Each vCPU counts on cache lines of its own; whichever vCPU reaches a sampling point sums what
 * the others have published and closes the tick. Nobody waits: a vCPU that finds another one
 * closing goes on with its guest (xen-scalability: one domain-wide lock on this path took a
 * 16-way guest from 7.5 times the speed of one processor to 0.9).
 *
 *     each vCPU   dav2m_vcpu_paging_exits()   on a paging exit: own cache line only
 *                 dav2m_domain_sample()       at its sampling points: publish, try to close
 *     the closer  dav2m_domain_acknowledge()  after the switch that the decision asked for
 */
#ifndef DAV2M_DOMAIN_H
#define DAV2M_DOMAIN_H

#include <dav2m/controller.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Two lines, because processors prefetch them in pairs. */
#define DAV2M_CACHE_ALIGNED __attribute__((aligned(128)))

/* One per vCPU, in the caller's array. Private: all members. */
struct dav2m_vcpu {
	/* written by the vCPU itself only */
	uint32_t exits;	    /* paging exits since it last published */
	uint32_t exits_due; /* its share of those worth a sample; the closer writes it */
	uint64_t total[DAV2M_COUNTERS]; /* believed so far */
	struct dav2m_meter meter;
	/* published: read by the closer, guarded by sequence (odd: being written) */
	uint32_t sequence;
	uint32_t known;
	uint32_t wraps;	 /* of its counters */
	uint32_t resets; /* its samples whose counters ran backwards or jumped */
	uint32_t low[DAV2M_COUNTERS];
	uint32_t high[DAV2M_COUNTERS];
} DAV2M_CACHE_ALIGNED;

struct dav2m_domain {
	struct dav2m controller; /* by itself: explain, pin and retune while no vCPU runs */
	struct dav2m_vcpu *vcpu; /* the caller's array */
	uint32_t vcpus;
	uint32_t closing; /* 1: a vCPU is closing a tick, or switching the domain */
} DAV2M_CACHE_ALIGNED;

/*
 * Starts a domain over the caller's array of n vCPUs, n in [1, 4096]. Both must stay where they
 * are while the domain is used.
 * Errors: NULL, SIZE, CONFIG, RANGE (mode, n).
 */
DAV2M_API int dav2m_domain_init(struct dav2m_domain *domain, const struct dav2m_config *config,
				enum dav2m_mode running, struct dav2m_vcpu *vcpu, uint32_t n);

/* As dav2m_paging_exits(), for one vCPU of a domain. Called by that vCPU only. */
DAV2M_API int dav2m_vcpu_paging_exits(struct dav2m_vcpu *vcpu, uint32_t n);

/*
 * Publishes vCPU index's raw counters and tries to close a tick of the domain. Called by that
 * vCPU only. With decision.action == DAV2M_SWITCH the caller has become the one who switches
 * the whole domain and must call dav2m_domain_acknowledge(); until then every other vCPU's call
 * answers BUSY.
 * Errors: NULL, UNINIT, SAMPLE, RANGE (index), BUSY (published, another vCPU decides).
 */
DAV2M_API int dav2m_domain_sample(struct dav2m_domain *domain, uint32_t index,
				  const struct dav2m_sample *sample,
				  struct dav2m_decision *ret_decision);

/* As dav2m_acknowledge(); ends the caller's turn, whatever the outcome. Errors: the same. */
DAV2M_API int dav2m_domain_acknowledge(struct dav2m_domain *domain, enum dav2m_outcome outcome,
				       uint64_t cycles);

/*
 * As dav2m_explain() of the domain's controller, with the wraps and resets of its vCPUs' counters
 * added to those of their sums. By the vCPU whose turn it is, or while no vCPU samples. Errors:
 * NULL, UNINIT.
 */
DAV2M_API int dav2m_domain_explain(const struct dav2m_domain *domain,
				   struct dav2m_explanation *ret_explanation);

#ifdef __cplusplus
}
#endif

#endif
