/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parameters: the presets, and one table of fields that validation, access by name, parsers and
 * documentation share. Why each value is what it is stands in <dav2m/config.h>.
 */
#include "core.h"

#define FIELD(member, unit, min, max)                                                              \
	{                                                                                          \
#member, unit, min, max, (uint16_t)offsetof(struct dav2m_config, member),          \
			(uint16_t)sizeof(((struct dav2m_config *)0)->member)                       \
	}

static const struct dav2m_config_field fields[] = {
	FIELD(window_inst, "progress", 1, UINT32_C(1) << 31),
	FIELD(threshold_vmexit, "paging exits", 1, UINT32_MAX),
	FIELD(threshold_tmiss, "TLB misses", 1, UINT32_MAX),
	FIELD(window_vmexit, "ticks", 1, UINT16_MAX),
	FIELD(window_prepaging, "ticks", 1, UINT16_MAX),
	FIELD(window_tmiss, "ticks", 1, UINT16_MAX),
	FIELD(window_trans, "ticks", 1, UINT16_MAX),
	FIELD(window_settle, "ticks", 0, UINT16_MAX),
	FIELD(threshold_min_div, "times", 1, UINT16_MAX),
	FIELD(threshold_max_times, "times", 1, UINT16_MAX),
	FIELD(p_factor_bp, "bp", 1, UINT16_MAX),
	FIELD(raise_bp, "bp", 0, UINT16_MAX),
	FIELD(lower_bp, "bp", 0, DAV2M_ONE_BP),
	FIELD(decay_bp, "bp", 0, DAV2M_ONE_BP),
	FIELD(as_printed, "flag", 0, 1),
	FIELD(counter_bits, "bits", 32, 64),
	FIELD(judge, "flag", 0, 1),
	FIELD(round_trip_ticks, "ticks", 1, 64),
	FIELD(regret_bp, "bp", 2500, 20000),
	FIELD(seed, "seed", 0, UINT16_MAX),
	FIELD(probe_share_bp, "bp", 0, 10000),
	FIELD(probe_loss_bp, "bp", 1, 40000),
	FIELD(shadow_walk_cycles, "cycles", 1, 4095),
	FIELD(nested_walk_cycles, "cycles", 1, 4095),
	FIELD(exit_cycles, "cycles", 1, UINT16_MAX),
};

static const struct dav2m_config presets[DAV2M_PRESETS] = {
	[DAV2M_PRESET_REPAIRED] =
		{
			.size = sizeof(struct dav2m_config),
			.window_inst = 100000000,
			.threshold_vmexit = 10000,
			.threshold_tmiss = 1000000,
			.window_vmexit = 1,
			.window_prepaging = 2,
			.window_tmiss = 10,
			.window_trans = 100,
			.window_settle = 1,
			.threshold_min_div = 4,
			.threshold_max_times = 64,
			.p_factor_bp = 10200,
			.raise_bp = 2500,
			.lower_bp = 1250,
			.decay_bp = 2500,
			.as_printed = 0,
			.counter_bits = 48,
			.judge = 0,
			.round_trip_ticks = 2,
			.regret_bp = 6000,
			.seed = 1,
			.probe_share_bp = 20,
			.probe_loss_bp = 2500,
			.shadow_walk_cycles = 20,
			.nested_walk_cycles = 60,
			.exit_cycles = 4000,
		},
	[DAV2M_PRESET_PAPER] =
		{
			.size = sizeof(struct dav2m_config),
			.window_inst = 100000000,
			.threshold_vmexit = 10000,
			.threshold_tmiss = 1000000,
			.window_vmexit = 1,
			.window_prepaging = 2,
			.window_tmiss = 10,
			.window_trans = 100,
			.window_settle = 0,
			.threshold_min_div = 4,
			.threshold_max_times = 64,
			.p_factor_bp = 11000,
			.raise_bp = 2500,
			.lower_bp = 0,
			.decay_bp = 0,
			.as_printed = 1,
			.counter_bits = 48,
			.judge = 0,
			.round_trip_ticks = 2,
			.regret_bp = 6000,
			.seed = 1,
			.probe_share_bp = 20,
			.probe_loss_bp = 2500,
			.shadow_walk_cycles = 20,
			.nested_walk_cycles = 60,
			.exit_cycles = 4000,
		},
	[DAV2M_PRESET_BOUNDED] =
		{
			.size = sizeof(struct dav2m_config),
			.window_inst = 25000000,
			.threshold_vmexit = 10000,
			.threshold_tmiss = 1000000,
			.window_vmexit = 1,
			.window_prepaging = 1,
			.window_tmiss = 1,
			.window_trans = 100,
			.window_settle = 1,
			.threshold_min_div = 4,
			.threshold_max_times = 64,
			.p_factor_bp = 10200,
			.raise_bp = 2500,
			.lower_bp = 1250,
			.decay_bp = 2500,
			.as_printed = 0,
			.counter_bits = 48,
			.judge = 1,
			.round_trip_ticks = 8,
			.regret_bp = 6000,
			.seed = 1,
			.probe_share_bp = 20,
			.probe_loss_bp = 2500,
			.shadow_walk_cycles = 20,
			.nested_walk_cycles = 60,
			.exit_cycles = 4000,
		},
};

static int same(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return *a == *b;
}

static const struct dav2m_config_field *find(const char *name)
{
	for (size_t i = 0; i < DAV2M_ARRAY_SIZE(fields); i++)
		if (same(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static uint32_t load(const struct dav2m_config *config, const struct dav2m_config_field *field)
{
	const unsigned char *at = (const unsigned char *)config + field->offset;
	uint32_t wide;
	uint16_t half;

	switch (field->width) {
	case sizeof(wide):
		__builtin_memcpy(&wide, at, sizeof(wide));
		return wide;
	case sizeof(half):
		__builtin_memcpy(&half, at, sizeof(half));
		return half;
	default:
		return *at;
	}
}

static void store(struct dav2m_config *config, const struct dav2m_config_field *field,
		  uint32_t value)
{
	unsigned char *at = (unsigned char *)config + field->offset;
	uint16_t half = (uint16_t)value;

	switch (field->width) {
	case sizeof(value):
		__builtin_memcpy(at, &value, sizeof(value));
		break;
	case sizeof(half):
		__builtin_memcpy(at, &half, sizeof(half));
		break;
	default:
		*at = (unsigned char)value;
	}
}

int dav2m_config_preset(enum dav2m_preset preset, struct dav2m_config *ret_config)
{
	if (!ret_config)
		return DAV2M_ERR_NULL;
	if (ret_config->size != sizeof(*ret_config))
		return DAV2M_ERR_SIZE;
	if ((unsigned int)preset >= DAV2M_PRESETS)
		return DAV2M_ERR_RANGE;
	*ret_config = presets[preset];
	return DAV2M_OK;
}

static const char *broken_range(const struct dav2m_config *config, const char **ret_field)
{
	for (size_t i = 0; i < DAV2M_ARRAY_SIZE(fields); i++) {
		uint32_t value = load(config, &fields[i]);

		*ret_field = fields[i].name;
		if (value < fields[i].min)
			return "is below its smallest value";
		if (value > fields[i].max)
			return "is above its largest value";
	}
	return NULL;
}

static const char *broken_order(const struct dav2m_config *config, const char **ret_field)
{
	*ret_field = "window_vmexit";
	if (config->window_vmexit > config->window_tmiss)
		return "must not exceed window_tmiss";
	*ret_field = "window_tmiss";
	if (config->window_tmiss > config->window_trans)
		return "must not exceed window_trans";
	*ret_field = "window_settle";
	if (config->window_settle > config->window_trans)
		return "must not exceed window_trans";
	*ret_field = "window_tmiss";
	if (config->judge && config->window_tmiss != 1)
		return "must be 1 for the regret judge";
	return NULL;
}

int dav2m_config_check(const struct dav2m_config *config, struct dav2m_config_fault *ret_fault)
{
	const char *field, *rule;

	if (!config)
		return DAV2M_ERR_NULL;
	if (config->size != sizeof(*config))
		return DAV2M_ERR_SIZE;
	rule = broken_range(config, &field);
	if (!rule)
		rule = broken_order(config, &field);
	if (!rule)
		return DAV2M_OK;
	if (ret_fault)
		*ret_fault = (struct dav2m_config_fault){field, rule};
	return DAV2M_ERR_CONFIG;
}

const struct dav2m_config_field *dav2m_config_field(size_t index)
{
	return index < DAV2M_ARRAY_SIZE(fields) ? &fields[index] : NULL;
}

int dav2m_config_set(struct dav2m_config *config, const char *name, uint32_t value)
{
	const struct dav2m_config_field *field;

	if (!config || !name)
		return DAV2M_ERR_NULL;
	if (config->size != sizeof(*config))
		return DAV2M_ERR_SIZE;
	field = find(name);
	if (!field)
		return DAV2M_ERR_NAME;
	if (value < field->min || value > field->max)
		return DAV2M_ERR_RANGE;
	store(config, field, value);
	return DAV2M_OK;
}

int dav2m_config_get(const struct dav2m_config *config, const char *name, uint32_t *ret_value)
{
	const struct dav2m_config_field *field;

	if (!config || !name || !ret_value)
		return DAV2M_ERR_NULL;
	if (config->size != sizeof(*config))
		return DAV2M_ERR_SIZE;
	field = find(name);
	if (!field)
		return DAV2M_ERR_NAME;
	*ret_value = load(config, field);
	return DAV2M_OK;
}
