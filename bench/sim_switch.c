/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a mode switch costs with its transient: a guest that switches now and then beside two that
 * never do. The cost is what it spends more, in the stretch after the switch, than the guest that
 * has always run in that mode.
 *
 * usage: sim_switch WORKLOAD; prints the mean cycles of a switch to nested and to shadow paging.
 */
#include <dav2m/sim/sim.h>

#include <stdio.h>
#include <stdlib.h>

/* Switches are this far apart, and this long their transient is waited for. */
#define APART_INST     500000000u
#define TRANSIENT_INST 100000000u

struct rig {
	struct dav2m_sim *fixed[DAV2M_MODES];
	struct dav2m_sim *switcher;
	enum dav2m_mode mode; /* that the switcher runs in */
	uint64_t next;	      /* instructions at which it switches, or its transient is over */
	int measuring;
	uint64_t before; /* switcher's cycles less the other's, at the switch */
	uint64_t sum[DAV2M_MODES];
	unsigned switches[DAV2M_MODES];
};

static struct dav2m_sim *sim_new(enum dav2m_mode mode)
{
	const struct dav2m_sim_config config = {.machine = dav2m_sim_machine_find("opteron2350"),
						.cost = dav2m_sim_cost_find("palacios2011"),
						.mode = (enum dav2m_sim_mode)mode,
						.tables = DAV2M_SIM_LEVELS_2,
						.guest_bytes = 2ull << 30};
	struct dav2m_sim *sim = NULL;

	if (dav2m_sim_new(&config, &sim) != 0) {
		fputs("sim_switch: no memory\n", stderr);
		exit(1);
	}
	return sim;
}

static uint64_t cycles_of(const struct dav2m_sim *sim)
{
	struct dav2m_sim_counts counts;

	dav2m_sim_count(sim, &counts);
	return dav2m_sim_cycles(&counts);
}

static uint64_t instructions_of(const struct dav2m_sim *sim)
{
	struct dav2m_sim_counts counts;

	dav2m_sim_count(sim, &counts);
	return counts.instructions;
}

/* Differences of cycles wrap around where the switcher is ahead; their differences do not. */
static uint64_t lead(const struct rig *rig, enum dav2m_mode mode)
{
	return cycles_of(rig->switcher) - cycles_of(rig->fixed[mode]);
}

static void turn(struct rig *rig)
{
	if (rig->measuring) {
		rig->sum[rig->mode] += lead(rig, rig->mode) - rig->before;
		rig->switches[rig->mode]++;
		rig->next += APART_INST - TRANSIENT_INST;
	} else {
		rig->mode = rig->mode == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW;
		rig->before = lead(rig, rig->mode);
		dav2m_sim_switch(rig->switcher, rig->mode);
		rig->next += TRANSIENT_INST;
	}
	rig->measuring = !rig->measuring;
}

static void words_run(struct rig *rig, const uint64_t *words, size_t n)
{
	if (dav2m_sim_run(rig->switcher, words, n) != 0 ||
	    dav2m_sim_run(rig->fixed[DAV2M_SHADOW], words, n) != 0 ||
	    dav2m_sim_run(rig->fixed[DAV2M_NESTED], words, n) != 0) {
		fputs("sim_switch: the simulation failed\n", stderr);
		exit(1);
	}
	if (instructions_of(rig->switcher) >= rig->next)
		turn(rig);
}

int main(int argc, char **argv)
{
	struct rig rig = {.mode = DAV2M_SHADOW, .next = APART_INST};
	static uint64_t words[8 * DAV2M_SIM_SOURCE_ROOM];
	struct dav2m_sim_source *source =
		argc == 2 ? dav2m_sim_source_new(dav2m_sim_workload_find(argv[1]), 1, 10000) : NULL;
	size_t n;

	if (source == NULL) {
		fputs("usage: sim_switch WORKLOAD\n", stderr);
		return 2;
	}
	rig.switcher = sim_new(DAV2M_SHADOW);
	rig.fixed[DAV2M_SHADOW] = sim_new(DAV2M_SHADOW);
	rig.fixed[DAV2M_NESTED] = sim_new(DAV2M_NESTED);
	while ((n = dav2m_sim_source_read(source, words, 8 * DAV2M_SIM_SOURCE_ROOM)) > 0)
		words_run(&rig, words, n);
	if (rig.switches[DAV2M_SHADOW] == 0 || rig.switches[DAV2M_NESTED] == 0) {
		fputs("sim_switch: too short for two switches\n", stderr);
		return 1;
	}
	printf("%.0f %.0f\n", (double)(int64_t)rig.sum[DAV2M_NESTED] / rig.switches[DAV2M_NESTED],
	       (double)(int64_t)rig.sum[DAV2M_SHADOW] / rig.switches[DAV2M_SHADOW]);
	dav2m_sim_free(rig.switcher);
	dav2m_sim_free(rig.fixed[DAV2M_SHADOW]);
	dav2m_sim_free(rig.fixed[DAV2M_NESTED]);
	dav2m_sim_source_free(source);
	return 0;
}
