/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the controller knows, for people: nothing here decides anything.
 */
#include "core.h"

static struct dav2m_sums window_of(const struct dav2m *ctl)
{
	return (struct dav2m_sums){
		.progress = dav2m_window_progress(ctl),
		.cycles = dav2m_window_cycles(ctl),
		.tlb_misses = dav2m_window_tlb_misses(ctl),
		.paging_exits = ctl->exits,
		.ticks = dav2m_window_ticks(ctl),
	};
}

static uint64_t since_step(uint64_t total, uint32_t then, uint8_t shift)
{
	return (uint64_t)((uint32_t)(total >> shift) - then) << shift;
}

/* Sums of raw counts: a mean of ratios would weigh a short tick like a long one. */
static struct dav2m_sums smooth(const struct dav2m *ctl)
{
	const uint64_t *total = ctl->meter.total;
	const struct dav2m_step *step;
	uint32_t from = ctl->steps_from;

	/* The youngest step that is old enough, or the first. */
	if (ctl->tick - from > DAV2M_SMOOTHING &&
	    (ctl->tick - DAV2M_SMOOTHING) / DAV2M_STEP_TICKS > from / DAV2M_STEP_TICKS)
		from = (ctl->tick - DAV2M_SMOOTHING) / DAV2M_STEP_TICKS * DAV2M_STEP_TICKS;
	step = &ctl->step[from / DAV2M_STEP_TICKS % DAV2M_STEPS];
	return (struct dav2m_sums){
		.progress = since_step(total[DAV2M_PROGRESS], step->progress, ctl->step_shift),
		.cycles = since_step(total[DAV2M_CYCLES], step->cycles, ctl->step_shift),
		.tlb_misses = since_step(total[DAV2M_TLB_MISSES], step->tlb_misses, 0),
		.ticks = ctl->tick - from,
	};
}

static uint32_t since(const struct dav2m *ctl, enum dav2m_mode mode)
{
	uint32_t ticks = ctl->tick - ctl->switched_at[mode];

	return ticks < ctl->config.window_trans ? ticks : ctl->config.window_trans;
}

static uint32_t nested_ticks(const struct dav2m *ctl)
{
	return dav2m_mode_of(ctl) == DAV2M_NESTED ? ctl->nested_ticks + ctl->tick
						  : ctl->nested_ticks;
}

int dav2m_explain(const struct dav2m *ctl, struct dav2m_explanation *ret_explanation)
{
	struct dav2m_explanation *out = ret_explanation;

	if (!ctl || !out)
		return DAV2M_ERR_NULL;
	if (ctl->magic != DAV2M_MAGIC)
		return DAV2M_ERR_UNINIT;
	*out = (struct dav2m_explanation){
		.state = (enum dav2m_state)ctl->state,
		.mode = dav2m_state_mode((enum dav2m_state)ctl->state),
		.asked = ctl->asked ? DAV2M_SWITCH : DAV2M_STAY,
		.pin = (enum dav2m_pin)ctl->pin,
		.reason = (enum dav2m_reason)ctl->last_reason,
		.available = ctl->meter.known & DAV2M_ALL_COUNTERS,
		.wraps = dav2m_meter_wraps(&ctl->meter),
		.resets = ctl->count[DAV2M_BACKWARD] + ctl->count[DAV2M_JUMP],
		.window = window_of(ctl),
		.smoothed = smooth(ctl),
		.tally = {.switches = {ctl->switches[0], ctl->switches[1]},
			  .deferred = ctl->deferred,
			  .failed = ctl->failed},
	};
	dav2m_judge_of(ctl)->explain(ctl, out);
	out->mode_ticks[DAV2M_NESTED] = nested_ticks(ctl);
	out->mode_ticks[DAV2M_SHADOW] = ctl->tick - nested_ticks(ctl);
	out->since[DAV2M_SHADOW] = since(ctl, DAV2M_SHADOW);
	out->since[DAV2M_NESTED] = since(ctl, DAV2M_NESTED);
	__builtin_memcpy(out->count, ctl->count, sizeof(out->count));
	return DAV2M_OK;
}
