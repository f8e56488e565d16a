/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads counter traces: cuts the content into lines and checks each against docs/counter-trace.md.
 *
 * Strict on purpose: a recording that is slightly wrong would give a decision that is slightly
 * wrong, and nobody would know. Every complaint names file, line and column.
 */
#include <dav2m/host/trace.h>

#include "error.h"
#include "trace_format.h"
#include "trace_header.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct dav2m_trace trace;
	struct dav2m_host_error *error;
	struct trace_header_parser header;
	size_t line;			    /* of the one being read, from 1 */
	size_t room;			    /* of trace.tick */
	unsigned int order[DAV2M_COUNTERS]; /* counter of each column */
	unsigned int columns;
	uint64_t sum[DAV2M_COUNTERS];
	size_t carried;			  /* bytes of a line whose end has not come yet */
	char carry[TRACE_LINE_BYTES - 1]; /* of a line, without its newline */
};

static int parser_fail(struct parser *p, size_t column, const char *rule)
{
	return dav2m_host_fail_at(p->error, DAV2M_HOST_FORMAT, p->trace.name, p->line, column, "%s",
				  rule);
}

/* The names of a column line, one after another. */
static int column_add(struct parser *p, const char *name, size_t length, size_t column)
{
	unsigned int c;

	for (c = 0; c < DAV2M_COUNTERS; c++) {
		const char *known = dav2m_counter_name((enum dav2m_counter)c);

		if (strlen(known) == length && !memcmp(known, name, length))
			break;
	}
	if (c == DAV2M_COUNTERS)
		return parser_fail(p, column,
				   "a column name must be one of progress, cycles, tlb_misses, "
				   "walk_cycles, paging_exits, paging_exit_cycles, tlb_flushes");
	if (p->trace.header.columns & DAV2M_BIT(c))
		return parser_fail(p, column, "a column may be named only once");
	p->trace.header.columns |= DAV2M_BIT(c);
	p->order[p->columns++] = c;
	return 0;
}

static int columns_parse(struct parser *p, const char *line, const char *end)
{
	const char *from = line;
	const char *comma;
	int rc = 0;

	while (!rc) {
		comma = memchr(from, ',', (size_t)(end - from));
		rc = column_add(p, from, (size_t)((comma ? comma : end) - from),
				(size_t)(from - line) + 1);
		if (!comma)
			break;
		from = comma + 1;
	}
	p->trace.first_line = p->line + 1;
	return rc;
}

static int tick_room(struct parser *p)
{
	struct dav2m_sample *tick;
	size_t room = p->room ? p->room * 2 : 1024;

	if (p->trace.ticks < p->room)
		return 0;
	tick = realloc(p->trace.tick, room * sizeof(*tick));
	if (!tick)
		return dav2m_host_fail_memory(p->error);
	p->trace.tick = tick;
	p->room = room;
	return 0;
}

static int cell_fail(struct parser *p, size_t column, unsigned int counter, const char *rule)
{
	return dav2m_host_fail_at(p->error, DAV2M_HOST_FORMAT, p->trace.name, p->line, column,
				  "%s %s", dav2m_counter_name((enum dav2m_counter)counter), rule);
}

static int value_add(struct parser *p, struct dav2m_sample *tick, unsigned int counter,
		     uint64_t value, size_t column)
{
	if (value > TRACE_VALUE_MAX)
		return cell_fail(p, column, counter, "must be at most 9223372036854775807");
	if (value > TRACE_VALUE_MAX - p->sum[counter])
		return cell_fail(p, column, counter,
				 "must sum to at most 9223372036854775807 over the trace");
	p->sum[counter] += value;
	tick->value[counter] = value;
	tick->valid |= DAV2M_BIT(counter);
	return 0;
}

/* Digits up to 19: one more would not fit 64 bits, and value_add() limits what 19 can say. */
static const char *digits_parse(const char *from, const char *end, uint64_t *ret_value)
{
	const char *at = from;
	uint64_t value = 0;

	while (at < end && *at >= '0' && *at <= '9' && at - from < 19)
		value = value * 10 + (uint64_t)(*at++ - '0');
	*ret_value = value;
	return at;
}

static int cells_count_fail(struct parser *p, size_t column, const char *what)
{
	return dav2m_host_fail_at(p->error, DAV2M_HOST_FORMAT, p->trace.name, p->line, column,
				  "the record has %s cells than the %u columns", what, p->columns);
}

/* What stands where a cell should have ended. */
static int cell_end_fail(struct parser *p, size_t column, unsigned int k, const char *from,
			 const char *at, const char *end)
{
	if (at == end)
		return cells_count_fail(p, column, "fewer");
	if (*at == ',')
		return cells_count_fail(p, column, "more");
	if (*at >= '0' && *at <= '9' && at > from)
		return cell_fail(p, column, p->order[k], "must be at most 9223372036854775807");
	return cell_fail(p, column, p->order[k],
			 "must be a whole number without sign or blanks, or nothing");
}

static int record_parse(struct parser *p, const char *line, const char *end)
{
	struct dav2m_sample *tick;
	const char *from = line;
	unsigned int k;
	int rc = tick_room(p);

	if (rc)
		return rc;
	tick = &p->trace.tick[p->trace.ticks];
	memset(tick, 0, sizeof(*tick));
	for (k = 0; k < p->columns; k++) {
		int last = k + 1 == p->columns;
		uint64_t value;
		const char *at = digits_parse(from, end, &value);

		if (last ? at != end : at == end || *at != ',')
			return cell_end_fail(p, (size_t)(at - line) + 1, k, from, at, end);
		if (at > from)
			rc = value_add(p, tick, p->order[k], value, (size_t)(from - line) + 1);
		if (rc)
			return rc;
		from = at + 1;
	}
	p->trace.ticks++;
	return 0;
}

static int line_parse(struct parser *p, const char *line, size_t length)
{
	const char *end = line + length;

	p->line++;
	if (end > line && end[-1] == '\r')
		end--;
	if (p->columns)
		return record_parse(p, line, end);
	if (p->line > 1 && (end == line || *line != '#')) {
		int rc = dav2m_trace_header_check(&p->header, p->trace.name, p->line, p->error);

		return rc ? rc : columns_parse(p, line, end);
	}
	return dav2m_trace_header_parse(&p->header, &p->trace.header, p->trace.name, p->line, line,
					end, p->error);
}

static int long_line_fail(struct parser *p)
{
	p->line++;
	return parser_fail(p, TRACE_LINE_BYTES, "a line must have at most 4096 bytes");
}

static int carry_append(struct parser *p, const char *data, size_t size)
{
	if (size > sizeof(p->carry) - p->carried)
		return long_line_fail(p);
	memcpy(p->carry + p->carried, data, size);
	p->carried += size;
	return 0;
}

/* A line of which an earlier piece held the beginning. */
static int carried_line_parse(struct parser *p, const char *data, size_t size)
{
	int rc = carry_append(p, data, size);

	if (!rc)
		rc = line_parse(p, p->carry, p->carried);
	p->carried = 0;
	return rc;
}

static int piece_parse(struct parser *p, const char *data, size_t size)
{
	const char *end = data + size;
	int rc = 0;

	while (!rc && data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		size_t length = (size_t)((newline ? newline : end) - data);

		if (!newline)
			return carry_append(p, data, length);
		if (p->carried)
			rc = carried_line_parse(p, data, length);
		else if (length >= TRACE_LINE_BYTES)
			rc = long_line_fail(p);
		else
			rc = line_parse(p, data, length);
		data = newline + 1;
	}
	return rc;
}

static int end_check(struct parser *p, uint32_t flags)
{
	p->line++;
	if (p->carried && !(flags & DAV2M_TRACE_ALLOW_TRUNCATED))
		return dav2m_host_fail_at(
			p->error, DAV2M_HOST_TRUNCATED, p->trace.name, p->line, p->carried + 1,
			"the file ends within this line: its writer was interrupted");
	if (!p->columns)
		return parser_fail(p, 0, "the file ends before the line that names the columns");
	if (!p->trace.ticks)
		return parser_fail(p, 0, "the file ends before the first record");
	p->trace.truncated = p->carried != 0;
	return 0;
}

static int pieces_parse(struct parser *p, const struct dav2m_trace_source *source)
{
	const char *data;
	size_t size;
	int rc;

	while ((rc = source->next(source->context, &data, &size, p->error)) > 0) {
		rc = piece_parse(p, data, size);
		if (rc)
			return rc;
	}
	return rc;
}

int dav2m_trace_read(const struct dav2m_trace_source *source, uint32_t flags,
		     struct dav2m_trace *ret_trace, struct dav2m_host_error *error)
{
	struct parser *p;
	int rc;

	if (!source || !source->name || !source->next || !ret_trace)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "dav2m_trace_read: NULL argument");
	p = calloc(1, sizeof(*p));
	if (!p)
		return dav2m_host_fail_memory(error);
	p->error = error;
	p->trace.name = strdup(source->name);
	rc = p->trace.name ? pieces_parse(p, source) : dav2m_host_fail_memory(error);
	if (!rc)
		rc = end_check(p, flags);
	if (rc)
		dav2m_trace_free(&p->trace);
	else
		*ret_trace = p->trace;
	free(p);
	return rc;
}

struct plain_file {
	const char *path;
	FILE *file;
	char buffer[65536];
};

static int plain_file_next(void *context, const char **ret_data, size_t *ret_size,
			   struct dav2m_host_error *error)
{
	struct plain_file *plain = context;

	*ret_size = fread(plain->buffer, 1, sizeof(plain->buffer), plain->file);
	*ret_data = plain->buffer;
	if (ferror(plain->file))
		return dav2m_host_fail_at(error, DAV2M_HOST_IO, plain->path, 0, 0,
					  "cannot read: %s", strerror(errno));
	return *ret_size > 0;
}

int dav2m_trace_load(const char *path, uint32_t flags, struct dav2m_trace *ret_trace,
		     struct dav2m_host_error *error)
{
	struct plain_file plain = {.path = path};
	struct dav2m_trace_source source = {path, plain_file_next, &plain};
	int rc;

	if (!path)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "dav2m_trace_load: NULL argument");
	plain.file = fopen(path, "re");
	if (!plain.file)
		return dav2m_host_fail_at(error, DAV2M_HOST_IO, path, 0, 0, "cannot open: %s",
					  strerror(errno));
	rc = dav2m_trace_read(&source, flags, ret_trace, error);
	fclose(plain.file);
	return rc;
}
