/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls into the core for bench/core to count: each workload is a short, fixed sequence.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dav2m/dav2m.h>

#define CALLS 400

/* What a VMM hands in that sees each paging exit: it counts them by call. */
#define PAPER_COUNTERS                                                                             \
	(DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES) | DAV2M_BIT(DAV2M_TLB_MISSES))

/* Answers the progress of a tick. */
static uint32_t start(struct dav2m *ctl, enum dav2m_preset preset, enum dav2m_mode mode,
		      uint32_t valid, struct dav2m_sample *counters)
{
	struct dav2m_config config = {.size = sizeof(config)};

	memset(counters, 0, sizeof(*counters));
	counters->valid = valid;
	if (dav2m_config_preset(preset, &config) || dav2m_init(ctl, &config, mode))
		exit(1);
	return config.window_inst;
}

/* One tick of a guest with the given paging exits and TLB misses. */
static void run(enum dav2m_mode mode, uint32_t progress, uint64_t exits, uint64_t misses,
		struct dav2m_sample *counters)
{
	uint64_t walk_cycles = misses * (mode == DAV2M_NESTED ? 80 : 20);

	if (mode == DAV2M_NESTED)
		exits = 0;
	counters->value[DAV2M_PROGRESS] += progress;
	counters->value[DAV2M_CYCLES] += progress + exits * 4000 + walk_cycles;
	counters->value[DAV2M_TLB_MISSES] += misses;
	counters->value[DAV2M_WALK_CYCLES] += walk_cycles;
	counters->value[DAV2M_PAGING_EXITS] += exits;
	counters->value[DAV2M_PAGING_EXIT_CYCLES] += exits * 4000;
	counters->value[DAV2M_TLB_FLUSHES] += 100;
}

/* A VMM at a sampling point, which does what it is told. */
static void sample(struct dav2m *ctl, const struct dav2m_sample *counters, enum dav2m_mode *mode)
{
	struct dav2m_decision decision;

	dav2m_sample(ctl, counters, &decision);
	if (decision.action == DAV2M_SWITCH) {
		*mode = decision.mode;
		dav2m_acknowledge(ctl, DAV2M_DONE, 50000000);
	}
}

static void count_exits(void)
{
	struct dav2m_sample counters;
	struct dav2m ctl;

	start(&ctl, DAV2M_PRESET_REPAIRED, DAV2M_SHADOW, PAPER_COUNTERS, &counters);
	for (int i = 0; i < CALLS; i++)
		dav2m_paging_exits(&ctl, 1);
}

/* A guest that does the same all the time. */
static void stay_calm(enum dav2m_preset preset, enum dav2m_mode mode, uint32_t valid)
{
	struct dav2m_sample counters;
	struct dav2m ctl;
	const uint32_t progress = start(&ctl, preset, mode, valid, &counters);

	for (int i = 0; i < CALLS; i++) {
		run(mode, progress, 50, 10000, &counters);
		if (mode == DAV2M_SHADOW && !(valid & DAV2M_BIT(DAV2M_PAGING_EXITS)))
			dav2m_paging_exits(&ctl, 50);
		sample(&ctl, &counters, &mode);
	}
}

/* Phases of changing length, so that every edge is taken, with damping and decay. */
static void alternate(enum dav2m_preset preset)
{
	enum dav2m_mode mode = DAV2M_SHADOW;
	struct dav2m_sample counters;
	int length = 3, left = 0, rebuilds = 0;
	struct dav2m ctl;
	const uint32_t progress = start(&ctl, preset, mode, DAV2M_ALL_COUNTERS, &counters);

	for (int i = 0; i < CALLS; i++) {
		if (left-- == 0) {
			rebuilds = !rebuilds;
			length = length > 120 ? 3 : length + length / 2;
			left = length;
		}
		run(mode, progress, rebuilds ? 40000 : 50, rebuilds ? 10000 : 2000000, &counters);
		sample(&ctl, &counters, &mode);
	}
}

int main(int argc, char **argv)
{
	const char *workload = argc == 2 ? argv[1] : "";

	if (strcmp(workload, "exits") == 0)
		count_exits();
	else if (strcmp(workload, "calm") == 0)
		stay_calm(DAV2M_PRESET_REPAIRED, DAV2M_SHADOW, PAPER_COUNTERS);
	else if (strcmp(workload, "calm-nested") == 0)
		stay_calm(DAV2M_PRESET_REPAIRED, DAV2M_NESTED, PAPER_COUNTERS);
	else if (strcmp(workload, "calm-paper") == 0)
		stay_calm(DAV2M_PRESET_PAPER, DAV2M_SHADOW, PAPER_COUNTERS);
	else if (strcmp(workload, "calm-all-counters") == 0)
		stay_calm(DAV2M_PRESET_REPAIRED, DAV2M_SHADOW, DAV2M_ALL_COUNTERS);
	else if (strcmp(workload, "calm-bounded") == 0)
		stay_calm(DAV2M_PRESET_BOUNDED, DAV2M_SHADOW, PAPER_COUNTERS);
	else if (strcmp(workload, "calm-bounded-all-counters") == 0)
		stay_calm(DAV2M_PRESET_BOUNDED, DAV2M_SHADOW, DAV2M_ALL_COUNTERS);
	else if (strcmp(workload, "alternating") == 0)
		alternate(DAV2M_PRESET_REPAIRED);
	else if (strcmp(workload, "alternating-bounded") == 0)
		alternate(DAV2M_PRESET_BOUNDED);
	else if (strcmp(workload, "size") == 0)
		printf("%zu\n", sizeof(struct dav2m));
	else
		return 2;
	return 0;
}
