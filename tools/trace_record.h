/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a program, and all that it starts, while its memory trace is written.
 */
#ifndef DAV2M_TOOLS_TRACE_RECORD_H
#define DAV2M_TOOLS_TRACE_RECORD_H

#include <dav2m/host/error.h>

enum trace_recorder {
	TRACE_RECORDER_AUTO = 0, /* QEMU where it is there, lackey elsewhere */
	TRACE_RECORDER_QEMU,
	TRACE_RECORDER_LACKEY
};
#define TRACE_RECORDERS 3

extern const char *const trace_recorder_names[TRACE_RECORDERS];

/*
 * program: argv, NULL at the end. *ret_status: what the program ended with, as shells tell it.
 * 0, or a negative enum dav2m_host_code; then there is no trace.
 */
int trace_record(enum trace_recorder recorder, char **program, const char *path, int *ret_status,
		 struct dav2m_host_error *error);

#endif
