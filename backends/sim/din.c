/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of Dinero's text. Only the beginning of a line that the end of a buffer cuts is
 * copied. Must not read anything but what it is fed.
 */
#include <string.h>

#include <dav2m/sim/din.h>

/* Hexadecimal digits of the largest address. */
#define DIGITS_MAX 16

void dav2m_sim_din_init(struct dav2m_sim_din *din)
{
	memset(din, 0, sizeof(*din));
	din->line = 1;
}

static int wrong(struct dav2m_sim_din *din, size_t column, const char *rule)
{
	din->column = (uint32_t)column + 1;
	din->rule = rule;
	return -1;
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static size_t blanks_skip(const char *line, size_t at, size_t length)
{
	while (at < length && is_blank(line[at]))
		at++;
	return at;
}

/* The value of a hexadecimal digit, or 16. */
static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

/* The address at *at, up to a blank or the line's end. */
static int address_read(struct dav2m_sim_din *din, const char *line, size_t length, size_t *at,
			uint64_t *ret_address)
{
	size_t begin = *at;
	uint64_t address = 0;

	if (length - begin > 2 && line[begin] == '0' && (line[begin + 1] | 0x20) == 'x')
		begin += 2;
	for (*at = begin; *at < length && digit_value(line[*at]) < 16; ++*at)
		address = address << 4 | digit_value(line[*at]);
	if (*at == begin || (*at < length && !is_blank(line[*at])))
		return wrong(din, *at, "a hexadecimal address is expected after the label");
	if (*at - begin > DIGITS_MAX || address >= DAV2M_SIM_VPN_MAX << DAV2M_SIM_PAGE_SHIFT)
		return wrong(din, begin, "an address must have at most 57 bits");
	*ret_address = address;
	return 0;
}

/* One line without its end. Answers the words written, or -1. */
static int line_read(struct dav2m_sim_din *din, const char *line, size_t size, uint64_t *word)
{
	/* Of a line that was cut no more is there. */
	const size_t length = size < DAV2M_SIM_DIN_LINE ? size : DAV2M_SIM_DIN_LINE;
	size_t at = blanks_skip(line, 0, length);
	const char label = at < length ? line[at] : '\0';
	uint64_t address;

	if (label < '0' || label > '4' || at + 1 == length || !is_blank(line[at + 1]))
		return wrong(din, at, "a record must begin with a label in [0, 4] and a blank");
	at = blanks_skip(line, at + 1, length);
	if (address_read(din, line, length, &at, &address) < 0)
		return -1;
	if (at == DAV2M_SIM_DIN_LINE)
		return wrong(din, at - 1, "label and address must take less than 64 characters");
	din->line++;
	if (label > '2')
		return 0;
	/* The labels are numbered as the kinds of a reference are. */
	*word = dav2m_sim_reference((enum dav2m_sim_kind)(label - '0'),
				    address >> DAV2M_SIM_PAGE_SHIFT, 1);
	din->records++;
	return 1;
}

/* Keeps as much of a line's beginning as can matter. */
static void hold(struct dav2m_sim_din *din, const char *text, size_t size)
{
	const size_t left = sizeof(din->hold) - din->held;
	const size_t n = size < left ? size : left;

	memcpy(din->hold + din->held, text, n);
	din->held += (uint32_t)n;
}

int dav2m_sim_din_feed(struct dav2m_sim_din *din, const char *text, size_t size, uint64_t *words,
		       size_t room, size_t *ret_used, size_t *ret_words)
{
	size_t at = 0, out = 0, length;
	const char *end;
	int n = 0;

	while (at < size && out < room) {
		end = memchr(text + at, '\n', size - at);
		if (end == NULL) {
			hold(din, text + at, size - at);
			at = size;
			break;
		}
		length = (size_t)(end - text) - at;
		if (din->held > 0) {
			hold(din, text + at, length);
			n = line_read(din, din->hold, din->held, words + out);
			din->held = 0;
		} else {
			n = line_read(din, text + at, length, words + out);
		}
		if (n < 0)
			break;
		out += (size_t)n;
		at = (size_t)(end - text) + 1;
	}
	*ret_used = at;
	*ret_words = out;
	return n < 0 ? -1 : 0;
}

int dav2m_sim_din_end(struct dav2m_sim_din *din, uint64_t *words, size_t room, size_t *ret_words)
{
	int n = 0;

	*ret_words = 0;
	if (din->held > 0 && room > 0)
		n = line_read(din, din->hold, din->held, words);
	if (n < 0)
		return -1;
	din->held = 0;
	*ret_words = (size_t)n;
	return din->records == 0 ? wrong(din, 0, "the text has no reference") : 0;
}
