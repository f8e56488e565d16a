/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where `dav2m sim` gets its references: recorded traces, or a workload.
 */
#ifndef DAV2M_TOOLS_SIM_FEED_H
#define DAV2M_TOOLS_SIM_FEED_H

#include "trace_input.h"

#include <dav2m/sim/workload.h>

struct feed;

/* Fewest words that feed_next() needs room for. */
#define FEED_ROOM 4096

/* paths: n files, "-" for the standard input; they run one after another in one guest,
   each as a process of its own unless it tells of processes itself. */
int feed_open_traces(char **paths, size_t n, enum trace_format format, struct feed **ret_feed,
		     struct dav2m_host_error *error);
int feed_open_workload(const struct dav2m_sim_workload *workload, uint64_t seed, uint32_t scale_bp,
		       uint32_t size, struct feed **ret_feed, struct dav2m_host_error *error);

/* The next words, whole events only; *ret_words 0 at the end. */
int feed_next(struct feed *feed, uint64_t *words, size_t room, size_t *ret_words,
	      struct dav2m_host_error *error);
void feed_close(struct feed *feed);

/* What ran, as far as it has been read: the workload, or what each trace says, "; " between. It
   stays where it is until the feed is closed. */
const char *feed_program(const struct feed *feed);

/* For the progress line, in feed_unit(): how much there is (0: not known), how much is done. */
uint64_t feed_total(const struct feed *feed);
uint64_t feed_done(const struct feed *feed);
const char *feed_unit(const struct feed *feed);

#endif
