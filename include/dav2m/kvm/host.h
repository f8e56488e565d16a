/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host: which kvm module runs, in which paging mode, and which guests run on it.
 */
#ifndef DAV2M_KVM_HOST_H
#define DAV2M_KVM_HOST_H

#include <dav2m/kvm/fault.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dav2m_kvm_host {
	char module[16]; /* "kvm_amd", "kvm_intel", or what else provides /dev/kvm; "" */
	const char *switch_parameter; /* "npt", "ept", or NULL: this module has only one mode */
	enum dav2m_mode mode;	      /* of every VM on this host */
	int mode_known;
};

/* sysfs: normally "/sys". Errors: NULL, BACKEND (no kvm module is loaded). */
DAV2M_API int dav2m_kvm_host_read(const char *sysfs, struct dav2m_kvm_host *ret_host,
				  struct dav2m_kvm_fault *ret_fault);

#define DAV2M_KVM_NAME_BYTES 64
#define DAV2M_KVM_VCPUS_MAX  512

/* A process with a VM. */
struct dav2m_kvm_process {
	int pid;
	char name[DAV2M_KVM_NAME_BYTES]; /* the guest's name (QEMU -name), or the command's */
	uint32_t vcpus;
	uint32_t stats_open;   /* vCPUs whose statistics the VMM itself has open */
	uint64_t memory_bytes; /* of the largest anonymous or shared mapping: guest memory */
	uint64_t huge_bytes;   /* of the process's memory, in huge pages */
	uint64_t resident_bytes;
	int memory_known;
};

/*
 * Calls each with every process that has a VM open, in the order of PIDs, until it answers other
 * than 0; that answer is returned. proc: normally "/proc". Processes whose descriptors may not be
 * read are counted in ret_hidden, which may be NULL. Errors: NULL, BACKEND.
 */
DAV2M_API int dav2m_kvm_processes(const char *proc,
				  int (*each)(void *arg, const struct dav2m_kvm_process *process),
				  void *arg, uint32_t *ret_hidden,
				  struct dav2m_kvm_fault *ret_fault);

/* The same for one process. Errors: NULL, BACKEND (gone, not permitted, or has no VM). */
DAV2M_API int dav2m_kvm_process_read(const char *proc, int pid,
				     struct dav2m_kvm_process *ret_process,
				     struct dav2m_kvm_fault *ret_fault);

/*
 * The thread that runs the nth (from 0) of a process's vCPUs, in the order of KVM's numbers, by the
 * thread's name or as the only one; 0: not known; -errno: the threads cannot be looked at. vcpus:
 * how many there are.
 */
DAV2M_API int dav2m_kvm_vcpu_thread(const char *proc, int pid, uint32_t nth, uint32_t vcpus);

#ifdef __cplusplus
}
#endif

#endif
