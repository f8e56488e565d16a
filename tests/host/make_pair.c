/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a synthetic paired recording from the phase table as two counter traces, for the golden
 * replays and for pictures: make_pair NAME TICKS NOISE_BP SHADOW.csv NESTED.csv
 */
#include "phases.h"

#include <dav2m/host/trace.h>

#include <stdio.h>
#include <stdlib.h>

static int trace_write(const char *path, enum dav2m_trace_mode mode, const struct phases *phases,
		       const struct dav2m_sample *tick)
{
	struct dav2m_trace_header header = {
		.progress_unit = "instructions",
		.mode = mode,
		.tick_progress = PHASES_TICK_PROGRESS,
		.columns = tick[0].valid,
		.switch_known = DAV2M_BIT(DAV2M_SHADOW) | DAV2M_BIT(DAV2M_NESTED),
		.switch_cycles = {PHASES_TO_SHADOW_CYCLES, PHASES_TO_NESTED_CYCLES},
	};
	struct dav2m_trace_writer *writer;
	struct dav2m_host_error error;
	size_t i;
	int rc;

	snprintf(header.program, sizeof(header.program), "synthetic phases: %s", phases->name);
	rc = dav2m_trace_writer_open(path, &header, &writer, &error);
	for (i = 0; !rc && i < phases->ticks; i++)
		rc = dav2m_trace_writer_append(writer, &tick[i], &error);
	if (!rc)
		rc = dav2m_trace_writer_close(writer, &error);
	if (rc)
		fprintf(stderr, "make_pair: %s\n", error.text);
	return rc;
}

int main(int argc, char **argv)
{
	const struct phases *known = argc == 6 ? phases_find(argv[1]) : NULL;
	struct phases phases;
	struct dav2m_sample *shadow, *nested;
	int rc = 1;

	if (!known || strtoul(argv[2], NULL, 10) == 0) {
		fputs("usage: make_pair NAME TICKS NOISE_BP SHADOW.csv NESTED.csv\n", stderr);
		return 2;
	}
	phases = *known;
	phases.ticks = strtoul(argv[2], NULL, 10);
	shadow = calloc(phases.ticks, sizeof(*shadow));
	nested = calloc(phases.ticks, sizeof(*nested));
	if (shadow && nested) {
		phases_fill(&phases, (uint32_t)strtoul(argv[3], NULL, 10), 1, shadow, nested);
		rc = trace_write(argv[4], DAV2M_TRACE_SHADOW, &phases, shadow) ||
		     trace_write(argv[5], DAV2M_TRACE_NESTED, &phases, nested);
	}
	free(shadow);
	free(nested);
	return rc;
}
