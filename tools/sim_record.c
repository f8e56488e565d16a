/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings in memory; see sim_record.h.
 */
#include "sim_record.h"

#include "part.h"

#include <stdio.h>
#include <stdlib.h>

/* The first switch, and how long its transient is waited for; then the next. In ticks: a tick is
   meant to be longer than a transient, and a short program shall see both directions. */
#define FIRST_TICK	8
#define TRANSIENT_TICKS 8

int recording_add(struct recording *recording, const struct dav2m_sim *sim)
{
	const size_t room = recording->room ? recording->room * 2 : 256;
	struct dav2m_sample *sample;

	if (!recording->wanted)
		return 0;
	if (recording->samples == recording->room) {
		sample = realloc(recording->sample, room * sizeof(*sample));
		if (!sample)
			return -1;
		recording->sample = sample;
		recording->room = room;
	}
	dav2m_sim_sample(sim, &recording->sample[recording->samples++]);
	return 0;
}

void recording_free(struct recording *recording)
{
	free(recording->sample);
	recording->sample = NULL;
	recording->samples = recording->room = 0;
}

/* Whether a switch comes after this many ticks, and the mode that it leads to. */
static int turns_after(size_t ticks, enum dav2m_mode *ret_to)
{
	if (ticks < FIRST_TICK || (ticks - FIRST_TICK) % TRANSIENT_TICKS != 0)
		return 0;
	*ret_to = (ticks - FIRST_TICK) / TRANSIENT_TICKS % 2 ? DAV2M_SHADOW : DAV2M_NESTED;
	return 1;
}

int recording_turns(const struct recording *recording)
{
	enum dav2m_mode to;

	return turns_after(recording->samples - 1, &to);
}

static uint64_t cycles_between(const struct recording *recording, size_t first, size_t end)
{
	return recording->sample[end].value[DAV2M_CYCLES] -
	       recording->sample[first].value[DAV2M_CYCLES];
}

void recording_switch_costs(const struct recording *switcher, const struct recording *shadow,
			    const struct recording *nested, struct dav2m_trace_header *header)
{
	const struct recording *always[DAV2M_MODES] = {shadow, nested};
	int64_t sum[DAV2M_MODES] = {0};
	int64_t switches[DAV2M_MODES] = {0};
	enum dav2m_mode to;
	size_t at;
	int mode;

	for (at = 0; at + TRANSIENT_TICKS < switcher->samples; at++) {
		if (!turns_after(at, &to))
			continue;
		sum[to] += (int64_t)(cycles_between(switcher, at, at + TRANSIENT_TICKS) -
				     cycles_between(always[to], at, at + TRANSIENT_TICKS));
		switches[to]++;
	}
	for (mode = 0; mode < DAV2M_MODES; mode++) {
		if (switches[mode] == 0)
			continue;
		header->switch_known |= DAV2M_BIT(mode);
		header->switch_cycles[mode] =
			sum[mode] > 0 ? (uint64_t)(sum[mode] / switches[mode]) : 0;
	}
}

int recording_write(const struct recording *recording, const char *prefix, const char *mode,
		    const struct dav2m_trace_header *header, struct dav2m_host_error *error)
{
	struct dav2m_trace_writer *writer;
	char path[4096];
	size_t i;
	int rc;

	if ((size_t)snprintf(path, sizeof(path), "%s.%s.csv", prefix, mode) >= sizeof(path)) {
		snprintf(error->text, sizeof(error->text), "--record: the name is too long");
		return DAV2M_HOST_ARGUMENT;
	}
	rc = part_trace_open(path, header, &writer, error);
	if (rc)
		return rc;
	for (i = 0; i < recording->samples && !rc; i++)
		rc = dav2m_trace_writer_sample(writer, &recording->sample[i], error);
	return part_trace_end(path, writer, rc, error);
}
