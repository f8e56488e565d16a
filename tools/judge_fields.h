/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which judge uses which field of a controller's config: the one place that knows.
 */
#ifndef DAV2M_TOOLS_JUDGE_FIELDS_H
#define DAV2M_TOOLS_JUDGE_FIELDS_H

/* judge: as struct dav2m_config has it. 1: it uses the field; 0: a value changes nothing; -1: no
   such field is known here. */
int judge_uses(unsigned int judge, const char *field);

/* "threshold", "regret" */
const char *judge_name(unsigned int judge);

#endif
