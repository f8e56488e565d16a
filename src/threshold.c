/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paper's judge: two thresholds that learn (DAV2M, ICAC 2011, section 6).
 *
 *     leave shadow   when paging exits per window_vmexit > threshold_vmexit
 *     leave nested   when TLB misses per window_tmiss    > threshold_tmiss
 *     keep a probe   unless its CPI > the other mode's CPI x p_factor
 *     a lost probe   raises the threshold that started it, a kept one lowers it
 *     two switches of one direction within window_trans raise both
 *     window_trans ticks without a switch move both back towards where they started
 *
 * Everything is compared by cross-multiplication; nothing is divided but 32-bit thresholds.
 */
#include "core.h"

/* value x bp / 10000 in 32-bit divisions, saturating. bp <= 2^17. */
static uint32_t scale_bp(uint32_t value, uint32_t bp)
{
	/* whole: < 2^19 x 2^17; rest: 9999 x 2^17 < 2^31 */
	uint64_t whole = (uint64_t)(value / DAV2M_ONE_BP) * bp;
	uint64_t sum = whole + (value % DAV2M_ONE_BP) * bp / DAV2M_ONE_BP;

	return sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

static uint32_t clamp(uint32_t value, uint32_t initial, const struct dav2m_config *config)
{
	uint32_t min = initial / config->threshold_min_div;
	uint64_t max = (uint64_t)initial * config->threshold_max_times;

	/* At 0 the quietest window would be a crossing. */
	if (min == 0)
		min = 1;
	if (value < min)
		return min;
	return value > max ? (uint32_t)max : value;
}

static void raise(uint32_t *threshold, uint32_t initial, const struct dav2m_config *config)
{
	uint32_t raised = scale_bp(*threshold, DAV2M_ONE_BP + config->raise_bp);

	/* Rounding must not freeze a small threshold. */
	if (raised == *threshold && config->raise_bp && raised < UINT32_MAX)
		raised++;
	*threshold = clamp(raised, initial, config);
}

static void lower(uint32_t *threshold, uint32_t initial, const struct dav2m_config *config)
{
	uint32_t lowered = scale_bp(*threshold, DAV2M_ONE_BP - config->lower_bp);

	*threshold = clamp(lowered, initial, config);
}

static void decay(uint32_t *threshold, uint32_t initial, uint32_t bp)
{
	uint32_t distance = *threshold > initial ? *threshold - initial : initial - *threshold;
	uint32_t step = scale_bp(distance, bp);

	if (step == 0)
		step = distance; /* the last bit of the way is one step */
	*threshold = *threshold > initial ? *threshold - step : *threshold + step;
}

static void begin(struct dav2m *ctl)
{
	(void)ctl; /* the controller's windows are all it has */
}

static enum dav2m_verdict transient(struct dav2m *ctl)
{
	(void)ctl;
	return VERDICT_HOLD;
}

static void reset(struct dav2m *ctl)
{
	ctl->judge.thresholds.vmexit = ctl->config.threshold_vmexit;
	ctl->judge.thresholds.tmiss = ctl->config.threshold_tmiss;
}

/*
 * count > threshold in a window of `ticks` nominal ticks; a window that a late sample overran is
 * held to the same rate. work < 2^62; nominal < 2^31 x 2^16.
 */
static int above(const struct dav2m *ctl, uint64_t count, uint32_t threshold, uint64_t work,
		 uint32_t ticks)
{
	uint64_t nominal = (uint64_t)ctl->config.window_inst * ticks;

	if (count <= threshold)
		return 0;
	return work <= nominal || dav2m_product_exceeds(count, nominal, threshold, work);
}

static int exits_above(const struct dav2m *ctl)
{
	return above(ctl, ctl->exits, ctl->judge.thresholds.vmexit,
		     ctl->meter.total[DAV2M_PROGRESS] - ctl->exits_progress,
		     ctl->config.window_vmexit);
}

static int misses_above(const struct dav2m *ctl)
{
	return above(ctl, dav2m_window_tlb_misses(ctl), ctl->judge.thresholds.tmiss,
		     dav2m_window_progress(ctl), ctl->config.window_tmiss);
}

/*
 * The CPI of the window exceeds the reference CPI by more than p_factor. No probe begins without a
 * reference: what starts one stores it, or, as printed, asks for an older one.
 */
static int worse(const struct dav2m *ctl)
{
	const struct dav2m_thresholds *t = &ctl->judge.thresholds;

	return dav2m_scaled_product_exceeds(dav2m_window_cycles(ctl), t->reference_progress,
					    DAV2M_ONE_BP, t->reference_cycles,
					    dav2m_window_progress(ctl), ctl->config.p_factor_bp);
}

static inline void store_reference(struct dav2m *ctl)
{
	ctl->judge.thresholds.reference_progress = dav2m_window_progress(ctl);
	ctl->judge.thresholds.reference_cycles = dav2m_window_cycles(ctl);
}

/* The mode is left for a probe of the other, which is judged against this window: it has a CPI. */
static inline enum dav2m_verdict leave(struct dav2m *ctl)
{
	store_reference(ctl);
	return VERDICT_LEAVE;
}

/* As printed, a probe may begin before its own window tells of a CPI, and takes the one before. */
static DAV2M_RARE enum dav2m_verdict as_printed(struct dav2m *ctl, enum dav2m_verdict verdict)
{
	if (verdict != VERDICT_HOLD && dav2m_window_has_cpi(ctl))
		store_reference(ctl);
	return verdict;
}

static DAV2M_RARE enum dav2m_verdict leave_for_exits(struct dav2m *ctl,
						     enum dav2m_verdict otherwise)
{
	if (!exits_above(ctl))
		return ctl->config.as_printed ? as_printed(ctl, otherwise) : otherwise;
	if (dav2m_window_has_cpi(ctl))
		return leave(ctl);
	if (ctl->config.as_printed && ctl->judge.thresholds.reference_progress)
		return VERDICT_LEAVE;
	return otherwise == VERDICT_ROLL ? VERDICT_BLIND : VERDICT_HOLD;
}

static enum dav2m_verdict leave_shadow(struct dav2m *ctl)
{
	enum dav2m_verdict otherwise =
		dav2m_window_ticks(ctl) >= ctl->config.window_vmexit ? VERDICT_ROLL : VERDICT_HOLD;

	if (ctl->exits > ctl->judge.thresholds.vmexit)
		return leave_for_exits(ctl, otherwise);
	return ctl->config.as_printed ? as_printed(ctl, otherwise) : otherwise;
}

static enum dav2m_verdict leave_nested(struct dav2m *ctl)
{
	if (dav2m_window_ticks(ctl) < ctl->config.window_tmiss)
		return VERDICT_HOLD;
	if (!(ctl->meter.known & DAV2M_BIT(DAV2M_TLB_MISSES)))
		return VERDICT_BLIND;
	if (!misses_above(ctl))
		return VERDICT_ROLL;
	return dav2m_window_has_cpi(ctl) ? leave(ctl) : VERDICT_BLIND;
}

static enum dav2m_verdict probe_nested(struct dav2m *ctl)
{
	if (dav2m_window_ticks(ctl) < ctl->config.window_vmexit)
		return VERDICT_HOLD;
	if (!dav2m_window_has_cpi(ctl))
		return VERDICT_BLIND;
	return worse(ctl) ? VERDICT_REJECT : VERDICT_KEEP;
}

static enum dav2m_verdict probe_shadow(struct dav2m *ctl)
{
	int many_exits = exits_above(ctl);

	if (many_exits && ctl->config.as_printed)
		return as_printed(ctl, VERDICT_ABORT);
	if (dav2m_window_ticks(ctl) >= ctl->config.window_tmiss) {
		if (!dav2m_window_has_cpi(ctl))
			return VERDICT_BLIND;
		return worse(ctl) ? VERDICT_REJECT : VERDICT_KEEP;
	}
	if (many_exits && dav2m_window_has_cpi(ctl) && worse(ctl))
		return VERDICT_GIVE_UP;
	return ctl->tick - ctl->exits_tick >= ctl->config.window_vmexit ? VERDICT_ROLL
									: VERDICT_HOLD;
}

/* The TLB misses that follow a switch settle. */
static enum dav2m_verdict settle(struct dav2m *ctl)
{
	return dav2m_window_ticks(ctl) >= ctl->config.window_prepaging ? VERDICT_QUIESCED
								       : VERDICT_HOLD;
}

static void learn(struct dav2m *ctl, enum dav2m_lesson lesson)
{
	const struct dav2m_config *config = &ctl->config;

	switch (lesson) {
	case LESSON_NONE:
	default:
		break;
	case LESSON_NESTED_LOST:
		raise(&ctl->judge.thresholds.vmexit, config->threshold_vmexit, config);
		break;
	case LESSON_NESTED_WON:
		lower(&ctl->judge.thresholds.vmexit, config->threshold_vmexit, config);
		break;
	case LESSON_SHADOW_LOST:
		raise(&ctl->judge.thresholds.tmiss, config->threshold_tmiss, config);
		break;
	case LESSON_SHADOW_WON:
		lower(&ctl->judge.thresholds.tmiss, config->threshold_tmiss, config);
		break;
	}
}

static void switched(struct dav2m *ctl, enum dav2m_mode to)
{
	const struct dav2m_config *config = &ctl->config;

	if (ctl->tick - ctl->switched_at[to] >= config->window_trans)
		return;
	raise(&ctl->judge.thresholds.vmexit, config->threshold_vmexit, config);
	raise(&ctl->judge.thresholds.tmiss, config->threshold_tmiss, config);
	ctl->judge.thresholds.damped++;
}

static void calm(struct dav2m *ctl)
{
	if (!ctl->config.decay_bp)
		return;
	decay(&ctl->judge.thresholds.vmexit, ctl->config.threshold_vmexit, ctl->config.decay_bp);
	decay(&ctl->judge.thresholds.tmiss, ctl->config.threshold_tmiss, ctl->config.decay_bp);
	ctl->judge.thresholds.decayed++;
}

static uint32_t exits_limit(const struct dav2m *ctl)
{
	return ctl->settle_ticks ? UINT32_MAX : ctl->judge.thresholds.vmexit;
}

static void explain(const struct dav2m *ctl, struct dav2m_explanation *out)
{
	const struct dav2m_thresholds *t = &ctl->judge.thresholds;

	out->threshold_vmexit = t->vmexit;
	out->threshold_tmiss = t->tmiss;
	out->reference.progress = t->reference_progress;
	out->reference.cycles = t->reference_cycles;
	out->tally.damped = t->damped;
	out->tally.decayed = t->decayed;
}

const struct dav2m_judge dav2m_threshold_judge = {
	.wanted = DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES) |
		  DAV2M_BIT(DAV2M_TLB_MISSES) | DAV2M_BIT(DAV2M_PAGING_EXITS),
	.reset = reset,
	.begin = begin,
	.guard =
		{
			[DAV2M_STATE_SHADOW] = leave_shadow,
			[DAV2M_STATE_PRENESTED] = probe_nested,
			[DAV2M_STATE_PREPAGING] = settle,
			[DAV2M_STATE_NESTED] = leave_nested,
			[DAV2M_STATE_PRESHADOW] = probe_shadow,
		},
	.transient = transient,
	.learn = learn,
	.switched = switched,
	.calm = calm,
	.exits_limit = exits_limit,
	.explain = explain,
};
