/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dav2m kvm record`: a guest's counters, one record per interval, as a counter trace.
 *
 * Each record reaches the kernel before the next is waited for, so that a recorder that is killed,
 * or meets a full disk, loses at most the one it was writing: nobody can measure the others again.
 * The file then keeps its name with ".part".
 */
#define _GNU_SOURCE

#include "command.h"
#include "kvm_common.h"
#include "kvm_progress.h"
#include "progress.h"

#include <dav2m/host/trace.h>

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
	const char *who;
	const char *qmp;
	const char *output;
	const char *program;
	const char *unit;
	struct kvm_progress progress;
	int wait;
	uint32_t interval_ms;
	uint32_t seconds; /* UINT32_MAX: until the guest ends */
};

static const struct argp_option option_list[] = {
	{"output", 'o', "FILE", 0, "the trace (needed)", 0},
	{"interval", 'i', "MS", 0, "time between records, 10 to 10000 ms (default 100)", 0},
	{"seconds", 's', "N", 0, "stop after so long (default: when the guest ends)", 0},
	{"program", 'p', "TEXT", 0, "what runs in the guest, for the trace's head", 0},
	{"progress", 'P', "FILE", 0,
	 "a file whose last line that is a number is how much work the guest has done: progress "
	 "where no PMU counts its instructions; waits for its first",
	 0},
	{"unit", 'u', "TEXT", 0, "what that number counts (default work)", 0},
	{"wait", 'w', NULL, 0, "wait until a guest of this NAME has started", 0},
	{"qmp", 'q', "PATH", 0, "QEMU's QMP socket, if it is not on its command line", 0},
	{NULL, 0, NULL, 0, NULL, 0},
};

static error_t option_parse(int key, char *arg, struct argp_state *state)
{
	struct record *record = state->input;

	if (key == 'o')
		record->output = arg;
	else if (key == 'i')
		record->interval_ms = kvm_number("interval", arg, 10, 10000, state);
	else if (key == 's')
		record->seconds = kvm_number("seconds", arg, 1, 1000000, state);
	else if (key == 'p')
		record->program = arg;
	else if (key == 'P')
		record->progress.path = arg;
	else if (key == 'u')
		record->unit = arg;
	else if (key == 'w')
		record->wait = 1;
	else if (key == 'q')
		record->qmp = arg;
	else if (key == ARGP_KEY_ARG && !record->who)
		record->who = arg;
	else if (key == ARGP_KEY_ARG)
		argp_error(state, "one guest at a time");
	else if (key == ARGP_KEY_END && (!record->who || !record->output))
		argp_error(state, "needs a PID or NAME, and --output");
	else if (key == ARGP_KEY_END && record->wait &&
		 strspn(record->who, "0123456789") == strlen(record->who))
		argp_error(state, "--wait needs a NAME: a PID is known only of what has started");
	else if (key != ARGP_KEY_END)
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const char *unit_of(const struct record *record, const struct dav2m_sample *first)
{
	if (record->progress.path)
		return record->unit;
	return first->valid & DAV2M_BIT(DAV2M_PROGRESS) ? "instructions" : "none";
}

static void header_fill(const struct record *record, const struct dav2m_kvm_guest *guest,
			const struct dav2m_sample *first, struct dav2m_trace_header *header)
{
	const struct dav2m_kvm_origin *cycles = dav2m_kvm_guest_origin(guest, DAV2M_CYCLES);

	memset(header, 0, sizeof(*header));
	snprintf(header->program, sizeof(header->program), "%s", record->program);
	snprintf(header->progress_unit, sizeof(header->progress_unit), "%s",
		 unit_of(record, first));
	snprintf(header->note, sizeof(header->note),
		 "dav2m kvm record of %s every %u ms; cycles: %s; statistics by %s", record->who,
		 record->interval_ms, cycles->from ? cycles->from : "none",
		 dav2m_kvm_route_name(dav2m_kvm_guest_route(guest)));
	header->mode = dav2m_kvm_guest_host(guest)->mode == DAV2M_NESTED ? DAV2M_TRACE_NESTED
									 : DAV2M_TRACE_SHADOW;
	header->columns = first->valid;
}

/* 0: go on; 1: the guest has ended; negative: the trace cannot be written. */
static int record_one(struct record *record, struct dav2m_kvm_guest *guest,
		      struct dav2m_trace_writer *writer, struct dav2m_host_error *error)
{
	struct dav2m_kvm_fault fault;
	struct dav2m_sample sample;

	if (dav2m_kvm_guest_sample(guest, &sample, &fault)) {
		if (dav2m_kvm_guest_alive(guest))
			kvm_complain(&fault);
		else
			fprintf(stderr, "the guest has ended\n");
		return 1;
	}
	kvm_progress_put(&record->progress, &sample);
	if (dav2m_trace_writer_sample(writer, &sample, error) ||
	    dav2m_trace_writer_flush(writer, error))
		return -1;
	return 0;
}

static int records_write(struct record *record, struct dav2m_kvm_guest *guest,
			 struct dav2m_trace_writer *writer, struct dav2m_host_error *error)
{
	uint64_t next = kvm_now_ns(), total = 0;
	int answer;

	if (record->seconds != UINT32_MAX)
		total = (uint64_t)record->seconds * 1000 / record->interval_ms;
	answer = record_one(record, guest, writer, error);
	progress_begin("recording", "records", total);
	for (uint64_t n = 0; !answer && (!total || n < total); n++) {
		if (kvm_wait(&next, record->interval_ms))
			break;
		answer = record_one(record, guest, writer, error);
		progress_step(n + 1);
	}
	progress_end();
	return answer < 0 ? -1 : 0;
}

/* The records up to an error, which it adds to what is complained of. */
static void records_keep(const struct record *record, struct dav2m_trace_writer *writer,
			 const struct dav2m_host_error *error)
{
	struct dav2m_host_error other;
	uint64_t records = 0;

	if (dav2m_trace_writer_keep(writer, &records, &other))
		complain("%s; %s", error->text, other.text);
	else if (!records)
		complain("%s", error->text);
	else
		complain("%s; the %" PRIu64 " record%s before that %s in %s.part, until the next "
			 "recording to %s",
			 error->text, records, records == 1 ? "" : "s",
			 records == 1 ? "stays" : "stay", record->output, record->output);
}

/* The work may begin after the recorder: 0 when it has, -1 when it never will, or ctrl-C came. */
static int work_await(struct record *record, const struct dav2m_kvm_guest *guest)
{
	uint64_t next = kvm_now_ns();
	int answer = kvm_progress_begin(&record->progress);

	if (answer > 0)
		fprintf(stderr,
			"waiting for %s to say how much work is done: a whole number on a line, "
			"from 0\n",
			record->progress.path);
	while (answer > 0) {
		if (!dav2m_kvm_guest_alive(guest)) {
			complain("%s: the guest has ended without a line there that is a whole "
				 "number",
				 record->progress.path);
			return -1;
		}
		if (kvm_wait(&next, KVM_AWAIT_MS))
			return -1;
		answer = kvm_progress_begin(&record->progress);
	}
	return answer;
}

static int record_run(struct record *record, struct dav2m_kvm_guest *guest)
{
	struct dav2m_trace_header header;
	struct dav2m_trace_writer *writer;
	struct dav2m_host_error error;
	struct dav2m_kvm_fault fault;
	struct dav2m_sample first;

	if (dav2m_kvm_guest_sample(guest, &first, &fault)) {
		kvm_complain(&fault);
		return COMMAND_FAILED;
	}
	kvm_signals(); /* from here on there is something to be ended, then a file to be completed
			*/
	if (work_await(record, guest))
		return COMMAND_FAILED;
	kvm_progress_put(&record->progress, &first);
	if (!first.valid) {
		complain("nothing of this guest can be counted; why stands above");
		return COMMAND_FAILED;
	}
	if (!(first.valid & DAV2M_BIT(DAV2M_PROGRESS)))
		fputs("  without progress dav2m replay cannot pair this recording; --progress=FILE "
		      "takes the\n  guest's own count of its work, and dav2m kvm advise needs "
		      "none\n",
		      stderr);
	header_fill(record, guest, &first, &header);
	if (dav2m_trace_writer_open(record->output, &header, &writer, &error)) {
		complain("%s", error.text);
		return COMMAND_FAILED;
	}
	if (records_write(record, guest, writer, &error)) {
		records_keep(record, writer, &error);
		return COMMAND_FAILED;
	}
	if (dav2m_trace_writer_close(writer, &error)) {
		complain("%s", error.text);
		return COMMAND_FAILED;
	}
	return COMMAND_DONE;
}

int kvm_record(int argc, char **argv)
{
	static const struct argp argp = {option_list,
					 option_parse,
					 "PID|NAME",
					 "Writes a guest's counters to a trace that dav2m replay "
					 "reads. Ends with the guest, or on ctrl-C.",
					 NULL,
					 NULL,
					 NULL};
	struct record record = {
		.program = "", .unit = "work", .interval_ms = 100, .seconds = UINT32_MAX};
	struct dav2m_kvm_guest *guest;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &record);
	guest = record.wait && kvm_await(record.who, record.qmp)
			? NULL
			: kvm_attach(record.who, record.qmp, 0);
	if (!guest)
		return COMMAND_FAILED;
	code = record_run(&record, guest);
	dav2m_kvm_guest_detach(guest);
	return code;
}
