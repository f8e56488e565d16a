/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The readers of din text and ChampSim records: what they make of good input however it is cut,
 * and where they find bad input.
 */
#include <string.h>

#include "rig.h"

#define REF(kind, page) ((uint64_t)(page) << 16 | 1 << 2 | DAV2M_SIM_##kind)

static const char din_good[] = "0 7fff5a8c\n"
			       "  1\t0x1000 anything else\r\n"
			       "3 1\n"
			       "2 401ABC 4 and a very long remark that goes on and on, much longer "
			       "than a line has to be for anything\n"
			       "4 ffffffff\n"
			       "2 401fff";
static const uint64_t din_expected[] = {REF(LOAD, 0x7fff5), REF(STORE, 1), REF(FETCH, 0x401),
					REF(FETCH, 0x401)};

static int din_read(struct dav2m_sim_din *din, const char *text, size_t size, size_t piece,
		    uint64_t *words, size_t *ret_words)
{
	size_t at = 0, used, n;

	*ret_words = 0;
	dav2m_sim_din_init(din);
	while (at < size) {
		const size_t part = size - at < piece ? size - at : piece;
		const int rc =
			dav2m_sim_din_feed(din, text + at, part, words + *ret_words, 1, &used, &n);

		*ret_words += n;
		at += used;
		if (rc != 0)
			return rc;
	}
	if (dav2m_sim_din_end(din, words + *ret_words, 1, &n) != 0)
		return -1;
	*ret_words += n;
	return 0;
}

START_TEST(din_may_be_cut_anywhere)
{
	struct dav2m_sim_din din;
	uint64_t words[16];
	size_t n, piece;

	for (piece = 1; piece <= sizeof(din_good); piece++) {
		ck_assert_int_eq(din_read(&din, din_good, sizeof(din_good) - 1, piece, words, &n),
				 0);
		ck_assert_uint_eq(n, 4);
		ck_assert_mem_eq(words, din_expected, sizeof(din_expected));
		ck_assert_uint_eq(din.line, 7);
	}
}
END_TEST

struct bad_text {
	const char *text;
	unsigned line;
	unsigned column;
	const char *rule; /* begins with */
};

static const struct bad_text bad_dins[] = {
	{"0 1\n5 1\n", 2, 1, "a record must begin"},
	{"r 1\n", 1, 1, "a record must begin"},
	{"00 1\n", 1, 1, "a record must begin"},
	{"0\n", 1, 1, "a record must begin"},
	{"\n", 1, 1, "a record must begin"},
	{"  \n", 1, 3, "a record must begin"},
	{"0 \n", 1, 3, "a hexadecimal"},
	{"0 0x\n", 1, 4, "a hexadecimal"},
	{"0 12g\n", 1, 5, "a hexadecimal"},
	{"0 200000000000000\n", 1, 3, "an address"},
	{"0 00000000000000001\n", 1, 3, "an address"},
	{"0                                                              1\n", 1, 64,
	 "label and address"},
	{"0                                                               1\n", 1, 65,
	 "a hexadecimal"},
	{"3 1\n", 2, 1, "the text has no"},
	{"", 1, 1, "the text has no"},
};

START_TEST(din_says_where)
{
	const struct bad_text *bad = &bad_dins[_i];
	struct dav2m_sim_din din;
	uint64_t words[16];
	size_t n, piece;

	for (piece = 1; piece < 30; piece += 7) {
		ck_assert_int_eq(din_read(&din, bad->text, strlen(bad->text), piece, words, &n),
				 -1);
		ck_assert_uint_eq(din.line, bad->line);
		ck_assert_uint_eq(din.column, bad->column);
		ck_assert_msg(strncmp(din.rule, bad->rule, strlen(bad->rule)) == 0, "%s", din.rule);
	}
}
END_TEST

/* One instruction: where it is, what it reads and writes. */
static void record_make(uint8_t *record, uint64_t pointer, uint64_t store, uint64_t load0,
			uint64_t load3)
{
	memset(record, 0, DAV2M_SIM_CHAMPSIM_BYTES);
	memset(record + 10, 0xee, 6); /* registers are ignored */
	memcpy(record, &pointer, 8);
	memcpy(record + 24, &store, 8);
	memcpy(record + 32, &load0, 8);
	memcpy(record + 56, &load3, 8);
}

static int champsim_read(struct dav2m_sim_champsim *champsim, const uint8_t *data, size_t size,
			 size_t piece, uint64_t *words, size_t *ret_words)
{
	size_t at = 0, used, n;

	*ret_words = 0;
	dav2m_sim_champsim_init(champsim);
	while (at < size) {
		const size_t part = size - at < piece ? size - at : piece;
		const int rc =
			dav2m_sim_champsim_feed(champsim, data + at, part, words + *ret_words,
						DAV2M_SIM_CHAMPSIM_WORDS, &used, &n);

		*ret_words += n;
		at += used;
		if (rc != 0)
			return rc;
	}
	return dav2m_sim_champsim_end(champsim);
}

START_TEST(champsim_may_be_cut_anywhere)
{
	static const uint64_t expected[] = {REF(FETCH, 0x400), REF(LOAD, 0x7000),
					    REF(LOAD, 0x7fff5), REF(STORE, 0x1234),
					    REF(FETCH, 0x401)};
	struct dav2m_sim_champsim champsim;
	uint8_t data[2 * DAV2M_SIM_CHAMPSIM_BYTES];
	uint64_t words[32];
	size_t n, piece;

	record_make(data, 0x400abc, 0x1234567, 0x7000fff, 0x7fff5001);
	record_make(data + DAV2M_SIM_CHAMPSIM_BYTES, 0x401000, 0, 0, 0);
	for (piece = 1; piece <= sizeof(data); piece++) {
		ck_assert_int_eq(champsim_read(&champsim, data, sizeof(data), piece, words, &n), 0);
		ck_assert_uint_eq(n, 5);
		ck_assert_mem_eq(words, expected, sizeof(expected));
	}
	ck_assert_int_eq(champsim_read(&champsim, data, sizeof(data) - 1, 64, words, &n), -1);
	ck_assert_ptr_nonnull(strstr(champsim.rule, "cut off"));
	ck_assert_uint_eq(champsim.record, 2);
	ck_assert_int_eq(champsim_read(&champsim, data, 0, 64, words, &n), -1);
	ck_assert_str_eq(champsim.rule, "there is no record");
}
END_TEST

static const unsigned champsim_bad_bytes[] = {7, 8, 9, 23, 31, 39, 63};

/* The second record has a byte that cannot be: an address with its top bits, a flag above 1. */
START_TEST(champsim_says_where)
{
	const unsigned at = champsim_bad_bytes[_i];
	struct dav2m_sim_champsim champsim;
	uint8_t data[2 * DAV2M_SIM_CHAMPSIM_BYTES];
	uint64_t words[32];
	size_t n;

	record_make(data, 0x400abc, 0x1234567, 0x7000fff, 0x7fff5001);
	record_make(data + DAV2M_SIM_CHAMPSIM_BYTES, 0x400abc, 0x1234567, 0x7000fff, 0x7fff5001);
	data[DAV2M_SIM_CHAMPSIM_BYTES + at] = 2;
	ck_assert_int_eq(champsim_read(&champsim, data, sizeof(data), 50, words, &n), -1);
	ck_assert_uint_eq(champsim.record, 2);
	ck_assert_ptr_nonnull(strstr(champsim.rule, at == 8 || at == 9 ? "0 or 1" : "57 bits"));
	ck_assert_uint_eq(n, 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim foreign");
	TCase *tcase = tcase_create("foreign");

	tcase_add_test(tcase, din_may_be_cut_anywhere);
	tcase_add_loop_test(tcase, din_says_where, 0,
			    (int)(sizeof(bad_dins) / sizeof(bad_dins[0])));
	tcase_add_test(tcase, champsim_may_be_cut_anywhere);
	tcase_add_loop_test(tcase, champsim_says_where, 0,
			    (int)(sizeof(champsim_bad_bytes) / sizeof(champsim_bad_bytes[0])));
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
