/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four functions that a compiler, and libdav2m, take for granted.
 */
#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	return start;
}

/* Eight bytes at a time where it fits: clearing tables is most of what a switch does. */
void *memset(void *to, int value, size_t n)
{
	void *start = to;
	size_t words = n / 8;
	size_t rest = n % 8;

	__asm__ volatile("rep stosq"
			 : "+D"(to), "+c"(words)
			 : "a"(0x0101010101010101ull * (uint8_t)value)
			 : "memory");
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(value) : "memory");
	return start;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if (t <= f || t >= f + n)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}
