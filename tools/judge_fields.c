/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of judges and fields; see judge_fields.h.
 */
#include "judge_fields.h"

#include <stddef.h>
#include <string.h>

#define THRESHOLD 1u
#define REGRET	  2u
#define BOTH	  (THRESHOLD | REGRET)

static const struct {
	const char *field;
	unsigned int judges;
} table[] = {
	{"window_inst", BOTH},
	{"threshold_vmexit", THRESHOLD},
	{"threshold_tmiss", THRESHOLD},
	{"window_vmexit", BOTH}, /* regret judges each tick: these two may be nothing but 1 */
	{"window_tmiss", BOTH},
	{"window_prepaging", THRESHOLD},
	{"window_trans", BOTH}, /* regret: the largest window_settle, and what is told as recent */
	{"window_settle", BOTH},
	{"threshold_min_div", THRESHOLD},
	{"threshold_max_times", THRESHOLD},
	{"p_factor_bp", THRESHOLD},
	{"raise_bp", THRESHOLD},
	{"lower_bp", THRESHOLD},
	{"decay_bp", THRESHOLD},
	{"as_printed", THRESHOLD},
	{"counter_bits", BOTH},
	{"judge", BOTH},
	{"round_trip_ticks", REGRET},
	{"regret_bp", REGRET},
	{"seed", REGRET},
	{"probe_share_bp", REGRET},
	{"probe_loss_bp", REGRET},
	{"shadow_walk_cycles", REGRET},
	{"nested_walk_cycles", REGRET},
	{"exit_cycles", REGRET},
};

int judge_uses(unsigned int judge, const char *field)
{
	const unsigned int asked = judge ? REGRET : THRESHOLD;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].field, field))
			return (table[i].judges & asked) != 0;
	return -1;
}

const char *judge_name(unsigned int judge)
{
	return judge ? "regret" : "threshold";
}
