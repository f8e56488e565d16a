/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs every policy over a paired recording and tabulates what it cost.
 */
#include "replay_rows.h"

#include "controller_options.h"
#include "timeline.h"

#include <inttypes.h>
#include <string.h>

static const struct report_column columns[] = {
	{"policy", "policy", "", 0, 0},
	{"cycles", "cycles", "", 3, 1},
	{"over_native_percent", "over native", "%", 2, 0},
	{"over_best_static_percent", "over best static", "%", 2, 0},
	{"over_hindsight_percent", "over hindsight", "%", 2, 0},
	{"switches_to_nested", "to nested", "switches", 0, 0},
	{"switches_to_shadow", "to shadow", "switches", 0, 0},
	{"shadow_time_percent", "in shadow", "% of time", 1, 0},
	{"nested_time_percent", "in nested", "% of time", 1, 0},
	{"switching_time_percent", "switching", "% of time", 1, 0},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* What the percentages of all rows refer to. */
struct bases {
	const struct replay_job *job;
	struct report *report;
	uint64_t best_static;
	uint64_t hindsight;
};

void replay_job_configure(struct replay_job *job, const struct controller_options *options)
{
	job->options = options;
	job->config = options->config;
	job->start = options->start;
	if (options->configured)
		snprintf(job->shown, sizeof(job->shown), "configured (preset %s)",
			 options->preset_name);
	else
		snprintf(job->shown, sizeof(job->shown), "preset %s", options->preset_name);
}

static int fail(struct dav2m_host_error *error, int code, const char *text)
{
	snprintf(error->text, sizeof(error->text), "%s", text);
	return code;
}

static int switch_costs_settle(struct replay_job *job, struct dav2m_host_error *error)
{
	uint32_t both = DAV2M_BIT(DAV2M_SHADOW) | DAV2M_BIT(DAV2M_NESTED);

	if (job->switch_source)
		return 0;
	if (job->pair.switch_known != both)
		return fail(error, DAV2M_HOST_FORMAT,
			    "the recordings do not say what a switch costs "
			    "(switch_cost_to_nested_cycles, switch_cost_to_shadow_cycles): "
			    "give --switch-cost TO_NESTED,TO_SHADOW in cycles");
	memcpy(job->switch_cycles, job->pair.switch_cycles, sizeof(job->switch_cycles));
	job->switch_source = "from the recordings";
	return 0;
}

/* Lines that are an interval of time each have no common length: then it is their mean. */
static uint64_t tick_length(const struct replay_job *job)
{
	uint64_t work = job->pair.total[DAV2M_SHADOW].value[DAV2M_PROGRESS];

	if (job->pair.tick_progress || !job->pair.ticks)
		return job->pair.tick_progress;
	return work / job->pair.ticks;
}

static uint64_t best_static_cycles(const struct replay_job *job)
{
	uint64_t shadow = job->pair.total[DAV2M_SHADOW].value[DAV2M_CYCLES];
	uint64_t nested = job->pair.total[DAV2M_NESTED].value[DAV2M_CYCLES];

	return shadow < nested ? shadow : nested;
}

/* Also "instructions, the kernel's at one a cycle". */
static int in_instructions(const struct replay_job *job)
{
	return !strncmp(job->header[DAV2M_SHADOW].progress_unit, "instructions",
			strlen("instructions"));
}

/* Instructions; more than any window has that does not outlast its recording. */
#define WORK_MOST 0x1p63

/* How much work is in so much progress, in instructions. Another unit may stand for any number of
   them: then a cycle of the better static mode counts as one. */
static uint64_t work_of(const struct replay_job *job, uint32_t progress)
{
	const double total = (double)job->pair.total[DAV2M_SHADOW].value[DAV2M_PROGRESS];
	double cycles;

	if (in_instructions(job))
		return progress;
	cycles = progress * ((double)best_static_cycles(job) / total);
	return cycles < WORK_MOST ? (uint64_t)cycles : (uint64_t)WORK_MOST;
}

/* Windows as long as ticks, and thresholds that are the same rates per unit of work. What options
   (NULL: nobody's) set stays. */
static void config_fit(const struct replay_job *job, const struct controller_options *options,
		       struct dav2m_config *config)
{
	uint32_t window = config->window_inst;

	if (options)
		window = options->preset.window_inst;
	if (!options || !controller_options_have(options, "window_inst"))
		config->window_inst = (uint32_t)tick_length(job);
	controller_thresholds_scale(config, options, window, work_of(job, config->window_inst));
}

static int fit_check(const struct replay_job *job, struct dav2m_host_error *error)
{
	uint64_t length = job->fit ? tick_length(job) : 1;

	if (length && length <= UINT32_C(1) << 31)
		return 0;
	return fail(error, DAV2M_HOST_FORMAT,
		    "--fit needs recordings whose lines are 1 to 2^31 of progress long");
}

int replay_job_complete(struct replay_job *job, struct dav2m_host_error *error)
{
	struct dav2m_config_fault fault = {"config", "is wrong"};
	int rc = switch_costs_settle(job, error);

	if (!rc)
		rc = fit_check(job, error);
	if (rc)
		return rc;
	if (job->fit)
		config_fit(job, job->options, &job->config);
	if (!dav2m_config_check(&job->config, &fault))
		return 0;
	snprintf(error->text, sizeof(error->text), "%s %s", fault.field, fault.rule);
	return DAV2M_HOST_CONFIG;
}

int replay_native_sum(struct replay_job *job, const struct dav2m_trace *native,
		      struct dav2m_host_error *error)
{
	uint64_t progress = 0, wanted = job->pair.total[DAV2M_SHADOW].value[DAV2M_PROGRESS];
	uint32_t needed = DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES);
	double gap;
	size_t i;

	if (native->header.mode != DAV2M_TRACE_NATIVE)
		return fail(error, DAV2M_HOST_MISMATCH,
			    "--native: the recording's mode is not native");
	job->native_cycles = 0;
	for (i = 0; i < native->ticks; i++) {
		if ((native->tick[i].valid & needed) != needed)
			return fail(error, DAV2M_HOST_FORMAT,
				    "--native: progress and cycles are needed in every tick");
		progress += native->tick[i].value[DAV2M_PROGRESS];
		job->native_cycles += native->tick[i].value[DAV2M_CYCLES];
	}
	job->native_progress = progress;
	gap = (double)progress - (double)wanted;
	if ((gap < 0 ? -gap : gap) * DAV2M_ONE_BP <= (double)wanted * job->tolerance_bp)
		return 0;
	snprintf(error->text, sizeof(error->text),
		 "--native: total progress is %" PRIu64 ", but %" PRIu64
		 " in the shadow recording; it must be the same work (--tolerance)",
		 progress, wanted);
	return DAV2M_HOST_MISMATCH;
}

static void over_cell(struct report *report, uint64_t cycles, uint64_t base)
{
	if (base)
		report_number(report, 100.0 * ((double)cycles - (double)base) / (double)base);
	else
		report_none(report);
}

static void share_cell(struct report *report, uint64_t part, uint64_t whole)
{
	if (whole)
		report_number(report, 100.0 * (double)part / (double)whole);
	else
		report_none(report);
}

static void row_add(const struct bases *bases, const char *name, const struct dav2m_run *run)
{
	struct report *report = bases->report;

	report_text(report, name);
	report_count(report, run->cycles);
	over_cell(report, run->cycles, bases->job->native_known ? bases->job->native_cycles : 0);
	over_cell(report, run->cycles, bases->best_static);
	over_cell(report, run->cycles, bases->hindsight);
	report_count(report, run->switches[DAV2M_NESTED]);
	report_count(report, run->switches[DAV2M_SHADOW]);
	share_cell(report, run->mode_cycles[DAV2M_SHADOW], run->cycles);
	share_cell(report, run->mode_cycles[DAV2M_NESTED], run->cycles);
	share_cell(report, run->switch_cycles, run->cycles);
}

static void static_row_add(const struct bases *bases, enum dav2m_mode mode)
{
	static const char *const name[DAV2M_MODES] = {"static shadow", "static nested"};
	const struct dav2m_sample *total = &bases->job->pair.total[mode];
	struct dav2m_run run = {.cycles = total->value[DAV2M_CYCLES]};

	run.mode_cycles[mode] = run.cycles;
	run.mode_progress[mode] = total->value[DAV2M_PROGRESS];
	row_add(bases, name[mode], &run);
}

static struct dav2m_replay replay_of(const struct replay_job *job)
{
	struct dav2m_replay replay = {.pair = &job->pair, .start = job->start};

	memcpy(replay.switch_cycles, job->switch_cycles, sizeof(replay.switch_cycles));
	return replay;
}

static int controller_row_add(const struct bases *bases, const char *name,
			      const struct dav2m_config *config, struct dav2m_host_error *error)
{
	struct dav2m_replay replay = replay_of(bases->job);
	struct dav2m controller;
	struct dav2m_run run;
	int rc = dav2m_replay_controller(&replay, config, &controller, &run, error);

	if (!rc)
		row_add(bases, name, &run);
	return rc;
}

static int preset_row_add(const struct bases *bases, enum dav2m_preset preset,
			  struct dav2m_host_error *error)
{
	struct dav2m_config config = {.size = sizeof(config)};
	char name[64];

	dav2m_config_preset(preset, &config);
	if (bases->job->fit)
		config_fit(bases->job, NULL, &config);
	snprintf(name, sizeof(name), "preset %s", dav2m_preset_name(preset));
	return controller_row_add(bases, name, &config, error);
}

static void fitted_note(struct report *report, const char *who, const struct dav2m_config *config)
{
	if (config->judge)
		report_note(report, "--fit: %s: window_inst %" PRIu32, who, config->window_inst);
	else
		report_note(report,
			    "--fit: %s: window_inst %" PRIu32 ", threshold_vmexit %" PRIu32
			    ", threshold_tmiss %" PRIu32,
			    who, config->window_inst, config->threshold_vmexit,
			    config->threshold_tmiss);
}

static void fit_notes_add(const struct replay_job *job, struct report *report)
{
	struct dav2m_config config = {.size = sizeof(config)};

	/* The paper's thresholds and windows begin as the repaired preset's do. */
	dav2m_config_preset(DAV2M_PRESET_REPAIRED, &config);
	config_fit(job, NULL, &config);
	fitted_note(report, "presets", &config);
	if (job->options->configured)
		fitted_note(report, job->shown, &job->config);
	if (!in_instructions(job))
		report_note(report,
			    "--fit: %s are not instructions: for thresholds a cycle of the better "
			    "static mode counts as one; the regret judge takes a unit for a cycle "
			    "until it has measured a switch",
			    job->header[DAV2M_SHADOW].progress_unit);
}

/* What the header of each recording says of itself, of which not all say anything. */
static void pair_notes_add(const struct replay_job *job, struct report *report)
{
	const struct dav2m_trace_header *shadow = &job->header[DAV2M_SHADOW];
	const struct dav2m_trace_header *nested = &job->header[DAV2M_NESTED];

	if (shadow->program[0] && nested->program[0] && strcmp(shadow->program, nested->program))
		report_note(report,
			    "program: %s in the shadow recording, %s in the nested one; a pair "
			    "is meant to be of the same work",
			    shadow->program, nested->program);
	else if (shadow->program[0] || nested->program[0])
		report_note(report, "program: %s",
			    shadow->program[0] ? shadow->program : nested->program);
	if (shadow->note[0] && nested->note[0] && strcmp(shadow->note, nested->note))
		report_note(report, "made differently: shadow: %s; nested: %s", shadow->note,
			    nested->note);
	if (shadow->interrupted || nested->interrupted)
		report_note(report,
			    "interrupted: the recordings hold the beginning of the program");
}

/* Progress is stretched to the shadow recording's; what the work missing would have cost is not
   known. */
static void tolerated_note_add(const struct replay_job *job, struct report *report,
			       const char *name, uint64_t progress)
{
	const uint64_t wanted = job->pair.total[DAV2M_SHADOW].value[DAV2M_PROGRESS];
	const double gap = 100 * ((double)progress / (double)wanted - 1);

	if (progress != wanted)
		report_note(report,
			    "--tolerance: the %s recording holds %.2f %% %s work than the shadow "
			    "one; its cycles are not scaled and so %s it",
			    name, gap < 0 ? -gap : gap, gap < 0 ? "less" : "more",
			    gap < 0 ? "favour" : "tell against");
}

static void notes_add(const struct replay_job *job, struct report *report)
{
	double windows = (double)job->pair.total[DAV2M_SHADOW].value[DAV2M_PROGRESS] /
			 job->config.window_inst;

	pair_notes_add(job, report);
	report_note(report, "work: %" PRIu64 " %s in %zu ticks",
		    job->pair.total[DAV2M_SHADOW].value[DAV2M_PROGRESS],
		    job->header[DAV2M_SHADOW].progress_unit, job->pair.ticks);
	tolerated_note_add(job, report, "nested", job->nested_progress);
	if (job->native_progress)
		tolerated_note_add(job, report, "native", job->native_progress);
	report_note(report,
		    "a switch costs %" PRIu64 " cycles to nested, %" PRIu64 " to shadow (%s)",
		    job->switch_cycles[DAV2M_NESTED], job->switch_cycles[DAV2M_SHADOW],
		    job->switch_source);
	report_note(report, "controllers start in %s mode; hindsight starts in the better one",
		    dav2m_mode_name(job->start));
	if (job->fit)
		fit_notes_add(job, report);
	if (windows < job->config.window_trans)
		report_note(report,
			    "short: only %.1f ticks of window_inst %" PRIu32
			    "; a controller needs window_trans (%u) or more to show what it does "
			    "(--fit, --set window_inst=...)",
			    windows, job->config.window_inst, job->config.window_trans);
}

static int rows_add(struct bases *bases, struct dav2m_host_error *error)
{
	const struct replay_job *job = bases->job;
	struct dav2m_run best;
	unsigned int preset;
	int rc = dav2m_hindsight(&job->pair, job->switch_cycles, (uint64_t[DAV2M_MODES]){0, 0},
				 NULL, &best, error);

	if (rc)
		return rc;
	bases->hindsight = best.cycles;
	static_row_add(bases, DAV2M_SHADOW);
	static_row_add(bases, DAV2M_NESTED);
	for (preset = 0; !rc && preset < DAV2M_PRESETS; preset++)
		rc = preset_row_add(bases, (enum dav2m_preset)preset, error);
	if (!rc && job->options->configured)
		rc = controller_row_add(bases, job->shown, &job->config, error);
	if (!rc)
		row_add(bases, "hindsight", &best);
	return rc;
}

int replay_rows_write(const struct replay_job *job, enum report_format format, FILE *to,
		      struct dav2m_host_error *error)
{
	struct bases bases = {.job = job, .best_static = best_static_cycles(job)};
	int rc;

	bases.report = report_new(columns, COLUMNS);
	if (!bases.report)
		return fail(error, DAV2M_HOST_MEMORY, "out of memory");
	rc = rows_add(&bases, error);
	notes_add(job, bases.report);
	if (!rc && report_write(bases.report, format, to))
		rc = fail(error, DAV2M_HOST_MEMORY, "out of memory");
	report_free(bases.report);
	return rc;
}

struct shown {
	const struct dav2m *controller;
	int by_regret; /* who judges */
	FILE *decisions;
	struct timeline *timeline;
	uint64_t progress;
};

#define DECISION_COLUMNS "tick,progress,mode,cycles,state,next_state,edge,reason,switch_to"

/* What the judge goes by: the columns after those of the decision. */
#define THRESHOLD_COLUMNS "threshold_vmexit,threshold_tmiss"
#define REGRET_COLUMNS                                                                             \
	"regret_cycles,limit_cycles,round_trip_cycles,finding_out_cycles,cost_cycles,"             \
	"other_cycles,surety,budget_cycles,probing_cycles,walk_ratio_bp,exit_cycles"

static void regret_write(FILE *to, const struct dav2m_regret_view *regret)
{
	fprintf(to, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%s",
		regret->regret_cycles, regret->limit_cycles, regret->round_trip_cycles,
		regret->finding_out_cycles, regret->cost_cycles, regret->other_cycles,
		dav2m_surety_name(regret->surety));
	fprintf(to, ",%" PRId64 ",%" PRIu64 ",%" PRIu32 ",%" PRIu32 "\n", regret->budget_cycles,
		regret->probing_cycles, regret->walk_ratio_bp, regret->exit_cycles);
}

static void decision_write(struct shown *shown, const struct dav2m_replay_tick *tick,
			   const struct dav2m_explanation *explanation)
{
	const struct dav2m_decision *decision = tick->decision;

	shown->progress += tick->increments->value[DAV2M_PROGRESS];
	fprintf(shown->decisions, "%zu,%" PRIu64 ",%s,%" PRIu64 ",%s,%s,%" PRIu32 ",%s,%s",
		tick->index + 1, shown->progress, dav2m_mode_name(tick->mode),
		tick->increments->value[DAV2M_CYCLES], dav2m_state_name(decision->from),
		dav2m_state_name(decision->to), decision->edge, dav2m_reason_name(decision->reason),
		tick->switched ? dav2m_mode_name(decision->mode) : "");
	if (shown->by_regret)
		regret_write(shown->decisions, &explanation->regret);
	else
		fprintf(shown->decisions, ",%" PRIu32 ",%" PRIu32 "\n",
			explanation->threshold_vmexit, explanation->threshold_tmiss);
}

static void shown_see(void *context, const struct dav2m_replay_tick *tick)
{
	struct shown *shown = context;
	struct dav2m_explanation explanation;

	dav2m_explain(shown->controller, &explanation);
	if (shown->decisions)
		decision_write(shown, tick, &explanation);
	if (shown->timeline)
		timeline_tick(shown->timeline, tick, &explanation);
}

int replay_shown_run(const struct replay_job *job, FILE *decisions, struct timeline *timeline,
		     struct dav2m_host_error *error)
{
	struct dav2m controller;
	struct shown shown = {.controller = &controller,
			      .by_regret = job->config.judge != 0,
			      .decisions = decisions,
			      .timeline = timeline};
	struct dav2m_replay replay = replay_of(job);
	struct dav2m_run run;

	replay.see = shown_see;
	replay.context = &shown;
	if (decisions)
		fprintf(decisions, DECISION_COLUMNS ",%s\n",
			shown.by_regret ? REGRET_COLUMNS : THRESHOLD_COLUMNS);
	return dav2m_replay_controller(&replay, &job->config, &controller, &run, error);
}
