/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads --preset, --config, --set and --start; see controller_options.h.
 */
#include "controller_options.h"

#include "command.h"
#include "judge_fields.h"

#include <dav2m/host/config_file.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_key { KEY_PRESET = 256, KEY_CONFIG, KEY_SET, KEY_START };

static const struct argp_option option_list[] = {
	{"preset", KEY_PRESET, "NAME", 0,
	 "start from this preset: default (which is bounded; repaired, if a threshold is set), "
	 "repaired, paper or bounded",
	 0},
	{"config", KEY_CONFIG, "FILE", 0, "apply an INI file of controller fields", 0},
	{"set", KEY_SET, "FIELD=VALUE", 0, "set one controller field; may be repeated", 0},
	{"start", KEY_START, "MODE", 0,
	 "mode that the controller begins in: shadow (default) or nested", 0},
	{NULL, 0, NULL, 0, NULL, 0},
};

void controller_options_init(struct controller_options *options)
{
	memset(options, 0, sizeof(*options));
	options->config.size = sizeof(options->config);
	dav2m_config_preset(DAV2M_PRESET_DEFAULT, &options->config);
	options->preset = options->config;
	snprintf(options->preset_name, sizeof(options->preset_name), "%s",
		 dav2m_preset_name(DAV2M_PRESET_DEFAULT));
	options->start = DAV2M_SHADOW;
}

/* Which field has this name; CONTROLLER_FIELDS: none. */
static size_t field_index(const char *name)
{
	const struct dav2m_config_field *field;
	size_t i;

	for (i = 0; i < CONTROLLER_FIELDS && (field = dav2m_config_field(i)); i++)
		if (!strcmp(field->name, name))
			return i;
	return CONTROLLER_FIELDS;
}

int controller_options_have(const struct controller_options *options, const char *field)
{
	const size_t i = field_index(field);

	return i < CONTROLLER_FIELDS && options->origin[i].set;
}

/* Never 0, which would be no threshold. */
static uint32_t proportion(uint32_t value, uint64_t from, uint64_t to)
{
	__extension__ const unsigned __int128 scaled = (unsigned __int128)value * to / from;

	return scaled < 1 ? 1 : scaled > UINT32_MAX ? UINT32_MAX : (uint32_t)scaled;
}

void controller_thresholds_scale(struct dav2m_config *config,
				 const struct controller_options *options, uint64_t from,
				 uint64_t to)
{
	if (!options || !controller_options_have(options, "threshold_vmexit"))
		config->threshold_vmexit = proportion(config->threshold_vmexit, from, to);
	if (!options || !controller_options_have(options, "threshold_tmiss"))
		config->threshold_tmiss = proportion(config->threshold_tmiss, from, to);
}

static void origin_note(struct controller_options *options, const char *field,
			struct field_origin origin)
{
	const size_t i = field_index(field);

	if (i < CONTROLLER_FIELDS)
		options->origin[i] = origin;
}

/* It has just been taken, and undoes what was set before. Whatever it was called, it goes by the
   name that tables have. */
static void preset_note(struct controller_options *options, const char *name)
{
	if (!strcmp(name, "default"))
		name = dav2m_preset_name(DAV2M_PRESET_DEFAULT);
	options->preset = options->config;
	options->preset_given = 1;
	snprintf(options->preset_name, sizeof(options->preset_name), "%s", name);
	memset(options->origin, 0, sizeof(options->origin));
}

static void preset_parse(struct controller_options *options, const char *text,
			 struct argp_state *state)
{
	struct dav2m_host_error error;

	if (options->configured)
		argp_error(state,
			   "--preset must come before --config and --set, which it would undo");
	if (dav2m_config_assign(&options->config, "preset", text, &error))
		argp_error(state, "--preset: %s", error.text);
	preset_note(options, text);
}

struct file {
	struct controller_options *options;
	const char *path;
	int undoes; /* its preset, what stood before on the line */
};

static void file_see(void *context, size_t line, const char *name, const char *value)
{
	struct file *file = context;

	if (strcmp(name, "preset") != 0) {
		origin_note(file->options, name, (struct field_origin){file->path, line, 1});
		return;
	}
	file->undoes = file->options->configured;
	preset_note(file->options, value);
}

/* A config file is no part of the command line: what is wrong in it exits with 1. */
static void config_load(struct controller_options *options, const char *path,
			struct argp_state *state)
{
	struct file file = {options, path, 0};
	struct dav2m_host_error error;

	if (dav2m_config_load_seen(path, &options->config, file_see, &file, &error)) {
		complain("%s", error.text);
		exit(COMMAND_FAILED);
	}
	if (file.undoes)
		argp_error(state,
			   "--config: the preset in %s would undo the --config and --set before it",
			   path);
	options->configured = 1;
}

static void set_parse(struct controller_options *options, const char *text,
		      struct argp_state *state)
{
	const char *equals = strchr(text, '=');
	struct dav2m_host_error error;
	char name[64];

	if (!equals || equals == text || (size_t)(equals - text) >= sizeof(name)) {
		argp_error(state, "--set: '%s' is not FIELD=VALUE", text);
		return;
	}
	memcpy(name, text, (size_t)(equals - text));
	name[equals - text] = 0;
	if (!strcmp(name, "preset"))
		argp_error(state, "--set: a preset is chosen by --preset");
	else if (dav2m_config_assign(&options->config, name, equals + 1, &error))
		argp_error(state, "--set: %s", error.text);
	origin_note(options, name, (struct field_origin){.set = 1});
	options->configured = 1;
}

static void start_parse(struct controller_options *options, const char *text,
			struct argp_state *state)
{
	if (!strcmp(text, "shadow"))
		options->start = DAV2M_SHADOW;
	else if (!strcmp(text, "nested"))
		options->start = DAV2M_NESTED;
	else
		argp_error(state, "--start: '%s' is neither shadow nor nested", text);
}

/* A field that was set and is not used. */
static void unused_tell(const struct controller_options *options, const char *field,
			const struct field_origin *origin, struct argp_state *state)
{
	char text[200];

	if (controller_options_have(options, "judge"))
		snprintf(text, sizeof(text), "%s has no effect with judge %u", field,
			 options->config.judge);
	else
		snprintf(text, sizeof(text), "%s has no effect with preset %s", field,
			 options->preset_name);
	if (origin->path)
		complain("%s:%zu: %s: the %s judge does not use it", origin->path, origin->line,
			 text, judge_name(options->config.judge));
	else
		argp_error(state, "--set: %s: the %s judge does not use it", text,
			   judge_name(options->config.judge));
}

/* Who sets a threshold and names no preset wants the judge that has thresholds: the repaired
   preset, with all that was set. */
static void preset_suit(struct controller_options *options)
{
	const struct dav2m_config set = options->config;
	const struct dav2m_config_field *field;
	size_t i, unused = 0;
	uint32_t value;

	for (i = 0; i < CONTROLLER_FIELDS && (field = dav2m_config_field(i)); i++)
		unused += options->origin[i].set && !judge_uses(set.judge, field->name);
	if (!unused || options->preset_given || controller_options_have(options, "judge"))
		return;
	dav2m_config_preset(DAV2M_PRESET_REPAIRED, &options->config);
	options->preset = options->config;
	snprintf(options->preset_name, sizeof(options->preset_name), "%s",
		 dav2m_preset_name(DAV2M_PRESET_REPAIRED));
	for (i = 0; i < CONTROLLER_FIELDS && (field = dav2m_config_field(i)); i++)
		if (options->origin[i].set && !dav2m_config_get(&set, field->name, &value))
			dav2m_config_set(&options->config, field->name, value);
}

static void fields_check(struct controller_options *options, struct argp_state *state)
{
	const struct dav2m_config_field *field;
	size_t i;

	preset_suit(options);
	for (i = 0; i < CONTROLLER_FIELDS && (field = dav2m_config_field(i)); i++)
		if (options->origin[i].set && !judge_uses(options->config.judge, field->name))
			unused_tell(options, field->name, &options->origin[i], state);
}

static error_t option_parse(int key, char *text, struct argp_state *state)
{
	struct controller_options *options = state->input;

	options->given |= key >= KEY_PRESET && key <= KEY_START;
	switch (key) {
	case KEY_PRESET:
		preset_parse(options, text, state);
		return 0;
	case KEY_CONFIG:
		config_load(options, text, state);
		return 0;
	case KEY_SET:
		set_parse(options, text, state);
		return 0;
	case KEY_START:
		start_parse(options, text, state);
		return 0;
	case ARGP_KEY_END:
		fields_check(options, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp controller_argp = {.options = option_list, .parser = option_parse};
