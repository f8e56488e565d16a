/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * By which way a guest's statistics come from KVM: chosen once, then read at each sample. What they
 * mean, and whose they are, guest.c knows.
 */
#ifndef KVM_ROUTE_H
#define KVM_ROUTE_H

#include <dav2m/kvm/guest.h>

#include "debugfs.h"
#include "qmp.h"

struct route {
	enum dav2m_kvm_route kind;
	struct dav2m_kvm_fault refusal[DAV2M_KVM_ROUTES]; /* why not by these */
	struct qmp *qmp;
	struct qmp_vcpu *qmp_vcpu; /* DAV2M_KVM_VCPUS_MAX of them */
	uint32_t qmp_vcpus;
	struct debugfs_vm debugfs;
	struct dav2m_kvm_stats vm_stats;
	struct dav2m_kvm_values vm; /* of the whole VM, as read last */
};

/* What the guest's process has open. */
struct route_descriptors {
	int pidfd;   /* of the process; -1: none */
	int vcpu_fd; /* statistics of some vCPU, and of the VM, there; -1: none */
	int vm_fd;
};

/* Closed by dav2m_kvm_route_close(), whatever was chosen. */
void dav2m_kvm_route_begin(struct route *route);
/* vcpus: how many the process has. */
void dav2m_kvm_route_choose(struct route *route, const struct dav2m_kvm_guest_setup *setup,
			    uint32_t vcpus, const struct route_descriptors *descriptors);
/* Statistics that come for all vCPUs at once. Errors: BACKEND. */
int dav2m_kvm_route_read(struct route *route, struct dav2m_kvm_fault *ret_fault);
/* What QEMU told of the nth of so many vCPUs, found like its thread: see dav2m_kvm_vcpu_thread().
   Where it told nothing, that. */
const struct qmp_vcpu *dav2m_kvm_route_vcpu(const struct route *route, uint32_t nth,
					    uint32_t vcpus);
void dav2m_kvm_route_close(struct route *route);

#endif
