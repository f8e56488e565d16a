/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest of another process, watched from outside.
 *
 * KVM's statistics of such a guest are reached, in this order:
 *   1. the VMM's own statistics descriptors, duplicated (pidfd_getfd): per vCPU, cheapest;
 *   2. QMP query-stats, if there is a socket to QEMU: per vCPU; allocates at each read (JSON);
 *   3. debugfs: of the whole VM.
 * QMP is preferred to the descriptors where no thread bears a vCPU's name, because it tells the
 * threads, too. What was used, and why the ones before it were not, is kept for the report.
 */
#ifndef DAV2M_KVM_GUEST_H
#define DAV2M_KVM_GUEST_H

#include <dav2m/kvm/host.h>
#include <dav2m/kvm/vcpu.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dav2m_kvm_route {
	DAV2M_KVM_ROUTE_NONE = 0,
	DAV2M_KVM_ROUTE_DESCRIPTORS,
	DAV2M_KVM_ROUTE_QMP,
	DAV2M_KVM_ROUTE_DEBUGFS
};
#define DAV2M_KVM_ROUTES 4

struct dav2m_kvm_guest_setup {
	int pid;
	const char *qmp;     /* path of QEMU's QMP socket; NULL: find it on the command line */
	const char *proc;    /* normally "/proc" */
	const char *sysfs;   /* normally "/sys" */
	const char *debugfs; /* normally "/sys/kernel/debug" */
	int hardware;	     /* 1: use the PMU if there is one */
};
#define DAV2M_KVM_GUEST_SETUP                                                                      \
	{                                                                                          \
		0, NULL, "/proc", "/sys", "/sys/kernel/debug", 1                                   \
	}

struct dav2m_kvm_guest; /* allocated by _attach */

/*
 * Attaches to a running guest. Errors: NULL, BACKEND (no such process, not permitted, no VM, or
 * nothing of it can be read).
 */
DAV2M_API int dav2m_kvm_guest_attach(const struct dav2m_kvm_guest_setup *setup,
				     struct dav2m_kvm_guest **ret_guest,
				     struct dav2m_kvm_fault *ret_fault);

/*
 * The sum over all vCPUs. vCPUs that have come since are attached first (that may allocate);
 * those that have gone keep what they had counted, so that no sum runs backwards. A counter
 * is valid if every vCPU that is there has it.
 * Errors: NULL, BACKEND (the guest is gone, or nothing can be read any more).
 */
DAV2M_API int dav2m_kvm_guest_sample(struct dav2m_kvm_guest *guest, struct dav2m_sample *ret_sample,
				     struct dav2m_kvm_fault *ret_fault);

/* 1 until the guest's process has ended, or closed its VM. */
DAV2M_API int dav2m_kvm_guest_alive(const struct dav2m_kvm_guest *guest);

/* As of the last sample. */
DAV2M_API uint32_t dav2m_kvm_guest_vcpus(const struct dav2m_kvm_guest *guest);
/* The vCPU's sample and statistics; NULL if there is no such vCPU, or its thread has gone. */
DAV2M_API const struct dav2m_sample *
dav2m_kvm_guest_vcpu_sample(const struct dav2m_kvm_guest *guest, uint32_t index);
DAV2M_API const struct dav2m_kvm_values *
dav2m_kvm_guest_vcpu_values(const struct dav2m_kvm_guest *guest, uint32_t index);
/* Statistics of the whole VM; on the debugfs route with those of its vCPUs summed up. */
DAV2M_API const struct dav2m_kvm_values *
dav2m_kvm_guest_values(const struct dav2m_kvm_guest *guest);

DAV2M_API const struct dav2m_kvm_host *dav2m_kvm_guest_host(const struct dav2m_kvm_guest *guest);
/* Where a counter of the sum comes from, or why it is missing. */
DAV2M_API const struct dav2m_kvm_origin *dav2m_kvm_guest_origin(const struct dav2m_kvm_guest *guest,
								enum dav2m_counter counter);
DAV2M_API enum dav2m_kvm_route dav2m_kvm_guest_route(const struct dav2m_kvm_guest *guest);
/* Why a route was not taken; what is NULL if it was taken or not tried. */
DAV2M_API const struct dav2m_kvm_fault *dav2m_kvm_guest_refusal(const struct dav2m_kvm_guest *guest,
								enum dav2m_kvm_route route);
/* The smallest share of PMU time any vCPU's group had in the last interval. */
DAV2M_API uint32_t dav2m_kvm_guest_running_bp(const struct dav2m_kvm_guest *guest);

/* "none", "statistics descriptors", "QMP", "debugfs". */
DAV2M_API const char *dav2m_kvm_route_name(enum dav2m_kvm_route route);

DAV2M_API void dav2m_kvm_guest_detach(struct dav2m_kvm_guest *guest);

#ifdef __cplusplus
}
#endif

#endif
