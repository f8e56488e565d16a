/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One vCPU's counters as one sample, whatever each of them comes from.
 *
 * In a VMM:
 *
 *     struct dav2m_kvm_vcpu_setup setup = DAV2M_KVM_VCPU_SETUP;
 *     setup.vcpu_fd = fd;               the vCPU's descriptor, of this process
 *     setup.tid = gettid();             of the thread that runs it
 *     setup.mode = DAV2M_SHADOW;        what the kvm module does: dav2m_kvm_host_read()
 *     dav2m_kvm_vcpu_open(&vcpu, &setup, &fault);
 *     ...
 *     dav2m_kvm_vcpu_sample(&vcpu, &sample, &fault);       from any one thread, at any time
 *
 * Where each counter comes from:
 *
 *     progress          the VMM's own count; else guest instructions of the PMU
 *     cycles            PMU, host and guest; else CPU time of the thread at the TSC's rate
 *     tlb_misses, walk_cycles, tlb_flushes      PMU; or the VMM's own
 *     paging_exits      KVM's statistics under shadow paging; under nested paging the count
 *                       stands still, because shadow paging takes none there
 *     paging_exit_cycles                        nobody counts them: the VMM's own only
 */
#ifndef DAV2M_KVM_VCPU_H
#define DAV2M_KVM_VCPU_H

#include <dav2m/domain.h>
#include <dav2m/kvm/perf.h>
#include <dav2m/kvm/stats.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dav2m_kvm_vcpu_setup {
	int vcpu_fd;  /* of this process, or -1 */
	int stats_fd; /* a statistics descriptor to be taken over, used if vcpu_fd is -1; or -1 */
	int pid;      /* of the VMM; 0: this process */
	int tid;      /* of the thread that runs the vCPU; 0: not known */
	int hardware; /* 1: use the PMU if there is one; 0: do not touch it */
	enum dav2m_mode mode; /* what runs now */
	/*
	 * Adds what the VMM counts itself to the sample and sets its valid bits; these replace
	 * what was read from elsewhere. Answers 0, or anything else to refuse the sample. NULL:
	 * the VMM counts nothing itself.
	 */
	int (*own)(void *arg, struct dav2m_sample *sample);
	void *arg;
};
#define DAV2M_KVM_VCPU_SETUP                                                                       \
	{                                                                                          \
		-1, -1, 0, 0, 1, DAV2M_SHADOW, NULL, NULL                                          \
	}

/* Where a counter comes from: a constant text, or NULL and why not. */
struct dav2m_kvm_origin {
	const char *from;
	struct dav2m_kvm_fault missing;
};

/* Private: all members but origin. Lines of its own, because each thread reads its own vCPU. */
struct dav2m_kvm_vcpu {
	struct dav2m_kvm_stats stats;
	struct dav2m_kvm_perf perf;
	int cputime_fd;	   /* schedstat of another process's thread, or -1 */
	int cputime_clock; /* clock of a thread of this process */
	uint32_t cputime;  /* 0: none, 1: clock, 2: schedstat */
	uint32_t tsc_khz;
	enum dav2m_mode mode;
	int (*own)(void *arg, struct dav2m_sample *sample);
	void *arg;
	uint64_t carry[DAV2M_COUNTERS]; /* counted before the VM was made again */
	uint64_t faults_base;		/* paging exits that are not shadow paging's */
	struct dav2m_kvm_values values; /* the last statistics read */
	struct dav2m_kvm_origin origin[DAV2M_COUNTERS];
} DAV2M_CACHE_ALIGNED;

/*
 * Opens whatever this host offers. With a vcpu_fd call it before the vCPU first runs, or between
 * two KVM_RUNs: KVM hands out statistics descriptors only then, and waits. A counter that is
 * missing is not an error: origin says why and what to do, and the samples' valid mask lacks it.
 * Errors: NULL, RANGE (mode), BACKEND (nothing at all can be read; ret_fault tells the reason
 * of the most important one).
 */
DAV2M_API int dav2m_kvm_vcpu_open(struct dav2m_kvm_vcpu *vcpu,
				  const struct dav2m_kvm_vcpu_setup *setup,
				  struct dav2m_kvm_fault *ret_fault);

/*
 * Reads the counters as they stand: no allocation, no lock, two or three system calls.
 * Errors: NULL, BACKEND (the vCPU is gone, or its VMM).
 */
DAV2M_API int dav2m_kvm_vcpu_sample(struct dav2m_kvm_vcpu *vcpu, struct dav2m_sample *ret_sample,
				    struct dav2m_kvm_fault *ret_fault);

/*
 * For a VM that is made again on the same memory: closes the old VM's statistics, so that the kvm
 * module can go (_detach), and goes on with the new VM's (_attach) without a jump in any count.
 * Errors of _attach: NULL, RANGE, BACKEND.
 */
DAV2M_API void dav2m_kvm_vcpu_detach(struct dav2m_kvm_vcpu *vcpu);
DAV2M_API int dav2m_kvm_vcpu_attach(struct dav2m_kvm_vcpu *vcpu, int vcpu_fd, enum dav2m_mode mode,
				    struct dav2m_kvm_fault *ret_fault);

/* KVM's statistics as the last sample read them. */
DAV2M_API const struct dav2m_kvm_values *dav2m_kvm_vcpu_values(const struct dav2m_kvm_vcpu *vcpu);

DAV2M_API void dav2m_kvm_vcpu_close(struct dav2m_kvm_vcpu *vcpu);

/*
 * A config for a controller that is fed with one sample each interval_ms of one guest. available:
 * the valid mask of its samples. With progress this is the repaired preset; without, each sample
 * is a tick and the thresholds are rates.
 * Errors: NULL, SIZE, RANGE (interval_ms not in [10, 10000]).
 */
DAV2M_API int dav2m_kvm_config(uint32_t interval_ms, uint32_t available,
			       struct dav2m_config *ret_config);

#ifdef __cplusplus
}
#endif

#endif
