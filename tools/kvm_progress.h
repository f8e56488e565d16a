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
	uint64_t count;
};

/* The first count. 0, or -1 after a complaint. */
int kvm_progress_begin(struct kvm_progress *progress);
/* Puts the count into the sample. A file that has none just now leaves the last one. */
void kvm_progress_put(struct kvm_progress *progress, struct dav2m_sample *sample);

#endif
