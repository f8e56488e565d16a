/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every policy on every workload under every cost model.
 */
#ifndef DAV2M_TOOLS_CONTEST_MATRIX_H
#define DAV2M_TOOLS_CONTEST_MATRIX_H

#include "play.h"
#include "tape.h"

/* What takes part. A list is names with commas between; NULL: all there are. */
struct contest_choice {
	const char *policies;
	const char *workloads;
	const char *models;
	char **files; /* shadow and nested recordings by turns */
	size_t n_files;
	const char *recordings; /* folder in which simulated recordings are kept, or NULL */
	uint32_t drawn;		/* so many workloads of drawn_seed as well */
	uint32_t drawn_seed;
	uint32_t seed; /* of everything else that is drawn */
};

/* Cells whose models share machine and prices share a tape. */
struct contest_tape {
	struct contest_workload workload;
	const struct contest_model *model;
	struct tape made;
};

struct contest_matrix {
	struct contest_policy *policy;
	size_t policies;
	struct contest_cell *cell;
	size_t cells;
	struct contest_result *result; /* of cell c and policy p: [c * policies + p] */
	struct contest_tape *tape;     /* what the cells play on */
	size_t tapes;
	struct drawn *drawn; /* private */
	size_t n_drawn;
};

/* What a policy came to in all cells. Percent of run time, unless it says otherwise. */
struct contest_summary {
	double mean_over_hindsight;
	double worst_over_hindsight;
	const struct contest_cell *worst;
	double worst_over_hindsight_long; /* in cells whose phases are long */
	size_t long_cells;
	double worst_over_best_static_dav2m; /* in the classes of the DAV2M paper */
	size_t dav2m_cells;
	double mean_switches; /* a run's */
	double wrong_share;   /* mean */
	double probing_share; /* mean */
	double worst_probing_share;
	size_t bound_cells;  /* in which the policy is bounded */
	size_t beyond_bound; /* of these */
	double worst_of_bound;
	size_t beyond_bare_bound; /* cells, see struct bound_share */
};

/* Whether only the user's recordings take part. */
int contest_choice_is_files(const struct contest_choice *choice);
/* Refuses names that nothing has, and a choice that leaves no cell. */
int contest_choice_check(const struct contest_choice *choice, struct dav2m_host_error *error);
/* Of a choice that was checked. Makes or reads all recordings; nothing is played. To be freed
   whatever the answer. */
int contest_matrix_make(const struct contest_choice *choice, struct contest_matrix *ret_matrix,
			struct dav2m_host_error *error);
/* Plays all: fills the results. */
int contest_matrix_play(struct contest_matrix *matrix, const struct contest_view *view,
			struct dav2m_host_error *error);
void contest_matrix_free(struct contest_matrix *matrix);

/* Puts n other policies into the place of the matrix's own. Their results are not there yet. */
int contest_matrix_field(struct contest_matrix *matrix, const struct contest_policy *policy,
			 size_t n, struct dav2m_host_error *error);

const struct contest_result *contest_result(const struct contest_matrix *matrix, size_t cell,
					    size_t policy);
/* Percent that cycles are above base. */
double contest_over(uint64_t cycles, uint64_t base);
struct contest_summary contest_summarize(const struct contest_matrix *matrix, size_t policy);

#endif
