/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: test_palacios_docs docs/palacios.md
 *
 * The XML reference has a row for each field of struct dav2m_config with its unit, its range and
 * the default of each preset, and no row for a field that there is not; its example names a preset
 * that there is.
 */
#include <check.h>
#include <dav2m/dav2m.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[1 << 16];

static void preset(enum dav2m_preset which, struct dav2m_config *ret_config)
{
	ret_config->size = sizeof(*ret_config);
	ck_assert_int_eq(dav2m_config_preset(which, ret_config), 0);
}

START_TEST(each_field_has_its_row)
{
	const struct dav2m_config_field *field;
	struct dav2m_config usual, paper, bounded;
	size_t i;

	preset(DAV2M_PRESET_REPAIRED, &usual);
	preset(DAV2M_PRESET_PAPER, &paper);
	preset(DAV2M_PRESET_BOUNDED, &bounded);
	for (i = 0; (field = dav2m_config_field(i)); i++) {
		uint32_t a, b, c;
		char row[256];

		ck_assert_int_eq(dav2m_config_get(&usual, field->name, &a), 0);
		ck_assert_int_eq(dav2m_config_get(&paper, field->name, &b), 0);
		ck_assert_int_eq(dav2m_config_get(&bounded, field->name, &c), 0);
		snprintf(row, sizeof(row), "\n| `%s` | %s | %u | %u | %u | %u | %u |", field->name,
			 field->unit, field->min, field->max, a, b, c);
		ck_assert_msg(strstr(text, row) != NULL, "docs/palacios.md lacks the row%s", row);
	}
}
END_TEST

START_TEST(each_row_has_its_field)
{
	const char *at = strstr(text, "\n| field |");
	size_t fields = 0, rows = 0;

	while (dav2m_config_field(fields))
		fields++;
	ck_assert_ptr_nonnull(at);
	while ((at = strchr(at + 1, '\n')) && at[1] == '|')
		rows++;
	ck_assert_uint_eq(rows - 1, fields);
}
END_TEST

START_TEST(the_example_names_a_preset)
{
	const char *at = strstr(text, "<preset>");
	int i, known = 0;

	ck_assert_ptr_nonnull(at);
	for (i = 0; i < DAV2M_PRESETS; i++) {
		char element[64];

		snprintf(element, sizeof(element), "<preset>%s</preset>",
			 dav2m_preset_name((enum dav2m_preset)i));
		known += !strncmp(at, element, strlen(element));
	}
	ck_assert_int_eq(known, 1);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("palacios docs");
	TCase *tcase = tcase_create("reference");
	SRunner *runner;
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	int failed;

	if (!file) {
		fprintf(stderr, "usage: test_palacios_docs docs/palacios.md\n");
		return EXIT_FAILURE;
	}
	text[fread(text, 1, sizeof(text) - 1, file)] = 0;
	fclose(file);
	tcase_add_test(tcase, each_field_has_its_row);
	tcase_add_test(tcase, each_row_has_its_field);
	tcase_add_test(tcase, the_example_names_a_preset);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
