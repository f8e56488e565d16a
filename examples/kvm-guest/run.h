/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the guest's vCPUs, each on a thread of its own, with libdav2m-kvm looking on.
 */
#ifndef KVM_GUEST_RUN_H
#define KVM_GUEST_RUN_H

#include <dav2m/kvm/kvm.h>
#include <pthread.h>

#include "vm.h"

struct guest_runner;

struct guest_thread {
	struct guest_runner *runner;
	unsigned int index;
	pthread_t thread;
	int tid;
	enum guest_exit exit;
};

struct guest_runner {
	struct guest_vm vm;
	struct guest_thread thread[GUEST_VCPUS_MAX];
	struct dav2m_kvm_vcpu counters[GUEST_VCPUS_MAX];
	unsigned int started;
	int stop;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int ready;
	int go;
	struct dav2m_kvm_fault fault;
};

/* Creates the VM and starts its vCPUs in the given phase. 0, or -1 with runner->vm.error. */
int guest_runner_start(struct guest_runner *runner, unsigned int vcpus, uint64_t calm_pages,
		       uint64_t cold_pages, enum guest_phase phase);
void guest_runner_phase(struct guest_runner *runner, enum guest_phase phase);
/* Stops the vCPUs and frees everything. */
void guest_runner_stop(struct guest_runner *runner);

/* Work done by all vCPUs. */
uint64_t guest_runner_work(const struct guest_runner *runner);

/* The mode of this host's kvm module; shadow paging where it does not say. */
enum dav2m_mode guest_host_mode(void);

/*
 * A config for this guest: progress is its operations, so a tick is 1000 of them, and more than
 * one paging exit in ten operations is taken for more than shadow paging is worth: a choice for
 * this guest, whose calm phase has none and whose other phases have at least two for each.
 */
void guest_config(struct dav2m_config *ret_config);

#endif
