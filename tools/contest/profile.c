/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line per policy: its losses over all cells, sorted.
 */
#include "profile.h"

#include "fail.h"

#include <stdlib.h>

/* Percent. What is lost below the floor cannot be told from the noise of a recording. */
#define FLOOR_PERCENT 0.01

static const char style[] =
	"set logscale x\n"
	"set tmargin 4\n"
	"set yrange [0:102]\n"
	"set format x '%g %%'\n"
	"set format y '%g %%'\n"
	"set xlabel 'lost beside the best schedule in hindsight, share of run time' "
	"textcolor rgb '#333333'\n"
	"set ylabel 'cells in which it lost at most this' textcolor rgb '#333333'\n"
	"set border 3 lc rgb '#888888'\n"
	"set tics nomirror textcolor rgb '#333333'\n"
	"set grid xtics ytics lt 1 lw 0.6 lc rgb '#cccccc'\n"
	"set key outside right center Left reverse samplen 2 spacing 1.4 textcolor rgb '#222222'\n"
	"set label 1 'Who comes how close to the best schedule in hindsight' at graph 0,1.05 "
	"font ',17' textcolor rgb '#111111'\n";

/* Peers are thin, our own are strong. */
static const char *const colours[] = {"#7fb0de", "#f0a85c", "#b8b8b8", "#8e6bb0", "#57a773",
				      "#c97b9b", "#222222", "#b2182b", "#14548f", "#a8500a"};

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void losses_print(const struct contest_matrix *matrix, size_t policy, double *loss, FILE *to)
{
	size_t c;

	for (c = 0; c < matrix->cells; c++) {
		const struct contest_result *result = contest_result(matrix, c, policy);

		loss[c] = contest_over(result->run.cycles, result->hindsight_cycles);
	}
	qsort(loss, matrix->cells, sizeof(*loss), double_compare);
	fprintf(to, "$policy%zu << END\n%g 0\n", policy, FLOOR_PERCENT);
	for (c = 0; c < matrix->cells; c++)
		fprintf(to, "%.6g %.6g\n", loss[c] > FLOOR_PERCENT ? loss[c] : FLOOR_PERCENT,
			100.0 * (double)(c + 1) / (double)matrix->cells);
	fputs("END\n", to);
}

static void line_print(const struct contest_matrix *matrix, size_t policy, FILE *to)
{
	const struct contest_policy *who = &matrix->policy[policy];

	fprintf(to, "%s$policy%zu using 1:2 with steps lw %s lc rgb '%s' title ",
		policy ? ", " : "plot ", policy, who->rule ? "1.6" : "3.2",
		colours[policy % (sizeof(colours) / sizeof(colours[0]))]);
	picture_quote(to, who->name);
}

int profile_print(const struct contest_matrix *matrix, FILE *to, struct dav2m_host_error *error)
{
	double *loss = calloc(matrix->cells + 1, sizeof(*loss));
	size_t p;

	if (!loss)
		return tool_fail_memory(error);
	for (p = 0; p < matrix->policies; p++)
		losses_print(matrix, p, loss, to);
	free(loss);
	fputs(style, to);
	fprintf(to, "set xrange [%g:*]\n", FLOOR_PERCENT);
	for (p = 0; p < matrix->policies; p++)
		line_print(matrix, p, to);
	fputc('\n', to);
	return 0;
}
