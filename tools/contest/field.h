/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who plays the contest, and on what: policies, workloads, cost models. Data, the same for all.
 */
#ifndef DAV2M_TOOLS_CONTEST_FIELD_H
#define DAV2M_TOOLS_CONTEST_FIELD_H

#include "drawn.h"
#include "peers.h"
#include "phases.h"

#include <dav2m/sim/sim.h>

/* A policy: a peer, or the controller with a config. */
struct contest_policy {
	char name[64];
	const struct peer_rule *rule; /* NULL: the controller */
	struct dav2m_config config;
};

/* Prices, and what a switch costs. */
struct contest_model {
	const char *name;
	const char *about;   /* one line */
	const char *machine; /* of the simulator */
	const char *cost;
	uint32_t switch_bp; /* a switch costs this much of what was measured */
};

enum contest_kind {
	CONTEST_SIMULATED, /* a workload of the simulator */
	CONTEST_PHASES,	   /* a list of phases */
	CONTEST_ADVERSARY, /* whatever the policy does is wrong */
	CONTEST_FILES	   /* two recordings of the user's */
};

struct contest_workload {
	enum contest_kind kind;
	const char *name;
	const struct dav2m_sim_workload *simulated;
	const struct phases *phases;
	const struct drawn *drawn; /* its phases are `phases`; NULL: not drawn by lot */
	uint32_t seed;		   /* of what is drawn in it, but for the lists drawn by lot */
	const char *file[DAV2M_MODES];
};

/* One of the seven programs of the DAV2M paper. */
int contest_is_dav2m(const struct contest_workload *workload);

/* The i-th, or 0 past the last. First the peers, then the controller's presets. */
int contest_policy(size_t index, struct contest_policy *ret_policy);
/* The i-th, or 0 past the last: the simulator's, the lists of phases, the adversary. */
int contest_workload(size_t index, struct contest_workload *ret_workload);
/* The i-th, or NULL past the last. */
const struct contest_model *contest_model(size_t index);

/* The model of recordings that bring their own prices. */
extern const struct contest_model contest_as_recorded;

/* Price of an event relative to palacios2011, to which the lists of phases are priced. */
double contest_exit_price(const struct contest_model *model);
double contest_walk_price(const struct contest_model *model);

#endif
