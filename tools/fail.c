/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fills errors.
 */
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>

int tool_fail(struct dav2m_host_error *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return code;
}

int tool_fail_memory(struct dav2m_host_error *error)
{
	return tool_fail(error, DAV2M_HOST_MEMORY, "out of memory");
}
