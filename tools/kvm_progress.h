/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Progress that the guest reports itself, for hosts that cannot count its instructions: a file
 * whose last line that is a number is how much work has been done so far.
 */
#ifndef DAV2M_TOOLS_KVM_PROGRESS_H
#define DAV2M_TOOLS_KVM_PROGRESS_H

#include <dav2m/sample.h>

struct kvm_progress {
	const char *path; /* NULL: the guest reports nothing */
	uint64_t count;	  /* as the file last said */
	uint64_t before;  /* what the file said in all before each time that it fell */
};

/* The first count. 0; 1: there is none yet, the work has yet to write it; -1 after a complaint. */
int kvm_progress_begin(struct kvm_progress *progress);
/*
 * Puts the work done so far into the sample. A file that has no count just now leaves the last
 * one. A count that falls is complained of: the work has begun again, at 0.
 */
void kvm_progress_put(struct kvm_progress *progress, struct dav2m_sample *sample);

#endif
