/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header lines of a counter trace. Private to the reader.
 */
#ifndef DAV2M_SRC_HOST_TRACE_HEADER_H
#define DAV2M_SRC_HOST_TRACE_HEADER_H

#include <dav2m/host/trace.h>

struct trace_header_parser {
	uint32_t seen; /* bit of each key, in the order of the table */
};

/* One header line, [line, end) without its newline; number 1 must be the magic line. */
int dav2m_trace_header_parse(struct trace_header_parser *parser, struct dav2m_trace_header *header,
			     const char *name, size_t number, const char *line, const char *end,
			     struct dav2m_host_error *error);

/* Called at the first line that is no header line: is anything missing? */
int dav2m_trace_header_check(const struct trace_header_parser *parser, const char *name,
			     size_t number, struct dav2m_host_error *error);

#endif
