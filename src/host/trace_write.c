/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes counter traces, record by record, into a file that gets its name when it is whole.
 *
 * Records are collected in a buffer and handed over in whole lines only, so that whoever reads
 * the part file of a killed recorder finds at most one incomplete line, the last.
 */
#include <dav2m/host/output.h>
#include <dav2m/host/trace.h>

#include "error.h"
#include "trace_format.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Large enough that write(2) costs nothing per record, small enough to lose little. */
#define BUFFER_BYTES 65536

/* Longest record: each value has at most 19 digits and a comma or newline. */
#define RECORD_BYTES ((size_t)DAV2M_COUNTERS * 20)

struct dav2m_trace_writer {
	struct dav2m_output *output;
	uint32_t columns;
	uint32_t based; /* DAV2M_BIT of each counter that base holds */
	int begun;	/* dav2m_trace_writer_sample() has a base */
	uint64_t base[DAV2M_COUNTERS];
	uint64_t records; /* so far; of these, and in bytes, what flush has handed over: */
	uint64_t flushed_records;
	uint64_t flushed_bytes;
	size_t used;
	char buffer[BUFFER_BYTES];
};

static int header_check(const struct dav2m_trace_header *header, struct dav2m_host_error *error)
{
	if ((unsigned int)header->mode >= DAV2M_TRACE_MODES)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "a trace header's mode is unknown");
	if (!header->columns || (header->columns & ~DAV2M_ALL_COUNTERS))
		return dav2m_host_fail(
			error, DAV2M_HOST_ARGUMENT,
			"a trace header's columns must be one or more of the counters");
	if (!header->progress_unit[0])
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "a trace header must say what its progress counts");
	return 0;
}

static void put_format(struct dav2m_trace_writer *writer, const char *format, ...)
	HOST_PRINTF(2, 3);

/* Only for the header, which is far smaller than the buffer. */
static void put_format(struct dav2m_trace_writer *writer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	writer->used += (size_t)vsnprintf(writer->buffer + writer->used,
					  sizeof(writer->buffer) - writer->used, format, args);
	va_end(args);
}

/* One line: control characters, and blanks at the ends, would not survive the reader. */
static void put_text(struct dav2m_trace_writer *writer, const char *key, const char *text)
{
	size_t length = strnlen(text, DAV2M_TRACE_TEXT - 1);
	size_t i;

	while (length && (unsigned char)text[length - 1] <= ' ')
		length--;
	while (length && (unsigned char)*text <= ' ') {
		text++;
		length--;
	}
	if (!length)
		return;
	put_format(writer, "# %s: ", key);
	for (i = 0; i < length; i++)
		writer->buffer[writer->used++] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
	writer->buffer[writer->used++] = '\n';
}

static void put_header(struct dav2m_trace_writer *writer, const struct dav2m_trace_header *header)
{
	unsigned int mode;

	put_format(writer, "%s%d\n", TRACE_MAGIC, DAV2M_TRACE_VERSION);
	put_text(writer, KEY_PROGRAM, header->program);
	put_text(writer, KEY_MODE, dav2m_trace_mode_name(header->mode));
	put_text(writer, KEY_PROGRESS_UNIT, header->progress_unit);
	if (header->interrupted)
		put_text(writer, KEY_INTERRUPTED, "yes");
	if (header->tick_progress)
		put_format(writer, "# %s: %" PRIu64 "\n", KEY_TICK_PROGRESS, header->tick_progress);
	for (mode = 0; mode < DAV2M_MODES; mode++)
		if (header->switch_known & DAV2M_BIT(mode))
			put_format(writer, "# %s: %" PRIu64 "\n", dav2m_trace_switch_key[mode],
				   header->switch_cycles[mode]);
	put_text(writer, KEY_NOTE, header->note);
}

static void put_columns(struct dav2m_trace_writer *writer)
{
	const char *comma = "";
	enum dav2m_counter c;

	for (c = 0; c < DAV2M_COUNTERS; c++)
		if (writer->columns & DAV2M_BIT(c)) {
			put_format(writer, "%s%s", comma, dav2m_counter_name(c));
			comma = ",";
		}
	put_format(writer, "\n");
}

int dav2m_trace_writer_open(const char *path, const struct dav2m_trace_header *header,
			    struct dav2m_trace_writer **ret_writer, struct dav2m_host_error *error)
{
	struct dav2m_trace_writer *writer;
	int rc;

	if (!path || !header || !ret_writer)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "dav2m_trace_writer_open: NULL argument");
	rc = header_check(header, error);
	if (rc)
		return rc;
	writer = calloc(1, sizeof(*writer));
	if (!writer)
		return dav2m_host_fail_memory(error);
	rc = dav2m_output_open(path, &writer->output, error);
	if (rc) {
		free(writer);
		return rc;
	}
	writer->columns = header->columns;
	put_header(writer, header);
	put_columns(writer);
	*ret_writer = writer;
	return 0;
}

/* Decimal digits; printf would be most of the cost of a record. */
static char *number_write(char *to, uint64_t value)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (n)
		*to++ = digits[--n];
	return to;
}

static int increments_check(const struct dav2m_trace_writer *writer,
			    const struct dav2m_sample *increments, struct dav2m_host_error *error)
{
	enum dav2m_counter c;

	for (c = 0; c < DAV2M_COUNTERS; c++)
		if ((writer->columns & increments->valid & DAV2M_BIT(c)) &&
		    increments->value[c] > TRACE_VALUE_MAX)
			return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
					       "an increment of %s is above %" PRIu64,
					       dav2m_counter_name(c), (uint64_t)TRACE_VALUE_MAX);
	return 0;
}

int dav2m_trace_writer_append(struct dav2m_trace_writer *writer,
			      const struct dav2m_sample *increments, struct dav2m_host_error *error)
{
	char *to;
	enum dav2m_counter c;
	int rc;

	if (!writer || !increments)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "dav2m_trace_writer_append: NULL argument");
	rc = increments_check(writer, increments, error);
	if (!rc && writer->used + RECORD_BYTES > sizeof(writer->buffer))
		rc = dav2m_trace_writer_flush(writer, error);
	if (rc)
		return rc;
	to = writer->buffer + writer->used;
	for (c = 0; c < DAV2M_COUNTERS; c++) {
		if (!(writer->columns & DAV2M_BIT(c)))
			continue;
		if (increments->valid & DAV2M_BIT(c))
			to = number_write(to, increments->value[c]);
		*to++ = ',';
	}
	to[-1] = '\n';
	writer->used = (size_t)(to - writer->buffer);
	writer->records++;
	return 0;
}

/* Moves the base to cumulative and answers what lies between, as far as it is known. */
static struct dav2m_sample base_advance(struct dav2m_trace_writer *writer,
					const struct dav2m_sample *cumulative)
{
	struct dav2m_sample increments = {.valid = 0};
	enum dav2m_counter c;

	for (c = 0; c < DAV2M_COUNTERS; c++) {
		if (!(cumulative->valid & DAV2M_BIT(c)))
			continue;
		if ((writer->based & DAV2M_BIT(c)) && cumulative->value[c] >= writer->base[c]) {
			increments.value[c] = cumulative->value[c] - writer->base[c];
			increments.valid |= DAV2M_BIT(c);
		}
		writer->base[c] = cumulative->value[c];
		writer->based |= DAV2M_BIT(c);
	}
	return increments;
}

int dav2m_trace_writer_sample(struct dav2m_trace_writer *writer,
			      const struct dav2m_sample *cumulative, struct dav2m_host_error *error)
{
	struct dav2m_sample increments;
	int begun;

	if (!writer || !cumulative)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "dav2m_trace_writer_sample: NULL argument");
	increments = base_advance(writer, cumulative);
	begun = writer->begun;
	writer->begun = 1;
	return begun ? dav2m_trace_writer_append(writer, &increments, error) : 0;
}

int dav2m_trace_writer_flush(struct dav2m_trace_writer *writer, struct dav2m_host_error *error)
{
	int rc;

	if (!writer)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "dav2m_trace_writer_flush: NULL argument");
	rc = dav2m_output_write(writer->output, writer->buffer, writer->used, error);
	if (rc)
		return rc;
	writer->flushed_records = writer->records;
	writer->flushed_bytes += writer->used;
	writer->used = 0;
	return 0;
}

int dav2m_trace_writer_close(struct dav2m_trace_writer *writer, struct dav2m_host_error *error)
{
	int rc = dav2m_trace_writer_flush(writer, error);

	if (!writer)
		return rc;
	if (rc)
		dav2m_output_abort(writer->output);
	else
		rc = dav2m_output_commit(writer->output, error);
	free(writer);
	return rc;
}

int dav2m_trace_writer_keep(struct dav2m_trace_writer *writer, uint64_t *ret_records,
			    struct dav2m_host_error *error)
{
	int rc = 0;

	if (!writer || !ret_records)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "dav2m_trace_writer_keep: NULL argument");
	*ret_records = writer->flushed_records;
	if (writer->flushed_records)
		rc = dav2m_output_keep(writer->output, writer->flushed_bytes, error);
	else
		dav2m_output_abort(writer->output);
	free(writer);
	return rc;
}

void dav2m_trace_writer_abort(struct dav2m_trace_writer *writer)
{
	if (!writer)
		return;
	dav2m_output_abort(writer->output);
	free(writer);
}
