/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever is in a counter trace: an error with a sentence, or a trace that obeys its rules. */
#include "must.h"

#include <string.h>

#include <dav2m/host/trace.h>

struct pieces {
	const char *data;
	size_t left;
	size_t piece;
};

static int next(void *context, const char **ret_data, size_t *ret_size,
		struct dav2m_host_error *error)
{
	struct pieces *pieces = context;
	size_t size = pieces->left < pieces->piece ? pieces->left : pieces->piece;

	(void)error;
	if (size == 0)
		return 0;
	*ret_data = pieces->data;
	*ret_size = size;
	pieces->data += size;
	pieces->left -= size;
	return 1;
}

static int read_in_pieces(const uint8_t *data, size_t size, size_t piece, uint32_t flags,
			  struct dav2m_trace *ret_trace, struct dav2m_host_error *error)
{
	struct pieces pieces = {.data = (const char *)data, .left = size, .piece = piece};
	struct dav2m_trace_source source = {.name = "input", .next = next, .context = &pieces};

	memset(ret_trace, 0, sizeof(*ret_trace));
	memset(error, 0, sizeof(*error));
	return dav2m_trace_read(&source, flags, ret_trace, error);
}

static void check(const struct dav2m_trace *trace, uint32_t flags)
{
	MUST(trace->ticks > 0);
	MUST(trace->header.columns != 0);
	MUST((trace->header.columns & ~DAV2M_ALL_COUNTERS) == 0);
	MUST((unsigned)trace->header.mode < DAV2M_TRACE_MODES);
	MUST(!trace->truncated || (flags & DAV2M_TRACE_ALLOW_TRUNCATED));
	for (size_t i = 0; i < trace->ticks; i++) {
		MUST((trace->tick[i].valid & ~trace->header.columns) == 0);
		for (int c = 0; c < DAV2M_COUNTERS; c++)
			if (trace->tick[i].valid & DAV2M_BIT(c))
				MUST(trace->tick[i].value[c] <= INT64_MAX);
	}
}

static void same(const struct dav2m_trace *one, const struct dav2m_trace *other)
{
	MUST(one->ticks == other->ticks);
	MUST(one->truncated == other->truncated);
	for (size_t i = 0; i < one->ticks; i++) {
		MUST(one->tick[i].valid == other->tick[i].valid);
		for (int c = 0; c < DAV2M_COUNTERS; c++)
			if (one->tick[i].valid & DAV2M_BIT(c))
				MUST(one->tick[i].value[c] == other->tick[i].value[c]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dav2m_host_error error, error_in_pieces;
	struct dav2m_trace trace, in_pieces;
	int status;
	uint32_t flags;

	if (size < 2)
		return 0;
	flags = data[0] & 1 ? DAV2M_TRACE_ALLOW_TRUNCATED : 0;
	status = read_in_pieces(data + 1, size - 1, size, flags, &trace, &error);
	MUST(status == read_in_pieces(data + 1, size - 1, 1 + data[0] / 2, flags, &in_pieces,
				      &error_in_pieces));
	MUST(strcmp(error.text, error_in_pieces.text) == 0);
	if (status) {
		MUST(error.text[0] != '\0');
	} else {
		check(&trace, flags);
		same(&trace, &in_pieces);
	}
	dav2m_trace_free(&trace);
	dav2m_trace_free(&in_pieces);
	return 0;
}
