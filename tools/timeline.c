/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collects a run in bins no narrower than a pixel, and has gnuplot draw it: states as a strip
 * and as bands behind, then CPI, paging exits and TLB misses, all over the same work; and what the
 * controller goes by, which is thresholds or regret.
 *
 * What the controller saw is drawn strong; what the recording of the other mode would have shown
 * is drawn faint, because the controller could not see it.
 */
#include "timeline.h"

#include "panels.h"
#include "picture.h"

#include <inttypes.h>
#include <stdlib.h>

/* What a counter counted, and over how much progress it did: not all recordings have it. */
struct counted {
	uint64_t events;
	uint64_t progress;
};

struct bin {
	uint64_t progress;
	uint64_t cycles;		   /* of the run, switches included */
	uint64_t mode_cycles[DAV2M_MODES]; /* of both recordings */
	struct counted exits;		   /* of the shadow recording */
	struct counted misses;		   /* of the nested recording */
	struct counted seen_exits;	   /* of the run in shadow mode */
	struct counted seen_misses;	   /* of the run in nested mode */
	uint32_t threshold_vmexit;
	uint32_t threshold_tmiss;
	uint64_t regret_cycles; /* the most of the bin's ticks ... */
	uint64_t limit_cycles;	/* ... and the limit in that tick */
};

/* Where the panels stand, from below, in [0, 1]. */
struct heights {
	double cpi[2];
	double regret[2];
	double exits[2];
	double misses[2];
};

struct timeline {
	const struct replay_job *job;
	struct picture *picture;
	struct panels panels;
	struct bin *bin;
	size_t bins;
	double *cpi; /* both recordings' of all bins, to sort */
	uint64_t switches;
};

static struct timeline *timeline_new(const struct replay_job *job)
{
	struct timeline *timeline = calloc(1, sizeof(*timeline));

	if (!timeline)
		return NULL;
	timeline->job = job;
	timeline->bins = job->pair.ticks < PANEL_BINS ? job->pair.ticks : PANEL_BINS;
	timeline->bin = calloc(timeline->bins, sizeof(*timeline->bin));
	timeline->cpi = calloc(timeline->bins * DAV2M_MODES, sizeof(*timeline->cpi));
	if (!panels_init(&timeline->panels, job->pair.total[DAV2M_SHADOW].value[DAV2M_PROGRESS]) &&
	    timeline->bin && timeline->cpi)
		return timeline;
	timeline_abort(timeline);
	return NULL;
}

int timeline_open(const struct replay_job *job, const char *path, struct timeline **ret_timeline,
		  struct dav2m_host_error *error)
{
	struct timeline *timeline = timeline_new(job);
	int rc;

	if (!timeline) {
		snprintf(error->text, sizeof(error->text), "picture: out of memory");
		return DAV2M_HOST_MEMORY;
	}
	rc = picture_open(path, 1400, 1000, &timeline->picture, error);
	if (rc)
		timeline_abort(timeline);
	else
		*ret_timeline = timeline;
	return rc;
}

static void counted_add(struct counted *counted, const struct dav2m_sample *tick,
			enum dav2m_counter counter)
{
	if (!(tick->valid & DAV2M_BIT(counter)))
		return;
	counted->events += tick->value[counter];
	counted->progress += tick->value[DAV2M_PROGRESS];
}

static void bin_add(struct bin *bin, const struct dav2m_pair *pair,
		    const struct dav2m_replay_tick *tick,
		    const struct dav2m_explanation *explanation)
{
	const struct dav2m_sample *shadow = &pair->tick[DAV2M_SHADOW][tick->index];
	const struct dav2m_sample *nested = &pair->tick[DAV2M_NESTED][tick->index];
	const struct dav2m_sample *seen = tick->increments;

	bin->progress += seen->value[DAV2M_PROGRESS];
	bin->cycles += seen->value[DAV2M_CYCLES];
	bin->mode_cycles[DAV2M_SHADOW] += shadow->value[DAV2M_CYCLES];
	bin->mode_cycles[DAV2M_NESTED] += nested->value[DAV2M_CYCLES];
	counted_add(&bin->exits, shadow, DAV2M_PAGING_EXITS);
	counted_add(&bin->misses, nested, DAV2M_TLB_MISSES);
	if (tick->mode == DAV2M_SHADOW)
		counted_add(&bin->seen_exits, seen, DAV2M_PAGING_EXITS);
	else
		counted_add(&bin->seen_misses, seen, DAV2M_TLB_MISSES);
	bin->threshold_vmexit = explanation->threshold_vmexit;
	bin->threshold_tmiss = explanation->threshold_tmiss;
	if (explanation->regret.regret_cycles >= bin->regret_cycles) {
		bin->regret_cycles = explanation->regret.regret_cycles;
		bin->limit_cycles = explanation->regret.limit_cycles;
	}
}

void timeline_tick(struct timeline *timeline, const struct dav2m_replay_tick *tick,
		   const struct dav2m_explanation *explanation)
{
	const struct replay_job *job = timeline->job;
	struct bin *bin = &timeline->bin[tick->index * timeline->bins / job->pair.ticks];

	bin_add(bin, &job->pair, tick, explanation);
	panels_band(&timeline->panels, tick->decision->from,
		    tick->increments->value[DAV2M_PROGRESS]);
	if (tick->switched) {
		bin->cycles += job->switch_cycles[tick->decision->mode];
		timeline->switches++;
	}
}

static double cpi_of(uint64_t cycles, uint64_t progress)
{
	return (double)cycles / (double)progress;
}

static void counted_print(FILE *to, const struct counted *counted)
{
	if (counted->progress)
		fprintf(to, " %.6g", panel_rate(counted->events, counted->progress));
	else
		fputs(" NaN", to);
}

/* Columns: x, CPI run, shadow, nested, exits recorded, seen, threshold, misses likewise, regret and
   its limit. What the judge does not go by is 0. */
#define COLUMN_REGRET 11

static void bins_print(const struct timeline *timeline, FILE *to)
{
	const struct dav2m_config *config = &timeline->job->config;
	uint64_t at = 0;
	size_t i;

	fputs("$bins << EOD\n", to);
	for (i = 0; i < timeline->bins; i++) {
		const struct bin *bin = &timeline->bin[i];

		fprintf(to, "%.9g %.6g %.6g %.6g",
			((double)at + (double)bin->progress / 2) / timeline->panels.unit,
			cpi_of(bin->cycles, bin->progress),
			cpi_of(bin->mode_cycles[DAV2M_SHADOW], bin->progress),
			cpi_of(bin->mode_cycles[DAV2M_NESTED], bin->progress));
		counted_print(to, &bin->exits);
		counted_print(to, &bin->seen_exits);
		fprintf(to, " %.6g",
			panel_threshold(bin->threshold_vmexit, config->window_vmexit,
					config->window_inst));
		counted_print(to, &bin->misses);
		counted_print(to, &bin->seen_misses);
		fprintf(to, " %.6g %" PRIu64 " %" PRIu64 "\n",
			panel_threshold(bin->threshold_tmiss, config->window_tmiss,
					config->window_inst),
			bin->regret_cycles, bin->limit_cycles);
		at += bin->progress;
	}
	fputs("EOD\n", to);
}

/* Of the recordings only: a switch may push the run's CPI far off for one bin. */
static struct panel_range cpi_range(const struct timeline *timeline)
{
	const size_t count = timeline->bins * DAV2M_MODES;
	size_t i;

	for (i = 0; i < count; i++)
		timeline->cpi[i] =
			cpi_of(timeline->bin[i / DAV2M_MODES].mode_cycles[i % DAV2M_MODES],
			       timeline->bin[i / DAV2M_MODES].progress);
	return panel_cpi(timeline->cpi, count);
}

static int by_regret(const struct timeline *timeline)
{
	return timeline->job->config.judge != 0;
}

static struct panel_range rate_range(const struct timeline *timeline, int misses)
{
	const struct dav2m_config *config = &timeline->job->config;
	struct panel_range range = {1e300, 1e-3};
	size_t i;

	for (i = 0; i < timeline->bins; i++) {
		const struct bin *bin = &timeline->bin[i];
		const struct counted *counted = misses ? &bin->misses : &bin->exits;

		if (counted->events)
			panel_range_take(&range, panel_rate(counted->events, counted->progress));
		if (by_regret(timeline))
			continue;
		panel_range_take(&range,
				 misses ? panel_threshold(bin->threshold_tmiss,
							  config->window_tmiss, config->window_inst)
					: panel_threshold(bin->threshold_vmexit,
							  config->window_vmexit,
							  config->window_inst));
	}
	return panel_log(range);
}

static void cpi_print(const struct timeline *timeline, FILE *to, const double at[2])
{
	panel_begin(&timeline->panels, to, at[0], at[1], "CPI\\n(cycles / progress)",
		    cpi_range(timeline));
	fputs(", $bins using 1:3 with lines lw 1.2 lc rgb '#7fb0de' title 'shadow recording'"
	      ", $bins using 1:4 with lines lw 1.2 lc rgb '#f0a85c' title 'nested recording'"
	      ", $bins using 1:2 with lines lw 2.2 lc rgb '#222222' title 'controller and "
	      "switches'\n",
	      to);
}

static void regret_print(const struct timeline *timeline, FILE *to, const double at[2])
{
	uint64_t highest = 0;
	size_t i;

	for (i = 0; i < timeline->bins; i++) {
		const struct bin *bin = &timeline->bin[i];

		if (bin->regret_cycles > highest)
			highest = bin->regret_cycles;
		if (bin->limit_cycles > highest)
			highest = bin->limit_cycles;
	}
	panel_regret(&timeline->panels, to, at[0], at[1], COLUMN_REGRET, highest);
}

static void threshold_print(const struct timeline *timeline, FILE *to, int column, const char *name)
{
	if (!by_regret(timeline))
		fprintf(to,
			", $bins using 1:%d with lines lw 1.8 dt 2 lc rgb '#b2182b' "
			"title 'threshold\\_%s'",
			column, name);
	fputc('\n', to);
}

/* A curve of a counter that was not recorded would say that there were no events. */
static void recorded_print(const struct timeline *timeline, FILE *to, int misses)
{
	const char *const name = dav2m_mode_name(misses ? DAV2M_NESTED : DAV2M_SHADOW);
	const int column = misses ? 8 : 5; /* the controller's own stands behind it */
	size_t i;

	for (i = 0; i < timeline->bins; i++)
		if ((misses ? timeline->bin[i].misses : timeline->bin[i].exits).progress)
			break;
	if (i == timeline->bins)
		fprintf(to, ", NaN with dots lc rgb '#ffffff' title 'not in the %s recording'",
			name);
	else
		fprintf(to,
			", $bins using 1:(floored($%d)) with lines lw 1.2 lc rgb '%s' title '%s "
			"recording', $bins using 1:(floored($%d)) with lines lw 2.2 lc rgb '%s' "
			"title 'seen by the controller'",
			column, misses ? "#f0a85c" : "#7fb0de", name, column + 1,
			misses ? "#a8500a" : "#14548f");
}

static void exits_print(const struct timeline *timeline, FILE *to, const double at[2])
{
	struct panel_range range = rate_range(timeline, 0);

	panel_floor(to, range);
	panel_begin(&timeline->panels, to, at[0], at[1], "paging exits\\nper million", range);
	recorded_print(timeline, to, 0);
	threshold_print(timeline, to, 7, "vmexit");
}

static void misses_print(const struct timeline *timeline, FILE *to, const double at[2])
{
	struct panel_range range = rate_range(timeline, 1);

	panel_floor(to, range);
	panels_axis(&timeline->panels, to, timeline->job->header[DAV2M_SHADOW].progress_unit);
	panel_begin(&timeline->panels, to, at[0], at[1], "TLB misses\\nper million", range);
	recorded_print(timeline, to, 1);
	threshold_print(timeline, to, 10, "tmiss");
}

static void versus_print(const struct timeline *timeline, char *to, size_t size)
{
	const struct dav2m_sample *total = timeline->job->pair.total;
	uint64_t best = total[DAV2M_SHADOW].value[DAV2M_CYCLES];
	uint64_t cycles = 0;
	double percent;
	size_t i;

	if (total[DAV2M_NESTED].value[DAV2M_CYCLES] < best)
		best = total[DAV2M_NESTED].value[DAV2M_CYCLES];
	for (i = 0; i < timeline->bins; i++)
		cycles += timeline->bin[i].cycles;
	percent = best ? 100 * ((double)cycles / (double)best - 1) : 0;
	snprintf(to, size, "%.2f %% %s cycles than the better static mode",
		 percent < 0 ? -percent : percent, percent < 0 ? "fewer" : "more");
}

static void title_print(const struct timeline *timeline, FILE *to)
{
	const struct replay_job *job = timeline->job;
	const char *program = job->header[DAV2M_SHADOW].program;
	char text[DAV2M_TRACE_TEXT + 160];
	char versus[80];

	versus_print(timeline, versus, sizeof(versus));
	snprintf(text, sizeof(text), "%s: %" PRIu64 " switch%s, %s", job->shown, timeline->switches,
		 timeline->switches == 1 ? "" : "es", versus);
	panels_title(to, program[0] ? program : "(program not named)", text);
}

static void script_print(const struct timeline *timeline, FILE *to)
{
	static const struct heights three = {
		.cpi = {0.575, 0.815}, .exits = {0.33, 0.525}, .misses = {0.085, 0.28}};
	static const struct heights four = {.cpi = {0.645, 0.815},
					    .regret = {0.45, 0.6},
					    .exits = {0.265, 0.405},
					    .misses = {0.08, 0.22}};
	const struct heights *at = by_regret(timeline) ? &four : &three;

	bins_print(timeline, to);
	panels_bands(&timeline->panels, to);
	panels_style(&timeline->panels, to);
	title_print(timeline, to);
	panels_begin(to);
	panels_strip(to);
	cpi_print(timeline, to, at->cpi);
	if (by_regret(timeline))
		regret_print(timeline, to, at->regret);
	exits_print(timeline, to, at->exits);
	misses_print(timeline, to, at->misses);
	panels_end(to);
}

int timeline_commit(struct timeline *timeline, struct dav2m_host_error *error)
{
	int rc;

	script_print(timeline, picture_script(timeline->picture));
	rc = picture_commit(timeline->picture, error);
	timeline->picture = NULL;
	timeline_abort(timeline);
	return rc;
}

void timeline_abort(struct timeline *timeline)
{
	if (!timeline)
		return;
	picture_abort(timeline->picture);
	panels_free(&timeline->panels);
	free(timeline->bin);
	free(timeline->cpi);
	free(timeline);
}
