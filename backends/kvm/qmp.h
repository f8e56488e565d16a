/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's machine protocol, as far as query-stats needs it.
 */
#ifndef KVM_QMP_H
#define KVM_QMP_H

#include <dav2m/kvm/stats.h>
#include <stddef.h>

/* What QEMU tells of a vCPU. */
struct qmp_vcpu {
	uint32_t number; /* QEMU's own, not KVM's: without gaps where none was plugged in later */
	int tid;	 /* of its thread */
	struct dav2m_kvm_values values;
};

struct qmp {
	int fd;
	size_t used;
	char text[1 << 20]; /* one answer: 512 vCPUs x 50 statistics x about 35 bytes */
};

/* Connects and shakes hands. Errors: BACKEND. */
int dav2m_kvm_qmp_open(struct qmp *qmp, const char *path, struct dav2m_kvm_fault *ret_fault);
/*
 * Reads the statistics of every vCPU, in the order of their numbers, and of the VM. ret_n: how many
 * of the max were filled in. Errors: BACKEND.
 */
int dav2m_kvm_qmp_stats(struct qmp *qmp, struct qmp_vcpu *ret_vcpu, uint32_t max, uint32_t *ret_n,
			struct dav2m_kvm_values *ret_vm, struct dav2m_kvm_fault *ret_fault);
void dav2m_kvm_qmp_close(struct qmp *qmp);

/* The socket that a QEMU command line names for QMP, as this process can open it. 0, or -1. */
int dav2m_kvm_qmp_path_find(const char *proc, int pid, char *ret_path, size_t bytes);

#endif
