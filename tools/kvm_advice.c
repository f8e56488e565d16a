/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of `dav2m kvm advise`. Each figure is one of three: counted, an upper limit that
 * follows from what was counted, or computed from what the user supplied; what none of them
 * tells is said not to be known, with the reason and what would tell it.
 */
#define _GNU_SOURCE

#include "kvm_advice.h"

#include "report.h"

#include <stdio.h>
#include <string.h>

#define PERCENT	    100.0
#define PER_MILLION 1e6

#define LONGER_WALKS "longer page walks" /* what nested paging has that shadow paging has not */

/* What one recording cannot tell, a pair does. */
static const char pair[] = "record the same work once in each mode and run\n"
			   "  dav2m replay on the pair";

static int has(const struct kvm_seen *seen, enum dav2m_counter counter)
{
	return (seen->sum.valid & DAV2M_BIT(counter)) != 0;
}

static int holds(const struct dav2m_sample *sample, uint32_t counters)
{
	return (sample->valid & counters) == counters;
}

static double value(const struct kvm_seen *seen, enum dav2m_counter counter)
{
	return (double)seen->sum.value[counter];
}

static void pace_add(struct kvm_pace *pace, const struct dav2m_sample *increments)
{
	double cycles = (double)increments->value[DAV2M_CYCLES];
	double progress = (double)increments->value[DAV2M_PROGRESS];

	if (!pace->samples || cycles / progress < pace->least)
		pace->least = cycles / progress;
	if (!pace->samples || cycles / progress > pace->most)
		pace->most = cycles / progress;
	pace->cycles += cycles;
	pace->progress += progress;
	pace->samples++;
}

/* Progress that the guest reports now and then belongs to all samples since it last did. */
static void pace_follow(struct kvm_seen *seen, const struct dav2m_sample *increments)
{
	struct dav2m_sample *since = &seen->since;

	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++)
		since->value[i] += increments->value[i];
	if (!since->value[DAV2M_PROGRESS])
		return;
	pace_add(since->value[DAV2M_PAGING_EXITS] ? &seen->busy : &seen->calm, since);
	memset(since, 0, sizeof(*since));
}

void kvm_seen_add(struct kvm_seen *seen, const struct dav2m_sample *increments)
{
	uint32_t rate = DAV2M_BIT(DAV2M_CYCLES) | DAV2M_BIT(DAV2M_PAGING_EXITS);
	uint64_t exits = increments->value[DAV2M_PAGING_EXITS];

	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++)
		if (increments->valid & DAV2M_BIT(i))
			seen->sum.value[i] += increments->value[i];
	seen->lacking |= ~increments->valid;
	seen->samples++;
	seen->sum.valid = ~seen->lacking;
	if (!holds(increments, rate))
		return;
	if (exits) {
		double each = (double)increments->value[DAV2M_CYCLES] / (double)exits;

		if (each > 0 && (seen->busiest <= 0 || each < seen->busiest))
			seen->busiest = each;
	}
	if (holds(increments, DAV2M_BIT(DAV2M_PROGRESS)))
		pace_follow(seen, increments);
}

static void huge_pages_say(const struct kvm_seen *seen)
{
	const struct dav2m_kvm_process *process = &seen->process;

	if (!process->pid || !process->memory_known || !process->resident_bytes) {
		printf("Huge pages: not known from %s.\n",
		       process->pid ? "this process" : "a recording; ask the running guest");
		return;
	}
	printf("Huge pages: %llu of %llu resident MiB are in them.\n",
	       (unsigned long long)(process->huge_bytes >> 20),
	       (unsigned long long)(process->resident_bytes >> 20));
	if (process->huge_bytes < process->resident_bytes)
		printf("  Back the guest's part of the rest with them before anything else "
		       "(hugetlbfs,\n"
		       "  or madvise and transparent huge pages): under nested paging they "
		       "shorten\n"
		       "  each walk. What this guest would gain was not measured.\n");
}

/* Where no saving can be limited. */
static void undecided_say(const struct kvm_seen *seen, const char *what, const char *because)
{
	printf("Advice: none. %s cannot be told from these counters, because\n  %s;\n  %s%s.\n",
	       what, because, pair,
	       has(seen, DAV2M_PROGRESS)
		       ? ""
		       : " (needs progress,\n  which was not counted here: without it compare "
			 "the time that the work took)");
}

/* most: a limit in percent that other does not exceed. */
static void limit_say(const struct kvm_seen *seen, enum dav2m_mode other, double most,
		      const char *less)
{
	const char *now = dav2m_mode_name(seen->mode);

	if (most <= 0) {
		printf("Advice: stay with %s paging.\n", now);
		return;
	}
	if (seen->worth_percent && most < seen->worth_percent) {
		printf("Advice: stay with %s paging: %s paging could save no more than %.1f %%.\n",
		       now, dav2m_mode_name(other), most);
		return;
	}
	printf("Advice: %s paging could save up to %.1f %%, less %s, which %s\n"
	       "  paging does not show; %s.\n",
	       dav2m_mode_name(other), most, less, now, pair);
}

static const char *unit_of(const struct kvm_seen *seen)
{
	return seen->cycles_are_ns ? "ns of CPU time" : "cycles";
}

/* What the samples with paging exits took beyond the pace of those without. Where that pace varies
   so much that they may have been the faster ones, it tells nothing. */
static void pace_say(const struct kvm_seen *seen)
{
	double all = seen->calm.cycles + seen->busy.cycles;
	double low = seen->busy.cycles - seen->calm.most * seen->busy.progress;
	double high = seen->busy.cycles - seen->calm.least * seen->busy.progress;

	printf("%llu sample%s without paging exits took %.2f to %.2f %s per unit of progress.\n",
	       (unsigned long long)seen->calm.samples, report_plural(seen->calm.samples),
	       seen->calm.least, seen->calm.most, unit_of(seen));
	if (low < 0) {
		printf("  That pace varies too much to tell what the %llu sample%s with exits "
		       "spent "
		       "beyond it.\n",
		       (unsigned long long)seen->busy.samples, report_plural(seen->busy.samples));
		return;
	}
	printf("  Beyond that pace the %llu sample%s with exits spent %.1f to %.1f %% of its "
	       "time: on the\n"
	       "  exits, and on whatever else the guest did otherwise then, which cannot be told "
	       "apart.\n",
	       (unsigned long long)seen->busy.samples, report_plural(seen->busy.samples),
	       PERCENT * low / all, PERCENT * high / all);
}

static void exit_rate_say(const struct kvm_seen *seen)
{
	const char *unit = unit_of(seen);

	printf("Under shadow paging it took %.0f paging exits, %.1f per million %s (control-"
	       "register\n"
	       "  writes are not among them).\n",
	       value(seen, DAV2M_PAGING_EXITS),
	       PER_MILLION * value(seen, DAV2M_PAGING_EXITS) / value(seen, DAV2M_CYCLES), unit);
	if (seen->busiest > 0)
		printf("In its busiest sample there was one in each %.0f %s: on average an exit "
		       "cost no\n"
		       "  more than that there.\n",
		       seen->busiest, unit);
}

/* What the user says an exit costs, where nothing counts it. */
static void exit_cost_say(const struct kvm_seen *seen)
{
	double share = PERCENT * seen->exit_cost * value(seen, DAV2M_PAGING_EXITS) /
		       value(seen, DAV2M_CYCLES);

	if (!seen->exit_cost) {
		undecided_say(seen, "What an exit costs",
			      "nothing counts the cycles spent in them (--exit-cost supplies it "
			      "where you know it)");
	} else if (share > PERCENT) {
		printf("Advice: none. With --exit-cost=%u the exits alone would take %.0f %% of "
		       "its time,\n"
		       "  so here an exit costs less.\n",
		       seen->exit_cost, share);
	} else {
		printf("At --exit-cost=%u the exits took %.1f %% of its time.\n", seen->exit_cost,
		       share);
		limit_say(seen, DAV2M_NESTED, share, LONGER_WALKS);
	}
}

/* Counted, as a VMM of its own or `dav2m sim` does. CPU time is in another unit. */
static int exit_cycles_known(const struct kvm_seen *seen)
{
	return has(seen, DAV2M_PAGING_EXIT_CYCLES) && !seen->cycles_are_ns;
}

static void exit_cycles_say(const struct kvm_seen *seen)
{
	double share = PERCENT * value(seen, DAV2M_PAGING_EXIT_CYCLES) / value(seen, DAV2M_CYCLES);

	if (share > PERCENT) {
		printf("Advice: none. The cycles counted in paging exits are %.0f %% of all "
		       "cycles: one of the two\n"
		       "  was not counted as it should.\n",
		       share);
		return;
	}
	printf("Its paging exits took %.1f %% of its cycles, as counted%s.\n", share,
	       seen->exit_cost ? "; --exit-cost is not needed" : "");
	limit_say(seen, DAV2M_NESTED, share, LONGER_WALKS);
}

static void shadow_say(const struct kvm_seen *seen)
{
	if (!has(seen, DAV2M_PAGING_EXITS)) {
		undecided_say(seen, "What shadow paging costs", "paging exits were not counted");
		return;
	}
	exit_rate_say(seen);
	if (!seen->sum.value[DAV2M_PAGING_EXITS]) {
		limit_say(seen, DAV2M_NESTED, 0, "");
	} else if (exit_cycles_known(seen)) {
		exit_cycles_say(seen);
	} else {
		if (seen->calm.samples && seen->busy.samples)
			pace_say(seen);
		exit_cost_say(seen);
	}
}

static void nested_say(const struct kvm_seen *seen)
{
	double walk = PERCENT * value(seen, DAV2M_WALK_CYCLES) / value(seen, DAV2M_CYCLES);

	if (!has(seen, DAV2M_WALK_CYCLES) || seen->cycles_are_ns) {
		undecided_say(seen, "What nested paging costs",
			      has(seen, DAV2M_WALK_CYCLES)
				      ? "walk cycles were counted, but no cycles to compare them to"
				      : "its cost is in page walks, and walk cycles were not "
					"counted (no PMU,\n  or none that counts them)");
		return;
	}
	walk = walk < PERCENT ? walk : PERCENT; /* several walkers work at a time */
	printf("Under nested paging its page walks took %.1f %% of its cycles.\n", walk);
	limit_say(seen, DAV2M_SHADOW, walk, "its own page walks and its paging exits");
}

static void missing_say(const struct kvm_seen *seen)
{
	const char *before = "Not measured, or not in every sample: ";

	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++) {
		if (has(seen, (enum dav2m_counter)i))
			continue;
		printf("%s%s", before, dav2m_counter_name((enum dav2m_counter)i));
		before = ", ";
	}
	printf("%s", before[0] == ',' ? ".\n" : "");
}

void kvm_advice_print(const struct kvm_seen *seen)
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
