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
 *     the closer  parks the others, switches, dav2m_domain_acknowledge(), lets them go
 *     a parked    dav2m_domain_sample()       before the switch: publish the old mode's work
 *
 * Work counts for the mode that runs when it is published. Of n vCPUs that are switched without
 * publishing, n - 1 would later hand in work of the old mode as the new one's, and a probe would be
 * judged by that. So each publishes once it is parked, before the switch begins; one that has not
 * run since it last did need not. Its call answers BUSY.
 *
 * The domain's counters are the sums over its vCPUs, and so are window_inst and the thresholds to
 * be understood: where n vCPUs are busy, a tick, and with it a transient of window_settle ticks, is
 * over n times as soon. Give a domain n times the window_inst, and thresholds in proportion, to
 * have ticks and transients as long as those of one vCPU.
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
	uint32_t exits_due; /* its share of those worth a sample; whoever has the turn writes it */
	uint64_t total[DAV2M_COUNTERS]; /* believed so far */
	struct dav2m_meter meter;
	uint32_t counting; /* as the domain's, when the meter began */
	/* published: read by the closer, guarded by sequence (odd: being written) */
	uint32_t sequence;
	uint32_t known;
	uint32_t wraps;	 /* of its counters */
	uint32_t resets; /* its samples whose counters ran backwards or jumped */
	uint32_t low[DAV2M_COUNTERS];
	uint32_t high[DAV2M_COUNTERS];
} DAV2M_CACHE_ALIGNED;

/* Private, but for dav2m_explain() of the controller by the vCPU that is to switch the domain. */
struct dav2m_domain {
	struct dav2m controller;
	struct dav2m_vcpu *vcpu; /* the caller's array */
	uint32_t vcpus;
	uint32_t turn;	   /* whose it is to use the controller, see domain.c */
	uint32_t counting; /* how vCPUs are to read their counters: which, and of what width */
} DAV2M_CACHE_ALIGNED;

/*
 * Starts a domain over the caller's array of n vCPUs, n in [1, 4096]. Both must stay where they
 * are while the domain is used, and be aligned to 128 bytes, as their types are: malloc() does not
 * promise that, aligned_alloc() does. config->counter_bits is the width of the vCPUs' counters.
 * Errors: NULL, SIZE, CONFIG, RANGE (mode, n, alignment).
 */
DAV2M_API int dav2m_domain_init(struct dav2m_domain *domain, const struct dav2m_config *config,
				enum dav2m_mode running, struct dav2m_vcpu *vcpu, uint32_t n);

/*
 * As dav2m_paging_exits(), for one vCPU of a domain. Called by that vCPU only. Returns 1 when the
 * vCPU has taken an equal share of the exits that are left of those worth a sample, or 1/64 of
 * all if that is more: so one vCPU that takes all of them asks for some 64 samples. More than 64
 * that take exits all at once may together go beyond, n / 64 times as far.
 */
DAV2M_API int dav2m_vcpu_paging_exits(struct dav2m_vcpu *vcpu, uint32_t n);

/*
 * Publishes vCPU index's raw counters and tries to close a tick of the domain. Called by that
 * vCPU, or on its behalf while it stands. With decision.action == DAV2M_SWITCH the caller has
 * become the one who switches the whole domain and must call dav2m_domain_acknowledge(); until
 * then every vCPU's call, and every administrator's, answers BUSY.
 * Errors: NULL, UNINIT, SAMPLE, RANGE (index); and BUSY, which tells that there is no decision,
 * because somebody else has the turn or is publishing, but the counters have been published.
 */
DAV2M_API int dav2m_domain_sample(struct dav2m_domain *domain, uint32_t index,
				  const struct dav2m_sample *sample,
				  struct dav2m_decision *ret_decision);

/*
 * As dav2m_acknowledge(), by the vCPU that was told to switch; ends its turn, whatever became of
 * the switch. With DONE, what vCPUs have published until now was the old mode's. cycles: what the
 * switch adds to DAV2M_CYCLES of all vCPUs together after they have published, 0 if unknown.
 * Errors: NULL, UNINIT, NO_SWITCH (nobody was told to), RANGE (outcome; the turn goes on).
 */
DAV2M_API int dav2m_domain_acknowledge(struct dav2m_domain *domain, enum dav2m_outcome outcome,
				       uint64_t cycles);

/*
 * For administrators, while vCPUs run: as dav2m_pin(), dav2m_retune(), dav2m_rebase() and
 * dav2m_explain() of the domain's controller. After a rebase, and after a retune to another width
 * or to a judge that goes by other counters, each vCPU's next sample is a baseline. An explanation
 * has the wraps and resets of vCPUs' counters added. Errors: the same, and BUSY (somebody else has
 * the turn: nothing has happened, try again).
 */
DAV2M_API int dav2m_domain_pin(struct dav2m_domain *domain, enum dav2m_pin pin);
DAV2M_API int dav2m_domain_retune(struct dav2m_domain *domain, const struct dav2m_config *config);
DAV2M_API int dav2m_domain_rebase(struct dav2m_domain *domain);
DAV2M_API int dav2m_domain_explain(struct dav2m_domain *domain,
				   struct dav2m_explanation *ret_explanation);

#ifdef __cplusplus
}
#endif

#endif
