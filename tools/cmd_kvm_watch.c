/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dav2m kvm watch`: a plain table, written again each interval. On a terminal it stays in
 * place; elsewhere one follows the other.
 */
#define _GNU_SOURCE

#include "command.h"
#include "kvm_common.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct watch {
	const char *who;
	const char *qmp;
	uint32_t interval_ms;
	uint32_t count; /* tables; UINT32_MAX: until ctrl-C or the guest's end */
};

/* What a row is computed against. */
struct before {
	struct dav2m_kvm_values values;
	struct dav2m_sample sample;
};

static const struct argp_option option_list[] = {
	{"interval", 'i', "MS", 0, "time between tables, 10 to 10000 ms (default 1000)", 0},
	{"count", 'n', "N", 0, "stop after so many tables", 0},
	{"qmp", 'q', "PATH", 0, "QEMU's QMP socket, if it is not on its command line", 0},
	{NULL, 0, NULL, 0, NULL, 0},
};

static error_t option_parse(int key, char *arg, struct argp_state *state)
{
	struct watch *watch = state->input;

	if (key == 'i')
		watch->interval_ms = kvm_number("interval", arg, 10, 10000, state);
	else if (key == 'n')
		watch->count = kvm_number("count", arg, 1, 1000000, state);
	else if (key == 'q')
		watch->qmp = arg;
	else if (key == ARGP_KEY_ARG && !watch->who)
		watch->who = arg;
	else if (key == ARGP_KEY_ARG)
		argp_error(state, "one guest at a time");
	else if (key == ARGP_KEY_END && !watch->who)
		argp_error(state, "needs a PID or NAME");
	else if (key != ARGP_KEY_END)
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static void rate_print(const struct dav2m_kvm_values *now, const struct dav2m_kvm_values *then,
		       enum dav2m_kvm_stat stat, double seconds)
{
	if (now->available & then->available & DAV2M_BIT(stat))
		printf(" %10.0f", (double)(now->value[stat] - then->value[stat]) / seconds);
	else
		printf(" %10s", "-");
}

/* Misses per thousand instructions and walk cycles per hundred cycles, where there is a PMU. */
static void share_print(const struct dav2m_sample *now, const struct dav2m_sample *then,
			enum dav2m_counter part, enum dav2m_counter whole, double factor)
{
	uint32_t need = DAV2M_BIT(part) | DAV2M_BIT(whole);
	uint64_t of = now->value[whole] - then->value[whole];

	if ((now->valid & then->valid & need) == need && of)
		printf(" %8.2f",
		       factor * (double)(now->value[part] - then->value[part]) / (double)of);
	else
		printf(" %8s", "-");
}

static void row_print(const struct dav2m_kvm_values *values, const struct dav2m_sample *sample,
		      struct before *before, double seconds)
{
	static const enum dav2m_kvm_stat shown[] = {DAV2M_KVM_EXITS,	DAV2M_KVM_IRQ_EXITS,
						    DAV2M_KVM_IO_EXITS, DAV2M_KVM_HALT_EXITS,
						    DAV2M_KVM_PF_TAKEN, DAV2M_KVM_INVLPG};

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		rate_print(values, &before->values, shown[i], seconds);
	share_print(sample, &before->sample, DAV2M_TLB_MISSES, DAV2M_PROGRESS, 1000);
	share_print(sample, &before->sample, DAV2M_WALK_CYCLES, DAV2M_CYCLES, 100);
	if (sample->valid & before->sample.valid & DAV2M_BIT(DAV2M_CYCLES))
		printf(" %9.1f\n",
		       (double)(sample->value[DAV2M_CYCLES] - before->sample.value[DAV2M_CYCLES]) /
			       seconds / 1e6);
	else
		printf(" %9s\n", "-");
	before->values = *values;
	before->sample = *sample;
}

static void table_print(const struct dav2m_kvm_guest *guest, struct before *before, double seconds)
{
	if (isatty(STDOUT_FILENO))
		printf("\033[H\033[2J");
	printf("vCPU    exits/s      irq/s       io/s     halt/s   faults/s   invlpg/s  miss/ki "
	       "   walk%%  %s\n",
	       kvm_cycles_are_ns(guest) ? "CPU ms/s" : "Mcycle/s");
	for (uint32_t i = 0; i < dav2m_kvm_guest_vcpus(guest); i++) {
		const struct dav2m_sample *sample = dav2m_kvm_guest_vcpu_sample(guest, i);

		if (sample) {
			printf("%4u", i);
			row_print(dav2m_kvm_guest_vcpu_values(guest, i), sample, &before[i],
				  seconds);
		} else if (before[i].sample.valid) { /* KVM's numbers may have gaps */
			printf("%4u gone\n", i);
		}
	}
}

static void before_fill(const struct dav2m_kvm_guest *guest, struct before *before)
{
	for (uint32_t i = 0; i < dav2m_kvm_guest_vcpus(guest); i++) {
		if (!dav2m_kvm_guest_vcpu_sample(guest, i))
			continue;
		before[i].values = *dav2m_kvm_guest_vcpu_values(guest, i);
		before[i].sample = *dav2m_kvm_guest_vcpu_sample(guest, i);
	}
}

/* A mode is judged by cycles for each unit of progress; TLB misses ask for leaving nested paging.
 */
static uint32_t needed(enum dav2m_mode mode)
{
	uint32_t either = DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES);

	return mode == DAV2M_NESTED ? either | DAV2M_BIT(DAV2M_TLB_MISSES) : either;
}

/* Why the controller will never change the mode of this guest, where it will not. */
static void blind_print(const struct dav2m_kvm_guest *guest, uint32_t available,
			enum dav2m_mode mode)
{
	uint32_t missing = needed(mode) & ~available;
	const struct dav2m_kvm_fault *why = NULL;
	char text[512];

	if (!missing)
		return;
	printf("  it is blind: it cannot judge a mode without");
	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++) {
		if (!(missing & DAV2M_BIT(i)))
			continue;
		printf("%s %s", why ? " and" : "", dav2m_counter_name((enum dav2m_counter)i));
		why = &dav2m_kvm_guest_origin(guest, (enum dav2m_counter)i)->missing;
	}
	if (why->what)
		printf(".\n  Could not %s", dav2m_kvm_fault_text(why, text, sizeof(text)));
	printf(".\n  What can be done: give this host a PMU that perf can use, or let the VMM "
	       "supply\n"
	       "  its own count of the guest's work (dav2m_kvm_vcpu_setup.own)\n");
}

static void decision_print(const struct dav2m_decision *decision, enum dav2m_mode mode)
{
	printf("the controller: %s (%s)\n",
	       decision->action == DAV2M_SWITCH && decision->mode != mode
		       ? "would change to the other mode"
		       : "stay",
	       dav2m_reason_name(decision->reason));
}

static int tables_print(const struct watch *watch, struct dav2m_kvm_guest *guest,
			struct dav2m *controller, struct before *before)
{
	enum dav2m_mode mode = dav2m_kvm_guest_host(guest)->mode;
	uint64_t next = kvm_now_ns(), then = next;
	struct dav2m_decision decision;
	struct dav2m_kvm_fault fault;
	struct dav2m_sample sample;

	for (uint32_t n = 0; n <= watch->count; n++) {
		uint64_t now = kvm_now_ns();

		if (dav2m_kvm_guest_sample(guest, &sample, &fault)) {
			if (!dav2m_kvm_guest_alive(guest))
				printf("the guest has ended\n");
			else
				kvm_complain(&fault);
			return dav2m_kvm_guest_alive(guest) ? COMMAND_FAILED : COMMAND_DONE;
		}
		if (dav2m_sample(controller, &sample, &decision))
			return COMMAND_FAILED;
		if (decision.action == DAV2M_SWITCH)
			dav2m_acknowledge(controller, DAV2M_DEFERRED, 0);
		if (n) {
			table_print(guest, before, (double)(now - then) / 1e9);
			decision_print(&decision, mode);
			blind_print(guest, sample.valid, mode);
			if (fflush(stdout)) /* nobody reads on: dav2m.c tells, and fails */
				return COMMAND_DONE;
		} else {
			before_fill(guest, before);
		}
		then = now;
		if (n == watch->count || kvm_wait(&next, watch->interval_ms))
			return COMMAND_DONE;
	}
	return COMMAND_DONE;
}

static int watch_run(const struct watch *watch, struct dav2m_kvm_guest *guest)
{
	struct before *before = calloc(DAV2M_KVM_VCPUS_MAX, sizeof(*before));
	struct dav2m_config config = {.size = sizeof(config)};
	struct dav2m_kvm_fault fault;
	struct dav2m_sample sample;
	struct dav2m controller;
	int code = COMMAND_FAILED;

	kvm_signals();
	if (!before)
		complain("no memory");
	else if (dav2m_kvm_guest_sample(guest, &sample, &fault))
		kvm_complain(&fault);
	else if (dav2m_kvm_config(watch->interval_ms, sample.valid, &config) ||
		 dav2m_init(&controller, &config, dav2m_kvm_guest_host(guest)->mode))
		complain("the controller refuses its config");
	else
		code = tables_print(watch, guest, &controller, before);
	free(before);
	return code;
}

int kvm_watch(int argc, char **argv)
{
	static const struct argp argp = {option_list,
					 option_parse,
					 "PID|NAME",
					 "A table of a guest's vCPUs as they run, and what the "
					 "controller would do.",
					 NULL,
					 NULL,
					 NULL};
	struct watch watch = {.interval_ms = 1000, .count = UINT32_MAX};
	struct dav2m_kvm_guest *guest;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &watch);
	guest = kvm_attach(watch.who, watch.qmp, 0);
	if (!guest)
		return COMMAND_FAILED;
	code = watch_run(&watch, guest);
	dav2m_kvm_guest_detach(guest);
	return code;
}
