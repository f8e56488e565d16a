/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regret judge: leaves a mode when staying has cost as much as a share of a round trip.
 *
 * The rule and what it promises are in regret_rule.h and docs/bound.md. This file supplies its
 * costs, once a tick:
 *
 *     running mode   page walks and paging exits, as counted
 *     nested paging, while shadow runs: walks x what a nested walk costs
 *     shadow paging, while nested runs: walks x what a shadow walk costs, and the paging exits of
 *                    the last time that shadow paging saw a phase with this signature
 *
 * What cannot be known is bought: a probe, paid from a budget that is a share of all cycles. Two
 * things are worth one of shadow paging: a phase that it has not seen, for which no more exits are
 * assumed than one for each TLB flush; and doubt, which grows while a phase is only remembered as
 * bad. Two are worth one of nested paging: that walks were not compared yet, and exits that add up
 * while they are only thought to be the lesser evil.
 */
#include "regret.h"

/* A stay that gained this many round trips was worth its switches. */
#define WORTH_TRIPS 2

/* The budget holds up to 8 round trips: the probes that a program with as many phases needs. */
#define BUDGET_TRIPS 8

/* Shadow paging intercepts what flushes the guest's TLB (CR3 loads, INVLPG), so that there are
   about so many exits at least. Where their price is not the others', doubt finds it out. */
static uint32_t least_exits(const struct dav2m *ctl, const struct dav2m_tick *tick)
{
	return exit_price(ctl, tick->flushed);
}

/* What a tick under shadow paging would have cost under nested paging, and how that is known. */
static inline void estimate_nested(struct dav2m_regret *r, struct dav2m_tick *tick)
{
	r->surety = DAV2M_MODELLED;
	/* Until it has been measured, a walk may cost the same in both modes. */
	if (!r->measured && r->budget >= 0) {
		r->surety = DAV2M_GUESSED;
		tick->other = tick->walk;
	} else if (!r->doubted) {
		tick->saved = tick->exits;
	}
}

/* And the other way round. */
static void estimate_shadow(struct dav2m *ctl, struct dav2m_tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	uint16_t exits = r->phase[r->current].exits;

	r->surety = exits == UNSEEN ? DAV2M_GUESSED : DAV2M_REMEMBERED;
	tick->saved = tick->cost > tick->other ? tick->cost - tick->other : 0;
	if (exits == UNSEEN && r->budget >= 0) {
		tick->other = dav2m_regret_sum(tick->other, least_exits(ctl, tick));
		return;
	}
	if (exits == UNSEEN)
		exits = dav2m_regret_nearest_exits(r, tick);
	if (exits == UNSEEN)
		tick->other = tick->cost; /* nothing is known, and nothing can be bought */
	else
		tick->other = dav2m_regret_sum(tick->other, in_tick(unpack(exits), tick->ratio));
}

static inline void estimate(struct dav2m *ctl, struct dav2m_tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;

	tick->saved = 0;
	tick->other = walk_elsewhere(r, tick->walk);
	if (r->mode == DAV2M_SHADOW)
		estimate_nested(r, tick);
	else
		estimate_shadow(ctl, tick);
}

/* A pin has changed the mode: what was said of the stay before says nothing of this one. */
static DAV2M_RARE void be_moved(struct dav2m_regret *r, enum dav2m_mode mode)
{
	r->left = r->current;
	r->mode = (uint8_t)mode;
	r->regret = 0;
	r->arrived = 1;
	r->compare = 0;
	r->told = 0;
	r->gain = 0;
	r->doubt = 0;
	r->probing = 0;
	r->doubted = 0;
	r->why = KNOWN_BETTER;
}

static void begin(struct dav2m *ctl)
{
	struct dav2m_regret *r = &ctl->judge.regret;

	dav2m_regret_mark(ctl);
	if (r->mode != dav2m_mode_of(ctl))
		be_moved(r, dav2m_mode_of(ctl));
}

/* A tick is over: what is to be done in any state. */
static void take_in(struct dav2m *ctl, struct dav2m_tick *ret_tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;

	/* Where the caller wants the mode, what it loses is not a probe's. */
	if (r->probing && ctl->pin != DAV2M_PIN_NONE)
		be_moved(r, dav2m_mode_of(ctl));
	dav2m_regret_measure(ctl, ret_tick);
	dav2m_regret_mark(ctl);
	dav2m_regret_find_phase(ctl, ret_tick);
	r->budget = dav2m_budget_earn(r->budget, ret_tick->cycles, ctl->config.probe_share_bp);
	r->cost = pack(ret_tick->cost);
}

/* The first tick of a stay that has settled. */
static DAV2M_RARE void arrive(struct dav2m *ctl, const struct dav2m_tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;

	if (r->mode == DAV2M_NESTED)
		dav2m_regret_inherit(r);
	else
		r->filled = 1;
	dav2m_regret_arrive(ctl, tick);
	dav2m_regret_draw(ctl);
	r->arrived = 0;
	r->regret = 0; /* was the transient's length until now */
	r->gain = 0;
}

/* What a tick without a transient teaches. */
static inline void learn_from(struct dav2m *ctl, struct dav2m_tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;

	if (r->arrived)
		arrive(ctl, tick);
	if (r->mode == DAV2M_SHADOW) {
		dav2m_regret_calibrate_exits(ctl, tick);
		dav2m_regret_remember(r, tick);
		r->good_ticks = (uint16_t)(r->good_ticks + (r->good_ticks != UINT16_MAX));
	}
	estimate(ctl, tick);
	r->other = tick->other;
	r->gain = add(r->gain, (int64_t)tick->other - tick->cost);
}

static int is_regretted(const struct dav2m_regret *r)
{
	return r->regret && dav2m_regret_due(r->regret, dav2m_regret_limit(r));
}

/* What is remembered or measured is doubted enough to pay for a look, and that can be paid for even
   if it fails: what is left is for phases that nothing is known of. */
static int is_doubted(const struct dav2m *ctl, struct dav2m_regret *r,
		      const struct dav2m_tick *tick)
{
	return tick->other > tick->cost && dav2m_regret_doubts(r, tick->saved) &&
	       r->budget >=
		       (int64_t)whole_trip(r) + part_bp(whole_trip(r), ctl->config.probe_loss_bp);
}

/* Adds a settled tick to the regret. */
static inline void regret(struct dav2m *ctl, struct dav2m_tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;

	learn_from(ctl, tick);
	if (r->surety != DAV2M_GUESSED)
		dav2m_regret_play(ctl, tick);
	/* While a pin, a back-off or the VMM forbids to act on it, it does not go on growing. */
	if (is_regretted(r))
		r->regret = dav2m_regret_limit(r);
	r->regret = dav2m_regret_add(r->regret, tick->cost, tick->other);
}

/* Answers 1 when the mode is to be left after this tick, for the reason in r->why. */
static inline int regrets(struct dav2m *ctl, struct dav2m_tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;

	regret(ctl, tick);
	if (is_regretted(r))
		r->why = r->surety == DAV2M_GUESSED && r->budget >= 0 ? UNSEEN_PHASE : KNOWN_BETTER;
	else if (tick->saved && is_doubted(ctl, r, tick))
		r->why = r->mode == DAV2M_NESTED ? DOUBTED : UNSEEN_PHASE;
	else
		return 0;
	dav2m_regret_depart(r, tick);
	return 1;
}

static int tick_is_over(const struct dav2m *ctl)
{
	return dav2m_window_ticks(ctl) != 0;
}

/* Without any of these it cannot be told what a page walk costs, or how many there are. */
static int is_blind(const struct dav2m *ctl)
{
	return !(ctl->meter.known & (DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_TLB_MISSES) |
				     DAV2M_BIT(DAV2M_WALK_CYCLES)));
}

/*
 * In the middle of a tick: a storm of exits has cost as much as a whole stay may. While it lasts a
 * tick takes long, for ticks are counted in the guest's work.
 */
static DAV2M_RARE enum dav2m_verdict judge_flood(struct dav2m *ctl)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	struct dav2m_tick tick;

	if (r->mode != DAV2M_SHADOW || r->arrived ||
	    dav2m_regret_exit_cost(ctl) < dav2m_regret_limit(r))
		return VERDICT_HOLD;
	dav2m_regret_measure(ctl, &tick);
	estimate(ctl, &tick);
	if (!dav2m_regret_due(dav2m_regret_add(r->regret, tick.cost, tick.other),
			      dav2m_regret_limit(r)))
		return VERDICT_HOLD;
	dav2m_regret_find_phase(ctl, &tick);
	dav2m_regret_remember_part(r, &tick);
	r->regret = dav2m_regret_add(r->regret, tick.cost, tick.other);
	r->gain = add(r->gain, (int64_t)tick.other - tick.cost);
	r->cost = pack(tick.cost);
	r->why = r->surety == DAV2M_GUESSED ? UNSEEN_PHASE : KNOWN_BETTER;
	dav2m_regret_depart(r, &tick);
	return VERDICT_LEAVE;
}

static enum dav2m_verdict judge_stay(struct dav2m *ctl)
{
	struct dav2m_tick tick;

	if (!tick_is_over(ctl))
		return judge_flood(ctl);
	if (is_blind(ctl))
		return VERDICT_BLIND;
	take_in(ctl, &tick);
	return regrets(ctl, &tick) ? VERDICT_LEAVE : VERDICT_ROLL;
}

static enum dav2m_verdict judge_quiet(struct dav2m *ctl)
{
	struct dav2m_tick tick;

	if (!tick_is_over(ctl))
		return VERDICT_HOLD;
	take_in(ctl, &tick);
	regret(ctl, &tick);
	return VERDICT_QUIESCED;
}

/* What a probe may lose. Its transient costs by itself, and may be longer than window_settle has
   it: so after each probe out of doubt that failed the next one has twice as much. */
static uint32_t probe_loss(const struct dav2m *ctl)
{
	const struct dav2m_regret *r = &ctl->judge.regret;
	unsigned int times_two = r->arrived + (r->doubted ? r->doubt_losses : 0u);

	/* What it takes to fill the shadow tables is not known before they have been. */
	if (r->arrived && !r->filled)
		times_two = MOST_LOSSES;
	return least((uint64_t)part_bp(round_trip(r), ctl->config.probe_loss_bp) << times_two,
		     UINT32_MAX);
}

/* In the middle of a tick: beyond what the other mode would cost, a probe may lose so much, and a
   stay the late limit, whichever holds when it is looked at. */
static uint32_t exits_limit(const struct dav2m *ctl)
{
	const struct dav2m_regret *r = &ctl->judge.regret;
	uint64_t grains = r->other;

	grains += r->probing ? probe_loss(ctl) : dav2m_regret_most(r);
	/* A little more, so that what rounding took does not make it a false alarm. */
	grains = least(grains + grains / 64 + 2, UINT32_MAX);
	return least(grains * (UINT32_MAX / r->exit_cycles) >> (32 - ctl->step_shift),
		     UINT32_MAX - 1);
}

static uint32_t less_by_a_quarter(uint32_t cost)
{
	return cost - cost / 4;
}

/* In the middle of a tick: the exits so far are more than a whole tick may have. */
static DAV2M_RARE enum dav2m_verdict judge_storm(struct dav2m *ctl)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	struct dav2m_phase *phase = &r->phase[r->current];
	uint32_t exits = dav2m_regret_exit_cost(ctl);

	if (r->arrived && !ctl->settle_ticks && exits <= less_by_a_quarter(unpack(r->cost)))
		return VERDICT_HOLD; /* may be filling still */
	if (!r->probing || ctl->state != DAV2M_STATE_PRESHADOW ||
	    (int64_t)exits - r->other - r->gain <= probe_loss(ctl))
		return VERDICT_HOLD;
	r->gain = add(r->gain, -(int64_t)exits);
	if (phase->exits == UNSEEN || unpack(phase->exits) < exits)
		phase->exits = pack(exits);
	return VERDICT_GIVE_UP;
}

/* In a transient each tick is measured by the one before it, late samples or not. */
static void keep_rate(struct dav2m_regret *r, const struct dav2m_tick *tick)
{
	r->cost = pack(dav2m_regret_whole(tick->cost, tick->ratio));
}

/* Shadow tables fill ever more slowly: a tick that loses, but has cost a quarter less than the one
   before, is of the transient still. There is none before where nothing was settled for. */
static int is_filling(const struct dav2m_regret *r, const struct dav2m_tick *tick, uint32_t before)
{
	return r->mode == DAV2M_SHADOW && r->arrived && r->settling &&
	       tick->cost > walk_elsewhere(r, tick->walk) &&
	       tick->cost <= in_tick(less_by_a_quarter(before), tick->ratio);
}

static enum dav2m_verdict judge_probe(struct dav2m *ctl)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	const uint32_t before = unpack(r->cost);
	struct dav2m_tick tick;

	if (!tick_is_over(ctl))
		return judge_storm(ctl);
	take_in(ctl, &tick);
	/* One that is to be probed is left from a state that leads to a probe. */
	if (!r->probing)
		return regrets(ctl, &tick) && r->why == KNOWN_BETTER ? VERDICT_REJECT
								     : VERDICT_KEEP;
	if (is_filling(r, &tick, before)) {
		r->settling =
			dav2m_regret_sum(r->settling, tick.cost - walk_elsewhere(r, tick.walk));
		dav2m_regret_calibrate_exits(ctl, &tick);
		keep_rate(r, &tick);
		return VERDICT_ROLL;
	}
	learn_from(ctl, &tick);
	if (-(int64_t)r->gain > probe_loss(ctl))
		return VERDICT_REJECT;
	if (tick.cost > tick.other) {
		/* From here on it may lose less than in its transient. */
		if (r->mode == DAV2M_SHADOW)
			ctl->exits_due = exits_limit(ctl);
		return VERDICT_ROLL;
	}
	r->probing = 0;
	if (r->mode == DAV2M_SHADOW)
		r->good_ticks = 0;
	r->gain = 0;
	return VERDICT_KEEP;
}

/* While the transient lasts only a probe's storm of exits is acted on. */
static enum dav2m_verdict judge_transient(struct dav2m *ctl)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	struct dav2m_tick tick;

	if (!tick_is_over(ctl))
		return judge_storm(ctl);
	take_in(ctl, &tick);
	keep_rate(r, &tick);
	r->settling = dav2m_regret_sum(r->settling, tick.cycles);
	/* A probe may never see another tick. */
	if (r->mode == DAV2M_SHADOW)
		dav2m_regret_calibrate_exits(ctl, &tick);
	if (!r->probing || r->mode == DAV2M_NESTED)
		return VERDICT_HOLD;
	r->gain = add(r->gain, (int64_t)walk_elsewhere(r, tick.walk) - tick.cost);
	if (-(int64_t)r->gain <= probe_loss(ctl))
		return VERDICT_HOLD;
	dav2m_regret_remember(r, &tick);
	return VERDICT_REJECT;
}

/* Changing. */

static void lose_probe(struct dav2m_regret *r)
{
	/* There is no other reason to give one up than its loss. */
	const uint32_t cost = (uint32_t)((int64_t)round_trip(r) - r->gain);

	r->budget = dav2m_budget_spend(r->budget, cost,
				       least((uint64_t)BUDGET_TRIPS * whole_trip(r), INT32_MAX));
	r->probing_cost = dav2m_regret_sum(r->probing_cost, cost);
	if (r->doubted)
		dav2m_regret_doubt_was_wrong(r);
	else
		r->doubt = 0;
}

/* A stay is over, and its doubt with it, unless that is why; one that began out of doubt tells
   whether that was right. */
static void weigh_stay(struct dav2m_regret *r)
{
	/* What it has gained against the other mode before it was regretted. */
	int64_t gained = (int64_t)r->gain + r->regret;

	if (r->doubted && gained > (int64_t)WORTH_TRIPS * round_trip(r))
		dav2m_regret_doubt_was_right(r);
	if (r->why != DOUBTED)
		r->doubt = 0;
}

static void switched(struct dav2m *ctl, enum dav2m_mode to)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	const int lost = r->probing;

	if (lost)
		lose_probe(r);
	else
		weigh_stay(r);
	if (r->why == DOUBTED)
		dav2m_regret_probe_doubt(r);
	r->compare = !lost;
	r->left = r->current;
	r->mode = (uint8_t)to;
	r->probing = r->why != KNOWN_BETTER;
	r->doubted = r->why == DOUBTED;
	r->why = KNOWN_BETTER;
	if (to == DAV2M_SHADOW && !r->probing)
		r->good_ticks = 0;
	r->settling = 0;
	r->gain = 0;
	r->arrived = 1;
	dav2m_regret_weigh_switch(ctl, to);
	dav2m_regret_draw(ctl);
}

static void learn(struct dav2m *ctl, enum dav2m_lesson lesson)
{
	(void)ctl;
	(void)lesson; /* a tick teaches more than an edge */
}

static void calm(struct dav2m *ctl)
{
	(void)ctl; /* doubt has a clock of its own */
}

static void reset(struct dav2m *ctl)
{
	const enum dav2m_mode mode = dav2m_mode_of(ctl);

	ctl->judge.regret = (struct dav2m_regret){
		.doubt_right = UNSEEN,
		.mode = (uint8_t)mode,
		.arrived = ctl->settle_ticks != 0,
		.played_mode = {(uint8_t)mode, (uint8_t)mode},
	};
	dav2m_regret_assume(ctl);
	ctl->judge.regret.budget = (int32_t)round_trip(&ctl->judge.regret);
	dav2m_regret_draw(ctl);
	dav2m_regret_mark(ctl);
}

static uint64_t to_cycles(const struct dav2m *ctl, uint32_t grains)
{
	return (uint64_t)grains << ctl->step_shift;
}

static void explain(const struct dav2m *ctl, struct dav2m_explanation *out)
{
	const struct dav2m_regret *r = &ctl->judge.regret;

	out->regret = (struct dav2m_regret_view){
		.regret_cycles = r->arrived ? 0 : to_cycles(ctl, r->regret),
		.limit_cycles = to_cycles(ctl, dav2m_regret_limit(r)),
		.round_trip_cycles = to_cycles(ctl, round_trip(r)),
		.finding_out_cycles = to_cycles(ctl, whole_trip(r) - round_trip(r)),
		.cost_cycles = to_cycles(ctl, unpack(r->cost)),
		.other_cycles = to_cycles(ctl, r->other),
		.surety = (enum dav2m_surety)r->surety,
		.budget_cycles = (int64_t)r->budget * ((int64_t)1 << ctl->step_shift),
		.probing_cycles = to_cycles(ctl, r->probing_cost),
		.walk_ratio_bp = (uint32_t)r->walk_ratio * DAV2M_ONE_BP >> RATIO_BITS,
		.exit_cycles = r->exit_cycles,
	};
}

const struct dav2m_judge dav2m_regret_judge = {
	.wanted = DAV2M_ALL_COUNTERS,
	.reset = reset,
	.begin = begin,
	.guard = {[DAV2M_STATE_SHADOW] = judge_stay,
		  [DAV2M_STATE_PRENESTED] = judge_probe,
		  [DAV2M_STATE_PREPAGING] = judge_quiet,
		  [DAV2M_STATE_NESTED] = judge_stay,
		  [DAV2M_STATE_PRESHADOW] = judge_probe},
	.transient = judge_transient,
	.learn = learn,
	.switched = switched,
	.calm = calm,
	.exits_limit = exits_limit,
	.explain = explain,
};
