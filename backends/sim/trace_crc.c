/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32C by tables: eight bytes a step keep it out of the way of decoding.
 */
#include "trace_format.h"

/* The Castagnoli polynomial, reflected. */
#define POLYNOMIAL 0x82f63b78u

void trace_crc_init(struct trace_crc *crc)
{
	uint32_t value, i, bit, slice;

	for (i = 0; i < 256; i++) {
		value = i;
		for (bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
		crc->table[0][i] = value;
	}
	for (slice = 1; slice < 8; slice++)
		for (i = 0; i < 256; i++) {
			value = crc->table[slice - 1][i];
			crc->table[slice][i] = value >> 8 ^ crc->table[0][value & 0xff];
		}
}

uint32_t trace_crc(const struct trace_crc *crc, uint32_t before, const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint32_t value = ~before;
	uint64_t eight;

	for (; size >= 8; size -= 8, byte += 8) {
		memcpy(&eight, byte, 8);
		eight ^= value;
		value = crc->table[7][eight & 0xff] ^ crc->table[6][eight >> 8 & 0xff] ^
			crc->table[5][eight >> 16 & 0xff] ^ crc->table[4][eight >> 24 & 0xff] ^
			crc->table[3][eight >> 32 & 0xff] ^ crc->table[2][eight >> 40 & 0xff] ^
			crc->table[1][eight >> 48 & 0xff] ^ crc->table[0][eight >> 56];
	}
	for (; size > 0; size--, byte++)
		value = value >> 8 ^ crc->table[0][(value ^ *byte) & 0xff];
	return ~value;
}
