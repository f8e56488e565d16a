/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding a guest, attaching, waiting.
 */
#define _GNU_SOURCE

#include "kvm_common.h"

#include "command.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS	 1000000ull
#define NS_PER_S	 1000000000ull
#define STATISTICS_TRIES 20 /* looks: a choice */

static volatile sig_atomic_t interrupted;

static void interrupt_note(int signal)
{
	(void)signal;
	interrupted = 1;
}

void kvm_signals(void)
{
	struct sigaction action = {.sa_handler = interrupt_note};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

uint64_t kvm_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* After a pause (the host slept, the machine was busy) no sample is made up for. */
int kvm_wait(uint64_t *next_ns, uint32_t interval_ms)
{
	uint64_t now = kvm_now_ns();
	struct timespec t;

	*next_ns += interval_ms * NS_PER_MS;
	if (*next_ns < now)
		*next_ns = now;
	t.tv_sec = (time_t)(*next_ns / NS_PER_S);
	t.tv_nsec = (long)(*next_ns % NS_PER_S);
	while (!interrupted && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
	return interrupted != 0;
}

uint32_t kvm_number(const char *option, const char *text, uint32_t low, uint32_t high,
		    const struct argp_state *state)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n < low || n > high)
		argp_error(state, "--%s: '%s' is not a number from %u to %u", option, text, low,
			   high);
	return (uint32_t)n;
}

void kvm_complain(const struct dav2m_kvm_fault *fault)
{
	char text[512];

	complain("cannot %s", dav2m_kvm_fault_text(fault, text, sizeof(text)));
}

struct search {
	const char *name;
	int pid;
	unsigned int found;
};

static int name_compare(void *arg, const struct dav2m_kvm_process *process)
{
	struct search *search = arg;

	if (!strcmp(process->name, search->name)) {
		search->pid = process->pid;
		search->found++;
	}
	return 0;
}

int kvm_pid_find(const char *text)
{
	struct search search = {.name = text};
	struct dav2m_kvm_fault fault;
	uint32_t hidden = 0;
	char *end;
	long pid = strtol(text, &end, 10);

	if (!*end && end != text && pid > 0 && pid < INT32_MAX)
		return (int)pid;
	if (dav2m_kvm_processes("/proc", name_compare, &search, &hidden, &fault)) {
		kvm_complain(&fault);
		return -1;
	}
	if (search.found == 1)
		return search.pid;
	if (search.found)
		complain("%s: %u guests have this name; give a PID", text, search.found);
	else if (hidden)
		complain("%s: no guest has this name, but %u processes may not be looked at; root "
			 "sees all",
			 text, hidden);
	else
		complain("%s: no guest has this name; 'dav2m kvm list' shows them", text);
	return -1;
}

static void origin_print(const struct dav2m_kvm_guest *guest, enum dav2m_counter counter)
{
	const struct dav2m_kvm_origin *origin = dav2m_kvm_guest_origin(guest, counter);

	if (origin->from)
		fprintf(stderr, "  %-18s %s\n", dav2m_counter_name(counter), origin->from);
}

/* Counters that are missing for one reason are named together. */
static void missing_print(const struct dav2m_kvm_guest *guest)
{
	uint32_t told = 0;
	char text[512];

	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++) {
		const struct dav2m_kvm_origin *origin =
			dav2m_kvm_guest_origin(guest, (enum dav2m_counter)i);

		if (origin->from || told & DAV2M_BIT(i))
			continue;
		fputs("  not available:", stderr);
		for (unsigned int k = i; k < DAV2M_COUNTERS; k++) {
			const struct dav2m_kvm_origin *other =
				dav2m_kvm_guest_origin(guest, (enum dav2m_counter)k);

			if (other->from || other->missing.todo != origin->missing.todo)
				continue;
			fprintf(stderr, " %s", dav2m_counter_name((enum dav2m_counter)k));
			told |= DAV2M_BIT(k);
		}
		fprintf(stderr, "\n    could not %s\n",
			dav2m_kvm_fault_text(&origin->missing, text, sizeof(text)));
	}
}

static void routes_print(const struct dav2m_kvm_guest *guest)
{
	char text[512];

	fprintf(stderr, "  KVM's statistics by: %s\n",
		dav2m_kvm_route_name(dav2m_kvm_guest_route(guest)));
	for (unsigned int i = 1; i < DAV2M_KVM_ROUTES; i++) {
		const struct dav2m_kvm_fault *why =
			dav2m_kvm_guest_refusal(guest, (enum dav2m_kvm_route)i);

		if (why->what)
			fprintf(stderr, "    not by %s: could not %s\n",
				dav2m_kvm_route_name((enum dav2m_kvm_route)i),
				dav2m_kvm_fault_text(why, text, sizeof(text)));
	}
}

struct dav2m_kvm_guest *kvm_attach(const char *who, const char *qmp, int quiet)
{
	struct dav2m_kvm_guest_setup setup = DAV2M_KVM_GUEST_SETUP;
	struct dav2m_kvm_process process = {.vcpus = 0};
	struct dav2m_kvm_guest *guest;
	struct dav2m_kvm_fault fault;

	setup.pid = kvm_pid_find(who);
	setup.qmp = qmp;
	if (setup.pid < 0)
		return NULL;
	if (dav2m_kvm_guest_attach(&setup, &guest, &fault)) {
		kvm_complain(&fault);
		return NULL;
	}
	if (quiet)
		return guest;
	if (dav2m_kvm_process_read("/proc", setup.pid, &process, NULL))
		process.vcpus = dav2m_kvm_guest_vcpus(guest);
	fprintf(stderr, "PID %d, %u vCPUs, host module %s, %s paging\n", setup.pid, process.vcpus,
		dav2m_kvm_guest_host(guest)->module,
		dav2m_mode_name(dav2m_kvm_guest_host(guest)->mode));
	routes_print(guest);
	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++)
		origin_print(guest, (enum dav2m_counter)i);
	missing_print(guest);
	return guest;
}

int kvm_cycles_are_ns(const struct dav2m_kvm_guest *guest)
{
	const char *from = dav2m_kvm_guest_origin(guest, DAV2M_CYCLES)->from;

	return from && strstr(from, " in ns") != NULL;
}

static int name_started(void *arg, const struct dav2m_kvm_process *process)
{
	return process->vcpus && !strcmp(process->name, arg);
}

/* A VMM that opens KVM's statistics does so a moment after its first vCPU; others never do. */
static int statistics_await(const char *name, const char *qmp)
{
	uint64_t next = kvm_now_ns();

	for (unsigned int i = 0; i < STATISTICS_TRIES; i++) {
		struct dav2m_kvm_guest *guest = kvm_attach(name, qmp, 1);
		enum dav2m_kvm_route route;

		if (!guest)
			return -1;
		route = dav2m_kvm_guest_route(guest);
		dav2m_kvm_guest_detach(guest);
		if (route != DAV2M_KVM_ROUTE_NONE)
			return 0;
		if (kvm_wait(&next, KVM_AWAIT_MS))
			return -1;
	}
	return 0;
}

int kvm_await(const char *name, const char *qmp)
{
	char wanted[DAV2M_KVM_NAME_BYTES];
	uint64_t next = kvm_now_ns();
	struct dav2m_kvm_fault fault;
	int found;

	snprintf(wanted, sizeof(wanted), "%s", name);
	kvm_signals();
	fprintf(stderr, "waiting for a guest with the name %s\n", wanted);
	for (;;) {
		found = dav2m_kvm_processes("/proc", name_started, wanted, NULL, &fault);
		if (found < 0)
			kvm_complain(&fault);
		if (found)
			return found < 0 ? -1 : statistics_await(wanted, qmp);
		if (kvm_wait(&next, KVM_AWAIT_MS))
			return -1;
	}
}
