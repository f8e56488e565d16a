/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of the hosted library's suites.
 */
#define _GNU_SOURCE

#include "host.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct text {
	const char *at;
	size_t left;
	size_t piece;
};

static int text_next(void *context, const char **ret_data, size_t *ret_size,
		     struct dav2m_host_error *error)
{
	struct text *text = context;
	size_t size = text->left < text->piece ? text->left : text->piece;

	(void)error;
	*ret_data = text->at;
	*ret_size = size;
	text->at += size;
	text->left -= size;
	return size > 0;
}

int text_read(const char *content, size_t piece, uint32_t flags, struct dav2m_trace *ret_trace,
	      struct dav2m_host_error *error)
{
	struct text text = {content, strlen(content), piece};
	struct dav2m_trace_source source = {"t.csv", text_next, &text};

	return dav2m_trace_read(&source, flags, ret_trace, error);
}

struct dav2m_trace trace_of(enum dav2m_trace_mode mode, const uint64_t (*progress_cycles)[2],
			    size_t ticks)
{
	struct dav2m_trace trace = {.ticks = ticks, .first_line = 5};
	size_t i;

	trace.header.mode = mode;
	trace.header.columns = DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES);
	trace.tick = calloc(ticks + 1, sizeof(*trace.tick));
	ck_assert_ptr_nonnull(trace.tick);
	for (i = 0; i < ticks; i++) {
		trace.tick[i].valid = trace.header.columns;
		trace.tick[i].value[DAV2M_PROGRESS] = progress_cycles[i][0];
		trace.tick[i].value[DAV2M_CYCLES] = progress_cycles[i][1];
	}
	return trace;
}

struct dav2m_pair pair_of(const uint64_t *shadow_cycles, const uint64_t *nested_cycles,
			  size_t ticks)
{
	const uint64_t *cycles[DAV2M_MODES] = {shadow_cycles, nested_cycles};
	struct dav2m_pair pair = {.ticks = ticks};
	size_t i, mode;

	for (mode = 0; mode < DAV2M_MODES; mode++) {
		pair.tick[mode] = calloc(ticks, sizeof(*pair.tick[mode]));
		ck_assert_ptr_nonnull(pair.tick[mode]);
		for (i = 0; i < ticks; i++) {
			pair.tick[mode][i].valid =
				DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES);
			pair.tick[mode][i].value[DAV2M_PROGRESS] = 10;
			pair.tick[mode][i].value[DAV2M_CYCLES] = cycles[mode][i];
		}
	}
	return pair;
}

static char folder[64];

const char *scratch_path(const char *name)
{
	static char path[256];

	if (!*folder) {
		strcpy(folder, "dav2m-test-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(folder));
	}
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int entry_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void scratch_remove(void)
{
	if (*folder)
		nftw(folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
	*folder = 0;
}

uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}
