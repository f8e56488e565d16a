/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every variant is a policy of one large matrix; views are played one after another.
 */
#include "sensitivity.h"

#include "fail.h"
#include "given.h"

#include <stdlib.h>
#include <string.h>

/* What a parameter is multiplied by, in quarters. */
static const uint32_t quarters[] = {1, 2, 4, 8, 16};
#define FACTORS	 5
#define AS_IT_IS 2

static const struct {
	const char *name;
	struct contest_view view;
} views[] = {
	{"noise 1 %", {.noise_bp = 100}},
	{"noise 10 %", {.noise_bp = 1000}},
	{"1 sample in 8 lost", {.lost_one_in = 8}},
	{"no walk cycles", {.hidden = DAV2M_BIT(DAV2M_WALK_CYCLES)}},
	{"no TLB flushes", {.hidden = DAV2M_BIT(DAV2M_TLB_FLUSHES)}},
	{"neither", {.hidden = DAV2M_BIT(DAV2M_WALK_CYCLES) | DAV2M_BIT(DAV2M_TLB_FLUSHES)}},
};
#define VIEWS (sizeof(views) / sizeof(views[0]))

static const struct report_column columns[] = {
	{"what", "what", "", 0, 0},
	{"value", "value", "", 0, 0},
	{"mean_quarter_percent", "mean at 1/4", "%", 2, 0},
	{"mean_half_percent", "1/2", "%", 2, 0},
	{"mean_percent", "as it is", "%", 2, 0},
	{"mean_double_percent", "2", "%", 2, 0},
	{"mean_fourfold_percent", "4", "%", 2, 0},
	{"worst_quarter_percent", "worst at 1/4", "%", 1, 0},
	{"worst_half_percent", "1/2", "%", 1, 0},
	{"worst_percent", "as it is", "%", 1, 0},
	{"worst_double_percent", "2", "%", 1, 0},
	{"worst_fourfold_percent", "4", "%", 1, 0},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* A number that can be stretched; what is 0 is off, and stays off. */
static int is_varied(const struct contest_policy *policy, const struct dav2m_config_field *field)
{
	uint32_t value = 0;

	dav2m_config_get(&policy->config, field->name, &value);
	return value && strcmp(field->unit, "flag") != 0 && strcmp(field->unit, "bits") != 0 &&
	       strcmp(field->name, CONTEST_COINS) != 0;
}

/* Answers whether the rules allow it; if not, the variant is the policy as it is. */
static int variant_make(const struct contest_policy *policy, const char *field, size_t factor,
			struct contest_policy *ret_variant)
{
	struct dav2m_config config = policy->config;
	uint32_t value = 0;
	uint64_t stretched;

	*ret_variant = *policy;
	dav2m_config_get(&config, field, &value);
	stretched = ((uint64_t)value * quarters[factor] + 2) / 4;
	if (stretched > UINT32_MAX || dav2m_config_set(&config, field, (uint32_t)stretched) ||
	    dav2m_config_check(&config, NULL))
		return 0;
	ret_variant->config = config;
	return 1;
}

struct varied {
	const struct dav2m_config_field *field;
	uint32_t value;
	int allowed[FACTORS];
};

struct sensitivity {
	struct contest_matrix *matrix;
	struct report *report;
	struct contest_policy base;
	struct varied *varied;
	size_t fields;
	char same[512]; /* fields that move nothing */
};

static size_t fields_count(void)
{
	size_t n = 0;

	while (dav2m_config_field(n))
		n++;
	return n;
}

/* Field i's variants are policies [i * FACTORS, (i + 1) * FACTORS). */
static int variants_play(struct sensitivity *s, struct dav2m_host_error *error)
{
	static const struct contest_view clear;
	size_t most = fields_count(), i, f;
	struct contest_policy *policy = calloc(most * FACTORS + 1, sizeof(*policy));
	const struct dav2m_config_field *field;
	int rc;

	s->varied = calloc(most + 1, sizeof(*s->varied));
	if (!policy || !s->varied) {
		free(policy);
		return tool_fail_memory(error);
	}
	for (i = 0; (field = dav2m_config_field(i)) != NULL; i++) {
		struct varied *varied = &s->varied[s->fields];

		if (!is_varied(&s->base, field))
			continue;
		varied->field = field;
		dav2m_config_get(&s->base.config, field->name, &varied->value);
		for (f = 0; f < FACTORS; f++)
			varied->allowed[f] = variant_make(&s->base, field->name, f,
							  &policy[s->fields * FACTORS + f]);
		s->fields++;
	}
	rc = contest_matrix_field(s->matrix, policy, s->fields * FACTORS, error);
	free(policy);
	return rc ? rc : contest_matrix_play(s->matrix, &clear, error);
}

/* Whether a field's variants all came to the same. */
static int moves_nothing(const struct sensitivity *s, size_t field)
{
	size_t c, f;

	for (c = 0; c < s->matrix->cells; c++)
		for (f = 0; f < FACTORS; f++)
			if (contest_result(s->matrix, c, field * FACTORS + f)->run.cycles !=
			    contest_result(s->matrix, c, field * FACTORS + AS_IT_IS)->run.cycles)
				return 0;
	return 1;
}

static void field_row(const struct sensitivity *s, size_t field)
{
	const struct varied *varied = &s->varied[field];
	struct contest_summary summary[FACTORS];
	size_t f;

	for (f = 0; f < FACTORS; f++)
		summary[f] = contest_summarize(s->matrix, field * FACTORS + f);
	report_text(s->report, varied->field->name);
	report_count(s->report, varied->value);
	for (f = 0; f < FACTORS; f++)
		if (varied->allowed[f])
			report_number(s->report, summary[f].mean_over_hindsight);
		else
			report_none(s->report);
	for (f = 0; f < FACTORS; f++)
		if (varied->allowed[f])
			report_number(s->report, summary[f].worst_over_hindsight);
		else
			report_none(s->report);
}

static void fields_rows(struct sensitivity *s)
{
	size_t i, length;

	for (i = 0; i < s->fields; i++) {
		length = strlen(s->same);
		if (moves_nothing(s, i))
			snprintf(s->same + length, sizeof(s->same) - length, " %s",
				 s->varied[i].field->name);
		else
			field_row(s, i);
	}
}

static void view_row(const struct sensitivity *s, const char *name)
{
	struct contest_summary summary = contest_summarize(s->matrix, 0);
	size_t f;

	report_text(s->report, name);
	report_none(s->report);
	for (f = 0; f < FACTORS; f++)
		if (f == AS_IT_IS)
			report_number(s->report, summary.mean_over_hindsight);
		else
			report_none(s->report);
	for (f = 0; f < FACTORS; f++)
		if (f == AS_IT_IS)
			report_number(s->report, summary.worst_over_hindsight);
		else
			report_none(s->report);
}

static int views_play(struct sensitivity *s, struct dav2m_host_error *error)
{
	int rc = contest_matrix_field(s->matrix, &s->base, 1, error);
	size_t i;

	for (i = 0; i < VIEWS && !rc; i++) {
		rc = contest_matrix_play(s->matrix, &views[i].view, error);
		if (!rc)
			view_row(s, views[i].name);
	}
	return rc;
}

int sensitivity_check(const struct contest_choice *choice, struct dav2m_host_error *error)
{
	struct contest_policy policy;
	size_t i;

	if (!choice->policies)
		return 0;
	for (i = 0; contest_policy(i, &policy); i++)
		if (!policy.rule && !strcmp(policy.name, choice->policies))
			return 0;
	return tool_fail(error, DAV2M_HOST_ARGUMENT,
			 "--sensitivity: '%.100s' is not one of the controller's presets, such as "
			 "'preset %s'",
			 choice->policies, dav2m_preset_name(DAV2M_PRESET_BOUNDED));
}

int sensitivity_write(struct contest_matrix *matrix, enum report_format format, FILE *to,
		      struct dav2m_host_error *error)
{
	struct sensitivity s = {.matrix = matrix};
	int rc;

	s.base = matrix->policy[0];
	s.report = report_new(columns, COLUMNS);
	rc = s.report ? variants_play(&s, error) : tool_fail_memory(error);
	if (!rc)
		fields_rows(&s);
	if (!rc)
		rc = views_play(&s, error);
	if (!rc) {
		report_note(s.report, "%s; mean and worst over hindsight in %zu cell%s",
			    s.base.name, matrix->cells, report_plural(matrix->cells));
		if (s.same[0])
			report_note(s.report, "these move nothing:%s", s.same);
		given_notes_add(matrix, s.report);
		if (report_write(s.report, format, to))
			rc = tool_fail_memory(error);
	}
	report_free(s.report);
	free(s.varied);
	return rc;
}
