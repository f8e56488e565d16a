/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dav2m trace`: records a program's memory trace, converts other formats to it, tells what a
 * trace holds.
 */
#include "command.h"
#include "output.h"
#include "progress.h"
#include "trace_input.h"
#include "trace_output.h"
#include "trace_record.h"

#include <dav2m/sim/sim.h>

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words that are read at a time: enough that a call costs nothing beside them. */
#define WORDS 65536

enum option_key { KEY_CONVERT = 256, KEY_INPUT_FORMAT, KEY_INFO, KEY_DUMP, KEY_RECORDER };

struct options {
	const char *convert; /* these four: NULL when not given */
	const char *info;
	const char *dump;
	const char *output;
	enum trace_format format;
	enum trace_recorder recorder;
	char **program; /* and its arguments; NULL at the end */
};

static const struct argp_option options[] = {
	{"output", 'o', "FILE", 0, "where the trace goes (PROGRAM.dav2m)", 1},
	{"recorder", KEY_RECORDER, "NAME", 0, "qemu, lackey or auto (auto)", 1},
	{"convert", KEY_CONVERT, "FILE", 0, "make a trace of a recording in another format", 2},
	{"input-format", KEY_INPUT_FORMAT, "FORMAT", 0,
	 "of that: dav2m, lackey, champsim, din or auto (auto)", 2},
	{"info", KEY_INFO, "FILE", 0, "check a trace and tell what it holds", 2},
	{"dump", KEY_DUMP, "FILE", 0, "print a trace, a run or an event on a line", 2},
	{NULL, 0, NULL, 0, NULL, 0}};

static int choice(struct argp_state *state, const char *option, const char *text,
		  const char *const *names, int n)
{
	int i;

	for (i = 0; i < n && strcmp(names[i], text) != 0; i++)
		;
	if (i == n)
		argp_error(state, "--%s: '%s' is not a choice; see --help", option, text);
	return i;
}

static void options_check(struct argp_state *state, const struct options *o)
{
	if (!o->convert + !o->info + !o->dump + !o->program != 3)
		argp_error(state, "one of PROGRAM, --convert, --info and --dump is needed");
	if (o->convert && !o->output)
		argp_error(state, "--convert needs --output");
	if ((o->info || o->dump) && o->output)
		argp_error(state, "--info and --dump go to the standard output, without --output");
	if (o->program && !*o->program[0])
		argp_error(state, "the name of PROGRAM is empty");
}

static error_t option_parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'o':
		o->output = arg;
		return 0;
	case KEY_CONVERT:
		o->convert = arg;
		return 0;
	case KEY_INFO:
		o->info = arg;
		return 0;
	case KEY_DUMP:
		o->dump = arg;
		return 0;
	case KEY_INPUT_FORMAT:
		o->format = (enum trace_format)choice(state, "input-format", arg,
						      trace_format_names, TRACE_FORMATS);
		return 0;
	case KEY_RECORDER:
		o->recorder = (enum trace_recorder)choice(state, "recorder", arg,
							  trace_recorder_names, TRACE_RECORDERS);
		return 0;
	case ARGP_KEY_ARG:
		/* The rest is the program's. */
		o->program = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		options_check(state, o);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void options_parse(int argc, char **argv, struct options *o)
{
	static const struct argp argp = {
		.options = options,
		.parser = option_parse,
		.args_doc = "PROGRAM [ARGUMENT...]\n--convert FILE -o FILE\n--info FILE\n"
			    "--dump FILE",
		.doc = "Record which pages a program uses, in which order, and what it asks of the "
		       "operating system, for `dav2m sim`."};

	memset(o, 0, sizeof(*o));
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, o);
}

static int memory_fail(struct dav2m_host_error *error)
{
	snprintf(error->text, sizeof(error->text), "out of memory");
	return DAV2M_HOST_MEMORY;
}

/* What is done with words. 0, or a negative enum dav2m_host_code. */
typedef int take_words(void *to, const uint64_t *words, size_t n, struct dav2m_host_error *error);

static int words_read(struct trace_input *input, take_words *take, void *to,
		      struct dav2m_host_error *error)
{
	uint64_t *words = malloc(WORDS * sizeof(*words));
	size_t n = 1;
	int rc = words ? 0 : memory_fail(error);

	progress_begin("reading", "B", trace_input_size(input));
	while (!rc && n > 0) {
		rc = trace_input_next(input, words, WORDS, &n, error);
		if (!rc)
			rc = take(to, words, n, error);
		progress_step(trace_input_position(input));
	}
	progress_end();
	free(words);
	return rc;
}

static int output_write(struct trace_input *input, const struct options *o,
			struct dav2m_host_error *error)
{
	struct dav2m_sim_trace_header header = {{0}, {0}};
	struct dav2m_sim_trace_totals totals;
	struct trace_output *output;
	int rc;

	snprintf(header.program, sizeof(header.program), "%s", trace_input_name(input));
	snprintf(header.recorder, sizeof(header.recorder), "converted from %s",
		 trace_format_names[trace_input_format(input)]);
	rc = trace_output_open(o->output, &header, &output, error);
	if (rc)
		return rc;
	progress_begin("converting", "B", trace_input_size(input));
	rc = trace_output_copy(output, input, progress_step, error);
	progress_end();
	if (!rc)
		return trace_output_commit(output, &totals, error);
	trace_output_abort(output);
	return rc;
}

static int convert(const struct options *o, struct dav2m_host_error *error)
{
	struct trace_input *input;
	int rc = output_spares(o->output, o->convert, error);

	if (!rc)
		rc = trace_input_open(o->convert, o->format, &input, error);
	if (rc)
		return rc;
	if (trace_input_format(input) == TRACE_FORMAT_DAV2M) {
		snprintf(error->text, sizeof(error->text),
			 "%.500s: is a dav2m memory trace already", o->convert);
		rc = DAV2M_HOST_ARGUMENT;
	} else {
		rc = output_write(input, o, error);
	}
	trace_input_close(input);
	return rc;
}

struct sums {
	uint64_t runs;
	uint64_t references[DAV2M_SIM_EVENT]; /* by kind */
	uint64_t events[DAV2M_SIM_EVENTS];
};

static int words_sum(void *to, const uint64_t *words, size_t n, struct dav2m_host_error *error)
{
	struct sums *sums = to;
	size_t i;

	(void)error;
	for (i = 0; i < n; i++) {
		if ((words[i] & 3) == DAV2M_SIM_EVENT) {
			sums->events[words[i] >> 2 & 0x3f]++;
			i += words[i] >> 8 & 0xff;
			continue;
		}
		sums->runs++;
		sums->references[words[i] & 3] += words[i] >> 2 & DAV2M_SIM_RUN_MAX;
	}
	return 0;
}

static void sums_print(const struct trace_input *input, const struct sums *sums)
{
	const struct dav2m_sim_trace_header *header = trace_input_header(input);
	int i;

	printf("format: %s\n", trace_format_names[trace_input_format(input)]);
	if (header)
		printf("program: %s\nrecorder: %s\n", header->program, header->recorder);
	printf("runs: %" PRIu64 "\ninstructions: %" PRIu64 "\nloads: %" PRIu64 "\nstores: %" PRIu64
	       "\n",
	       sums->runs, sums->references[DAV2M_SIM_FETCH], sums->references[DAV2M_SIM_LOAD],
	       sums->references[DAV2M_SIM_STORE]);
	for (i = 0; i < DAV2M_SIM_EVENTS; i++)
		printf("events %s: %" PRIu64 "\n", dav2m_sim_event_name((enum dav2m_sim_event)i),
		       sums->events[i]);
}

static int info(const struct options *o, struct dav2m_host_error *error)
{
	struct sums sums = {0};
	struct trace_input *input;
	int rc = trace_input_open(o->info, o->format, &input, error);

	if (rc)
		return rc;
	rc = words_read(input, words_sum, &sums, error);
	if (!rc)
		sums_print(input, &sums);
	trace_input_close(input);
	return rc;
}

static int words_print(void *to, const uint64_t *words, size_t n, struct dav2m_host_error *error)
{
	static const char *const kind[] = {"load", "store", "fetch"};
	size_t i;
	uint32_t arguments;

	(void)to;
	(void)error;
	for (i = 0; i < n; i++) {
		if ((words[i] & 3) != DAV2M_SIM_EVENT) {
			printf("%s 0x%" PRIx64 " %u\n", kind[words[i] & 3],
			       words[i] >> 16 << DAV2M_SIM_PAGE_SHIFT,
			       (unsigned)(words[i] >> 2 & DAV2M_SIM_RUN_MAX));
			continue;
		}
		fputs(dav2m_sim_event_name((enum dav2m_sim_event)(words[i] >> 2 & 0x3f)), stdout);
		for (arguments = words[i] >> 8 & 0xff; arguments > 0; arguments--)
			printf(" 0x%" PRIx64, words[++i]);
		putchar('\n');
	}
	return 0;
}

static int dump(const struct options *o, struct dav2m_host_error *error)
{
	struct trace_input *input;
	int rc = trace_input_open(o->dump, o->format, &input, error);

	if (rc)
		return rc;
	rc = words_read(input, words_print, NULL, error);
	trace_input_close(input);
	return rc;
}

/* The trace is named after the program unless told otherwise. */
static int record(const struct options *o, int *ret_status, struct dav2m_host_error *error)
{
	const char *slash = strrchr(o->program[0], '/');
	char path[4096];

	snprintf(path, sizeof(path), "%s.dav2m", slash ? slash + 1 : o->program[0]);
	return trace_record(o->recorder, o->program, o->output ? o->output : path, ret_status,
			    error);
}

int cmd_trace(int argc, char **argv)
{
	struct dav2m_host_error error;
	struct options o;
	int status = COMMAND_DONE, rc;

	options_parse(argc, argv, &o);
	if (o.program)
		rc = record(&o, &status, &error);
	else if (o.convert)
		rc = convert(&o, &error);
	else
		rc = o.info ? info(&o, &error) : dump(&o, &error);
	if (!rc)
		return status;
	complain("%s", error.text);
	return COMMAND_FAILED;
}
