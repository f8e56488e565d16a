/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contest's own recordings are long enough, and their rows are what policies were made for.
 * Those of a user's need not be, and say so here; they are played all the same.
 */
#include "given.h"

#include "peers.h"

#include <inttypes.h>

/* Rows up to so many times as long as the contest's, or so many times as short, pass: within that
   bounded's mean loss moves by less than half of itself (docs/contest.md, window_inst). */
#define ROW_FACTOR 4

static void length_note(const char *name, uint64_t progress, struct report *report)
{
	struct dav2m_config config = {.size = sizeof(config)};
	double windows;

	dav2m_config_preset(DAV2M_PRESET_DEFAULT, &config);
	windows = (double)progress / config.window_inst;
	if (windows < config.window_trans)
		report_note(report,
			    "%s: short: only %.1f ticks of window_inst %" PRIu32
			    "; a controller needs window_trans (%u) or more to show what it does",
			    name, windows, config.window_inst, config.window_trans);
}

static void rows_note(const char *name, const struct dav2m_pair *pair, struct report *report)
{
	uint64_t row = pair->total[DAV2M_SHADOW].value[DAV2M_PROGRESS] / pair->ticks;

	if (row < PEER_ROW_PROGRESS / ROW_FACTOR || row > PEER_ROW_PROGRESS * ROW_FACTOR)
		report_note(report,
			    "%s: rows of %" PRIu64 " of progress; policies look at each row, and "
			    "are made for %u (dav2m sim --window-inst)",
			    name, row, PEER_ROW_PROGRESS);
}

void given_notes_add(const struct contest_matrix *matrix, struct report *report)
{
	const struct contest_tape *tape;
	size_t i;

	for (i = 0; i < matrix->tapes; i++) {
		tape = &matrix->tape[i];
		if (tape->workload.kind != CONTEST_FILES)
			continue;
		if (tape->made.interrupted)
			report_note(report,
				    "%s: interrupted: the recordings hold the beginning of the "
				    "program",
				    tape->workload.name);
		length_note(tape->workload.name,
			    tape->made.pair.total[DAV2M_SHADOW].value[DAV2M_PROGRESS], report);
		rows_note(tape->workload.name, &tape->made.pair, report);
	}
}
