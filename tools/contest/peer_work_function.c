/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The randomized work function algorithm for a metrical task system of two states (Borodin,
 * Linial, Saks, JACM 39(4), 1992; the work function is theirs, moving in proportion to it is the
 * usual randomization for two states).
 *
 * w(m): the least that the work so far could have cost, ending in mode m. Their difference lies
 * between the two switch costs; nested paging runs with a probability that grows linearly from 0
 * to 1 between them. One coin serves until the probability is 0 or 1, so that a switch is made
 * only when the probability has passed it.
 */
#include "mix.h"
#include "peers.h"

/* Before the first switch told its cost: half of the longest transient that DAV2M reports (its
   section 5: 100 ms) at 2 GHz. */
#define SWITCH_CYCLES 1e8

/* What the other mode would cost: a walk of the other kind, and shadow paging's exits as they last
   were, fading: each row takes 1/512, so that half is forgotten in 89 ticks of DAV2M's, about its
   window_trans. Without fading it would never come back to shadow paging. */
#define WALK_RATIO ((double)PEER_WALK_2D_CYCLES / PEER_WALK_1D_CYCLES)
#define FADE	   (511.0 / 512)

/* A number in [0, 1). */
static double coin_throw(uint64_t *random)
{
	return (double)(mix_next(random) >> 11) / 9007199254740992.0; /* 2^53 */
}

static void work_begin(struct peer *peer, uint64_t seed)
{
	struct peer_work *work = &peer->state.work;

	work->switch_cycles[DAV2M_SHADOW] = work->switch_cycles[DAV2M_NESTED] = SWITCH_CYCLES;
	/* The mode that runs is the cheapest place to be before any work. */
	work->shadow_lead_cycles = peer->mode == DAV2M_SHADOW ? -SWITCH_CYCLES : SWITCH_CYCLES;
	work->random = seed;
	work->coin = coin_throw(&work->random);
}

/* What this period cost shadow paging more than nested paging. */
static double shadow_more(struct peer *peer, const struct dav2m_sample *passed)
{
	struct peer_work *work = &peer->state.work;
	double walk = peer_walk_cycles(peer, passed);

	if (peer->mode == DAV2M_SHADOW) {
		work->exit_cycles = (double)passed->value[DAV2M_PAGING_EXIT_CYCLES];
		if (!(passed->valid & DAV2M_BIT(DAV2M_PAGING_EXIT_CYCLES)))
			work->exit_cycles =
				(double)passed->value[DAV2M_PAGING_EXITS] * PEER_EXIT_CYCLES;
		return work->exit_cycles - walk * (WALK_RATIO - 1);
	}
	work->exit_cycles *= FADE;
	return work->exit_cycles - walk * (1 - 1 / WALK_RATIO);
}

static int work_leave(struct peer *peer, const struct dav2m_sample *passed)
{
	struct peer_work *work = &peer->state.work;
	double low = -work->switch_cycles[DAV2M_NESTED];
	double high = work->switch_cycles[DAV2M_SHADOW];
	double lead = work->shadow_lead_cycles + shadow_more(peer, passed);
	double nested;

	if (lead < low)
		lead = low;
	if (lead > high)
		lead = high;
	work->shadow_lead_cycles = lead;
	nested = high > low ? (lead - low) / (high - low) : peer->mode == DAV2M_NESTED;
	if (nested <= 0 || nested >= 1)
		work->coin = coin_throw(&work->random);
	return (nested > work->coin) != (peer->mode == DAV2M_NESTED);
}

static void work_switched(struct peer *peer, uint64_t cycles)
{
	peer->state.work.switch_cycles[peer->mode] = (double)cycles;
}

const struct peer_rule peer_randomized_work_function = {
	.name = "randomized work function",
	.source = "Borodin, Linial, Saks, An Optimal On-Line Algorithm for Metrical Task System, "
		  "JACM 39(4), 1992, for two states",
	.inferred = "the cost of the mode that does not run, which the model takes as known: walks "
		    "x 3 or / 3, paging exits as in the last stay in shadow paging, fading",
	.clock = DAV2M_PROGRESS,
	.period = PEER_ROW_PROGRESS,
	.throws_coins = 1,
	.begin = work_begin,
	.leave = work_leave,
	.switched = work_switched,
};
