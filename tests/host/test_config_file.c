/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configs from text: what is accepted, and what each mistake is told.
 */
#include "host.h"

#include <dav2m/host/config_file.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dav2m_config preset(enum dav2m_preset which)
{
	struct dav2m_config config = {.size = sizeof(config)};

	ck_assert_int_eq(dav2m_config_preset(which, &config), 0);
	return config;
}

static const char *file_with(const char *content)
{
	const char *path = scratch_path("c.ini");
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(content, file);
	fclose(file);
	return path;
}

START_TEST(assignments)
{
	static const struct {
		const char *value;
		uint32_t want;
	} good[] = {{"1", 1},	   {"500000", 500000},	{"5e5", 500000}, {"0007", 7},
		    {"12e1", 120}, {"1e9", 1000000000}, {"9e0", 9}};
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED);
	struct dav2m_host_error error;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(
			dav2m_config_assign(&config, "threshold_tmiss", good[i].value, &error), 0);
		ck_assert_uint_eq(config.threshold_tmiss, good[i].want);
	}
	ck_assert_int_eq(dav2m_config_assign(&config, "preset", "paper", &error), 0);
	ck_assert_uint_eq(config.as_printed, 1);
}
END_TEST

START_TEST(assignments_refused)
{
	static const char *const bad[] = {
		"",	      "x",   "-1",   "1.5", "1e",   "1e-1", " 1", "1 ",
		"4294967296", "5e9", "1e10", "e5",  "0x10", "1e1x", "0",  "99999999999999999999"};
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED), before = config;
	struct dav2m_host_error error;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(dav2m_config_assign(&config, "window_inst", bad[i], &error) ==
				      DAV2M_HOST_CONFIG,
			      "'%s' was accepted", bad[i]);
		ck_assert_ptr_nonnull(
			strstr(error.text, "window_inst must be a whole number in [1, "));
		ck_assert_ptr_nonnull(strstr(error.text, "(progress)"));
	}
	ck_assert_int_eq(dav2m_config_assign(&config, "window", "1", &error), DAV2M_HOST_CONFIG);
	ck_assert_str_eq(error.text, "no field is named 'window'");
	ck_assert_int_eq(dav2m_config_assign(&config, "preset", "papers", &error),
			 DAV2M_HOST_CONFIG);
	ck_assert_str_eq(error.text,
			 "preset must be default, repaired, paper or bounded, not 'papers'");
	ck_assert_int_eq(dav2m_config_assign(NULL, "a", "1", &error), DAV2M_HOST_ARGUMENT);
	ck_assert_mem_eq(&config, &before, sizeof(config));
}
END_TEST

START_TEST(file_applied)
{
	const char *path = file_with("; comment\n[controller]\npreset = paper\n"
				     "threshold_tmiss = 5e5 ; half\n\nwindow_trans=50\n");
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED);
	struct dav2m_config want = preset(DAV2M_PRESET_PAPER);
	struct dav2m_host_error error = {""};

	want.threshold_tmiss = 500000;
	want.window_trans = 50;
	ck_assert_msg(dav2m_config_load(path, &config, &error) == 0, "%s", error.text);
	ck_assert_mem_eq(&config, &want, sizeof(config));
	scratch_remove();
}
END_TEST

static void assignment_note(void *context, size_t line, const char *name, const char *value)
{
	char *seen = context;
	size_t length = strlen(seen);

	snprintf(seen + length, 200 - length, "%zu %s=%s;", line, name, value);
}

START_TEST(file_seen)
{
	const char *path = file_with("[controller]\npreset = paper\n\nthreshold_tmiss = 5e5\n"
				     "window_trans=50\nwindow_inst = x\n");
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED), before = config;
	struct dav2m_host_error error = {""};
	char seen[200] = "";

	ck_assert_int_eq(dav2m_config_load_seen(path, &config, assignment_note, seen, &error),
			 DAV2M_HOST_CONFIG);
	ck_assert_str_eq(seen, "2 preset=paper;4 threshold_tmiss=5e5;5 window_trans=50;");
	ck_assert_mem_eq(&config, &before, sizeof(config));
	scratch_remove();
}
END_TEST

static const struct {
	const char *content;
	const char *place;
	const char *rule;
} broken[] = {
	{"[control]\nwindow_inst = 1\n", ":2: ", "the only section is [controller]"},
	{"window_inst = 1\nwindow_tmis = 2\n", ":2: ", "no field is named 'window_tmis'"},
	{"\n\n[controller]\nwindow_inst = many\n", ":4: ", "window_inst must be a whole number"},
	{"window_inst = 1\npreset = paper\n", ":2: ", "preset must come before the fields"},
	{"window_inst = 1\nnonsense\n", ":2: ", "must be 'name = value'"},
};

START_TEST(file_refused)
{
	const char *path = file_with(broken[_i].content);
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED), before = config;
	struct dav2m_host_error error = {""};
	char want[300];

	snprintf(want, sizeof(want), "%s%s", path, broken[_i].place);
	ck_assert_int_eq(dav2m_config_load(path, &config, &error), DAV2M_HOST_CONFIG);
	ck_assert_msg(!strncmp(error.text, want, strlen(want)), "'%s' does not begin '%s'",
		      error.text, want);
	ck_assert_msg(strstr(error.text, broken[_i].rule) != NULL, "'%s' lacks '%s'", error.text,
		      broken[_i].rule);
	ck_assert_mem_eq(&config, &before, sizeof(config));
	scratch_remove();
}
END_TEST

START_TEST(file_unreadable)
{
	static char line[3000];
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED);
	struct dav2m_host_error error;

	ck_assert_int_eq(dav2m_config_load("no/such/file", &config, &error), DAV2M_HOST_IO);
	ck_assert_ptr_nonnull(strstr(error.text, "no/such/file: cannot open"));
	ck_assert_int_eq(dav2m_config_load(".", &config, &error), DAV2M_HOST_IO);
	ck_assert_ptr_nonnull(strstr(error.text, "cannot read"));
	ck_assert_int_eq(dav2m_config_load(NULL, &config, &error), DAV2M_HOST_ARGUMENT);
	snprintf(line, sizeof(line), "window_inst = %2900d", 2);
	ck_assert_int_eq(dav2m_config_load(file_with(line), &config, &error), DAV2M_HOST_CONFIG);
	ck_assert_ptr_nonnull(strstr(error.text, ":1: the line is longer than libinih reads"));
	scratch_remove();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_file");
	TCase *all = tcase_create("config_file");
	SRunner *runner;
	int failed;

	tcase_add_test(all, assignments);
	tcase_add_test(all, assignments_refused);
	tcase_add_test(all, file_applied);
	tcase_add_test(all, file_seen);
	tcase_add_loop_test(all, file_refused, 0, sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(all, file_unreadable);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
