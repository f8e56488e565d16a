/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the controller knows, for people: nothing here decides anything.
 */
#include "core.h"

static struct dav2m_sums window_of(const struct dav2m *ctl)
{
	return (struct dav2m_sums){
		.progress = ctl->window_progress,
		.cycles = ctl->window_cycles,
		.tlb_misses = ctl->window_tlb_misses,
		.paging_exits = ctl->exits,
		.ticks = ctl->window_ticks,
	};
}

/* Sums of raw counts: a mean of ratios would weigh a short tick like a long one. */
static struct dav2m_sums smooth(const struct dav2m *ctl)
{
	struct dav2m_sums sums = {.ticks = ctl->steps};

	for (unsigned int i = 0; i < ctl->steps; i++) {
		sums.progress += (uint64_t)ctl->step[i].progress << ctl->step_shift;
		sums.cycles += (uint64_t)ctl->step[i].cycles << ctl->step_shift;
		sums.tlb_misses += ctl->step[i].tlb_misses;
		sums.paging_exits += ctl->step[i].paging_exits;
	}
	return sums;
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
		.available = ctl->meter.known,
		.wraps = ctl->meter.wraps,
		.window = window_of(ctl),
		.smoothed = smooth(ctl),
		.reference = {.progress = ctl->reference_progress, .cycles = ctl->reference_cycles},
		.tally = ctl->tally,
	};
	dav2m_judge_of(ctl)->explain(ctl, out);
	out->mode_ticks[DAV2M_NESTED] = nested_ticks(ctl);
	out->mode_ticks[DAV2M_SHADOW] = ctl->tick - nested_ticks(ctl);
	out->since[DAV2M_SHADOW] = since(ctl, DAV2M_SHADOW);
	out->since[DAV2M_NESTED] = since(ctl, DAV2M_NESTED);
	__builtin_memcpy(out->count, ctl->count, sizeof(out->count));
	return DAV2M_OK;
}
