/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the sentences of struct dav2m_host_error, and nothing else.
 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A longer file name loses its beginning, so that the sentence keeps its end. */
#define NAME_SHOWN 400

int dav2m_host_fail(struct dav2m_host_error *error, enum dav2m_host_code code, const char *format,
		    ...)
{
	va_list args;

	if (error) {
		va_start(args, format);
		vsnprintf(error->text, sizeof(error->text), format, args);
		va_end(args);
	}
	return code;
}

static size_t place_write(char *text, size_t size, const char *name, size_t line, size_t column)
{
	size_t length = strlen(name);
	const char *dots = length > NAME_SHOWN ? "..." : "";
	int used;

	if (length > NAME_SHOWN)
		name += length - NAME_SHOWN;
	if (line && column)
		used = snprintf(text, size, "%s%s:%zu:%zu: ", dots, name, line, column);
	else if (line)
		used = snprintf(text, size, "%s%s:%zu: ", dots, name, line);
	else
		used = snprintf(text, size, "%s%s: ", dots, name);
	return (size_t)used;
}

int dav2m_host_fail_at(struct dav2m_host_error *error, enum dav2m_host_code code, const char *name,
		       size_t line, size_t column, const char *format, ...)
{
	va_list args;
	size_t used;

	if (error) {
		used = place_write(error->text, sizeof(error->text), name, line, column);
		va_start(args, format);
		vsnprintf(error->text + used, sizeof(error->text) - used, format, args);
		va_end(args);
	}
	return code;
}

int dav2m_host_fail_memory(struct dav2m_host_error *error)
{
	return dav2m_host_fail(error, DAV2M_HOST_MEMORY, "out of memory");
}
