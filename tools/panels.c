/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the panels of all pictures over time have in common; see panels.h.
 */
#include "panels.h"

#include "picture.h"

#include <stdlib.h>
#include <string.h>

/* States narrower than this share of the picture cannot be told apart. */
#define BAND_SHARE 3000

/* Share of the CPIs, in percent, that may lie above the picture. */
#define CPI_CUT_PERCENT 3

static void unit_choose(struct panels *panels)
{
	static const struct {
		double unit;
		const char *name;
	} units[] = {{1e12, "trillions of "}, {1e9, "billions of "}, {1e6, "millions of "}};
	size_t i;

	panels->unit = 1;
	panels->unit_name = "";
	for (i = 3; i-- > 0;)
		if ((double)panels->total >= units[i].unit) {
			panels->unit = units[i].unit;
			panels->unit_name = units[i].name;
		}
}

int panels_init(struct panels *panels, uint64_t total)
{
	memset(panels, 0, sizeof(*panels));
	panels->total = total;
	unit_choose(panels);
	panels->band = calloc(BAND_SHARE + 1, sizeof(*panels->band));
	return panels->band ? 0 : -1;
}

void panels_free(struct panels *panels)
{
	free(panels->band);
	panels->band = NULL;
}

/* A band too narrow to be seen joins the one before it. */
void panels_band(struct panels *panels, enum dav2m_state state, uint64_t progress)
{
	struct panel_band *last = panels->bands ? &panels->band[panels->bands - 1] : NULL;
	uint64_t narrow = panels->total / BAND_SHARE + 1;

	panels->banded += progress;
	if (last && last->state != state && last->end - last->begin < narrow)
		last->state = state;
	if (last && last->state == state) {
		last->end += progress;
		return;
	}
	/* The bands are allocated by now: NOLINTNEXTLINE(*-core.NullDereference) */
	panels->band[panels->bands++] =
		(struct panel_band){panels->banded - progress, panels->banded, state};
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

void panels_style(const struct panels *panels, FILE *to)
{
	fputs(style_text, to);
	fprintf(to, "set xrange [0:%.9g]\n", (double)panels->total / panels->unit);
}

#define TITLE_MOST 110 /* bytes: what the width has room for */

/* What ran may be a long command. */
static void title_cut(char to[TITLE_MOST + 4], const char *title)
{
	size_t size = strlen(title);

	if (size > TITLE_MOST)
		for (size = TITLE_MOST; size && ((unsigned char)title[size] & 0xc0) == 0x80; size--)
			; /* not within a character of UTF-8 */
	snprintf(to, TITLE_MOST + 4, "%.*s%s", (int)size, title, title[size] ? "..." : "");
}

void panels_title(FILE *to, const char *title, const char *below)
{
	char text[TITLE_MOST + 4];

	title_cut(text, title);
	fputs("set label 1 ", to);
	picture_quote(to, text);
	fputs(" at screen 0.1,0.975 left noenhanced font ',17' textcolor rgb '#111111'\n", to);
	fputs("set label 2 ", to);
	picture_quote(to, below);
	fputs(" at screen 0.1,0.948 left noenhanced textcolor rgb '#555555'\n", to);
}

void panels_bands(const struct panels *panels, FILE *to)
{
	size_t i;

	fputs("$bands << EOD\n", to);
	for (i = 0; i < panels->bands; i++)
		fprintf(to, "%.9g %.9g %d\n", (double)panels->band[i].begin / panels->unit,
			(double)panels->band[i].end / panels->unit, (int)panels->band[i].state);
	fputs("EOD\n", to);
}

void panels_begin(FILE *to)
{
	fputs("set multiplot\n", to);
}

void panels_strip(FILE *to)
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
	fputs("\nset ytics nomirror\nset border 3\nset ylabel rotate\n"
	      "unset label 1\nunset label 2\n",
	      to);
}

void panels_end(FILE *to)
{
	fputs("unset multiplot\n", to);
}

void panel_begin(const struct panels *panels, FILE *to, double bottom, double top,
		 const char *label, struct panel_range y)
{
	fprintf(to,
		"set bmargin at screen %g\nset tmargin at screen %g\n"
		"set ylabel \"%s\" offset -1,0 textcolor rgb '#333333'\n"
		"set yrange [%.6g:%.6g]\n",
		bottom, top, label, y.low, y.high);
	if (panels->bands == 0)
		fputs("plot NaN notitle", to);
	else
		fprintf(to,
			"plot $bands using 1:(%.6g):1:2:(%.6g):(%.6g):(tint($3)) with boxxyerror "
			"lc rgb variable notitle",
			y.low, y.low, y.high);
}

void panels_axis(const struct panels *panels, FILE *to, const char *progress_unit)
{
	fputs("set format x '%g'\nset xlabel ", to);
	picture_quote(to, panels->unit_name);
	fputs(" . ", to);
	picture_quote(to, progress_unit);
	fputs(" noenhanced textcolor rgb '#333333'\n", to);
}

void panel_regret(const struct panels *panels, FILE *to, double bottom, double top, int column,
		  uint64_t highest)
{
	const struct panel_range range = {0, highest ? 1.1 * (double)highest : 1};

	fputs("set format y '%.1s %c'\n", to);
	panel_begin(panels, to, bottom, top, "regret\\n(cycles)", range);
	fprintf(to,
		", $bins using 1:%d with lines lw 2.2 lc rgb '#222222' title 'regret'"
		", $bins using 1:%d with steps lw 1.8 dt 2 lc rgb '#b2182b' title 'limit'\n",
		column, column + 1);
}

void panel_range_take(struct panel_range *range, double value)
{
	if (value < range->low)
		range->low = value;
	if (value > range->high)
		range->high = value;
}

/* Six decades at most, and three where nothing was taken. */
struct panel_range panel_log(struct panel_range taken)
{
	if (taken.low < taken.high / 1e6)
		taken.low = taken.high / 1e6;
	if (taken.low > taken.high)
		taken.low = taken.high / 1e3;
	return (struct panel_range){taken.low / 2, taken.high * 2.5};
}

void panel_floor(FILE *to, struct panel_range y)
{
	fputs("set logscale y\nset format y '10^{%L}'\n", to);
	fprintf(to, "floored(v) = v < %.6g ? %.6g : v\n", y.low * 1.15, y.low * 1.15);
}

static int double_compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

struct panel_range panel_cpi(double *cpi, size_t n)
{
	struct panel_range range;
	double margin;

	qsort(cpi, n, sizeof(*cpi), double_compare);
	range = (struct panel_range){cpi[0], cpi[(n - 1) - (n - 1) * CPI_CUT_PERCENT / 100]};
	margin = 0.15 * (range.high - range.low) + 0.02 * range.high;
	return (struct panel_range){range.low - margin, range.high + margin};
}

double panel_rate(uint64_t count, uint64_t progress)
{
	return PANEL_RATE_PER * (double)count / (double)progress;
}

double panel_threshold(uint32_t threshold, uint32_t window, uint32_t window_inst)
{
	return PANEL_RATE_PER * threshold / ((double)window * window_inst);
}
