/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saves and restores a vCPU, part by part, in the order in which KVM wants them back.
 */
#include <dav2m/kvm/state.h>

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "fault.h"

#define XSAVE_BYTES	4096u /* struct kvm_xsave; larger areas (AMX) by KVM_GET_XSAVE2 */
#define XSAVE_BYTES_MAX 65536

/* The paravirtual clock belongs to the old VM: its MSRs hold addresses that are given again by
   the guest, and writing them makes KVM update pages at once. */
static const uint32_t msrs_skipped[] = {0x11,	    0x12,	0x4b564d00, 0x4b564d01, 0x4b564d02,
					0x4b564d03, 0x4b564d04, 0x4b564d05, 0x4b564d06};

struct dav2m_kvm_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debugregs;
	struct kvm_mp_state mp_state;
	struct kvm_xcrs xcrs;
	int xsave2; /* bytes; 0: the kernel has no KVM_GET_XSAVE2 */
	void *xsave;
	struct kvm_msrs *msrs;
	int saved;
};

static int msr_skipped(uint32_t index)
{
	for (unsigned int i = 0; i < sizeof(msrs_skipped) / sizeof(msrs_skipped[0]); i++)
		if (msrs_skipped[i] == index)
			return 1;
	return 0;
}

static struct kvm_msr_list *msr_list(int kvm_fd)
{
	struct kvm_msr_list probe = {.nmsrs = 0}, *list;

	if (!ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, &probe) || errno != E2BIG)
		return NULL;
	list = calloc(1, sizeof(*list) + probe.nmsrs * sizeof(list->indices[0]));
	if (!list)
		return NULL;
	list->nmsrs = probe.nmsrs;
	if (!ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, list))
		return list;
	free(list);
	return NULL;
}

static struct kvm_msrs *msrs_new(int kvm_fd)
{
	struct kvm_msr_list *list = msr_list(kvm_fd);
	struct kvm_msrs *msrs;

	if (!list)
		return NULL;
	msrs = calloc(1, sizeof(*msrs) + list->nmsrs * sizeof(msrs->entries[0]));
	for (uint32_t i = 0; msrs && i < list->nmsrs; i++)
		if (!msr_skipped(list->indices[i]))
			msrs->entries[msrs->nmsrs++].index = list->indices[i];
	free(list);
	return msrs;
}

int dav2m_kvm_state_new(int kvm_fd, struct dav2m_kvm_state **ret_state,
			struct dav2m_kvm_fault *ret_fault)
{
	struct dav2m_kvm_state *state;
	int bytes = ioctl(kvm_fd, KVM_CHECK_EXTENSION, (unsigned long)KVM_CAP_XSAVE2);

	if (!ret_state)
		return DAV2M_ERR_NULL;
	state = calloc(1, sizeof(*state));
	if (!state)
		return dav2m_kvm_fault_set(ret_fault, "make room for a vCPU's state", NULL, ENOMEM);
	state->xsave2 = bytes > 0 && bytes <= XSAVE_BYTES_MAX ? bytes : 0;
	state->xsave =
		calloc(1, state->xsave2 > (int)XSAVE_BYTES ? (size_t)state->xsave2 : XSAVE_BYTES);
	state->msrs = msrs_new(kvm_fd);
	if (!state->xsave || !state->msrs) {
		dav2m_kvm_fault_errno(ret_fault, "make room for a vCPU's state", NULL);
		dav2m_kvm_state_free(state);
		return DAV2M_ERR_BACKEND;
	}
	*ret_state = state;
	return 0;
}

void dav2m_kvm_state_free(struct dav2m_kvm_state *state)
{
	if (!state)
		return;
	free(state->xsave);
	free(state->msrs);
	free(state);
}

/* KVM stops at the first MSR it does not have after all: leave that one out for good. */
static int msrs_save(struct dav2m_kvm_state *state, int fd)
{
	struct kvm_msrs *msrs = state->msrs;

	while (msrs->nmsrs) {
		int n = ioctl(fd, KVM_GET_MSRS, msrs);

		if (n < 0)
			return -1;
		if ((uint32_t)n == msrs->nmsrs)
			return 0;
		msrs->nmsrs--;
		memmove(&msrs->entries[n], &msrs->entries[n + 1],
			(msrs->nmsrs - (uint32_t)n) * sizeof(msrs->entries[0]));
	}
	return 0;
}

static int msrs_restore(const struct dav2m_kvm_state *state, int fd)
{
	int n = ioctl(fd, KVM_SET_MSRS, state->msrs);

	if (n >= 0 && (uint32_t)n != state->msrs->nmsrs)
		errno = EINVAL;
	return n >= 0 && (uint32_t)n == state->msrs->nmsrs ? 0 : -1;
}

static int part(int answer, const char *what, struct dav2m_kvm_fault *ret_fault)
{
	return answer < 0 ? dav2m_kvm_fault_errno(ret_fault, what, NULL) : 0;
}

int dav2m_kvm_state_save(struct dav2m_kvm_state *state, int vcpu_fd,
			 struct dav2m_kvm_fault *ret_fault)
{
	unsigned long get_xsave;

	if (!state)
		return DAV2M_ERR_NULL;
	get_xsave = state->xsave2 > (int)XSAVE_BYTES ? KVM_GET_XSAVE2 : KVM_GET_XSAVE;
	state->saved = 0;
	if (part(ioctl(vcpu_fd, KVM_GET_MP_STATE, &state->mp_state), "save the run state",
		 ret_fault) ||
	    part(ioctl(vcpu_fd, KVM_GET_REGS, &state->regs), "save the registers", ret_fault) ||
	    part(ioctl(vcpu_fd, KVM_GET_XCRS, &state->xcrs), "save the XCRs", ret_fault) ||
	    part(ioctl(vcpu_fd, get_xsave, state->xsave), "save the XSAVE area", ret_fault) ||
	    part(ioctl(vcpu_fd, KVM_GET_SREGS, &state->sregs), "save the system registers",
		 ret_fault) ||
	    part(msrs_save(state, vcpu_fd), "save the MSRs", ret_fault) ||
	    part(ioctl(vcpu_fd, KVM_GET_DEBUGREGS, &state->debugregs), "save the debug registers",
		 ret_fault) ||
	    part(ioctl(vcpu_fd, KVM_GET_VCPU_EVENTS, &state->events), "save the pending events",
		 ret_fault))
		return DAV2M_ERR_BACKEND;
	state->saved = 1;
	return 0;
}

/* System registers before MSRs (EFER), MSRs before events, events last of all but mp_state. */
int dav2m_kvm_state_restore(const struct dav2m_kvm_state *state, int vcpu_fd,
			    struct dav2m_kvm_fault *ret_fault)
{
	if (!state)
		return DAV2M_ERR_NULL;
	if (!state->saved)
		return dav2m_kvm_fault_set(ret_fault, "restore a vCPU", "no state was saved", 0);
	if (part(ioctl(vcpu_fd, KVM_SET_SREGS, &state->sregs), "restore the system registers",
		 ret_fault) ||
	    part(ioctl(vcpu_fd, KVM_SET_REGS, &state->regs), "restore the registers", ret_fault) ||
	    part(ioctl(vcpu_fd, KVM_SET_XCRS, &state->xcrs), "restore the XCRs", ret_fault) ||
	    part(ioctl(vcpu_fd, KVM_SET_XSAVE, state->xsave), "restore the XSAVE area",
		 ret_fault) ||
	    part(msrs_restore(state, vcpu_fd), "restore the MSRs", ret_fault) ||
	    part(ioctl(vcpu_fd, KVM_SET_DEBUGREGS, &state->debugregs),
		 "restore the debug registers", ret_fault) ||
	    part(ioctl(vcpu_fd, KVM_SET_VCPU_EVENTS, &state->events), "restore the pending events",
		 ret_fault) ||
	    part(ioctl(vcpu_fd, KVM_SET_MP_STATE, &state->mp_state), "restore the run state",
		 ret_fault))
		return DAV2M_ERR_BACKEND;
	return 0;
}
