/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm-guest: a real guest on /dev/kvm whose memory work changes from phase to phase, watched by
 * a controller that may only advise, because a stock kernel cannot switch a running VM.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

#define MS_PER_S   1000u
#define CALM_PAGES 16384u /* 64 MiB: far more than any TLB reaches with 4 KiB pages */
#define COLD_PAGES 8192u  /* 32 MiB */

struct options {
	unsigned int vcpus;
	unsigned int interval_ms;
	unsigned int phase_ms;
	unsigned int rounds;
};

static const struct argp_option option_list[] = {
	{"vcpus", 'c', "N", 0, "virtual processors, 1 to 8 (default 1)", 0},
	{"interval", 'i', "MS", 0, "time between samples, 10 to 10000 ms (default 200)", 0},
	{"phase", 'p', "MS", 0, "length of a phase (default 1000 ms)", 0},
	{"rounds", 'n', "N", 0, "how often to go through all phases (default 1)", 0},
	{NULL, 0, NULL, 0, NULL, 0},
};

static unsigned int number(const char *text, unsigned int low, unsigned int high,
			   struct argp_state *state)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n < low || n > high)
		argp_error(state, "'%s' is not a number from %u to %u", text, low, high);
	return (unsigned int)n;
}

static error_t option_parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	if (key == 'c')
		options->vcpus = number(arg, 1, GUEST_VCPUS_MAX, state);
	else if (key == 'i')
		options->interval_ms = number(arg, 10, 10000, state);
	else if (key == 'p')
		options->phase_ms = number(arg, 10, 3600000, state);
	else if (key == 'n')
		options->rounds = number(arg, 1, 1000000, state);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static void missing_print(const struct dav2m_kvm_vcpu *vcpu)
{
	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++) {
		const struct dav2m_kvm_origin *origin = &vcpu->origin[i];
		char text[400];

		printf("# %-18s %s%s\n", dav2m_counter_name((enum dav2m_counter)i),
		       origin->from ? "from " : "missing: ",
		       origin->from ? origin->from
				    : dav2m_kvm_fault_text(&origin->missing, text, sizeof(text)));
	}
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct watcher {
	struct dav2m controller;
	struct dav2m_kvm_drive drive;
	double then;
	uint64_t work;
	uint64_t exits;
};

static uint64_t exits_of(const struct dav2m_kvm_drive *drive)
{
	uint64_t sum = 0, one;

	for (unsigned int i = 0; i < drive->vcpus; i++)
		if (dav2m_kvm_paging_exits(dav2m_kvm_vcpu_values(&drive->vcpu[i]), &one))
			sum += one;
	return sum;
}

static int sample_print(struct guest_runner *runner, struct watcher *watcher, unsigned int phase)
{
	struct dav2m_decision decision;
	int error =
		dav2m_drive(&watcher->controller, &dav2m_kvm_backend, &watcher->drive, &decision);
	double now = seconds(), took = now - watcher->then;
	uint64_t work = guest_runner_work(runner), exits = exits_of(&watcher->drive);
	char text[400];

	if (error) {
		fprintf(stderr, "kvm-guest: %s: %s\n", dav2m_error_name((enum dav2m_error)error),
			dav2m_kvm_fault_text(&watcher->drive.fault, text, sizeof(text)));
		return -1;
	}
	printf("%-6s %14.0f %12.0f   %-7s %s\n", guest_phase_name(phase),
	       (double)(work - watcher->work) / took, (double)(exits - watcher->exits) / took,
	       dav2m_mode_name(decision.mode), dav2m_reason_name(decision.reason));
	fflush(stdout);
	watcher->then = now;
	watcher->work = work;
	watcher->exits = exits;
	return 0;
}

static void sleep_ms(unsigned int ms)
{
	struct timespec t = {.tv_sec = ms / MS_PER_S, .tv_nsec = (long)(ms % MS_PER_S) * 1000000};

	nanosleep(&t, NULL);
}

static int phases_run(struct guest_runner *runner, struct watcher *watcher,
		      const struct options *options)
{
	printf("%-6s %14s %12s   %-7s %s\n", "phase", "operations/s", "faults/s", "advice", "why");
	for (unsigned int i = 0; i < options->rounds * GUEST_PHASES; i++) {
		unsigned int phase = i % GUEST_PHASES;

		guest_runner_phase(runner, (enum guest_phase)phase);
		for (unsigned int ms = 0; ms < options->phase_ms; ms += options->interval_ms) {
			sleep_ms(options->interval_ms);
			if (sample_print(runner, watcher, phase))
				return -1;
		}
	}
	return 0;
}

static int watch(struct guest_runner *runner, const struct options *options)
{
	struct watcher watcher = {.drive = {.vcpu = runner->counters,
					    .vcpus = options->vcpus,
					    .mechanism = DAV2M_KVM_ADVISE}};
	struct dav2m_config config;

	guest_config(&config);
	if (dav2m_init(&watcher.controller, &config, guest_host_mode()))
		return -1;
	missing_print(&runner->counters[0]);
	watcher.then = seconds();
	return phases_run(runner, &watcher, options);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {option_list,
					 option_parse,
					 NULL,
					 "A small guest on /dev/kvm whose memory work changes, and "
					 "the paging mode that libdav2m would choose for it.",
					 NULL,
					 NULL,
					 NULL};
	struct options options = {.vcpus = 1, .interval_ms = 200, .phase_ms = 1000, .rounds = 1};
	static struct guest_runner runner;
	int failed;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	if (guest_runner_start(&runner, options.vcpus, CALM_PAGES, COLD_PAGES, GUEST_CALM)) {
		fprintf(stderr, "kvm-guest: %s\n", runner.vm.error);
		return 1;
	}
	failed = watch(&runner, &options);
	guest_runner_stop(&runner);
	return failed ? 1 : 0;
}
