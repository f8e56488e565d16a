/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options that describe a controller, the same in every command that runs one: --preset,
 * --config, --set and --start.
 */
#ifndef DAV2M_TOOLS_CONTROLLER_OPTIONS_H
#define DAV2M_TOOLS_CONTROLLER_OPTIONS_H

#include <dav2m/config.h>

#include <argp.h>

#define CONTROLLER_FIELDS 64 /* more than a config has */

/* What set a field last: a line of a file, or --set; all 0: the preset. */
struct field_origin {
	const char *path; /* NULL: --set */
	size_t line;	  /* of the file */
	int set;
};

struct controller_options {
	struct dav2m_config config;
	struct dav2m_config preset; /* config before --config and --set */
	char preset_name[16];
	int preset_given;			       /* by --preset or a file */
	struct field_origin origin[CONTROLLER_FIELDS]; /* of dav2m_config_field() */
	int configured;				       /* a --config or --set stood on the line */
	enum dav2m_mode start;
	int given; /* any of these options stood on the line */
};

/* The default preset, in shadow mode: for before the parsing. */
void controller_options_init(struct controller_options *options);

/* Whether --set or a file set this field. */
int controller_options_have(const struct controller_options *options, const char *field);

/*
 * Thresholds count events per window: the ones that options did not set (NULL: none is) go from a
 * window with so much work in it to one with another amount. What was set stays as it is.
 */
void controller_thresholds_scale(struct dav2m_config *config,
				 const struct controller_options *options, uint64_t from,
				 uint64_t to);

/*
 * A child of the command's own parser, which hands it its struct controller_options as
 * child_inputs[0] at ARGP_KEY_INIT. When the parent is told ARGP_KEY_END the options are complete;
 * the rules between fields are for the parent to check. A field that the controller's judge does
 * not use is refused in a --set, and told in a file, which may have been written for another.
 */
extern const struct argp controller_argp;

#endif
