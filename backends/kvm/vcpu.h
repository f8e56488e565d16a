/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statistics that reach a vCPU by another way than its own descriptor.
 */
#ifndef KVM_VCPU_INTERNAL_H
#define KVM_VCPU_INTERNAL_H

#include <dav2m/kvm/vcpu.h>

/* Adds the paging exits that vcpu->values hold to the sample. */
void dav2m_kvm_vcpu_paging_exits(struct dav2m_kvm_vcpu *vcpu, struct dav2m_sample *sample);

/* Says where paging exits come from, given the statistics that there are. */
void dav2m_kvm_vcpu_stats_origin(struct dav2m_kvm_vcpu *vcpu, uint32_t available);

#endif
