/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer of memory traces: joins references into runs until a block is full, then sorts the
 * block into columns. Must not know where the bytes go.
 */
#include <stdio.h>
#include <stdlib.h>

#include "trace_format.h"

#include <dav2m/sim/join.h>
#include <dav2m/sim/run.h>

/* Slots of the symbols' hash table: twice as many as it can hold. */
#define SLOTS	   (2 * TRACE_BLOCK_RUNS)
#define SLOT_SHIFT (64 - 17)

_Static_assert(SLOTS == 1u << (64 - SLOT_SHIFT), "a hash value is a slot");

struct slot {
	uint64_t symbol;
	uint32_t block; /* in which it was used; others count as empty */
	uint32_t index;
};

struct dav2m_sim_trace_writer {
	dav2m_sim_trace_put *put;
	void *to;
	struct dav2m_sim_trace_totals totals;
	struct dav2m_sim_join join;
	uint32_t events;      /* words of events in the block */
	uint32_t event_after; /* runs in the block before its last event */
	uint32_t block;
	struct trace_crc crc;
	struct slot slot[SLOTS];
	uint64_t run[TRACE_BLOCK_RUNS];
	uint64_t event[TRACE_BLOCK_RUNS];
	uint16_t longs[TRACE_BLOCK_RUNS];
	uint16_t index[TRACE_BLOCK_RUNS];
	uint64_t columns[TRACE_COLUMN_BYTES / sizeof(uint64_t)];
};

/* One line of the header; what would break it becomes a blank. */
static size_t text_put(char *to, const char *key, const char *text)
{
	char *end = to + sprintf(to, "%s: %.*s\n", key,
				 (int)(DAV2M_SIM_TRACE_TEXT - strlen(key) - 3), text);
	char *c;

	for (c = to; c < end - 1; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return (size_t)(end - to);
}

static int header_put(struct dav2m_sim_trace_writer *writer,
		      const struct dav2m_sim_trace_header *header)
{
	char text[TRACE_HEADER_BYTES];
	size_t used =
		(size_t)sprintf(text, "%s%d\n", DAV2M_SIM_TRACE_MAGIC, DAV2M_SIM_TRACE_VERSION);

	used += text_put(text + used, "program", header->program);
	used += text_put(text + used, "recorder", header->recorder);
	used += (size_t)sprintf(text + used, "page_bytes: 4096\n\n");
	return writer->put(writer->to, text, used);
}

int dav2m_sim_trace_writer_new(const struct dav2m_sim_trace_header *header,
			       dav2m_sim_trace_put *put, void *to,
			       struct dav2m_sim_trace_writer **ret_writer)
{
	struct dav2m_sim_trace_writer *writer;
	int rc;

	if (header == NULL || put == NULL || ret_writer == NULL)
		return DAV2M_SIM_ERR_NULL;
	writer = calloc(1, sizeof(*writer));
	if (writer == NULL)
		return DAV2M_SIM_ERR_MEMORY;
	writer->put = put;
	writer->to = to;
	writer->block = 1;
	trace_crc_init(&writer->crc);
	dav2m_sim_join_begin(&writer->join, writer->run);
	rc = header_put(writer, header);
	if (rc != 0) {
		free(writer);
		return rc;
	}
	*ret_writer = writer;
	return 0;
}

void dav2m_sim_trace_writer_free(struct dav2m_sim_trace_writer *writer)
{
	free(writer);
}

/* The symbol's index in this block; the next one if it is new. */
static inline uint32_t symbol_find(struct dav2m_sim_trace_writer *writer, uint64_t symbol,
				   uint32_t next)
{
	/* Fibonacci hashing: the golden ratio of 2^64 spreads neighbouring pages. */
	uint64_t at = symbol * 0x9e3779b97f4a7c15ull >> SLOT_SHIFT;
	struct slot *slot = &writer->slot[at];

	while (slot->block == writer->block && slot->symbol != symbol)
		slot = &writer->slot[at = (at + 1) % SLOTS];
	if (slot->block != writer->block)
		*slot = (struct slot){symbol, writer->block, next};
	return slot->index;
}

/* Finds all symbols, which go to their column, and all long counts. */
static void runs_sort(struct dav2m_sim_trace_writer *writer, uint32_t *field)
{
	uint32_t symbols = 0, longs = 0, i, index;

	for (i = 0; i < field[TRACE_RUNS]; i++) {
		const uint64_t run = writer->run[i];
		const uint64_t symbol = run & ~DAV2M_SIM_COUNT_MASK;
		const uint32_t count = (uint32_t)(run >> 2 & DAV2M_SIM_RUN_MAX);

		index = symbol_find(writer, symbol, symbols);
		if (index == symbols)
			writer->columns[symbols++] = symbol;
		writer->index[i] = (uint16_t)index;
		if (count >= TRACE_LONG)
			writer->longs[longs++] = (uint16_t)count;
		if ((run & 3) == DAV2M_SIM_FETCH)
			writer->totals.instructions += count;
		else
			writer->totals.data += count;
	}
	field[TRACE_SYMBOLS] = symbols;
	field[TRACE_LONGS] = longs;
}

static void columns_fill(struct dav2m_sim_trace_writer *writer, const uint32_t *field,
			 const struct trace_layout *layout)
{
	uint8_t *const base = (uint8_t *)writer->columns;
	const uint32_t runs = field[TRACE_RUNS];
	uint32_t i;

	memcpy(base + layout->events, writer->event, layout->longs - layout->events);
	memcpy(base + layout->longs, writer->longs, layout->index - layout->longs);
	if (field[TRACE_SYMBOLS] > TRACE_BYTE_SYMBOLS)
		memcpy(base + layout->index, writer->index, runs * sizeof(uint16_t));
	else
		for (i = 0; i < runs; i++)
			base[layout->index + i] = (uint8_t)writer->index[i];
	for (i = 0; i < runs; i++) {
		const uint64_t count = writer->run[i] >> 2 & DAV2M_SIM_RUN_MAX;

		base[layout->count + i] = (uint8_t)(count < TRACE_LONG ? count : TRACE_LONG);
	}
}

/* Hands out a block whose columns are filled. */
static int block_put(struct dav2m_sim_trace_writer *writer, uint32_t *field, size_t size)
{
	int rc;

	field[TRACE_CHECK] = trace_check(&writer->crc, field, writer->columns, size);
	rc = writer->put(writer->to, field, TRACE_HEAD_BYTES);
	return rc != 0 ? rc : writer->put(writer->to, writer->columns, size);
}

static int block_end(struct dav2m_sim_trace_writer *writer)
{
	uint32_t field[TRACE_FIELDS] = {TRACE_TAG_RUNS};
	struct trace_layout layout;

	if (writer->join.used == 0 && writer->events == 0)
		return 0;
	field[TRACE_RUNS] = (uint32_t)writer->join.used;
	field[TRACE_EVENTS] = writer->events;
	runs_sort(writer, field);
	trace_layout(field, &layout);
	columns_fill(writer, field, &layout);
	writer->totals.runs += field[TRACE_RUNS];
	dav2m_sim_join_begin(&writer->join, writer->run);
	writer->events = writer->event_after = 0;
	writer->block++;
	if (writer->block == 0) { /* after 2^48 runs: no slot is of this block */
		memset(writer->slot, 0, sizeof(writer->slot));
		writer->block = 1;
	}
	return block_put(writer, field, layout.end);
}

/* Answers the words of the event, or an error. */
static int event_write(struct dav2m_sim_trace_writer *writer, const uint64_t *word, size_t n)
{
	const enum dav2m_sim_event event = (enum dav2m_sim_event)(*word >> 2 & 0x3f);
	const uint32_t arguments = dav2m_sim_event_arguments(event);
	int rc;

	if ((unsigned)event >= DAV2M_SIM_EVENTS || arguments >= n ||
	    *word != dav2m_sim_event_word(event, arguments))
		return DAV2M_SIM_ERR_EVENT;
	if (writer->events + 2 + arguments > TRACE_BLOCK_RUNS) {
		rc = block_end(writer);
		if (rc != 0)
			return rc;
	}
	dav2m_sim_join_close(&writer->join);
	writer->event[writer->events++] = writer->join.used - writer->event_after;
	writer->event_after = (uint32_t)writer->join.used;
	memcpy(writer->event + writer->events, word, (1 + arguments) * sizeof(*word));
	writer->events += 1 + arguments;
	writer->totals.events++;
	return 0;
}

int dav2m_sim_trace_write(struct dav2m_sim_trace_writer *writer, const uint64_t *words, size_t n)
{
	size_t at;
	int rc;

	for (at = 0; at < n; at++) {
		if ((words[at] & 3) == DAV2M_SIM_EVENT) {
			rc = event_write(writer, words + at, n - at);
			at += words[at] >> 8 & 0xff;
		} else if (words[at] >> 16 >= DAV2M_SIM_VPN_MAX) {
			rc = DAV2M_SIM_ERR_ADDRESS;
		} else {
			dav2m_sim_join_reference(&writer->join, words[at]);
			rc = writer->join.used == TRACE_BLOCK_RUNS ? block_end(writer) : 0;
		}
		if (rc != 0)
			return rc;
	}
	return 0;
}

int dav2m_sim_trace_finish(struct dav2m_sim_trace_writer *writer,
			   struct dav2m_sim_trace_totals *ret_totals)
{
	const uint32_t end[TRACE_FIELDS] = {
		[TRACE_TAG] = TRACE_TAG_END, [TRACE_SYMBOLS] = TRACE_END_SYMBOLS};
	uint32_t field[TRACE_FIELDS];
	int rc = block_end(writer);

	if (rc != 0)
		return rc;
	memcpy(field, end, sizeof(field));
	writer->columns[0] = writer->totals.runs;
	writer->columns[1] = writer->totals.events;
	writer->columns[2] = writer->totals.data;
	writer->columns[3] = writer->totals.instructions;
	*ret_totals = writer->totals;
	return block_put(writer, field, TRACE_END_SYMBOLS * sizeof(uint64_t));
}
