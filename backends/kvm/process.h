/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this library reads of other processes, inside the library.
 */
#ifndef KVM_PROCESS_INTERNAL_H
#define KVM_PROCESS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum kvm_descriptor { KVM_OTHER = 0, KVM_VM, KVM_VCPU, KVM_VM_STATS, KVM_VCPU_STATS };

/* From the target of a link in /proc/PID/fd. */
enum kvm_descriptor dav2m_kvm_descriptor_kind(const char *link, uint32_t *ret_index);

/* Calls each for every descriptor of KVM until it answers other than 0; answers that, or -errno
   if the process's descriptors cannot be read. */
int dav2m_kvm_descriptors(const char *proc, int pid,
			  int (*each)(void *arg, int fd, enum kvm_descriptor kind, uint32_t index),
			  void *arg);

/* A copy of a descriptor of a process; -1 with errno. */
int dav2m_kvm_descriptor_copy(int pidfd, int fd);

/* A file of /proc/PID, cut to bytes and terminated; its length, or -1. */
ssize_t dav2m_kvm_proc_text(const char *proc, int pid, const char *file, char *buffer,
			    size_t bytes);

#endif
