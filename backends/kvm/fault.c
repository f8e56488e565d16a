/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults: constants and an errno, so that reporting one can neither fail nor allocate.
 */
#include "fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int dav2m_kvm_fault_set(struct dav2m_kvm_fault *fault, const char *what, const char *todo, int code)
{
	if (fault) {
		fault->what = what;
		fault->todo = todo;
		fault->code = code;
	}
	return DAV2M_ERR_BACKEND;
}

int dav2m_kvm_fault_errno(struct dav2m_kvm_fault *fault, const char *what, const char *todo)
{
	int code = errno;

	return dav2m_kvm_fault_set(fault, what, todo ? todo : dav2m_kvm_fault_todo(code), code);
}

const char *dav2m_kvm_fault_todo(int code)
{
	switch (code) {
	case EACCES:
	case EPERM:
		return "run as root, or as the user that runs the guest with CAP_SYS_PTRACE and "
		       "CAP_PERFMON";
	case EMFILE:
		return "raise the limit of open files (ulimit -n): each vCPU needs one for its "
		       "statistics, one for its CPU time and up to ten for the PMU";
	case ENFILE:
		return "the whole system is out of file descriptors: raise fs.file-max";
	case ENOMEM:
		return "free some memory";
	case ESRCH:
	case ENOENT:
		return "the process or thread has ended";
	default:
		return NULL;
	}
}

const char *dav2m_kvm_fault_text(const struct dav2m_kvm_fault *fault, char *buffer, size_t bytes)
{
	const char *what = fault && fault->what ? fault->what : "no fault";
	int code = fault ? fault->code : 0;
	const char *todo = fault ? fault->todo : NULL;

	snprintf(buffer, bytes, "%s%s%s%s%s", what, code ? ": " : "", code ? strerror(code) : "",
		 todo ? "; " : "", todo ? todo : "");
	return buffer;
}
