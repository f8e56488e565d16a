/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the command line of `dav2m sim` and checks all of it before anything runs.
 */
#include "sim_options.h"

#include "controller_options.h"
#include "number.h"

#include <dav2m/sim/sim.h>

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Tick of a recorded program: recordings are some 10^7 to 10^9 instructions long, and
   a controller needs some hundred ticks to show anything. */
#define TRACE_WINDOW_INST 1000000u

enum option_key {
	KEY_MACHINE = 256,
	KEY_COST,
	KEY_GUEST,
	KEY_GUEST_PAGES,
	KEY_GUEST_TABLES,
	KEY_GUEST_MEMORY,
	KEY_GUEST_SWAP,
	KEY_MODES,
	KEY_WARM_UP,
	KEY_WINDOW,
	KEY_RECORD,
	KEY_WORKLOAD,
	KEY_SEED,
	KEY_SCALE,
	KEY_SIZE,
	KEY_LIST,
	KEY_ROUTINES,
	KEY_CHARACTERIZE,
	KEY_PICTURES,
	KEY_FORMAT,
	KEY_INPUT_FORMAT,
	KEY_VCPUS,
	KEY_POLICY, /* this and what follows: with KEY_VCPUS only */
	KEY_DOMAINS,
	KEY_PCPUS,
	KEY_NODES,
	KEY_PLACEMENT,
	KEY_VM_STAT
};

static const struct argp_option options[] = {
	{"input-format", KEY_INPUT_FORMAT, "FORMAT", 0,
	 "of the traces: dav2m, lackey, champsim, din or auto (auto)", 1},
	{"workload", KEY_WORKLOAD, "NAME", 0, "simulate a built-in workload instead of traces", 1},
	{"seed", KEY_SEED, "N", 0, "of the workload (1)", 1},
	{"scale", KEY_SCALE, "X", 0, "length of the workload: 0.5 is half of it (1)", 1},
	{"size", KEY_SIZE, "N", 0, "of what the workload works on, if it has one", 1},
	{"machine", KEY_MACHINE, "NAME", 0, "translation hardware (opteron2350)", 2},
	{"cost", KEY_COST, "NAME", 0, "what events cost, and how the VMM works (palacios2011)", 2},
	{"guest", KEY_GUEST, "NAME", 0, "all of the following at once (plain)", 2},
	{"guest-pages", KEY_GUEST_PAGES, "SIZE", 0, "4k, 2m or 1g (4k)", 2},
	{"guest-tables", KEY_GUEST_TABLES, "LEVELS", 0, "2, 4 or 5 (4)", 2},
	{"guest-memory", KEY_GUEST_MEMORY, "MB", 0, "guest-physical memory (2048)", 2},
	{"guest-swap", KEY_GUEST_SWAP, "MB", 0, "the guest's swap space (0)", 2},
	{"modes", KEY_MODES, "LIST", 0, "of native,shadow,nested,adaptive (all)", 3},
	{"warm-up", KEY_WARM_UP, "N", 0, "leave the first N instructions out of the counts (0)", 3},
	{"window-inst", KEY_WINDOW, "N", 0,
	 "instructions per tick (1e6, workloads: their own; "
	 "a quarter of that for bounded)",
	 4},
	{"record", KEY_RECORD, "PREFIX", 0, "write PREFIX.MODE.csv, a counter trace of each run",
	 5},
	{"pictures", KEY_PICTURES, "PREFIX", 0,
	 "draw PREFIX.rates and PREFIX.thresholds or .regret, .svg and .png", 5},
	{"routines", KEY_ROUTINES, NULL, 0, "report calls and cycles of the VMM's routines instead",
	 5},
	{"characterize", KEY_CHARACTERIZE, NULL, 0,
	 "report what the program asks of memory: RSS, swap, faults, TLB misses, footprint", 5},
	{"format", KEY_FORMAT, "FORMAT", 0, "table, csv or json (table)", 5},
	{"output", 'o', "FILE", 0, "where the result goes (standard output)", 5},
	{"list", KEY_LIST, NULL, 0, "list machines, cost models and workloads", 5},
	{"vcpus", KEY_VCPUS, "LIST", 0, "the workload on each of so many vCPUs, 1 to 64", 6},
	{"smp-policy", KEY_POLICY, "LIST", 0, "how page tables are virtualized then (all ways)", 6},
	{"domains", KEY_DOMAINS, "N", 0, "virtual machines with so many vCPUs each (1)", 6},
	{"pcpus", KEY_PCPUS, "N", 0, "physical CPUs (as many as vCPUs)", 6},
	{"nodes", KEY_NODES, "N", 0, "that the physical CPUs are divided into (4)", 6},
	{"placement", KEY_PLACEMENT, "NAME", 0,
	 "anywhere, local, interleaved or remote memory (anywhere)", 6},
	{"vm-stat", KEY_VM_STAT, NULL, 0, "show which vCPU had which physical CPU", 6},
	{NULL, 0, NULL, 0, NULL, 0}};

struct parse {
	struct sim_options *options;
	struct controller_options controller;
	uint32_t window_inst; /* 0: not given */
	int of_vcpus;	      /* an option that goes with --vcpus */
	int of_workload;      /* one that goes with --workload */
};

static uint64_t number_parse(struct argp_state *state, const char *option, const char *text,
			     uint64_t min, uint64_t max)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	if (end == text || *end != '\0' || errno != 0 || !(value >= (double)min) ||
	    !(value <= (double)max) || value != (double)(uint64_t)value)
		argp_error(state, "--%s: a whole number in [%llu, %llu] is expected, not '%s'",
			   option, (unsigned long long)min, (unsigned long long)max, text);
	return (uint64_t)value;
}

static uint32_t scale_parse(struct argp_state *state, const char *text)
{
	uint32_t scale_bp = 0;

	if (number_in_parts(text, 0.0001, 10000, DAV2M_ONE_BP, &scale_bp))
		argp_error(state,
			   "--scale: a number in [0.0001, 10000] is expected, in steps of 0.0001, "
			   "not '%s'",
			   text);
	return scale_bp;
}

static void modes_parse(struct argp_state *state, struct run_setup *setup, const char *text)
{
	size_t length;
	int mode;

	for (setup->modes = 0;; text += length + 1) {
		length = strcspn(text, ",");
		for (mode = 0; mode < RUN_MODES; mode++) {
			const char *name = run_mode_name((enum run_mode)mode);

			if (strlen(name) == length && memcmp(name, text, length) == 0)
				break;
		}
		if (mode == RUN_MODES)
			argp_error(state,
				   "--modes: '%.*s' is none of native, shadow, nested, adaptive",
				   (int)length, text);
		setup->modes |= 1u << mode;
		if (text[length] == '\0')
			return;
	}
}

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

static void machine_parse(struct argp_state *state, struct run_setup *setup, const char *name)
{
	setup->machine = dav2m_sim_machine_find(name);
	if (!setup->machine)
		argp_error(state, "--machine: there is no '%s'; --list names them", name);
}

static void cost_parse(struct argp_state *state, struct run_setup *setup, const char *name)
{
	setup->cost = dav2m_sim_cost_find(name);
	if (!setup->cost)
		argp_error(state, "--cost: there is no '%s'; --list names them", name);
}

static void guest_set(struct run_setup *setup, const struct dav2m_sim_guest *guest)
{
	setup->tables = guest->tables;
	setup->guest_page = guest->page;
	setup->guest_bytes = guest->bytes;
	setup->kernel_bytes = guest->kernel_bytes;
	setup->swap_bytes = guest->swap_bytes;
}

static void guest_parse(struct argp_state *state, struct run_setup *setup, const char *name)
{
	const struct dav2m_sim_guest *guest = dav2m_sim_guest_find(name);

	if (!guest)
		argp_error(state, "--guest: there is no '%s'; --list names them", name);
	else
		guest_set(setup, guest);
}

static void workload_parse(struct argp_state *state, struct sim_options *o, const char *name)
{
	o->workload = dav2m_sim_workload_find(name);
	if (!o->workload)
		argp_error(state, "--workload: there is no '%s'; --list names them", name);
}

/* Splits a list after its first element: how long that is, and where the next begins, or NULL. */
static const char *list_split(const char *text, size_t *ret_length)
{
	*ret_length = strcspn(text, ",");
	return text[*ret_length] == '\0' ? NULL : text + *ret_length + 1;
}

static void vcpus_parse(struct argp_state *state, struct smp_setup *smp, const char *text)
{
	size_t length;
	char number[16];

	for (smp->n_vcpus = 0; text != NULL && smp->n_vcpus < SMP_LIST; smp->n_vcpus++) {
		const char *next = list_split(text, &length);

		if ((size_t)snprintf(number, sizeof(number), "%.*s", (int)length, text) >=
		    sizeof(number))
			argp_error(state, "--vcpus: '%.*s' has too many digits", (int)length, text);
		smp->vcpus[smp->n_vcpus] =
			(uint32_t)number_parse(state, "vcpus", number, 1, DAV2M_SMP_CPUS);
		text = next;
	}
	if (text != NULL)
		argp_error(state, "--vcpus: at most %d numbers", SMP_LIST);
}

static void policies_parse(struct argp_state *state, struct smp_setup *smp, const char *text)
{
	size_t length;
	char name[32];

	for (smp->n_policies = 0; text != NULL && smp->n_policies < SMP_LIST; smp->n_policies++) {
		const char *next = list_split(text, &length);

		snprintf(name, sizeof(name), "%.*s", (int)length, text);
		smp->policy[smp->n_policies] = dav2m_smp_policy_find(name);
		if (!smp->policy[smp->n_policies])
			argp_error(state, "--smp-policy: there is no '%s'; --list names them",
				   name);
		text = next;
	}
	if (text != NULL)
		argp_error(state, "--smp-policy: at most %d names", SMP_LIST);
}

static error_t smp_option(int key, char *arg, struct argp_state *state)
{
	static const char *const placements[] = {"anywhere", "local", "interleaved", "remote"};
	struct parse *parse = state->input;
	struct smp_setup *smp = &parse->options->smp;

	parse->of_vcpus |= key >= KEY_POLICY && key <= KEY_VM_STAT;
	switch (key) {
	case KEY_VCPUS:
		vcpus_parse(state, smp, arg);
		return 0;
	case KEY_POLICY:
		policies_parse(state, smp, arg);
		return 0;
	case KEY_DOMAINS:
		smp->domains = (uint32_t)number_parse(state, "domains", arg, 1, DAV2M_SMP_DOMAINS);
		return 0;
	case KEY_PCPUS:
		smp->pcpus = (uint32_t)number_parse(state, "pcpus", arg, 1, DAV2M_SMP_CPUS);
		return 0;
	case KEY_NODES:
		smp->nodes = (uint32_t)number_parse(state, "nodes", arg, 1, DAV2M_SMP_NODES);
		return 0;
	case KEY_PLACEMENT:
		smp->placement = (enum dav2m_smp_placement)choice(state, "placement", arg,
								  placements, DAV2M_SMP_PLACEMENTS);
		return 0;
	case KEY_VM_STAT:
		smp->vm_stat = 1;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t guest_option(int key, char *arg, struct argp_state *state)
{
	static const char *const pages[] = {"4k", "2m", "1g"};
	static const char *const tables[] = {"2", "4", "5"};
	struct parse *parse = state->input;
	struct run_setup *setup = &parse->options->setup;

	switch (key) {
	case KEY_MACHINE:
		machine_parse(state, setup, arg);
		return 0;
	case KEY_COST:
		cost_parse(state, setup, arg);
		return 0;
	case KEY_GUEST:
		guest_parse(state, setup, arg);
		return 0;
	case KEY_GUEST_PAGES:
		setup->guest_page =
			(enum dav2m_sim_page)choice(state, "guest-pages", arg, pages, 3);
		return 0;
	case KEY_GUEST_TABLES:
		setup->tables =
			(enum dav2m_sim_tables)choice(state, "guest-tables", arg, tables, 3);
		return 0;
	case KEY_GUEST_MEMORY:
		setup->guest_bytes = number_parse(state, "guest-memory", arg, 16, 1 << 22) << 20;
		if (setup->guest_bytes % (2u << 20))
			argp_error(state, "--guest-memory: an even number is expected, not '%s'",
				   arg);
		return 0;
	case KEY_GUEST_SWAP:
		setup->swap_bytes = number_parse(state, "guest-swap", arg, 0, 1 << 22) << 20;
		return 0;
	default:
		return smp_option(key, arg, state);
	}
}

static error_t input_option(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;
	struct sim_options *o = parse->options;

	parse->of_workload |= key == KEY_SEED || key == KEY_SCALE;
	switch (key) {
	case KEY_WORKLOAD:
		workload_parse(state, o, arg);
		return 0;
	case KEY_SEED:
		o->seed = number_parse(state, "seed", arg, 0, 1ull << 53);
		return 0;
	case KEY_SCALE:
		o->scale_bp = scale_parse(state, arg);
		return 0;
	case KEY_SIZE:
		o->size = (uint32_t)number_parse(state, "size", arg, 1, UINT32_MAX);
		return 0;
	case KEY_MODES:
		modes_parse(state, &o->setup, arg);
		return 0;
	case KEY_WARM_UP:
		o->setup.warm_up_inst = number_parse(state, "warm-up", arg, 0, 1ull << 53);
		return 0;
	case KEY_WINDOW:
		parse->window_inst = (uint32_t)number_parse(state, "window-inst", arg, 1, 1u << 31);
		return 0;
	case KEY_RECORD:
		o->setup.record = arg;
		return 0;
	case KEY_INPUT_FORMAT:
		o->input_format = (enum trace_format)choice(state, "input-format", arg,
							    trace_format_names, TRACE_FORMATS);
		return 0;
	case KEY_LIST:
		o->list = 1;
		return 0;
	case KEY_PICTURES:
		o->setup.pictures = arg;
		return 0;
	case KEY_ROUTINES:
		o->routines = 1;
		return 0;
	case KEY_CHARACTERIZE:
		o->characterize = 1;
		return 0;
	case KEY_FORMAT:
		if (report_format_parse(arg, &o->format))
			argp_error(state, "--format: table, csv or json is expected, not '%s'",
				   arg);
		return 0;
	case 'o':
		o->output = arg;
		return 0;
	default:
		return guest_option(key, arg, state);
	}
}

static void vcpus_check(struct argp_state *state, const struct parse *parse)
{
	const struct sim_options *o = parse->options;

	if (o->smp.n_vcpus == 0) {
		if (parse->of_vcpus)
			argp_error(state, "--smp-policy, --domains, --pcpus, --nodes, --placement "
					  "and --vm-stat go with --vcpus");
		return;
	}
	if (!o->workload)
		argp_error(state, "--vcpus takes a --workload, not traces");
	if (o->setup.swap_bytes > 0)
		argp_error(state, "--vcpus: a guest of several vCPUs has no swap");
	if (o->setup.record || o->setup.pictures || o->routines || o->characterize ||
	    o->setup.warm_up_inst > 0 || o->size)
		argp_error(state, "--vcpus goes without --record, --pictures, --routines, "
				  "--characterize, --warm-up and --size");
	if (parse->controller.given || parse->window_inst ||
	    o->setup.modes != (1u << RUN_MODES) - 1)
		argp_error(state, "--vcpus goes without --preset, --config, --set, --start, "
				  "--window-inst and --modes: no controller runs there");
}

static size_t standard_inputs(const struct sim_options *o)
{
	size_t n = 0, i;

	for (i = 0; i < o->n_traces; i++)
		n += !strcmp(o->traces[i], "-");
	return n;
}

static void input_check(struct argp_state *state, const struct parse *parse)
{
	const struct sim_options *o = parse->options;

	if (o->list)
		return;
	if (o->workload && o->n_traces > 0)
		argp_error(state, "a workload or traces, not both");
	if (o->setup.guest_page == DAV2M_SIM_1G && o->setup.tables == DAV2M_SIM_LEVELS_2)
		argp_error(state, "--guest-pages 1g needs --guest-tables 4 or 5");
	if (o->characterize && o->routines)
		argp_error(state, "--characterize or --routines, not both");
	if (o->size && (!o->workload || !o->workload->size))
		argp_error(state, "--size: this input has none");
	else if (o->size && (o->size < o->workload->size_min || o->size > o->workload->size_max))
		argp_error(state, "--size: %s has sizes in [%lu, %lu]", o->workload->name,
			   (unsigned long)o->workload->size_min,
			   (unsigned long)o->workload->size_max);
	if (!o->workload && o->n_traces == 0)
		argp_error(state, "a trace or --workload is needed; - is the standard input");
	if (!o->workload && parse->of_workload)
		argp_error(state, "--seed and --scale go with --workload: a trace is as it was "
				  "recorded");
	if (standard_inputs(o) > 1)
		argp_error(state, "only one trace can come from the standard input");
	vcpus_check(state, parse);
	/* Each trace is a process, and 0 is the guest kernel's own. */
	if (o->n_traces >= DAV2M_SIM_PIDS)
		argp_error(state, "more traces than a guest has processes");
}

/* The inputs have ticks for the paper's controller, shorter than its own as they are shorter than
   the programs it is meant for. Other controllers get theirs in the same proportion. */
static uint32_t window_of(const struct controller_options *controller,
			  const struct dav2m_sim_workload *workload)
{
	const uint64_t window = workload ? workload->window_inst : TRACE_WINDOW_INST;
	struct dav2m_config paper = {.size = sizeof(paper)};

	dav2m_config_preset(DAV2M_PRESET_PAPER, &paper);
	return (uint32_t)(window * controller->preset.window_inst / paper.window_inst);
}

static void config_finish(struct argp_state *state, struct parse *parse)
{
	struct dav2m_config *config = &parse->options->setup.config;
	const struct controller_options *controller = &parse->controller;
	const struct dav2m_sim_workload *workload = parse->options->workload;
	struct dav2m_config_fault fault;

	*config = controller->config;
	parse->options->setup.start = controller->start;
	if (parse->window_inst)
		config->window_inst = parse->window_inst;
	else if (!controller_options_have(controller, "window_inst"))
		config->window_inst = window_of(controller, workload);
	controller_thresholds_scale(config, controller, controller->preset.window_inst,
				    config->window_inst);
	if (dav2m_config_check(config, &fault))
		argp_error(state, "%s %s", fault.field, fault.rule);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;
	struct sim_options *o = parse->options;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &parse->controller;
		return 0;
	case ARGP_KEY_ARGS:
		o->traces = state->argv + state->next;
		o->n_traces = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		input_check(state, parse);
		config_finish(state, parse);
		return 0;
	default:
		return input_option(key, arg, state);
	}
}

void sim_options_parse(int argc, char **argv, struct sim_options *ret_options)
{
	static const struct argp_child children[] = {{&controller_argp, 0, NULL, 4},
						     {NULL, 0, NULL, 0}};
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.args_doc = "TRACE...\n--workload NAME",
		.doc = "Simulate native, shadow and nested paging, and the controller between the "
		       "two, on what `dav2m trace` and others recorded of real programs, or on a "
		       "workload."
		       "\vSeveral traces run one after another in one guest. Thresholds are per "
		       "window: unless they are set, they shrink with --window-inst.",
		.children = children};
	struct parse parse = {.options = ret_options};
	struct run_setup *setup = &ret_options->setup;

	memset(ret_options, 0, sizeof(*ret_options));
	setup->machine = dav2m_sim_machine_find("opteron2350");
	setup->cost = dav2m_sim_cost_find("palacios2011");
	guest_set(setup, dav2m_sim_guest_find("plain"));
	setup->modes = (1u << RUN_MODES) - 1;
	controller_options_init(&parse.controller);
	ret_options->smp.cost = dav2m_smp_cost_find("xen3-smp");
	ret_options->smp.domains = 1;
	ret_options->smp.nodes = 4; /* a 16-way server of that time */
	ret_options->seed = 1;
	ret_options->scale_bp = DAV2M_ONE_BP;
	argp_parse(&argp, argc, argv, 0, NULL, &parse);
}
