/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulation as a VMM that libdav2m drives: counters out, mode switches in. The controller
 * sees nothing else of the simulation.
 */
#include <dav2m/sim/run.h>

static int read_counters(void *vm, struct dav2m_sample *ret_sample)
{
	const struct dav2m_sim_adapter *adapter = vm;

	dav2m_sim_sample(adapter->sim, ret_sample);
	/* Exits are counted where they happen. */
	ret_sample->valid &= ~DAV2M_BIT(DAV2M_PAGING_EXITS);
	return 0;
}

static uint64_t switching_cycles(const struct dav2m_sim *sim)
{
	struct dav2m_sim_counts counts;

	dav2m_sim_count(sim, &counts);
	return counts.cycles[DAV2M_SIM_SWITCHING];
}

static enum dav2m_outcome switch_mode(void *vm, enum dav2m_mode to, uint64_t *ret_cycles)
{
	const struct dav2m_sim_adapter *adapter = vm;
	const uint64_t before = switching_cycles(adapter->sim);

	if (dav2m_sim_switch(adapter->sim, to) < 0)
		return DAV2M_FAILED;
	*ret_cycles += switching_cycles(adapter->sim) - before;
	return DAV2M_DONE;
}

static void trace(void *vm, const struct dav2m_decision *decision)
{
	const struct dav2m_sim_adapter *adapter = vm;

	if (adapter->trace != NULL)
		adapter->trace(adapter->context, decision);
}

const struct dav2m_backend *dav2m_sim_backend(void)
{
	static const struct dav2m_backend backend = {
		.read_counters = read_counters, .switch_mode = switch_mode, .trace = trace};

	return &backend;
}

void dav2m_sim_adapter_sample(void *vm, struct dav2m_sim *sim, int at_window)
{
	struct dav2m_sim_adapter *adapter = vm;
	int error;

	dav2m_sim_charge_sample(sim, at_window);
	error = dav2m_drive(adapter->controller, dav2m_sim_backend(), adapter, NULL);
	if (error < 0 && adapter->error == 0)
		adapter->error = error;
}

int dav2m_sim_adapter_paging_exit(void *vm)
{
	struct dav2m_sim_adapter *adapter = vm;

	return dav2m_paging_exits(adapter->controller, 1);
}
