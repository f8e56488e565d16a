/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's statistics of a whole VM from debugfs.
 */
#ifndef KVM_DEBUGFS_H
#define KVM_DEBUGFS_H

#include <dav2m/kvm/stats.h>

struct debugfs_vm {
	int directory; /* the VM's, or -1 */
};

/* root: normally "/sys/kernel/debug". Errors: BACKEND. */
int dav2m_kvm_debugfs_open(struct debugfs_vm *vm, const char *root, int pid,
			   struct dav2m_kvm_fault *ret_fault);
int dav2m_kvm_debugfs_read(const struct debugfs_vm *vm, struct dav2m_kvm_values *ret_values,
			   struct dav2m_kvm_fault *ret_fault);
void dav2m_kvm_debugfs_close(struct debugfs_vm *vm);

#endif
