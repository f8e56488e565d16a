/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was seen of one guest, and what may be said about it: counters in, words out. Must not
 * know a cost that neither the counters nor the user supplied.
 */
#ifndef DAV2M_TOOLS_KVM_ADVICE_H
#define DAV2M_TOOLS_KVM_ADVICE_H

#include <dav2m/kvm/kvm.h>

/* Samples with progress and without paging exits, or with them. */
struct kvm_pace {
	uint64_t samples;
	double cycles;
	double progress;
	double least, most; /* cycles per unit of progress, of a sample */
};

/* Start from zeroes with mode, mode_known, cycles_are_ns and the user's figures set. */
struct kvm_seen {
	struct dav2m_sample sum; /* of the increments */
	uint64_t samples;
	uint32_t lacking;	   /* DAV2M_BIT of the counters that some sample lacked */
	double busiest;		   /* cycles per paging exit in the sample that had most; 0: none */
	struct dav2m_sample since; /* progress was last reported */
	struct kvm_pace calm;	   /* no paging exits */
	struct kvm_pace busy;

	enum dav2m_mode mode;
	int mode_known;
	int cycles_are_ns;

	uint32_t exit_cost;	/* of one paging exit, in the unit of cycles; 0: not told */
	uint32_t worth_percent; /* a saving below is not worth a change; 0: not told */

	struct dav2m_kvm_process process; /* pid 0: a recording */
};

/* Takes one interval's increments in. */
void kvm_seen_add(struct kvm_seen *seen, const struct dav2m_sample *increments);

/* Writes the advice to the standard output. */
void kvm_advice_print(const struct kvm_seen *seen);

#endif
