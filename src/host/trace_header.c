/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the header lines of a counter trace: "# key: value", each key known and only once.
 */
#include "trace_header.h"

#include "error.h"
#include "trace_format.h"

#include <string.h>

/* A piece of a line, and where it stands. */
struct span {
	const char *text;
	size_t length;
	size_t column;
};

struct place {
	const char *name;
	size_t line;
	struct dav2m_host_error *error;
};

enum key {
	K_MODE,
	K_PROGRESS_UNIT,
	K_PROGRAM,
	K_NOTE,
	K_INTERRUPTED,
	K_TICK_PROGRESS,
	K_TO_SHADOW,
	K_TO_NESTED
};
#define KEYS 8

static const char *key_name(enum key key)
{
	static const char *const name[KEYS] = {
		[K_MODE] = KEY_MODE,
		[K_PROGRESS_UNIT] = KEY_PROGRESS_UNIT,
		[K_PROGRAM] = KEY_PROGRAM,
		[K_NOTE] = KEY_NOTE,
		[K_INTERRUPTED] = KEY_INTERRUPTED,
		[K_TICK_PROGRESS] = KEY_TICK_PROGRESS,
	};

	if (key == K_TO_SHADOW || key == K_TO_NESTED)
		return dav2m_trace_switch_key[key == K_TO_SHADOW ? DAV2M_SHADOW : DAV2M_NESTED];
	return name[key];
}

static int place_fail(const struct place *place, size_t column, const char *rule)
{
	return dav2m_host_fail_at(place->error, DAV2M_HOST_FORMAT, place->name, place->line, column,
				  "%s", rule);
}

static int value_fail(const struct place *place, const struct span *value, enum key key,
		      const char *rule)
{
	return dav2m_host_fail_at(place->error, DAV2M_HOST_FORMAT, place->name, place->line,
				  value->column, "%s %s", key_name(key), rule);
}

static int span_is(const struct span *span, const char *text)
{
	return span->length == strlen(text) && !strncmp(span->text, text, span->length);
}

static int magic_parse(const struct place *place, const char *line, const char *end)
{
	size_t magic = strlen(TRACE_MAGIC);
	struct span first = {line, (size_t)(end - line), 1};

	if (first.length > magic)
		first.length = magic;
	if (!span_is(&first, TRACE_MAGIC))
		return place_fail(place, 1,
				  "not a counter trace: the first line must be '" TRACE_MAGIC "1'");
	if (end - line != (ptrdiff_t)magic + 1 || line[magic] != '0' + DAV2M_TRACE_VERSION)
		return place_fail(place, magic + 1,
				  "this version of the format is not known, only version 1");
	return 0;
}

static int mode_parse(const struct place *place, const struct span *value,
		      struct dav2m_trace_header *header)
{
	unsigned int mode;

	for (mode = 0; mode < DAV2M_TRACE_MODES; mode++)
		if (span_is(value, dav2m_trace_mode_name((enum dav2m_trace_mode)mode))) {
			header->mode = (enum dav2m_trace_mode)mode;
			return 0;
		}
	return value_fail(place, value, K_MODE, "must be shadow, nested, native or adaptive");
}

static int text_parse(const struct place *place, const struct span *value, enum key key, char *to)
{
	if (value->length >= DAV2M_TRACE_TEXT)
		return value_fail(place, value, key, "must have at most 511 bytes");
	if (memchr(value->text, 0, value->length))
		return value_fail(place, value, key, "must not hold a zero byte");
	memcpy(to, value->text, value->length);
	to[value->length] = 0;
	return 0;
}

static int interrupted_parse(const struct place *place, const struct span *value,
			     struct dav2m_trace_header *header)
{
	header->interrupted = span_is(value, "yes");
	if (header->interrupted || span_is(value, "no"))
		return 0;
	return value_fail(place, value, K_INTERRUPTED, "must be yes or no");
}

static int number_parse(const struct place *place, const struct span *value, enum key key,
			uint64_t min, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t i;

	for (i = 0; i < value->length; i++) {
		if (value->text[i] < '0' || value->text[i] > '9' || i == 19)
			break;
		number = number * 10 + (uint64_t)(value->text[i] - '0');
	}
	if (i < value->length || number < min || number > TRACE_VALUE_MAX)
		return value_fail(place, value, key,
				  min ? "must be a whole number in [1, 9223372036854775807]"
				      : "must be a whole number in [0, 9223372036854775807]");
	*ret_number = number;
	return 0;
}

static int cost_parse(const struct place *place, const struct span *value, enum key key,
		      enum dav2m_mode to, struct dav2m_trace_header *header)
{
	header->switch_known |= DAV2M_BIT(to);
	return number_parse(place, value, key, 0, &header->switch_cycles[to]);
}

static int value_parse(const struct place *place, enum key key, const struct span *value,
		       struct dav2m_trace_header *header)
{
	switch (key) {
	case K_MODE:
		return mode_parse(place, value, header);
	case K_PROGRESS_UNIT:
		return text_parse(place, value, key, header->progress_unit);
	case K_PROGRAM:
		return text_parse(place, value, key, header->program);
	case K_NOTE:
		return text_parse(place, value, key, header->note);
	case K_INTERRUPTED:
		return interrupted_parse(place, value, header);
	case K_TICK_PROGRESS:
		return number_parse(place, value, key, 1, &header->tick_progress);
	case K_TO_SHADOW:
		return cost_parse(place, value, key, DAV2M_SHADOW, header);
	case K_TO_NESTED:
		return cost_parse(place, value, key, DAV2M_NESTED, header);
	}
	return 0;
}

/* Splits "# key: value". */
static int line_split(const struct place *place, const char *line, const char *end,
		      struct span *ret_key, struct span *ret_value)
{
	const char *colon = memchr(line, ':', (size_t)(end - line));

	if (end - line < 2 || line[1] != ' ' || !colon || colon < line + 3)
		return place_fail(place, 1, "a header line must be '# key: value'");
	if (end - colon < 3 || colon[1] != ' ')
		return place_fail(place, (size_t)(colon - line) + 2,
				  "a header line must have a blank and a value after its colon");
	*ret_key = (struct span){line + 2, (size_t)(colon - line) - 2, 3};
	*ret_value =
		(struct span){colon + 2, (size_t)(end - colon) - 2, (size_t)(colon - line) + 3};
	return 0;
}

static int key_find(const struct place *place, const struct span *span, enum key *ret_key)
{
	unsigned int key;

	for (key = 0; key < KEYS; key++)
		if (span_is(span, key_name((enum key)key))) {
			*ret_key = (enum key)key;
			return 0;
		}
	return place_fail(place, span->column,
			  "a header key must be one of mode, progress_unit, program, note, "
			  "interrupted, tick_progress, switch_cost_to_shadow_cycles, "
			  "switch_cost_to_nested_cycles");
}

int dav2m_trace_header_parse(struct trace_header_parser *parser, struct dav2m_trace_header *header,
			     const char *name, size_t number, const char *line, const char *end,
			     struct dav2m_host_error *error)
{
	struct place place = {name, number, error};
	struct span text = {.text = line}, value = {.text = line};
	enum key key = K_MODE;
	int rc;

	if (number == 1)
		return magic_parse(&place, line, end);
	rc = line_split(&place, line, end, &text, &value);
	if (!rc)
		rc = key_find(&place, &text, &key);
	if (rc)
		return rc;
	if (parser->seen & DAV2M_BIT(key))
		return place_fail(&place, text.column, "a header key may stand only once");
	parser->seen |= DAV2M_BIT(key);
	return value_parse(&place, key, &value, header);
}

int dav2m_trace_header_check(const struct trace_header_parser *parser, const char *name,
			     size_t number, struct dav2m_host_error *error)
{
	enum key key;

	for (key = K_MODE; key <= K_PROGRESS_UNIT; key++)
		if (!(parser->seen & DAV2M_BIT(key)))
			return dav2m_host_fail_at(error, DAV2M_HOST_FORMAT, name, number, 0,
						  "the header must have a line '# %s: ...'",
						  key_name(key));
	return 0;
}
