/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run: what the command line asks for, the loop, the report.
 *
 *     mode=nested | shadow | flip | timer | adaptive | observed
 *                 observed: shadow, with libdav2m looking on
 *     every=N     flip: switch after each N-th exit
 *     period=N    timer, adaptive: APIC timer ticks between timer exits
 *     tables=N    shadow pages at most, to see what happens when they run out
 *     rounds=, work=, pages=, yield=   the guest's, see guest/kernel.c
 *     verbose=1   also print each phase's checksum as the guest reports it
 *     <field>=N   adaptive: any field of struct dav2m_config
 */
#include <string.h>

#include "hypervisor.h"

#define MULTIBOOT_MAGIC	       0x2badb002
#define MULTIBOOT_COMMAND_LINE 4 /* flag; the pointer is the fifth word */

enum run_mode {
	RUN_NESTED,
	RUN_SHADOW,
	RUN_FLIP,
	RUN_TIMER,
	RUN_ADAPTIVE,
	RUN_OBSERVED,
	RUN_MODES
};

static const char *const run_name[RUN_MODES] = {"nested", "shadow",   "flip",
						"timer",  "adaptive", "observed"};
static const char *command_line = "";
static uint64_t every;

/* The text after "name=" where that starts a word of the command line, or NULL. */
static const char *option_find(const char *name)
{
	for (const char *p = command_line; *p; p++) {
		size_t n = 0;

		if (p != command_line && p[-1] != ' ')
			continue;
		while (name[n] && p[n] == name[n])
			n++;
		if (!name[n] && p[n] == '=')
			return p + n + 1;
	}
	return NULL;
}

uint64_t option_number(const char *name, uint64_t fallback)
{
	const char *p = option_find(name);
	uint64_t value = 0;

	if (!p)
		return fallback;
	if (*p < '0' || *p > '9')
		stop("option that is not a number", 0);
	while (*p >= '0' && *p <= '9')
		value = value * 10 + (uint64_t)(*p++ - '0');
	if (*p && *p != ' ')
		stop("option that is not a number", value);
	return value;
}

bool option_is(const char *name, const char *value)
{
	const char *p = option_find(name);

	while (p && *value && *p == *value) {
		p++;
		value++;
	}
	return p && !*value && (!*p || *p == ' ');
}

static enum run_mode mode_asked(void)
{
	for (int i = 0; i < RUN_MODES; i++)
		if (option_is("mode", run_name[i]))
			return (enum run_mode)i;
	stop("no mode= on the command line, or an unknown one", 0);
}

static void flip(struct vcpu *v)
{
	switch_paging(v, v->paging == PAGING_SHADOW ? PAGING_NESTED : PAGING_SHADOW);
}

/* What each mode does between an exit and the next entry. */
static void after_exit(struct vcpu *v, enum run_mode mode, bool paging_exit, bool timer)
{
	switch (mode) {
	case RUN_FLIP:
		if (v->count.exits % every == 0)
			flip(v);
		return;
	case RUN_TIMER:
		if (timer)
			flip(v);
		return;
	case RUN_ADAPTIVE:
	case RUN_OBSERVED:
		if (timer)
			adapter_tick(v);
		else if (paging_exit)
			adapter_paging_exit(v);
		return;
	case RUN_NESTED:
	case RUN_SHADOW:
	case RUN_MODES:
		return;
	}
}

static void run(struct vcpu *v, enum run_mode mode)
{
	uint64_t usual = mode == RUN_ADAPTIVE ? adapter_period() : 1000000;
	uint64_t period = option_number("period", usual);
	bool timed = mode == RUN_TIMER || mode == RUN_ADAPTIVE;
	bool timer = timed;

	every = option_number("every", 1);
	if (every == 0)
		stop("every=0", 0);
	while (!v->guest_done) {
		bool paging_exit;

		if (timer)
			timer_arm(period);
		vcpu_run(v);
		timer = v->vmcb->exit_code == EXIT_INTR;
		paging_exit = exit_handle(v);
		v->count.paging_exits += paging_exit;
		after_exit(v, mode, paging_exit, timer);
	}
}

static void report(const struct vcpu *v)
{
	const struct statistics *c = &v->count;

	print("exits: %u total, %u paging, %u nested faults, %u timer, %u hypercalls\n", c->exits,
	      c->paging_exits, c->nested_faults, c->timer_exits, c->hypercalls);
	print("shadow: %u filled, %u reflected, %u spurious, %u table writes, %u cr3 loads, %u "
	      "invlpg\n",
	      c->filled, c->reflected, c->spurious, c->table_writes, c->cr3_loads, c->invlpgs);
	print("redelivered: %u\n", c->redelivered);
	print("switches: %u to shadow in %u ticks, %u to nested in %u ticks\n",
	      c->switches[PAGING_SHADOW], c->switch_ticks[PAGING_SHADOW],
	      c->switches[PAGING_NESTED], c->switch_ticks[PAGING_NESTED]);
	counters_print();
	print("checksum: %x\n", v->guest_checksum);
}

void hypervisor_main(uint32_t magic, const uint32_t *multiboot)
{
	static struct vcpu vcpu;
	enum run_mode mode;
	bool shadow;

	if (magic == MULTIBOOT_MAGIC && (multiboot[0] & MULTIBOOT_COMMAND_LINE))
		command_line = (const char *)(uint64_t)multiboot[4];
	log_init();
	mode = mode_asked();
	machine_init();
	vcpu_init(&vcpu);
	vcpu_flush(&vcpu);
	shadow = mode == RUN_SHADOW || mode == RUN_OBSERVED;
	switch_paging(&vcpu, shadow ? PAGING_SHADOW : PAGING_NESTED);
	vcpu.count = (struct statistics){0}; /* that was the start, not a switch */
	counters_init(vcpu.vmcb);
	print("mode: %s, counters: %s\n", run_name[mode], counters_name());
	if (mode == RUN_ADAPTIVE || mode == RUN_OBSERVED)
		adapter_init(&vcpu, mode == RUN_OBSERVED);
	run(&vcpu, mode);
	if (mode == RUN_ADAPTIVE)
		adapter_report();
	report(&vcpu);
	leave(0);
}
