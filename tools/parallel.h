/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Independent jobs on all processors, with a progress line.
 */
#ifndef DAV2M_TOOLS_PARALLEL_H
#define DAV2M_TOOLS_PARALLEL_H

#include <dav2m/host/error.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Job index of a run, on some thread. Answers 0 or a negative enum dav2m_host_code. */
typedef int parallel_job(void *context, size_t index, struct dav2m_host_error *error);

struct parallel {
	size_t jobs;
	parallel_job *job;
	void *context;
	/* For the progress line: what is done, in which unit, how much of which total. */
	const char *what;
	const char *unit;
	uint64_t total;
	atomic_uint_least64_t *done;
};

/*
 * Runs all jobs, begun in their order. After a job that failed no other begins; the answer and
 * the error are those of the one that failed first.
 */
int parallel_do(const struct parallel *parallel, struct dav2m_host_error *error);

#endif
