/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Says what went wrong and answers its code, so that a failing call is one line.
 */
#ifndef DAV2M_TOOLS_FAIL_H
#define DAV2M_TOOLS_FAIL_H

#include <dav2m/host/error.h>

/* Fills error and answers code, a negative enum dav2m_host_code. */
int tool_fail(struct dav2m_host_error *error, int code, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));
int tool_fail_memory(struct dav2m_host_error *error);

#endif
