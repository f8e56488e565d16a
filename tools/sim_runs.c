/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets up one simulation per mode, feeds them all, and closes their recordings.
 */
#include "sim_runs.h"

#include "interrupt.h"
#include "progress.h"
#include "sim_fanout.h"
#include "sim_pictures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *run_mode_name(enum run_mode mode)
{
	static const char *const name[] = {"native", "shadow", "nested", "adaptive", "switcher"};

	return (unsigned)mode <= RUN_SWITCHER ? name[mode] : "?";
}

static int run_fail(struct run *run, const char *what)
{
	snprintf(run->error.text, sizeof(run->error.text), "%s: %s", run_mode_name(run->mode),
		 what);
	run->failed = 1;
	return -1;
}

static void record_sample(struct run *run)
{
	if (!run->failed && recording_add(&run->recording, run->sim))
		run_fail(run, "out of memory");
}

static void track_point(struct run *run)
{
	if (!run->failed &&
	    track_add(&run->track, run->sim, run->mode == RUN_ADAPTIVE ? &run->controller : NULL))
		run_fail(run, "out of memory");
}

/* Keeps the recording, and turns the switcher when it is time. */
static void record_tick(struct run *run)
{
	record_sample(run);
	if (run->mode == RUN_SWITCHER && recording_turns(&run->recording))
		dav2m_sim_switch(run->sim, dav2m_sim_mode(run->sim) == DAV2M_SIM_SHADOW
						   ? DAV2M_NESTED
						   : DAV2M_SHADOW);
}

/* The warm-up ends with the tick in which it is reached. */
static void warm_up(struct run *run)
{
	struct dav2m_sim_counts counts;

	dav2m_sim_count(run->sim, &counts);
	run->warm = counts.instructions >= run->warm_up_inst;
	if (!run->warm)
		return;
	run->before = counts;
	dav2m_sim_routines_clear(run->sim);
}

static void on_sample(void *vm, struct dav2m_sim *sim, int at_window)
{
	struct run *run = vm;

	if (at_window)
		record_tick(run);
	if (at_window && !run->warm)
		warm_up(run);
	if (run->mode == RUN_ADAPTIVE)
		dav2m_sim_adapter_sample(&run->adapter, sim, at_window);
	if (at_window)
		track_point(run);
}

static int on_paging_exit(void *vm)
{
	struct run *run = vm;

	return dav2m_sim_adapter_paging_exit(&run->adapter);
}

static enum dav2m_sim_mode start_mode(enum run_mode mode, const struct run_setup *setup)
{
	switch (mode) {
	case RUN_NATIVE:
		return DAV2M_SIM_NATIVE;
	case RUN_SHADOW:
	case RUN_SWITCHER:
		return DAV2M_SIM_SHADOW;
	case RUN_NESTED:
		return DAV2M_SIM_NESTED;
	case RUN_ADAPTIVE:
		return (enum dav2m_sim_mode)setup->start;
	}
	return DAV2M_SIM_NATIVE;
}

static int run_begin(struct run *run, enum run_mode mode, const struct run_setup *setup)
{
	struct dav2m_sim_config config = {.machine = setup->machine,
					  .cost = setup->cost,
					  .mode = start_mode(mode, setup),
					  .tables = setup->tables,
					  .guest_page = setup->guest_page,
					  .guest_bytes = setup->guest_bytes,
					  .kernel_bytes = setup->kernel_bytes,
					  .swap_bytes = setup->swap_bytes,
					  .window_inst = setup->config.window_inst,
					  .sample = on_sample,
					  .vm = run};
	int error;

	run->mode = mode;
	run->warm_up_inst = setup->warm_up_inst;
	run->warm = setup->warm_up_inst == 0;
	if (mode == RUN_ADAPTIVE)
		config.paging_exit = on_paging_exit;
	error = dav2m_sim_new(&config, &run->sim);
	if (error)
		return run_fail(run, dav2m_sim_error_name((enum dav2m_sim_error)error));
	run->adapter.controller = &run->controller;
	run->adapter.sim = run->sim;
	if (mode == RUN_ADAPTIVE) {
		error = dav2m_init(&run->controller, &setup->config, setup->start);
		if (error)
			return run_fail(run, dav2m_error_name((enum dav2m_error)error));
	}
	run->recording.wanted = setup->record != NULL;
	run->track.wanted = setup->pictures != NULL;
	record_sample(run);
	track_point(run);
	return run->failed ? -1 : 0;
}

static int on_batch(void *context, size_t index, const uint64_t *words, size_t n)
{
	struct runs *runs = context;
	struct run *run = &runs->run[index];
	char what[256];
	int error = dav2m_sim_run(run->sim, words, n);

	if (error) {
		snprintf(what, sizeof(what), "reference %" PRIu64 ": %s",
			 dav2m_sim_position(run->sim) + 1,
			 dav2m_sim_error_name((enum dav2m_sim_error)error));
		return run_fail(run, what);
	}
	if (run->adapter.error)
		return run_fail(run, dav2m_error_name((enum dav2m_error)run->adapter.error));
	return run->failed;
}

static int any_failed(const struct runs *runs, struct dav2m_host_error *error)
{
	size_t i;

	for (i = 0; i < runs->all; i++) {
		if (!runs->run[i].failed)
			continue;
		*error = runs->run[i].error;
		return DAV2M_HOST_CORE;
	}
	return 0;
}

/* Hands the feed to a thread for each run, until its end or a signal. */
static int feed_all(struct runs *runs, struct feed *feed, struct footprint *footprint,
		    struct dav2m_host_error *error)
{
	struct fanout *fanout = fanout_begin(runs->all, on_batch, runs);
	uint64_t *words;
	size_t n;
	int rc;

	if (!fanout) {
		snprintf(error->text, sizeof(error->text), "out of memory");
		return DAV2M_HOST_MEMORY;
	}
	progress_begin("simulating", feed_unit(feed), feed_total(feed));
	do {
		words = fanout_batch(fanout);
		rc = words ? feed_next(feed, words, FANOUT_BATCH, &n, error) : 0;
		if (!words || rc || n == 0)
			break;
		if (footprint)
			footprint_add(footprint, words, n);
		fanout_put(fanout, n);
		progress_step(feed_done(feed));
	} while (!interrupt_seen());
	fanout_end(fanout);
	progress_end();
	/* After a signal the rest of the input was not read, which is no error of the input's. */
	return interrupt_seen() ? 0 : rc;
}

static int runs_begin(struct runs *runs, const struct run_setup *setup,
		      struct dav2m_host_error *error)
{
	int mode;

	memset(runs, 0, sizeof(*runs));
	for (mode = 0; mode < RUN_MODES; mode++)
		if (setup->modes >> mode & 1)
			run_begin(&runs->run[runs->n++], (enum run_mode)mode, setup);
	runs->all = runs->n;
	if (setup->record && setup->modes & 1u << RUN_SHADOW && setup->modes & 1u << RUN_NESTED)
		run_begin(&runs->run[runs->all++], RUN_SWITCHER, setup);
	return any_failed(runs, error);
}

/* Members of the counts grow only, but for what is in use or has been at most: these stay. */
static void counts_subtract(struct dav2m_sim_counts *counts, const struct dav2m_sim_counts *before)
{
	uint64_t *now = (uint64_t *)counts;
	const uint64_t *then = (const uint64_t *)before;
	const struct dav2m_sim_counts at_end = *counts;
	size_t i;

	for (i = 0; i < sizeof(*counts) / sizeof(*now); i++)
		now[i] -= then[i];
	counts->pages = at_end.pages;
	counts->pages_peak = at_end.pages_peak;
	counts->swap_pages = at_end.swap_pages;
	counts->swap_pages_peak = at_end.swap_pages_peak;
	counts->resident = at_end.resident;
	counts->resident_peak = at_end.resident_peak;
}

static int run_end(struct run *run, struct dav2m_host_error *error)
{
	if (!run->warm)
		run_fail(run, "the program ended before its warm-up");
	dav2m_sim_count(run->sim, &run->counts);
	counts_subtract(&run->counts, &run->before);
	dav2m_sim_routines(run->sim, run->routine);
	record_sample(run);
	if (!run->failed)
		return 0;
	*error = run->error;
	return DAV2M_HOST_CORE;
}

static const struct recording *recording_of(const struct runs *runs, enum run_mode mode)
{
	size_t i;

	for (i = 0; i < runs->all; i++)
		if (runs->run[i].mode == mode)
			return &runs->run[i].recording;
	return NULL;
}

static enum dav2m_trace_mode trace_mode(enum run_mode mode)
{
	switch (mode) {
	case RUN_SHADOW:
		return DAV2M_TRACE_SHADOW;
	case RUN_NESTED:
		return DAV2M_TRACE_NESTED;
	case RUN_ADAPTIVE:
	case RUN_SWITCHER:
		return DAV2M_TRACE_ADAPTIVE;
	case RUN_NATIVE:
		break;
	}
	return DAV2M_TRACE_NATIVE;
}

static int recordings_write(const struct runs *runs, const struct run_setup *setup,
			    struct dav2m_host_error *error)
{
	const struct recording *switcher = recording_of(runs, RUN_SWITCHER);
	struct dav2m_trace_header header = {.tick_progress = setup->config.window_inst,
					    .columns = DAV2M_ALL_COUNTERS};
	size_t i;
	int rc = 0;

	header.interrupted = runs->interrupted;
	snprintf(header.program, sizeof(header.program), "%s", setup->program);
	snprintf(header.progress_unit, sizeof(header.progress_unit), "instructions");
	snprintf(header.note, sizeof(header.note), "simulated: machine %s, cost %s",
		 setup->machine->name, setup->cost->name);
	if (switcher)
		recording_switch_costs(switcher, recording_of(runs, RUN_SHADOW),
				       recording_of(runs, RUN_NESTED), &header);
	for (i = 0; i < runs->n && !rc; i++) {
		const char *mode = run_mode_name(runs->run[i].mode);

		header.mode = trace_mode(runs->run[i].mode);
		rc = recording_write(&runs->run[i].recording, setup->record, mode, &header, error);
	}
	return rc;
}

static int runs_end(struct runs *runs, const struct run_setup *setup,
		    struct dav2m_host_error *error)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < runs->all && !rc; i++)
		rc = run_end(&runs->run[i], error);
	if (!rc && setup->record)
		rc = recordings_write(runs, setup, error);
	if (!rc && setup->pictures)
		rc = pictures_draw(runs, setup, setup->pictures, error);
	return rc;
}

int runs_do(struct runs *runs, const struct run_setup *setup, struct feed *feed,
	    struct dav2m_host_error *error)
{
	int rc = runs_begin(runs, setup, error);

	if (rc)
		return rc;
	interrupt_begin();
	rc = feed_all(runs, feed, setup->footprint, error);
	interrupt_end();
	runs->interrupted = interrupt_seen();
	if (!rc)
		rc = any_failed(runs, error);
	return rc ? rc : runs_end(runs, setup, error);
}

void runs_free(struct runs *runs)
{
	size_t i;

	for (i = 0; i < runs->all; i++) {
		recording_free(&runs->run[i].recording);
		track_free(&runs->run[i].track);
		dav2m_sim_free(runs->run[i].sim);
	}
	runs->n = runs->all = 0;
}
