/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counter traces as users hand them in: compressed or not, from a file or the standard input.
 */
#ifndef DAV2M_TOOLS_COUNTER_INPUT_H
#define DAV2M_TOOLS_COUNTER_INPUT_H

#include <dav2m/host/trace.h>

/* As dav2m_trace_read(), from a path as of input_open(). with_line: shows a progress line, of which
   there is one at a time. */
int counter_input_read(const char *path, uint32_t flags, int with_line,
		       struct dav2m_trace *ret_trace, struct dav2m_host_error *error);

#endif
