/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runs of `dav2m sim`: the same stream under several modes at once, with what each of them
 * counts, decides and records.
 */
#ifndef DAV2M_TOOLS_SIM_RUNS_H
#define DAV2M_TOOLS_SIM_RUNS_H

#include "sim_feed.h"
#include "sim_footprint.h"
#include "sim_record.h"
#include "sim_track.h"

#include <dav2m/sim/routine.h>
#include <dav2m/sim/run.h>

/* SWITCHER is not reported: it switches now and then, to see what that costs. */
enum run_mode { RUN_NATIVE = 0, RUN_SHADOW, RUN_NESTED, RUN_ADAPTIVE, RUN_SWITCHER };
#define RUN_MODES 4 /* that can be asked for */

/* What all runs share. */
struct run_setup {
	const struct dav2m_sim_machine *machine;
	const struct dav2m_sim_cost *cost;
	enum dav2m_sim_tables tables;
	enum dav2m_sim_page guest_page;
	uint64_t guest_bytes;
	uint64_t kernel_bytes;
	uint64_t swap_bytes;
	enum dav2m_mode start;	     /* mode that the adaptive run begins in */
	struct dav2m_config config;  /* the controller's; its window_inst is everybody's tick */
	const char *program;	     /* for the recordings */
	const char *record;	     /* prefix of the recordings' names, or NULL */
	unsigned modes;		     /* bit per enum run_mode */
	uint64_t warm_up_inst;	     /* what the counts leave out at the beginning */
	struct footprint *footprint; /* is told all words; or NULL */
	const char *pictures;	     /* prefix of the pictures' names, or NULL */
};

struct run {
	enum run_mode mode;
	struct dav2m_sim *sim;
	struct dav2m controller;	  /* of the adaptive run */
	struct dav2m_sim_adapter adapter; /* of the adaptive run */
	struct recording recording;
	struct track track;
	struct dav2m_sim_counts before;			      /* of the warm-up */
	int warm;					      /* it is over */
	struct dav2m_sim_counts counts;			      /* since the warm-up */
	struct dav2m_sim_routine routine[DAV2M_SIM_ROUTINES]; /* likewise */
	uint64_t warm_up_inst;
	int failed;
	struct dav2m_host_error error;
};

struct runs {
	struct run run[RUN_MODES + 1];
	size_t n; /* of them, without the switcher, which comes last */
	size_t all;
	int interrupted; /* 1: ended by a signal; the counts are those so far */
};

/* Runs the whole feed. On an error nothing is recorded. */
int runs_do(struct runs *runs, const struct run_setup *setup, struct feed *feed,
	    struct dav2m_host_error *error);
void runs_free(struct runs *runs);

const char *run_mode_name(enum run_mode mode);

#endif
