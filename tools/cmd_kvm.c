/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dav2m kvm`: finds its own subcommand; and the shortest of them, list.
 */
#define _GNU_SOURCE

#include "command.h"
#include "kvm_common.h"
#include "report.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} subcommands[] = {
	{"list", kvm_list, "the guests that run on this host"},
	{"record", kvm_record, "write a guest's counters to a trace that replay reads"},
	{"watch", kvm_watch, "a table of a guest's vCPUs, as they run"},
#ifndef DAV2M_KVM_ONLY /* a recorder needs no reader, nor its libraries */
	{"advise", kvm_advise, "what would make a guest faster, in words"},
#endif
};

#define SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static void usage_print(FILE *to)
{
	fputs("Usage: dav2m kvm SUBCOMMAND [OPTION...] [ARGUMENT...]\n\n", to);
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		fprintf(to, "  %-8s %s\n", subcommands[i].name, subcommands[i].summary);
}

int cmd_kvm(int argc, char **argv)
{
	char name[64];

	for (size_t i = 0; argc > 1 && i < SUBCOMMANDS; i++) {
		if (strcmp(argv[1], subcommands[i].name))
			continue;
		snprintf(name, sizeof(name), "dav2m kvm %s", subcommands[i].name);
		argv[1] = name;
		return subcommands[i].run(argc - 1, argv + 1);
	}
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?"))) {
		usage_print(stdout);
		return COMMAND_DONE;
	}
	if (argc > 1)
		complain("kvm: '%s' is not a subcommand", argv[1]);
	usage_print(stderr);
	return COMMAND_USAGE;
}

static const struct report_column columns[] = {
	{"pid", "PID", "", 0, 0},
	{"name", "name", "", 0, 0},
	{"vcpus", "vCPUs", "", 0, 0},
	{"mode", "paging", "", 0, 0},
	{"resident_mib", "resident", "MiB", 0, 0},
	{"huge_percent", "huge pages", "%", 0, 0},
};

struct list {
	struct report *report;
	const char *mode;
};

static int process_add(void *arg, const struct dav2m_kvm_process *process)
{
	const struct list *list = arg;

	report_count(list->report, (uint64_t)process->pid);
	report_text(list->report, process->name);
	report_count(list->report, process->vcpus);
	report_text(list->report, list->mode);
	if (!process->memory_known) {
		report_none(list->report);
		report_none(list->report);
		return 0;
	}
	report_count(list->report, process->resident_bytes >> 20);
	if (process->resident_bytes)
		report_number(list->report, 100.0 * (double)process->huge_bytes /
						    (double)process->resident_bytes);
	else
		report_none(list->report);
	return 0;
}

static error_t list_option(int key, char *arg, struct argp_state *state)
{
	enum report_format *format = state->input;

	if (key == 'f') {
		if (report_format_parse(arg, format))
			argp_error(state, "--format: '%s' is not table, csv or json", arg);
		return 0;
	}
	if (key == ARGP_KEY_ARG)
		argp_error(state, "takes no argument");
	return ARGP_ERR_UNKNOWN;
}

int kvm_list(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{"format", 'f', "FORMAT", 0, "table (default), csv or json", 0},
		{NULL, 0, NULL, 0, NULL, 0}};
	static const struct argp argp = {
		options, list_option, "",  "The KVM guests that run on this host.",
		NULL,	 NULL,	      NULL};
	enum report_format format = REPORT_TABLE;
	struct dav2m_kvm_fault fault;
	struct dav2m_kvm_host host = {.mode_known = 0};
	struct list list;
	uint32_t hidden;
	int error;

	argp_parse(&argp, argc, argv, 0, NULL, &format);
	if (dav2m_kvm_host_read("/sys", &host, &fault))
		kvm_complain(&fault);
	list.mode = host.mode_known ? dav2m_mode_name(host.mode) : "?";
	list.report = report_new(columns, sizeof(columns) / sizeof(columns[0]));
	if (!list.report) {
		complain("no memory");
		return COMMAND_FAILED;
	}
	error = dav2m_kvm_processes("/proc", process_add, &list, &hidden, &fault);
	if (error)
		kvm_complain(&fault);
	if (!error && hidden)
		report_note(list.report, "%u processes may not be looked at; root sees all",
			    hidden);
	if (!error && report_write(list.report, format, stdout))
		error = -1;
	report_free(list.report);
	return error ? COMMAND_FAILED : COMMAND_DONE;
}
