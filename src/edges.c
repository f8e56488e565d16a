/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state machine as one table: five states by what a guard can say about them.
 *
 * Source: DAV2M (ICAC 2011) section 6, figure 7 and determineState; edge numbers as in
 * docs/policy.md. The table says where a verdict leads and what it teaches; when a verdict is
 * given is the guards' business (controller.c, threshold.c). Whether an edge switches the
 * hardware is not written here: it does when the two states' modes differ.
 */
#include "core.h"

#define STAY(state, why)                                                                           \
	{                                                                                          \
		DAV2M_STATE_##state, 0, DAV2M_##why, LESSON_NONE                                   \
	}
#define EDGE(n, state, why, lesson)                                                                \
	{                                                                                          \
		DAV2M_STATE_##state, n, DAV2M_##why, LESSON_##lesson                               \
	}

/* One cell a line, so that a reviewer can hold it against the paper's figure. */
/* clang-format off */
const struct dav2m_edge dav2m_edges[DAV2M_STATES][16] = {
	[DAV2M_STATE_SHADOW] = {
		[VERDICT_HOLD]     = STAY(SHADOW, WAITING),
		[VERDICT_ROLL]     = EDGE(2, SHADOW, ROLLED, NONE),
		[VERDICT_LEAVE]    = EDGE(1, PRENESTED, EXITS_ABOVE, NONE),
		[VERDICT_KEEP]     = STAY(SHADOW, WAITING),
		[VERDICT_REJECT]   = STAY(SHADOW, WAITING),
		[VERDICT_ABORT]    = STAY(SHADOW, WAITING),
		[VERDICT_GIVE_UP]  = STAY(SHADOW, WAITING),
		[VERDICT_QUIESCED] = STAY(SHADOW, WAITING),
		[VERDICT_BLIND]    = STAY(SHADOW, BLIND),
		[VERDICT_PIN]      = STAY(NESTED, PINNED),
	},
	[DAV2M_STATE_PRENESTED] = {
		[VERDICT_HOLD]     = STAY(PRENESTED, WAITING),
		[VERDICT_ROLL]     = STAY(PRENESTED, WAITING),
		[VERDICT_LEAVE]    = STAY(PRENESTED, WAITING),
		[VERDICT_KEEP]     = EDGE(4, PREPAGING, PROBE_KEPT, NESTED_WON),
		[VERDICT_REJECT]   = EDGE(3, SHADOW, PROBE_WORSE, NESTED_LOST),
		[VERDICT_ABORT]    = STAY(PRENESTED, WAITING),
		[VERDICT_GIVE_UP]  = STAY(PRENESTED, WAITING),
		[VERDICT_QUIESCED] = STAY(PRENESTED, WAITING),
		[VERDICT_BLIND]    = STAY(PRENESTED, BLIND),
		[VERDICT_PIN]      = STAY(SHADOW, PINNED),
	},
	[DAV2M_STATE_PREPAGING] = {
		[VERDICT_HOLD]     = STAY(PREPAGING, WAITING),
		[VERDICT_ROLL]     = STAY(PREPAGING, WAITING),
		[VERDICT_LEAVE]    = STAY(PREPAGING, WAITING),
		[VERDICT_KEEP]     = STAY(PREPAGING, WAITING),
		[VERDICT_REJECT]   = STAY(PREPAGING, WAITING),
		[VERDICT_ABORT]    = STAY(PREPAGING, WAITING),
		[VERDICT_GIVE_UP]  = STAY(PREPAGING, WAITING),
		[VERDICT_QUIESCED] = EDGE(5, NESTED, QUIESCED, NONE),
		[VERDICT_BLIND]    = STAY(PREPAGING, WAITING),
		[VERDICT_PIN]      = STAY(SHADOW, PINNED),
	},
	[DAV2M_STATE_NESTED] = {
		[VERDICT_HOLD]     = STAY(NESTED, WAITING),
		[VERDICT_ROLL]     = EDGE(7, NESTED, ROLLED, NONE),
		[VERDICT_LEAVE]    = EDGE(6, PRESHADOW, MISSES_ABOVE, NONE),
		[VERDICT_KEEP]     = STAY(NESTED, WAITING),
		[VERDICT_REJECT]   = STAY(NESTED, WAITING),
		[VERDICT_ABORT]    = STAY(NESTED, WAITING),
		[VERDICT_GIVE_UP]  = STAY(NESTED, WAITING),
		[VERDICT_QUIESCED] = STAY(NESTED, WAITING),
		[VERDICT_BLIND]    = STAY(NESTED, BLIND),
		[VERDICT_PIN]      = STAY(SHADOW, PINNED),
	},
	[DAV2M_STATE_PRESHADOW] = {
		[VERDICT_HOLD]     = STAY(PRESHADOW, WAITING),
		[VERDICT_ROLL]     = EDGE(11, PRESHADOW, ROLLED, NONE),
		[VERDICT_LEAVE]    = STAY(PRESHADOW, WAITING),
		[VERDICT_KEEP]     = EDGE(10, SHADOW, PROBE_KEPT, SHADOW_WON),
		[VERDICT_REJECT]   = EDGE(9, NESTED, PROBE_WORSE, SHADOW_LOST),
		[VERDICT_ABORT]    = EDGE(8, PRENESTED, PROBE_ABORTED, NONE),
		[VERDICT_GIVE_UP]  = EDGE(9, NESTED, PROBE_ABORTED, SHADOW_LOST),
		[VERDICT_QUIESCED] = STAY(PRESHADOW, WAITING),
		[VERDICT_BLIND]    = STAY(PRESHADOW, BLIND),
		[VERDICT_PIN]      = STAY(NESTED, PINNED),
	},
};
/* clang-format on */
