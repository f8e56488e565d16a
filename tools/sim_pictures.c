/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts the tracks of all runs into bins and writes gnuplot's scripts.
 */
#include "sim_pictures.h"

#include "panels.h"
#include "picture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct plot {
	const struct run_setup *setup;
	const struct run *run[RUN_MODES]; /* NULL: did not run */
	const struct run *any;
	size_t bins;
	struct panels panels;
};

static const char *const colour[RUN_MODES] = {"#999999", "#3b75af", "#e08214", "#222222"};

/* The runs of which a picture shows something, a bit each. */
#define STATIC_RUNS  (1u << RUN_NATIVE | 1u << RUN_SHADOW | 1u << RUN_NESTED)
#define VIRTUAL_RUNS (1u << RUN_SHADOW | 1u << RUN_NESTED)

/* The ends of a bin. Runs of the same program have as many ticks, but for a last one cut short. */
static const struct track_point *point(const struct plot *plot, const struct run *run, size_t bin)
{
	const size_t ticks = plot->any->track.points - 1;
	const size_t at = bin * ticks / plot->bins;

	return &run->track.point[at < run->track.points ? at : run->track.points - 1];
}

static uint64_t progress_in(const struct plot *plot, const struct run *run, size_t bin)
{
	return point(plot, run, bin + 1)->progress - point(plot, run, bin)->progress;
}

static double cpi_in(const struct plot *plot, const struct run *run, size_t bin)
{
	const uint64_t cycles = point(plot, run, bin + 1)->cycles - point(plot, run, bin)->cycles;

	return (double)cycles / (double)progress_in(plot, run, bin);
}

static double exits_in(const struct plot *plot, const struct run *run, size_t bin)
{
	return panel_rate(point(plot, run, bin + 1)->exits - point(plot, run, bin)->exits,
			  progress_in(plot, run, bin));
}

static double misses_in(const struct plot *plot, const struct run *run, size_t bin)
{
	return panel_rate(point(plot, run, bin + 1)->misses - point(plot, run, bin)->misses,
			  progress_in(plot, run, bin));
}

/* A column for each mode of each quantity, then the thresholds, then regret and its limit. What the
   judge does not go by is 0. */
#define COLUMN(quantity, mode) (2 + (quantity)*RUN_MODES + (mode))
#define COLUMN_THRESHOLDS      COLUMN(3, 0)
#define COLUMN_REGRET	       (COLUMN_THRESHOLDS + 2)

typedef double quantity(const struct plot *plot, const struct run *run, size_t bin);

static quantity *const quantities[] = {cpi_in, exits_in, misses_in};

static double threshold_in(const struct plot *plot, size_t bin, int misses)
{
	const struct dav2m_config *config = &plot->setup->config;
	const struct track_point *at = point(plot, plot->any, bin);

	return misses ? panel_threshold(at->threshold_tmiss, config->window_tmiss,
					config->window_inst)
		      : panel_threshold(at->threshold_vmexit, config->window_vmexit,
					config->window_inst);
}

/* The tick of a bin that ends with the most regret. */
static const struct track_point *regret_in(const struct plot *plot, size_t bin)
{
	const struct track_point *at = point(plot, plot->any, bin) + 1;
	const struct track_point *last = point(plot, plot->any, bin + 1), *most = last;

	for (; at < last; at++)
		if (at->regret_cycles > most->regret_cycles)
			most = at;
	return most;
}

static void bins_print(const struct plot *plot, FILE *to)
{
	size_t bin;
	int q, mode;

	fputs("$bins << EOD\n", to);
	for (bin = 0; bin < plot->bins; bin++) {
		const uint64_t begin = point(plot, plot->any, bin)->progress;

		fprintf(to, "%.9g",
			((double)begin + (double)progress_in(plot, plot->any, bin) / 2) /
				plot->panels.unit);
		for (q = 0; q < 3; q++)
			for (mode = 0; mode < RUN_MODES; mode++)
				if (plot->run[mode])
					fprintf(to, " %.6g",
						quantities[q](plot, plot->run[mode], bin));
				else
					fputs(" NaN", to);
		fprintf(to, " %.6g %.6g %" PRIu64 " %" PRIu64 "\n", threshold_in(plot, bin, 0),
			threshold_in(plot, bin, 1), regret_in(plot, bin)->regret_cycles,
			regret_in(plot, bin)->limit_cycles);
	}
	fputs("EOD\n", to);
}

/* The range of a rate over the given modes; with their thresholds, if these are drawn. */
static struct panel_range rates_range(const struct plot *plot, quantity *of, unsigned modes,
				      int thresholds)
{
	struct panel_range range = {1e300, 1e-3};
	size_t bin;
	int mode;

	for (bin = 0; bin < plot->bins; bin++) {
		for (mode = 0; mode < RUN_MODES; mode++)
			if (modes >> mode & 1 && plot->run[mode] &&
			    of(plot, plot->run[mode], bin) > 0)
				panel_range_take(&range, of(plot, plot->run[mode], bin));
		if (thresholds)
			panel_range_take(&range, threshold_in(plot, bin, of == misses_in));
	}
	return panel_log(range);
}

static int cpi_range(const struct plot *plot, struct panel_range *ret_range)
{
	double *cpi = calloc(plot->bins * RUN_MODES, sizeof(*cpi));
	size_t bin, n = 0;
	int mode;

	if (!cpi)
		return -1;
	for (bin = 0; bin < plot->bins; bin++)
		for (mode = 0; mode < RUN_MODES; mode++)
			if (STATIC_RUNS >> mode & 1 && plot->run[mode])
				cpi[n++] = cpi_in(plot, plot->run[mode], bin);
	*ret_range = panel_cpi(cpi, n);
	free(cpi);
	return 0;
}

/* The lines of one quantity, one for each of the given modes that ran. */
static void lines_print(const struct plot *plot, FILE *to, int q, unsigned modes)
{
	int mode;

	for (mode = 0; mode < RUN_MODES; mode++)
		if (modes >> mode & 1 && plot->run[mode])
			fprintf(to,
				", $bins using 1:(%s($%d)) with lines lw 1.6 lc rgb '%s' "
				"title '%s'",
				q == 0 ? "" : "floored", COLUMN(q, mode), colour[mode],
				run_mode_name((enum run_mode)mode));
}

static void rate_panel(const struct plot *plot, FILE *to, double bottom, double top, int q,
		       unsigned modes, int thresholds)
{
	const struct panel_range range = rates_range(plot, quantities[q], modes, thresholds);

	panel_floor(to, range);
	panel_begin(&plot->panels, to, bottom, top,
		    q == 1 ? "paging exits\\nper million" : "TLB misses\\nper million", range);
	lines_print(plot, to, q, modes);
	if (thresholds)
		fprintf(to,
			", $bins using 1:%d with steps lw 1.8 dt 2 lc rgb '#b2182b' title "
			"'threshold\\_%s'",
			COLUMN_THRESHOLDS + (q == 2), q == 1 ? "vmexit" : "tmiss");
	fputc('\n', to);
}

static void title_print(const struct plot *plot, FILE *to, const char *what)
{
	char below[160];

	snprintf(below, sizeof(below), "%s; machine %s, cost %s, ticks of %" PRIu32 " instructions",
		 what, plot->setup->machine->name, plot->setup->cost->name,
		 plot->setup->config.window_inst);
	panels_title(to, plot->setup->program, below);
}

static int rates_print(const struct plot *plot, FILE *to)
{
	struct panel_range cpi;

	if (cpi_range(plot, &cpi))
		return -1;
	title_print(plot, to, "what each mode meets");
	panels_begin(to);
	panel_begin(&plot->panels, to, 0.64, 0.9, "CPI\\n(cycles / instruction)", cpi);
	lines_print(plot, to, 0, STATIC_RUNS);
	fputs("\nunset label 1\nunset label 2\n", to);
	rate_panel(plot, to, 0.365, 0.59, 1, 1u << RUN_SHADOW, 0);
	panels_axis(&plot->panels, to, "instructions");
	rate_panel(plot, to, 0.09, 0.315, 2, VIRTUAL_RUNS, 0);
	panels_end(to);
	return 0;
}

static int thresholds_print(const struct plot *plot, FILE *to)
{
	const unsigned modes = 1u << RUN_ADAPTIVE;

	title_print(plot, to, "the controller's thresholds, and what it counted");
	panels_begin(to);
	panels_strip(to);
	rate_panel(plot, to, 0.48, 0.815, 1, modes, 1);
	panels_axis(&plot->panels, to, "instructions");
	rate_panel(plot, to, 0.09, 0.425, 2, modes, 1);
	panels_end(to);
	return 0;
}

static uint64_t regret_highest(const struct plot *plot)
{
	const struct track *track = &plot->any->track;
	uint64_t highest = 0;
	size_t i;

	for (i = 0; i < track->points; i++) {
		if (track->point[i].regret_cycles > highest)
			highest = track->point[i].regret_cycles;
		if (track->point[i].limit_cycles > highest)
			highest = track->point[i].limit_cycles;
	}
	return highest;
}

static int regret_print(const struct plot *plot, FILE *to)
{
	const unsigned modes = 1u << RUN_ADAPTIVE;

	title_print(plot, to, "the controller's regret, and what it counted");
	panels_begin(to);
	panels_strip(to);
	panel_regret(&plot->panels, to, 0.6, 0.815, COLUMN_REGRET, regret_highest(plot));
	rate_panel(plot, to, 0.345, 0.55, 1, modes, 0);
	panels_axis(&plot->panels, to, "instructions");
	rate_panel(plot, to, 0.09, 0.295, 2, modes, 0);
	panels_end(to);
	return 0;
}

static int draw(const struct plot *plot, const char *prefix, const char *name,
		int (*print)(const struct plot *, FILE *), struct dav2m_host_error *error)
{
	static const char *const endings[] = {"svg", "png"};
	struct picture *picture;
	char path[4096];
	size_t i;
	int rc = 0;

	for (i = 0; i < sizeof(endings) / sizeof(endings[0]) && !rc; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s.%s.%s", prefix, name, endings[i]) >=
		    sizeof(path)) {
			snprintf(error->text, sizeof(error->text),
				 "--pictures: the name is too long");
			return DAV2M_HOST_ARGUMENT;
		}
		rc = picture_open(path, 1400, 1000, &picture, error);
		if (rc)
			return rc;
		bins_print(plot, picture_script(picture));
		panels_bands(&plot->panels, picture_script(picture));
		panels_style(&plot->panels, picture_script(picture));
		if (print(plot, picture_script(picture))) {
			picture_abort(picture);
			snprintf(error->text, sizeof(error->text), "out of memory");
			return DAV2M_HOST_MEMORY;
		}
		rc = picture_commit(picture, error);
	}
	return rc;
}

/* Each tick in the state that its beginning was in. */
static void bands_add(struct plot *plot, const struct track *track)
{
	size_t i;

	for (i = 1; i < track->points; i++)
		panels_band(&plot->panels, track->point[i - 1].state,
			    track->point[i].progress - track->point[i - 1].progress);
}

/* The adaptive run comes last, so its thresholds and its regret are those of any. */
static int plot_init(struct plot *plot, const struct runs *runs, const struct run_setup *setup)
{
	size_t i;

	memset(plot, 0, sizeof(*plot));
	plot->setup = setup;
	for (i = 0; i < runs->n; i++)
		plot->run[runs->run[i].mode] = &runs->run[i];
	plot->any = &runs->run[runs->n - 1];
	plot->bins = plot->any->track.points - 1;
	if (plot->bins > PANEL_BINS)
		plot->bins = PANEL_BINS;
	return panels_init(&plot->panels,
			   plot->any->track.point[plot->any->track.points - 1].progress);
}

int pictures_draw(const struct runs *runs, const struct run_setup *setup, const char *prefix,
		  struct dav2m_host_error *error)
{
	struct plot plot;
	int rc;

	if (plot_init(&plot, runs, setup)) {
		snprintf(error->text, sizeof(error->text), "out of memory");
		return DAV2M_HOST_MEMORY;
	}
	if (plot.bins == 0) {
		snprintf(error->text, sizeof(error->text),
			 "--pictures: the program ended within its first tick; see --window-inst");
		panels_free(&plot.panels);
		return DAV2M_HOST_ARGUMENT;
	}
	rc = setup->modes & STATIC_RUNS ? draw(&plot, prefix, "rates", rates_print, error) : 0;
	if (!rc && plot.run[RUN_ADAPTIVE]) {
		bands_add(&plot, &plot.run[RUN_ADAPTIVE]->track);
		rc = setup->config.judge
			     ? draw(&plot, prefix, "regret", regret_print, error)
			     : draw(&plot, prefix, "thresholds", thresholds_print, error);
	}
	panels_free(&plot.panels);
	return rc;
}
