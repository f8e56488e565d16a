/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cost of one sample of a running vCPU, and a guest's paging exits per second of its CPU time
 * when it is calm and when it remaps.
 */
#include <stdio.h>
#include <time.h>

#include "run.h"

#define SAMPLES	 20000
#define PHASE_S	 1
#define SETTLE_S 2

static struct guest_runner runner;

static double clock_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_s(int seconds)
{
	struct timespec t = {.tv_sec = seconds};

	nanosleep(&t, NULL);
}

static uint64_t exits_now(void)
{
	struct dav2m_sample sample;
	uint64_t exits = 0;

	if (!dav2m_kvm_vcpu_sample(&runner.counters[0], &sample, NULL))
		dav2m_kvm_paging_exits(dav2m_kvm_vcpu_values(&runner.counters[0]), &exits);
	return exits;
}

static double rate(enum guest_phase phase)
{
	clockid_t clock;
	uint64_t exits;
	double cpu;

	pthread_getcpuclockid(runner.thread[0].thread, &clock);
	guest_runner_phase(&runner, phase);
	sleep_s(SETTLE_S);
	exits = exits_now();
	cpu = clock_s(clock);
	sleep_s(PHASE_S);
	return (double)(exits_now() - exits) / (clock_s(clock) - cpu);
}

static double sample_ns(void)
{
	struct dav2m_sample sample;
	double start = clock_s(CLOCK_THREAD_CPUTIME_ID);

	for (int i = 0; i < SAMPLES; i++)
		if (dav2m_kvm_vcpu_sample(&runner.counters[0], &sample, NULL))
			return 0;
	return (clock_s(CLOCK_THREAD_CPUTIME_ID) - start) * 1e9 / SAMPLES;
}

int main(void)
{
	if (guest_runner_start(&runner, 1, 2048, 1024, GUEST_CALM)) {
		fprintf(stderr, "kvm_guest_rates: %s\n", runner.vm.error);
		return 1;
	}
	printf("figure: kvm_guest_calm_exits_per_s %.0f exits/s\n", rate(GUEST_CALM));
	printf("figure: kvm_sample_ns %.0f ns\n", sample_ns());
	printf("figure: kvm_guest_churn_exits_per_s %.0f exits/s\n", rate(GUEST_REMAP));
	guest_runner_stop(&runner);
	return 0;
}
