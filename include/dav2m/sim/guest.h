/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests: page tables, memory and swap space as data.
 */
#ifndef DAV2M_SIM_GUEST_H
#define DAV2M_SIM_GUEST_H

#include <dav2m/sim/machine.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The guest's page tables. */
enum dav2m_sim_tables {
	DAV2M_SIM_LEVELS_2 = 0, /* 32-bit x86, 1024 entries a table */
	DAV2M_SIM_LEVELS_4 = 1, /* x86-64 */
	DAV2M_SIM_LEVELS_5 = 2	/* x86-64 with 57-bit addresses */
};
#define DAV2M_SIM_TABLES 3

/* The members are those of struct dav2m_sim_config (run.h) that say the same. */
struct dav2m_sim_guest {
	const char *name;
	const char *about;  /* one line */
	const char *source; /* where the figures come from, and which are inferred */
	enum dav2m_sim_tables tables;
	enum dav2m_sim_page page;
	uint64_t bytes;
	uint64_t kernel_bytes;
	uint64_t swap_bytes;
};

/* The i-th guest, or NULL past the last. */
DAV2M_API const struct dav2m_sim_guest *dav2m_sim_guest(size_t index);
/* By name, or NULL. */
DAV2M_API const struct dav2m_sim_guest *dav2m_sim_guest_find(const char *name);

#ifdef __cplusplus
}
#endif

#endif
