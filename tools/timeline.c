/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collects a run in bins no narrower than a pixel, and has gnuplot draw it: states as a strip
 * and as bands behind, then CPI, paging exits and TLB misses, all over the same work.
 *
 * What the controller saw is drawn strong; what the recording of the other mode would have shown
 * is drawn faint, because the controller could not see it.
 */
#include "timeline.h"

#include "picture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH  1400
#define HEIGHT 1000

/* Bins and states narrower than this share of the picture cannot be told apart. */
#define BINS	   1000
#define BAND_SHARE 3000

/* Share of the CPIs, in percent, that may lie above the picture. */
#define CPI_CUT_PERCENT 3

/* Rates are per million units of progress: small numbers for instructions. */
#define RATE_PER 1e6

struct bin {
	uint64_t progress;
	uint64_t cycles;		     /* of the run, switches included */
	uint64_t mode_cycles[DAV2M_MODES];   /* of both recordings */
	uint64_t exits;			     /* of the shadow recording */
	uint64_t misses;		     /* of the nested recording */
	uint64_t seen_progress[DAV2M_MODES]; /* of the run, by mode */
	uint64_t seen_exits;
	uint64_t seen_misses;
	uint32_t threshold_vmexit;
	uint32_t threshold_tmiss;
};

struct band {
	uint64_t begin; /* progress */
	uint64_t end;
	enum dav2m_state state;
};

struct timeline {
	const struct replay_job *job;
	struct picture *picture;
	struct bin *bin;
	size_t bins;
	double *cpi; /* both recordings' of all bins, to sort */
	struct band *band;
	size_t bands;
	uint64_t progress; /* so far */
	uint64_t total;
	uint64_t switches;
	double unit; /* of the x axis, in progress */
	const char *unit_name;
};

static void unit_choose(struct timeline *timeline)
{
	static const struct {
		double unit;
		const char *name;
	} units[] = {{1e12, "trillions of "}, {1e9, "billions of "}, {1e6, "millions of "}};
	size_t i;

	timeline->unit = 1;
	timeline->unit_name = "";
	for (i = 3; i-- > 0;)
		if ((double)timeline->total >= units[i].unit) {
			timeline->unit = units[i].unit;
			timeline->unit_name = units[i].name;
		}
}

static struct timeline *timeline_new(const struct replay_job *job)
{
	struct timeline *timeline = calloc(1, sizeof(*timeline));

	if (!timeline)
		return NULL;
	timeline->job = job;
	timeline->total = job->pair.total[DAV2M_SHADOW].value[DAV2M_PROGRESS];
	timeline->bins = job->pair.ticks < BINS ? job->pair.ticks : BINS;
	timeline->bin = calloc(timeline->bins, sizeof(*timeline->bin));
	timeline->cpi = calloc(timeline->bins * DAV2M_MODES, sizeof(*timeline->cpi));
	timeline->band = calloc(BAND_SHARE + 1, sizeof(*timeline->band));
	if (timeline->bin && timeline->cpi && timeline->band)
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
		snprintf(error->text, sizeof(error->text), "out of memory");
		return DAV2M_HOST_MEMORY;
	}
	rc = picture_open(path, WIDTH, HEIGHT, &timeline->picture, error);
	if (rc) {
		timeline_abort(timeline);
		return rc;
	}
	unit_choose(timeline);
	*ret_timeline = timeline;
	return 0;
}

/* A band too narrow to be seen joins the one before it. */
static void band_add(struct timeline *timeline, enum dav2m_state state, uint64_t progress)
{
	struct band *last = timeline->bands ? &timeline->band[timeline->bands - 1] : NULL;
	uint64_t narrow = timeline->total / BAND_SHARE + 1;

	if (last && last->state != state && last->end - last->begin < narrow)
		last->state = state;
	if (last && last->state == state) {
		last->end += progress;
		return;
	}
	/* The bands are allocated by now: NOLINTNEXTLINE(*-core.NullDereference) */
	timeline->band[timeline->bands++] =
		(struct band){timeline->progress, timeline->progress + progress, state};
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
	bin->exits += shadow->value[DAV2M_PAGING_EXITS];
	bin->misses += nested->value[DAV2M_TLB_MISSES];
	bin->seen_progress[tick->mode] += seen->value[DAV2M_PROGRESS];
	if (tick->mode == DAV2M_SHADOW)
		bin->seen_exits += seen->value[DAV2M_PAGING_EXITS];
	else
		bin->seen_misses += seen->value[DAV2M_TLB_MISSES];
	bin->threshold_vmexit = explanation->threshold_vmexit;
	bin->threshold_tmiss = explanation->threshold_tmiss;
}

void timeline_tick(struct timeline *timeline, const struct dav2m_replay_tick *tick,
		   const struct dav2m_explanation *explanation)
{
	const struct replay_job *job = timeline->job;
	struct bin *bin = &timeline->bin[tick->index * timeline->bins / job->pair.ticks];

	bin_add(bin, &job->pair, tick, explanation);
	band_add(timeline, tick->decision->from, tick->increments->value[DAV2M_PROGRESS]);
	timeline->progress += tick->increments->value[DAV2M_PROGRESS];
	if (tick->switched) {
		bin->cycles += job->switch_cycles[tick->decision->mode];
		timeline->switches++;
	}
}

static double rate(uint64_t count, uint64_t progress)
{
	return RATE_PER * (double)count / (double)progress;
}

/* A window's threshold as a rate; the axis is logarithmic, its floor stands for 0. */
static double threshold_rate(uint32_t threshold, uint32_t window, uint32_t window_inst)
{
	return RATE_PER * threshold / ((double)window * window_inst);
}

static double cpi_of(uint64_t cycles, uint64_t progress)
{
	return (double)cycles / (double)progress;
}

static void seen_rate_print(FILE *to, uint64_t count, uint64_t progress)
{
	if (progress)
		fprintf(to, " %.6g", rate(count, progress));
	else
		fputs(" NaN", to);
}

/* Columns: x, CPI run, shadow, nested, exits recorded, seen, threshold, misses likewise. */
static void bins_print(const struct timeline *timeline, FILE *to)
{
	const struct dav2m_config *config = &timeline->job->config;
	uint64_t at = 0;
	size_t i;

	fputs("$bins << EOD\n", to);
	for (i = 0; i < timeline->bins; i++) {
		const struct bin *bin = &timeline->bin[i];

		fprintf(to, "%.9g %.6g %.6g %.6g %.6g",
			((double)at + (double)bin->progress / 2) / timeline->unit,
			cpi_of(bin->cycles, bin->progress),
			cpi_of(bin->mode_cycles[DAV2M_SHADOW], bin->progress),
			cpi_of(bin->mode_cycles[DAV2M_NESTED], bin->progress),
			rate(bin->exits, bin->progress));
		seen_rate_print(to, bin->seen_exits, bin->seen_progress[DAV2M_SHADOW]);
		fprintf(to, " %.6g %.6g",
			threshold_rate(bin->threshold_vmexit, config->window_vmexit,
				       config->window_inst),
			rate(bin->misses, bin->progress));
		seen_rate_print(to, bin->seen_misses, bin->seen_progress[DAV2M_NESTED]);
		fprintf(to, " %.6g\n",
			threshold_rate(bin->threshold_tmiss, config->window_tmiss,
				       config->window_inst));
		at += bin->progress;
	}
	fputs("EOD\n", to);
}

static void bands_print(const struct timeline *timeline, FILE *to)
{
	size_t i;

	fputs("$bands << EOD\n", to);
	for (i = 0; i < timeline->bands; i++)
		fprintf(to, "%.9g %.9g %d\n", (double)timeline->band[i].begin / timeline->unit,
			(double)timeline->band[i].end / timeline->unit,
			(int)timeline->band[i].state);
	fputs("EOD\n", to);
}

/* Lowest and highest of a quantity over all bins. */
struct range {
	double low;
	double high;
};

static void range_take(struct range *range, double value)
{
	if (value < range->low)
		range->low = value;
	if (value > range->high)
		range->high = value;
}

static int double_compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/*
 * Of the recordings only: a switch may push the run's CPI far off for one bin. The highest
 * bins may leave the picture: a program's first ticks, full of page faults, would flatten the rest.
 */
static struct range cpi_range(const struct timeline *timeline)
{
	size_t count = timeline->bins * DAV2M_MODES;
	double *cpi = timeline->cpi, margin;
	struct range range;
	size_t i;

	for (i = 0; i < count; i++)
		cpi[i] = cpi_of(timeline->bin[i / DAV2M_MODES].mode_cycles[i % DAV2M_MODES],
				timeline->bin[i / DAV2M_MODES].progress);
	qsort(cpi, count, sizeof(*cpi), double_compare);
	range = (struct range){cpi[0], cpi[(count - 1) - (count - 1) * CPI_CUT_PERCENT / 100]};
	margin = 0.15 * (range.high - range.low) + 0.02 * range.high;
	return (struct range){range.low - margin, range.high + margin};
}

/* For a logarithmic axis of at least three decades below its top. */
static struct range rate_range(const struct timeline *timeline, int misses)
{
	const struct dav2m_config *config = &timeline->job->config;
	struct range range = {1e300, 1e-3};
	size_t i;

	for (i = 0; i < timeline->bins; i++) {
		const struct bin *bin = &timeline->bin[i];
		double value = rate(misses ? bin->misses : bin->exits, bin->progress);

		if (value > 0)
			range_take(&range, value);
		range_take(&range,
			   misses ? threshold_rate(bin->threshold_tmiss, config->window_tmiss,
						   config->window_inst)
				  : threshold_rate(bin->threshold_vmexit, config->window_vmexit,
						   config->window_inst));
	}
	if (range.low < range.high / 1e6)
		range.low = range.high / 1e6;
	return (struct range){range.low / 2, range.high * 2.5};
}

/* Colours: shadow blue, nested orange; probes darker, because they are short. */
static const char style_text[] =
	"set encoding utf8\n"
	"unset colorbox\n"
	"set lmargin at screen 0.1\nset rmargin at screen 0.975\n"
	"set border 3 lc rgb '#777777'\n"
	"set tics nomirror textcolor rgb '#333333'\n"
	"set format x ''\nset grid ytics lc rgb '#e4e4e4' lt 1\n"
	"set palette defined (0 '#b9d3ee', 1 '#e08214', 2 '#fdd49e', 3 '#fde7cf', 4 '#3b75af')\n"
	"set cbrange [0:4]\nset style fill solid 1.0 noborder\n"
	"tint(s) = (s == 0 || s == 4) ? 0xe9f2fb : 0xfff1e2\n"
	"strong(s) = s == 0 ? 0x8fbbe3 : s == 1 ? 0xd9690b : s == 2 ? 0xf9b36b : "
	"s == 3 ? 0xfbd09f : 0x1f5f9e\n"
	"set key at graph 0.995,1.0 right bottom horizontal samplen 2 width 1 spacing 1.1 "
	"textcolor rgb '#333333'\n";

/* For gnuplot: what is below a logarithmic axis runs along its floor. */
static void floor_print(FILE *to, struct range y)
{
	fprintf(to, "floored(v) = v < %.6g ? %.6g : v\n", y.low * 1.15, y.low * 1.15);
}

static void panel_begin(FILE *to, double bottom, double top, const char *label, struct range y)
{
	fprintf(to,
		"set bmargin at screen %g\nset tmargin at screen %g\n"
		"set ylabel \"%s\" offset -1,0 textcolor rgb '#333333'\n"
		"set yrange [%.6g:%.6g]\n",
		bottom, top, label, y.low, y.high);
	fprintf(to,
		"plot $bands using 1:(%.6g):1:2:(%.6g):(%.6g):(tint($3)) with boxxyerror "
		"lc rgb variable notitle",
		y.low, y.low, y.high);
}

static void strip_print(FILE *to)
{
	static const char *const colour[DAV2M_STATES] = {"#8fbbe3", "#d9690b", "#f9b36b", "#fbd09f",
							 "#1f5f9e"};
	int state;

	fputs("set bmargin at screen 0.858\nset tmargin at screen 0.895\n"
	      "set yrange [0:1]\nunset ytics\nset border 1\n"
	      "set ylabel 'state' rotate by 0 offset 0,0 textcolor rgb '#333333'\n"
	      "plot $bands using 1:(0):1:2:(0):(1):(strong($3)) with boxxyerror lc rgb variable "
	      "notitle",
	      to);
	for (state = 0; state < DAV2M_STATES; state++)
		fprintf(to, ", NaN with boxes lc rgb '%s' title '%s'", colour[state],
			dav2m_state_name((enum dav2m_state)state));
	fputs("\nset ytics nomirror\nset border 3\nset ylabel rotate\n", to);
}

static void cpi_print(const struct timeline *timeline, FILE *to)
{
	panel_begin(to, 0.575, 0.815, "CPI\\n(cycles / progress)", cpi_range(timeline));
	fputs(", $bins using 1:3 with lines lw 1.2 lc rgb '#7fb0de' title 'shadow recording'"
	      ", $bins using 1:4 with lines lw 1.2 lc rgb '#f0a85c' title 'nested recording'"
	      ", $bins using 1:2 with lines lw 2.2 lc rgb '#222222' title 'controller and "
	      "switches'\n",
	      to);
}

static void exits_print(const struct timeline *timeline, FILE *to)
{
	struct range range = rate_range(timeline, 0);

	fputs("set logscale y\nset format y '10^{%L}'\n", to);
	floor_print(to, range);
	panel_begin(to, 0.33, 0.525, "paging exits\\nper million", range);
	fputs(", $bins using 1:(floored($5)) with lines lw 1.2 lc rgb '#7fb0de' title 'shadow "
	      "recording'"
	      ", $bins using 1:(floored($6)) with lines lw 2.2 lc rgb '#14548f' title 'seen by the "
	      "controller'"
	      ", $bins using 1:7 with lines lw 1.8 dt 2 lc rgb '#b2182b' "
	      "title 'threshold\\_vmexit'\n",
	      to);
}

static void misses_print(const struct timeline *timeline, FILE *to)
{
	struct range range = rate_range(timeline, 1);

	floor_print(to, range);
	fputs("set format x '%g'\nset xlabel ", to);
	picture_quote(to, timeline->unit_name);
	fputs(" . ", to);
	picture_quote(to, timeline->job->progress_unit);
	fputs(" noenhanced textcolor rgb '#333333'\n", to);
	panel_begin(to, 0.085, 0.28, "TLB misses\\nper million", range);
	fputs(", $bins using 1:(floored($8)) with lines lw 1.2 lc rgb '#f0a85c' title 'nested "
	      "recording'"
	      ", $bins using 1:(floored($9)) with lines lw 2.2 lc rgb '#a8500a' title 'seen by the "
	      "controller'"
	      ", $bins using 1:10 with lines lw 1.8 dt 2 lc rgb '#b2182b' "
	      "title 'threshold\\_tmiss'\n",
	      to);
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
	char text[DAV2M_TRACE_TEXT + 160];
	char versus[80];

	versus_print(timeline, versus, sizeof(versus));
	fputs("set label 1 ", to);
	picture_quote(to, job->program[0] ? job->program : "(program not named)");
	fputs(" at screen 0.1,0.975 left noenhanced font ',17' textcolor rgb '#111111'\n", to);
	snprintf(text, sizeof(text), "%s: %" PRIu64 " switch%s, %s", job->shown, timeline->switches,
		 timeline->switches == 1 ? "" : "es", versus);
	fputs("set label 2 ", to);
	picture_quote(to, text);
	fputs(" at screen 0.1,0.948 left noenhanced textcolor rgb '#555555'\n", to);
}

static void script_print(const struct timeline *timeline, FILE *to)
{
	bins_print(timeline, to);
	bands_print(timeline, to);
	fputs(style_text, to);
	fprintf(to, "set xrange [0:%.9g]\n", (double)timeline->total / timeline->unit);
	title_print(timeline, to);
	fputs("set multiplot\n", to);
	strip_print(to);
	fputs("unset label 1\nunset label 2\n", to);
	cpi_print(timeline, to);
	exits_print(timeline, to);
	misses_print(timeline, to);
	fputs("unset multiplot\n", to);
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
	free(timeline->bin);
	free(timeline->cpi);
	free(timeline->band);
	free(timeline);
}
