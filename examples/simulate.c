/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdav2m-sim inside somebody else's simulator: they own the clock and the accesses, and ask
 * what paging costs them under each mode.
 *
 * Here "somebody else" is a pointer chase through a hash table. Every access of its own goes to
 * three simulations at once, one per mode, and once per round it reads their counters.
 */
#include <stdio.h>

#include <dav2m/sim/sim.h>

#define BATCH	    1024
#define TABLE_PAGES 8192 /* 32 MB */
#define ROUNDS	    200

struct host {
	struct dav2m_sim *sim[DAV2M_SIM_MODES];
	uint64_t word[BATCH];
	size_t words;
	int error;
};

static void flush(struct host *host)
{
	int mode;

	for (mode = 0; mode < DAV2M_SIM_MODES; mode++)
		if (host->error == 0)
			host->error = dav2m_sim_run(host->sim[mode], host->word, host->words);
	host->words = 0;
}

/* What their simulator calls for each access. */
static void access_page(struct host *host, enum dav2m_sim_kind kind, uint64_t page, uint32_t count)
{
	host->word[host->words++] = dav2m_sim_reference(kind, page, count);
	if (host->words == BATCH)
		flush(host);
}

static int begin(struct host *host)
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
	return host->error;
}

static void report(const struct host *host)
{
	struct dav2m_sim_counts counts;
	int mode;

	for (mode = 0; mode < DAV2M_SIM_MODES; mode++) {
		dav2m_sim_count(host->sim[mode], &counts);
		printf("%-7s %llu cycles, %llu of them in walks, %llu in exits\n",
		       dav2m_sim_mode_name((enum dav2m_sim_mode)mode),
		       (unsigned long long)dav2m_sim_cycles(&counts),
		       (unsigned long long)counts.cycles[DAV2M_SIM_WALK],
		       (unsigned long long)counts.cycles[DAV2M_SIM_EXITS]);
	}
}

int main(void)
{
	struct host host = {.words = 0};
	uint64_t key = 1;
	int round, i;

	if (begin(&host) == 0) {
		for (round = 0; round < ROUNDS; round++) {
			for (i = 0; i < 1000; i++) {
				key = key * 6364136223846793005ull + 1442695040888963407ull;
				access_page(&host, DAV2M_SIM_FETCH, 0x400, 40);
				access_page(&host, DAV2M_SIM_LOAD,
					    0x10000 + (key >> 33) % TABLE_PAGES, 1);
			}
		}
		flush(&host);
	}
	if (host.error == 0)
		report(&host);
	else
		fprintf(stderr, "%s\n", dav2m_sim_error_name((enum dav2m_sim_error)host.error));
	for (i = 0; i < DAV2M_SIM_MODES; i++)
		dav2m_sim_free(host.sim[i]);
	return host.error == 0 ? 0 : 1;
}
