/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a controller's config from INI files. The INI syntax itself is libinih's business.
 */
#include <dav2m/host/config_file.h>

#include "error.h"

#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECTION "controller"

/* Digits, then perhaps e and digits. Answers 0, or -1 if it is anything else or above 32 bits. */
static int number_parse(const char *text, uint32_t *ret_number)
{
	uint64_t number = 0;
	unsigned int exponent = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9' && number <= UINT32_MAX; at++)
		number = number * 10 + (uint64_t)(*at - '0');
	if (at == text || number > UINT32_MAX)
		return -1;
	if (*at == 'e' && at[1] >= '0' && at[1] <= '9' && !at[2])
		exponent = (unsigned int)(at[1] - '0');
	else if (*at)
		return -1;
	for (; exponent && number <= UINT32_MAX; exponent--)
		number *= 10;
	*ret_number = (uint32_t)number;
	return number <= UINT32_MAX ? 0 : -1;
}

static const struct dav2m_config_field *field_find(const char *name)
{
	const struct dav2m_config_field *field;
	size_t i;

	for (i = 0; (field = dav2m_config_field(i)); i++)
		if (!strcmp(field->name, name))
			return field;
	return NULL;
}

static int preset_assign(struct dav2m_config *config, const char *value,
			 struct dav2m_host_error *error)
{
	unsigned int preset;

	if (!strcmp(value, "default"))
		return dav2m_config_preset(DAV2M_PRESET_DEFAULT, config);
	for (preset = 0; preset < DAV2M_PRESETS; preset++)
		if (!strcmp(value, dav2m_preset_name((enum dav2m_preset)preset)))
			return dav2m_config_preset((enum dav2m_preset)preset, config);
	return dav2m_host_fail(error, DAV2M_HOST_CONFIG,
			       "preset must be default, repaired, paper or bounded, not '%.100s'",
			       value);
}

int dav2m_config_assign(struct dav2m_config *config, const char *name, const char *value,
			struct dav2m_host_error *error)
{
	const struct dav2m_config_field *field;
	uint32_t number;

	if (!config || !name || !value || config->size != sizeof(*config))
		return dav2m_host_fail(
			error, DAV2M_HOST_ARGUMENT,
			"dav2m_config_assign: NULL argument or config without its size");
	if (!strcmp(name, "preset"))
		return preset_assign(config, value, error);
	field = field_find(name);
	if (!field)
		return dav2m_host_fail(error, DAV2M_HOST_CONFIG, "no field is named '%.100s'",
				       name);
	if (number_parse(value, &number) || dav2m_config_set(config, name, number))
		return dav2m_host_fail(error, DAV2M_HOST_CONFIG,
				       "%s must be a whole number in [%" PRIu32 ", %" PRIu32
				       "] (%s), not '%.100s'",
				       name, field->min, field->max, field->unit, value);
	return 0;
}

struct ini_reading {
	const char *path;
	FILE *file;
	size_t line; /* read last */
	size_t assigned;
	int failed; /* negative enum dav2m_host_code of the first failure */
	struct dav2m_config *config;
	dav2m_config_see *see; /* or NULL */
	void *context;
	struct dav2m_host_error *error;
};

static void ini_fail(struct ini_reading *reading, const char *rule)
{
	if (!reading->failed)
		reading->failed = dav2m_host_fail_at(reading->error, DAV2M_HOST_CONFIG,
						     reading->path, reading->line, 0, "%s", rule);
}

/* libinih's reader: counts lines, because its handler is not told where it is. */
static char *ini_line(char *to, int size, void *context)
{
	struct ini_reading *reading = context;

	if (reading->failed || !fgets(to, size, reading->file))
		return NULL;
	reading->line++;
	if (!strchr(to, '\n') && !feof(reading->file))
		ini_fail(reading, "the line is longer than libinih reads");
	return to;
}

static int ini_assign(struct ini_reading *reading, const char *name, const char *value)
{
	struct dav2m_host_error error;
	int rc = dav2m_config_assign(reading->config, name, value, &error);

	if (rc)
		ini_fail(reading, error.text);
	else if (reading->see)
		reading->see(reading->context, reading->line, name, value);
	return rc;
}

/* libinih's handler; answers 1 for "go on". */
static int ini_field(void *context, const char *section, const char *name, const char *value)
{
	struct ini_reading *reading = context;

	if (reading->failed)
		return 0;
	if (*section && strcmp(section, SECTION) != 0)
		ini_fail(reading, "the only section is [" SECTION "]");
	else if (!strcmp(name, "preset") && reading->assigned)
		ini_fail(reading, "preset must come before the fields, which it would undo");
	else if (!ini_assign(reading, name, value))
		reading->assigned++;
	return !reading->failed;
}

int dav2m_config_load(const char *path, struct dav2m_config *config, struct dav2m_host_error *error)
{
	return dav2m_config_load_seen(path, config, NULL, NULL, error);
}

int dav2m_config_load_seen(const char *path, struct dav2m_config *config, dav2m_config_see *see,
			   void *context, struct dav2m_host_error *error)
{
	struct ini_reading reading = {
		.path = path, .config = config, .see = see, .context = context, .error = error};
	struct dav2m_config before;
	int line;

	if (!path || !config || config->size != sizeof(*config))
		return dav2m_host_fail(
			error, DAV2M_HOST_ARGUMENT,
			"dav2m_config_load: NULL argument or config without its size");
	reading.file = fopen(path, "re");
	if (!reading.file)
		return dav2m_host_fail_at(error, DAV2M_HOST_IO, path, 0, 0, "cannot open: %s",
					  strerror(errno));
	before = *config;
	line = ini_parse_stream(ini_line, &reading, ini_field, &reading);
	if (!reading.failed && ferror(reading.file))
		reading.failed =
			dav2m_host_fail_at(error, DAV2M_HOST_IO, path, 0, 0, "cannot read");
	if (!reading.failed && line) {
		reading.line = (size_t)line;
		ini_fail(&reading, "must be 'name = value', '[" SECTION "]' or a comment");
	}
	fclose(reading.file);
	if (reading.failed)
		*config = before;
	return reading.failed;
}
