/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The extension's XML section: every field of struct dav2m_config by its name, and the few
 * options below. Each may be an element or an attribute. A name that nobody knows, one that is
 * given twice, and a value outside its range are errors that say so; Palacios' own number
 * parsers would take them for 0.
 */
#include "ext_dav2m.h"

#include <palacios/vmm_config.h>
#include <palacios/vmm_xml.h>

struct option {
	const char *name;
	const char *const *words; /* the word's index is the value */
	uint8_t words_n;
	uint16_t offset; /* in struct ext_dav2m_settings */
};

static const char *const preset_words[] = {"repaired", "paper", "bounded"};
static const char *const force_words[] = {"shadow", "nested", "none"}; /* enum dav2m_pin */
static const char *const switch_words[] = {"off", "on"};

#define SETTING(member) (uint16_t) __builtin_offsetof(struct ext_dav2m_settings, member)
#define WORDS(list)	(list), (uint8_t)(sizeof(list) / sizeof((list)[0]))

static const struct option options[] = {
	{"force", WORDS(force_words), SETTING(force)},
	{"dry_run", WORDS(switch_words), SETTING(dry_run)},
	{"hypercall", WORDS(switch_words), SETTING(hypercall)},
	{"trace", WORDS(switch_words), SETTING(trace)},
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const char *skip_space(const char *text)
{
	while (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')
		text++;
	return text;
}

/* A whole decimal number with nothing but white space around it; 0 when it was one. */
static int parse_number(const char *text, uint32_t *ret_value)
{
	uint64_t value = 0;

	text = skip_space(text);
	if (*text < '0' || *text > '9')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++) {
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > UINT32_MAX)
			return -1;
	}
	*ret_value = (uint32_t)value;
	return *skip_space(text) ? -1 : 0;
}

/* The index of the word, or -1. */
static int parse_word(const char *text, const char *const *words, uint8_t n)
{
	uint8_t i;

	text = skip_space(text);
	for (i = 0; i < n; i++) {
		const size_t length = strlen(words[i]);

		if (!strncmp(text, words[i], length) && !*skip_space(text + length))
			return i;
	}
	return -1;
}

static int read_number(struct v3_vm_info *vm, const struct dav2m_config_field *field,
		       const char *text, struct dav2m_config *config)
{
	uint32_t value = 0;

	if (!parse_number(text, &value) && !dav2m_config_set(config, field->name, value))
		return 0;
	PrintError(vm, VCORE_NONE, "dav2m: <%s>%s: must be a whole number from %u to %u (%s)\n",
		   field->name, text, field->min, field->max, field->unit);
	return -1;
}

static int read_option(struct v3_vm_info *vm, const struct option *option, const char *text,
		       struct ext_dav2m_settings *settings)
{
	const int value = parse_word(text, option->words, option->words_n);

	if (value >= 0) {
		((uint8_t *)settings)[option->offset] = (uint8_t)value;
		return 0;
	}
	PrintError(vm, VCORE_NONE, "dav2m: <%s>%s: must be %s%s%s or %s\n", option->name, text,
		   option->words_n > 2 ? option->words[0] : "", option->words_n > 2 ? ", " : "",
		   option->words[option->words_n - 2], option->words[option->words_n - 1]);
	return -1;
}

static int read_one(struct v3_vm_info *vm, v3_cfg_tree_t *section, const char *name,
		    struct ext_dav2m_settings *settings)
{
	const struct dav2m_config_field *field;
	const char *text = v3_cfg_val(section, (char *)name);
	size_t i;

	if (!strcmp(name, "name") || !strcmp(name, "preset"))
		return 0;
	if (!text) {
		PrintError(vm, VCORE_NONE, "dav2m: <%s>: empty, or given twice\n", name);
		return -1;
	}
	for (i = 0; (field = dav2m_config_field(i)); i++)
		if (!strcmp(field->name, name))
			return read_number(vm, field, text, &settings->config);
	for (i = 0; i < OPTIONS; i++)
		if (!strcmp(options[i].name, name))
			return read_option(vm, &options[i], text, settings);
	PrintError(vm, VCORE_NONE, "dav2m: <%s>: there is no such parameter\n", name);
	return -1;
}

static int read_all(struct v3_vm_info *vm, v3_cfg_tree_t *section,
		    struct ext_dav2m_settings *settings)
{
	const struct v3_xml *child;
	size_t i;

	for (i = 0; section->attr && section->attr[i]; i += 2)
		if (read_one(vm, section, section->attr[i], settings))
			return -1;
	for (child = section->child; child; child = child->sibling) {
		if (child->next) {
			PrintError(vm, VCORE_NONE, "dav2m: <%s>: given twice\n", child->name);
			return -1;
		}
		if (read_one(vm, section, child->name, settings))
			return -1;
	}
	return 0;
}

/* Applied before all other fields, wherever it stands. */
static int read_preset(struct v3_vm_info *vm, v3_cfg_tree_t *section, struct dav2m_config *config)
{
	const char *text = v3_cfg_val(section, "preset");
	const int preset = text ? parse_word(text, WORDS(preset_words)) : DAV2M_PRESET_REPAIRED;

	if (preset < 0) {
		PrintError(vm, VCORE_NONE,
			   "dav2m: <preset>%s: must be repaired, paper or bounded\n", text);
		return -1;
	}
	config->size = sizeof(*config);
	return dav2m_config_preset((enum dav2m_preset)preset, config);
}

int ext_dav2m_config_read(struct v3_vm_info *vm, v3_cfg_tree_t *section,
			  struct ext_dav2m_settings *ret_settings)
{
	struct dav2m_config_fault fault = {"", ""};

	memset(ret_settings, 0, sizeof(*ret_settings));
	ret_settings->force = DAV2M_PIN_NONE;
	if (read_preset(vm, section, &ret_settings->config) || read_all(vm, section, ret_settings))
		return -1;
	if (!dav2m_config_check(&ret_settings->config, &fault))
		return 0;
	PrintError(vm, VCORE_NONE, "dav2m: <%s> %s\n", fault.field, fault.rule);
	return -1;
}
