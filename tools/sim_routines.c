/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of routines, with mean and standard deviation from the simulator's exact sums.
 */
#include "sim_routines.h"

#include <math.h>

static const struct report_column columns[] = {
	{"mode", "mode", "", 0, 0},
	{"routine", "routine", "", 0, 0},
	{"calls", "calls", "", 0, 0},
	{"mean_cycles", "mean", "cycles", 1, 0},
	{"deviation_cycles", "std. deviation", "cycles", 1, 0},
	{"most_cycles", "max", "cycles", 0, 0},
	{"least_cycles", "min", "cycles", 0, 0},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static double mean(const struct dav2m_sim_routine *r)
{
	return (double)r->cycles / (double)r->calls;
}

/* Of all calls, so divided by their number; constant cycles shall give 0 in spite of rounding. */
static double deviation(const struct dav2m_sim_routine *r)
{
	const double squares = ldexp((double)r->squares_high, 64) + (double)r->squares_low;
	const double variance = squares / (double)r->calls - mean(r) * mean(r);

	return r->least_cycles == r->most_cycles || variance < 0 ? 0 : sqrt(variance);
}

static void cycles_row(struct report *report, const struct dav2m_sim_routine *r)
{
	report_number(report, mean(r));
	report_number(report, deviation(r));
	report_count(report, r->most_cycles);
	report_count(report, r->least_cycles);
}

static void routine_row(struct report *report, enum run_mode mode, enum dav2m_sim_routine_id id,
			const struct dav2m_sim_routine *r)
{
	int i;

	report_text(report, run_mode_name(mode));
	report_text(report, dav2m_sim_routine_name(id));
	report_count(report, r->calls);
	if (id != DAV2M_SIM_ROUTINE_GUEST_WALK)
		cycles_row(report, r);
	for (i = 3; i < (int)COLUMNS && id == DAV2M_SIM_ROUTINE_GUEST_WALK; i++)
		report_none(report);
}

struct report *routines_report(const struct runs *runs)
{
	struct report *report = report_new(columns, COLUMNS);
	size_t i;
	int id;

	for (i = 0; report && i < runs->n; i++)
		for (id = 0; id < DAV2M_SIM_ROUTINES; id++)
			if (runs->run[i].routine[id].calls > 0)
				routine_row(report, runs->run[i].mode,
					    (enum dav2m_sim_routine_id)id,
					    &runs->run[i].routine[id]);
	return report;
}
