/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors of the hosted library: a code for the program and one sentence for the person.
 *
 * Every call that can fail answers 0 or a negative enum dav2m_host_code, and fills the
 * struct dav2m_host_error that it is given (NULL: not wanted) with a sentence that names the
 * file, the place in it and the rule that was broken. After an error the results are untouched.
 */
#ifndef DAV2M_HOST_ERROR_H
#define DAV2M_HOST_ERROR_H

#include <dav2m/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dav2m_host_code {
	DAV2M_HOST_OK = 0,
	DAV2M_HOST_ARGUMENT = -1,  /* the call itself is wrong: NULL, or a value out of range */
	DAV2M_HOST_IO = -2,	   /* the operating system refused; the sentence says why */
	DAV2M_HOST_FORMAT = -3,	   /* a file's content breaks a rule */
	DAV2M_HOST_TRUNCATED = -4, /* a file ends within a record: its writer was interrupted */
	DAV2M_HOST_MISMATCH = -5,  /* two recordings are not of the same work */
	DAV2M_HOST_MEMORY = -6,	   /* no memory */
	DAV2M_HOST_CONFIG = -7,	   /* a controller's config breaks a rule */
	DAV2M_HOST_CORE = -8	   /* the core library answered an error; the sentence names it */
};

/* One sentence without a newline at its end; always terminated. */
struct dav2m_host_error {
	char text[1024];
};

#ifdef __cplusplus
}
#endif

#endif
