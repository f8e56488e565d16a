/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever is in a memory trace: a place and a rule, or a stream of well-formed words, which is
 * read the same from pieces and which the writer can write again. The fuzzer cannot guess a check,
 * so blocks are given the right one first.
 */
#include "must.h"

#include <string.h>

#include <dav2m/sim/memory_trace.h>

#include "trace_format.h"

struct result {
	const char *rule;
	uint64_t block, offset, sum;
	struct dav2m_sim_trace_totals totals;
};

static int ignore(void *to, const void *data, size_t size)
{
	(void)to;
	(void)data;
	(void)size;
	return 0;
}

/* Every complete block gets the check that its content asks for. */
static void checks_mend(uint8_t *data, size_t size)
{
	static struct trace_crc crc;
	struct trace_layout layout;
	uint32_t field[TRACE_FIELDS];
	size_t at = 0;

	trace_crc_init(&crc);
	while (at + 2 <= size && memcmp(data + at, "\n\n", 2) != 0)
		at++;
	for (at += 2; at + TRACE_HEAD_BYTES <= size; at += TRACE_HEAD_BYTES + layout.end) {
		memcpy(field, data + at, sizeof(field));
		trace_layout(field, &layout);
		if (layout.end > size - at - TRACE_HEAD_BYTES)
			return;
		field[TRACE_CHECK] =
			trace_check(&crc, field, data + at + TRACE_HEAD_BYTES, layout.end);
		memcpy(data + at, field, sizeof(field));
	}
}

static struct result run(const uint8_t *data, size_t size, size_t piece, size_t room,
			 struct dav2m_sim_trace_writer *writer)
{
	struct dav2m_sim_trace_reader *reader;
	static uint64_t words[4096];
	struct result result = {0};
	size_t at = 0, used, n, i;
	int rc;

	MUST(dav2m_sim_trace_reader_new(&reader) == 0);
	do {
		const size_t part = size - at < piece ? size - at : piece;

		rc = dav2m_sim_trace_feed(reader, data + at, part, words, room, &used, &n);
		MUST(used <= part && n <= room);
		at += used;
		for (i = 0; i < n; i++)
			result.sum = result.sum * 31 + words[i];
		if (writer)
			MUST(dav2m_sim_trace_write(writer, words, n) == 0);
	} while (rc == 0 && (used > 0 || n > 0));
	if (rc == 0)
		rc = dav2m_sim_trace_end(reader);
	result.rule = dav2m_sim_trace_fault(reader, &result.block, &result.offset);
	MUST((rc != 0) == (result.rule != NULL));
	dav2m_sim_trace_totals(reader, &result.totals);
	dav2m_sim_trace_reader_free(reader);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dav2m_sim_trace_header header = {"fuzz", "fuzz"};
	struct dav2m_sim_trace_totals totals;
	struct dav2m_sim_trace_writer *writer;
	struct result whole, in_pieces;
	uint8_t *copy;

	if (size < 2)
		return 0;
	copy = malloc(size - 1);
	MUST(copy != NULL);
	memcpy(copy, data + 1, size - 1);
	checks_mend(copy, size - 1);
	MUST(dav2m_sim_trace_writer_new(&header, ignore, NULL, &writer) == 0);
	whole = run(copy, size - 1, size, 4096, writer);
	in_pieces = run(copy, size - 1, 1 + (size_t)data[0], 4, NULL);
	MUST(whole.rule == in_pieces.rule && whole.block == in_pieces.block);
	MUST(whole.offset == in_pieces.offset && whole.sum == in_pieces.sum);
	MUST(dav2m_sim_trace_finish(writer, &totals) == 0);
	MUST(totals.events == whole.totals.events && totals.data == whole.totals.data);
	MUST(totals.instructions == whole.totals.instructions);
	MUST(totals.runs <= whole.totals.runs);
	dav2m_sim_trace_writer_free(writer);
	free(copy);
	return 0;
}
