/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times what bench/replay prints: replaying, the best schedule in hindsight, reading.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <dav2m/host/replay.h>

#include "phases.h"

#define TICKS 1000000
#define RUNS  5

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void die(const char *text)
{
	fprintf(stderr, "replay_ticks: %s\n", text);
	exit(1);
}

/* What is timed; answers nothing, because a failure ends the program. */
typedef void work(const struct dav2m_pair *pair, const char *csv);

static void work_replay(const struct dav2m_pair *pair, const char *csv)
{
	struct dav2m_replay replay = {
		.pair = pair, .switch_cycles = {PHASES_TO_SHADOW_CYCLES, PHASES_TO_NESTED_CYCLES}};
	struct dav2m_config config = {.size = sizeof(config)};
	struct dav2m_host_error error;
	struct dav2m controller;
	struct dav2m_run run;

	(void)csv;
	dav2m_config_preset(DAV2M_PRESET_REPAIRED, &config);
	if (dav2m_replay_controller(&replay, &config, &controller, &run, &error))
		die(error.text);
	if (!run.switches[DAV2M_NESTED])
		die("the controller had nothing to do");
}

static void work_hindsight(const struct dav2m_pair *pair, const char *csv)
{
	const uint64_t cost[DAV2M_MODES] = {PHASES_TO_SHADOW_CYCLES, PHASES_TO_NESTED_CYCLES};
	const uint64_t start[DAV2M_MODES] = {0, 0};
	struct dav2m_host_error error;
	struct dav2m_run run;

	(void)csv;
	if (dav2m_hindsight(pair, cost, start, NULL, &run, &error))
		die(error.text);
}

struct piece {
	const char *text;
	size_t size;
};

static int piece_next(void *context, const char **ret_data, size_t *ret_size,
		      struct dav2m_host_error *error)
{
	struct piece *piece = context;

	(void)error;
	*ret_data = piece->text;
	*ret_size = piece->size;
	piece->size = 0;
	return *ret_size > 0;
}

static void work_read(const struct dav2m_pair *pair, const char *csv)
{
	struct piece piece = {csv, strlen(csv)};
	struct dav2m_trace_source source = {"memory", piece_next, &piece};
	struct dav2m_trace trace = {.tick = NULL};
	struct dav2m_host_error error;

	if (dav2m_trace_read(&source, 0, &trace, &error))
		die(error.text);
	if (trace.ticks != pair->ticks)
		die("ticks were lost");
	dav2m_trace_free(&trace);
}

static void measure(const char *name, work *run, const struct dav2m_pair *pair, const char *csv)
{
	double per_s[RUNS];
	int i;

	for (i = 0; i < RUNS; i++) {
		double begun = now_s();

		run(pair, csv);
		per_s[i] = (double)pair->ticks / (now_s() - begun);
	}
	qsort(per_s, RUNS, sizeof(per_s[0]), ascending);
	printf("figure: %s %.0f 1/s\n", name, per_s[RUNS / 2]);
}

static char *csv_make(const struct dav2m_pair *pair)
{
	char *csv;
	size_t size, i;
	FILE *to = open_memstream(&csv, &size);

	if (!to)
		die("no memory");
	fputs("# dav2m counter trace 1\n# mode: shadow\n# progress_unit: instructions\n"
	      "progress,cycles,tlb_misses,paging_exits\n",
	      to);
	for (i = 0; i < pair->ticks; i++) {
		const uint64_t *value = pair->tick[DAV2M_SHADOW][i].value;

		fprintf(to, "%llu,%llu,%llu,%llu\n", (unsigned long long)value[DAV2M_PROGRESS],
			(unsigned long long)value[DAV2M_CYCLES],
			(unsigned long long)value[DAV2M_TLB_MISSES],
			(unsigned long long)value[DAV2M_PAGING_EXITS]);
	}
	if (fclose(to))
		die("no memory");
	return csv;
}

int main(void)
{
	struct phases phases = *phases_find("gcc-long");
	struct dav2m_pair pair = {.ticks = TICKS};
	char *csv;
	int mode;

	phases.ticks = TICKS;
	for (mode = 0; mode < DAV2M_MODES; mode++) {
		pair.tick[mode] = calloc(TICKS, sizeof(*pair.tick[mode]));
		if (!pair.tick[mode])
			die("no memory");
	}
	phases_fill(&phases, 200, 1, pair.tick[DAV2M_SHADOW], pair.tick[DAV2M_NESTED]);
	csv = csv_make(&pair);
	measure("replay_ticks_per_s", work_replay, &pair, csv);
	measure("hindsight_ticks_per_s", work_hindsight, &pair, csv);
	measure("trace_read_ticks_per_s", work_read, &pair, csv);
	free(csv);
	dav2m_pair_free(&pair);
	return 0;
}
