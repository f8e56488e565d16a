/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns lists of phases into the increments that a VMM's counters would show.
 */
#include "phases.h"

#include "mix.h"

#include <string.h>

/* Maps and unmaps: with this many exits goes one flush, as `dav2m sim --workload spec-gcc` has it
   (3,892,182 exits, 86,575 flushes). */
#define EXITS_PER_FLUSH 45
#define FLUSHING(ticks, exits, cycles, misses, miss_cycles)                                        \
	{                                                                                          \
		ticks, exits, cycles, misses, miss_cycles, (exits) / EXITS_PER_FLUSH               \
	}

static const struct phase swim[] = {{1, 50, 3000, 1000000, 60, 0}};
static const struct phase gcc[] = {FLUSHING(40, 30000, 4000, 200000, 40),
				   FLUSHING(160, 100, 4000, 120000, 40)};
static const struct phase gcc_long[] = {FLUSHING(300, 30000, 4000, 200000, 40),
					FLUSHING(300, 100, 4000, 600000, 60)};
static const struct phase gzip[] = {{20, 15000, 4000, 30000, 40, 0}, {200, 50, 4000, 30000, 40, 0}};
static const struct phase neutral[] = {{1, 500, 3000, 10000, 60, 0}};
static const struct phase fast[] = {FLUSHING(3, 40000, 4000, 100000, 60),
				    FLUSHING(3, 50, 4000, 800000, 60)};
static const struct phase burst_head[] = {FLUSHING(2, 40000, 4000, 100000, 60),
					  FLUSHING(2, 50, 4000, 800000, 60)};
static const struct phase burst_body[] = {FLUSHING(600, 50, 4000, 800000, 60),
					  FLUSHING(600, 30000, 4000, 100000, 60)};
static const struct phase saw[] = {
	FLUSHING(50, 1000, 4000, 5120000, 60), FLUSHING(50, 2000, 4000, 2560000, 60),
	FLUSHING(50, 4000, 4000, 1280000, 60), FLUSHING(50, 8000, 4000, 640000, 60),
	FLUSHING(50, 16000, 4000, 320000, 60), FLUSHING(50, 32000, 4000, 160000, 60),
	FLUSHING(50, 64000, 4000, 80000, 60),  FLUSHING(50, 128000, 4000, 40000, 60),
};
/* Under nested paging its two phases look the same, flushes too. */
static const struct phase alike[] = {{200, 50, 4000, 500000, 60, 0},
				     {200, 30000, 4000, 500000, 60, 0}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BODY(array)  NULL, 0, 0, array, COUNT(array)

const struct phases phases_table[] = {
	{"swim", BODY(swim), 6000},
	{"gcc", BODY(gcc), 6000},
	{"gcc-long", BODY(gcc_long), 6000},
	{"gzip", BODY(gzip), 6000},
	{"neutral", BODY(neutral), 6000},
	{"fast", BODY(fast), 6000},
	{"saw", BODY(saw), 6000},
	{"alike", BODY(alike), 6000},
	{"burst", burst_head, COUNT(burst_head), 60, burst_body, COUNT(burst_body),
	 60 * 4 + 8 * 1200},
};
const size_t phases_table_size = COUNT(phases_table);

static const char *const abouts[] = {
	"many TLB misses and few exits, all the time",
	"40 ticks of exits, 160 with few",
	"300 ticks of exits, 300 of TLB misses",
	"20 ticks of exits, 200 with little of anything",
	"both modes cost about the same, all the time",
	"3 ticks of exits, 3 of TLB misses",
	"from TLB misses to exits in eight steps, then from the start",
	"200 ticks without exits, 200 with, the same under nested paging",
	"turns of 2 ticks, then of 600: thresholds freeze",
};
_Static_assert(COUNT(abouts) == COUNT(phases_table), "a line for each list of phases");

const char *phases_about(size_t index)
{
	return abouts[index];
}

const struct phases *phases_find(const char *name)
{
	size_t i;

	for (i = 0; i < phases_table_size; i++)
		if (!strcmp(phases_table[i].name, name))
			return &phases_table[i];
	return NULL;
}

static uint64_t list_ticks(const struct phase *list, size_t n)
{
	uint64_t ticks = 0;
	size_t i;

	for (i = 0; i < n; i++)
		ticks += list[i].ticks;
	return ticks;
}

/* A place in a list that is gone through again and again. */
struct place {
	const struct phase *list;
	size_t phases;
	size_t phase;
	uint32_t tick; /* of the phase */
};

/* The phase of this tick; the place moves on to the next. */
static const struct phase *step(struct place *place)
{
	const struct phase *phase = &place->list[place->phase];

	if (++place->tick >= phase->ticks) {
		place->tick = 0;
		place->phase = (place->phase + 1) % place->phases;
	}
	return phase;
}

static uint64_t vary(uint64_t value, uint32_t noise_bp, uint64_t random)
{
	uint64_t span = value * noise_bp / DAV2M_ONE_BP;

	return value - span + random % (2 * span + 1);
}

/* What both modes have in common. */
static struct dav2m_sample tick_sample(const struct phase *phase, uint64_t misses)
{
	struct dav2m_sample sample = {.valid = DAV2M_ALL_COUNTERS};

	sample.value[DAV2M_PROGRESS] = PHASES_TICK_PROGRESS;
	sample.value[DAV2M_CYCLES] = PHASES_TICK_PROGRESS;
	sample.value[DAV2M_TLB_MISSES] = misses;
	sample.value[DAV2M_WALK_CYCLES] = misses * PHASES_WALK_CYCLES;
	sample.value[DAV2M_TLB_FLUSHES] = phase->flushes;
	return sample;
}

static void exits_add(struct dav2m_sample *sample, uint64_t exits, uint64_t cycles)
{
	sample->value[DAV2M_CYCLES] += cycles;
	sample->value[DAV2M_PAGING_EXITS] += exits;
	sample->value[DAV2M_PAGING_EXIT_CYCLES] += cycles;
}

static void walk_add(struct dav2m_sample *sample, uint64_t cycles)
{
	sample->value[DAV2M_CYCLES] += cycles;
	sample->value[DAV2M_WALK_CYCLES] += cycles;
}

void phases_fill(const struct phases *phases, uint32_t noise_bp, uint64_t seed,
		 struct dav2m_sample *ret_shadow, struct dav2m_sample *ret_nested)
{
	uint64_t head_ticks = phases->head_repeats * list_ticks(phases->head, phases->head_phases);
	struct place head = {.list = phases->head, .phases = phases->head_phases};
	struct place body = {.list = phases->body, .phases = phases->body_phases};
	uint64_t tick;

	for (tick = 0; tick < phases->ticks; tick++) {
		const struct phase *phase = step(tick < head_ticks ? &head : &body);
		uint64_t random = mix(seed ^ mix(tick));
		uint64_t exits = vary(phase->exits, noise_bp, random & 0xffffffff);
		uint64_t misses = vary(phase->misses, noise_bp, random >> 32);

		ret_shadow[tick] = ret_nested[tick] = tick_sample(phase, misses);
		exits_add(&ret_shadow[tick], exits, exits * phase->exit_cycles);
		walk_add(&ret_nested[tick], misses * phase->miss_cycles);
	}
}

/* Row i of n that a tick is cut into. */
static struct dav2m_sample row_of(const struct dav2m_sample *tick, size_t i, size_t n)
{
	struct dav2m_sample row = {.valid = tick->valid};
	int c;

	for (c = 0; c < DAV2M_COUNTERS; c++)
		row.value[c] = tick->value[c] * (i + 1) / n - tick->value[c] * i / n;
	return row;
}

void phases_cut(struct dav2m_sample *sample, size_t ticks, size_t rows)
{
	/* From the end, because they have one place. */
	while (ticks-- > 0) {
		const struct dav2m_sample tick = sample[ticks];
		size_t i;

		for (i = 0; i < rows; i++)
			sample[ticks * rows + i] = row_of(&tick, i, rows);
	}
}
