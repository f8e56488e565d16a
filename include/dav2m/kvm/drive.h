/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The callbacks for dav2m_drive(): samples from a VMM's own vCPUs, switching by whatever
 * mechanism there is.
 *
 *     struct dav2m_kvm_drive drive = {vcpu, vcpus, DAV2M_KVM_ADVISE, NULL, NULL, NULL, {0}};
 *     dav2m_drive(&controller, &dav2m_kvm_backend, &drive, &decision);
 *
 * Called while no vCPU of the VM is in KVM_RUN if the mechanism is to switch; an advising one
 * may be called at any time.
 */
#ifndef DAV2M_KVM_DRIVE_H
#define DAV2M_KVM_DRIVE_H

#include <dav2m/backend.h>
#include <dav2m/kvm/reload.h>
#include <dav2m/kvm/vcpu.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dav2m_kvm_mechanism {
	DAV2M_KVM_ADVISE = 0, /* none: the stock kernel. Every switch is deferred */
	DAV2M_KVM_RELOAD,     /* <dav2m/kvm/reload.h>; vcpu must be detached and attached by the
				 VMM's close and open callbacks */
	DAV2M_KVM_USER	      /* the VMM's own: a patched kernel, or a nested hypervisor */
};

struct dav2m_kvm_drive {
	struct dav2m_kvm_vcpu *vcpu;
	uint32_t vcpus;
	enum dav2m_kvm_mechanism mechanism;
	struct dav2m_kvm_reload *reload; /* with DAV2M_KVM_RELOAD */
	/*
	 * With DAV2M_KVM_USER. Must bring every vCPU of the VM into the mode before any of them
	 * runs again, with all shadow state of the old mode dropped and TLBs flushed, and answer
	 * DONE; or leave every vCPU in the old mode, whole, and answer DEFERRED (try again later)
	 * or FAILED (back off). It may add the switch's cost, in the unit of the samples' cycles,
	 * to *ret_cycles.
	 */
	enum dav2m_outcome (*user)(void *user_arg, enum dav2m_mode to, uint64_t *ret_cycles);
	void *user_arg;
	struct dav2m_kvm_fault fault; /* of the last sample or switch that failed */
};

DAV2M_API extern const struct dav2m_backend dav2m_kvm_backend;

#ifdef __cplusplus
}
#endif

#endif
