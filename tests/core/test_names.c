/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names: each value of each enum has one of its own, everything else is "?".
 */
#include <ctype.h>

#include "rig.h"

#define NAMES(type)                                                                                \
	static const char *type##_of(int value)                                                    \
	{                                                                                          \
		return dav2m_##type##_name((enum dav2m_##type)value);                              \
	}

NAMES(mode)
NAMES(state)
NAMES(reason)
NAMES(action)
NAMES(outcome)
NAMES(pin)
NAMES(counter)
NAMES(preset)
NAMES(surety)

/* Errors are negative; here they count up like the others. */
static const char *error_of(int value)
{
	return dav2m_error_name((enum dav2m_error) - value);
}

static const struct {
	const char *(*name_of)(int value);
	int count;
	const char *first;
	const char *last;
} enums[] = {
	{mode_of, DAV2M_MODES, "shadow", "nested"},
	{state_of, DAV2M_STATES, "shadow", "preshadow"},
	{reason_of, DAV2M_REASONS, "waiting", "no_progress"},
	{action_of, 2, "stay", "switch"},
	{outcome_of, DAV2M_OUTCOMES, "done", "failed"},
	{pin_of, DAV2M_PINS, "shadow", "none"},
	{counter_of, DAV2M_COUNTERS, "progress", "tlb_flushes"},
	{preset_of, DAV2M_PRESETS, "repaired", "bounded"},
	{surety_of, DAV2M_SURETIES, "guessed", "modelled"},
	{error_of, -DAV2M_ERR_BACKEND + 1, "ok", "backend failed"},
};

static void expect_lower_case(const char *name)
{
	ck_assert_uint_gt(strlen(name), 1);
	for (; *name; name++)
		ck_assert_msg(!isupper((unsigned char)*name), "upper case in '%s'", name);
}

START_TEST(names_of_values)
{
	for (int value = 0; value < enums[_i].count; value++) {
		const char *name = enums[_i].name_of(value);

		expect_lower_case(name);
		for (int other = 0; other < value; other++)
			ck_assert_str_ne(name, enums[_i].name_of(other));
	}
	ck_assert_str_eq(enums[_i].name_of(0), enums[_i].first);
	ck_assert_str_eq(enums[_i].name_of(enums[_i].count - 1), enums[_i].last);
}
END_TEST

START_TEST(names_outside)
{
	ck_assert_str_eq(enums[_i].name_of(enums[_i].count), "?");
	ck_assert_str_eq(enums[_i].name_of(-1), "?");
	ck_assert_str_eq(enums[_i].name_of(INT32_MAX), "?");
}
END_TEST

START_TEST(modes_of_states)
{
	static const enum dav2m_mode want[DAV2M_STATES] = {DAV2M_SHADOW, DAV2M_NESTED, DAV2M_NESTED,
							   DAV2M_NESTED, DAV2M_SHADOW};

	for (int state = 0; state < DAV2M_STATES; state++)
		ck_assert_int_eq(dav2m_state_mode((enum dav2m_state)state), want[state]);
	ck_assert_int_eq(dav2m_state_mode((enum dav2m_state)DAV2M_STATES), DAV2M_SHADOW);
}
END_TEST

START_TEST(version)
{
	ck_assert_str_eq(dav2m_version(), DAV2M_VERSION);
}
END_TEST

int main(void)
{
	const int count = (int)(sizeof(enums) / sizeof(enums[0]));
	TCase *tests = tcase_create("names");

	tcase_add_loop_test(tests, names_of_values, 0, count);
	tcase_add_loop_test(tests, names_outside, 0, count);
	tcase_add_test(tests, modes_of_states);
	tcase_add_test(tests, version);
	return rig_main("names", tests);
}
