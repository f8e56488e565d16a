/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU time of a vCPU's thread: the time base where there is no PMU.
 */
#ifndef KVM_CPUTIME_H
#define KVM_CPUTIME_H

#include <dav2m/kvm/fault.h>
#include <dav2m/kvm/vcpu.h>

enum cputime_kind { CPUTIME_NONE = 0, CPUTIME_CLOCK, CPUTIME_SCHEDSTAT };

/* pid 0: this process. Fills the vcpu's cputime members. Errors: BACKEND. */
int dav2m_kvm_cputime_open(struct dav2m_kvm_vcpu *vcpu, int pid, int tid,
			   struct dav2m_kvm_fault *ret_fault);
/* Nanoseconds. 0, or an errno. */
int dav2m_kvm_cputime_read(const struct dav2m_kvm_vcpu *vcpu, uint64_t *ret_ns);
void dav2m_kvm_cputime_close(struct dav2m_kvm_vcpu *vcpu);

/* The rate of the time-stamp counter in kHz as the kernel tells it; 0: not known. */
uint32_t dav2m_kvm_cputime_tsc_khz(void);

/* Nanoseconds to cycles of that rate. */
uint64_t dav2m_kvm_cputime_cycles(uint64_t ns, uint32_t khz);

#endif
