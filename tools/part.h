/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output files of the commands while they are not whole: as in <dav2m/host/output.h>, and gone as
 * well when ctrl-C, SIGTERM or SIGHUP ends the program.
 */
#ifndef DAV2M_TOOLS_PART_H
#define DAV2M_TOOLS_PART_H

#include <dav2m/host/output.h>
#include <dav2m/host/trace.h>

#include <sys/types.h>

/* Whoever takes one of the signals before the first of these keeps it. */
int part_open(const char *path, struct dav2m_output **ret_output, struct dav2m_host_error *error);
/* Both end it, whatever the answer; NULL is allowed for abort. */
int part_commit(struct dav2m_output *output, struct dav2m_host_error *error);
void part_abort(struct dav2m_output *output);

/* A counter trace is another kind of output file: as in <dav2m/host/trace.h>, with its path. */
int part_trace_open(const char *path, const struct dav2m_trace_header *header,
		    struct dav2m_trace_writer **ret_writer, struct dav2m_host_error *error);
/* Closes it, or with failed aborts it; answers failed, or what closing answered. */
int part_trace_end(const char *path, struct dav2m_trace_writer *writer, int failed,
		   struct dav2m_host_error *error);

/* Between these no signal ends the program: a child is being made, and told of. */
void part_hold(void);
void part_release(void);
/* A child that writes a part, and must not do so any more when that is removed; 0: it has ended. */
void part_child(pid_t pid);

/* Removes what is not whole and ends the program as the signal would have. For signal handlers. */
void part_end_program(int number);

#endif
