/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Aligns two recordings of the same work by progress.
 *
 * A tick of the pair ends when both recordings have ended a line since it began: short lines are
 * put together, long ones are not taken apart. Spread over the short lines of the other recording,
 * a burst within a long one would be a little everywhere, and the best schedule would keep to the
 * other mode's calm ticks and leave its bursts out, which no schedule can.
 *
 * Let C(p) be what a counter has done up to progress p: exact at the recording's own tick
 * boundaries, linear and rounded down between them. A tick of the pair gets C(end) - C(begin),
 * so whatever the rounding, the sum over all ticks is the recording's own.
 */
#include <dav2m/host/pair.h>

#include "error.h"
#include "trace_format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NEEDED (DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES))
#define EXITS  (DAV2M_BIT(DAV2M_PAGING_EXITS) | DAV2M_BIT(DAV2M_PAGING_EXIT_CYCLES))

__extension__ typedef unsigned __int128 uint128;

/* a x b / c, rounded down; the result must fit, which b <= c ensures. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c)
{
	/* c is the progress of a tick, which has some: NOLINTNEXTLINE(*-core.DivideZero) */
	return (uint64_t)((uint128)a * b / c);
}

static int trace_fail(const struct dav2m_trace *trace, size_t tick, enum dav2m_counter counter,
		      const char *rule, struct dav2m_host_error *error)
{
	return dav2m_host_fail_at(error, DAV2M_HOST_FORMAT, trace->name ? trace->name : "(memory)",
				  trace->first_line + tick, 0, "%s %s", dav2m_counter_name(counter),
				  rule);
}

/* Sums of all counters, and whether the recording can be paired at all. */
static int trace_total(const struct dav2m_trace *trace, struct dav2m_sample *ret_total,
		       struct dav2m_host_error *error)
{
	enum dav2m_counter c;
	size_t i;

	memset(ret_total, 0, sizeof(*ret_total));
	ret_total->valid = DAV2M_ALL_COUNTERS;
	for (i = 0; i < trace->ticks; i++) {
		const struct dav2m_sample *tick = &trace->tick[i];

		ret_total->valid &= tick->valid;
		for (c = DAV2M_PROGRESS; c < DAV2M_COUNTERS; c++) {
			if (!(tick->valid & DAV2M_BIT(c)))
				continue;
			if (tick->value[c] > TRACE_VALUE_MAX - ret_total->value[c])
				return trace_fail(trace, i, c, "sums to more than 2^63 - 1", error);
			ret_total->value[c] += tick->value[c];
		}
		for (c = DAV2M_PROGRESS; c <= DAV2M_CYCLES; c++)
			if (!(tick->valid & DAV2M_BIT(c)))
				return trace_fail(trace, i, c,
						  "is not available in this tick; a paired "
						  "recording needs it in every tick",
						  error);
	}
	return 0;
}

static const char *trace_name(const struct dav2m_trace *trace, const char *otherwise)
{
	return trace->name ? trace->name : otherwise;
}

static int modes_check(const struct dav2m_trace *shadow, const struct dav2m_trace *nested,
		       struct dav2m_host_error *error)
{
	const struct dav2m_trace *trace[DAV2M_MODES] = {shadow, nested};
	enum dav2m_mode mode;

	for (mode = DAV2M_SHADOW; mode < DAV2M_MODES; mode++)
		if ((unsigned int)trace[mode]->header.mode != (unsigned int)mode)
			return dav2m_host_fail_at(error, DAV2M_HOST_MISMATCH,
						  trace_name(trace[mode], dav2m_mode_name(mode)), 0,
						  0, "mode is %s, but the %s recording must be %s",
						  dav2m_trace_mode_name(trace[mode]->header.mode),
						  mode == DAV2M_SHADOW ? "first" : "second",
						  dav2m_mode_name(mode));
	if (strcmp(shadow->header.progress_unit, nested->header.progress_unit) != 0)
		return dav2m_host_fail(
			error, DAV2M_HOST_MISMATCH,
			"progress_unit is '%.100s' in the shadow recording and '%.100s' "
			"in the nested one; they must measure work alike",
			shadow->header.progress_unit, nested->header.progress_unit);
	return 0;
}

static int progress_check(uint64_t shadow, uint64_t nested, uint32_t tolerance_bp,
			  struct dav2m_host_error *error)
{
	uint64_t gap = shadow > nested ? shadow - nested : nested - shadow;

	if (!shadow || !nested)
		return dav2m_host_fail(error, DAV2M_HOST_MISMATCH,
				       "the %s recording has no progress",
				       shadow ? "nested" : "shadow");
	if ((uint128)gap * DAV2M_ONE_BP <= (uint128)shadow * tolerance_bp)
		return 0;
	return dav2m_host_fail(error, DAV2M_HOST_MISMATCH,
			       "the recordings are not of the same work: total progress is %" PRIu64
			       " in the shadow recording and %" PRIu64
			       " in the nested one, which is %" PRIu64
			       " %s (%.4f %%); at most %.2f %% is allowed",
			       shadow, nested, gap, nested > shadow ? "more" : "less",
			       100.0 * (double)gap / (double)shadow, tolerance_bp / 100.0);
}

/* Where C(p) stands in a recording. */
struct cursor {
	const struct dav2m_trace *trace;
	size_t row;			  /* the first that ends beyond p */
	uint64_t begin;			  /* progress where it begins */
	uint64_t before[DAV2M_COUNTERS];  /* sums of the rows before it */
	uint64_t reached[DAV2M_COUNTERS]; /* C(p) */
};

/* Moves on to p and answers what lies between. */
static struct dav2m_sample cursor_advance(struct cursor *cursor, uint64_t p)
{
	struct dav2m_sample gone = {.valid = DAV2M_ALL_COUNTERS};
	const struct dav2m_sample *row = &cursor->trace->tick[cursor->row];
	const struct dav2m_sample *end = cursor->trace->tick + cursor->trace->ticks;
	int c;

	for (; row < end && cursor->begin + row->value[DAV2M_PROGRESS] <= p; row++) {
		cursor->begin += row->value[DAV2M_PROGRESS];
		gone.valid &= row->valid;
		for (c = 0; c < DAV2M_COUNTERS; c++)
			if (row->valid & DAV2M_BIT(c))
				cursor->before[c] += row->value[c];
	}
	cursor->row = (size_t)(row - cursor->trace->tick);
	if (p > cursor->begin)
		gone.valid &= row->valid;
	for (c = 0; c < DAV2M_COUNTERS; c++) {
		uint64_t reached = cursor->before[c];

		if (p > cursor->begin && (row->valid & DAV2M_BIT(c)))
			reached +=
				scale(row->value[c], p - cursor->begin, row->value[DAV2M_PROGRESS]);
		gone.value[c] = reached - cursor->reached[c];
		cursor->reached[c] = reached;
	}
	return gone;
}

/* Where the line ends that goes beyond p, which cursor has reached; both in the pair's progress. */
static uint64_t line_end(const struct cursor *cursor, uint64_t p, uint64_t trace_progress,
			 uint64_t pair_progress)
{
	const struct dav2m_sample *row = &cursor->trace->tick[cursor->row];
	uint64_t end = cursor->begin, ret;

	do {
		end += row++->value[DAV2M_PROGRESS];
		ret = scale(pair_progress, end, trace_progress);
	} while (ret <= p);
	return ret;
}

/* Puts both recordings on ticks as long as the longer lines, as if their progress were that of the
   first. */
static size_t align(const struct dav2m_trace *const trace[DAV2M_MODES],
		    const uint64_t trace_progress[DAV2M_MODES],
		    struct dav2m_sample *ret_tick[DAV2M_MODES])
{
	const uint64_t progress = trace_progress[DAV2M_SHADOW];
	struct cursor cursor[DAV2M_MODES] = {{.trace = trace[DAV2M_SHADOW]},
					     {.trace = trace[DAV2M_NESTED]}};
	uint64_t p = 0, end;
	unsigned int mode;
	size_t n = 0;

	for (; p < progress; p = end, n++) {
		for (end = 0, mode = 0; mode < DAV2M_MODES; mode++) {
			uint64_t line = line_end(&cursor[mode], p, trace_progress[mode], progress);

			end = line > end ? line : end;
		}
		for (mode = 0; mode < DAV2M_MODES; mode++) {
			ret_tick[mode][n] = cursor_advance(
				&cursor[mode], scale(trace_progress[mode], end, progress));
			ret_tick[mode][n].value[DAV2M_PROGRESS] = end - p;
		}
	}
	return n;
}

/* A counter of paging exits does not vanish under nested paging, it stands still. */
static void nested_exits_fill(const struct dav2m_trace *nested, struct dav2m_pair *pair)
{
	uint32_t still = EXITS & ~nested->header.columns;
	size_t i;

	for (i = 0; i < pair->ticks; i++)
		pair->tick[DAV2M_NESTED][i].valid |= still & pair->tick[DAV2M_SHADOW][i].valid;
	pair->total[DAV2M_NESTED].valid |= still & pair->total[DAV2M_SHADOW].valid;
}

static void switch_costs_take(const struct dav2m_trace_header *shadow,
			      const struct dav2m_trace_header *nested, struct dav2m_pair *pair)
{
	const struct dav2m_trace_header *from[DAV2M_MODES][2] = {
		[DAV2M_SHADOW] = {nested, shadow},
		[DAV2M_NESTED] = {shadow, nested},
	};
	unsigned int to;

	for (to = 0; to < DAV2M_MODES; to++) {
		const struct dav2m_trace_header *header =
			from[to][0]->switch_known & DAV2M_BIT(to) ? from[to][0] : from[to][1];

		pair->switch_known |= header->switch_known & DAV2M_BIT(to);
		pair->switch_cycles[to] = header->switch_cycles[to];
	}
}

/* The longer of the two, in the pair's progress, rounded down so that no tick is shorter. */
static uint64_t tick_progress(const struct dav2m_trace *const trace[DAV2M_MODES],
			      const uint64_t progress[DAV2M_MODES])
{
	uint64_t shadow = trace[DAV2M_SHADOW]->header.tick_progress;
	uint64_t nested = trace[DAV2M_NESTED]->header.tick_progress;

	if (!shadow || !nested)
		return 0;
	if (nested <= progress[DAV2M_NESTED]) /* else there is one line, not a whole one */
		nested = scale(progress[DAV2M_SHADOW], nested, progress[DAV2M_NESTED]);
	return shadow > nested ? shadow : nested;
}

static int pair_fill(const struct dav2m_trace *shadow, const struct dav2m_trace *nested,
		     struct dav2m_pair *pair, struct dav2m_host_error *error)
{
	const struct dav2m_trace *const trace[DAV2M_MODES] = {shadow, nested};
	const uint64_t progress[DAV2M_MODES] = {pair->total[DAV2M_SHADOW].value[DAV2M_PROGRESS],
						pair->total[DAV2M_NESTED].value[DAV2M_PROGRESS]};
	unsigned int mode;

	for (mode = 0; mode < DAV2M_MODES; mode++) {
		/* Each tick ends a line of the shadow recording, at least. */
		pair->tick[mode] = calloc(shadow->ticks, sizeof(*pair->tick[mode]));
		if (!pair->tick[mode])
			return dav2m_host_fail_memory(error);
	}
	pair->ticks = align(trace, progress, pair->tick);
	pair->total[DAV2M_NESTED].value[DAV2M_PROGRESS] = progress[DAV2M_SHADOW];
	pair->tick_progress = tick_progress(trace, progress);
	nested_exits_fill(nested, pair);
	switch_costs_take(&shadow->header, &nested->header, pair);
	return 0;
}

int dav2m_pair_make(const struct dav2m_trace *shadow, const struct dav2m_trace *nested,
		    uint32_t tolerance_bp, struct dav2m_pair *ret_pair,
		    struct dav2m_host_error *error)
{
	struct dav2m_pair pair = {0};
	int rc;

	if (!shadow || !nested || !ret_pair)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "dav2m_pair_make: NULL argument");
	rc = modes_check(shadow, nested, error);
	if (!rc)
		rc = trace_total(shadow, &pair.total[DAV2M_SHADOW], error);
	if (!rc)
		rc = trace_total(nested, &pair.total[DAV2M_NESTED], error);
	if (!rc)
		rc = progress_check(pair.total[DAV2M_SHADOW].value[DAV2M_PROGRESS],
				    pair.total[DAV2M_NESTED].value[DAV2M_PROGRESS], tolerance_bp,
				    error);
	if (!rc)
		rc = pair_fill(shadow, nested, &pair, error);
	if (rc)
		dav2m_pair_free(&pair);
	else
		*ret_pair = pair;
	return rc;
}

void dav2m_pair_free(struct dav2m_pair *pair)
{
	if (!pair)
		return;
	free(pair->tick[DAV2M_SHADOW]);
	free(pair->tick[DAV2M_NESTED]);
	memset(pair, 0, sizeof(*pair));
}
