/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dav2m_drive()'s callbacks: one domain is one VM, because KVM's mode is the VM's.
 */
#include <dav2m/kvm/drive.h>

#include <time.h>

#include "cputime.h"
#include "fault.h"

static int drive_read(void *vm, struct dav2m_sample *ret_sample)
{
	struct dav2m_kvm_drive *drive = vm;
	struct dav2m_sample one, sum = {.valid = DAV2M_ALL_COUNTERS};

	for (uint32_t i = 0; i < drive->vcpus; i++) {
		if (dav2m_kvm_vcpu_sample(&drive->vcpu[i], &one, &drive->fault))
			return -1;
		sum.valid &= one.valid;
		for (unsigned int k = 0; k < DAV2M_COUNTERS; k++)
			sum.value[k] += one.value[k];
	}
	if (!drive->vcpus)
		sum.valid = 0;
	*ret_sample = sum;
	return 0;
}

/* What this thread spent, in the unit that CPU time is turned into; a switch done by a vCPU's
   thread is in that vCPU's cycles. */
static uint64_t own_cycles(const struct dav2m_kvm_drive *drive)
{
	struct timespec t;

	if (!drive->vcpus || clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t))
		return 0;
	return dav2m_kvm_cputime_cycles((uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec,
					drive->vcpu[0].tsc_khz);
}

static enum dav2m_outcome drive_reload(struct dav2m_kvm_drive *drive, enum dav2m_mode to,
				       uint64_t *ret_cycles)
{
	uint64_t before = own_cycles(drive);
	enum dav2m_outcome outcome;

	if (!drive->reload)
		return DAV2M_FAILED;
	outcome = dav2m_kvm_reload_switch(drive->reload, to);
	if (outcome != DAV2M_DONE)
		drive->fault = drive->reload->fault;
	*ret_cycles += own_cycles(drive) - before;
	return outcome;
}

static enum dav2m_outcome drive_switch(void *vm, enum dav2m_mode to, uint64_t *ret_cycles)
{
	struct dav2m_kvm_drive *drive = vm;

	switch (drive->mechanism) {
	case DAV2M_KVM_ADVISE:
		return DAV2M_DEFERRED;
	case DAV2M_KVM_RELOAD:
		return drive_reload(drive, to, ret_cycles);
	case DAV2M_KVM_USER:
		return drive->user ? drive->user(drive->user_arg, to, ret_cycles) : DAV2M_FAILED;
	}
	return DAV2M_FAILED;
}

const struct dav2m_backend dav2m_kvm_backend = {
	.read_counters = drive_read,
	.switch_mode = drive_switch,
};
