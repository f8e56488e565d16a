/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A memory trace in any of the formats that are read, as a stream of words. Errors name file,
 * place and rule.
 */
#ifndef DAV2M_TOOLS_TRACE_INPUT_H
#define DAV2M_TOOLS_TRACE_INPUT_H

#include <dav2m/host/error.h>
#include <dav2m/sim/memory_trace.h>

enum trace_format {
	TRACE_FORMAT_AUTO = 0, /* by the first bytes */
	TRACE_FORMAT_DAV2M,
	TRACE_FORMAT_LACKEY,
	TRACE_FORMAT_CHAMPSIM,
	TRACE_FORMAT_DIN
};
#define TRACE_FORMATS 5

/* By enum trace_format, as the command line has them. */
extern const char *const trace_format_names[TRACE_FORMATS];

struct trace_input;

/* Fewest words that trace_input_next() needs room for. */
#define TRACE_INPUT_ROOM 16

/* path "-" is the standard input. 0, or a negative enum dav2m_host_code. */
int trace_input_open(const char *path, enum trace_format format, struct trace_input **ret_input,
		     struct dav2m_host_error *error);
/* NULL is allowed. */
void trace_input_close(struct trace_input *input);

/* The next words, whole events only; *ret_words 0 at the end. */
int trace_input_next(struct trace_input *input, uint64_t *words, size_t room, size_t *ret_words,
		     struct dav2m_host_error *error);

/* Whether the trace tells itself which process runs when; otherwise it is of one process. */
int trace_input_has_processes(const struct trace_input *input);
/* That was found or given; never AUTO. */
enum trace_format trace_input_format(const struct trace_input *input);
const char *trace_input_name(const struct trace_input *input);
/* What a trace of our own says of itself, once the first words are read; NULL for others. */
const struct dav2m_sim_trace_header *trace_input_header(const struct trace_input *input);

/* For the progress line: bytes of the file (0 if not known) and how many are consumed. */
uint64_t trace_input_size(const struct trace_input *input);
uint64_t trace_input_position(const struct trace_input *input);

#endif
