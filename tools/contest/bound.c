/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * G7 of docs/bound.md. Letters are those of that page.
 */
#include "bound.h"

#include <string.h>

/* A stay is left early at half of regret_bp at least, which three numbers of 11 bits round down by
   1/1024 each; late at no more than twice regret_bp (src/regret_patience.c). */
#define EARLIEST (0.5 * 1021 / 1024)
#define LATE	 2.0

/* No switch counts for less than this part of a tick, or for more than so many
   (src/regret_calibrate.c). */
#define LEAST_SWITCH (1.0 / 64)
#define MOST_SWITCH  64.0

static enum dav2m_mode other(enum dav2m_mode mode)
{
	return mode == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW;
}

static uint64_t cycles(const struct dav2m_pair *pair, enum dav2m_mode mode, size_t tick)
{
	return pair->tick[mode][tick].value[DAV2M_CYCLES];
}

/* What that mode takes longer than the other one. */
static int64_t longer(const struct dav2m_pair *pair, enum dav2m_mode mode, size_t tick)
{
	return (int64_t)(cycles(pair, mode, tick) - cycles(pair, other(mode), tick));
}

static uint64_t positive(int64_t value)
{
	return value > 0 ? (uint64_t)value : 0;
}

void bound_begin(struct bound_watch *watch, const struct dav2m_pair *pair,
		 const uint64_t switch_cycles[DAV2M_MODES], const struct dav2m *controller)
{
	memset(watch, 0, sizeof(*watch));
	watch->pair = pair;
	watch->switch_cycles = switch_cycles;
	watch->controller = controller;
}

/* The stay before this one turns out to have been a probe that did not pay: it counts by itself. */
static void probe_lost(struct bound_watch *watch)
{
	const struct bound_stay *probe = &watch->before;

	watch->short_cycles -= probe->short_cycles;
	watch->lost_cycles += probe->switch_cycles + watch->now.switch_cycles +
			      probe->dearer_cycles + probe->regret_cycles;
	watch->lost_probes++;
}

/* A tick of the judge's is over. */
static void judged(struct bound_watch *watch, uint64_t regret)
{
	uint64_t missing =
		positive((int64_t)watch->regret_cycles + watch->longer_cycles - (int64_t)regret);

	if (watch->settling) {
		watch->settling--;
	} else {
		watch->short_cycles += missing;
		watch->now.short_cycles += missing;
	}
	watch->regret_cycles = regret;
	watch->longer_cycles = 0;
}

static void leave(struct bound_watch *watch, enum dav2m_mode to)
{
	watch->before = watch->now;
	watch->now = (struct bound_stay){.switch_cycles = watch->switch_cycles[to],
					 .regret_cycles = watch->regret_cycles};
	watch->regret_cycles = 0;
	watch->longer_cycles = 0;
	watch->settling = watch->controller->config.window_settle;
}

void bound_tick(struct bound_watch *watch, const struct dav2m_replay_tick *tick)
{
	struct dav2m_explanation told;
	int64_t more = longer(watch->pair, tick->mode, tick->index);
	uint64_t ticks;

	if (!watch->controller || dav2m_explain(watch->controller, &told))
		return;
	if (told.regret.probing_cycles != watch->probing_cycles)
		probe_lost(watch);
	watch->probing_cycles = told.regret.probing_cycles;
	watch->longer_cycles += more;
	watch->now.dearer_cycles += positive(more);
	ticks = (uint64_t)told.mode_ticks[DAV2M_SHADOW] + told.mode_ticks[DAV2M_NESTED];
	if (ticks != watch->ticks)
		judged(watch, told.regret.regret_cycles);
	watch->ticks = ticks;
	if (tick->switched)
		leave(watch, tick->decision->mode);
}

static void widen(uint64_t *most, uint64_t value)
{
	if (value > *most)
		*most = value;
}

/* What is left of a tick without its page walks and paging exits. */
static uint64_t work_of(const struct dav2m_pair *pair, enum dav2m_mode mode, size_t tick)
{
	const uint64_t *value = pair->tick[mode][tick].value;
	const uint64_t paging = value[DAV2M_WALK_CYCLES] + value[DAV2M_PAGING_EXIT_CYCLES];

	return paging < value[DAV2M_CYCLES] ? value[DAV2M_CYCLES] - paging : 0;
}

static uint64_t least_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static struct bound_spread spread_of(const struct dav2m_pair *pair)
{
	uint64_t last[DAV2M_MODES] = {0, 0}, now;
	struct bound_spread spread = {.shortest = UINT64_MAX};
	enum dav2m_mode mode;
	size_t i;

	for (i = 0; i < pair->ticks; i++) {
		spread.work +=
			least_of(work_of(pair, DAV2M_SHADOW, i), work_of(pair, DAV2M_NESTED, i));
		spread.shared +=
			least_of(cycles(pair, DAV2M_SHADOW, i), cycles(pair, DAV2M_NESTED, i));
		for (mode = DAV2M_SHADOW; mode < DAV2M_MODES; mode++) {
			now = positive(longer(pair, mode, i));
			widen(&spread.one, now);
			widen(&spread.two, last[mode] + now);
			widen(&spread.longest, cycles(pair, mode, i));
			spread.shortest = least_of(spread.shortest, cycles(pair, mode, i));
			last[mode] = now;
		}
	}
	return spread;
}

/* What the judge may take a round trip for. */
struct belief {
	double least, most;
};

static double lesser(double a, double b)
{
	return a < b ? a : b;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

/* A switch costs what the config says before it has been made, then what it has cost with its
   transient, for which the judge takes what two ticks differ by. */
static struct belief belief_of(const struct bound_spread *spread, const uint64_t to[DAV2M_MODES],
			       const struct dav2m_config *config)
{
	const double prior = (double)config->window_inst * config->round_trip_ticks / DAV2M_MODES;
	const double transient = (double)(spread->longest - spread->shortest);
	struct belief belief = {0, 0};
	enum dav2m_mode mode;

	for (mode = DAV2M_SHADOW; mode < DAV2M_MODES; mode++) {
		belief.least += lesser(lesser(prior, (double)to[mode]),
				       (double)spread->shortest * MOST_SWITCH);
		belief.most += larger(larger(prior, (double)to[mode] + transient),
				      (double)spread->longest * LEAST_SWITCH);
	}
	return belief;
}

/* F. Regret is between low and high round trips when a mode is left, before what the last ticks
   add, and each switch costs what ticks that are not judged add. */
static double factor(const struct bound_spread *spread, double trip, struct belief belief,
		     const struct dav2m_config *config)
{
	const double share = (double)config->regret_bp / DAV2M_ONE_BP;
	const double g = (double)spread->one / trip, added = (double)spread->two / trip;
	const double low = EARLIEST * share * belief.least / trip;
	const double high = LATE * share * (belief.most / trip + 2 * g);
	const double settle = 2 * g * config->window_settle;
	const double slow = 1 + 2 * (high + added) + settle;
	const double fast = 1 + (1 + settle + high + added) / low;

	return slow > fast ? slow : fast;
}

/* F (OPT + X + D/2) + P */
static double proven(const struct bound_watch *watch, const struct bound_spread *spread,
		     uint64_t best, double trip, const struct dav2m_config *config)
{
	const struct belief belief = belief_of(spread, watch->switch_cycles, config);
	const double unjudged =
		(double)watch->lost_probes * config->window_settle * (double)spread->one;

	return factor(spread, trip, belief, config) *
		       ((double)best + (double)watch->short_cycles + trip / 2) +
	       (double)watch->lost_cycles + unjudged;
}

int bound_base_find(const struct dav2m_pair *pair, const uint64_t switch_cycles[DAV2M_MODES],
		    struct bound_base *ret_base, struct dav2m_host_error *error)
{
	enum dav2m_mode start;
	int rc = 0;

	ret_base->spread = spread_of(pair);
	for (start = DAV2M_SHADOW; start < DAV2M_MODES && !rc; start++) {
		uint64_t begin[DAV2M_MODES] = {0, 0};
		struct dav2m_run best;

		begin[other(start)] = switch_cycles[other(start)];
		rc = dav2m_hindsight(pair, switch_cycles, begin, NULL, &best, error);
		if (!rc)
			ret_base->best_cycles[start] = best.cycles;
	}
	return rc;
}

struct bound_share bound_end(const struct bound_watch *watch, const struct bound_base *base,
			     const struct dav2m_run *run, enum dav2m_mode start,
			     const struct dav2m_config *config)
{
	const uint64_t *to = watch->switch_cycles;
	const double trip = (double)to[DAV2M_SHADOW] + (double)to[DAV2M_NESTED];
	const struct bound_spread *spread = &base->spread;
	const uint64_t best = base->best_cycles[start];
	struct bound_share share = {-1, -1};
	double known, bare;

	if (trip <= 0)
		return share;
	known = factor(spread, trip, (struct belief){trip, trip}, config);
	bare = known * ((double)(best - spread->shared) + trip / 2);
	share.bare = (double)(run->cycles - spread->shared) / bare;
	if (watch->controller)
		share.proven = (double)(run->cycles - spread->work) /
			       proven(watch, spread, best - spread->work, trip, config);
	return share;
}
