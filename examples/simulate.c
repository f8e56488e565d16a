/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdav2m-sim inside somebody else's simulator: they own the clock and the accesses, and ask for
 * each access what its translation costs under each paging mode.
 *
 * Here "somebody else" is a core that chases pointers through a hash table, with a clock of its
 * own for each mode and a data cache of its own: libdav2m-sim has none. What it answers, cycles
 * of walks, exits and page faults, goes into that clock; an instruction's own cycle is theirs, so
 * it is taken out.
 */
#include <stdio.h>

#include <dav2m/sim/sim.h>

#define TABLE_PAGES 8192 /* 32 MB */
#define ACCESSES    200000
#define CACHE_LINES 512

struct host {
	uint64_t clock[DAV2M_SIM_MODES];     /* theirs, in cycles */
	uint64_t simulated[DAV2M_SIM_MODES]; /* what libdav2m-sim has counted so far */
	uint64_t line[CACHE_LINES];	     /* their data cache */
	struct dav2m_sim *sim[DAV2M_SIM_MODES];
	int error;
};

/* Paging's cycles since the last call. */
static uint64_t paging_cycles(struct host *host, int mode)
{
	struct dav2m_sim_counts counts;
	uint64_t cycles;

	dav2m_sim_count(host->sim[mode], &counts);
	cycles = dav2m_sim_cycles(&counts) - counts.cycles[DAV2M_SIM_BASE] - host->simulated[mode];
	host->simulated[mode] += cycles;
	return cycles;
}

static uint64_t cache_cycles(struct host *host, uint64_t address)
{
	uint64_t *line = &host->line[address / 64 % CACHE_LINES];
	const uint64_t cycles = *line == address / 64 ? 3 : 40;

	*line = address / 64;
	return cycles;
}

/* What their core calls for each instruction and its access. */
static void step(struct host *host, uint64_t pc, uint64_t address)
{
	const uint64_t word[] = {
		dav2m_sim_reference(DAV2M_SIM_FETCH, pc >> DAV2M_SIM_PAGE_SHIFT, 1),
		dav2m_sim_reference(DAV2M_SIM_LOAD, address >> DAV2M_SIM_PAGE_SHIFT, 1)};
	const uint64_t own = 1 + cache_cycles(host, address);
	int mode;

	for (mode = 0; mode < DAV2M_SIM_MODES && host->error == 0; mode++) {
		host->error = dav2m_sim_run(host->sim[mode], word, 2);
		host->clock[mode] += own + paging_cycles(host, mode);
	}
}

static void begin(struct host *host)
{
	struct dav2m_sim_config config = {.machine = dav2m_sim_machine_find("opteron2350"),
					  .cost = dav2m_sim_cost_find("palacios2011"),
					  .tables = DAV2M_SIM_LEVELS_4,
					  .guest_page = DAV2M_SIM_4K,
					  .guest_bytes = 256ull << 20};
	int mode;

	for (mode = 0; mode < DAV2M_SIM_MODES && host->error == 0; mode++) {
		config.mode = (enum dav2m_sim_mode)mode;
		host->error = dav2m_sim_new(&config, &host->sim[mode]);
	}
}

int main(void)
{
	static struct host host;
	uint64_t key = 1;
	int mode, i;

	begin(&host);
	for (i = 0; i < ACCESSES && host.error == 0; i++) {
		key = key * 6364136223846793005ull + 1442695040888963407ull;
		step(&host, 0x400000 + (uint64_t)i % 1000 * 4,
		     0x10000000 + (key >> 33) % (TABLE_PAGES << DAV2M_SIM_PAGE_SHIFT));
	}
	for (mode = 0; mode < DAV2M_SIM_MODES; mode++) {
		if (host.error == 0)
			printf("%-7s %llu cycles on our clock, %llu of them for paging\n",
			       dav2m_sim_mode_name((enum dav2m_sim_mode)mode),
			       (unsigned long long)host.clock[mode],
			       (unsigned long long)host.simulated[mode]);
		dav2m_sim_free(host.sim[mode]);
	}
	if (host.error != 0)
		fprintf(stderr, "%s\n", dav2m_sim_error_name((enum dav2m_sim_error)host.error));
	return host.error == 0 ? 0 : 1;
}
