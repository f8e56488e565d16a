/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every header of libdav2m needs: errors, the paging modes, visibility.
 */
#ifndef DAV2M_BASE_H
#define DAV2M_BASE_H

/* Where there is no <stdint.h>, or another one's types: a header with these, docs/porting.md. */
#ifdef DAV2M_TYPES_HEADER
#include DAV2M_TYPES_HEADER
#else
#include <stddef.h>
#include <stdint.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DAV2M_API __attribute__((__visibility__("default")))
#else
#define DAV2M_API
#endif

/* A ratio of 1. Every ratio in this library is in basis points (1/10000). */
#define DAV2M_ONE_BP 10000u

/*
 * What a call answers: 0, or one of these. A call that answers an error has changed nothing,
 * neither its results nor the object it was called on, but for two whose contracts say so: BUSY of
 * dav2m_domain_sample() and RANGE of dav2m_drive().
 */
enum dav2m_error {
	DAV2M_OK = 0,
	DAV2M_ERR_NULL = -1,   /* a pointer that the call needs is NULL */
	DAV2M_ERR_SIZE = -2,   /* config.size is not sizeof(struct dav2m_config): set it first,
				  or compile against the header of the library that is linked */
	DAV2M_ERR_CONFIG = -3, /* a config field breaks a rule; dav2m_config_check() names both */
	DAV2M_ERR_NAME = -4,   /* no config field of that name */
	DAV2M_ERR_RANGE = -5,  /* a value outside its enum or its field's range */
	DAV2M_ERR_SAMPLE = -6, /* a sample whose valid mask has bits that no counter has */
	DAV2M_ERR_UNINIT = -7, /* the object was never initialised, or was overwritten */
	DAV2M_ERR_NO_SWITCH = -8, /* an acknowledgement without a switch asked for */
	DAV2M_ERR_BUSY = -9,	  /* somebody else has a domain's turn */
	DAV2M_ERR_BACKEND = -10	  /* a backend's callback failed; its own code stays with it */
};

/* What the hardware runs. Backends translate (EPT, NPT, TDP, HAP) at their edge. */
enum dav2m_mode {
	DAV2M_SHADOW = 0, /* shadow paging: TLB misses cheap, page-table work exits */
	DAV2M_NESTED = 1  /* nested paging: TLB misses dear, page-table work free */
};
#define DAV2M_MODES 2

/* Names for people and files: lower case, never NULL, "?" for a value outside the enum. */
DAV2M_API const char *dav2m_error_name(enum dav2m_error error);
DAV2M_API const char *dav2m_mode_name(enum dav2m_mode mode);

/* The version of the library that is linked, for example "0.1.0". */
DAV2M_API const char *dav2m_version(void);

#ifdef __cplusplus
}
#endif

#endif
