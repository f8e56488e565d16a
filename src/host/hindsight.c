/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The best schedule in hindsight, by dynamic programming over (tick, mode).
 *
 * best[m] is the least cost of any schedule up to this tick that ends in mode m:
 *
 *     best[m] = cycles[m] + min(best[m], best[other] + switch_cycles[m])
 *
 * Two integers of state; one remembered bit per tick and mode, which way the minimum came, gives
 * the schedule back. With D for both switch costs together this is the offline optimum that
 * policies are measured against (Borodin, Linial, Saks, JACM 1992).
 */
#include <dav2m/host/replay.h>

#include "error.h"
#include "replay_account.h"

#include <stdlib.h>
#include <string.h>

static enum dav2m_mode other(enum dav2m_mode mode)
{
	return mode == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW;
}

/*
 * Forward: fills came[i] with DAV2M_BIT(m) where the best way into tick i in mode m is a switch.
 * A tie stays. Answers the mode in which the best schedule ends.
 */
static enum dav2m_mode forward(const struct dav2m_pair *pair,
			       const uint64_t switch_cycles[DAV2M_MODES],
			       const uint64_t start_cycles[DAV2M_MODES], uint8_t *came)
{
	uint64_t best[DAV2M_MODES], stay[DAV2M_MODES];
	enum dav2m_mode m;
	size_t i;

	for (m = DAV2M_SHADOW; m < DAV2M_MODES; m++)
		best[m] = start_cycles[m] + pair->tick[m][0].value[DAV2M_CYCLES];
	came[0] = 0;
	for (i = 1; i < pair->ticks; i++) {
		came[i] = 0;
		memcpy(stay, best, sizeof(stay));
		for (m = DAV2M_SHADOW; m < DAV2M_MODES; m++) {
			uint64_t turn = stay[other(m)] + switch_cycles[m];

			if (turn < stay[m])
				came[i] |= (uint8_t)DAV2M_BIT(m);
			best[m] = (turn < stay[m] ? turn : stay[m]) +
				  pair->tick[m][i].value[DAV2M_CYCLES];
		}
	}
	return best[DAV2M_NESTED] < best[DAV2M_SHADOW] ? DAV2M_NESTED : DAV2M_SHADOW;
}

/* Backward, in place: from which way each tick was entered to the mode it runs in. */
static void backward(uint8_t *came, size_t ticks, enum dav2m_mode mode)
{
	while (ticks--) {
		int turned = came[ticks] & DAV2M_BIT(mode);

		came[ticks] = (uint8_t)mode;
		if (turned)
			mode = other(mode);
	}
}

static void schedule_run(const struct dav2m_pair *pair, const uint64_t switch_cycles[DAV2M_MODES],
			 const uint8_t *mode, struct dav2m_run *ret_run)
{
	size_t i;

	memset(ret_run, 0, sizeof(*ret_run));
	for (i = 0; i < pair->ticks; i++) {
		enum dav2m_mode m = (enum dav2m_mode)mode[i];

		if (i && mode[i] != mode[i - 1])
			dav2m_run_switch(ret_run, m, switch_cycles[m]);
		dav2m_run_tick(ret_run, m, &pair->tick[m][i]);
	}
}

int dav2m_replay_schedule(const struct dav2m_pair *pair, const uint64_t switch_cycles[DAV2M_MODES],
			  const uint8_t *mode, struct dav2m_run *ret_run,
			  struct dav2m_host_error *error)
{
	int rc = dav2m_replay_check(pair, switch_cycles, error);
	size_t i;

	if (rc)
		return rc;
	if (!mode || !ret_run)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT, "replay: NULL argument");
	for (i = 0; i < pair->ticks; i++)
		if (mode[i] >= DAV2M_MODES)
			return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
					       "the mode of tick %zu of the schedule is unknown",
					       i);
	schedule_run(pair, switch_cycles, mode, ret_run);
	return 0;
}

int dav2m_hindsight(const struct dav2m_pair *pair, const uint64_t switch_cycles[DAV2M_MODES],
		    const uint64_t start_cycles[DAV2M_MODES], uint8_t *ret_mode,
		    struct dav2m_run *ret_run, struct dav2m_host_error *error)
{
	uint8_t *mode = ret_mode;
	int rc = dav2m_replay_check(pair, switch_cycles, error);

	if (!rc)
		rc = dav2m_replay_check(pair, start_cycles, error);
	if (rc)
		return rc;
	if (!ret_run)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT, "hindsight: NULL argument");
	if (!mode)
		mode = malloc(pair->ticks);
	if (!mode)
		return dav2m_host_fail_memory(error);
	backward(mode, pair->ticks, forward(pair, switch_cycles, start_cycles, mode));
	schedule_run(pair, switch_cycles, mode, ret_run);
	ret_run->cycles += start_cycles[mode[0]];
	ret_run->switch_cycles += start_cycles[mode[0]];
	if (!ret_mode)
		free(mode);
	return 0;
}
