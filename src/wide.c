/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comparing products of 64-bit values: ratios are compared by cross-multiplication, and a window
 * of cycles times a window of instructions needs up to 128 bits, which not every target's
 * compiler has.
 */
#include "core.h"

struct wide {
	uint64_t high;
	uint64_t low;
};

static struct wide multiply(uint64_t a, uint64_t b)
{
	uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
	uint64_t low = a0 * b0, left = a1 * b0, right = a0 * b1;
	/* < 2^32 + 2^32 + 2^32 */
	uint64_t middle = (low >> 32) + (uint32_t)left + (uint32_t)right;

	return (struct wide){
		.high = a1 * b1 + (left >> 32) + (right >> 32) + (middle >> 32),
		.low = middle << 32 | (uint32_t)low,
	};
}

int dav2m_product_exceeds(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct wide left = multiply(a, b), right = multiply(c, d);

	return left.high != right.high ? left.high > right.high : left.low > right.low;
}
