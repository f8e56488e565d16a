/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the suites of libdav2m-kvm share.
 */
#ifndef TESTS_KVM_SUPPORT_H
#define TESTS_KVM_SUPPORT_H

#include <check.h>
#include <dav2m/kvm/kvm.h>

/* Runs one suite of one case; the answer is main()'s. */
int support_run(const char *name, const TTest *const *tests, size_t n, int timeout_s);

/* One descriptor of a statistics file that support_stats() makes. */
struct support_stat {
	const char *name;
	uint32_t flags; /* KVM_STATS_TYPE_* | KVM_STATS_UNIT_* */
	uint64_t value;
};

/* A file like KVM's; its descriptor. */
int support_stats(const struct support_stat *stats, uint32_t n);
/* Puts another value in place of the index-th. */
void support_stats_set(int fd, uint32_t n, uint32_t index, uint64_t value);

#endif
