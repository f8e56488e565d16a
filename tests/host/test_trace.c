/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counter traces: each rule of docs/counter-trace.md broken once, with the place that the
 * message must name; and what the writer writes, read back.
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD "# dav2m counter trace 1\n# mode: shadow\n# progress_unit: instructions\n"

static const char *repeat(char c, size_t n)
{
	static char text[8192];

	memset(text, c, n);
	text[n] = 0;
	return text;
}

/* content, place ("line:column" or "line"), a piece of the rule */
static const struct {
	const char *content;
	const char *place;
	const char *rule;
} broken[] = {
	{"progress,cycles\n1,2\n", "1:1", "the first line must be"},
	{"# dav2m counter trace 2\n", "1:23", "version"},
	{"# dav2m counter trace 11\n", "1:23", "version"},
	{"# dav2m counter trace \n", "1:23", "version"},
	{"# dav2m counter trace 1\n#mode: shadow\n", "2:1", "'# key: value'"},
	{"# dav2m counter trace 1\n# mode shadow\n", "2:1", "'# key: value'"},
	{"# dav2m counter trace 1\n# : shadow\n", "2:1", "'# key: value'"},
	{"# dav2m counter trace 1\n#\n", "2:1", "'# key: value'"},
	{"# dav2m counter trace 1\n# mode:shadow\n", "2:8", "blank and a value"},
	{"# dav2m counter trace 1\n# mode: \n", "2:8", "blank and a value"},
	{"# dav2m counter trace 1\n# mood: shadow\n", "2:3", "header key must be one of mode"},
	{"# dav2m counter trace 1\n# mode: shade\n", "2:9", "mode must be shadow"},
	{"# dav2m counter trace 1\n# mode: shadow\n# mode: nested\n", "3:3", "only once"},
	{"# dav2m counter trace 1\n# interrupted: 1\n", "2:16", "interrupted must be yes or no"},
	{"# dav2m counter trace 1\n# tick_progress: 0\n", "2:18", "tick_progress must be"},
	{"# dav2m counter trace 1\n# tick_progress: 1e8\n", "2:18", "tick_progress must be"},
	{"# dav2m counter trace 1\n# tick_progress: 9223372036854775808\n", "2:18", "[1, 92233"},
	{"# dav2m counter trace 1\n# tick_progress: 99999999999999999999\n", "2:18", "[1, 92233"},
	{"# dav2m counter trace 1\n# switch_cost_to_shadow_cycles: -1\n", "2:33",
	 "switch_cost_to_shadow_cycles must be"},
	{"# dav2m counter trace 1\n# switch_cost_to_nested_cycles: x\n", "2:33",
	 "switch_cost_to_nested_cycles must be"},
	{"# dav2m counter trace 1\n# progress_unit: i\nprogress\n1\n", "3", "'# mode: ...'"},
	{"# dav2m counter trace 1\n# mode: shadow\nprogress\n1\n", "3", "'# progress_unit: ...'"},
	{HEAD "progress,\n1,2\n", "4:10", "a column name must be"},
	{HEAD "progress,tlb_miss\n1,2\n", "4:10", "a column name must be"},
	{HEAD "progress,cycles,progress\n1,2,3\n", "4:17", "named only once"},
	{HEAD "\n1,2\n", "4:1", "a column name must be"},
	{HEAD "progress,cycles\n1\n", "5:2", "fewer cells than the 2 columns"},
	{HEAD "progress,cycles\n1,2\n\n", "6:1", "fewer cells"},
	{HEAD "progress,cycles\n1,2,3\n", "5:4", "more cells than the 2 columns"},
	{HEAD "progress,cycles\n1,-2\n", "5:3", "cycles must be a whole number"},
	{HEAD "progress,cycles\n1, 2\n", "5:3", "cycles must be a whole number"},
	{HEAD "progress,cycles\n1,2.5\n", "5:4", "cycles must be a whole number"},
	{HEAD "progress,cycles\n1,1\n7x,2\n", "6:2", "progress must be a whole number"},
	{HEAD "progress,cycles\n1,9223372036854775808\n", "5:3", "cycles must be at most 92233"},
	{HEAD "progress,cycles\n1,10000000000000000000\n", "5:22", "cycles must be at most 92233"},
	{HEAD "progress,cycles\n1,9223372036854775807\n1,1\n", "6:3", "cycles must sum to"},
	{HEAD "progress,cycles\n", "5", "before the first record"},
	{HEAD, "4", "before the line that names the columns"},
	{"", "1", "before the line that names the columns"},
};

START_TEST(rule_broken)
{
	struct dav2m_trace trace = {.ticks = 77};
	struct dav2m_host_error error;
	char place[64];
	size_t piece;

	for (piece = 1; piece < 4000; piece *= 7) {
		error.text[0] = 0;
		ck_assert_int_eq(text_read(broken[_i].content, piece, 0, &trace, &error),
				 DAV2M_HOST_FORMAT);
		snprintf(place, sizeof(place), "t.csv:%s: ", broken[_i].place);
		ck_assert_msg(!strncmp(error.text, place, strlen(place)),
			      "'%s' does not begin '%s'", error.text, place);
		ck_assert_msg(strstr(error.text, broken[_i].rule) != NULL, "'%s' lacks '%s'",
			      error.text, broken[_i].rule);
		ck_assert_uint_eq(trace.ticks, 77);
	}
}
END_TEST

START_TEST(line_too_long)
{
	struct dav2m_trace trace = {.ticks = 0};
	struct dav2m_host_error error;
	static char text[9000];
	size_t piece;

	snprintf(text, sizeof(text), HEAD "# note: %s\nprogress\n1\n", repeat('x', 5000));
	for (piece = 100; piece < 10000; piece += 9800) {
		ck_assert_int_eq(text_read(text, piece, 0, &trace, &error), DAV2M_HOST_FORMAT);
		ck_assert_str_eq(error.text, "t.csv:4:4096: a line must have at most 4096 bytes");
	}
	snprintf(text, sizeof(text), HEAD "# note: %s\nprogress\n1\n", repeat('x', 512));
	ck_assert_int_eq(text_read(text, 4096, 0, &trace, &error), DAV2M_HOST_FORMAT);
	ck_assert_str_eq(error.text, "t.csv:4:9: note must have at most 511 bytes");
	snprintf(text, sizeof(text), HEAD "# note: %s\nprogress\n1\n", repeat('x', 511));
	ck_assert_int_eq(text_read(text, 4096, 0, &trace, &error), 0);
	ck_assert_uint_eq(strlen(trace.header.note), 511);
	dav2m_trace_free(&trace);
}
END_TEST

START_TEST(zero_byte)
{
	static const char text[] = HEAD "# note: a\0b\nprogress\n1\n";
	const char *path = scratch_path("zero.csv");
	struct dav2m_trace trace;
	struct dav2m_host_error error;
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fwrite(text, 1, sizeof(text) - 1, file);
	fclose(file);
	ck_assert_int_eq(dav2m_trace_load(path, 0, &trace, &error), DAV2M_HOST_FORMAT);
	ck_assert_ptr_nonnull(strstr(error.text, ":4:9: note must not hold a zero byte"));
	scratch_remove();
}
END_TEST

START_TEST(whole_trace)
{
	static const char text[] = "# dav2m counter trace 1\r\n"
				   "# note: a: b\n"
				   "# switch_cost_to_nested_cycles: 0\n"
				   "# mode: nested\n"
				   "# tick_progress: 9223372036854775807\n"
				   "# program: x\n"
				   "# interrupted: no\n"
				   "# progress_unit: steps\n"
				   "cycles,tlb_flushes,progress\n"
				   "1,,3\r\n"
				   ",5,\n"
				   "9223372036854775806,6,7\n";
	struct dav2m_trace trace;
	struct dav2m_host_error error;
	size_t piece;

	for (piece = 1; piece < sizeof(text); piece++) {
		ck_assert_int_eq(text_read(text, piece, 0, &trace, &error), 0);
		ck_assert_str_eq(trace.header.note, "a: b");
		ck_assert_str_eq(trace.header.program, "x");
		ck_assert_str_eq(trace.header.progress_unit, "steps");
		ck_assert_str_eq(trace.name, "t.csv");
		ck_assert_uint_eq(trace.header.mode, DAV2M_TRACE_NESTED);
		ck_assert_uint_eq(trace.header.tick_progress, INT64_MAX);
		ck_assert_uint_eq(trace.header.switch_known, DAV2M_BIT(DAV2M_NESTED));
		ck_assert_uint_eq(trace.header.switch_cycles[DAV2M_NESTED], 0);
		ck_assert_uint_eq(trace.header.columns, DAV2M_BIT(DAV2M_CYCLES) |
								DAV2M_BIT(DAV2M_TLB_FLUSHES) |
								DAV2M_BIT(DAV2M_PROGRESS));
		ck_assert_uint_eq(trace.first_line, 10);
		ck_assert_int_eq(trace.truncated, 0);
		ck_assert_int_eq(trace.header.interrupted, 0);
		ck_assert_uint_eq(trace.ticks, 3);
		ck_assert_uint_eq(trace.tick[0].valid,
				  DAV2M_BIT(DAV2M_CYCLES) | DAV2M_BIT(DAV2M_PROGRESS));
		ck_assert_uint_eq(trace.tick[0].value[DAV2M_PROGRESS], 3);
		ck_assert_uint_eq(trace.tick[1].valid, DAV2M_BIT(DAV2M_TLB_FLUSHES));
		ck_assert_uint_eq(trace.tick[1].value[DAV2M_TLB_FLUSHES], 5);
		ck_assert_uint_eq(trace.tick[2].value[DAV2M_CYCLES], INT64_MAX - 1);
		dav2m_trace_free(&trace);
	}
	ck_assert_ptr_null(trace.tick);
}
END_TEST

START_TEST(one_column_empty_cell)
{
	struct dav2m_trace trace;
	struct dav2m_host_error error;

	ck_assert_int_eq(text_read(HEAD "progress\n1\n\n", 5, 0, &trace, &error), 0);
	ck_assert_uint_eq(trace.ticks, 2);
	ck_assert_uint_eq(trace.tick[1].valid, 0);
	dav2m_trace_free(&trace);
}
END_TEST

START_TEST(truncated)
{
	static const char text[] = HEAD "progress,cycles\n1,2\n3,45";
	struct dav2m_trace trace = {.ticks = 77};
	struct dav2m_host_error error;

	ck_assert_int_eq(text_read(text, 9, 0, &trace, &error), DAV2M_HOST_TRUNCATED);
	ck_assert_str_eq(error.text,
			 "t.csv:6:5: the file ends within this line: its writer was interrupted");
	ck_assert_uint_eq(trace.ticks, 77);
	ck_assert_int_eq(text_read(text, 9, DAV2M_TRACE_ALLOW_TRUNCATED, &trace, &error), 0);
	ck_assert_uint_eq(trace.ticks, 1);
	ck_assert_int_eq(trace.truncated, 1);
	dav2m_trace_free(&trace);
	ck_assert_int_eq(
		text_read(HEAD "progress,cyc", 9, DAV2M_TRACE_ALLOW_TRUNCATED, &trace, &error),
		DAV2M_HOST_FORMAT);
	ck_assert_int_eq(
		text_read(HEAD "progress\n1", 9, DAV2M_TRACE_ALLOW_TRUNCATED, &trace, &error),
		DAV2M_HOST_FORMAT);
}
END_TEST

static int next_fails(void *context, const char **ret_data, size_t *ret_size,
		      struct dav2m_host_error *error)
{
	(void)context;
	*ret_data = NULL;
	*ret_size = 0;
	snprintf(error->text, sizeof(error->text), "the tape tore");
	return DAV2M_HOST_IO;
}

START_TEST(reader_misused)
{
	struct dav2m_trace_source source = {"t.csv", next_fails, NULL};
	struct dav2m_trace trace = {.ticks = 77};
	struct dav2m_host_error error;

	ck_assert_int_eq(dav2m_trace_read(&source, 0, &trace, &error), DAV2M_HOST_IO);
	ck_assert_str_eq(error.text, "the tape tore");
	ck_assert_int_eq(dav2m_trace_read(NULL, 0, &trace, NULL), DAV2M_HOST_ARGUMENT);
	ck_assert_int_eq(dav2m_trace_load(NULL, 0, &trace, NULL), DAV2M_HOST_ARGUMENT);
	ck_assert_int_eq(dav2m_trace_load("no/such/file", 0, &trace, &error), DAV2M_HOST_IO);
	ck_assert_ptr_nonnull(strstr(error.text, "no/such/file: cannot open: "));
	ck_assert_int_eq(dav2m_trace_load(".", 0, &trace, &error), DAV2M_HOST_IO);
	ck_assert_uint_eq(trace.ticks, 77);
	dav2m_trace_free(NULL);
}
END_TEST

static struct dav2m_trace_header header_make(void)
{
	struct dav2m_trace_header header = {
		.program = " \tgcc\n-O2  ",
		.progress_unit = "instructions",
		.mode = DAV2M_TRACE_ADAPTIVE,
		.interrupted = 1,
		.tick_progress = 100,
		.columns = DAV2M_ALL_COUNTERS,
		.switch_known = DAV2M_BIT(DAV2M_SHADOW) | DAV2M_BIT(DAV2M_NESTED),
		.switch_cycles = {11, 22},
	};

	return header;
}

static struct dav2m_sample random_tick(uint64_t *state)
{
	struct dav2m_sample tick = {.valid = (uint32_t)random_next(state) & DAV2M_ALL_COUNTERS};
	int c;

	for (c = 0; c < DAV2M_COUNTERS; c++)
		if (tick.valid & DAV2M_BIT(c))
			tick.value[c] = random_next(state) >> (30 + random_next(state) % 34);
	return tick;
}

START_TEST(round_trip)
{
	const char *path = scratch_path("round.csv");
	struct dav2m_trace_header header = header_make();
	struct dav2m_trace_writer *writer;
	struct dav2m_trace trace;
	struct dav2m_host_error error;
	uint64_t state = 5;
	size_t i, ticks = 5000; /* more than the writer's buffer holds */

	ck_assert_int_eq(dav2m_trace_writer_open(path, &header, &writer, &error), 0);
	for (i = 0; i < ticks; i++) {
		struct dav2m_sample tick = random_tick(&state);

		ck_assert_int_eq(dav2m_trace_writer_append(writer, &tick, &error), 0);
	}
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(dav2m_trace_writer_close(writer, &error), 0);
	ck_assert_int_eq(dav2m_trace_load(path, 0, &trace, &error), 0);
	ck_assert_str_eq(trace.header.program, "gcc -O2");
	memcpy(header.program, trace.header.program, sizeof(header.program));
	ck_assert_mem_eq(&trace.header, &header, sizeof(header));
	ck_assert_uint_eq(trace.ticks, ticks);
	for (i = 0, state = 5; i < ticks; i++) {
		struct dav2m_sample tick = random_tick(&state);

		ck_assert_uint_eq(trace.tick[i].valid, tick.valid);
		ck_assert_mem_eq(trace.tick[i].value, tick.value, sizeof(tick.value));
	}
	dav2m_trace_free(&trace);
	scratch_remove();
}
END_TEST

START_TEST(writer_abort)
{
	char path[256], part[300];
	struct dav2m_trace_header header = header_make();
	struct dav2m_sample tick = {.valid = DAV2M_ALL_COUNTERS};
	struct dav2m_trace_writer *writer;
	struct dav2m_trace trace;
	struct dav2m_host_error error;

	snprintf(path, sizeof(path), "%s", scratch_path("abort.csv"));
	snprintf(part, sizeof(part), "%s.part", path);
	ck_assert_int_eq(dav2m_trace_writer_open(path, &header, &writer, &error), 0);
	ck_assert_int_eq(dav2m_trace_writer_append(writer, &tick, &error), 0);
	/* What a killed recorder would leave: every record that was flushed. */
	ck_assert_int_eq(dav2m_trace_writer_flush(writer, &error), 0);
	ck_assert_int_eq(dav2m_trace_load(part, 0, &trace, &error), 0);
	ck_assert_uint_eq(trace.ticks, 1);
	dav2m_trace_free(&trace);
	dav2m_trace_writer_abort(writer);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_ne(access(part, F_OK), 0);
	dav2m_trace_writer_abort(NULL);
	scratch_remove();
}
END_TEST

START_TEST(cumulative_samples)
{
	const uint32_t both = DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES);
	const struct dav2m_sample samples[] = {
		{{100, 1000}, both},		       /* base */
		{{110, 1020}, both},		       /* 10, 20 */
		{{120, 0}, DAV2M_BIT(DAV2M_PROGRESS)}, /* 10, - */
		{{130, 1080}, both},		       /* 10, 60: covers the gap */
		{{5, 1090}, both},		       /* -, 10: progress was reset */
		{{7, 1091}, both},		       /* 2, 1 */
	};
	const uint64_t want[][2] = {{10, 20}, {10, 0}, {10, 60}, {0, 10}, {2, 1}};
	const uint32_t valid[] = {3, 1, 3, 2, 3};
	const char *path = scratch_path("samples.csv");
	struct dav2m_trace_header header = header_make();
	struct dav2m_trace_writer *writer;
	struct dav2m_trace trace;
	struct dav2m_host_error error;
	size_t i;

	header.columns = both;
	ck_assert_int_eq(dav2m_trace_writer_open(path, &header, &writer, &error), 0);
	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		ck_assert_int_eq(dav2m_trace_writer_sample(writer, &samples[i], &error), 0);
	ck_assert_int_eq(dav2m_trace_writer_close(writer, &error), 0);
	ck_assert_int_eq(dav2m_trace_load(path, 0, &trace, &error), 0);
	ck_assert_uint_eq(trace.ticks, 5);
	for (i = 0; i < trace.ticks; i++) {
		ck_assert_uint_eq(trace.tick[i].valid, valid[i]);
		ck_assert_uint_eq(trace.tick[i].value[DAV2M_PROGRESS], want[i][0]);
		ck_assert_uint_eq(trace.tick[i].value[DAV2M_CYCLES], want[i][1]);
	}
	dav2m_trace_free(&trace);
	scratch_remove();
}
END_TEST

static void open_refused(struct dav2m_trace_header header, const char *path,
			 enum dav2m_host_code code, const char *reason)
{
	struct dav2m_trace_writer *writer = NULL;
	struct dav2m_host_error error;

	ck_assert_int_eq(dav2m_trace_writer_open(path, &header, &writer, &error), code);
	ck_assert_msg(strstr(error.text, reason) != NULL, "'%s' lacks '%s'", error.text, reason);
	ck_assert_ptr_null(writer);
}

START_TEST(writer_misused)
{
	const char *path = scratch_path("misuse.csv");
	struct dav2m_trace_header header = header_make();
	struct dav2m_trace_writer *writer;
	struct dav2m_host_error error;
	struct dav2m_sample tick = {{0}, 1};

	header.mode = (enum dav2m_trace_mode)DAV2M_TRACE_MODES;
	open_refused(header, path, DAV2M_HOST_ARGUMENT, "mode");
	header = header_make();
	header.columns = 0;
	open_refused(header, path, DAV2M_HOST_ARGUMENT, "columns");
	header.columns = DAV2M_ALL_COUNTERS + 1;
	open_refused(header, path, DAV2M_HOST_ARGUMENT, "columns");
	header = header_make();
	header.progress_unit[0] = 0;
	open_refused(header, path, DAV2M_HOST_ARGUMENT, "progress");
	header = header_make();
	open_refused(header, "no/such/folder/x.csv", DAV2M_HOST_IO, "no/such/folder/x.csv.part");
	ck_assert_int_eq(dav2m_trace_writer_open(NULL, &header, &writer, &error),
			 DAV2M_HOST_ARGUMENT);
	ck_assert_int_eq(dav2m_trace_writer_append(NULL, &tick, &error), DAV2M_HOST_ARGUMENT);
	ck_assert_int_eq(dav2m_trace_writer_sample(NULL, &tick, &error), DAV2M_HOST_ARGUMENT);
	ck_assert_int_eq(dav2m_trace_writer_flush(NULL, &error), DAV2M_HOST_ARGUMENT);
	ck_assert_int_eq(dav2m_trace_writer_close(NULL, &error), DAV2M_HOST_ARGUMENT);
	ck_assert_int_eq(dav2m_trace_writer_open(path, &header, &writer, &error), 0);
	tick.value[0] = (uint64_t)INT64_MAX + 1;
	ck_assert_int_eq(dav2m_trace_writer_append(writer, &tick, &error), DAV2M_HOST_ARGUMENT);
	ck_assert_str_eq(error.text, "an increment of progress is above 9223372036854775807");
	dav2m_trace_writer_abort(writer);
	scratch_remove();
}
END_TEST

START_TEST(mode_names)
{
	ck_assert_str_eq(dav2m_trace_mode_name(DAV2M_TRACE_SHADOW), "shadow");
	ck_assert_str_eq(dav2m_trace_mode_name(DAV2M_TRACE_NESTED), "nested");
	ck_assert_str_eq(dav2m_trace_mode_name(DAV2M_TRACE_NATIVE), "native");
	ck_assert_str_eq(dav2m_trace_mode_name(DAV2M_TRACE_ADAPTIVE), "adaptive");
	ck_assert_str_eq(dav2m_trace_mode_name((enum dav2m_trace_mode)4), "?");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace");
	TCase *reader = tcase_create("reader");
	TCase *writer = tcase_create("writer");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(reader, rule_broken, 0, sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(reader, line_too_long);
	tcase_add_test(reader, zero_byte);
	tcase_add_test(reader, whole_trace);
	tcase_add_test(reader, one_column_empty_cell);
	tcase_add_test(reader, truncated);
	tcase_add_test(reader, reader_misused);
	tcase_add_test(reader, mode_names);
	tcase_add_test(writer, round_trip);
	tcase_add_test(writer, writer_abort);
	tcase_add_test(writer, cumulative_samples);
	tcase_add_test(writer, writer_misused);
	suite_add_tcase(suite, reader);
	suite_add_tcase(suite, writer);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
