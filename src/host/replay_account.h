/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The accounts that every way of running a paired recording shares. Private.
 */
#ifndef DAV2M_SRC_HOST_REPLAY_ACCOUNT_H
#define DAV2M_SRC_HOST_REPLAY_ACCOUNT_H

#include <dav2m/host/replay.h>

/* Refuses what could overflow the accounts: see struct dav2m_replay. */
int dav2m_replay_check(const struct dav2m_pair *pair, const uint64_t switch_cycles[DAV2M_MODES],
		       struct dav2m_host_error *error);

void dav2m_run_tick(struct dav2m_run *run, enum dav2m_mode mode,
		    const struct dav2m_sample *increments);
void dav2m_run_switch(struct dav2m_run *run, enum dav2m_mode to, uint64_t cycles);

#endif
