/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Panels of a picture above one another, all over the same work: the states of a controller as a
 * strip and as bands behind, rates on logarithmic axes. Everything here writes gnuplot's
 * language; the order is style, title, bands and data, then the strip, then the panels.
 */
#ifndef DAV2M_TOOLS_PANELS_H
#define DAV2M_TOOLS_PANELS_H

#include <dav2m/controller.h>

#include <stdio.h>

/* Bins narrower than this share of the picture cannot be told apart. */
#define PANEL_BINS 1000

/* Rates are per million units of progress: small numbers for instructions. */
#define PANEL_RATE_PER 1e6

struct panel_range {
	double low;
	double high;
};

struct panel_band {
	uint64_t begin; /* progress */
	uint64_t end;
	enum dav2m_state state;
};

struct panels {
	uint64_t total;	       /* progress: the width */
	double unit;	       /* of the x axis, in progress */
	const char *unit_name; /* "millions of " */
	struct panel_band *band;
	size_t bands;
	uint64_t banded; /* progress so far */
};

/* 0, or -1 without memory. */
int panels_init(struct panels *panels, uint64_t total);
void panels_free(struct panels *panels);
/* The state that went on for so much progress more. */
void panels_band(struct panels *panels, enum dav2m_state state, uint64_t progress);

void panels_style(const struct panels *panels, FILE *to);
void panels_title(FILE *to, const char *title, const char *below);
void panels_bands(const struct panels *panels, FILE *to);
/* Between these stand the panels. The strip comes first. */
void panels_begin(FILE *to);
void panels_strip(FILE *to);
void panels_end(FILE *to);

/* Begins a panel between two heights in [0, 1]; ", ..." plots of its data follow. */
void panel_begin(const struct panels *panels, FILE *to, double bottom, double top,
		 const char *label, struct panel_range y);
/* The x axis is labelled below the panels that follow: "billions of instructions". */
void panels_axis(const struct panels *panels, FILE *to, const char *progress_unit);

/* A panel of what the regret judge goes by: that column of $bins, and its limit in the next one, in
   cycles, up to highest. It stands before panels with logarithmic axes. */
void panel_regret(const struct panels *panels, FILE *to, double bottom, double top, int column,
		  uint64_t highest);

void panel_range_take(struct panel_range *range, double value);
/* The range of a logarithmic axis around what was taken into {1e300, 1e-3}. */
struct panel_range panel_log(struct panel_range taken);
/* Makes the axis logarithmic and defines floored(v): what lies below it runs along its floor. */
void panel_floor(FILE *to, struct panel_range y);

/*
 * The range of CPIs, a few of the highest left out: a program's first ticks, full of page faults,
 * would flatten the rest. Sorts them.
 */
struct panel_range panel_cpi(double *cpi, size_t n);

/* A count over progress, per PANEL_RATE_PER; a window's threshold likewise. */
double panel_rate(uint64_t count, uint64_t progress);
double panel_threshold(uint32_t threshold, uint32_t window, uint32_t window_inst);

#endif
