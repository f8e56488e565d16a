/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lackey reader: what it makes of good text however it is cut, and where it finds bad text.
 */
#include <string.h>

#include "rig.h"

static const char good[] =
	"==17== Lackey, an example Valgrind tool\n"
	"==17== \n"
	"### unhandled dwarf2 abbrev form code 0x25\n"
	"I  04001090,3\n"
	" L 1ffefff978,8\n"
	" S 1ffefffffc,8\r\n"
	"--17-- warning: this line is longer than any record may be, by far and on "
	"purpose\n"
	" M 0421c7cc,4\n"
	"I  0023Cfff,5";

static const uint64_t expected[] = {
	0x4001ull << 16 | 1 << 2 | DAV2M_SIM_FETCH,
	0x1ffefffull << 16 | 1 << 2 | DAV2M_SIM_LOAD,
	0x1ffefffull << 16 | 1 << 2 | DAV2M_SIM_STORE,
	0x1fff000ull << 16 | DAV2M_SIM_STORE,
	0x421cull << 16 | 1 << 2 | DAV2M_SIM_STORE,
	0x23cull << 16 | 1 << 2 | DAV2M_SIM_FETCH,
	0x23dull << 16 | DAV2M_SIM_FETCH,
};
#define EXPECTED (sizeof(expected) / sizeof(expected[0]))

/* Feeds text in pieces of the given size with room for few words. */
static int read_all(struct dav2m_sim_lackey *lackey, const char *text, size_t size, size_t piece,
		    uint64_t *words, size_t *ret_words)
{
	size_t at = 0, used, n;
	uint64_t some[4];

	*ret_words = 0;
	dav2m_sim_lackey_init(lackey);
	while (at < size) {
		const size_t part = size - at < piece ? size - at : piece;
		const int rc = dav2m_sim_lackey_feed(lackey, text + at, part, some, 4, &used, &n);

		memcpy(words + *ret_words, some, n * sizeof(*some));
		*ret_words += n;
		if (rc != 0)
			return rc;
		at += used;
	}
	if (dav2m_sim_lackey_end(lackey, some, 4, &n) != 0)
		return -1;
	memcpy(words + *ret_words, some, n * sizeof(*some));
	*ret_words += n;
	return 0;
}

START_TEST(text_may_be_cut_anywhere)
{
	struct dav2m_sim_lackey lackey;
	uint64_t words[64];
	size_t n, piece;

	for (piece = 1; piece <= sizeof(good); piece++) {
		ck_assert_int_eq(read_all(&lackey, good, sizeof(good) - 1, piece, words, &n), 0);
		ck_assert_uint_eq(n, EXPECTED);
		ck_assert_mem_eq(words, expected, sizeof(expected));
		ck_assert_uint_eq(lackey.records, 5);
		ck_assert_uint_eq(lackey.line, 10);
	}
}
END_TEST

struct bad {
	const char *text;
	unsigned line;
	unsigned column;
	const char *rule; /* begins with */
};

static const struct bad bads[] = {
	{"I  1000,3\nX  1000,3\n", 2, 1, "a record must begin"},
	{"I 1000,3\n", 1, 1, "a record must begin"},
	{" L1000,3\n", 1, 1, "a record must begin"},
	{"\n", 1, 1, "a record must begin"},
	{"I  \n", 1, 1, "a record must begin"},
	{"I  xyz,3\n", 1, 4, "a hexadecimal"},
	{"I  ,3\n", 1, 4, "a hexadecimal"},
	{"I  1000;3\n", 1, 8, "a comma"},
	{"I  1000\n", 1, 8, "a comma"},
	{"I  1000,\n", 1, 9, "a size"},
	{"I  1000,0\n", 1, 9, "a size"},
	{"I  1000,4097\n", 1, 9, "a size"},
	{"I  1000,99999\n", 1, 9, "a size"},
	{"I  1000,3x\n", 1, 9, "a size"},
	{"I  200000000000000,3\n", 1, 4, "an address"},
	{"I  00000000000001000,3\n", 1, 4, "an address"},
	{"==1== only remarks\n", 2, 1, "the text has no"},
	{"", 1, 1, "the text has no"},
	{"I  1000,1\nI  10000000000000000000000000000000000000000000000000000000000000000000,3\n",
	 2, 4, "an address"},
};

START_TEST(errors_say_where)
{
	const struct bad *bad = &bads[_i];
	struct dav2m_sim_lackey lackey;
	uint64_t words[64];
	size_t n;

	ck_assert_int_eq(read_all(&lackey, bad->text, strlen(bad->text), 4096, words, &n), -1);
	ck_assert_uint_eq(lackey.line, bad->line);
	ck_assert_uint_eq(lackey.column, bad->column);
	ck_assert_ptr_nonnull(lackey.rule);
	ck_assert_msg(strncmp(lackey.rule, bad->rule, strlen(bad->rule)) == 0, "%s", lackey.rule);
}
END_TEST

/* In pieces a line is refused as well, at the latest when it cannot be a record any more. */
START_TEST(errors_survive_cuts)
{
	const struct bad *bad = &bads[_i];
	struct dav2m_sim_lackey lackey;
	uint64_t words[64];
	size_t n, piece;

	for (piece = 1; piece < 20; piece++) {
		ck_assert_int_eq(read_all(&lackey, bad->text, strlen(bad->text), piece, words, &n),
				 -1);
		ck_assert_uint_eq(lackey.line, bad->line);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim lackey");
	TCase *tcase = tcase_create("lackey");

	tcase_add_test(tcase, text_may_be_cut_anywhere);
	tcase_add_loop_test(tcase, errors_say_where, 0, (int)(sizeof(bads) / sizeof(bads[0])));
	tcase_add_loop_test(tcase, errors_survive_cuts, 0, (int)(sizeof(bads) / sizeof(bads[0])));
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
