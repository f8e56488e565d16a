/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A memory trace that is being written: joined, compressed with zstd, and under its name when it
 * is whole.
 */
#ifndef DAV2M_TOOLS_TRACE_OUTPUT_H
#define DAV2M_TOOLS_TRACE_OUTPUT_H

#include "trace_input.h"

struct trace_output;

/* 0, or a negative enum dav2m_host_code, as all of these. */
int trace_output_open(const char *path, const struct dav2m_sim_trace_header *header,
		      struct trace_output **ret_output, struct dav2m_host_error *error);
/* Whole events only. */
int trace_output_write(struct trace_output *output, const uint64_t *words, size_t n,
		       struct dav2m_host_error *error);
/*
 * All of an input that tells of no processes, as one process. step, unless it is NULL, is told
 * now and then how much of the input is consumed.
 */
int trace_output_copy(struct trace_output *output, struct trace_input *input,
		      void (*step)(uint64_t bytes), struct dav2m_host_error *error);
/* Both end it; NULL is allowed for abort. */
int trace_output_commit(struct trace_output *output, struct dav2m_sim_trace_totals *ret_totals,
			struct dav2m_host_error *error);
void trace_output_abort(struct trace_output *output);

#endif
