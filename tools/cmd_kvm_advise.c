/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dav2m kvm advise`: plain words about one guest, from a recording or from watching it for a
 * while. Says nothing that its counters do not carry, and says which are missing.
 */
#define _GNU_SOURCE

#include "command.h"
#include "kvm_common.h"
#include "progress.h"

#include <dav2m/host/trace.h>

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * What one paging exit costs, in cycles: about 2 us on bare hardware to 23 us measured for a
 * native shadow fault in a virtual machine, at 2.5 GHz. No kernel counts it, so the advice is
 * a range.
 */
#define EXIT_CYCLES_LOW	    5000.0
#define EXIT_CYCLES_HIGH    57500.0
/* The same where cycles are nanoseconds. */
#define EXIT_NS_LOW	    2000.0
#define EXIT_NS_HIGH	    23000.0
/* A one-dimensional walk is 4 loads, a two-dimensional one up to 24; caches of walks make it
   less. Shadow paging saves this part of the walk cycles, in percent. */
#define WALK_SAVED_LOW	    25.0
#define WALK_SAVED_HIGH	    83.0
#define WORTH_PERCENT	    5.0
#define HUGE_ENOUGH_PERCENT 50.0

struct advise {
	const char *who;
	const char *qmp;
	uint32_t seconds;
	uint32_t interval_ms;
};

struct seen {
	struct dav2m_sample sum; /* increments; valid: in every record */
	enum dav2m_mode mode;
	int mode_known;
	int cycles_are_ns;
	struct dav2m_kvm_process process; /* pid 0: a recording */
};

static const struct argp_option option_list[] = {
	{"seconds", 's', "N", 0, "how long to watch a running guest (default 10)", 0},
	{"qmp", 'q', "PATH", 0, "QEMU's QMP socket, if it is not on its command line", 0},
	{NULL, 0, NULL, 0, NULL, 0},
};

static error_t option_parse(int key, char *arg, struct argp_state *state)
{
	struct advise *advise = state->input;

	if (key == 's')
		advise->seconds = kvm_number(arg, 1, 1000000, state);
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

static int has(const struct seen *seen, enum dav2m_counter counter)
{
	return (seen->sum.valid & DAV2M_BIT(counter)) != 0;
}

static double percent(const struct seen *seen, enum dav2m_counter counter, double factor)
{
	return 100.0 * factor * (double)seen->sum.value[counter] /
	       (double)seen->sum.value[DAV2M_CYCLES];
}

static int recording_read(const char *path, struct seen *seen)
{
	struct dav2m_trace trace = {.ticks = 0};
	struct dav2m_host_error error;

	if (dav2m_trace_load(path, DAV2M_TRACE_ALLOW_TRUNCATED, &trace, &error)) {
		complain("%s", error.text);
		return -1;
	}
	seen->sum.valid = trace.header.columns;
	for (size_t i = 0; i < trace.ticks; i++) {
		seen->sum.valid &= trace.tick[i].valid;
		for (unsigned int k = 0; k < DAV2M_COUNTERS; k++)
			if (trace.tick[i].valid & DAV2M_BIT(k))
				seen->sum.value[k] += trace.tick[i].value[k];
	}
	seen->mode_known =
		trace.header.mode == DAV2M_TRACE_SHADOW || trace.header.mode == DAV2M_TRACE_NESTED;
	seen->mode = trace.header.mode == DAV2M_TRACE_NESTED ? DAV2M_NESTED : DAV2M_SHADOW;
	seen->cycles_are_ns = strstr(trace.header.note, "thread in ns") != NULL;
	dav2m_trace_free(&trace);
	return 0;
}

static void difference(const struct dav2m_sample *from, const struct dav2m_sample *to,
		       struct seen *seen)
{
	seen->sum.valid = from->valid & to->valid;
	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++)
		seen->sum.value[i] = to->value[i] - from->value[i];
}

static int guest_watch(const struct advise *advise, struct seen *seen)
{
	struct dav2m_kvm_guest *guest = kvm_attach(advise->who, advise->qmp, 0);
	uint64_t next = kvm_now_ns(), n = advise->seconds * 1000ull / advise->interval_ms;
	struct dav2m_sample first, last;
	struct dav2m_kvm_fault fault;
	int failed;

	if (!guest)
		return -1;
	kvm_signals();
	failed = dav2m_kvm_guest_sample(guest, &first, &fault);
	last = first;
	progress_begin("watching", "samples", n);
	for (uint64_t i = 0; !failed && i < n && !kvm_wait(&next, advise->interval_ms); i++) {
		failed = dav2m_kvm_guest_sample(guest, &last, &fault);
		progress_step(i + 1);
	}
	progress_end();
	if (failed) {
		kvm_complain(&fault);
	} else {
		const char *cycles = dav2m_kvm_guest_origin(guest, DAV2M_CYCLES)->from;

		difference(&first, &last, seen);
		seen->mode = dav2m_kvm_guest_host(guest)->mode;
		seen->mode_known = dav2m_kvm_guest_host(guest)->mode_known;
		seen->cycles_are_ns = cycles && strstr(cycles, " in ns") != NULL;
		dav2m_kvm_process_read("/proc", kvm_pid_find(advise->who), &seen->process, NULL);
	}
	dav2m_kvm_guest_detach(guest);
	return failed ? -1 : 0;
}

static void huge_pages_say(const struct seen *seen)
{
	const struct dav2m_kvm_process *process = &seen->process;
	double share;

	if (!process->pid || !process->memory_known || !process->resident_bytes) {
		printf("Huge pages: not known from %s.\n",
		       process->pid ? "this process" : "a recording; ask the running guest");
		return;
	}
	share = 100.0 * (double)process->huge_bytes / (double)process->resident_bytes;
	if (share >= HUGE_ENOUGH_PERCENT) {
		printf("Huge pages: %.0f %% of its memory is in them.\n", share);
		return;
	}
	printf("Huge pages: only %.0f %% of its memory is in them. Back it with huge pages before\n"
	       "  anything else (hugetlbfs, or madvise and transparent huge pages): under nested\n"
	       "  paging they shorten every walk. How much this guest would gain was not "
	       "measured.\n",
	       share);
}

static void shadow_say(const struct seen *seen)
{
	double low, high;

	if (!has(seen, DAV2M_PAGING_EXITS)) {
		printf("Paging exits could not be read, so nothing can be said about the mode.\n");
		return;
	}
	low = percent(seen, DAV2M_PAGING_EXITS,
		      seen->cycles_are_ns ? EXIT_NS_LOW : EXIT_CYCLES_LOW);
	high = percent(seen, DAV2M_PAGING_EXITS,
		       seen->cycles_are_ns ? EXIT_NS_HIGH : EXIT_CYCLES_HIGH);
	high = high > 100 ? 100 : high;
	low = low > 100 ? 100 : low;
	printf("Under shadow paging its paging exits cost between %.1f and %.1f %% of its CPU "
	       "time\n"
	       "  (one exit costs 2 to 23 us, and no kernel counts it more closely).\n",
	       low, high);
	if (high < WORTH_PERCENT)
		printf("Advice: stay with shadow paging; nested paging could save no more than "
		       "that.\n");
	else if (low > WORTH_PERCENT)
		printf("Advice: nested paging. It would save most of that, less what longer walks\n"
		       "  cost, which only a run under nested paging shows.\n");
	else
		printf("Advice: undecided. Record the same work once under nested paging and run\n"
		       "  dav2m replay on the pair.\n");
}

static void nested_say(const struct seen *seen)
{
	double walk;

	if (!has(seen, DAV2M_WALK_CYCLES)) {
		printf("Advice: none. Under nested paging the cost is in page walks, and walk "
		       "cycles\n"
		       "  could not be measured here (no PMU, or none that counts them).\n");
		return;
	}
	walk = percent(seen, DAV2M_WALK_CYCLES, 1);
	printf("Under nested paging its page walks take %.1f %% of its cycles.\n", walk);
	if (walk * WALK_SAVED_HIGH / 100 < WORTH_PERCENT)
		printf("Advice: stay with nested paging; shadow paging could save no more than "
		       "%.1f %%.\n",
		       walk * WALK_SAVED_HIGH / 100);
	else
		printf("Advice: shadow paging could save %.1f to %.1f %%, less its paging exits, "
		       "which\n"
		       "  nested paging does not show. Record the same work with it and run dav2m\n"
		       "  replay on the pair.\n",
		       walk * WALK_SAVED_LOW / 100, walk * WALK_SAVED_HIGH / 100);
}

static void missing_say(const struct seen *seen)
{
	const char *before = "Not measured: ";

	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++) {
		if (has(seen, (enum dav2m_counter)i))
			continue;
		printf("%s%s", before, dav2m_counter_name((enum dav2m_counter)i));
		before = ", ";
	}
	printf("%s", before[0] == ',' ? ".\n" : "");
}

static void advice_print(const struct seen *seen)
{
	huge_pages_say(seen);
	if (!seen->mode_known)
		printf("Advice: none: the mode it ran in is not known, or changed.\n");
	else if (!has(seen, DAV2M_CYCLES) || !seen->sum.value[DAV2M_CYCLES])
		printf("Advice: none: no CPU time of it was seen, so nothing can be put in "
		       "proportion.\n");
	else if (seen->mode == DAV2M_SHADOW)
		shadow_say(seen);
	else
		nested_say(seen);
	missing_say(seen);
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
	struct seen seen = {.mode_known = 0};
	struct stat status;
	int failed;

	argp_parse(&argp, argc, argv, 0, NULL, &advise);
	if (!stat(advise.who, &status) && S_ISREG(status.st_mode))
		failed = recording_read(advise.who, &seen);
	else
		failed = guest_watch(&advise, &seen);
	if (failed)
		return COMMAND_FAILED;
	advice_print(&seen);
	return COMMAND_DONE;
}
