/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds out what a file is and has it parsed. Must not know what a record looks like.
 */
#include "trace_input.h"

#include "input.h"

#include <dav2m/sim/sim.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const trace_format_names[TRACE_FORMATS] = {"auto", "dav2m", "lackey", "champsim",
						       "din"};

struct trace_input {
	struct input *input;
	enum trace_format format;
	const char *data; /* not parsed yet */
	size_t size;
	int ended; /* 1: the file; 2: the parser, too */
	struct dav2m_sim_trace_reader *reader;
	struct dav2m_sim_lackey lackey;
	struct dav2m_sim_champsim champsim;
	struct dav2m_sim_din din;
};

static int begins_with(const char *data, size_t size, const char *text)
{
	return size >= strlen(text) && memcmp(data, text, strlen(text)) == 0;
}

/* A record of 64 bytes with its two flags, and what no text has. */
static int is_champsim(const char *data, size_t size)
{
	return size >= DAV2M_SIM_CHAMPSIM_BYTES && (unsigned char)data[8] <= 1 &&
	       (unsigned char)data[9] <= 1 && memchr(data, '\0', DAV2M_SIM_CHAMPSIM_BYTES) != NULL;
}

static int is_lackey(const char *data, size_t size)
{
	static const char *const begins[] = {"==", "--", "**", "##", "I  ", " L ", " S ", " M "};
	size_t i;

	for (i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (begins_with(data, size, begins[i]))
			return 1;
	return 0;
}

/* By the first piece of content, which a compressed or piped file may cut short. */
static enum trace_format detect(const char *data, size_t size)
{
	if (begins_with(data, size, DAV2M_SIM_TRACE_MAGIC))
		return TRACE_FORMAT_DAV2M;
	if (is_champsim(data, size))
		return TRACE_FORMAT_CHAMPSIM;
	if (is_lackey(data, size))
		return TRACE_FORMAT_LACKEY;
	if (size >= 3 && data[0] >= '0' && data[0] <= '4' && (data[1] == ' ' || data[1] == '\t'))
		return TRACE_FORMAT_DIN;
	return TRACE_FORMAT_AUTO;
}

static int fail(struct dav2m_host_error *error, const struct trace_input *input, const char *text)
{
	snprintf(error->text, sizeof(error->text), "%.500s: %s", input_name(input->input), text);
	return DAV2M_HOST_FORMAT;
}

static int format_find(struct trace_input *input, enum trace_format format,
		       struct dav2m_host_error *error)
{
	const int rc = input_next(input->input, &input->data, &input->size, error);

	if (rc < 0)
		return rc;
	if (rc == 0) {
		input->size = 0;
		input->ended = 1;
	}
	input->format = format != TRACE_FORMAT_AUTO ? format : detect(input->data, input->size);
	if (input->format == TRACE_FORMAT_AUTO)
		return fail(error, input,
			    input->ended ? "is empty"
					 : "is no memory trace of a format that is known by its "
					   "first bytes; --input-format tells it");
	return 0;
}

int trace_input_open(const char *path, enum trace_format format, struct trace_input **ret_input,
		     struct dav2m_host_error *error)
{
	struct trace_input *input = calloc(1, sizeof(*input));
	int rc = DAV2M_HOST_MEMORY;

	snprintf(error->text, sizeof(error->text), "out of memory");
	if (input && dav2m_sim_trace_reader_new(&input->reader) == 0) {
		dav2m_sim_lackey_init(&input->lackey);
		dav2m_sim_champsim_init(&input->champsim);
		dav2m_sim_din_init(&input->din);
		rc = input_open(path, &input->input, error);
		if (!rc)
			rc = format_find(input, format, error);
	}
	if (rc) {
		trace_input_close(input);
		return rc;
	}
	*ret_input = input;
	return 0;
}

void trace_input_close(struct trace_input *input)
{
	if (!input)
		return;
	dav2m_sim_trace_reader_free(input->reader);
	input_close(input->input);
	free(input);
}

static int text_wrong(const struct trace_input *input, uint64_t line, uint32_t column,
		      const char *rule, struct dav2m_host_error *error)
{
	snprintf(error->text, sizeof(error->text), "%.500s:%" PRIu64 ":%" PRIu32 ": %s",
		 input_name(input->input), line, column, rule);
	return DAV2M_HOST_FORMAT;
}

static int trace_wrong(const struct trace_input *input, struct dav2m_host_error *error)
{
	uint64_t block, offset;
	const char *rule = dav2m_sim_trace_fault(input->reader, &block, &offset);

	snprintf(error->text, sizeof(error->text),
		 "%.500s: %s %" PRIu64 " (byte %" PRIu64 " of what is inside): %s",
		 input_name(input->input), block ? "block" : "header", block, offset, rule);
	return input->ended ? DAV2M_HOST_TRUNCATED : DAV2M_HOST_FORMAT;
}

/* Says what the parser found wrong. */
static int wrong(const struct trace_input *input, struct dav2m_host_error *error)
{
	switch (input->format) {
	case TRACE_FORMAT_LACKEY:
		return text_wrong(input, input->lackey.line, input->lackey.column,
				  input->lackey.rule, error);
	case TRACE_FORMAT_DIN:
		return text_wrong(input, input->din.line, input->din.column, input->din.rule,
				  error);
	case TRACE_FORMAT_CHAMPSIM:
		snprintf(error->text, sizeof(error->text), "%.500s: record %" PRIu64 ": %s",
			 input_name(input->input), input->champsim.record, input->champsim.rule);
		return DAV2M_HOST_FORMAT;
	case TRACE_FORMAT_DAV2M:
	case TRACE_FORMAT_AUTO:
		break;
	}
	return trace_wrong(input, error);
}

/* Parses what is there. */
static int feed(struct trace_input *input, uint64_t *words, size_t room, size_t *ret_used,
		size_t *ret_words)
{
	switch (input->format) {
	case TRACE_FORMAT_LACKEY:
		return dav2m_sim_lackey_feed(&input->lackey, input->data, input->size, words, room,
					     ret_used, ret_words);
	case TRACE_FORMAT_DIN:
		return dav2m_sim_din_feed(&input->din, input->data, input->size, words, room,
					  ret_used, ret_words);
	case TRACE_FORMAT_CHAMPSIM:
		return dav2m_sim_champsim_feed(&input->champsim, input->data, input->size, words,
					       room, ret_used, ret_words);
	case TRACE_FORMAT_DAV2M:
	case TRACE_FORMAT_AUTO:
		break;
	}
	return dav2m_sim_trace_feed(input->reader, input->data, input->size, words, room, ret_used,
				    ret_words);
}

/* Tells the parser that nothing follows. */
static int end(struct trace_input *input, uint64_t *words, size_t room, size_t *ret_words)
{
	input->ended = 2;
	switch (input->format) {
	case TRACE_FORMAT_LACKEY:
		return dav2m_sim_lackey_end(&input->lackey, words, room, ret_words);
	case TRACE_FORMAT_DIN:
		return dav2m_sim_din_end(&input->din, words, room, ret_words);
	case TRACE_FORMAT_CHAMPSIM:
		return dav2m_sim_champsim_end(&input->champsim);
	case TRACE_FORMAT_DAV2M:
	case TRACE_FORMAT_AUTO:
		break;
	}
	return dav2m_sim_trace_end(input->reader);
}

int trace_input_next(struct trace_input *input, uint64_t *words, size_t room, size_t *ret_words,
		     struct dav2m_host_error *error)
{
	size_t used;
	int rc;

	*ret_words = 0;
	while (*ret_words == 0 && input->ended < 2) {
		if (feed(input, words, room, &used, ret_words))
			return wrong(input, error);
		input->data += used;
		input->size -= used;
		if (*ret_words > 0 || input->size > 0)
			continue;
		rc = input->ended ? 0 : input_next(input->input, &input->data, &input->size, error);
		if (rc < 0)
			return rc;
		input->ended |= rc == 0;
		if (input->ended && end(input, words, room, ret_words))
			return wrong(input, error);
	}
	return 0;
}

int trace_input_has_processes(const struct trace_input *input)
{
	return input->format == TRACE_FORMAT_DAV2M;
}

enum trace_format trace_input_format(const struct trace_input *input)
{
	return input->format;
}

const char *trace_input_name(const struct trace_input *input)
{
	return input_name(input->input);
}

const struct dav2m_sim_trace_header *trace_input_header(const struct trace_input *input)
{
	return input->format == TRACE_FORMAT_DAV2M ? dav2m_sim_trace_header(input->reader) : NULL;
}

uint64_t trace_input_size(const struct trace_input *input)
{
	return input_size(input->input);
}

uint64_t trace_input_position(const struct trace_input *input)
{
	return input_position(input->input);
}
