/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling in faults, inside the library.
 */
#ifndef KVM_FAULT_INTERNAL_H
#define KVM_FAULT_INTERNAL_H

#include <dav2m/kvm/fault.h>

/* Answers DAV2M_ERR_BACKEND, so that a caller can return it. fault may be NULL. */
int dav2m_kvm_fault_set(struct dav2m_kvm_fault *fault, const char *what, const char *todo,
			int code);
/* The same with errno. */
int dav2m_kvm_fault_errno(struct dav2m_kvm_fault *fault, const char *what, const char *todo);

/* What to do about the common ones; NULL for others. */
const char *dav2m_kvm_fault_todo(int code);

#endif
