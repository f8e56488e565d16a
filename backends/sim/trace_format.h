/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layout of memory traces that reader and writer share; docs/memory-trace.md tells it.
 */
#ifndef DAV2M_SIM_TRACE_FORMAT_H
#define DAV2M_SIM_TRACE_FORMAT_H

#include <string.h>

#include <dav2m/sim/memory_trace.h>

/* Longest header, the empty line at its end included. */
#define TRACE_HEADER_BYTES 8192

/* A block's first bytes: six numbers of 32 bits. */
enum trace_field {
	TRACE_TAG = 0,
	TRACE_CHECK,   /* CRC-32C of the block without these four bytes */
	TRACE_RUNS,    /* at most TRACE_BLOCK_RUNS */
	TRACE_SYMBOLS, /* at most as many as runs */
	TRACE_LONGS,   /* at most as many as runs */
	TRACE_EVENTS,  /* words of events, at most TRACE_BLOCK_RUNS */
	TRACE_FIELDS
};
#define TRACE_HEAD_BYTES (TRACE_FIELDS * sizeof(uint32_t))

/* "RUNS" and "ENDS" as the bytes stand in the file. */
#define TRACE_TAG_RUNS	  0x534e5552u
#define TRACE_TAG_END	  0x53444e45u
/* An end has this many symbols, which are the totals, and nothing else. */
#define TRACE_END_SYMBOLS 4

/* Indexes of symbols then fit 16 bits, and a block stays within the caches. */
#define TRACE_BLOCK_RUNS   65536u
/* Up to so many symbols an index is one byte. */
#define TRACE_BYTE_SYMBOLS 256u
/* A run of this count or more has its count among the longs. */
#define TRACE_LONG	   255u

/* Where a block's columns begin, in bytes behind its head. */
struct trace_layout {
	size_t index;
	size_t count;
	size_t longs;
	size_t events;
	size_t end;
};

static inline void trace_layout(const uint32_t *field, struct trace_layout *ret_layout)
{
	const size_t index_bytes = field[TRACE_SYMBOLS] <= TRACE_BYTE_SYMBOLS ? 1 : 2;

	/* Widest first, so that each column lies at a multiple of its width. */
	ret_layout->events = field[TRACE_SYMBOLS] * sizeof(uint64_t);
	ret_layout->longs = ret_layout->events + field[TRACE_EVENTS] * sizeof(uint64_t);
	ret_layout->index = ret_layout->longs + field[TRACE_LONGS] * sizeof(uint16_t);
	ret_layout->count = ret_layout->index + field[TRACE_RUNS] * index_bytes;
	ret_layout->end = ret_layout->count + field[TRACE_RUNS];
}

/* Most bytes of columns, when all are at their limits. */
#define TRACE_COLUMN_BYTES                                                                         \
	((size_t)TRACE_BLOCK_RUNS * (2 * sizeof(uint64_t) + 2 * sizeof(uint16_t) + sizeof(uint8_t)))

/* CRC-32C (Castagnoli; RFC 3720, appendix B.4), eight bytes at a time. */
struct trace_crc {
	uint32_t table[8][256];
};

void trace_crc_init(struct trace_crc *crc);
/* before: 0, or what the bytes that come before gave. */
uint32_t trace_crc(const struct trace_crc *crc, uint32_t before, const void *data, size_t size);

/* The check of a whole block. */
static inline uint32_t trace_check(const struct trace_crc *crc, const uint32_t *field,
				   const void *columns, size_t size)
{
	const uint32_t head =
		trace_crc(crc, trace_crc(crc, 0, field, sizeof(*field)), field + TRACE_RUNS,
			  (TRACE_FIELDS - TRACE_RUNS) * sizeof(*field));

	return trace_crc(crc, head, columns, size);
}

#endif
