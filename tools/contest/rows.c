/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tabulates a matrix that was played.
 */
#include "rows.h"

#include "fail.h"
#include "given.h"

#include <stdlib.h>
#include <string.h>

static const struct report_column by_policy[] = {
	{"policy", "policy", "", 0, 0},
	{"mean_over_hindsight_percent", "mean over", "hindsight %", 2, 0},
	{"worst_over_hindsight_percent", "worst", "%", 2, 0},
	{"worst_workload", "in", "", 0, 0},
	{"worst_model", "under", "", 0, 0},
	{"worst_over_hindsight_long_phases_percent", "worst, phases", "> 100 D, %", 2, 0},
	{"worst_over_best_static_dav2m_percent", "DAV2M classes", "over static %", 2, 0},
	{"mean_switches", "switches", "per run", 1, 0},
	{"wrong_mode_percent", "wrong mode", "% of time", 1, 0},
	{"probing_percent", "probing", "% of time", 3, 0},
	{"worst_probing_percent", "worst", "%", 3, 0},
};

static const struct report_column by_run[] = {
	{"workload", "workload", "", 0, 0},
	{"model", "model", "", 0, 0},
	{"policy", "policy", "", 0, 0},
	{"parameters", "parameters", "", 0, 0},
	{"cycles", "cycles", "", 3, 1},
	{"hindsight_cycles", "hindsight", "", 3, 1},
	{"best_static_cycles", "best static", "", 3, 1},
	{"over_hindsight_percent", "over hindsight", "%", 2, 0},
	{"over_best_static_percent", "over best static", "%", 2, 0},
	{"switches_to_nested", "to nested", "switches", 0, 0},
	{"switches_to_shadow", "to shadow", "switches", 0, 0},
	{"wrong_mode_percent", "wrong mode", "% of time", 1, 0},
	{"probing_percent", "probing", "% of time", 3, 0},
	{"long_phases", "long phases", "", 0, 0},
	{"bound_percent", "of the bound", "%", 1, 0},
	{"bare_bound_percent", "of the bare one", "%", 1, 0},
};

#define COLUMNS(array) (sizeof(array) / sizeof((array)[0]))

int contest_table_parse(const char *name, enum contest_table *ret_table)
{
	static const char *const names[] = {"policies", "workloads", "cells", "runs"};
	int i;

	for (i = 0; i < 4; i++)
		if (!strcmp(name, names[i])) {
			*ret_table = (enum contest_table)i;
			return 0;
		}
	return -1;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void policy_row(struct report *report, const struct contest_matrix *matrix, size_t policy)
{
	struct contest_summary summary = contest_summarize(matrix, policy);

	report_text(report, matrix->policy[policy].name);
	report_number(report, summary.mean_over_hindsight);
	report_number(report, summary.worst_over_hindsight);
	report_text(report, summary.worst->workload.name);
	report_text(report, summary.worst->model->name);
	if (summary.long_cells)
		report_number(report, summary.worst_over_hindsight_long);
	else
		report_none(report);
	if (summary.dav2m_cells)
		report_number(report, summary.worst_over_best_static_dav2m);
	else
		report_none(report);
	report_number(report, summary.mean_switches);
	report_number(report, summary.wrong_share);
	report_number(report, summary.probing_share);
	report_number(report, summary.worst_probing_share);
}

static double over_hindsight(const struct contest_matrix *matrix, size_t c, size_t p)
{
	const struct contest_result *result = contest_result(matrix, c, p);

	return contest_over(result->run.cycles, result->hindsight_cycles);
}

static void bound_cell(struct report *report, double share)
{
	if (share < 0)
		report_none(report);
	else
		report_number(report, 100 * share);
}

static void run_row(struct report *report, const struct contest_matrix *matrix, size_t c, size_t p)
{
	const struct contest_cell *cell = &matrix->cell[c];
	const struct contest_result *result = contest_result(matrix, c, p);
	char parameters[16];

	snprintf(parameters, sizeof(parameters), "%08x", result->parameters);
	report_text(report, cell->workload.name);
	report_text(report, cell->model->name);
	report_text(report, matrix->policy[p].name);
	report_text(report, parameters);
	report_count(report, result->run.cycles);
	report_count(report, result->hindsight_cycles);
	report_count(report, result->best_static_cycles);
	report_number(report, over_hindsight(matrix, c, p));
	report_number(report, contest_over(result->run.cycles, result->best_static_cycles));
	report_count(report, result->run.switches[DAV2M_NESTED]);
	report_count(report, result->run.switches[DAV2M_SHADOW]);
	report_number(report, share(result->wrong_cycles, result->run.cycles));
	report_number(report, share(result->probe_cycles, result->run.cycles));
	report_count(report, (uint64_t)result->long_phases);
	bound_cell(report, result->bound.proven);
	bound_cell(report, result->bound.bare);
}

static void cell_row(struct report *report, const struct contest_matrix *matrix, size_t c)
{
	size_t p;

	report_text(report, matrix->cell[c].workload.name);
	report_text(report, matrix->cell[c].model->name);
	for (p = 0; p < matrix->policies; p++)
		report_number(report, over_hindsight(matrix, c, p));
}

/* Cells [from, to) are one workload's. */
static void workload_row(struct report *report, const struct contest_matrix *matrix, size_t from,
			 size_t to)
{
	double sum;
	size_t p, c;

	report_text(report, matrix->cell[from].workload.name);
	for (p = 0; p < matrix->policies; p++) {
		for (sum = 0, c = from; c < to; c++)
			sum += over_hindsight(matrix, c, p);
		report_number(report, sum / (double)(to - from));
	}
}

static void workload_rows(struct report *report, const struct contest_matrix *matrix)
{
	size_t from, to;

	for (from = 0; from < matrix->cells; from = to) {
		for (to = from + 1; to < matrix->cells; to++)
			if (strcmp(matrix->cell[to].workload.name,
				   matrix->cell[from].workload.name) != 0)
				break;
		workload_row(report, matrix, from, to);
	}
}

/* Of policies that are bounded. */
static void bound_note(struct report *report, const struct contest_matrix *matrix, size_t policy)
{
	struct contest_summary summary = contest_summarize(matrix, policy);

	if (summary.bound_cells)
		report_note(report,
			    "%s: %zu cell%s beyond the proven bound, the nearest to it at %.1f %% "
			    "of it; %zu beyond the bare bound, which grants no errors",
			    matrix->policy[policy].name, summary.beyond_bound,
			    report_plural(summary.beyond_bound), summary.worst_of_bound,
			    summary.beyond_bare_bound);
}

static int by_policy_write(const struct contest_matrix *matrix, enum report_format format, FILE *to,
			   struct dav2m_host_error *error)
{
	struct report *report = report_new(by_policy, COLUMNS(by_policy));
	size_t p;
	int rc;

	if (!report)
		return tool_fail_memory(error);
	for (p = 0; p < matrix->policies; p++)
		policy_row(report, matrix, p);
	report_note(report, "%zu cell%s: each workload under each cost model", matrix->cells,
		    report_plural(matrix->cells));
	for (p = 0; p < matrix->policies; p++)
		bound_note(report, matrix, p);
	given_notes_add(matrix, report);
	rc = report_write(report, format, to);
	report_free(report);
	return rc ? tool_fail_memory(error) : 0;
}

static int by_run_write(const struct contest_matrix *matrix, enum report_format format, FILE *to,
			struct dav2m_host_error *error)
{
	struct report *report = report_new(by_run, COLUMNS(by_run));
	size_t c, p;
	int rc;

	if (!report)
		return tool_fail_memory(error);
	for (c = 0; c < matrix->cells; c++)
		for (p = 0; p < matrix->policies; p++)
			run_row(report, matrix, c, p);
	given_notes_add(matrix, report);
	rc = report_write(report, format, to);
	report_free(report);
	return rc ? tool_fail_memory(error) : 0;
}

/* The first columns say what a row is about, the others are the policies that take part. */
static struct report_column *policy_columns(const struct contest_matrix *matrix, size_t first)
{
	struct report_column *columns = calloc(matrix->policies + first, sizeof(*columns));
	size_t p;

	if (!columns)
		return NULL;
	columns[0] = (struct report_column){"workload", "workload", "", 0, 0};
	if (first > 1)
		columns[1] = (struct report_column){"model", "model", "", 0, 0};
	for (p = 0; p < matrix->policies; p++)
		columns[p + first] = (struct report_column){matrix->policy[p].name,
							    matrix->policy[p].name, "% over", 2, 0};
	return columns;
}

static int losses_write(const struct contest_matrix *matrix, enum contest_table table,
			enum report_format format, FILE *to, struct dav2m_host_error *error)
{
	size_t first = table == CONTEST_BY_CELL ? 2 : 1;
	struct report_column *columns = policy_columns(matrix, first);
	struct report *report = columns ? report_new(columns, matrix->policies + first) : NULL;
	size_t c;
	int rc = report ? 0 : -1;

	if (!rc && table == CONTEST_BY_WORKLOAD)
		workload_rows(report, matrix);
	for (c = 0; !rc && table == CONTEST_BY_CELL && c < matrix->cells; c++)
		cell_row(report, matrix, c);
	if (!rc)
		given_notes_add(matrix, report);
	if (!rc)
		rc = report_write(report, format, to);
	report_free(report);
	free(columns);
	return rc ? tool_fail_memory(error) : 0;
}

int contest_rows_write(const struct contest_matrix *matrix, enum contest_table table,
		       enum report_format format, FILE *to, struct dav2m_host_error *error)
{
	switch (table) {
	case CONTEST_BY_POLICY:
		return by_policy_write(matrix, format, to, error);
	case CONTEST_BY_WORKLOAD:
	case CONTEST_BY_CELL:
		return losses_write(matrix, table, format, to, error);
	case CONTEST_BY_RUN:
		return by_run_write(matrix, format, to, error);
	}
	return DAV2M_HOST_ARGUMENT;
}

static void policies_print(FILE *to)
{
	struct contest_policy policy;
	size_t i;

	fputs("policies\n", to);
	for (i = 0; contest_policy(i, &policy); i++) {
		fprintf(to, "  %s\n", policy.name);
		if (policy.rule)
			fprintf(to, "      source: %s\n      inferred: %s\n", policy.rule->source,
				policy.rule->inferred);
		else
			fputs("      the controller of libdav2m\n", to);
	}
}

#define DRAWN_SHOWN "drawn-SEED-N"

static const char *workload_about(const struct contest_workload *workload)
{
	if (workload->kind == CONTEST_SIMULATED)
		return workload->simulated->about;
	if (workload->kind == CONTEST_PHASES)
		return phases_about((size_t)(workload->phases - phases_table));
	return "makes the mode that runs the wrong one, whichever it is";
}

static void workloads_print(FILE *to)
{
	struct contest_workload workload;
	int width = (int)strlen(DRAWN_SHOWN);
	size_t i;

	for (i = 0; contest_workload(i, &workload); i++)
		if ((int)strlen(workload.name) > width)
			width = (int)strlen(workload.name);
	fputs("workloads\n", to);
	for (i = 0; contest_workload(i, &workload); i++)
		fprintf(to, "  %-*s  %s%s\n", width, workload.name,
			workload.kind == CONTEST_PHASES ? "list of phases: " : "",
			workload_about(&workload));
	fprintf(to, "  %-*s  the N-th list of phases drawn by lot from SEED, N up to 1000\n", width,
		DRAWN_SHOWN);
}

static void models_print(FILE *to)
{
	const struct contest_model *model;
	int width = 0;
	size_t i;

	for (i = 0; (model = contest_model(i)) != NULL; i++)
		if ((int)strlen(model->name) > width)
			width = (int)strlen(model->name);
	fputs("cost models\n", to);
	for (i = 0; (model = contest_model(i)) != NULL; i++)
		fprintf(to, "  %-*s  %s (machine %s, cost %s)\n", width, model->name, model->about,
			model->machine, model->cost);
}

void contest_list_print(FILE *to)
{
	policies_print(to);
	fputs("\n", to);
	models_print(to);
	fputs("\n", to);
	workloads_print(to);
}
