/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contest in one picture: for each policy, in which share of the cells it lost at most so
 * much. The higher its line, the better; where it ends is its worst case.
 */
#ifndef DAV2M_TOOLS_CONTEST_PROFILE_H
#define DAV2M_TOOLS_CONTEST_PROFILE_H

#include "matrix.h"
#include "picture.h"

#define PROFILE_WIDTH  1400
#define PROFILE_HEIGHT 800

/* Writes the script of the picture. Answers 0 or a negative enum dav2m_host_code. */
int profile_print(const struct contest_matrix *matrix, FILE *to, struct dav2m_host_error *error);

#endif
