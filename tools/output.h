/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text output of a command: to the standard output, or to a file that appears when it is whole.
 *
 * Either way nothing is shown before output_commit(), so a command that fails on its way leaves
 * no half of a result.
 */
#ifndef DAV2M_TOOLS_OUTPUT_H
#define DAV2M_TOOLS_OUTPUT_H

#include <dav2m/host/output.h>

#include <stdio.h>

struct output {
	FILE *stream; /* print here */
	char *text;
	size_t size;
	struct dav2m_output *file; /* NULL: the standard output */
};

/* path NULL or "-": the standard output. Answers 0 or a negative enum dav2m_host_code. */
int output_open(struct output *output, const char *path, struct dav2m_host_error *error);
int output_commit(struct output *output, struct dav2m_host_error *error);
void output_abort(struct output *output);

/* Refuses a path that names the file of an input. Either may be NULL, or "-" as in the commands. */
int output_spares(const char *path, const char *input, struct dav2m_host_error *error);
/* Refuses what option says that names of files shall begin with if none could be made: before the
   work, for they are made after it. prefix may be NULL. */
int output_prefix_check(const char *option, const char *prefix, struct dav2m_host_error *error);

#endif
