/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contest's tables.
 */
#ifndef DAV2M_TOOLS_CONTEST_ROWS_H
#define DAV2M_TOOLS_CONTEST_ROWS_H

#include "matrix.h"
#include "report.h"

enum contest_table {
	CONTEST_BY_POLICY = 0, /* a row per policy: what it came to over all cells */
	CONTEST_BY_WORKLOAD,   /* a row per workload, a column per policy: percent over
				  hindsight, mean over the cost models */
	CONTEST_BY_CELL,       /* a row per cell, a column per policy: percent over hindsight */
	CONTEST_BY_RUN	       /* a row per cell and policy, with everything */
};

/* "policies", "workloads", "cells", "runs"; 0, or -1 for another name. */
int contest_table_parse(const char *name, enum contest_table *ret_table);

/* Answers 0 or a negative enum dav2m_host_code. */
int contest_rows_write(const struct contest_matrix *matrix, enum contest_table table,
		       enum report_format format, FILE *to, struct dav2m_host_error *error);

/* Who and what there is, with sources. */
void contest_list_print(FILE *to);

#endif
