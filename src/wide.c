/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comparing products of 64-bit values: ratios are compared by cross-multiplication, and a window
 * of cycles times a window of instructions needs up to 128 bits, which not every target's
 * compiler has; times a factor it needs 160.
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

/* a x b x factor: the words of 32 bits, but for the first, which has what
   is left. */
static void multiply_by(struct wide product, uint32_t factor, uint64_t ret_word[4])
{
	ret_word[3] = (uint64_t)(uint32_t)product.low * factor;
	ret_word[2] = (product.low >> 32) * factor + (ret_word[3] >> 32);
	ret_word[1] = (uint64_t)(uint32_t)product.high * factor + (ret_word[2] >> 32);
	ret_word[0] = (product.high >> 32) * factor + (ret_word[1] >> 32);
	for (int i = 1; i < 4; i++)
		ret_word[i] = (uint32_t)ret_word[i];
}

/* The same for a x factor < 2^64 and b < 2^32: 96 bits. */
static int short_exceeds(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint64_t left = (uint32_t)a * b, right = (uint32_t)c * d;
	uint64_t left_high = (a >> 32) * b + (left >> 32);
	uint64_t right_high = (c >> 32) * d + (right >> 32);

	return left_high != right_high ? left_high > right_high : (uint32_t)left > (uint32_t)right;
}

int dav2m_scaled_product_exceeds(uint64_t a, uint64_t b, uint32_t factor, uint64_t c, uint64_t d,
				 uint32_t other_factor)
{
	uint64_t left[4], right[4];
	int i = 0;

	/* Windows of seconds, as they are. */
	if (!((a | c) >> 47 | (b | d) >> 32))
		return short_exceeds(a * factor, b, c * other_factor, d);
	multiply_by(multiply(a, b), factor, left);
	multiply_by(multiply(c, d), other_factor, right);
	while (i < 3 && left[i] == right[i])
		i++;
	return left[i] > right[i];
}

int dav2m_product_exceeds(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct wide left = multiply(a, b), right = multiply(c, d);

	return left.high != right.high ? left.high > right.high : left.low > right.low;
}
