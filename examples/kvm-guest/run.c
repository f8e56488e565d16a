/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread for each vCPU. Set-up is done under a lock, running is not: vCPUs share nothing.
 */
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define KICK SIGUSR1

static void kicked(int signal)
{
	(void)signal;
}

enum dav2m_mode guest_host_mode(void)
{
	struct dav2m_kvm_host host;

	if (dav2m_kvm_host_read("/sys", &host, NULL))
		return DAV2M_SHADOW;
	return host.mode;
}

void guest_config(struct dav2m_config *ret_config)
{
	ret_config->size = sizeof(*ret_config);
	dav2m_config_preset(DAV2M_PRESET_REPAIRED, ret_config);
	ret_config->window_inst = 1000;
	ret_config->threshold_vmexit = 100;
	ret_config->threshold_tmiss = 5000; /* of the 10000 operations in ten ticks */
}

static int guest_counts(void *arg, struct dav2m_sample *sample)
{
	const volatile struct guest_board *board = arg;

	sample->value[DAV2M_PROGRESS] = board->work;
	sample->valid = DAV2M_BIT(DAV2M_PROGRESS);
	return 0;
}

static int counters_open(struct guest_thread *thread)
{
	struct guest_runner *runner = thread->runner;
	struct dav2m_kvm_vcpu_setup setup = DAV2M_KVM_VCPU_SETUP;

	setup.vcpu_fd = runner->vm.vcpu[thread->index].fd;
	setup.tid = thread->tid;
	setup.mode = guest_host_mode();
	setup.own = guest_counts;
	setup.arg = runner->vm.vcpu[thread->index].board;
	return dav2m_kvm_vcpu_open(&runner->counters[thread->index], &setup, &runner->fault);
}

static void ready(struct guest_thread *thread)
{
	struct guest_runner *runner = thread->runner;

	pthread_mutex_lock(&runner->lock);
	runner->ready++;
	pthread_cond_broadcast(&runner->changed);
	pthread_mutex_unlock(&runner->lock);
}

/* 1: run; 0: the set-up failed. */
static int go_wait(struct guest_runner *runner)
{
	int go;

	pthread_mutex_lock(&runner->lock);
	while (!runner->go && !runner->stop)
		pthread_cond_wait(&runner->changed, &runner->lock);
	go = runner->go;
	pthread_mutex_unlock(&runner->lock);
	return go;
}

static void go_say(struct guest_runner *runner, int go)
{
	pthread_mutex_lock(&runner->lock);
	runner->go = go;
	__atomic_store_n(&runner->stop, !go, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&runner->changed);
	pthread_mutex_unlock(&runner->lock);
}

static void *vcpu_thread(void *arg)
{
	struct guest_thread *thread = arg;
	struct guest_runner *runner = thread->runner;
	char name[16];

	snprintf(name, sizeof(name), "vcpu%u", thread->index);
	pthread_setname_np(pthread_self(), name);
	thread->tid = (int)syscall(SYS_gettid);
	ready(thread);
	if (!go_wait(runner))
		return NULL;
	do
		thread->exit = guest_vcpu_run(&runner->vm, thread->index);
	while (thread->exit == GUEST_INTERRUPTED &&
	       !__atomic_load_n(&runner->stop, __ATOMIC_ACQUIRE));
	return NULL;
}

static void threads_wait_ready(struct guest_runner *runner)
{
	pthread_mutex_lock(&runner->lock);
	while (runner->ready < runner->started)
		pthread_cond_wait(&runner->changed, &runner->lock);
	pthread_mutex_unlock(&runner->lock);
}

void guest_runner_phase(struct guest_runner *runner, enum guest_phase phase)
{
	for (unsigned int i = 0; i < runner->vm.vcpus; i++)
		__atomic_store_n(&runner->vm.vcpu[i].board->phase, (uint32_t)phase,
				 __ATOMIC_RELEASE);
}

uint64_t guest_runner_work(const struct guest_runner *runner)
{
	uint64_t work = 0;

	for (unsigned int i = 0; i < runner->vm.vcpus; i++)
		work += __atomic_load_n(&runner->vm.vcpu[i].board->work, __ATOMIC_RELAXED);
	return work;
}

static int vcpus_reset(struct guest_vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpus; i++)
		if (guest_vcpu_reset(vm, i))
			return -1;
	return 0;
}

static int threads_start(struct guest_runner *runner)
{
	for (unsigned int i = 0; i < runner->vm.vcpus; i++) {
		struct guest_thread *thread = &runner->thread[i];

		thread->runner = runner;
		thread->index = i;
		if (pthread_create(&thread->thread, NULL, vcpu_thread, thread))
			return -1;
		runner->started++;
	}
	threads_wait_ready(runner);
	/* Before they run: KVM_GET_STATS_FD waits for a vCPU that is in KVM_RUN. */
	for (unsigned int i = 0; i < runner->vm.vcpus; i++)
		if (counters_open(&runner->thread[i]))
			return -1;
	go_say(runner, 1);
	return 0;
}

int guest_runner_start(struct guest_runner *runner, unsigned int vcpus, uint64_t calm_pages,
		       uint64_t cold_pages, enum guest_phase phase)
{
	struct sigaction action = {.sa_handler = kicked};

	memset(runner, 0, sizeof(*runner));
	pthread_mutex_init(&runner->lock, NULL);
	pthread_cond_init(&runner->changed, NULL);
	sigaction(KICK, &action, NULL);
	if (guest_memory_create(&runner->vm, vcpus, calm_pages, cold_pages))
		return -1;
	guest_runner_phase(runner, phase);
	if (!guest_vm_open(&runner->vm) && !vcpus_reset(&runner->vm) && !threads_start(runner))
		return 0;
	if (runner->fault.what)
		dav2m_kvm_fault_text(&runner->fault, runner->vm.error, sizeof(runner->vm.error));
	guest_runner_stop(runner);
	return -1;
}

static void thread_stop(struct guest_runner *runner, unsigned int index)
{
	struct guest_vcpu *vcpu = &runner->vm.vcpu[index];

	/* For a kick that comes just before KVM_RUN. */
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_RELEASE);
	pthread_kill(runner->thread[index].thread, KICK);
	pthread_join(runner->thread[index].thread, NULL);
}

void guest_runner_stop(struct guest_runner *runner)
{
	go_say(runner, 0);
	for (unsigned int i = 0; i < runner->started; i++)
		thread_stop(runner, i);
	for (unsigned int i = 0; i < runner->started; i++)
		dav2m_kvm_vcpu_close(&runner->counters[i]);
	runner->started = 0;
	guest_vm_close(&runner->vm);
	guest_memory_free(&runner->vm);
}
