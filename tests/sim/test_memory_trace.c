/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory traces: what is written is read again however the bytes are cut, a TLB misses as without
 * the joining, and every kind of damage is found and named.
 */
#include <string.h>

#include "rig.h"
#include "trace_format.h"

#include <dav2m/sim/join.h>

/* A growing array of bytes, what the writer's put fills. */
struct bytes {
	char *data;
	size_t size, room;
	size_t fail_at; /* 0: never; else put fails beyond so many bytes */
};

#define PUT_FAILED 77

static int bytes_put(void *to, const void *data, size_t size)
{
	struct bytes *bytes = to;

	if (bytes->fail_at != 0 && bytes->size + size > bytes->fail_at)
		return PUT_FAILED;
	if (bytes->size + size > bytes->room) {
		bytes->room = 2 * (bytes->size + size);
		bytes->data = realloc(bytes->data, bytes->room);
		ck_assert_ptr_nonnull(bytes->data);
	}
	memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
	return 0;
}

static const struct dav2m_sim_trace_header header = {"gzip -9 -c\ttext", "by\nhand"};

static struct bytes written(const uint64_t *words, size_t n, struct dav2m_sim_trace_totals *totals)
{
	struct dav2m_sim_trace_writer *writer;
	struct bytes bytes = {0};

	ck_assert_int_eq(dav2m_sim_trace_writer_new(&header, bytes_put, &bytes, &writer), 0);
	ck_assert_int_eq(dav2m_sim_trace_write(writer, words, n), 0);
	ck_assert_int_eq(dav2m_sim_trace_finish(writer, totals), 0);
	dav2m_sim_trace_writer_free(writer);
	return bytes;
}

/* What reading ended with. */
struct end {
	size_t words;
	const char *rule; /* NULL: all is well */
	uint64_t block, offset;
	struct dav2m_sim_trace_totals totals;
};

/* Reads bytes in pieces, with room for so many words at a time. */
static struct end read_back(const struct bytes *bytes, size_t piece, uint64_t *words, size_t room)
{
	struct dav2m_sim_trace_reader *reader;
	struct end end = {0};
	size_t at = 0, used, n;
	int rc = 0;

	ck_assert_int_eq(dav2m_sim_trace_reader_new(&reader), 0);
	do {
		const size_t part = bytes->size - at < piece ? bytes->size - at : piece;

		rc = dav2m_sim_trace_feed(reader, bytes->data + at, part, words + end.words, room,
					  &used, &n);
		ck_assert_uint_le(used, part);
		ck_assert_uint_le(n, room);
		at += used;
		end.words += n;
	} while (rc == 0 && (used > 0 || n > 0));
	if (rc == 0)
		rc = dav2m_sim_trace_end(reader);
	end.rule = dav2m_sim_trace_fault(reader, &end.block, &end.offset);
	ck_assert_int_eq(rc, end.rule ? -1 : 0);
	dav2m_sim_trace_totals(reader, &end.totals);
	dav2m_sim_trace_reader_free(reader);
	return end;
}

/* A stream with everything in it: both widths of index, long and zero counts, all events. */
static size_t stream_make(uint64_t *words)
{
	uint64_t x = 88172645463325252ull;
	size_t n = 0;
	uint32_t i, a;

	for (i = 0; i < 200000; i++) {
		const uint64_t pages = i < 70000 ? 100 : i < 80000 ? 40000 : 300;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		words[n++] = dav2m_sim_reference((enum dav2m_sim_kind)(x >> 60) % 3,
						 1000 + (x >> 20) % pages,
						 x % 97 == 0   ? DAV2M_SIM_RUN_MAX
						 : x % 13 == 0 ? 255
							       : (uint32_t)(x >> 8) % 4);
		if (i % 1000 < DAV2M_SIM_EVENTS) {
			const enum dav2m_sim_event event = (enum dav2m_sim_event)(i % 1000);

			words[n++] = dav2m_sim_event_word(event, dav2m_sim_event_arguments(event));
			for (a = 0; a < dav2m_sim_event_arguments(event); a++)
				words[n++] = x + a;
		}
	}
	words[n++] = dav2m_sim_event_word(DAV2M_SIM_EXEC, 0);
	words[n++] = dav2m_sim_event_word(DAV2M_SIM_EXIT_PROCESS, 0);
	return n;
}
#define STREAM_WORDS 210000

/* What the writer should make of a stream: the same words joined. */
static size_t joined(const uint64_t *words, size_t n, uint64_t *ret_words)
{
	struct dav2m_sim_join join;
	size_t at, begin = 0;

	dav2m_sim_join_begin(&join, ret_words);
	for (at = 0; at < n; at++) {
		if ((words[at] & 3) != DAV2M_SIM_EVENT) {
			dav2m_sim_join_reference(&join, words[at]);
		} else {
			const size_t size = 1 + (words[at] >> 8 & 0xff);

			dav2m_sim_join_close(&join);
			memcpy(ret_words + join.used, words + at, size * sizeof(*words));
			join.used += size;
			begin += size;
			at += size - 1;
		}
		if (join.used - begin == TRACE_BLOCK_RUNS) {
			begin = join.used;
			dav2m_sim_join_close(&join);
		}
	}
	return join.used;
}

START_TEST(what_is_written_is_read)
{
	static const size_t pieces[] = {1, 7, 24, 4096, 1000003, SIZE_MAX};
	static const size_t rooms[] = {4, 5, 1000, STREAM_WORDS};
	uint64_t *words = malloc(STREAM_WORDS * sizeof(*words));
	uint64_t *expected = malloc(STREAM_WORDS * sizeof(*words));
	uint64_t *back = malloc(2 * STREAM_WORDS * sizeof(*words));
	const size_t n = stream_make(words);
	const size_t runs = joined(words, n, expected);
	struct dav2m_sim_trace_totals totals;
	struct bytes bytes = written(words, n, &totals);
	struct end end;
	size_t i, j;

	for (i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
		for (j = 0; j < sizeof(rooms) / sizeof(*rooms); j++) {
			end = read_back(&bytes, pieces[i], back, rooms[j]);
			ck_assert_msg(end.rule == NULL, "%s", end.rule);
			ck_assert_uint_eq(end.words, runs);
			ck_assert_mem_eq(back, expected, runs * sizeof(*back));
			ck_assert_mem_eq(&end.totals, &totals, sizeof(totals));
		}
	ck_assert_uint_lt(totals.runs, 200000);
	ck_assert_uint_eq(totals.events, 200 * DAV2M_SIM_EVENTS + 2);
	free(bytes.data);
	free(words);
	free(expected);
	free(back);
}
END_TEST

START_TEST(header_and_totals)
{
	const uint64_t words[] = {dav2m_sim_reference(DAV2M_SIM_FETCH, 1, 3),
				  dav2m_sim_reference(DAV2M_SIM_LOAD, 2, 1),
				  dav2m_sim_reference(DAV2M_SIM_FETCH, 1, 4),
				  dav2m_sim_reference(DAV2M_SIM_STORE, 2, 5),
				  dav2m_sim_reference(DAV2M_SIM_LOAD, 2, 6)};
	const uint64_t expected[] = {dav2m_sim_reference(DAV2M_SIM_FETCH, 1, 7),
				     dav2m_sim_reference(DAV2M_SIM_LOAD, 2, 1),
				     dav2m_sim_reference(DAV2M_SIM_STORE, 2, 11)};
	struct dav2m_sim_trace_reader *reader;
	struct dav2m_sim_trace_totals totals;
	struct bytes bytes = written(words, 5, &totals);
	const char *end = strstr(bytes.data, "\n\n");
	uint64_t back[16];
	size_t used, n;

	ck_assert_uint_eq(totals.runs, 3);
	ck_assert_uint_eq(totals.data, 12);
	ck_assert_uint_eq(totals.instructions, 7);
	ck_assert_uint_eq(totals.events, 0);
	ck_assert_int_eq(dav2m_sim_trace_reader_new(&reader), 0);
	ck_assert_int_eq(dav2m_sim_trace_feed(reader, bytes.data, (size_t)(end - bytes.data) + 1,
					      back, 16, &used, &n),
			 0);
	ck_assert_ptr_null(dav2m_sim_trace_header(reader));
	ck_assert_int_eq(dav2m_sim_trace_feed(reader, bytes.data + used, bytes.size - used, back,
					      16, &used, &n),
			 0);
	ck_assert_str_eq(dav2m_sim_trace_header(reader)->program, "gzip -9 -c text");
	ck_assert_str_eq(dav2m_sim_trace_header(reader)->recorder, "by hand");
	ck_assert_uint_eq(n, 3);
	ck_assert_mem_eq(back, expected, sizeof(expected));
	ck_assert_int_eq(dav2m_sim_trace_end(reader), 0);
	dav2m_sim_trace_reader_free(reader);
	free(bytes.data);
}
END_TEST

START_TEST(nothing_is_a_trace_too)
{
	struct dav2m_sim_trace_totals totals;
	struct bytes bytes = written(NULL, 0, &totals);
	uint64_t back[4];
	const struct end end = read_back(&bytes, 100, back, 4);

	ck_assert_ptr_null(end.rule);
	ck_assert_uint_eq(end.words, 0);
	free(bytes.data);
}
END_TEST

#define SMALL_RUNS 3000
/* A small trace whose damage is looked for: a block and an end. */
static struct bytes small(uint64_t *ret_words, size_t *ret_n)
{
	struct dav2m_sim_trace_totals totals;
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < SMALL_RUNS; i++)
		ret_words[n++] = dav2m_sim_reference(DAV2M_SIM_LOAD, i % 7, i % 50 ? 1 : 300);
	ret_words[n++] = dav2m_sim_event_word(DAV2M_SIM_FORK, 1);
	ret_words[n++] = 5;
	*ret_n = n;
	return written(ret_words, n, &totals);
}
#define SMALL_WORDS (SMALL_RUNS + 2)

START_TEST(a_part_is_not_taken_for_the_whole)
{
	uint64_t *words = malloc(2 * SMALL_WORDS * sizeof(*words)), *back = words + SMALL_WORDS;
	struct bytes bytes, part;
	struct end end;
	size_t n;

	bytes = small(words, &n);
	for (part = bytes; part.size-- > 0; part.size -= part.size % 211) {
		end = read_back(&part, SIZE_MAX, back, SMALL_WORDS);
		ck_assert_ptr_nonnull(strstr(end.rule, "cut off"));
		ck_assert_mem_eq(back, words, end.words * sizeof(*back));
	}
	free(bytes.data);
	free(words);
}
END_TEST

/* One bit at a time: never anything but a fault, never a word that was not written. */
START_TEST(a_flipped_bit_is_found)
{
	uint64_t *words = malloc(2 * SMALL_WORDS * sizeof(*words)), *back = words + SMALL_WORDS;
	struct bytes bytes;
	struct end end;
	size_t n, at, in_header;

	bytes = small(words, &n);
	in_header = (size_t)(strstr(bytes.data, "\n\n") - bytes.data) + 2;
	for (at = 0; at < bytes.size; at += at < 400 || at + 200 > bytes.size ? 1 : 97) {
		bytes.data[at] ^= (char)(1 << at % 8);
		end = read_back(&bytes, SIZE_MAX, back, SMALL_WORDS);
		bytes.data[at] ^= (char)(1 << at % 8);
		/* Within the header's two texts any letter is as good as another. */
		if (end.rule == NULL)
			ck_assert_msg(at < in_header, "byte %zu", at);
		ck_assert_mem_eq(back, words, end.words * sizeof(*back));
	}
	free(bytes.data);
	free(words);
}
END_TEST

struct bad_header {
	const char *text;
	unsigned offset;
	const char *rule; /* begins with */
};

static const struct bad_header bad_headers[] = {
	{"", 0, "a trace must be whole"},
	{"dav2m mem", 0, "a trace must be whole"},
	{"I  1000,3\n", 0, "a trace must begin with"},
	{"dav2m counter trace 1\n\n", 0, "a trace must begin with"},
	{"dav2m memory trace 2\n\n", 0, "this version"},
	{"dav2m memory trace 1 \n\n", 0, "this version"},
	{"dav2m memory trace 1\nprogramm: x\n\n", 21, "a header line must be one of"},
	{"dav2m memory trace 1\nprogram: x\npage_bytes: 8192\n\n", 32, "page_bytes"},
	{"dav2m memory trace 1\nprogram: x\npage_bytes: 4096\n\n", 32, "a trace must be whole"},
	{"dav2m memory trace 1\n\nWHAT", 22, "a trace must be whole"},
	{"dav2m memory trace 1\n\nWHAT12345678901234567890", 22, "a block must begin with"},
};

START_TEST(headers_are_checked)
{
	const struct bad_header *bad = &bad_headers[_i];
	char text[200];
	struct bytes bytes = {text, strlen(bad->text), 0, 0};
	uint64_t back[16];
	struct end end;
	size_t piece;

	strcpy(text, bad->text);
	for (piece = 1; piece < 60; piece += 29) {
		end = read_back(&bytes, piece, back, 16);
		ck_assert_ptr_nonnull(end.rule);
		ck_assert_msg(strncmp(end.rule, bad->rule, strlen(bad->rule)) == 0, "%s", end.rule);
		ck_assert_uint_eq(end.offset, bad->offset);
	}
}
END_TEST

START_TEST(headers_have_limits)
{
	static char text[3 * TRACE_HEADER_BYTES];
	struct bytes bytes = {text, sizeof(text), 0, 0};
	uint64_t back[16];
	struct end end;

	memset(text, 'x', sizeof(text));
	memcpy(text, "dav2m memory trace 1\nprogram: ", 30);
	end = read_back(&bytes, 1000, back, 16);
	ck_assert_ptr_nonnull(strstr(end.rule, "8192"));
	memcpy(text + 2000, "\n\n", 2);
	end = read_back(&bytes, 1000, back, 16);
	ck_assert_ptr_nonnull(strstr(end.rule, "1024"));
	text[25] = '\0';
	end = read_back(&bytes, 1000, back, 16);
	ck_assert_ptr_nonnull(strstr(end.rule, "NUL"));
}
END_TEST

/* A block made by hand, with a check that fits; then each field breaks its rule. */
struct bad_block {
	uint32_t field[TRACE_FIELDS];
	uint64_t word[8]; /* the columns */
	size_t size;
	const char *rule; /* contains */
};

#define SYMBOL(page) ((uint64_t)(page) << 16)
#define HEAD(runs, symbols, longs, events)                                                         \
	{                                                                                          \
		TRACE_TAG_RUNS, 0, runs, symbols, longs, events                                    \
	}
#define SWITCH_WORD (1ull << 8 | DAV2M_SIM_EVENT)

static const struct bad_block bad_blocks[] = {
	{HEAD(4, 1, 0, 0), {SYMBOL(9), 0x0101010100000000}, 16, NULL},
	{HEAD(4, 1, 0, 0), {SYMBOL(9), 0x0101010100010000}, 16, "an index"},
	{HEAD(4, 1, 0, 0), {SYMBOL(9), 0x01ff010100000000}, 16, "one long for each"},
	{HEAD(4, 1, 0, 0), {SYMBOL(9) | 4, 0x0101010100000000}, 16, "a symbol"},
	{HEAD(4, 1, 0, 0), {SYMBOL(9) | 3, 0x0101010100000000}, 16, "a symbol"},
	{HEAD(4, 1, 0, 0), {SYMBOL(DAV2M_SIM_VPN_MAX), 0x0101010100000000}, 16, "a symbol"},
	{HEAD(3, 1, 1, 0), {SYMBOL(9), 0xff01010000000123}, 16, NULL},
	{HEAD(3, 1, 1, 0), {SYMBOL(9), 0xff01010000000012}, 16, "a long must be in"},
	{HEAD(3, 1, 1, 0), {SYMBOL(9), 0xff01010000004000}, 16, "a long must be in"},
	{HEAD(0, 0, 0, 3), {0, SWITCH_WORD, 7}, 24, NULL},
	{HEAD(0, 0, 0, 3), {1, SWITCH_WORD, 7}, 24, "stand among"},
	{HEAD(0, 0, 0, 2), {0, SWITCH_WORD}, 16, "an event must be known"},
	{HEAD(0, 0, 0, 1), {0}, 8, "an event must be known"},
	{HEAD(0, 0, 0, 2), {0, 63 << 2 | DAV2M_SIM_EVENT}, 16, "an event must be known"},
	{HEAD(0, 0, 0, 3), {0, SWITCH_WORD | 1 << 17, 7}, 24, "an event must be known"},
	{HEAD(0, 1, 0, 0), {SYMBOL(9)}, 8, "at most 65536 runs"},
	{HEAD(1, 1, 2, 0), {SYMBOL(9)}, 8, "at most 65536 runs"},
	{HEAD(65537, 1, 0, 0), {0}, 0, "at most 65536 runs"},
	{HEAD(0, 0, 0, 65537), {0}, 0, "at most 65536 runs"},
	{{TRACE_TAG_END, 0, 0, 3, 0, 0}, {0}, 24, "four totals"},
	{{TRACE_TAG_END, 0, 1, 4, 0, 0}, {0}, 32, "four totals"},
	{{TRACE_TAG_END, 0, 0, 4, 0, 0}, {1, 0, 0, 0}, 32, "the totals"},
};

START_TEST(blocks_are_checked)
{
	const struct bad_block *bad = &bad_blocks[_i];
	uint32_t field[TRACE_FIELDS];
	struct bytes bytes = {0};
	struct trace_crc crc;
	uint64_t back[16];
	struct end end;

	trace_crc_init(&crc);
	memcpy(field, bad->field, sizeof(field));
	field[TRACE_CHECK] = trace_check(&crc, field, bad->word, bad->size);
	bytes_put(&bytes, "dav2m memory trace 1\n\n", 22);
	bytes_put(&bytes, field, sizeof(field));
	bytes_put(&bytes, bad->word, bad->size);
	end = read_back(&bytes, 1000, back, 16);
	ck_assert_msg(strstr(end.rule, bad->rule ? bad->rule : "cut off") != NULL, "%s", end.rule);
	ck_assert_uint_eq(end.block, 1);
	ck_assert_uint_eq(end.offset, 22);
	free(bytes.data);
}
END_TEST

START_TEST(nothing_follows_the_end)
{
	struct dav2m_sim_trace_totals totals;
	struct bytes bytes = written(NULL, 0, &totals);
	uint64_t back[4];

	bytes_put(&bytes, "x", 1);
	ck_assert_str_eq(read_back(&bytes, 100, back, 4).rule, "nothing may follow the end");
	free(bytes.data);
}
END_TEST

/* The checksum of "123456789" is the one that the polynomial's catalogue entry gives. */
START_TEST(checksum_is_crc32c)
{
	struct trace_crc crc;

	trace_crc_init(&crc);
	ck_assert_uint_eq(trace_crc(&crc, 0, "123456789", 9), 0xe3069283u);
	ck_assert_uint_eq(trace_crc(&crc, trace_crc(&crc, 0, "1234", 4), "56789", 5), 0xe3069283u);
}
END_TEST

START_TEST(writer_refuses)
{
	const uint64_t far = dav2m_sim_reference(DAV2M_SIM_LOAD, DAV2M_SIM_VPN_MAX, 1);
	const uint64_t event = dav2m_sim_event_word(DAV2M_SIM_MAP, 3);
	const uint64_t unknown = dav2m_sim_event_word((enum dav2m_sim_event)DAV2M_SIM_EVENTS, 0);
	struct dav2m_sim_trace_writer *writer;
	struct dav2m_sim_trace_totals totals;
	struct bytes bytes = {0};

	ck_assert_int_eq(dav2m_sim_trace_writer_new(NULL, bytes_put, &bytes, &writer),
			 DAV2M_SIM_ERR_NULL);
	ck_assert_int_eq(dav2m_sim_trace_writer_new(&header, NULL, &bytes, &writer),
			 DAV2M_SIM_ERR_NULL);
	ck_assert_int_eq(dav2m_sim_trace_reader_new(NULL), DAV2M_SIM_ERR_NULL);
	ck_assert_int_eq(dav2m_sim_trace_writer_new(&header, bytes_put, &bytes, &writer), 0);
	ck_assert_int_eq(dav2m_sim_trace_write(writer, &far, 1), DAV2M_SIM_ERR_ADDRESS);
	ck_assert_int_eq(dav2m_sim_trace_write(writer, &event, 1), DAV2M_SIM_ERR_EVENT);
	ck_assert_int_eq(dav2m_sim_trace_write(writer, &unknown, 1), DAV2M_SIM_ERR_EVENT);
	bytes.fail_at = bytes.size;
	ck_assert_int_eq(dav2m_sim_trace_finish(writer, &totals), PUT_FAILED);
	dav2m_sim_trace_writer_free(writer);
	bytes.fail_at = 1;
	ck_assert_int_eq(dav2m_sim_trace_writer_new(&header, bytes_put, &bytes, &writer),
			 PUT_FAILED);
	free(bytes.data);
}
END_TEST

/* What a simulation natively counts does not depend on joining. */
START_TEST(joining_is_exact)
{
	struct dav2m_sim_config config = rig_config(DAV2M_SIM_NATIVE);
	uint64_t *words = malloc(400000 * sizeof(*words)), *runs = malloc(400000 * sizeof(*words));
	struct dav2m_sim *single, *together;
	struct dav2m_sim_counts a, b;
	uint64_t x = 1234567;
	size_t n, i;

	config.machine = dav2m_sim_machine_find("opteron2350");
	single = rig_new(&config);
	together = rig_new(&config);
	for (i = 0; i < 400000; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		/* Data that stays for a while, code that stays longer; both exceed their TLBs. */
		words[i] = x >> 62 != 0 ? dav2m_sim_reference((enum dav2m_sim_kind)(x >> 20 & 1),
							      x >> 60 < 8 ? x >> 30 & 0x7ff : 5, 1)
					: dav2m_sim_reference(
						  DAV2M_SIM_FETCH,
						  0x1000 + (x >> 40 & 7 ? 0 : x >> 50 & 0x3ff), 1);
	}
	n = joined(words, 400000, runs);
	ck_assert_uint_lt(n, 300000);
	ck_assert_int_eq(dav2m_sim_run(single, words, 400000), 0);
	ck_assert_int_eq(dav2m_sim_run(together, runs, n), 0);
	a = rig_counts(single);
	b = rig_counts(together);
	ck_assert_uint_gt(a.l2_misses[DAV2M_SIM_DATA], 1000);
	ck_assert_uint_gt(a.l2_misses[DAV2M_SIM_CODE], 500);
	ck_assert_uint_eq(a.loads + a.stores, b.loads + b.stores);
	a.loads = b.loads;
	a.stores = b.stores;
	ck_assert_mem_eq(&a, &b, sizeof(a));
	dav2m_sim_free(single);
	dav2m_sim_free(together);
	free(words);
	free(runs);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim memory trace");
	TCase *tcase = tcase_create("memory trace");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, what_is_written_is_read);
	tcase_add_test(tcase, header_and_totals);
	tcase_add_test(tcase, nothing_is_a_trace_too);
	tcase_add_test(tcase, a_part_is_not_taken_for_the_whole);
	tcase_add_test(tcase, a_flipped_bit_is_found);
	tcase_add_loop_test(tcase, headers_are_checked, 0,
			    (int)(sizeof(bad_headers) / sizeof(bad_headers[0])));
	tcase_add_test(tcase, headers_have_limits);
	tcase_add_loop_test(tcase, blocks_are_checked, 0,
			    (int)(sizeof(bad_blocks) / sizeof(bad_blocks[0])));
	tcase_add_test(tcase, nothing_follows_the_end);
	tcase_add_test(tcase, checksum_is_crc32c);
	tcase_add_test(tcase, writer_refuses);
	tcase_add_test(tcase, joining_is_exact);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
