/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fuzz targets share. For the targets that read files, the first byte of an input says
 * into pieces of which size the rest is cut: a reader must not see the difference.
 */
#ifndef FUZZ_MUST_H
#define FUZZ_MUST_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#endif
