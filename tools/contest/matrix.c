/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the recordings, then plays, each on all processors.
 */
#define _POSIX_C_SOURCE 200809L

#include "matrix.h"

#include "fail.h"
#include "parallel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The name behind one of a list; NULL past the last. */
static const char *list_next(const char *list)
{
	list = strchr(list, ',');
	return list ? list + 1 : NULL;
}

/* Whether a list has the name. */
static int listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (; list; list = list_next(list))
		if (!strncmp(list, name, length) && (list[length] == ',' || !list[length]))
			return 1;
	return 0;
}

static int chosen(const char *list, const char *name)
{
	return !list || listed(list, name);
}

/* Only the user's recordings, and what is drawn. */
#define NO_WORKLOAD "none"

/* The i-th name of one of the lists, in buffer or static; NULL past the last. */
typedef const char *name_of(size_t index, struct contest_policy *policy);

static const char *policy_name(size_t index, struct contest_policy *policy)
{
	return contest_policy(index, policy) ? policy->name : NULL;
}

static const char *workload_name(size_t index, struct contest_policy *policy)
{
	struct contest_workload workload;

	(void)policy;
	return contest_workload(index, &workload) ? workload.name : NULL;
}

static const char *model_name(size_t index, struct contest_policy *policy)
{
	(void)policy;
	return contest_model(index) ? contest_model(index)->name : NULL;
}

/* A workload drawn by lot goes by its name as well. */
static int is_drawn(const char *name, size_t length)
{
	uint32_t seed, number;

	return !drawn_name_parse(name, length, &seed, &number);
}

/* Refuses the first name of a list that nothing has. */
static int list_check(const char *what, const char *list, name_of *name,
		      struct dav2m_host_error *error)
{
	struct contest_policy policy;
	const char *known;
	size_t length, i;

	for (; list; list = list_next(list)) {
		length = strcspn(list, ",");
		for (i = 0; (known = name(i, &policy)) != NULL; i++)
			if (strlen(known) == length && !strncmp(known, list, length))
				break;
		if (known || (name == workload_name && is_drawn(list, length)))
			continue;
		return tool_fail(error, DAV2M_HOST_ARGUMENT,
				 "there is no %s '%.*s'; --list names them", what,
				 (int)(length < 100 ? length : 100), list);
	}
	return 0;
}

static int policies_make(const struct contest_choice *choice, struct contest_matrix *matrix,
			 struct dav2m_host_error *error)
{
	struct contest_policy policy;
	size_t i, n = 0;

	while (contest_policy(n, &policy))
		n++;
	matrix->policy = calloc(n + 1, sizeof(*matrix->policy));
	if (!matrix->policy)
		return tool_fail_memory(error);
	for (i = 0; contest_policy(i, &policy); i++)
		if (chosen(choice->policies, policy.name))
			matrix->policy[matrix->policies++] = policy;
	return 0;
}

static int same_tape(const struct contest_tape *tape, const struct contest_workload *workload,
		     const struct contest_model *model)
{
	return !strcmp(tape->workload.name, workload->name) &&
	       tape->workload.kind == workload->kind && tape->model->machine &&
	       !strcmp(tape->model->machine, model->machine) &&
	       !strcmp(tape->model->cost, model->cost);
}

static const struct contest_tape *tape_of(struct contest_matrix *matrix,
					  const struct contest_workload *workload,
					  const struct contest_model *model)
{
	struct contest_tape *tape;
	size_t i;

	for (i = 0; i < matrix->tapes; i++)
		if (same_tape(&matrix->tape[i], workload, model))
			return &matrix->tape[i];
	tape = &matrix->tape[matrix->tapes++];
	tape->workload = *workload;
	tape->model = model;
	return tape;
}

/* The pair is filled later: only its address is known here. */
static void cell_add(struct contest_matrix *matrix, const struct contest_workload *workload,
		     const struct contest_model *model)
{
	struct contest_cell *cell = &matrix->cell[matrix->cells++];

	cell->workload = *workload;
	cell->model = model;
	if (workload->kind != CONTEST_ADVERSARY)
		cell->pair = &tape_of(matrix, workload, model)->made.pair;
}

static void models_add(const struct contest_choice *choice, struct contest_matrix *matrix,
		       const struct contest_workload *workload)
{
	const struct contest_model *model;
	size_t m;

	for (m = 0; (model = contest_model(m)) != NULL; m++)
		if (chosen(choice->models, model->name))
			cell_add(matrix, workload, model);
}

static void cells_add(const struct contest_choice *choice, struct contest_matrix *matrix)
{
	struct contest_workload workload;
	size_t i;

	for (i = 0; contest_workload(i, &workload); i++) {
		workload.seed = choice->seed;
		if (chosen(choice->workloads, workload.name))
			models_add(choice, matrix, &workload);
	}
	for (i = 0; i < matrix->n_drawn; i++) {
		workload = (struct contest_workload){.kind = CONTEST_PHASES,
						     .name = matrix->drawn[i].name,
						     .phases = &matrix->drawn[i].phases,
						     .drawn = &matrix->drawn[i],
						     .seed = choice->seed};
		models_add(choice, matrix, &workload);
	}
	for (i = 0; i + 1 < choice->n_files; i += 2) {
		workload =
			(struct contest_workload){.kind = CONTEST_FILES,
						  .name = choice->files[i],
						  .seed = choice->seed,
						  .file = {choice->files[i], choice->files[i + 1]}};
		cell_add(matrix, &workload, &contest_as_recorded);
	}
}

static size_t cells_most(const struct contest_choice *choice, size_t drawn)
{
	struct contest_workload workload;
	size_t workloads = 0, models = 0;

	while (contest_workload(workloads, &workload))
		workloads++;
	while (contest_model(models))
		models++;
	return (workloads + drawn) * models + choice->n_files / 2;
}

/* What was drawn before is not drawn again: a list may name it, or --drawn draw it, as well. */
static int drawn_add(struct contest_matrix *matrix, uint32_t seed, uint32_t number)
{
	struct drawn *drawn = &matrix->drawn[matrix->n_drawn];
	size_t i;

	if (drawn_make(seed, number, drawn))
		return -1;
	for (i = 0; strcmp(matrix->drawn[i].name, drawn->name) != 0; i++)
		;
	if (i < matrix->n_drawn)
		drawn_free(drawn);
	else
		matrix->n_drawn++;
	return 0;
}

static int drawn_all(const struct contest_choice *choice, struct contest_matrix *matrix,
		     struct dav2m_host_error *error)
{
	uint32_t seed, number;
	const char *name;
	size_t most = choice->drawn;
	int rc = 0;

	for (name = choice->workloads; name; name = list_next(name))
		most++;
	matrix->drawn = calloc(most + 1, sizeof(*matrix->drawn));
	if (!matrix->drawn)
		return tool_fail_memory(error);
	for (name = choice->workloads; name && !rc; name = list_next(name))
		if (!drawn_name_parse(name, strcspn(name, ","), &seed, &number))
			rc = drawn_add(matrix, seed, number);
	for (number = 1; number <= choice->drawn && !rc; number++)
		rc = drawn_add(matrix, choice->drawn_seed, number);
	return rc ? tool_fail_memory(error) : 0;
}

static int cells_make(const struct contest_choice *choice, struct contest_matrix *matrix,
		      struct dav2m_host_error *error)
{
	/* A choice that was checked leaves a cell; nobody need know that here. */
	size_t most = cells_most(choice, matrix->n_drawn) + 1;

	matrix->cell = calloc(most, sizeof(*matrix->cell));
	matrix->tape = calloc(most, sizeof(*matrix->tape));
	if (!matrix->cell || !matrix->tape)
		return tool_fail_memory(error);
	cells_add(choice, matrix);
	return 0;
}

struct recorder {
	struct contest_matrix *matrix;
	const char *folder;
	atomic_uint_least64_t done; /* steps of workloads */
};

static int tape_job(void *context, size_t index, struct dav2m_host_error *error)
{
	struct recorder *recorder = context;
	struct contest_tape *tape = &recorder->matrix->tape[index];

	return tape_make(&tape->workload, tape->model, recorder->folder, &recorder->done,
			 &tape->made, error);
}

static int tapes_make(const char *folder, struct contest_matrix *matrix,
		      struct dav2m_host_error *error)
{
	struct recorder recorder = {.matrix = matrix, .folder = folder};
	struct parallel parallel = {.jobs = matrix->tapes,
				    .job = tape_job,
				    .context = &recorder,
				    .what = "recording",
				    .unit = "steps",
				    .done = &recorder.done};
	size_t i;

	for (i = 0; i < matrix->tapes; i++)
		if (matrix->tape[i].workload.kind == CONTEST_SIMULATED)
			parallel.total += contest_record_steps(&matrix->tape[i].workload);
	return parallel_do(&parallel, error);
}

/* A recorded cost can be 0; the policies and the bound divide by none of them. */
static void switches_set(struct contest_cell *cell)
{
	const uint64_t *cycles = cell->pair ? cell->pair->switch_cycles : cell->switch_cycles;
	int mode;

	if (!cell->pair)
		tape_phases_switches(cell->model, cell->switch_cycles);
	for (mode = 0; mode < DAV2M_MODES; mode++)
		cell->switch_cycles[mode] = cycles[mode] * cell->model->switch_bp / DAV2M_ONE_BP;
}

int contest_choice_is_files(const struct contest_choice *choice)
{
	return choice->n_files && !choice->drawn && choice->workloads &&
	       !strcmp(choice->workloads, NO_WORKLOAD);
}

int contest_choice_check(const struct contest_choice *choice, struct dav2m_host_error *error)
{
	int rc = list_check("policy", choice->policies, policy_name, error);

	if (!rc)
		rc = list_check("cost model", choice->models, model_name, error);
	if (rc)
		return rc;
	if (!choice->workloads || strcmp(choice->workloads, NO_WORKLOAD) != 0)
		return list_check("workload", choice->workloads, workload_name, error);
	if (choice->n_files || choice->drawn)
		return 0;
	return tool_fail(error, DAV2M_HOST_ARGUMENT,
			 "--workloads: " NO_WORKLOAD " needs recordings or --drawn");
}

/* Before minutes of simulating. */
static int files_check(const struct contest_choice *choice, struct dav2m_host_error *error)
{
	size_t i;

	for (i = 0; i < choice->n_files; i++)
		if (access(choice->files[i], R_OK))
			return tool_fail(error, DAV2M_HOST_IO, "%.300s: %s", choice->files[i],
					 strerror(errno));
	return 0;
}

int contest_matrix_make(const struct contest_choice *choice, struct contest_matrix *ret_matrix,
			struct dav2m_host_error *error)
{
	size_t i;
	int rc;

	memset(ret_matrix, 0, sizeof(*ret_matrix));
	rc = files_check(choice, error);
	if (!rc)
		rc = policies_make(choice, ret_matrix, error);
	if (!rc)
		rc = drawn_all(choice, ret_matrix, error);
	if (!rc)
		rc = cells_make(choice, ret_matrix, error);
	if (!rc)
		rc = tapes_make(choice->recordings, ret_matrix, error);
	for (i = 0; i < ret_matrix->cells && !rc; i++)
		switches_set(&ret_matrix->cell[i]);
	return rc;
}

struct game {
	struct contest_matrix *matrix;
	const struct contest_view *view;
	atomic_uint_least64_t done; /* cells */
};

static int play_job(void *context, size_t index, struct dav2m_host_error *error)
{
	struct game *game = context;
	struct contest_matrix *matrix = game->matrix;
	int rc = contest_play(matrix->policy, matrix->policies, &matrix->cell[index], game->view,
			      &matrix->result[index * matrix->policies], error);

	atomic_fetch_add(&game->done, 1);
	return rc;
}

int contest_matrix_play(struct contest_matrix *matrix, const struct contest_view *view,
			struct dav2m_host_error *error)
{
	struct game game = {.matrix = matrix, .view = view};
	struct parallel parallel = {.jobs = matrix->cells,
				    .job = play_job,
				    .context = &game,
				    .what = "playing",
				    .unit = "cells",
				    .total = matrix->cells,
				    .done = &game.done};

	free(matrix->result);
	matrix->result = calloc(matrix->cells * matrix->policies + 1, sizeof(*matrix->result));
	return matrix->result ? parallel_do(&parallel, error) : tool_fail_memory(error);
}

int contest_matrix_field(struct contest_matrix *matrix, const struct contest_policy *policy,
			 size_t n, struct dav2m_host_error *error)
{
	struct contest_policy *copy = calloc(n, sizeof(*copy));

	if (!copy)
		return tool_fail_memory(error);
	memcpy(copy, policy, n * sizeof(*copy));
	free(matrix->policy);
	matrix->policy = copy;
	matrix->policies = n;
	return 0;
}

void contest_matrix_free(struct contest_matrix *matrix)
{
	size_t i;

	for (i = 0; i < matrix->tapes; i++)
		dav2m_pair_free(&matrix->tape[i].made.pair);
	for (i = 0; i < matrix->n_drawn; i++)
		drawn_free(&matrix->drawn[i]);
	free(matrix->drawn);
	free(matrix->tape);
	free(matrix->cell);
	free(matrix->policy);
	free(matrix->result);
	memset(matrix, 0, sizeof(*matrix));
}

const struct contest_result *contest_result(const struct contest_matrix *matrix, size_t cell,
					    size_t policy)
{
	return &matrix->result[cell * matrix->policies + policy];
}

double contest_over(uint64_t cycles, uint64_t base)
{
	return base ? 100.0 * ((double)cycles - (double)base) / (double)base : 0;
}

static void raise_to(double *most, double value)
{
	if (value > *most)
		*most = value;
}

static void summary_bound(struct contest_summary *summary, const struct bound_share *bound)
{
	summary->beyond_bare_bound += bound->bare > 1;
	if (bound->proven < 0)
		return;
	summary->bound_cells++;
	summary->beyond_bound += bound->proven > 1;
	raise_to(&summary->worst_of_bound, 100 * bound->proven);
}

static void summary_add(struct contest_summary *summary, const struct contest_cell *cell,
			const struct contest_result *result)
{
	double over = contest_over(result->run.cycles, result->hindsight_cycles);
	double probing = 100.0 * (double)result->probe_cycles / (double)result->run.cycles;

	if (!summary->worst || over > summary->worst_over_hindsight) {
		summary->worst = cell;
		summary->worst_over_hindsight = over;
	}
	summary->mean_over_hindsight += over;
	summary->mean_switches +=
		(double)(result->run.switches[DAV2M_SHADOW] + result->run.switches[DAV2M_NESTED]);
	summary->wrong_share += 100.0 * (double)result->wrong_cycles / (double)result->run.cycles;
	summary->probing_share += probing;
	raise_to(&summary->worst_probing_share, probing);
	summary_bound(summary, &result->bound);
	if (result->long_phases) {
		summary->long_cells++;
		raise_to(&summary->worst_over_hindsight_long, over);
	}
	if (contest_is_dav2m(&cell->workload)) {
		summary->dav2m_cells++;
		raise_to(&summary->worst_over_best_static_dav2m,
			 contest_over(result->run.cycles, result->best_static_cycles));
	}
}

struct contest_summary contest_summarize(const struct contest_matrix *matrix, size_t policy)
{
	/* A controller can beat the best static mode. */
	struct contest_summary summary = {.worst_over_best_static_dav2m = -100};
	double cells = (double)matrix->cells;
	size_t c;

	for (c = 0; c < matrix->cells; c++)
		summary_add(&summary, &matrix->cell[c], contest_result(matrix, c, policy));
	summary.mean_over_hindsight /= cells;
	summary.mean_switches /= cells;
	summary.wrong_share /= cells;
	summary.probing_share /= cells;
	return summary;
}
