/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's state, taken out of one VM and put into another on the same memory.
 *
 * Carried: registers, control and segment registers, MSRs, XSAVE area, extended control
 * registers, pending events, debug registers, run state. Not carried: in-kernel devices (local
 * APIC, I/O APIC, PIT), the paravirtual clock, dirty logs, and whatever the VMM keeps itself.
 */
#ifndef DAV2M_KVM_STATE_H
#define DAV2M_KVM_STATE_H

#include <dav2m/kvm/fault.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dav2m_kvm_state; /* one vCPU's */

/* Allocates room for one vCPU; kvm_fd: /dev/kvm. Errors: NULL, BACKEND. */
DAV2M_API int dav2m_kvm_state_new(int kvm_fd, struct dav2m_kvm_state **ret_state,
				  struct dav2m_kvm_fault *ret_fault);
DAV2M_API void dav2m_kvm_state_free(struct dav2m_kvm_state *state);

/*
 * Saves from, and restores to, a vCPU that is not in KVM_RUN. A pending I/O instruction must
 * have been completed first (immediate_exit = 1, KVM_RUN). The vCPU restored to must have been
 * given the same CPUID. Errors: NULL, BACKEND (ret_fault names the part refused).
 */
DAV2M_API int dav2m_kvm_state_save(struct dav2m_kvm_state *state, int vcpu_fd,
				   struct dav2m_kvm_fault *ret_fault);
DAV2M_API int dav2m_kvm_state_restore(const struct dav2m_kvm_state *state, int vcpu_fd,
				      struct dav2m_kvm_fault *ret_fault);

#ifdef __cplusplus
}
#endif

#endif
