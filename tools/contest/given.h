/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings of the user's: what speaks against judging policies by them.
 */
#ifndef DAV2M_TOOLS_CONTEST_GIVEN_H
#define DAV2M_TOOLS_CONTEST_GIVEN_H

#include "matrix.h"

#include "report.h"

/* A line for each thing that a reader of the table should know of each pair. */
void given_notes_add(const struct contest_matrix *matrix, struct report *report);

#endif
