/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output files of the commands while they are not whole: as in <dav2m/host/output.h>, and gone as
 * well when ctrl-C, SIGTERM or SIGHUP ends the program.
 */
#ifndef DAV2M_TOOLS_PART_H
#define DAV2M_TOOLS_PART_H

#include <dav2m/host/output.h>

/* Whoever takes one of the signals before the first of these keeps it. */
int part_open(const char *path, struct dav2m_output **ret_output, struct dav2m_host_error *error);
/* Both end it, whatever the answer; NULL is allowed for abort. */
int part_commit(struct dav2m_output *output, struct dav2m_host_error *error);
void part_abort(struct dav2m_output *output);

/* Removes what is not whole and ends the program as the signal would have. For signal handlers. */
void part_end_program(int number);

#endif
