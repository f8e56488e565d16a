/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the suites of the hosted library share: traces from text, pairs from numbers, a scratch
 * folder.
 */
#ifndef DAV2M_TESTS_HOST_H
#define DAV2M_TESTS_HOST_H

#include <dav2m/host/pair.h>

#include <check.h>

/* Hands text to the reader in pieces of at most piece bytes. */
int text_read(const char *text, size_t piece, uint32_t flags, struct dav2m_trace *ret_trace,
	      struct dav2m_host_error *error);

/* A trace in memory with progress and cycles; freed by dav2m_trace_free(). */
struct dav2m_trace trace_of(enum dav2m_trace_mode mode, const uint64_t (*progress_cycles)[2],
			    size_t ticks);

/* A pair with 10 of progress per tick; freed by dav2m_pair_free(). */
struct dav2m_pair pair_of(const uint64_t *shadow_cycles, const uint64_t *nested_cycles,
			  size_t ticks);

/* A file in this process's scratch folder; scratch_remove() ends the folder. */
const char *scratch_path(const char *name);
void scratch_remove(void);

/* Numbers that are the same in every run. */
uint64_t random_next(uint64_t *state);

#endif
