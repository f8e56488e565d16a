/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes one stream of what many processes send: numbers them, and says who runs.
 */
#ifndef DAV2M_TOOLS_TRACE_PROCESSES_H
#define DAV2M_TOOLS_TRACE_PROCESSES_H

#include "trace_output.h"

#include "trace_wire.h"

struct trace_processes;

/* NULL without memory. The output is the caller's. */
struct trace_processes *trace_processes_new(struct trace_output *output);
void trace_processes_free(struct trace_processes *processes);
/* A message and its words, in the order of arrival. 0, or a negative enum dav2m_host_code. */
int trace_processes_take(struct trace_processes *processes, const struct trace_wire *message,
			 const uint64_t *words, struct dav2m_host_error *error);
/* No message follows: whatever runs still has ended. */
int trace_processes_end(struct trace_processes *processes, struct dav2m_host_error *error);
/* Programs that were run and not followed. */
unsigned trace_processes_left(const struct trace_processes *processes);

#endif
