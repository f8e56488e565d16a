/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many different pages a stream touches, of each process, by data references and by fetches.
 */
#ifndef DAV2M_TOOLS_SIM_FOOTPRINT_H
#define DAV2M_TOOLS_SIM_FOOTPRINT_H

#include <stddef.h>
#include <stdint.h>

#define FOOTPRINT_RECENT 4096u /* a power of two */

/* All zero at the beginning. */
struct footprint {
	uint64_t *seen; /* keys, hashed; 0: free */
	size_t room;	/* a power of two */
	size_t used;
	uint64_t pid;
	uint64_t recent[FOOTPRINT_RECENT];
	uint64_t data_pages;
	uint64_t code_pages;
	int failed; /* memory ran out; the counts are too small */
};

void footprint_add(struct footprint *footprint, const uint64_t *words, size_t n);
void footprint_free(struct footprint *footprint);

#endif
