/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A workload that makes whatever the policy runs the wrong mode.
 *
 * It watches which mode runs and makes the next row dear in it. A guest can do that to a
 * deterministic policy: it knows what the policy will do. What comes out is an ordinary paired
 * recording, against which the policy is then scored like on any other. Against a policy that
 * throws coins that is unfair, for no guest sees the coins; such a policy is scored with other
 * coins than the workload was made against ("oblivious adversary").
 */
#ifndef DAV2M_TOOLS_CONTEST_ADVERSARY_H
#define DAV2M_TOOLS_CONTEST_ADVERSARY_H

#include "field.h"

/*
 * Plays against policy_object, which starts in the mode `start`, and makes the pair; to be freed.
 * Answers 0 or a negative enum dav2m_host_code.
 */
int adversary_pair(const struct contest_model *model, const uint64_t switch_cycles[DAV2M_MODES],
		   enum dav2m_mode start, size_t rows, const struct dav2m_policy *policy,
		   void *policy_object, struct dav2m_pair *ret_pair,
		   struct dav2m_host_error *error);

#endif
