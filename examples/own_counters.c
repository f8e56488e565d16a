/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VMM that brings its own counters, through callbacks.
 *
 * It cannot count guest instructions. What it has is the number of requests that the guest has
 * answered, which grows with the work and means the same in both modes: that is progress. Paging
 * exits come as a total, and the guest cannot be switched in the middle of an event injection.
 */
#include <stdio.h>

#include <dav2m/dav2m.h>

struct vm {
	enum dav2m_mode mode;
	uint64_t requests;
	uint64_t cycles;
	uint64_t tlb_misses;
	uint64_t paging_exits;
	unsigned slice;
	unsigned deferred;
};

/* The guest starts processes for half of the time, and searches a large table for the other. */
static void run_slice(struct vm *vm)
{
	int starts_processes = vm->slice / 60 % 2 == 0;
	uint64_t misses = starts_processes ? 10000 : 900000;
	uint64_t exits = starts_processes ? 25000 : 40;

	vm->slice++;
	vm->requests += 500;
	vm->tlb_misses += misses;
	vm->cycles += 100000000 + misses * (vm->mode == DAV2M_NESTED ? 90 : 25);
	if (vm->mode == DAV2M_SHADOW) {
		vm->paging_exits += exits;
		vm->cycles += exits * 4000;
	}
}

static void put(struct dav2m_sample *sample, enum dav2m_counter counter, uint64_t value)
{
	sample->value[counter] = value;
	sample->valid |= DAV2M_BIT(counter);
}

static int read_counters(void *opaque, struct dav2m_sample *ret_sample)
{
	const struct vm *vm = opaque;

	put(ret_sample, DAV2M_PROGRESS, vm->requests);
	put(ret_sample, DAV2M_CYCLES, vm->cycles);
	put(ret_sample, DAV2M_TLB_MISSES, vm->tlb_misses);
	put(ret_sample, DAV2M_PAGING_EXITS, vm->paging_exits);
	return 0;
}

static enum dav2m_outcome switch_mode(void *opaque, enum dav2m_mode to, uint64_t *ret_cycles)
{
	struct vm *vm = opaque;
	int injecting_event = vm->slice % 3 == 0;

	if (injecting_event) {
		vm->deferred++;
		return DAV2M_DEFERRED;
	}
	vm->mode = to;
	*ret_cycles = to == DAV2M_NESTED ? 50000000 : 100000000;
	vm->cycles += *ret_cycles;
	return DAV2M_DONE;
}

static void trace(void *opaque, const struct dav2m_decision *decision)
{
	const struct vm *vm = opaque;

	if (decision->action == DAV2M_SWITCH)
		printf("slice %u: %s -> %s, edge %u, %s\n", vm->slice,
		       dav2m_state_name(decision->from), dav2m_state_name(decision->to),
		       (unsigned)decision->edge, dav2m_reason_name(decision->reason));
}

/* One tick is the work of one slice: 500 requests. A request takes far more than a cycle, which the
   preset that judges by regret could not know: thresholds judge here. */
static int set_up(struct dav2m *ctl, enum dav2m_mode running)
{
	struct dav2m_config config = {.size = sizeof(config)};
	struct dav2m_config_fault fault;

	dav2m_config_preset(DAV2M_PRESET_REPAIRED, &config);
	config.window_inst = 500;
	if (dav2m_config_check(&config, &fault) == DAV2M_ERR_CONFIG)
		fprintf(stderr, "%s %s\n", fault.field, fault.rule);
	return dav2m_init(ctl, &config, running);
}

int main(void)
{
	static const struct dav2m_backend backend = {
		.read_counters = read_counters,
		.switch_mode = switch_mode,
		.trace = trace,
	};
	struct vm vm = {.mode = DAV2M_SHADOW};
	struct dav2m_explanation now;
	struct dav2m ctl;
	int error = set_up(&ctl, vm.mode);

	while (!error && vm.slice < 600) {
		run_slice(&vm);
		error = dav2m_drive(&ctl, &backend, &vm, NULL);
	}
	if (!error)
		error = dav2m_explain(&ctl, &now);
	if (error) {
		fprintf(stderr, "own_counters: %s\n", dav2m_error_name(error));
		return 1;
	}
	printf("%u ticks in shadow paging, %u in nested; %u switches, %u deferred\n",
	       (unsigned)now.mode_ticks[DAV2M_SHADOW], (unsigned)now.mode_ticks[DAV2M_NESTED],
	       (unsigned)(now.tally.switches[DAV2M_SHADOW] + now.tally.switches[DAV2M_NESTED]),
	       vm.deferred);
	return 0;
}
