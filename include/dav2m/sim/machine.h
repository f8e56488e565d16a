/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines: translation hardware as data. Nothing here says what anything costs (cost.h).
 */
#ifndef DAV2M_SIM_MACHINE_H
#define DAV2M_SIM_MACHINE_H

#include <dav2m/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A page's size by the level of the table entry that maps it. */
enum dav2m_sim_page {
	DAV2M_SIM_4K = 0, /* level 1 */
	DAV2M_SIM_2M = 1, /* level 2; 4 MB with 2-level 32-bit tables */
	DAV2M_SIM_1G = 2  /* level 3 */
};
#define DAV2M_SIM_PAGES 3

/* Which references look into a TLB array. */
enum dav2m_sim_stream { DAV2M_SIM_DATA = 0, DAV2M_SIM_CODE = 1 };
#define DAV2M_SIM_STREAMS 2

/* One TLB array. Replacement is true LRU within a set. */
struct dav2m_sim_array {
	uint8_t level;	  /* 1 or 2 */
	uint8_t streams;  /* bit per enum dav2m_sim_stream that uses it */
	uint8_t pages;	  /* bit per enum dav2m_sim_page that it holds */
	uint16_t entries; /* level 1: [1, 255]; level 2: [1, 65535] */
	uint16_t ways;	  /* divides entries into a power of two of sets; == entries: fully
			     associative */
};
#define DAV2M_SIM_ARRAYS 10

struct dav2m_sim_machine {
	const char *name;
	const char *about;  /* one line */
	const char *source; /* where the figures come from, and which are inferred */
	uint32_t mhz;	    /* clock, for reports in seconds */
	struct dav2m_sim_array array[DAV2M_SIM_ARRAYS]; /* ends with level 0 */
	/* Page-walk cache: entries of upper table levels, fully associative; 0: none, [0, 255]. */
	uint16_t walk_entries;
	/* Nested TLB: guest-physical page -> host page, fully associative; 0: none, [0, 255]. */
	uint16_t nested_entries;
	/* 1: TLB entries carry an address-space tag, so that VM exits do not flush them. */
	uint8_t tagged;
};

/* The i-th machine, or NULL past the last. */
DAV2M_API const struct dav2m_sim_machine *dav2m_sim_machine(size_t index);
/* By name, or NULL. */
DAV2M_API const struct dav2m_sim_machine *dav2m_sim_machine_find(const char *name);

#ifdef __cplusplus
}
#endif

#endif
