/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one function that calls back: sample, decide, switch, acknowledge.
 */
#include <dav2m/backend.h>

static int carry_out(struct dav2m *ctl, const struct dav2m_backend *backend, void *vm,
		     enum dav2m_mode to)
{
	enum dav2m_outcome outcome = DAV2M_DEFERRED;
	uint64_t cycles = 0;

	if (backend->switch_mode)
		outcome = backend->switch_mode(vm, to, &cycles);
	if ((unsigned int)outcome < DAV2M_OUTCOMES)
		return dav2m_acknowledge(ctl, outcome, cycles);
	dav2m_acknowledge(ctl, DAV2M_FAILED, cycles);
	return DAV2M_ERR_RANGE;
}

int dav2m_drive(struct dav2m *ctl, const struct dav2m_backend *backend, void *vm,
		struct dav2m_decision *ret_decision)
{
	struct dav2m_sample sample = {.valid = 0};
	struct dav2m_decision decision;
	int error;

	if (!ctl || !backend || !backend->read_counters)
		return DAV2M_ERR_NULL;
	if (backend->read_counters(vm, &sample))
		return DAV2M_ERR_BACKEND;
	error = dav2m_sample(ctl, &sample, &decision);
	if (error)
		return error;
	if (backend->trace)
		backend->trace(vm, &decision);
	if (ret_decision)
		*ret_decision = decision;
	/* trace may have pinned the mode. */
	if (ctl->asked)
		return carry_out(ctl, backend, vm, decision.mode);
	return DAV2M_OK;
}
