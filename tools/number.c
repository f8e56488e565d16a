/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads numbers, all of the text or none.
 */
#include "number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* What a decimal fraction misses its binary neighbour by is far below, a digit too many far above.
 */
#define SAME 1e-6

const char *number_whole(const char *text, char end, uint32_t least, uint32_t most,
			 uint32_t *ret_value)
{
	char *stop;
	unsigned long long value;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	value = strtoull(text, &stop, 10);
	if (errno || *stop != end || value < least || value > most)
		return NULL;
	*ret_value = (uint32_t)value;
	return stop + 1;
}

int number_in_parts(const char *text, double least, double most, uint32_t parts,
		    uint32_t *ret_value)
{
	char *stop;
	double value = strtod(text, &stop), whole;

	if (stop == text || *stop || !(value >= least && value <= most))
		return -1;
	whole = floor(value * parts + 0.5);
	if (fabs(value * parts - whole) > SAME)
		return -1;
	*ret_value = (uint32_t)whole;
	return 0;
}
