/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of `dav2m sim --characterize`.
 */
#include "sim_character.h"

#define PAGE_KB 4

static const struct report_column columns[] = {
	{"mode", "mode", "", 0, 0},
	{"references", "references", "", 1, 1},
	{"data_pages", "data pages", "", 0, 0},
	{"code_pages", "code pages", "", 0, 0},
	{"rss_peak_kb", "RSS", "KB", 0, 0},
	{"swap_peak_kb", "swap", "KB", 0, 0},
	{"major_faults", "major faults", "", 0, 0},
	{"minor_faults", "minor faults", "", 0, 0},
	{"swap_cache_faults", "of them swap cache", "", 0, 0},
	{"swap_reads", "pages read", "", 0, 0},
	{"swap_writes", "pages written", "", 0, 0},
	{"swap_cycles", "swap", "cycles", 2, 1},
	{"dtlb_misses", "DTLB misses", "", 2, 1},
	{"itlb_misses", "ITLB misses", "", 2, 1},
	{"table_writes", "table writes", "", 0, 0},
	{"context_switches", "context switches", "", 0, 0},
	{"cycles", "cycles", "", 2, 1},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void row(struct report *report, const struct run *run, const struct footprint *footprint)
{
	const struct dav2m_sim_counts *c = &run->counts;

	report_text(report, run_mode_name(run->mode));
	report_count(report, c->instructions + c->loads + c->stores);
	report_count(report, footprint->data_pages);
	report_count(report, footprint->code_pages);
	report_count(report, c->resident_peak * PAGE_KB);
	report_count(report, c->swap_pages_peak * PAGE_KB);
	report_count(report, c->major_faults);
	report_count(report, c->faults + c->cow_faults + c->swap_cache_faults);
	report_count(report, c->swap_cache_faults);
	report_count(report, c->swap_reads);
	report_count(report, c->swap_writes);
	report_count(report, c->cycles[DAV2M_SIM_SWAP]);
	report_count(report, c->l2_misses[DAV2M_SIM_DATA]);
	report_count(report, c->l2_misses[DAV2M_SIM_CODE]);
	report_count(report, c->table_writes);
	report_count(report, c->context_switches);
	report_count(report, dav2m_sim_cycles(c));
}

struct report *character_report(const struct runs *runs, const struct footprint *footprint)
{
	struct report *report = footprint->failed ? NULL : report_new(columns, COLUMNS);
	size_t i;

	for (i = 0; report && i < runs->n; i++)
		row(report, &runs->run[i], footprint);
	return report;
}
