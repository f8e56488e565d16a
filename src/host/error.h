/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the hosted library's own files fill a struct dav2m_host_error. Private.
 */
#ifndef DAV2M_SRC_HOST_ERROR_H
#define DAV2M_SRC_HOST_ERROR_H

#include <dav2m/host/error.h>

#if defined(__GNUC__)
#define HOST_PRINTF(string, first) __attribute__((__format__(__printf__, string, first)))
#else
#define HOST_PRINTF(string, first)
#endif

/* Writes the sentence, if error is wanted, and answers code. */
int dav2m_host_fail(struct dav2m_host_error *error, enum dav2m_host_code code, const char *format,
		    ...) HOST_PRINTF(3, 4);

/* The same, with "name:line:column: " before it; column 0 is left out, line 0 too. */
int dav2m_host_fail_at(struct dav2m_host_error *error, enum dav2m_host_code code, const char *name,
		       size_t line, size_t column, const char *format, ...) HOST_PRINTF(6, 7);

int dav2m_host_fail_memory(struct dav2m_host_error *error);

#endif
