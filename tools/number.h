/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers on the command line: what cannot be kept as it stands is refused, not rounded.
 */
#ifndef DAV2M_TOOLS_NUMBER_H
#define DAV2M_TOOLS_NUMBER_H

#include <stdint.h>

/* A whole number in [least, most], digits only, that `end` follows; answers what is behind that, or
   NULL. */
const char *number_whole(const char *text, char end, uint32_t least, uint32_t most,
			 uint32_t *ret_value);

/* A decimal number in [least, most] that is so many of 1/parts; answers 0, or -1. */
int number_in_parts(const char *text, double least, double most, uint32_t parts,
		    uint32_t *ret_value);

#endif
