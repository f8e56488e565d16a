/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of pages seen, with the recent ones in front of it, because most references are to these.
 */
#include "sim_footprint.h"

#include <dav2m/sim/stream.h>

#include <stdlib.h>

#define ROOM_FIRST 65536u

static uint64_t hash(uint64_t key)
{
	return key * 0x9e3779b97f4a7c15ull >> 20;
}

static uint64_t recent_of(uint64_t key)
{
	return hash(key) % FOOTPRINT_RECENT;
}

/* Where a key is, or would be. */
static uint64_t *place(const struct footprint *f, uint64_t key)
{
	size_t at = hash(key) & (f->room - 1);

	while (f->seen[at] != 0 && f->seen[at] != key)
		at = (at + 1) & (f->room - 1);
	return &f->seen[at];
}

/* Keeps a third of the room free. */
static int room_make(struct footprint *f)
{
	struct footprint larger = {.room = f->room == 0 ? ROOM_FIRST : f->room * 2};
	size_t i;

	if (f->used < f->room / 3 * 2)
		return 1;
	larger.seen = calloc(larger.room, sizeof(*larger.seen));
	if (!larger.seen)
		return 0;
	for (i = 0; i < f->room; i++)
		if (f->seen[i] != 0)
			*place(&larger, f->seen[i]) = f->seen[i];
	free(f->seen);
	f->seen = larger.seen;
	f->room = larger.room;
	return 1;
}

static void page_add(struct footprint *f, uint64_t key, int code)
{
	uint64_t *at;

	f->recent[recent_of(key)] = key;
	if (!room_make(f)) {
		f->failed = 1;
		return;
	}
	at = place(f, key);
	if (*at == key)
		return;
	*at = key;
	f->used++;
	if (code)
		f->code_pages++;
	else
		f->data_pages++;
}

void footprint_add(struct footprint *f, const uint64_t *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const unsigned kind = words[i] & 3;
		const uint64_t event = words[i] >> 2 & 0x3f;
		const int code = kind == DAV2M_SIM_FETCH;
		/* 45 bits of page, 16 of process, never 0 */
		const uint64_t key = (words[i] >> 16) << 19 | f->pid << 2 | (uint64_t)code << 1 | 1;

		if (kind == DAV2M_SIM_EVENT) {
			if (event == DAV2M_SIM_SWITCH && i + 1 < n)
				f->pid = words[i + 1] % DAV2M_SIM_PIDS;
			if (event == DAV2M_SIM_EXIT_PROCESS)
				f->pid = 0;
			i += words[i] >> 8 & 0xff;
		} else if (f->recent[recent_of(key)] != key) {
			page_add(f, key, code);
		}
	}
}

void footprint_free(struct footprint *f)
{
	free(f->seen);
	f->seen = NULL;
	f->room = f->used = 0;
}
