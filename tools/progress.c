/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws the progress line. Writes to stderr only, and only to a terminal.
 */
#define _POSIX_C_SOURCE 200809L

#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Shown from the first second on, redrawn five times a second. */
#define QUIET_S	  1.0
#define REDRAW_S  0.2
#define BAR_WIDTH 24

static struct {
	const char *what;
	const char *unit;
	uint64_t total;
	double begun_s;
	double drawn_s;
	int active; /* between begin and end, on a terminal */
	int shown;  /* the line is on the screen */
} line;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void progress_begin(const char *what, const char *unit, uint64_t total)
{
	line.what = what;
	line.unit = unit;
	line.total = total;
	line.begun_s = now_s();
	line.drawn_s = line.begun_s + QUIET_S - REDRAW_S;
	line.active = isatty(STDERR_FILENO);
	line.shown = 0;
}

static void rate_print(double per_s)
{
	const char *prefix[] = {"", "k", "M", "G"};
	int i = 0;

	while (per_s >= 1000 && i < 3) {
		per_s /= 1000;
		i++;
	}
	fprintf(stderr, " %.1f %s%s%s/s", per_s, prefix[i], *prefix[i] ? " " : "", line.unit);
}

static void bar_print(double share)
{
	int full = (int)(share * BAR_WIDTH);
	int i;

	fputs(" [", stderr);
	for (i = 0; i < BAR_WIDTH; i++)
		fputc(i < full ? '#' : '.', stderr);
	fprintf(stderr, "] %3.0f %%", share * 100);
}

static void time_left_print(double seconds)
{
	unsigned long s = (unsigned long)(seconds + 0.5);

	if (s >= 3600)
		fprintf(stderr, ", %lu h %02lu min left", s / 3600, s / 60 % 60);
	else if (s >= 60)
		fprintf(stderr, ", %lu min %02lu s left", s / 60, s % 60);
	else
		fprintf(stderr, ", %lu s left", s);
}

static void line_draw(uint64_t done, double elapsed_s)
{
	double share = line.total ? (double)done / (double)line.total : 0;

	if (share > 1)
		share = 1;
	fprintf(stderr, "\r%s", line.what);
	if (line.total)
		bar_print(share);
	rate_print((double)done / elapsed_s);
	if (share > 0)
		time_left_print(elapsed_s / share - elapsed_s);
	fputs("\033[K", stderr);
	fflush(stderr);
	line.shown = 1;
}

void progress_step(uint64_t done)
{
	double now;

	if (!line.active)
		return;
	now = now_s();
	if (now - line.drawn_s < REDRAW_S)
		return;
	line.drawn_s = now;
	line_draw(done, now - line.begun_s);
}

void progress_clear(void)
{
	if (line.shown)
		fputs("\r\033[K", stderr);
	line.shown = 0;
}

void progress_end(void)
{
	progress_clear();
	line.active = 0;
}
