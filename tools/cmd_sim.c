/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dav2m sim`: what native, shadow and nested paging cost a program, and the controller's run.
 */
#include "command.h"
#include "interrupt.h"
#include "output.h"
#include "sim_character.h"
#include "sim_options.h"
#include "sim_routines.h"

#include <dav2m/sim/sim.h>

#include <inttypes.h>
#include <stdio.h>

static const struct report_column columns[] = {
	{"mode", "mode", "", 0, 0},
	{"instructions", "instructions", "", 1, 1},
	{"cycles", "cycles", "", 2, 1},
	{"cpi", "CPI", "", 3, 0},
	{"over_native_percent", "over native", "%", 1, 0},
	{"base_cycles", "base", "", 2, 1},
	{"walk_cycles", "walk", "", 2, 1},
	{"exit_cycles", "exit", "", 2, 1},
	{"fault_cycles", "fault", "", 2, 1},
	{"switch_cycles", "switch", "", 2, 1},
	{"sample_cycles", "sample", "", 2, 1},
	{"swap_cycles", "swap", "", 2, 1},
	{"dtlb_misses", "DTLB misses", "", 2, 1},
	{"walk_refs", "walk refs", "", 2, 1},
	{"paging_exits", "paging exits", "", 1, 1},
	{"guest_faults", "guest faults", "", 1, 1},
	{"mode_switches", "switches", "", 0, 0},
	{"shadow_percent", "in shadow", "% of ticks", 0, 0},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* The native run, or NULL. */
static const struct run *native_run(const struct runs *runs)
{
	return runs->n > 0 && runs->run[0].mode == RUN_NATIVE ? &runs->run[0] : NULL;
}

static void over_native(struct report *report, const struct runs *runs, uint64_t cycles)
{
	const struct run *native = native_run(runs);
	const double base = native ? (double)dav2m_sim_cycles(&native->counts) : 0;

	if (base > 0)
		report_number(report, ((double)cycles / base - 1) * 100);
	else
		report_none(report);
}

static void in_shadow(struct report *report, const struct run *run)
{
	struct dav2m_explanation e;
	double ticks;

	if (run->mode != RUN_ADAPTIVE || dav2m_explain(&run->controller, &e)) {
		report_none(report);
		return;
	}
	ticks = (double)e.mode_ticks[DAV2M_SHADOW] + (double)e.mode_ticks[DAV2M_NESTED];
	if (ticks > 0)
		report_number(report, (double)e.mode_ticks[DAV2M_SHADOW] * 100 / ticks);
	else
		report_none(report);
}

static void short_note(struct report *report, const struct run *run,
		       const struct dav2m_config *config)
{
	struct dav2m_explanation e;
	uint32_t ticks;

	if (run->mode != RUN_ADAPTIVE || dav2m_explain(&run->controller, &e))
		return;
	ticks = e.mode_ticks[DAV2M_SHADOW] + e.mode_ticks[DAV2M_NESTED];
	if (ticks < config->window_trans)
		report_note(report,
			    "short: only %" PRIu32 " whole tick%s; a controller needs "
			    "window_trans (%u) or more to show what it does (--window-inst)",
			    ticks, report_plural(ticks), config->window_trans);
}

static void run_row(struct report *report, const struct runs *runs, const struct run *run)
{
	const struct dav2m_sim_counts *c = &run->counts;
	const uint64_t cycles = dav2m_sim_cycles(c);
	int i;

	report_text(report, run_mode_name(run->mode));
	report_count(report, c->instructions);
	report_count(report, cycles);
	if (c->instructions > 0)
		report_number(report, (double)cycles / (double)c->instructions);
	else
		report_none(report);
	over_native(report, runs, cycles);
	for (i = 0; i < DAV2M_SIM_CAUSES; i++)
		report_count(report, c->cycles[i]);
	report_count(report, c->l2_misses[DAV2M_SIM_DATA]);
	report_count(report, c->walk_refs);
	report_count(report, dav2m_sim_paging_exits(c));
	report_count(report, c->faults + c->cow_faults);
	report_count(report, c->mode_switches[DAV2M_SHADOW] + c->mode_switches[DAV2M_NESTED]);
	in_shadow(report, run);
}

static struct report *runs_report(const struct runs *runs)
{
	struct report *report = report_new(columns, COLUMNS);
	size_t i;

	for (i = 0; report && i < runs->n; i++)
		run_row(report, runs, &runs->run[i]);
	return report;
}

static int report_print(const struct sim_options *o, const struct runs *runs, struct output *output,
			struct dav2m_host_error *error)
{
	struct report *report = o->characterize ? character_report(runs, o->setup.footprint)
				: o->routines	? routines_report(runs)
						: runs_report(runs);
	size_t i;
	int rc;

	if (report) {
		report_note(report, "%s: machine %s, cost %s, tick %" PRIu32 " instructions",
			    o->setup.program, o->setup.machine->name, o->setup.cost->name,
			    o->setup.config.window_inst);
		for (i = 0; i < runs->n && !o->characterize; i++)
			short_note(report, &runs->run[i], &o->setup.config);
		if (runs->interrupted)
			report_note(report, "interrupted: these are the results so far");
	}
	rc = report ? report_write(report, o->format, output->stream) : -1;
	report_free(report);
	if (rc)
		snprintf(error->text, sizeof(error->text), "out of memory");
	return rc ? DAV2M_HOST_MEMORY : 0;
}

static void machines_list(FILE *to)
{
	const struct dav2m_sim_machine *machine;
	size_t i;

	fputs("machines\n", to);
	for (i = 0; (machine = dav2m_sim_machine(i)) != NULL; i++)
		fprintf(to, "  %-18s %s\n  %-18s   source: %s\n", machine->name, machine->about, "",
			machine->source);
}

static void costs_list(FILE *to)
{
	const struct dav2m_sim_cost *cost;
	size_t i;
	int item;

	fputs("\ncost models (cycles; * inferred, its source does not state it)\n", to);
	for (i = 0; (cost = dav2m_sim_cost(i)) != NULL; i++) {
		fprintf(to, "  %-18s %s\n", cost->name, cost->about);
		for (item = 0; item < DAV2M_SIM_ITEMS; item++)
			fprintf(to, "    %-14s %7" PRIu32 "%c %s\n",
				dav2m_sim_item_name((enum dav2m_sim_item)item),
				cost->price[item].cycles, cost->price[item].inferred ? '*' : ' ',
				cost->price[item].source);
	}
}

static void guests_list(FILE *to)
{
	const struct dav2m_sim_guest *guest;
	size_t i;

	fputs("\nguests\n", to);
	for (i = 0; (guest = dav2m_sim_guest(i)) != NULL; i++)
		fprintf(to,
			"  %-18s %s\n  %-18s   memory %" PRIu64 " KB, kernel %" PRIu64
			" KB, swap %" PRIu64 " KB\n  %-18s   source: %s\n",
			guest->name, guest->about, "", guest->bytes >> 10,
			guest->kernel_bytes >> 10, guest->swap_bytes >> 10, "", guest->source);
}

static void workloads_list(FILE *to)
{
	const struct dav2m_sim_workload *workload;
	size_t i;

	fputs("\nworkloads\n", to);
	for (i = 0; (workload = dav2m_sim_workload(i)) != NULL; i++) {
		fprintf(to, "  %-18s %s\n", workload->name, workload->about);
		if (workload->size)
			fprintf(to, "  %-18s   size: %" PRIu32 ", in [%" PRIu32 ", %" PRIu32 "]\n",
				"", workload->size, workload->size_min, workload->size_max);
		fprintf(to, "  %-18s   source: %s\n", "", workload->source);
	}
}

static int simulate(struct sim_options *o, struct output *output, struct dav2m_host_error *error)
{
	struct footprint footprint = {.room = 0};
	struct feed *feed;
	struct runs runs;
	int rc;

	if (o->smp.n_vcpus > 0)
		return smp_do(&o->smp, &o->setup, o->workload, o->seed, o->scale_bp, o->format,
			      output->stream, error);
	rc = o->workload
		     ? feed_open_workload(o->workload, o->seed, o->scale_bp, o->size, &feed, error)
		     : feed_open_traces(o->traces, o->n_traces, o->input_format, &feed, error);
	if (rc)
		return rc;
	o->setup.program = feed_program(feed);
	if (o->characterize)
		o->setup.footprint = &footprint;
	rc = runs_do(&runs, &o->setup, feed, error);
	if (!rc)
		rc = report_print(o, &runs, output, error);
	feed_close(feed);
	runs_free(&runs);
	footprint_free(&footprint);
	o->setup.program = NULL;
	o->setup.footprint = NULL;
	return rc;
}

static int output_begin(const struct sim_options *o, struct output *output,
			struct dav2m_host_error *error)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < o->n_traces && !rc; i++)
		rc = output_spares(o->output, o->traces[i], error);
	if (!rc)
		rc = output_prefix_check("--record", o->setup.record, error);
	if (!rc)
		rc = output_prefix_check("--pictures", o->setup.pictures, error);
	return rc ? rc : output_open(output, o->output, error);
}

int cmd_sim(int argc, char **argv)
{
	struct sim_options o;
	struct output output;
	struct dav2m_host_error error;
	int rc;

	sim_options_parse(argc, argv, &o);
	rc = output_begin(&o, &output, &error);
	if (!rc) {
		if (o.list) {
			machines_list(output.stream);
			costs_list(output.stream);
			guests_list(output.stream);
			workloads_list(output.stream);
			smp_list(output.stream);
		} else {
			rc = simulate(&o, &output, &error);
		}
		if (!rc)
			rc = output_commit(&output, &error);
		else
			output_abort(&output);
	}
	if (!rc)
		return interrupt_seen() ? COMMAND_INTERRUPTED : COMMAND_DONE;
	complain("%s", error.text);
	return COMMAND_FAILED;
}
