/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The adapter: libdav2m's view of this hypervisor, and all that a VMM has to write. Three
 * callbacks - read the counters, carry out a switch, see a decision - and two places to call
 * from: each paging exit, and a clock.
 */
#include <dav2m/dav2m.h>

#include "hypervisor.h"

/*
 * The library's defaults are made for 2 GHz and minutes. A run here lasts some hundred million
 * instructions, so what is measured in work shrinks: a tick from 1e8 to 2e6 instructions, and
 * both thresholds with it, from 1e4 exits and 1e6 misses to 1/50 of that, so that the rates per
 * instruction that they stand for remain. All that is counted in ticks stays.
 */
#define SCALE 50

/* Decisions are kept until the guest is done: printing them at once would cost cycles that the
   controller then measures. */
#define DECISIONS 4096

static struct dav2m controller;
static struct dav2m_config config = {.size = sizeof(config)};
static struct dav2m_decision decision[DECISIONS];
static uint32_t decisions, unrecorded;
static uint64_t switch_cycles;

static enum paging to_paging(enum dav2m_mode mode)
{
	return mode == DAV2M_SHADOW ? PAGING_SHADOW : PAGING_NESTED;
}

static enum dav2m_mode from_paging(enum paging paging)
{
	return paging == PAGING_SHADOW ? DAV2M_SHADOW : DAV2M_NESTED;
}

/* Paging exits are not among them: the controller counts those itself, one by one. */
static int read_counters(void *vm, struct dav2m_sample *ret_sample)
{
	struct counters c;

	(void)vm;
	if (!counters_read(&c))
		return 0;
	ret_sample->value[DAV2M_PROGRESS] = c.guest_instructions;
	ret_sample->value[DAV2M_CYCLES] = c.cycles;
	ret_sample->value[DAV2M_TLB_MISSES] = c.tlb_misses;
	ret_sample->valid =
		DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES) | DAV2M_BIT(DAV2M_TLB_MISSES);
	if (c.has_walk_cycles) {
		ret_sample->value[DAV2M_WALK_CYCLES] = c.walk_cycles;
		ret_sample->valid |= DAV2M_BIT(DAV2M_WALK_CYCLES);
	}
	return 0;
}

/* Between two exits this hypervisor can always switch; another one might answer DEFERRED. */
static enum dav2m_outcome switch_mode(void *vm, enum dav2m_mode to, uint64_t *ret_cycles)
{
	struct counters before = {0}, after = {0};

	counters_read(&before);
	switch_paging(vm, to_paging(to));
	counters_read(&after);
	*ret_cycles = after.cycles - before.cycles;
	switch_cycles += *ret_cycles;
	return DAV2M_DONE;
}

static void trace(void *vm, const struct dav2m_decision *made)
{
	(void)vm;
	if (made->reason == DAV2M_WAITING)
		return;
	if (decisions < DECISIONS)
		decision[decisions++] = *made;
	else
		unrecorded++;
}

static const struct dav2m_backend backend = {
	.read_counters = read_counters, .switch_mode = switch_mode, .trace = trace};

/* Any field of the config may be given on the command line by its name. */
static void config_from_options(void)
{
	const struct dav2m_config_field *field;
	uint32_t value;

	for (size_t i = 0; (field = dav2m_config_field(i)); i++) {
		dav2m_config_get(&config, field->name, &value);
		value = (uint32_t)option_number(field->name, value);
		if (dav2m_config_set(&config, field->name, value))
			stop(field->name, value);
	}
}

/*
 * How long the timer should run. Under -icount one of its ticks is one instruction, the
 * hypervisor's included, so a little more than window_inst, or every second look would come just
 * before its tick is complete.
 */
uint64_t adapter_period(void)
{
	return config.window_inst + config.window_inst / 32;
}

/* Pinned, the library looks on and the paging stays as it is. */
void adapter_init(struct vcpu *v, bool pinned)
{
	struct dav2m_config_fault fault;

	dav2m_config_preset(DAV2M_PRESET_REPAIRED, &config);
	config.window_inst /= SCALE;
	config.threshold_vmexit /= SCALE;
	config.threshold_tmiss /= SCALE;
	config_from_options();
	if (dav2m_config_check(&config, &fault)) {
		print("%s ", fault.field);
		stop(fault.rule, 0);
	}
	if (dav2m_init(&controller, &config, from_paging(v->paging)))
		stop("dav2m_init", 0);
	if (pinned)
		dav2m_pin(&controller,
			  v->paging == PAGING_SHADOW ? DAV2M_PIN_SHADOW : DAV2M_PIN_NESTED);
}

/*
 * One sampling point. Between an exit and the next entry is the one place where a switch is safe,
 * and there both callers are.
 */
void adapter_tick(struct vcpu *v)
{
	dav2m_drive(&controller, &backend, v, NULL);
}

/* On each paging exit: counted, and once in a while worth a look at once. */
void adapter_paging_exit(struct vcpu *v)
{
	if (dav2m_paging_exits(&controller, 1))
		adapter_tick(v);
}

void adapter_report(void)
{
	struct dav2m_explanation why;

	for (uint32_t i = 0; i < decisions; i++) {
		const struct dav2m_decision *d = &decision[i];

		print("decision: tick %u %s -> %s, %s, edge %u, %s %s\n", d->tick,
		      dav2m_state_name(d->from), dav2m_state_name(d->to),
		      dav2m_reason_name(d->reason), (uint64_t)d->edge, dav2m_action_name(d->action),
		      dav2m_mode_name(d->mode));
	}
	dav2m_explain(&controller, &why);
	for (int i = 0; i < DAV2M_REASONS; i++)
		if (why.count[i])
			print("samples: %s %u\n", dav2m_reason_name((enum dav2m_reason)i),
			      (uint64_t)why.count[i]);
	print("ticks: %u in shadow, %u in nested; switch cycles: %u; decisions not recorded: %u\n",
	      (uint64_t)why.mode_ticks[DAV2M_SHADOW], (uint64_t)why.mode_ticks[DAV2M_NESTED],
	      switch_cycles, (uint64_t)unrecorded);
}
