/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters of the processor, through libpfm4 and perf_event: one group for each vCPU thread.
 */
#ifndef DAV2M_KVM_PERF_H
#define DAV2M_KVM_PERF_H

#include <dav2m/kvm/fault.h>
#include <dav2m/sample.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dav2m_kvm_scope {
	DAV2M_KVM_GUEST_ONLY = 0, /* while the guest runs */
	DAV2M_KVM_HOST_AND_GUEST  /* and while KVM and the VMM work for it */
};

/* One event. Several events of one counter are added up. */
struct dav2m_kvm_event {
	const char *pmu; /* libpfm4's name of the processor family */
	enum dav2m_counter counter;
	const char *name; /* libpfm4's name of the event, the family not included */
	enum dav2m_kvm_scope scope;
};

#define DAV2M_KVM_EVENTS_MAX 10

/* Private: all members but those described. */
struct dav2m_kvm_perf {
	uint32_t available;  /* DAV2M_BIT of the counters that are open */
	uint32_t left_out;   /* those that this processor counts but that did not fit the group */
	uint32_t running_bp; /* share of the last interval in which the group was on the PMU */
	const char *pmu;     /* whose events these are */
	uint32_t events;
	int fd[DAV2M_KVM_EVENTS_MAX]; /* the first one leads the group */
	uint64_t id[DAV2M_KVM_EVENTS_MAX];
	uint64_t last[DAV2M_KVM_EVENTS_MAX];
	uint8_t counter[DAV2M_KVM_EVENTS_MAX];
	uint64_t enabled;
	uint64_t running;
	uint64_t total[DAV2M_COUNTERS];
};

/* The index-th row of the table of events, or NULL past its end. */
DAV2M_API const struct dav2m_kvm_event *dav2m_kvm_event(size_t index);

/* The first family in the table that this machine has, or NULL. Not yet: "and may count". */
DAV2M_API const char *dav2m_kvm_pmu(void);

/*
 * Opens a group on thread tid (0: the calling thread). Rows of one counter must follow each
 * other; the first row leads. A counter whose rows do not all fit is left out, whole; so is, on
 * a hybrid or old processor, one whose event the kernel does not know.
 * Errors: NULL, RANGE (no rows, or too many), BACKEND (not even the first).
 */
DAV2M_API int dav2m_kvm_perf_open(struct dav2m_kvm_perf *perf, const struct dav2m_kvm_event *rows,
				  size_t n, int tid, struct dav2m_kvm_fault *ret_fault);

/* The same with the table's rows for this machine. */
DAV2M_API int dav2m_kvm_perf_open_hardware(struct dav2m_kvm_perf *perf, int tid,
					   struct dav2m_kvm_fault *ret_fault);

/*
 * Adds the counters that the group has to ret_sample. Where the group shared the PMU with
 * others, what it counted is scaled by enabled / running of the interval since the last read,
 * and running_bp says so; where it never ran in that interval its bits stay clear.
 * Errors: NULL, BACKEND.
 */
DAV2M_API int dav2m_kvm_perf_read(struct dav2m_kvm_perf *perf, struct dav2m_sample *ret_sample,
				  struct dav2m_kvm_fault *ret_fault);

DAV2M_API void dav2m_kvm_perf_close(struct dav2m_kvm_perf *perf);

#ifdef __cplusplus
}
#endif

#endif
