/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dav2m replay`: what the controller would have done with two recordings of the same work.
 *
 * Here: the command line, reading, and the order of things. replay_rows.c runs the policies and
 * makes the table, timeline.c the picture.
 */
#include "command.h"
#include "controller_options.h"
#include "counter_input.h"
#include "number.h"
#include "output.h"
#include "picture.h"
#include "replay_rows.h"
#include "timeline.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum option_key {
	KEY_SWITCH_COST = 256,
	KEY_NATIVE,
	KEY_FORMAT,
	KEY_TIMELINE,
	KEY_DECISIONS,
	KEY_ALLOW_TRUNCATED,
	KEY_TOLERANCE,
	KEY_FIT
};

static const struct argp_option options[] = {
	{"fit", KEY_FIT, NULL, 0,
	 "set window_inst to the recordings' tick length, and the thresholds in proportion; what "
	 "--set or --config sets stays",
	 1},
	{"switch-cost", KEY_SWITCH_COST, "TO_NESTED[,TO_SHADOW]", 0,
	 "cycles that a switch costs, per direction or for both; default: what the recordings say",
	 2},
	{"native", KEY_NATIVE, "CYCLES|FILE", 0,
	 "cycles of the same work without a hypervisor, or a recording of it", 2},
	{"tolerance", KEY_TOLERANCE, "PERCENT", 0,
	 "accept recordings whose total progress differs by this much; default: 0", 2},
	{"allow-truncated", KEY_ALLOW_TRUNCATED, NULL, 0,
	 "drop an incomplete last line of a recording and use the rest", 2},
	{"format", KEY_FORMAT, "FORMAT", 0, "table (default), csv or json", 3},
	{"timeline", KEY_TIMELINE, "FILE", 0, "draw the run as FILE, .svg or .png (needs gnuplot)",
	 3},
	{"decisions", KEY_DECISIONS, "FILE", 0, "write every tick and its decision as CSV", 3},
	{"output", 'o', "FILE", 0, "write the table to FILE", 3},
	{0},
};

struct arguments {
	const char *shadow;
	const char *nested;
	const char *native;
	const char *timeline;
	const char *decisions;
	const char *output;
	enum report_format format;
	uint32_t flags;
	struct controller_options controller;
	struct replay_job job;
};

/* A whole number of cycles, also as 5e7; answers the first character after it, or NULL. */
static const char *cycles_parse(const char *text, uint64_t *ret_cycles)
{
	char *end;
	unsigned long long cycles;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	cycles = strtoull(text, &end, 10);
	if (*end == 'e' && end[1] >= '0' && end[1] <= '9') {
		unsigned long exponent = strtoul(end + 1, &end, 10);

		for (; exponent && cycles && cycles <= INT64_MAX / 10; exponent--)
			cycles *= 10;
		if (exponent && cycles)
			return NULL;
	}
	*ret_cycles = cycles;
	return errno || cycles > INT64_MAX ? NULL : end;
}

static void switch_cost_parse(struct replay_job *job, const char *text, struct argp_state *state)
{
	const char *end = cycles_parse(text, &job->switch_cycles[DAV2M_NESTED]);

	job->switch_cycles[DAV2M_SHADOW] = job->switch_cycles[DAV2M_NESTED];
	if (end && *end == ',')
		end = cycles_parse(end + 1, &job->switch_cycles[DAV2M_SHADOW]);
	if (!end || *end)
		argp_error(state,
			   "--switch-cost: '%s' is not TO_NESTED[,TO_SHADOW], whole numbers of "
			   "cycles such as 5e7,1e8",
			   text);
	job->switch_source = "given by --switch-cost";
}

static void tolerance_parse(struct replay_job *job, const char *text, struct argp_state *state)
{
	if (number_in_parts(text, 0, 100, 100, &job->tolerance_bp))
		argp_error(state,
			   "--tolerance: '%s' is not a percentage in [0, 100], in steps of 0.01",
			   text);
}

static void path_parse(struct arguments *arguments, char *text, struct argp_state *state)
{
	if (!arguments->shadow)
		arguments->shadow = text;
	else if (!arguments->nested)
		arguments->nested = text;
	else
		argp_error(state, "'%s': there is a third recording; two are wanted", text);
}

static void end_check(const struct arguments *arguments, struct argp_state *state)
{
	if (!arguments->nested)
		argp_error(state, "two recordings are wanted: SHADOW.csv NESTED.csv");
	else if (!strcmp(arguments->shadow, "-") && !strcmp(arguments->nested, "-"))
		argp_error(state, "only one recording can come from the standard input");
	if (arguments->timeline && !picture_is_named(arguments->timeline))
		argp_error(state, "--timeline: '%s' ends neither in .svg nor in .png",
			   arguments->timeline);
}

static error_t option_parse(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	struct replay_job *job = &arguments->job;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->controller;
		return 0;
	case KEY_FIT:
		job->fit = 1;
		return 0;
	case KEY_SWITCH_COST:
		switch_cost_parse(job, text, state);
		return 0;
	case KEY_NATIVE:
		arguments->native = text;
		return 0;
	case KEY_TOLERANCE:
		tolerance_parse(job, text, state);
		return 0;
	case KEY_ALLOW_TRUNCATED:
		arguments->flags |= DAV2M_TRACE_ALLOW_TRUNCATED;
		return 0;
	case KEY_FORMAT:
		if (report_format_parse(text, &arguments->format))
			argp_error(state, "--format: '%s' is not table, csv or json", text);
		return 0;
	case KEY_TIMELINE:
		arguments->timeline = text;
		return 0;
	case KEY_DECISIONS:
		arguments->decisions = text;
		return 0;
	case 'o':
		arguments->output = text;
		return 0;
	case ARGP_KEY_ARG:
		path_parse(arguments, text, state);
		return 0;
	case ARGP_KEY_END:
		end_check(arguments, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&controller_argp, 0, NULL, 1}, {NULL, 0, NULL, 0}};

static const struct argp argp = {
	.options = options,
	.parser = option_parse,
	.args_doc = "SHADOW.csv NESTED.csv",
	.doc = "Replays two recordings of the same work, one under each paging mode, and shows "
	       "what "
	       "each policy would have cost.\v"
	       "A recording is a counter trace (.gz, .xz and .zst are unpacked; - is the standard "
	       "input). The picture and the decisions show the controller that --preset, --config "
	       "and --set describe. Exit codes: 0 done, 1 failed, 2 wrong command line.",
	.children = children,
};

static int recording_read(const char *path, uint32_t flags, struct dav2m_trace *trace,
			  struct dav2m_host_error *error)
{
	int rc = counter_input_read(path, flags, 1, trace, error);

	if (!rc && trace->truncated)
		complain("%s: the last line is incomplete and was dropped", path);
	if (rc == DAV2M_HOST_TRUNCATED)
		strncat(error->text, " (--allow-truncated drops the line and uses the rest)",
			sizeof(error->text) - strlen(error->text) - 1);
	return rc;
}

static int native_take(struct arguments *arguments, struct dav2m_host_error *error)
{
	struct dav2m_trace trace = {.tick = NULL};
	const char *end;
	int rc;

	if (!arguments->native)
		return 0;
	end = cycles_parse(arguments->native, &arguments->job.native_cycles);
	arguments->job.native_known = 1;
	if (end && !*end)
		return 0;
	rc = recording_read(arguments->native, arguments->flags, &trace, error);
	if (!rc)
		rc = replay_native_sum(&arguments->job, &trace, error);
	dav2m_trace_free(&trace);
	return rc;
}

static int pair_read(struct arguments *arguments, struct dav2m_host_error *error)
{
	struct dav2m_trace shadow = {.tick = NULL}, nested = {.tick = NULL};
	struct replay_job *job = &arguments->job;
	size_t i;
	int rc = recording_read(arguments->shadow, arguments->flags, &shadow, error);

	if (!rc)
		rc = recording_read(arguments->nested, arguments->flags, &nested, error);
	if (!rc)
		rc = dav2m_pair_make(&shadow, &nested, job->tolerance_bp, &job->pair, error);
	if (rc == DAV2M_HOST_MISMATCH && strstr(error->text, "total progress"))
		strncat(error->text, " (--tolerance)",
			sizeof(error->text) - strlen(error->text) - 1);
	if (!rc) {
		job->header[DAV2M_SHADOW] = shadow.header;
		job->header[DAV2M_NESTED] = nested.header;
		for (i = 0; i < nested.ticks; i++)
			job->nested_progress += nested.tick[i].value[DAV2M_PROGRESS];
	}
	dav2m_trace_free(&shadow);
	dav2m_trace_free(&nested);
	return rc;
}

/* Opened before the work, so that a name that cannot be written is known at once. */
struct sinks {
	struct output table;
	struct output decisions;
	struct timeline *timeline;
};

static int sinks_open(const struct arguments *arguments, struct sinks *sinks,
		      struct dav2m_host_error *error)
{
	int rc = output_open(&sinks->table, arguments->output, error);

	if (!rc && arguments->decisions)
		rc = output_open(&sinks->decisions, arguments->decisions, error);
	if (!rc && arguments->timeline)
		rc = timeline_open(&arguments->job, arguments->timeline, &sinks->timeline, error);
	return rc;
}

static int sinks_commit(struct sinks *sinks, struct dav2m_host_error *error)
{
	int rc = 0;

	if (sinks->timeline) {
		rc = timeline_commit(sinks->timeline, error);
		sinks->timeline = NULL;
	}
	if (!rc && sinks->decisions.stream)
		rc = output_commit(&sinks->decisions, error);
	return rc ? rc : output_commit(&sinks->table, error);
}

static void sinks_abort(struct sinks *sinks)
{
	timeline_abort(sinks->timeline);
	output_abort(&sinks->decisions);
	output_abort(&sinks->table);
}

static int inputs_spare(const struct arguments *arguments, struct dav2m_host_error *error)
{
	const char *const inputs[] = {arguments->shadow, arguments->nested, arguments->native};
	int i, rc = 0;

	for (i = 0; i < 3 && !rc; i++) {
		rc = output_spares(arguments->output, inputs[i], error);
		if (!rc)
			rc = output_spares(arguments->decisions, inputs[i], error);
		if (!rc)
			rc = output_spares(arguments->timeline, inputs[i], error);
	}
	return rc;
}

static int replay(struct arguments *arguments, struct sinks *sinks, struct dav2m_host_error *error)
{
	struct replay_job *job = &arguments->job;
	int rc = inputs_spare(arguments, error);

	if (!rc)
		rc = pair_read(arguments, error);
	if (!rc)
		rc = native_take(arguments, error);
	if (!rc)
		rc = replay_job_complete(job, error);
	if (!rc)
		rc = sinks_open(arguments, sinks, error);
	if (!rc)
		rc = replay_rows_write(job, arguments->format, sinks->table.stream, error);
	if (!rc && (sinks->decisions.stream || sinks->timeline))
		rc = replay_shown_run(job, sinks->decisions.stream, sinks->timeline, error);
	return rc ? rc : sinks_commit(sinks, error);
}

int cmd_replay(int argc, char **argv)
{
	struct arguments arguments = {.shadow = NULL};
	struct sinks sinks = {.timeline = NULL};
	struct dav2m_host_error error;
	int rc;

	controller_options_init(&arguments.controller);
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	replay_job_configure(&arguments.job, &arguments.controller);
	rc = replay(&arguments, &sinks, &error);
	if (rc) {
		sinks_abort(&sinks);
		complain("%s", error.text);
	}
	dav2m_pair_free(&arguments.job.pair);
	return rc ? COMMAND_FAILED : COMMAND_DONE;
}
