/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dav2m kvm advise`: plain words about one guest, from a recording or from watching it for a
 * while.
 */
#define _GNU_SOURCE

#include "command.h"
#include "counter_input.h"
#include "kvm_advice.h"
#include "kvm_common.h"
#include "progress.h"

#include <dav2m/host/trace.h>

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct advise {
	const char *who;
	const char *qmp;
	uint32_t seconds;
	uint32_t interval_ms;
	uint32_t exit_cost; /* as in struct kvm_seen */
	uint32_t worth_percent;
};

static const struct argp_option option_list[] = {
	{"seconds", 's', "N", 0, "how long to watch a running guest (default 10)", 0},
	{"exit-cost", 'e', "N", 0,
	 "what one paging exit costs on this host, in the unit of its cycles (ns where they are "
	 "CPU time); not told: its cost is not known",
	 0},
	{"worth", 'w', "PERCENT", 0,
	 "a saving below this is not worth a change of mode; not told: any is", 0},
	{"qmp", 'q', "PATH", 0, "QEMU's QMP socket, if it is not on its command line", 0},
	{NULL, 0, NULL, 0, NULL, 0},
};

static error_t option_parse(int key, char *arg, struct argp_state *state)
{
	struct advise *advise = state->input;

	if (key == 's')
		advise->seconds = kvm_number("seconds", arg, 1, 1000000, state);
	else if (key == 'e')
		advise->exit_cost = kvm_number("exit-cost", arg, 1, 1000000000, state);
	else if (key == 'w')
		advise->worth_percent = kvm_number("worth", arg, 1, 100, state);
	else if (key == 'q')
		advise->qmp = arg;
	else if (key == ARGP_KEY_ARG && !advise->who)
		advise->who = arg;
	else if (key == ARGP_KEY_ARG)
		argp_error(state, "one guest or recording at a time");
	else if (key == ARGP_KEY_END && !advise->who)
		argp_error(state, "needs a recording, a PID or a NAME");
	else if (key != ARGP_KEY_END)
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static int recording_read(const char *path, struct kvm_seen *seen)
{
	struct dav2m_trace trace = {.ticks = 0};
	struct dav2m_host_error error;

	if (counter_input_read(path, DAV2M_TRACE_ALLOW_TRUNCATED, 1, &trace, &error)) {
		complain("%s", error.text);
		return -1;
	}
	if (trace.truncated)
		complain("%s: the last line is incomplete and was dropped", path);
	if (trace.header.interrupted)
		complain("%s: interrupted: it holds the beginning of the program", path);
	for (size_t i = 0; i < trace.ticks; i++)
		kvm_seen_add(seen, &trace.tick[i]);
	seen->mode_known =
		trace.header.mode == DAV2M_TRACE_SHADOW || trace.header.mode == DAV2M_TRACE_NESTED;
	seen->mode = trace.header.mode == DAV2M_TRACE_NESTED ? DAV2M_NESTED : DAV2M_SHADOW;
	seen->cycles_are_ns = strstr(trace.header.note, "thread in ns") != NULL;
	dav2m_trace_free(&trace);
	return 0;
}

/* A counter that ran backwards is missing in that interval. */
static void difference_add(const struct dav2m_sample *from, const struct dav2m_sample *to,
			   struct kvm_seen *seen)
{
	struct dav2m_sample increments = {.valid = from->valid & to->valid};

	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++) {
		increments.value[i] = to->value[i] - from->value[i];
		if (to->value[i] < from->value[i])
			increments.valid &= ~DAV2M_BIT(i);
	}
	kvm_seen_add(seen, &increments);
}

static int samples_watch(const struct advise *advise, struct dav2m_kvm_guest *guest,
			 struct kvm_seen *seen, struct dav2m_kvm_fault *fault)
{
	uint64_t next = kvm_now_ns(), n = advise->seconds * 1000ull / advise->interval_ms;
	struct dav2m_sample before, sample;
	int failed = dav2m_kvm_guest_sample(guest, &before, fault);

	for (uint64_t i = 0; !failed && i < n && !kvm_wait(&next, advise->interval_ms); i++) {
		failed = dav2m_kvm_guest_sample(guest, &sample, fault);
		if (!failed)
			difference_add(&before, &sample, seen);
		before = sample;
		progress_step(i + 1);
	}
	return failed;
}

static int guest_watch(const struct advise *advise, struct kvm_seen *seen)
{
	struct dav2m_kvm_guest *guest = kvm_attach(advise->who, advise->qmp, 0);
	const struct dav2m_kvm_host *host;
	struct dav2m_kvm_fault fault;
	int failed;

	if (!guest)
		return -1;
	kvm_signals();
	progress_begin("watching", "samples", advise->seconds * 1000ull / advise->interval_ms);
	failed = samples_watch(advise, guest, seen, &fault);
	progress_end();
	if (failed)
		kvm_complain(&fault);
	host = dav2m_kvm_guest_host(guest);
	seen->mode = host->mode;
	seen->mode_known = host->mode_known;
	seen->cycles_are_ns = kvm_cycles_are_ns(guest);
	dav2m_kvm_process_read("/proc", kvm_pid_find(advise->who), &seen->process, NULL);
	dav2m_kvm_guest_detach(guest);
	return failed && !seen->samples ? -1 : 0; /* a guest that ended was watched till then */
}

int kvm_advise(int argc, char **argv)
{
	static const struct argp argp = {option_list,
					 option_parse,
					 "RECORDING|PID|NAME",
					 "What would make a guest faster: huge pages, shadow or "
					 "nested paging, and how sure that is.",
					 NULL,
					 NULL,
					 NULL};
	struct advise advise = {.seconds = 10, .interval_ms = 100};
	struct kvm_seen seen = {.mode_known = 0};
	struct stat status;
	int failed;

	argp_parse(&argp, argc, argv, 0, NULL, &advise);
	seen.exit_cost = advise.exit_cost;
	seen.worth_percent = advise.worth_percent;
	if (!stat(advise.who, &status) && S_ISREG(status.st_mode))
		failed = recording_read(advise.who, &seen);
	else
		failed = guest_watch(&advise, &seen);
	if (failed)
		return COMMAND_FAILED;
	kvm_advice_print(&seen);
	return COMMAND_DONE;
}
