/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tiny VMM: guest memory, a VM on /dev/kvm, vCPUs that run the guest of guest.c.
 *
 * Memory outlives the VM: it can be closed and opened again on the same memory, which is what
 * a change of the host's paging mode needs (examples/kvm-reload).
 */
#ifndef KVM_GUEST_VM_H
#define KVM_GUEST_VM_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"

#define GUEST_VCPUS_MAX 8

struct guest_vcpu {
	int fd;
	struct kvm_run *run;
	struct guest_board *board;
};

struct guest_vm {
	int kvm_fd;
	int vm_fd;
	size_t run_bytes;
	unsigned char *memory;
	size_t memory_bytes;
	uint64_t slice_bytes;
	unsigned int vcpus;
	struct guest_vcpu vcpu[GUEST_VCPUS_MAX];
	struct kvm_cpuid2 *cpuid; /* read once: the guest's processor must not change */
	char error[200];	  /* what went wrong, for people */
};

enum guest_exit {
	GUEST_ENDED,	   /* the script is done */
	GUEST_INTERRUPTED, /* a signal, or immediate_exit */
	GUEST_BROKEN	   /* vm->error says why */
};

/* Allocates guest memory and writes code, tables and boards. 0, or -1 with vm->error. */
int guest_memory_create(struct guest_vm *vm, unsigned int vcpus, uint64_t calm_pages,
			uint64_t cold_pages);
void guest_memory_free(struct guest_vm *vm);

/* Makes a VM on that memory; registers are not set. 0, or -1 with vm->error and nothing open. */
int guest_vm_open(struct guest_vm *vm);
void guest_vm_close(struct guest_vm *vm);

/* Puts a vCPU at the guest's entry. */
int guest_vcpu_reset(struct guest_vm *vm, unsigned int index);

/* Runs a vCPU until its script ends, a signal comes, or something breaks. */
enum guest_exit guest_vcpu_run(struct guest_vm *vm, unsigned int index);

/* Completes an I/O instruction that the last exit left half done, without running the guest. */
int guest_vcpu_quiesce(struct guest_vm *vm, unsigned int index);

/* calm, cold, remap, fault, space; "?" otherwise. */
const char *guest_phase_name(unsigned int phase);

/* Writes descriptor tables, page tables and the board of one slice (tables.c). */
void guest_slice_write(struct guest_vm *vm, unsigned int index, uint64_t calm_pages,
		       uint64_t cold_pages);
uint64_t guest_entry(void);
uint64_t guest_slice_address(const struct guest_vm *vm, unsigned int index);
void guest_image_write(struct guest_vm *vm);

#endif
