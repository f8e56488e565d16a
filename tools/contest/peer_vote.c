/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The overhead vote of the public switcher for KVM (github.com/imarmanis/ntua-rpms: a patch of
 * Linux 4.19 and a shell script; read for its rule, no line of it is here).
 *
 * Each second the share of cycles that paging takes, VMM and page walks together, votes: above 9 %
 * against the mode that runs, below 2 % for it. Four votes ahead, the mode changes; two seconds
 * are skipped then. If the guest's IPC has fallen by a tenth, the threshold that led here rises by
 * 2 points x old / new IPC; if it has grown by a tenth, it falls by 2 points x new / old.
 */
#include "peers.h"

#define PERIOD_CYCLES 2000000000u /* its second, on a machine of 2 GHz */
#define HIGH_PERCENT  9.0
#define LOW_PERCENT   2.0
#define VOTES	      4
#define SKIP	      2 /* periods */
#define STEP_PERCENT  2.0
#define HIGHEST	      100.0

static void vote_begin(struct peer *peer, uint64_t seed)
{
	(void)seed;
	peer->state.vote.high_percent[DAV2M_SHADOW] = HIGH_PERCENT;
	peer->state.vote.high_percent[DAV2M_NESTED] = HIGH_PERCENT;
}

/* After a switch: was it a good one? The threshold is that of the mode that was left. */
static void vote_learn(struct peer *peer, double ipc)
{
	struct peer_vote *vote = &peer->state.vote;
	double *high =
		&vote->high_percent[peer->mode == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW];

	if (ipc < 0.9 * vote->ipc)
		*high += STEP_PERCENT * vote->ipc / ipc;
	else if (ipc > 1.1 * vote->ipc)
		*high -= STEP_PERCENT * ipc / vote->ipc;
	if (*high > HIGHEST)
		*high = HIGHEST;
	if (*high < LOW_PERCENT)
		*high = LOW_PERCENT;
}

static int vote_leave(struct peer *peer, const struct dav2m_sample *passed)
{
	struct peer_vote *vote = &peer->state.vote;
	double cycles = (double)passed->value[DAV2M_CYCLES];
	double ipc = (double)passed->value[DAV2M_PROGRESS] / cycles;
	double percent =
		100.0 *
		((double)passed->value[DAV2M_PAGING_EXIT_CYCLES] + peer_walk_cycles(peer, passed)) /
		cycles;
	int away = peer->mode == DAV2M_SHADOW ? 1 : -1;

	if (vote->skip) {
		if (!--vote->skip)
			vote_learn(peer, ipc);
		return 0;
	}
	vote->ipc = ipc;
	if (percent > vote->high_percent[peer->mode])
		vote->level += away;
	else if (percent < LOW_PERCENT)
		vote->level -= away;
	if (vote->level > VOTES)
		vote->level = VOTES;
	if (vote->level < -VOTES)
		vote->level = -VOTES;
	return vote->level == away * VOTES;
}

static void vote_switched(struct peer *peer, uint64_t cycles)
{
	(void)cycles;
	peer->state.vote.skip = SKIP;
}

const struct peer_rule peer_overhead_vote = {
	.name = "overhead vote",
	.source = "the public switcher for KVM, github.com/imarmanis/ntua-rpms",
	.inferred =
		"a second is 2e9 cycles, the guest is always busy, a PMU without walk cycles has "
		"misses x 20 or 60; it publishes no measurement",
	.clock = DAV2M_CYCLES,
	.period = PERIOD_CYCLES,
	.begin = vote_begin,
	.leave = vote_leave,
	.switched = vote_switched,
};
