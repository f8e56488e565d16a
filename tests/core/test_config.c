/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parameters: what the presets say, what each field accepts, what each mistake is told.
 */
#include "rig.h"

static const struct {
	const char *name;
	uint32_t preset[DAV2M_PRESETS];
	uint32_t min;
	uint32_t max;
} table[] = {
	{"window_inst", {100000000, 100000000, 25000000}, 1, UINT32_C(1) << 31},
	{"threshold_vmexit", {10000, 10000, 10000}, 1, UINT32_MAX},
	{"threshold_tmiss", {1000000, 1000000, 1000000}, 1, UINT32_MAX},
	{"window_vmexit", {1, 1, 1}, 1, 65535},
	{"window_prepaging", {2, 2, 1}, 1, 65535},
	{"window_tmiss", {10, 10, 1}, 1, 65535},
	{"window_trans", {100, 100, 100}, 1, 65535},
	{"window_settle", {1, 0, 1}, 0, 65535},
	{"threshold_min_div", {4, 4, 4}, 1, 65535},
	{"threshold_max_times", {64, 64, 64}, 1, 65535},
	{"p_factor_bp", {10200, 11000, 10200}, 1, 65535},
	{"raise_bp", {2500, 2500, 2500}, 0, 65535},
	{"lower_bp", {1250, 0, 1250}, 0, 10000},
	{"decay_bp", {2500, 0, 2500}, 0, 10000},
	{"as_printed", {0, 1, 0}, 0, 1},
	{"counter_bits", {48, 48, 48}, 32, 64},
	{"judge", {0, 0, 1}, 0, 1},
	{"round_trip_ticks", {2, 2, 8}, 1, 64},
	{"regret_bp", {6000, 6000, 6000}, 2500, 20000},
	{"seed", {1, 1, 1}, 0, 65535},
	{"probe_share_bp", {20, 20, 20}, 0, 10000},
	{"probe_loss_bp", {2500, 2500, 2500}, 1, 40000},
	{"shadow_walk_cycles", {20, 20, 20}, 1, 4095},
	{"nested_walk_cycles", {60, 60, 60}, 1, 4095},
	{"exit_cycles", {4000, 4000, 4000}, 1, 65535},
};
#define FIELDS ((int)(sizeof(table) / sizeof(table[0])))

static struct dav2m_config preset(enum dav2m_preset which)
{
	struct dav2m_config config = {.size = sizeof(config)};

	ck_assert_int_eq(dav2m_config_preset(which, &config), 0);
	return config;
}

/* Writes a field behind the library's back; little-endian or not, by width. */
static void force(struct dav2m_config *config, const struct dav2m_config_field *field,
		  uint32_t value)
{
	unsigned char *at = (unsigned char *)config + field->offset;
	uint16_t half = (uint16_t)value;
	uint8_t byte = (uint8_t)value;

	if (field->width == sizeof(value))
		memcpy(at, &value, sizeof(value));
	else if (field->width == sizeof(half))
		memcpy(at, &half, sizeof(half));
	else
		memcpy(at, &byte, sizeof(byte));
}

START_TEST(presets)
{
	for (int which = 0; which < DAV2M_PRESETS; which++) {
		struct dav2m_config config = preset((enum dav2m_preset)which);
		uint32_t value;

		for (int i = 0; i < FIELDS; i++) {
			ck_assert_int_eq(dav2m_config_get(&config, table[i].name, &value), 0);
			ck_assert_msg(value == table[i].preset[which], "%s: %u", table[i].name,
				      value);
		}
		ck_assert_uint_eq(config.size, sizeof(config));
		ck_assert_int_eq(dav2m_config_check(&config, NULL), 0);
	}
}
END_TEST

/* The fields follow each other and end with the struct: none is left out. */
START_TEST(fields_complete)
{
	size_t offset = sizeof(uint32_t);

	for (int i = 0; i < FIELDS; i++) {
		const struct dav2m_config_field *field = dav2m_config_field((size_t)i);

		ck_assert_ptr_nonnull(field);
		ck_assert_str_eq(field->name, table[i].name);
		ck_assert_uint_eq(field->min, table[i].min);
		ck_assert_uint_eq(field->max, table[i].max);
		ck_assert_uint_eq(field->offset, offset);
		ck_assert_uint_gt(strlen(field->unit), 0);
		offset += field->width;
	}
	ck_assert_uint_eq(offset, sizeof(struct dav2m_config));
	ck_assert_ptr_null(dav2m_config_field((size_t)FIELDS));
	ck_assert_ptr_null(dav2m_config_field(SIZE_MAX));
}
END_TEST

START_TEST(set_within_range)
{
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED), before = config;
	const char *name = table[_i].name;
	uint32_t value;

	ck_assert_int_eq(dav2m_config_set(&config, name, table[_i].min), 0);
	ck_assert_int_eq(dav2m_config_get(&config, name, &value), 0);
	ck_assert_uint_eq(value, table[_i].min);
	ck_assert_int_eq(dav2m_config_set(&config, name, table[_i].max), 0);
	ck_assert_int_eq(dav2m_config_get(&config, name, &value), 0);
	ck_assert_uint_eq(value, table[_i].max);
	/* Nothing beside the field has changed. */
	ck_assert_int_eq(dav2m_config_set(&config, name, table[_i].preset[0]), 0);
	ck_assert_mem_eq(&config, &before, sizeof(config));
}
END_TEST

START_TEST(set_outside_range)
{
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED), before = config;
	const char *name = table[_i].name;

	if (table[_i].min > 0)
		ck_assert_int_eq(dav2m_config_set(&config, name, table[_i].min - 1),
				 DAV2M_ERR_RANGE);
	if (table[_i].max < UINT32_MAX) {
		ck_assert_int_eq(dav2m_config_set(&config, name, table[_i].max + 1),
				 DAV2M_ERR_RANGE);
		ck_assert_int_eq(dav2m_config_set(&config, name, UINT32_MAX), DAV2M_ERR_RANGE);
	}
	ck_assert_mem_eq(&config, &before, sizeof(config));
}
END_TEST

static void expect_fault(const struct dav2m_config *config, const char *field, const char *rule)
{
	struct dav2m_config_fault fault = {NULL, NULL};

	ck_assert_int_eq(dav2m_config_check(config, NULL), DAV2M_ERR_CONFIG);
	ck_assert_int_eq(dav2m_config_check(config, &fault), DAV2M_ERR_CONFIG);
	ck_assert_str_eq(fault.field, field);
	ck_assert_str_eq(fault.rule, rule);
}

START_TEST(check_names_field)
{
	const struct dav2m_config_field *field = dav2m_config_field((size_t)_i);
	uint32_t widest = (uint32_t)((UINT64_C(1) << 8 * field->width) - 1);
	struct dav2m_config config = preset(DAV2M_PRESET_PAPER);

	if (field->min > 0) {
		force(&config, field, field->min - 1);
		expect_fault(&config, field->name, "is below its smallest value");
	}
	if (field->max < widest) {
		force(&config, field, field->max + 1);
		expect_fault(&config, field->name, "is above its largest value");
	}
	force(&config, field, table[_i].preset[DAV2M_PRESET_PAPER]);
	ck_assert_int_eq(dav2m_config_check(&config, NULL), 0);
}
END_TEST

START_TEST(check_order)
{
	struct dav2m_config_fault fault = {"untouched", "too"};
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED);

	config.window_vmexit = config.window_tmiss = config.window_trans = 7;
	ck_assert_int_eq(dav2m_config_check(&config, &fault), 0);
	ck_assert_str_eq(fault.field, "untouched");
	ck_assert_str_eq(fault.rule, "too");
	config.window_vmexit = 8;
	expect_fault(&config, "window_vmexit", "must not exceed window_tmiss");
	config.window_vmexit = 7;
	config.window_trans = 6;
	expect_fault(&config, "window_tmiss", "must not exceed window_trans");
	config.window_trans = config.window_settle = 7;
	ck_assert_int_eq(dav2m_config_check(&config, NULL), 0);
	config.window_settle = 8;
	expect_fault(&config, "window_settle", "must not exceed window_trans");
}
END_TEST

/* What holds for the regret judge alone. */
START_TEST(check_judge)
{
	struct dav2m_config config = preset(DAV2M_PRESET_BOUNDED);

	config.window_tmiss = 2;
	expect_fault(&config, "window_tmiss", "must be 1 for the regret judge");
	config.judge = 0;
	ck_assert_int_eq(dav2m_config_check(&config, NULL), 0);
}
END_TEST

START_TEST(unknown_names)
{
	static const char *const names[] = {
		"", "size", "window_ins", "window_inst_", "Window_inst", "window"};
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED), before = config;
	uint32_t value = 42;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_int_eq(dav2m_config_set(&config, names[i], 1), DAV2M_ERR_NAME);
		ck_assert_int_eq(dav2m_config_get(&config, names[i], &value), DAV2M_ERR_NAME);
	}
	ck_assert_uint_eq(value, 42);
	ck_assert_mem_eq(&config, &before, sizeof(config));
}
END_TEST

START_TEST(null_pointers)
{
	struct dav2m_config_fault fault = {NULL, NULL};
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED);
	uint32_t value;

	ck_assert_int_eq(dav2m_config_preset(DAV2M_PRESET_PAPER, NULL), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_config_check(NULL, &fault), DAV2M_ERR_NULL);
	ck_assert_ptr_null(fault.field);
	ck_assert_int_eq(dav2m_config_set(NULL, "raise_bp", 1), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_config_set(&config, NULL, 1), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_config_get(NULL, "raise_bp", &value), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_config_get(&config, NULL, &value), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_config_get(&config, "raise_bp", NULL), DAV2M_ERR_NULL);
}
END_TEST

START_TEST(wrong_size)
{
	static const uint32_t sizes[] = {0, sizeof(struct dav2m_config) - 1,
					 sizeof(struct dav2m_config) + 1};
	struct dav2m_config_fault fault = {NULL, NULL};
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED), before;
	uint32_t value;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		config.size = sizes[i];
		before = config;
		ck_assert_int_eq(dav2m_config_preset(DAV2M_PRESET_PAPER, &config), DAV2M_ERR_SIZE);
		ck_assert_int_eq(dav2m_config_check(&config, &fault), DAV2M_ERR_SIZE);
		ck_assert_int_eq(dav2m_config_set(&config, "raise_bp", 1), DAV2M_ERR_SIZE);
		ck_assert_int_eq(dav2m_config_get(&config, "raise_bp", &value), DAV2M_ERR_SIZE);
		ck_assert_mem_eq(&config, &before, sizeof(config));
	}
	ck_assert_ptr_null(fault.field);
}
END_TEST

START_TEST(no_such_preset)
{
	struct dav2m_config config = preset(DAV2M_PRESET_REPAIRED), before = config;

	ck_assert_int_eq(dav2m_config_preset((enum dav2m_preset)DAV2M_PRESETS, &config),
			 DAV2M_ERR_RANGE);
	ck_assert_int_eq(dav2m_config_preset((enum dav2m_preset) - 1, &config), DAV2M_ERR_RANGE);
	ck_assert_mem_eq(&config, &before, sizeof(config));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("config");

	tcase_add_test(tests, presets);
	tcase_add_test(tests, fields_complete);
	tcase_add_loop_test(tests, set_within_range, 0, FIELDS);
	tcase_add_loop_test(tests, set_outside_range, 0, FIELDS);
	tcase_add_loop_test(tests, check_names_field, 0, FIELDS);
	tcase_add_test(tests, check_order);
	tcase_add_test(tests, check_judge);
	tcase_add_test(tests, unknown_names);
	tcase_add_test(tests, null_pointers);
	tcase_add_test(tests, wrong_size);
	tcase_add_test(tests, no_such_preset);
	return rig_main("config", tests);
}
