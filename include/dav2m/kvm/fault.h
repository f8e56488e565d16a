/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdav2m-kvm: what went wrong, in words for the person who can mend it.
 *
 * Conventions of this library, beside those of <dav2m/dav2m.h>:
 *  - a call that can fail answers 0 or a negative enum dav2m_error; DAV2M_ERR_BACKEND means that
 *    the system refused something, and the fault says what;
 *  - memory is allocated when something is opened or attached, never when it is read (the one
 *    exception, QMP, says so);
 *  - an object is used by one thread at a time; different objects share nothing.
 */
#ifndef DAV2M_KVM_FAULT_H
#define DAV2M_KVM_FAULT_H

#include <dav2m/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Both strings are constants; NULL in what: no fault. */
struct dav2m_kvm_fault {
	const char *what; /* what was attempted, for example "open the hardware counters" */
	const char *todo; /* what a person can do about it, or NULL */
	int code;	  /* errno, or 0 where the system gave none */
};

/* "what: errno's text; todo", cut to bytes. Answers buffer, for printing in one go. */
DAV2M_API const char *dav2m_kvm_fault_text(const struct dav2m_kvm_fault *fault, char *buffer,
					   size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
