/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the result of a controller moves with each of its parameters, and with how well it sees.
 */
#ifndef DAV2M_TOOLS_CONTEST_SENSITIVITY_H
#define DAV2M_TOOLS_CONTEST_SENSITIVITY_H

#include "matrix.h"
#include "report.h"

/* Refuses a choice of policies that is not one of the controller's presets, or left open. */
int sensitivity_check(const struct contest_choice *choice, struct dav2m_host_error *error);

/*
 * Plays each variant of the matrix's policy, which must be one controller, in all cells and
 * writes a row for each parameter and each view. Afterwards the matrix holds the variants.
 * Answers 0 or a negative enum dav2m_host_code.
 */
int sensitivity_write(struct contest_matrix *matrix, enum report_format format, FILE *to,
		      struct dav2m_host_error *error);

#endif
