/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of memory traces: collects a block, checks all of it, then hands out its words. A word
 * is therefore good when it is handed out. Must not read anything but what it is fed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "trace_format.h"

#include <dav2m/sim/run.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "traces are read as they lie in memory");

enum state { IN_HEADER, IN_HEAD, IN_COLUMNS, EMITTING, ENDED, FAULTY };

struct dav2m_sim_trace_reader {
	enum state state;
	size_t held; /* bytes of what is being collected */
	uint64_t block;
	uint64_t offset;     /* of the block's, or the header line's, first byte */
	uint64_t taken;	     /* bytes, in all */
	const char *rule;    /* what is wrong, or NULL */
	uint32_t at;	     /* runs of the block that are handed out */
	uint32_t long_at;    /* longs that are used up */
	uint32_t event_at;   /* words of events that are used up */
	uint32_t next_event; /* runs before the next event; runs when there is none */
	struct trace_layout layout;
	uint32_t field[TRACE_FIELDS];
	struct dav2m_sim_trace_totals totals;
	struct dav2m_sim_trace_header header;
	struct trace_crc crc;
	char text[TRACE_HEADER_BYTES];
	uint64_t symbol[TRACE_BLOCK_RUNS]; /* a copy that no index can leave */
	uint64_t columns[TRACE_COLUMN_BYTES / sizeof(uint64_t)];
};

int dav2m_sim_trace_reader_new(struct dav2m_sim_trace_reader **ret_reader)
{
	struct dav2m_sim_trace_reader *reader;

	if (ret_reader == NULL)
		return DAV2M_SIM_ERR_NULL;
	reader = calloc(1, sizeof(*reader));
	if (reader == NULL)
		return DAV2M_SIM_ERR_MEMORY;
	trace_crc_init(&reader->crc);
	*ret_reader = reader;
	return 0;
}

void dav2m_sim_trace_reader_free(struct dav2m_sim_trace_reader *reader)
{
	free(reader);
}

static int wrong(struct dav2m_sim_trace_reader *reader, const char *rule)
{
	reader->state = FAULTY;
	reader->rule = rule;
	return -1;
}

/* The text that a header's line gives to a key, or NULL. */
static const char *value_of(const char *line, const char *key)
{
	const size_t length = strlen(key);

	return strncmp(line, key, length) == 0 && strncmp(line + length, ": ", 2) == 0
		       ? line + length + 2
		       : NULL;
}

/* A line after the first, its newline taken off. */
static int header_line(struct dav2m_sim_trace_reader *reader, const char *line)
{
	struct dav2m_sim_trace_header *header = &reader->header;
	const char *value;

	if (strlen(line) >= DAV2M_SIM_TRACE_TEXT)
		return wrong(reader, "a header line must have less than 1024 characters");
	if ((value = value_of(line, "program")) != NULL)
		snprintf(header->program, sizeof(header->program), "%s", value);
	else if ((value = value_of(line, "recorder")) != NULL)
		snprintf(header->recorder, sizeof(header->recorder), "%s", value);
	else if ((value = value_of(line, "page_bytes")) != NULL && strcmp(value, "4096") != 0)
		return wrong(reader, "page_bytes must be 4096");
	else if (value == NULL)
		return wrong(reader, "a header line must be one of program, recorder, page_bytes");
	return 0;
}

/* The whole header, its empty line taken off. */
static int header_read(struct dav2m_sim_trace_reader *reader)
{
	static const char first[] = DAV2M_SIM_TRACE_MAGIC "1";
	char *line = reader->text, *end;

	for (; line != NULL; line = end) {
		reader->offset = (uint64_t)(line - reader->text);
		end = strchr(line, '\n');
		if (end != NULL)
			*end++ = '\0';
		if (line == reader->text && strcmp(line, first) != 0)
			return wrong(reader, "this version of the format is not known, only 1 is");
		if (line != reader->text && header_line(reader, line) < 0)
			return -1;
	}
	reader->state = IN_HEAD;
	return 0;
}

/* Whether what is held can still be the beginning of a trace. */
static int magic_fits(const struct dav2m_sim_trace_reader *reader)
{
	static const char magic[] = DAV2M_SIM_TRACE_MAGIC;
	const size_t n = reader->held < sizeof(magic) - 1 ? reader->held : sizeof(magic) - 1;

	return memcmp(reader->text, magic, n) == 0;
}

static int header_feed(struct dav2m_sim_trace_reader *reader, const char *data, size_t size,
		       size_t *ret_used)
{
	size_t at;

	for (at = 0; at < size && reader->state == IN_HEADER; at++) {
		if (reader->held == sizeof(reader->text) || data[at] == '\0')
			return wrong(reader,
				     "the header must have at most 8192 characters, none a NUL");
		reader->text[reader->held++] = data[at];
		if (!magic_fits(reader))
			return wrong(reader, "a trace must begin with \"dav2m memory trace \"");
		if (reader->held < 2 || memcmp(reader->text + reader->held - 2, "\n\n", 2) != 0)
			continue;
		reader->text[reader->held - 2] = '\0';
		reader->held = 0;
		if (header_read(reader) < 0)
			return -1;
	}
	*ret_used += at;
	return 0;
}

/* Collects bytes until there are need of them; answers whether there are. */
static int collect(struct dav2m_sim_trace_reader *reader, void *to, size_t need, const char *data,
		   size_t size, size_t *ret_used)
{
	const size_t left = need - reader->held;
	const size_t n = size - *ret_used < left ? size - *ret_used : left;

	if (n > 0)
		memcpy((char *)to + reader->held, data + *ret_used, n);
	reader->held += n;
	*ret_used += n;
	return reader->held == need;
}

static int head_check(struct dav2m_sim_trace_reader *reader)
{
	const uint32_t *field = reader->field;

	if (field[TRACE_TAG] == TRACE_TAG_END) {
		if (field[TRACE_RUNS] != 0 || field[TRACE_SYMBOLS] != TRACE_END_SYMBOLS ||
		    field[TRACE_LONGS] != 0 || field[TRACE_EVENTS] != 0)
			return wrong(reader, "the end must be made of four totals");
	} else if (field[TRACE_TAG] != TRACE_TAG_RUNS) {
		return wrong(reader, "a block must begin with RUNS or ENDS");
	} else if (field[TRACE_RUNS] > TRACE_BLOCK_RUNS ||
		   field[TRACE_SYMBOLS] > field[TRACE_RUNS] ||
		   field[TRACE_LONGS] > field[TRACE_RUNS] ||
		   field[TRACE_EVENTS] > TRACE_BLOCK_RUNS) {
		return wrong(reader,
			     "a block must have at most 65536 runs and words of events, and no "
			     "more symbols and longs than runs");
	}
	trace_layout(field, &reader->layout);
	reader->held = 0;
	reader->state = IN_COLUMNS;
	return 0;
}

static int end_check(struct dav2m_sim_trace_reader *reader)
{
	const struct dav2m_sim_trace_totals *totals = &reader->totals;
	const uint64_t seen[TRACE_END_SYMBOLS] = {totals->runs, totals->events, totals->data,
						  totals->instructions};

	if (memcmp(reader->columns, seen, sizeof(seen)) != 0)
		return wrong(reader, "the totals at the end differ from the blocks before it");
	reader->state = ENDED;
	return 0;
}

static int symbols_check(struct dav2m_sim_trace_reader *reader)
{
	const uint32_t n = reader->field[TRACE_SYMBOLS];
	uint32_t i;

	for (i = 0; i < n; i++) {
		const uint64_t symbol = reader->columns[i];

		if ((symbol & 3) == DAV2M_SIM_EVENT || (symbol >> 2 & DAV2M_SIM_RUN_MAX) != 0 ||
		    symbol >> 16 >= DAV2M_SIM_VPN_MAX)
			return wrong(reader, "a symbol must be a reference with count 0");
		reader->symbol[i] = symbol;
	}
	return 0;
}

static int indexes_check(struct dav2m_sim_trace_reader *reader)
{
	const uint8_t *column = (const uint8_t *)reader->columns + reader->layout.index;
	const uint32_t n = reader->field[TRACE_RUNS];
	uint16_t wide;
	uint32_t i, max = 0;

	if (reader->field[TRACE_SYMBOLS] <= TRACE_BYTE_SYMBOLS)
		for (i = 0; i < n; i++)
			max = column[i] > max ? column[i] : max;
	else
		for (i = 0; i < n; i++) {
			memcpy(&wide, column + 2 * (size_t)i, 2);
			max = wide > max ? wide : max;
		}
	return n > 0 && max >= reader->field[TRACE_SYMBOLS]
		       ? wrong(reader, "an index must be that of a symbol")
		       : 0;
}

static int longs_check(struct dav2m_sim_trace_reader *reader)
{
	const uint8_t *base = (const uint8_t *)reader->columns;
	const uint8_t *count = base + reader->layout.count;
	uint32_t i, n = 0;
	uint16_t value;

	for (i = 0; i < reader->field[TRACE_RUNS]; i++)
		n += count[i] == TRACE_LONG;
	if (n != reader->field[TRACE_LONGS])
		return wrong(reader, "there must be one long for each count of 255");
	for (i = 0; i < n; i++) {
		memcpy(&value, base + reader->layout.longs + 2 * (size_t)i, 2);
		if (value < TRACE_LONG || value > DAV2M_SIM_RUN_MAX)
			return wrong(reader, "a long must be in [255, 16383]");
	}
	return 0;
}

static const uint64_t *events_of(const struct dav2m_sim_trace_reader *reader)
{
	return reader->columns + reader->layout.events / sizeof(uint64_t);
}

static int events_check(struct dav2m_sim_trace_reader *reader)
{
	const uint64_t *word = events_of(reader);
	const uint32_t n = reader->field[TRACE_EVENTS];
	uint64_t runs = 0;
	uint32_t at = 0;

	while (at < n) {
		const uint64_t event = n - at < 2 ? UINT64_MAX : word[at + 1] >> 2;
		const uint32_t arguments =
			dav2m_sim_event_arguments((enum dav2m_sim_event)(event & 0x3f));

		if (event == UINT64_MAX || (event & 0x3f) >= DAV2M_SIM_EVENTS ||
		    word[at + 1] !=
			    dav2m_sim_event_word((enum dav2m_sim_event)(event & 0x3f), arguments) ||
		    n - at < 2 + arguments)
			return wrong(reader,
				     "an event must be known, and have all of its arguments");
		if (word[at] > reader->field[TRACE_RUNS] - runs)
			return wrong(reader, "an event must stand among the runs of its block");
		runs += word[at];
		at += 2 + arguments;
	}
	return 0;
}

/* Runs before the event that comes next. */
static void event_find(struct dav2m_sim_trace_reader *reader)
{
	reader->next_event = reader->event_at < reader->field[TRACE_EVENTS]
				     ? reader->at + (uint32_t)events_of(reader)[reader->event_at]
				     : reader->field[TRACE_RUNS];
}

static int columns_check(struct dav2m_sim_trace_reader *reader)
{
	if (reader->field[TRACE_CHECK] !=
	    trace_check(&reader->crc, reader->field, reader->columns, reader->layout.end))
		return wrong(reader, "a block's checksum differs from its content");
	if (reader->field[TRACE_TAG] == TRACE_TAG_END)
		return end_check(reader);
	if (symbols_check(reader) < 0 || indexes_check(reader) < 0 || longs_check(reader) < 0 ||
	    events_check(reader) < 0)
		return -1;
	reader->state = EMITTING;
	reader->at = reader->long_at = reader->event_at = 0;
	event_find(reader);
	return 0;
}

/* Runs [at, at + n) of the block, the long ones not yet right. */
static void runs_look_up(const struct dav2m_sim_trace_reader *reader, uint64_t *words, uint32_t n)
{
	const uint8_t *base = (const uint8_t *)reader->columns;
	const uint8_t *count = base + reader->layout.count + reader->at;
	const uint8_t *index = base + reader->layout.index;
	uint16_t wide;
	uint32_t i;

	if (reader->field[TRACE_SYMBOLS] <= TRACE_BYTE_SYMBOLS)
		for (i = 0, index += reader->at; i < n; i++)
			words[i] = reader->symbol[index[i]] | (uint64_t)count[i] << 2;
	else
		for (i = 0, index += 2 * (size_t)reader->at; i < n; i++) {
			memcpy(&wide, index + 2 * (size_t)i, 2);
			words[i] = reader->symbol[wide] | (uint64_t)count[i] << 2;
		}
}

static void longs_put(struct dav2m_sim_trace_reader *reader, uint64_t *words, uint32_t n)
{
	const uint8_t *base = (const uint8_t *)reader->columns;
	const uint8_t *count = base + reader->layout.count + reader->at;
	const uint8_t *hit = count;
	uint16_t value;

	while (reader->long_at < reader->field[TRACE_LONGS] &&
	       (hit = memchr(hit, TRACE_LONG, n - (size_t)(hit - count))) != NULL) {
		memcpy(&value, base + reader->layout.longs + 2 * (size_t)reader->long_at++, 2);
		words[hit - count] =
			(words[hit - count] & ~((uint64_t)TRACE_LONG << 2)) | (uint64_t)value << 2;
		hit++;
	}
}

static void runs_emit(struct dav2m_sim_trace_reader *reader, uint64_t *words, uint32_t n)
{
	uint64_t all = 0, code = 0;
	uint32_t i;

	runs_look_up(reader, words, n);
	longs_put(reader, words, n);
	for (i = 0; i < n; i++) {
		const uint64_t count = words[i] >> 2 & DAV2M_SIM_RUN_MAX;

		all += count;
		code += (words[i] & 3) == DAV2M_SIM_FETCH ? count : 0;
	}
	reader->totals.runs += n;
	reader->totals.data += all - code;
	reader->totals.instructions += code;
	reader->at += n;
}

/* Hands out as much of the block as there is room for. */
static void emit(struct dav2m_sim_trace_reader *reader, uint64_t *words, size_t room,
		 size_t *ret_words)
{
	while (reader->state == EMITTING && *ret_words + DAV2M_SIM_ARGUMENTS < room) {
		const size_t left = room - *ret_words;
		const uint32_t runs = reader->next_event - reader->at;
		const uint32_t n = runs < left ? runs : (uint32_t)left;

		if (n > 0) {
			runs_emit(reader, words + *ret_words, n);
			*ret_words += n;
		} else if (reader->event_at < reader->field[TRACE_EVENTS]) {
			const uint64_t *word = events_of(reader) + reader->event_at + 1;
			const uint32_t size = 1 + (uint32_t)(*word >> 8 & 0xff);

			memcpy(words + *ret_words, word, size * sizeof(*word));
			*ret_words += size;
			reader->event_at += 1 + size;
			reader->totals.events++;
			event_find(reader);
		} else {
			reader->state = IN_HEAD;
		}
	}
}

/* Goes on by one part of a block; answers whether there may be more to do, or -1. */
static int step(struct dav2m_sim_trace_reader *reader, const char *data, size_t size,
		size_t *ret_used)
{
	switch (reader->state) {
	case IN_HEADER:
		return header_feed(reader, data, size, ret_used) < 0 ? -1 : *ret_used < size;
	case IN_HEAD:
		if (reader->held == 0 && *ret_used < size) {
			reader->block++;
			reader->offset = reader->taken + *ret_used;
		}
		if (!collect(reader, reader->field, TRACE_HEAD_BYTES, data, size, ret_used))
			return 0;
		return head_check(reader) < 0 ? -1 : 1;
	case IN_COLUMNS:
		if (!collect(reader, reader->columns, reader->layout.end, data, size, ret_used))
			return 0;
		reader->held = 0;
		return columns_check(reader) < 0 ? -1 : 1;
	case ENDED:
		return *ret_used < size ? wrong(reader, "nothing may follow the end") : 0;
	case FAULTY:
		return -1;
	case EMITTING:
		break;
	}
	return 0;
}

int dav2m_sim_trace_feed(struct dav2m_sim_trace_reader *reader, const void *data, size_t size,
			 uint64_t *words, size_t room, size_t *ret_used, size_t *ret_words)
{
	int more = 1;

	*ret_used = 0;
	*ret_words = 0;
	while (more > 0) {
		emit(reader, words, room, ret_words);
		more = step(reader, data, size, ret_used);
	}
	reader->taken += *ret_used;
	return more;
}

int dav2m_sim_trace_end(struct dav2m_sim_trace_reader *reader)
{
	if (reader->state == ENDED)
		return 0;
	return reader->state == FAULTY
		       ? -1
		       : wrong(reader, "a trace must be whole: this one is cut off");
}

const char *dav2m_sim_trace_fault(const struct dav2m_sim_trace_reader *reader, uint64_t *ret_block,
				  uint64_t *ret_offset)
{
	*ret_block = reader->block;
	*ret_offset = reader->offset;
	return reader->rule;
}

const struct dav2m_sim_trace_header *
dav2m_sim_trace_header(const struct dav2m_sim_trace_reader *reader)
{
	const int in_header =
		reader->state == IN_HEADER || (reader->state == FAULTY && reader->block == 0);

	return in_header ? NULL : &reader->header;
}

void dav2m_sim_trace_totals(const struct dav2m_sim_trace_reader *reader,
			    struct dav2m_sim_trace_totals *ret_totals)
{
	*ret_totals = reader->totals;
}
