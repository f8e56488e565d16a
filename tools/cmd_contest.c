/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dav2m contest`: every policy on every workload under every cost model.
 *
 * Here: the command line and the order of things. contest/ has the rest.
 */
#define _POSIX_C_SOURCE 200809L

#include "command.h"
#include "fail.h"
#include "number.h"
#include "output.h"

#include "contest/profile.h"
#include "contest/rows.h"
#include "contest/sensitivity.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum option_key {
	KEY_POLICIES = 256,
	KEY_WORKLOADS,
	KEY_MODELS,
	KEY_RECORDINGS,
	KEY_DRAWN,
	KEY_SEED,
	KEY_HIDE,
	KEY_NOISE,
	KEY_LOSE,
	KEY_LIST,
	KEY_SHOW,
	KEY_PICTURE,
	KEY_SENSITIVITY,
	KEY_FORMAT
};

/* A long option among those given. */
#define GIVEN(key) (1u << ((key)-KEY_POLICIES))

/* Of so many samples one is lost, at most. */
#define LOSE_MOST 1000000u

static const struct argp_option options[] = {
	{"policies", KEY_POLICIES, "LIST", 0, "names with commas between (all)", 1},
	{"workloads", KEY_WORKLOADS, "LIST", 0,
	 "names with commas between, such as gcc or drawn-3-1, or none: only the given recordings "
	 "and what --drawn draws (all)",
	 1},
	{"drawn", KEY_DRAWN, "N[:SEED]", 0,
	 "N workloads more, lists of phases drawn by lot from SEED (1)", 1},
	{"seed", KEY_SEED, "N", 0,
	 "of all else that is drawn: simulated workloads, noise, coins (1)", 1},
	{"models", KEY_MODELS, "LIST", 0, "cost models, names with commas between (all)", 1},
	{"recordings", KEY_RECORDINGS, "DIR", 0,
	 "keep the simulated recordings in DIR; those that are there are not made again", 1},
	{"hide", KEY_HIDE, "LIST", 0, "counters that the PMU lacks, names with commas between", 2},
	{"noise", KEY_NOISE, "PERCENT", 0, "each counter but progress is off by up to this (0)", 2},
	{"lose", KEY_LOSE, "N", 0, "of N samples one never comes (0: all come)", 2},
	{"show", KEY_SHOW, "TABLE", 0,
	 "policies: what each came to (default); workloads, cells: percent over hindsight of each; "
	 "runs: everything about each run",
	 3},
	{"format", KEY_FORMAT, "FORMAT", 0, "table (default), csv or json", 3},
	{"sensitivity", KEY_SENSITIVITY, NULL, 0,
	 "show how one preset's result moves with each parameter, and with how well it sees", 3},
	{"picture", KEY_PICTURE, "FILE", 0,
	 "draw in how many cells each policy lost how much as FILE, .svg or .png (needs gnuplot)",
	 3},
	{"output", 'o', "FILE", 0, "write the table to FILE", 3},
	{"list", KEY_LIST, NULL, 0, "list policies with their sources, cost models, workloads", 3},
	{0},
};

struct arguments {
	struct contest_choice choice;
	struct contest_view view;
	enum contest_table table;
	enum report_format format;
	const char *output;
	const char *picture;
	int list;
	int sensitivity;
	uint32_t given; /* GIVEN() of the long options that were */
};

static enum dav2m_counter counter_parse(const char *name, size_t length, struct argp_state *state)
{
	enum dav2m_counter c;

	for (c = DAV2M_PROGRESS; c < DAV2M_COUNTERS; c++)
		if (strlen(dav2m_counter_name(c)) == length &&
		    !strncmp(dav2m_counter_name(c), name, length))
			return c;
	argp_error(state, "--hide: no counter is named '%.*s'", (int)length, name);
	return DAV2M_PROGRESS;
}

static void hide_parse(struct arguments *arguments, const char *text, struct argp_state *state)
{
	size_t length;

	for (;; text += length + 1) {
		length = strcspn(text, ",");
		arguments->view.hidden |= DAV2M_BIT(counter_parse(text, length, state));
		if (!text[length])
			return;
	}
}

static void lose_parse(struct contest_view *view, const char *text, struct argp_state *state)
{
	if (!number_whole(text, '\0', 0, LOSE_MOST, &view->lost_one_in))
		argp_error(state, "--lose: '%s' is not a whole number from 0 to %u", text,
			   LOSE_MOST);
	if (view->lost_one_in == 1)
		argp_error(state, "--lose: 1 would leave no sample");
}

static void drawn_parse(struct contest_choice *choice, const char *text, struct argp_state *state)
{
	char end = strchr(text, ':') ? ':' : '\0';
	const char *seed = number_whole(text, end, 1, DRAWN_MOST, &choice->drawn);

	choice->drawn_seed = 1;
	if (!seed)
		argp_error(state, "--drawn: '%s' does not begin with a whole number from 1 to %u",
			   text, DRAWN_MOST);
	if (end && !number_whole(seed, '\0', 0, UINT32_MAX, &choice->drawn_seed))
		argp_error(state, "--drawn: the seed '%s' is not a whole number from 0 to %u", seed,
			   UINT32_MAX);
}

static error_t field_option(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case KEY_POLICIES:
		arguments->choice.policies = text;
		return 0;
	case KEY_WORKLOADS:
		arguments->choice.workloads = text;
		return 0;
	case KEY_MODELS:
		arguments->choice.models = text;
		return 0;
	case KEY_RECORDINGS:
		arguments->choice.recordings = text;
		return 0;
	case KEY_DRAWN:
		drawn_parse(&arguments->choice, text, state);
		return 0;
	case KEY_SEED:
		if (!number_whole(text, '\0', 0, UINT32_MAX, &arguments->choice.seed))
			argp_error(state, "--seed: '%s' is not a whole number from 0 to %u", text,
				   UINT32_MAX);
		return 0;
	case KEY_HIDE:
		hide_parse(arguments, text, state);
		return 0;
	case KEY_NOISE:
		if (number_in_parts(text, 0, 50, 100, &arguments->view.noise_bp))
			argp_error(state,
				   "--noise: '%s' is not a number in [0, 50], in steps of 0.01",
				   text);
		return 0;
	case KEY_LOSE:
		lose_parse(&arguments->view, text, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What would be ignored is refused. */
static void pairs_check(const struct arguments *arguments, struct argp_state *state)
{
	const struct contest_choice *choice = &arguments->choice;
	const uint32_t shows =
		GIVEN(KEY_SHOW) | GIVEN(KEY_HIDE) | GIVEN(KEY_NOISE) | GIVEN(KEY_LOSE);

	if (arguments->list && (arguments->given != GIVEN(KEY_LIST) || choice->n_files))
		argp_error(state, "--list goes with --output only");
	if (arguments->sensitivity && arguments->picture)
		argp_error(state, "--sensitivity draws no picture");
	if (arguments->sensitivity && arguments->given & shows)
		argp_error(state, "--sensitivity goes without --show, --hide, --noise and --lose: "
				  "its table and its views are its own");
	if (choice->models && contest_choice_is_files(choice))
		argp_error(state, "--models: recordings of your own have their own prices, and "
				  "nothing else takes part");
}

static void end_check(const struct arguments *arguments, struct argp_state *state)
{
	struct dav2m_host_error error;

	if (arguments->choice.n_files % 2)
		argp_error(state, "'%s' has no partner: recordings come as SHADOW.csv NESTED.csv",
			   arguments->choice.files[arguments->choice.n_files - 1]);
	if (arguments->picture && !picture_is_named(arguments->picture))
		argp_error(state, "--picture: '%s' ends neither in .svg nor in .png",
			   arguments->picture);
	pairs_check(arguments, state);
	if (arguments->list)
		return;
	if (contest_choice_check(&arguments->choice, &error) ||
	    (arguments->sensitivity && sensitivity_check(&arguments->choice, &error)))
		argp_error(state, "%s", error.text);
}

static error_t option_parse(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	if (key >= KEY_POLICIES && key <= KEY_FORMAT)
		arguments->given |= GIVEN(key);
	switch (key) {
	case KEY_SHOW:
		if (contest_table_parse(text, &arguments->table))
			argp_error(state, "--show: '%s' is not policies, workloads, cells or runs",
				   text);
		return 0;
	case KEY_FORMAT:
		if (report_format_parse(text, &arguments->format))
			argp_error(state, "--format: '%s' is not table, csv or json", text);
		return 0;
	case KEY_SENSITIVITY:
		arguments->sensitivity = 1;
		return 0;
	case KEY_PICTURE:
		arguments->picture = text;
		return 0;
	case 'o':
		arguments->output = text;
		return 0;
	case KEY_LIST:
		arguments->list = 1;
		return 0;
	case ARGP_KEY_ARGS:
		arguments->choice.files = state->argv + state->next;
		arguments->choice.n_files = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		end_check(arguments, state);
		return 0;
	default:
		return field_option(key, text, state);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = option_parse,
	.args_doc = "[SHADOW.csv NESTED.csv]...",
	.doc = "Plays every policy on every workload under every cost model, from paired "
	       "recordings, and shows what each lost beside the best schedule in hindsight.\v"
	       "Parameters are the same in all cells. Recordings of your own, with the cost of a "
	       "switch in their headers, are further workloads. Exit codes: 0 done, 1 failed, 2 "
	       "wrong command line.",
};

static int folder_make(const char *path, struct dav2m_host_error *error)
{
	struct stat st;

	if (!path || !mkdir(path, 0777))
		return 0;
	if (errno == EEXIST && !stat(path, &st) && S_ISDIR(st.st_mode))
		return 0;
	return tool_fail(error, DAV2M_HOST_IO, "%.500s: cannot create: %s", path, strerror(errno));
}

/* Opened before the work, so that a name that cannot be written is known at once. */
struct sinks {
	struct output table;
	struct picture *picture;
};

static int sinks_open(const struct arguments *arguments, struct sinks *sinks,
		      struct dav2m_host_error *error)
{
	const struct contest_choice *choice = &arguments->choice;
	size_t i;
	int rc = 0;

	for (i = 0; i < choice->n_files && !rc; i++) {
		rc = output_spares(arguments->output, choice->files[i], error);
		if (!rc)
			rc = output_spares(arguments->picture, choice->files[i], error);
	}
	if (!rc)
		rc = output_open(&sinks->table, arguments->output, error);
	if (!rc && arguments->picture)
		rc = picture_open(arguments->picture, PROFILE_WIDTH, PROFILE_HEIGHT,
				  &sinks->picture, error);
	return rc;
}

static int sinks_commit(struct sinks *sinks, struct dav2m_host_error *error)
{
	int rc = sinks->picture ? picture_commit(sinks->picture, error) : 0;

	sinks->picture = NULL;
	return rc ? rc : output_commit(&sinks->table, error);
}

static void sinks_abort(struct sinks *sinks)
{
	picture_abort(sinks->picture);
	output_abort(&sinks->table);
}

static int match(const struct arguments *arguments, struct contest_matrix *matrix,
		 struct sinks *sinks, struct dav2m_host_error *error)
{
	int rc = contest_matrix_play(matrix, &arguments->view, error);

	if (!rc)
		rc = contest_rows_write(matrix, arguments->table, arguments->format,
					sinks->table.stream, error);
	if (!rc && sinks->picture)
		rc = profile_print(matrix, picture_script(sinks->picture), error);
	return rc;
}

static int contest(const struct arguments *arguments, struct sinks *sinks,
		   struct dav2m_host_error *error)
{
	struct contest_matrix matrix;
	int rc = contest_matrix_make(&arguments->choice, &matrix, error);

	if (!rc)
		rc = arguments->sensitivity ? sensitivity_write(&matrix, arguments->format,
								sinks->table.stream, error)
					    : match(arguments, &matrix, sinks, error);
	contest_matrix_free(&matrix);
	return rc;
}

int cmd_contest(int argc, char **argv)
{
	struct arguments arguments = {.choice = {.seed = 1}};
	struct sinks sinks = {.picture = NULL};
	struct dav2m_host_error error;
	char ours[64]; /* whose sensitivity is shown when nobody is named */
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	snprintf(ours, sizeof(ours), "preset %s", dav2m_preset_name(DAV2M_PRESET_DEFAULT));
	if (arguments.sensitivity && !arguments.choice.policies)
		arguments.choice.policies = ours;
	rc = sinks_open(&arguments, &sinks, &error);
	if (!rc && arguments.list)
		contest_list_print(sinks.table.stream);
	else if (!rc)
		rc = folder_make(arguments.choice.recordings, &error);
	if (!rc && !arguments.list)
		rc = contest(&arguments, &sinks, &error);
	if (!rc)
		rc = sinks_commit(&sinks, &error);
	if (rc) {
		sinks_abort(&sinks);
		complain("%s", error.text);
	}
	return rc ? COMMAND_FAILED : COMMAND_DONE;
}
