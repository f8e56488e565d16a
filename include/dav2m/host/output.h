/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output files that appear whole or not at all.
 *
 * What is written goes to PATH.part; dav2m_output_commit() renames it to PATH. A program that
 * fails aborts and leaves nothing, or keeps PATH.part if nobody could make it again; one that is
 * killed leaves PATH.part with all that was written. Both leave PATH as it was.
 */
#ifndef DAV2M_HOST_OUTPUT_H
#define DAV2M_HOST_OUTPUT_H

#include <dav2m/host/error.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dav2m_output;

/*
 * Creates PATH.part and locks it against a second writer. *ret_output is the caller's until
 * commit, abort or keep, one of which ends it.
 * Errors: ARGUMENT, IO, MEMORY.
 */
DAV2M_API int dav2m_output_open(const char *path, struct dav2m_output **ret_output,
				struct dav2m_host_error *error);

/* Hands all bytes to the operating system before it returns. Errors: ARGUMENT, IO. */
DAV2M_API int dav2m_output_write(struct dav2m_output *output, const void *data, size_t size,
				 struct dav2m_host_error *error);

/* Gives the file its name and frees output; on an error nothing stays behind. Errors: IO. */
DAV2M_API int dav2m_output_commit(struct dav2m_output *output, struct dav2m_host_error *error);

/* Removes PATH.part and frees output. NULL is allowed. */
DAV2M_API void dav2m_output_abort(struct dav2m_output *output);

/* Leaves PATH.part, cut to its first size bytes, and frees output. Errors: ARGUMENT, IO. */
DAV2M_API int dav2m_output_keep(struct dav2m_output *output, uint64_t size,
				struct dav2m_host_error *error);

/* The name that is being written, PATH.part, for programs that write it themselves. */
DAV2M_API const char *dav2m_output_part(const struct dav2m_output *output);

#ifdef __cplusplus
}
#endif

#endif
