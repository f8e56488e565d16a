/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products of 64-bit values against a compiler's 128-bit integers, where it has them.
 */
#include <stdio.h>

#include "core.h"
#include "rig.h"

#ifndef __SIZEOF_INT128__
int main(void)
{
	puts("skipped: this compiler has no 128-bit integers to compare with");
	return 77;
}
#else

__extension__ typedef unsigned __int128 wide;

static void compare(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	int want = (wide)a * b > (wide)c * d;

	ck_assert_msg(dav2m_product_exceeds(a, b, c, d) == want,
		      "%#llx x %#llx > %#llx x %#llx is not %d", (unsigned long long)a,
		      (unsigned long long)b, (unsigned long long)c, (unsigned long long)d, !want);
}

static void compare_scaled(uint64_t a, uint64_t b, uint32_t m, uint64_t c, uint64_t d, uint32_t n)
{
	/* 160 bits: the upper 128 of each product, and the 32 below them. */
	wide left = (wide)a * b, right = (wide)c * d;
	wide left_high = (left >> 32) * m + ((wide)(uint32_t)left * m >> 32);
	wide right_high = (right >> 32) * n + ((wide)(uint32_t)right * n >> 32);
	uint32_t left_low = (uint32_t)left * m, right_low = (uint32_t)right * n;
	int want = left_high != right_high ? left_high > right_high : left_low > right_low;

	if ((m | n) >> 17)
		return; /* no factor */
	rig_must(dav2m_scaled_product_exceeds(a, b, m, c, d, n) == want);
}

/* All products of values around each power of two that a carry may pass. */
START_TEST(edge_values)
{
	static const uint64_t values[] = {0,
					  1,
					  2,
					  3,
					  UINT64_C(0x7fffffff),
					  UINT64_C(0x80000000),
					  UINT64_C(0xffffffff),
					  UINT64_C(0x100000000),
					  UINT64_C(0x100000001),
					  UINT64_C(0x7fffffffffffffff),
					  UINT64_C(0x8000000000000000),
					  UINT64_C(0xfffffffeffffffff),
					  UINT64_C(0xffffffff00000000),
					  UINT64_MAX - 1,
					  UINT64_MAX};
	const size_t n = sizeof(values) / sizeof(values[0]);

	for (size_t i = 0; i < n * n * n * n; i++)
		compare(values[i % n], values[i / n % n], values[i / n / n % n],
			values[i / n / n / n]);
}
END_TEST

START_TEST(random_values)
{
	uint64_t seed = 1;

	for (int i = 0; i < 100000; i++) {
		uint64_t shape = rig_random(&seed);
		uint64_t a = rig_random(&seed) >> shape % 64;
		uint64_t b = rig_random(&seed) >> shape / 64 % 64;

		compare(a, b, rig_random(&seed) >> shape / 4096 % 64, rig_random(&seed));
		/* Equal products, and ones that differ by one factor's last bit. */
		compare(a, b, b, a);
		compare(a, b, b, a ^ 1);
		compare(a ^ 1, b, b, a);
		compare_scaled(a, b, shape & 0x1ffff, b, shape, a & 0x1ffff);
		compare_scaled(a, b, 10000, a, b, 10000 + (uint32_t)(shape % 3) - 1);
		compare_scaled(a >> 17, b >> 32, 10000, b >> 17, a >> 32, (uint32_t)shape >> 15);
		compare_scaled(a >> 17, b >> 32, 10000, a >> 17, b >> 32, 10000);
		compare_scaled(a >> 17, 1, 10200, (a >> 17) + shape % 3 - 1, 1, 10200);
	}
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("wide");

	tcase_add_test(tests, edge_values);
	tcase_add_test(tests, random_values);
	return rig_main("wide", tests);
}
#endif
