/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm-reload: a VMM that changes its guest's paging mode on an unmodified kernel, by saving the
 * vCPU, reloading the kvm module in the other mode and making the VM again on the same memory.
 * libdav2m decides when, libdav2m-kvm does it.
 *
 * Runs the guest of examples/kvm-guest through a script and prints its checksum, which must be
 * the same in every mode and however often the mode was switched. Needs root, and a host on which
 * no other VM runs. With --user the same switch goes through the callback that a VMM with a switch
 * of its own would supply.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <dav2m/kvm/kvm.h>

#include "fail.h"
#include "run.h"
#include "vm.h"

#define LINGER_MS 500 /* before and after the work, for a recorder that looks each 20 ms */

enum run_kind { RUN_STATIC, RUN_FORCED, RUN_ADAPTIVE };

struct options {
	const char *module;
	const char *path;
	enum dav2m_mode start;
	enum run_kind kind;
	unsigned int interval_ms;
	unsigned int rounds;
	unsigned int scale;
	enum fail_step fail;
	int user;
	const char *progress;
};

struct machine {
	struct guest_vm vm;
	struct dav2m_kvm_state *state;
	struct dav2m_kvm_vcpu counters;
	struct dav2m controller;
	struct dav2m_kvm_reload reload;
	struct dav2m_kvm_drive drive;
	struct dav2m_kvm_module module;
	struct fail fail;
	struct dav2m_kvm_fault fault;
	unsigned int outcome[DAV2M_OUTCOMES];
	unsigned int resumed;
	unsigned int refused; /* faults printed so far */
	int progress_fd;
	uint64_t switch_ns;
	uint64_t forced_work; /* the guest's, at the last sample that forced a switch */
	uint32_t window_work; /* the controller's window_inst */
};

static const struct argp_option option_list[] = {
	{"module", 'm', "NAME", 0, "kvm_amd (default) or kvm_intel", 0},
	{"path", 'k', "FILE", 0, "the module's .ko file", 0},
	{"start", 's', "MODE", 0, "shadow or nested (default)", 0},
	{"forced", 'f', NULL, 0, "switch after every window of the controller's", 0},
	{"adaptive", 'a', NULL, 0, "let the controller decide", 0},
	{"interval", 'i', "MS", 0, "time between samples (default 100 ms)", 0},
	{"rounds", 'n', "N", 0, "how often to go through the phases (default 4)", 0},
	{"scale", 'x', "N", 0, "length of the phases (default 1)", 0},
	{"fail", 'F', "STEP", 0,
	 "make the second switch fail: save, busy, load, mode, open, restore, stop", 0},
	{"user", 'u', NULL, 0, "switch by the VMM's own callback instead of the library's", 0},
	{"progress", 'p', "FILE", 0,
	 "write the work done to FILE at each sample, and wait a while at both ends: for "
	 "dav2m kvm record --wait --progress=FILE",
	 0},
	{NULL, 0, NULL, 0, NULL, 0},
};

static unsigned int number(const char *text, struct argp_state *state)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n < 1 || n > 1000000)
		argp_error(state, "'%s' is not a number from 1 to 1000000", text);
	return (unsigned int)n;
}

static enum dav2m_mode mode_parse(const char *text, struct argp_state *state)
{
	if (!strcmp(text, "shadow"))
		return DAV2M_SHADOW;
	if (strcmp(text, "nested"))
		argp_error(state, "'%s' is neither shadow nor nested", text);
	return DAV2M_NESTED;
}

static error_t option_parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	if (key == 'm')
		options->module = arg;
	else if (key == 'k')
		options->path = arg;
	else if (key == 's')
		options->start = mode_parse(arg, state);
	else if (key == 'f')
		options->kind = RUN_FORCED;
	else if (key == 'a')
		options->kind = RUN_ADAPTIVE;
	else if (key == 'i')
		options->interval_ms = number(arg, state);
	else if (key == 'n')
		options->rounds = number(arg, state);
	else if (key == 'x')
		options->scale = number(arg, state);
	else if (key == 'u')
		options->user = 1;
	else if (key == 'p')
		options->progress = arg;
	else if (key == 'F') {
		options->fail = fail_parse(arg);
		if (options->fail == FAIL_NOTHING)
			argp_error(state, "'%s' is not a step of a switch", arg);
	} else if (key == ARGP_KEY_END) {
		if (!options->path)
			argp_error(state, "--path is missing");
	} else {
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* The four callbacks of <dav2m/kvm/reload.h>. */

static int vm_save(void *arg)
{
	struct machine *machine = arg;

	if (fail_now(&machine->fail, FAIL_SAVE))
		return EIO;
	if (guest_vcpu_quiesce(&machine->vm, 0))
		return errno;
	return dav2m_kvm_state_save(machine->state, machine->vm.vcpu[0].fd, &machine->fault)
		       ? machine->fault.code
		       : 0;
}

static void vm_close(void *arg)
{
	struct machine *machine = arg;

	dav2m_kvm_vcpu_detach(&machine->counters);
	guest_vm_close(&machine->vm);
	fail_after_close(&machine->fail);
}

static int vm_open(void *arg, enum dav2m_mode mode)
{
	struct machine *machine = arg;

	if (fail_now(&machine->fail, FAIL_OPEN))
		return ENOMEM;
	if (guest_vm_open(&machine->vm))
		return errno ? errno : EIO;
	if (!dav2m_kvm_vcpu_attach(&machine->counters, machine->vm.vcpu[0].fd, mode,
				   &machine->fault))
		return 0;
	guest_vm_close(&machine->vm);
	return machine->fault.code;
}

static int vm_restore(void *arg)
{
	struct machine *machine = arg;
	int fd = fail_now(&machine->fail, FAIL_RESTORE) ? -1 : machine->vm.vcpu[0].fd;

	return dav2m_kvm_state_restore(machine->state, fd, &machine->fault) ? machine->fault.code
									    : 0;
}

static const struct dav2m_kvm_reload_vm vm_callbacks = {
	.save = vm_save,
	.close = vm_close,
	.open = vm_open,
	.restore = vm_restore,
};

/*
 * What <dav2m/kvm/drive.h> asks of a VMM with a switch of its own, here made of the same four
 * steps. The one vCPU is out of KVM_RUN, and its thread is this one: what the switch costs is
 * what its cycles grow by.
 */
static enum dav2m_outcome user_switch(void *arg, enum dav2m_mode to, uint64_t *ret_cycles)
{
	struct machine *machine = arg;
	struct dav2m_sample before, after;
	int known = !dav2m_kvm_vcpu_sample(&machine->counters, &before, NULL);
	enum dav2m_outcome outcome = dav2m_kvm_reload_switch(&machine->reload, to);

	known = known && !dav2m_kvm_vcpu_sample(&machine->counters, &after, NULL);
	if (known && before.valid & after.valid & DAV2M_BIT(DAV2M_CYCLES))
		*ret_cycles += after.value[DAV2M_CYCLES] - before.value[DAV2M_CYCLES];
	if (outcome != DAV2M_DONE)
		machine->drive.fault = machine->reload.fault;
	return outcome;
}

/*
 * Progress is the guest's own count. So are TLB misses: there is no PMU in software emulation,
 * and an operation on a random page of 16 MiB misses any TLB of that emulation.
 */
static int guest_counts(void *arg, struct dav2m_sample *sample)
{
	const volatile struct guest_board *board = ((struct machine *)arg)->vm.vcpu[0].board;

	sample->value[DAV2M_PROGRESS] = board->work;
	sample->value[DAV2M_TLB_MISSES] = board->far;
	sample->valid = DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_TLB_MISSES);
	return 0;
}

static void script_write(struct guest_board *board, const struct options *options)
{
	/* Rounds of each phase, for phases of about the same length in software emulation. */
	static const struct guest_step part[] = {{GUEST_CALM, 60},  {GUEST_COLD, 12},
						 {GUEST_REMAP, 24}, {GUEST_CALM, 60},
						 {GUEST_FAULT, 24}, {GUEST_SPACE, 24}};
	const unsigned int n = sizeof(part) / sizeof(part[0]);

	while (board->steps + n <= GUEST_STEPS && board->steps < options->rounds * n) {
		memcpy(&board->script[board->steps], part, sizeof(part));
		for (unsigned int i = 0; i < n; i++)
			board->script[board->steps + i].rounds *= options->scale;
		board->steps += n;
	}
}

static int fault_report(const struct dav2m_kvm_fault *fault)
{
	char text[400];

	fprintf(stderr, "kvm-reload: %s\n", dav2m_kvm_fault_text(fault, text, sizeof(text)));
	return -1;
}

/* The module must be in the starting mode, whatever was there before. */
static int module_start(struct machine *machine, enum dav2m_mode mode)
{
	enum dav2m_mode running;
	int code;

	if (!dav2m_kvm_modules.running(&machine->module, &running) && running == mode)
		return 0;
	dav2m_kvm_modules.unload(&machine->module);
	code = dav2m_kvm_modules.load(&machine->module, mode);
	if (!code && !dav2m_kvm_modules.running(&machine->module, &running) && running == mode)
		return 0;
	fprintf(stderr, "kvm-reload: cannot load %s with %s=%d: %s\n", machine->module.path,
		machine->module.parameter, mode == DAV2M_NESTED, strerror(code ? code : ENODEV));
	return -1;
}

static int counters_open(struct machine *machine, enum dav2m_mode mode)
{
	struct dav2m_kvm_vcpu_setup setup = DAV2M_KVM_VCPU_SETUP;

	setup.vcpu_fd = machine->vm.vcpu[0].fd;
	setup.tid = (int)syscall(SYS_gettid);
	setup.mode = mode;
	setup.own = guest_counts;
	setup.arg = machine;
	return dav2m_kvm_vcpu_open(&machine->counters, &setup, &machine->fault);
}

static void machine_wire(struct machine *machine, const struct options *options)
{
	machine->fail.step = options->fail;
	machine->fail.modules_arg = &machine->module;
	machine->reload.vm = &vm_callbacks;
	machine->reload.vm_arg = machine;
	machine->reload.modules = &fail_modules; /* the real ones, until they are to fail */
	machine->reload.modules_arg = &machine->fail;
	machine->reload.mode = options->start;
	machine->drive.vcpu = &machine->counters;
	machine->drive.vcpus = 1;
	machine->drive.mechanism = options->user ? DAV2M_KVM_USER : DAV2M_KVM_RELOAD;
	machine->drive.reload = options->user ? NULL : &machine->reload;
	machine->drive.user = user_switch;
	machine->drive.user_arg = machine;
}

static int machine_start(struct machine *machine, const struct options *options)
{
	struct dav2m_config config;

	machine->module.name = options->module;
	machine->module.path = options->path;
	machine->module.parameter = strcmp(options->module, "kvm_intel") ? "npt" : "ept";
	machine->module.sysfs = "/sys";
	machine_wire(machine, options);
	if (module_start(machine, options->start))
		return -1;
	if (guest_memory_create(&machine->vm, 1, 4096, 1024) || guest_vm_open(&machine->vm) ||
	    guest_vcpu_reset(&machine->vm, 0)) {
		fprintf(stderr, "kvm-reload: %s\n", machine->vm.error);
		return -1;
	}
	script_write(machine->vm.vcpu[0].board, options);
	if (dav2m_kvm_state_new(machine->vm.kvm_fd, &machine->state, &machine->fault) ||
	    counters_open(machine, options->start))
		return fault_report(&machine->fault);
	guest_config(&config);
	machine->window_work = config.window_inst;
	return dav2m_init(&machine->controller, &config, options->start);
}

/* A stopped VM keeps its memory and its saved state: mend what failed, and resume. */
static int machine_resume(struct machine *machine)
{
	fail_mend(&machine->fail);
	machine->resumed++;
	if (!dav2m_kvm_reload_resume(&machine->reload))
		return 0;
	return fault_report(&machine->reload.fault);
}

/* What a switch that was refused has left behind. */
static int refusal_note(struct machine *machine)
{
	if (machine->drive.fault.what) {
		fault_report(&machine->drive.fault);
		machine->drive.fault.what = NULL;
		machine->refused++;
	}
	return machine->reload.stopped ? machine_resume(machine) : 0;
}

/* A pin is obeyed at once, and a switch takes longer than the guest then runs: to switch at every
   sample would be to do little else. */
static void force(struct machine *machine)
{
	const volatile struct guest_board *board = machine->vm.vcpu[0].board;

	if (board->work - machine->forced_work < machine->window_work)
		return;
	machine->forced_work = board->work;
	dav2m_pin(&machine->controller,
		  machine->reload.mode == DAV2M_SHADOW ? DAV2M_PIN_NESTED : DAV2M_PIN_SHADOW);
}

/* One sampling point: between two KVM_RUNs, where a switch is possible. */
static int sample(struct machine *machine, const struct options *options)
{
	struct dav2m_decision decision;
	enum dav2m_mode mode = machine->reload.mode;
	int error;

	if (options->kind == RUN_FORCED)
		force(machine);
	error = dav2m_drive(&machine->controller, &dav2m_kvm_backend, &machine->drive, &decision);
	if (error) {
		fprintf(stderr, "kvm-reload: %s\n", dav2m_error_name((enum dav2m_error)error));
		return fault_report(&machine->drive.fault);
	}
	if (machine->reload.mode != mode) {
		machine->outcome[DAV2M_DONE]++;
		machine->switch_ns += machine->reload.last_ns;
	}
	return refusal_note(machine);
}

static struct kvm_run *volatile alarm_run; /* of the vCPU that the alarm is to stop, or NULL */

/* Also while the VMM serves an exit: then the next KVM_RUN ends at once. */
static void alarmed(int signal)
{
	struct kvm_run *run = alarm_run;

	(void)signal;
	if (run)
		run->immediate_exit = 1;
}

static void alarm_install(void)
{
	struct sigaction action = {.sa_handler = alarmed};

	sigaction(SIGALRM, &action, NULL);
}

/* Once, and again after each sample: a switch may take longer than the interval, and the guest
   must get its share. */
static void alarm_set(const struct options *options, struct kvm_run *run)
{
	struct itimerval timer = {
		.it_value = {.tv_sec = options->interval_ms / 1000,
			     .tv_usec = (suseconds_t)(options->interval_ms % 1000) * 1000}};

	run->immediate_exit = 0;
	alarm_run = run; /* another one after each switch */
	if (options->kind != RUN_STATIC || options->progress)
		setitimer(ITIMER_REAL, &timer, NULL);
}

/* The count only grows, and so does its length: it may be written over. */
static int progress_write(const struct machine *machine)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%llu\n",
			 (unsigned long long)machine->vm.vcpu[0].board->work);

	if (machine->progress_fd < 0 || pwrite(machine->progress_fd, text, (size_t)n, 0) == n)
		return 0;
	perror("kvm-reload: --progress");
	return -1;
}

static void linger(const struct machine *machine)
{
	struct timespec t = {.tv_nsec = LINGER_MS * 1000000l};

	while (machine->progress_fd >= 0 && nanosleep(&t, &t) && errno == EINTR)
		;
}

static int progress_open(struct machine *machine, const struct options *options)
{
	machine->progress_fd = -1;
	if (!options->progress)
		return 0;
	machine->progress_fd =
		open(options->progress, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (machine->progress_fd >= 0)
		return progress_write(machine);
	perror(options->progress);
	return -1;
}

static int machine_run(struct machine *machine, const struct options *options)
{
	enum guest_exit why;

	if (progress_open(machine, options))
		return -1;
	linger(machine);
	alarm_install();
	alarm_set(options, machine->vm.vcpu[0].run);
	while ((why = guest_vcpu_run(&machine->vm, 0)) == GUEST_INTERRUPTED) {
		if (progress_write(machine))
			return -1;
		if (options->kind != RUN_STATIC && sample(machine, options))
			return -1;
		alarm_set(options, machine->vm.vcpu[0].run);
	}
	alarm_run = NULL;
	if (progress_write(machine))
		return -1;
	linger(machine);
	if (why == GUEST_ENDED)
		return 0;
	fprintf(stderr, "kvm-reload: %s\n", machine->vm.error);
	return -1;
}

/* One line that a test can read. */
static void report(const struct machine *machine, const struct options *options)
{
	static const char *const kind[] = {"static", "forced", "adaptive"};
	const struct guest_board *board = machine->vm.vcpu[0].board;
	unsigned int done = machine->outcome[DAV2M_DONE];

	printf("kvm-reload: run=%s by=%s start=%s fail=%s checksum=%016llx faults=%llu work=%llu "
	       "switches=%u refused=%u resumed=%u switch_us=%llu\n",
	       kind[options->kind], options->user ? "user" : "library",
	       dav2m_mode_name(options->start), fail_name(options->fail),
	       (unsigned long long)board->checksum, (unsigned long long)board->faults,
	       (unsigned long long)board->work, done, machine->refused, machine->resumed,
	       (unsigned long long)(done ? machine->switch_ns / done / 1000 : 0));
}

static void machine_stop(struct machine *machine)
{
	dav2m_kvm_vcpu_close(&machine->counters);
	dav2m_kvm_state_free(machine->state);
	guest_vm_close(&machine->vm);
	guest_memory_free(&machine->vm);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {option_list,
					 option_parse,
					 NULL,
					 "Runs a guest and switches its paging mode by reloading "
					 "the kvm module.",
					 NULL,
					 NULL,
					 NULL};
	struct options options = {.module = "kvm_amd",
				  .start = DAV2M_NESTED,
				  .interval_ms = 100,
				  .rounds = 4,
				  .scale = 1};
	static struct machine machine;
	int failed;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	machine.vm.kvm_fd = machine.vm.vm_fd = -1;
	failed = machine_start(&machine, &options) || machine_run(&machine, &options);
	if (!failed)
		report(&machine, &options);
	machine_stop(&machine);
	return failed ? 1 : 0;
}
