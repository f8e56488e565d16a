/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws kinds of phase, then stays, then every tick of each stay.
 */
#include "drawn.h"

#include "mix.h"
#include "number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXITS_LEAST  10u
#define EXITS_MOST   100000u
#define MISSES_LEAST 1000u
#define MISSES_MOST  4000000u
#define MEAN_MOST    1000u /* ticks */

/* One in so many; none of the counts is large enough for the remainder to favour a value. */
static uint32_t below(uint64_t *random, uint32_t n)
{
	return (uint32_t)(mix_next(random) % n);
}

static uint32_t uniform(uint64_t *random, uint32_t least, uint32_t most)
{
	return least + below(random, most - least + 1);
}

/* Rounded down. */
static uint64_t square_root(uint64_t x)
{
	uint64_t root = 0, bit;

	for (bit = 1u << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= x)
			root |= bit;
	return root;
}

/* The range is cut at its geometric middle again and again, and a coin says which half to keep.
   In 256ths, of which the largest range's square still fits. */
static uint32_t log_uniform(uint64_t *random, uint32_t least, uint32_t most)
{
	uint64_t low = (uint64_t)least << 8, high = (uint64_t)most << 8, middle, coins;

	for (coins = mix_next(random) >> 40; coins && high - low > 1; coins >>= 1) {
		middle = square_root(low * high);
		if (coins & 1)
			low = middle;
		else
			high = middle;
	}
	return (uint32_t)((low + 128) >> 8);
}

static struct drawn_kind kind_draw(uint64_t *random)
{
	struct drawn_kind kind = {.phase = {.ticks = 1}};

	kind.phase.exits = log_uniform(random, EXITS_LEAST, EXITS_MOST);
	kind.phase.exit_cycles = uniform(random, 1000, 8000);
	kind.phase.misses = log_uniform(random, MISSES_LEAST, MISSES_MOST);
	kind.phase.miss_cycles = uniform(random, 20, 80);
	kind.exits_per_flush = uniform(random, 10, 200);
	if (below(random, 2))
		kind.exits_per_flush = 0;
	kind.mean_ticks = log_uniform(random, 1, MEAN_MOST);
	return kind;
}

static void drawn_draw(uint64_t *random, struct drawn *drawn)
{
	unsigned int i;

	drawn->kinds = uniform(random, 1, DRAWN_KINDS_MOST);
	for (i = 0; i < drawn->kinds; i++)
		drawn->kind[i] = kind_draw(random);
	drawn->shuffled = below(random, 2) == 0;
	drawn->stay = (enum drawn_stay)below(random, DRAWN_STAYS);
	if (below(random, 4) == 0)
		drawn->growth = below(random, 2) ? DRAWN_EXITS_GROW : DRAWN_MISSES_GROW;
	drawn->ramps = below(random, 4) == 0;
	drawn->noise_bp = below(random, 4) == 0 ? 1000 : 200;
	drawn->noise_seed = mix_next(random);
}

static uint32_t stay_ticks(uint64_t *random, enum drawn_stay stay, uint32_t mean)
{
	uint32_t ticks = 1;

	if (stay == DRAWN_CONSTANT)
		return mean;
	if (stay == DRAWN_QUARTER)
		return uniform(random, mean - mean / 4, mean + mean / 4);
	while (below(random, mean))
		ticks++;
	return ticks;
}

static unsigned int kind_next(uint64_t *random, const struct drawn *drawn, unsigned int kind)
{
	if (drawn->kinds == 1)
		return 0;
	return (kind + (drawn->shuffled ? uniform(random, 1, drawn->kinds - 1) : 1)) % drawn->kinds;
}

/* part / whole of the way. */
static uint32_t between(uint32_t from, uint32_t to, uint32_t part, uint32_t whole)
{
	return (uint32_t)(((uint64_t)from * (whole - part) + (uint64_t)to * part) / whole);
}

static uint32_t grown(uint32_t value, uint32_t most, uint32_t tick, uint32_t ticks)
{
	return between(value, value > most / 2 ? most : 2 * value, tick, ticks);
}

static struct phase kind_tick(const struct drawn_kind *kind, enum drawn_growth growth,
			      uint32_t tick, uint32_t ticks)
{
	struct phase phase = kind->phase;

	if (growth == DRAWN_EXITS_GROW)
		phase.exits = grown(phase.exits, EXITS_MOST, tick, ticks);
	if (growth == DRAWN_MISSES_GROW)
		phase.misses = grown(phase.misses, MISSES_MOST, tick, ticks);
	if (kind->exits_per_flush)
		phase.flushes = phase.exits / kind->exits_per_flush;
	return phase;
}

static void ramp(const struct phase *from, uint32_t part, uint32_t whole, struct phase *phase)
{
	phase->exits = between(from->exits, phase->exits, part, whole);
	phase->exit_cycles = between(from->exit_cycles, phase->exit_cycles, part, whole);
	phase->misses = between(from->misses, phase->misses, part, whole);
	phase->miss_cycles = between(from->miss_cycles, phase->miss_cycles, part, whole);
	phase->flushes = between(from->flushes, phase->flushes, part, whole);
}

/* One stay, or what there is room for. Answers the ticks it took. */
static uint32_t stay_fill(const struct drawn *drawn, const struct drawn_kind *kind, uint32_t begin,
			  uint32_t ticks)
{
	uint32_t ramp_ticks = drawn->ramps && begin ? ticks / 4 : 0, i;

	for (i = 0; i < ticks && begin + i < DRAWN_TICKS; i++) {
		struct phase *tick = &drawn->tick[begin + i];

		*tick = kind_tick(kind, drawn->growth, i, ticks);
		if (i < ramp_ticks)
			ramp(&drawn->tick[begin - 1], i + 1, ramp_ticks + 1, tick);
	}
	return i;
}

static void name_make(char *name, size_t size, uint32_t seed, uint32_t number)
{
	snprintf(name, size, "drawn-%u-%u", (unsigned int)seed, (unsigned int)number);
}

int drawn_name_parse(const char *name, size_t length, uint32_t *ret_seed, uint32_t *ret_number)
{
	char text[DRAWN_NAME], same[DRAWN_NAME];
	const char *number;

	if (length >= sizeof(text) || strncmp(name, "drawn-", 6) != 0)
		return -1;
	memcpy(text, name, length);
	text[length] = '\0';
	number = number_whole(text + 6, '-', 0, UINT32_MAX, ret_seed);
	if (!number || !number_whole(number, '\0', 1, DRAWN_MOST, ret_number))
		return -1;
	/* One name for one workload: no zeros in front. */
	name_make(same, sizeof(same), *ret_seed, *ret_number);
	return strcmp(same, text) ? -1 : 0;
}

int drawn_make(uint32_t seed, uint32_t number, struct drawn *ret_drawn)
{
	uint64_t random = mix(((uint64_t)seed << 32) + number);
	struct drawn *drawn = ret_drawn;
	unsigned int kind = 0;
	uint32_t tick = 0;

	memset(drawn, 0, sizeof(*drawn));
	name_make(drawn->name, sizeof(drawn->name), seed, number);
	drawn->tick = calloc(DRAWN_TICKS, sizeof(*drawn->tick));
	if (!drawn->tick)
		return -1;
	drawn_draw(&random, drawn);
	while (tick < DRAWN_TICKS) {
		const struct drawn_kind *now = &drawn->kind[kind];

		tick += stay_fill(drawn, now, tick,
				  stay_ticks(&random, drawn->stay, now->mean_ticks));
		kind = kind_next(&random, drawn, kind);
	}
	drawn->phases = (struct phases){
		.body = drawn->tick, .body_phases = DRAWN_TICKS, .ticks = DRAWN_TICKS};
	return 0;
}

void drawn_free(struct drawn *drawn)
{
	free(drawn->tick);
	drawn->tick = NULL;
}
