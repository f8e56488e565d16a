/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of lackey's text. Works on whole lines where they lie; only a line that the end of
 * a buffer cuts is copied. Must not read anything but what it is fed.
 */
#include <string.h>

#include <dav2m/sim/lackey.h>

/* Where the address begins in every record. */
#define ADDRESS_AT 3
#define NOT_HEX	   0xff

static const uint8_t hex_value[256] = {
	/* Every other character is 0 here; hex_digit() tells '0' from those. */
	['1'] = 1,  ['2'] = 2,	['3'] = 3,  ['4'] = 4,	['5'] = 5,  ['6'] = 6,	['7'] = 7,
	['8'] = 8,  ['9'] = 9,	['a'] = 10, ['b'] = 11, ['c'] = 12, ['d'] = 13, ['e'] = 14,
	['f'] = 15, ['A'] = 10, ['B'] = 11, ['C'] = 12, ['D'] = 13, ['E'] = 14, ['F'] = 15};

void dav2m_sim_lackey_init(struct dav2m_sim_lackey *lackey)
{
	memset(lackey, 0, sizeof(*lackey));
	lackey->line = 1;
}

static int wrong(struct dav2m_sim_lackey *lackey, size_t column, const char *rule)
{
	lackey->column = (uint32_t)column + 1;
	lackey->rule = rule;
	return -1;
}

static inline unsigned hex_digit(char c)
{
	const unsigned value = hex_value[(unsigned char)c];

	return value != 0 || c == '0' ? value : NOT_HEX;
}

/* The kind of record, or -1. */
static inline int kind_of(const char *line)
{
	if (line[0] == 'I' && line[1] == ' ' && line[2] == ' ')
		return DAV2M_SIM_FETCH;
	if (line[0] != ' ' || line[2] != ' ')
		return -1;
	if (line[1] == 'L')
		return DAV2M_SIM_LOAD;
	return line[1] == 'S' || line[1] == 'M' ? DAV2M_SIM_STORE : -1;
}

static size_t words_put(uint64_t *words, int kind, uint64_t address, uint32_t size)
{
	const uint64_t page = address >> DAV2M_SIM_PAGE_SHIFT;
	const uint64_t last = (address + size - 1) >> DAV2M_SIM_PAGE_SHIFT;

	words[0] = dav2m_sim_reference((enum dav2m_sim_kind)kind, page, 1);
	if (last == page)
		return 1;
	words[1] = dav2m_sim_reference((enum dav2m_sim_kind)kind, last, 0);
	return 2;
}

/* The size after the comma, up to the line's end; 0 when it is wrong. */
static inline uint32_t size_read(const char *line, size_t at, size_t length)
{
	uint32_t size = 0;

	if (at == length || length - at > 4)
		return 0;
	for (; at < length; at++) {
		if (line[at] < '0' || line[at] > '9')
			return 0;
		size = size * 10 + (uint32_t)(line[at] - '0');
	}
	return size <= DAV2M_SIM_LACKEY_SIZE ? size : 0;
}

/* One line without its end. Answers the words written, or -1. */
static inline int record_read(struct dav2m_sim_lackey *lackey, const char *line, size_t length,
			      uint64_t *words)
{
	const int kind = length > ADDRESS_AT ? kind_of(line) : -1;
	uint64_t address = 0;
	size_t at = ADDRESS_AT;
	unsigned digit;
	uint32_t size;

	if (kind < 0)
		return wrong(lackey, 0,
			     "a record must begin with \"I  \", \" L \", \" S \" or \" M \"");
	for (; at < length && (digit = hex_digit(line[at])) != NOT_HEX; at++)
		address = address << 4 | digit;
	if (at == ADDRESS_AT)
		return wrong(lackey, at, "a hexadecimal address is expected");
	if (at - ADDRESS_AT > 16 ||
	    address >= (DAV2M_SIM_VPN_MAX << DAV2M_SIM_PAGE_SHIFT) - DAV2M_SIM_LACKEY_SIZE)
		return wrong(lackey, ADDRESS_AT, "an address must have at most 57 bits");
	if (at == length || line[at] != ',')
		return wrong(lackey, at, "a comma is expected after the address");
	size = size_read(line, at + 1, length);
	if (size == 0)
		return wrong(lackey, at + 1, "a size in [1, 4096] is expected after the comma");
	lackey->records++;
	return (int)words_put(words, kind, address, size);
}

/* A line that is valgrind's own: "==pid== ...", "--pid-- ...", "**pid** ...", "### ...". */
static inline int is_remark(char first)
{
	return first == '=' || first == '-' || first == '*' || first == '#';
}

/* A whole line, its end taken off. */
static int line_read(struct dav2m_sim_lackey *lackey, const char *line, size_t length,
		     uint64_t *words)
{
	int n = 0;

	if (length > 0 && line[length - 1] == '\r')
		length--;
	if (length == 0 || !is_remark(line[0]))
		n = record_read(lackey, line, length, words);
	if (n >= 0)
		lackey->line++;
	return n;
}

/* Keeps the beginning of a line that the buffer cuts. */
static int hold(struct dav2m_sim_lackey *lackey, const char *text, size_t size)
{
	if (lackey->held + size > sizeof(lackey->hold))
		return wrong(lackey, sizeof(lackey->hold),
			     "a record is shorter than 64 characters");
	memcpy(lackey->hold + lackey->held, text, size);
	lackey->held += (uint32_t)size;
	if (is_remark(lackey->hold[0])) {
		lackey->skipping = 1;
		lackey->held = 0;
	}
	return 0;
}

/* Finishes the line that earlier text began. length: of its rest, without the newline. */
static int held_read(struct dav2m_sim_lackey *lackey, const char *text, size_t length,
		     uint64_t *words)
{
	int n;

	if (lackey->skipping) {
		lackey->skipping = 0;
		lackey->line++;
		return 0;
	}
	if (hold(lackey, text, length) < 0)
		return -1;
	n = line_read(lackey, lackey->hold, lackey->held, words);
	lackey->held = 0;
	return n;
}

static int rest_keep(struct dav2m_sim_lackey *lackey, const char *text, size_t size)
{
	if (lackey->skipping || size == 0)
		return 0;
	if (lackey->held == 0 && is_remark(text[0])) {
		lackey->skipping = 1;
		return 0;
	}
	return hold(lackey, text, size);
}

int dav2m_sim_lackey_feed(struct dav2m_sim_lackey *lackey, const char *text, size_t size,
			  uint64_t *words, size_t room, size_t *ret_used, size_t *ret_words)
{
	size_t at = 0, out = 0;
	int n = 0;

	while (at < size && out + DAV2M_SIM_LACKEY_WORDS <= room) {
		const char *end = memchr(text + at, '\n', size - at);

		if (end == NULL) {
			n = rest_keep(lackey, text + at, size - at);
			at = n < 0 ? at : size;
			break;
		}
		if (lackey->held > 0 || lackey->skipping)
			n = held_read(lackey, text + at, (size_t)(end - text) - at, words + out);
		else
			n = line_read(lackey, text + at, (size_t)(end - text) - at, words + out);
		if (n < 0)
			break;
		out += (size_t)n;
		at = (size_t)(end - text) + 1;
	}
	*ret_used = at;
	*ret_words = out;
	return n < 0 ? -1 : 0;
}

int dav2m_sim_lackey_end(struct dav2m_sim_lackey *lackey, uint64_t *words, size_t room,
			 size_t *ret_words)
{
	int n = 0;

	*ret_words = 0;
	if (lackey->held > 0 && room >= DAV2M_SIM_LACKEY_WORDS)
		n = line_read(lackey, lackey->hold, lackey->held, words);
	if (n < 0)
		return -1;
	lackey->held = 0;
	*ret_words = (size_t)n;
	if (lackey->records == 0)
		return wrong(lackey, 0, "the text has no memory record (--trace-mem=yes?)");
	return 0;
}
