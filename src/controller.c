/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controller: from a sample to a decision.
 *
 *     sample -> meter -> account() windows and ticks -> guard() verdict -> take() edge -> decision
 *
 * The state changes in one place only, commit(), and a hardware switch is asked for exactly when
 * an edge leads to a state of the other mode; until it is acknowledged the old state stands. So
 * state and hardware cannot disagree. What counts as a bad mode is the judge's business.
 *
 * Source: DAV2M (ICAC 2011), section 6; docs/policy.md says where we differ and why.
 */
#include "core.h"

/* Ticks of back-off after a failed switch double up to 2^6: a guest that cannot be switched is
   asked about once in a few seconds, and one that can again is found within as long. */
#define BACKOFF_MAX_SHIFT 6

/* Moving averages hold progress and cycles in 32 bits. With window_inst scaled to 2^16 at most,
   they have room for a CPI of thousands, and the scaling costs 2^-15 of a tick. */
#define STEP_BITS 16

static void increment(uint32_t *count)
{
	*count += *count != UINT32_MAX;
}

enum dav2m_mode dav2m_state_mode(enum dav2m_state state)
{
	return (unsigned int)state < DAV2M_STATES ? dav2m_mode_of_state((unsigned int)state)
						  : DAV2M_SHADOW;
}

/* Windows. */

static inline void restart_exits(struct dav2m *ctl)
{
	ctl->exits = 0;
	ctl->exits_metered = ctl->meter.total[DAV2M_PAGING_EXITS];
	ctl->exits_progress = ctl->meter.total[DAV2M_PROGRESS];
	ctl->exits_tick = ctl->tick;
}

static inline void restart_window(struct dav2m *ctl)
{
	ctl->window_progress = ctl->meter.total[DAV2M_PROGRESS];
	ctl->window_cycles = ctl->meter.total[DAV2M_CYCLES];
	ctl->window_tlb_misses = ctl->meter.total[DAV2M_TLB_MISSES];
	ctl->window_tick = ctl->tick;
	restart_exits(ctl);
}

/* What the window held is void, and nobody has judged it. */
static DAV2M_RARE void void_window(struct dav2m *ctl)
{
	restart_window(ctl);
	dav2m_judge_of(ctl)->begin(ctl);
}

static struct dav2m_step *step_of(struct dav2m *ctl)
{
	return &ctl->step[ctl->tick / DAV2M_STEP_TICKS % DAV2M_STEPS];
}

static inline void store_step(struct dav2m *ctl)
{
	struct dav2m_step *step = step_of(ctl);

	step->progress = (uint32_t)(ctl->meter.total[DAV2M_PROGRESS] >> ctl->step_shift);
	step->cycles = (uint32_t)(ctl->meter.total[DAV2M_CYCLES] >> ctl->step_shift);
	step->tlb_misses = (uint32_t)ctl->meter.total[DAV2M_TLB_MISSES];
}

static void restart_smoothing(struct dav2m *ctl)
{
	ctl->steps_from = ctl->tick;
	store_step(ctl);
}

/* Everything that is measured begins now. */
static void restart(struct dav2m *ctl)
{
	void_window(ctl);
	restart_smoothing(ctl);
	ctl->tick_progress = ctl->meter.total[DAV2M_PROGRESS];
}

static int pin_forbids(const struct dav2m *ctl, enum dav2m_mode mode)
{
	return ctl->pin != DAV2M_PIN_NONE && ctl->pin != (uint8_t)mode;
}

/* Something that a calm tick need not look at has changed: is there anything special about the
   next sample, and would one be worth taking at once? Not where exits decide nothing. */
static DAV2M_RARE void review(struct dav2m *ctl)
{
	ctl->special = ctl->asked || ctl->backoff || ctl->settle_ticks || ctl->switch_cycles ||
		       pin_forbids(ctl, dav2m_mode_of(ctl)) || !dav2m_meter_usual(&ctl->meter);
	ctl->exits_due = UINT32_MAX;
	if (dav2m_mode_of(ctl) == DAV2M_SHADOW && ctl->pin == DAV2M_PIN_NONE && !ctl->asked &&
	    !ctl->backoff)
		ctl->exits_due = dav2m_judge_of(ctl)->exits_limit(ctl);
}

/* Ticks. */

static DAV2M_RARE void calm_down(struct dav2m *ctl)
{
	ctl->calm_at += ctl->config.window_trans;
	dav2m_judge_of(ctl)->calm(ctl);
	review(ctl);
}

/* Enough work since the last one, or, where work is not measured, any reading. */
static int tick_complete(const struct dav2m *ctl)
{
	return ctl->meter.total[DAV2M_PROGRESS] - ctl->tick_progress >= ctl->config.window_inst ||
	       !(ctl->meter.known & DAV2M_BIT(DAV2M_PROGRESS));
}

static inline void finish_tick(struct dav2m *ctl)
{
	ctl->tick_progress = ctl->meter.total[DAV2M_PROGRESS];
	if (++ctl->tick == ctl->calm_at)
		calm_down(ctl);
	if (ctl->tick % DAV2M_STEP_TICKS == 0)
		store_step(ctl);
}

/* Decisions. */

static DAV2M_RARE void change_mode(struct dav2m *ctl, enum dav2m_mode to,
				   enum dav2m_verdict verdict)
{
	increment(&ctl->switches[to]);
	/* A pin is the caller's will, not an oscillation. */
	if (verdict != VERDICT_PIN)
		dav2m_judge_of(ctl)->switched(ctl, to);
	ctl->switched_at[to] = ctl->tick;
	ctl->settle_ticks = ctl->config.window_settle;
	ctl->nested_ticks += to == DAV2M_NESTED ? 0u - ctl->tick : ctl->tick;
	ctl->calm_at = ctl->tick + ctl->config.window_trans;
	restart(ctl);
}

/* The one place where the state changes. switched: so has the hardware's mode. */
static DAV2M_RARE void commit(struct dav2m *ctl, enum dav2m_verdict verdict, int switched)
{
	const struct dav2m_edge edge = dav2m_edges[ctl->state][verdict];

	void_window(ctl);
	ctl->state = edge.to;
	if (switched)
		change_mode(ctl, dav2m_mode_of(ctl), verdict);
	dav2m_judge_of(ctl)->learn(ctl, (enum dav2m_lesson)edge.lesson);
	review(ctl);
}

/* A window is complete, and the state stays. */
static inline void roll(struct dav2m *ctl)
{
	if (ctl->state == DAV2M_STATE_PRESHADOW &&
	    dav2m_window_ticks(ctl) < ctl->config.window_tmiss) {
		restart_exits(ctl); /* edge 11: the probe's own window goes on */
		return;
	}
	restart_window(ctl);
}

static void ask(struct dav2m *ctl, enum dav2m_verdict verdict)
{
	ctl->asked = (uint8_t)verdict;
	ctl->handed = 1;
	review(ctl);
}

/* No sample asks for it any more; the caller may be at it all the same. */
static void withdraw(struct dav2m *ctl)
{
	ctl->asked = 0;
	void_window(ctl);
}

/* What forbids a switch to a mode; DAV2M_WAITING: nothing. */
static enum dav2m_reason obstacle(const struct dav2m *ctl, enum dav2m_mode to)
{
	if (pin_forbids(ctl, to))
		return DAV2M_PINNED;
	return ctl->backoff ? DAV2M_BACKING_OFF : DAV2M_WAITING;
}

/* Tells what became of a sample: the edge that was followed, or is asked for, and why. */
static inline int tell(struct dav2m *ctl, struct dav2m_edge edge, enum dav2m_reason reason,
		       enum dav2m_action action, enum dav2m_state from,
		       struct dav2m_decision *ret_decision)
{
	ctl->count[reason]++;
	ctl->last_reason = (uint8_t)reason;
	ret_decision->action = action;
	ret_decision->mode = dav2m_mode_of_state(edge.to);
	ret_decision->from = from;
	ret_decision->to = (enum dav2m_state)edge.to;
	ret_decision->reason = reason;
	ret_decision->edge = edge.number;
	ret_decision->tick = ctl->tick;
	return DAV2M_OK;
}

/* Nothing was followed; with nothing asked for, that is VERDICT_HOLD. */
static DAV2M_RARE int stay(struct dav2m *ctl, enum dav2m_reason reason,
			   struct dav2m_decision *ret_decision)
{
	return tell(ctl, dav2m_edges[ctl->state][ctl->asked], reason,
		    ctl->asked ? DAV2M_SWITCH : DAV2M_STAY, (enum dav2m_state)ctl->state,
		    ret_decision);
}

/* Follows a verdict that ends the state: at once, or by asking for the switch it needs. */
static DAV2M_RARE int leave(struct dav2m *ctl, enum dav2m_verdict verdict,
			    struct dav2m_decision *ret_decision)
{
	const enum dav2m_state from = (enum dav2m_state)ctl->state;
	const struct dav2m_edge edge = dav2m_edges[from][verdict];
	enum dav2m_mode to = dav2m_mode_of_state(edge.to);
	enum dav2m_reason why_not;

	if (to == dav2m_mode_of(ctl)) {
		tell(ctl, edge, (enum dav2m_reason)edge.reason, DAV2M_STAY, from, ret_decision);
		commit(ctl, verdict, 0);
		return DAV2M_OK;
	}
	why_not = obstacle(ctl, to);
	if (why_not != DAV2M_WAITING) {
		void_window(ctl);
		return stay(ctl, why_not, ret_decision);
	}
	ask(ctl, verdict);
	return tell(ctl, edge, (enum dav2m_reason)edge.reason, DAV2M_SWITCH, from, ret_decision);
}

/* More exits than are worth a sample have been looked at: one a tick is enough to ask for. */
static inline void heed_exits(struct dav2m *ctl)
{
	if (ctl->exits <= ctl->exits_due)
		return;
	ctl->exits_due = UINT32_MAX;
	ctl->special = 1;
}

static DAV2M_RARE int idle(struct dav2m *ctl, struct dav2m_decision *ret_decision)
{
	heed_exits(ctl);
	return stay(ctl, DAV2M_NO_PROGRESS, ret_decision);
}

/* Nothing but the judge decides what becomes of the sample. */
static inline int ask_judge(struct dav2m *ctl, const struct dav2m_judge *judge,
			    struct dav2m_decision *ret_decision)
{
	const unsigned int from = ctl->state;
	const struct dav2m_edge *edges = dav2m_edges[from];
	enum dav2m_verdict verdict = judge->guard[from](ctl);
	const struct dav2m_edge edge = edges[verdict];

	if (edge.to != from)
		return leave(ctl, verdict, ret_decision);
	if (verdict != VERDICT_HOLD)
		roll(ctl);
	else
		heed_exits(ctl);
	return tell(ctl, edge, (enum dav2m_reason)edge.reason, DAV2M_STAY, (enum dav2m_state)from,
		    ret_decision);
}

/* The switch belongs to neither mode's speed. Everything has begun with it; of several vCPUs each
   shows its share when it samples, the last within a tick. */
static void take_out_switch(struct dav2m *ctl)
{
	uint64_t cycles = dav2m_window_cycles(ctl);

	if (cycles > ctl->switch_cycles)
		cycles = ctl->switch_cycles;
	ctl->window_cycles += cycles;
	step_of(ctl)->cycles += (uint32_t)(cycles >> ctl->step_shift);
	ctl->switch_cycles -= cycles;
}

static void pass_tick(struct dav2m *ctl)
{
	if (ctl->backoff)
		ctl->backoff--;
	if (ctl->settle_ticks)
		ctl->settle_ticks--;
	ctl->switch_cycles = 0;
	finish_tick(ctl);
	review(ctl);
}

/* The transient after a switch belongs to no window. */
static int settle(struct dav2m *ctl, int ticked, struct dav2m_decision *ret_decision)
{
	enum dav2m_verdict verdict = dav2m_judge_of(ctl)->transient(ctl);

	if (verdict != VERDICT_HOLD)
		return leave(ctl, verdict, ret_decision);
	if (ticked)
		void_window(ctl);
	else
		heed_exits(ctl);
	return stay(ctl, DAV2M_SETTLING, ret_decision);
}

/* A reading that can be used, by `progress` after the last, while something special is under way.
 */
static int judge_special(struct dav2m *ctl, uint64_t progress, struct dav2m_decision *ret_decision)
{
	int settling = ctl->settle_ticks != 0, ticked;

	if (ctl->asked) {
		ctl->tick_progress += progress; /* waiting is no part of a tick */
		return stay(ctl, DAV2M_UNACKNOWLEDGED, ret_decision);
	}
	if (ctl->switch_cycles)
		take_out_switch(ctl);
	ticked = tick_complete(ctl);
	if (ticked)
		pass_tick(ctl);
	/* Whatever the guest does, or does not. */
	if (pin_forbids(ctl, dav2m_mode_of(ctl)))
		return leave(ctl, VERDICT_PIN, ret_decision);
	if (settling)
		return settle(ctl, ticked, ret_decision);
	if (!ticked && !progress)
		return idle(ctl, ret_decision);
	return ask_judge(ctl, dav2m_judge_of(ctl), ret_decision);
}

/* Where samples carry the exits, those that the caller counted have only been hints. */
static inline void meter_exits(struct dav2m *ctl)
{
	uint64_t exits = ctl->meter.total[DAV2M_PAGING_EXITS] - ctl->exits_metered;

	if (ctl->meter.known & DAV2M_BIT(DAV2M_PAGING_EXITS))
		ctl->exits = exits > UINT32_MAX ? UINT32_MAX : (uint32_t)exits;
}

/* A sample that says nothing about the time since the last one. */
static int pass_over(struct dav2m *ctl, enum dav2m_reading reading,
		     struct dav2m_decision *ret_decision)
{
	static const enum dav2m_reason reasons[] = {
		[READING_BASELINE] = DAV2M_BASELINE, [READING_INCOMPLETE] = DAV2M_INCOMPLETE,
		[READING_LOST] = DAV2M_COUNTER_LOST, [READING_BACKWARD] = DAV2M_BACKWARD,
		[READING_JUMP] = DAV2M_JUMP,
	};

	if (reading != READING_INCOMPLETE) {
		restart(ctl);
		ctl->switch_cycles = 0; /* before that, if anywhere */
		review(ctl);
	}
	return stay(ctl, reasons[reading], ret_decision);
}

static DAV2M_RARE int take_special(struct dav2m *ctl, const struct dav2m_sample *sample,
				   struct dav2m_decision *ret_decision)
{
	const uint64_t before = ctl->meter.total[DAV2M_PROGRESS];
	enum dav2m_reading reading =
		dav2m_meter_read(&ctl->meter, sample, dav2m_judge_of(ctl)->wanted);

	if (reading != READING_OK)
		return pass_over(ctl, reading, ret_decision);
	meter_exits(ctl);
	return judge_special(ctl, ctl->meter.total[DAV2M_PROGRESS] - before, ret_decision);
}

int dav2m_sample(struct dav2m *ctl, const struct dav2m_sample *sample,
		 struct dav2m_decision *ret_decision)
{
	const struct dav2m_judge *judge;
	uint64_t before;

	if (!ctl || !sample || !ret_decision)
		return DAV2M_ERR_NULL;
	if (ctl->magic != DAV2M_MAGIC)
		return DAV2M_ERR_UNINIT;
	if (sample->valid & ~DAV2M_ALL_COUNTERS)
		return DAV2M_ERR_SAMPLE;
	before = ctl->meter.total[DAV2M_PROGRESS];
	judge = dav2m_judge_of(ctl);
	if (ctl->special || !dav2m_meter_read_usual(&ctl->meter, sample, judge->wanted))
		return take_special(ctl, sample, ret_decision);
	meter_exits(ctl);
	if (ctl->meter.total[DAV2M_PROGRESS] - ctl->tick_progress >= ctl->config.window_inst)
		finish_tick(ctl);
	else if (ctl->meter.total[DAV2M_PROGRESS] == before)
		return idle(ctl, ret_decision);
	return ask_judge(ctl, judge, ret_decision);
}

int dav2m_paging_exits(struct dav2m *ctl, uint32_t n)
{
	ctl->exits += n;
	return ctl->exits > ctl->exits_due;
}

static void back_off(struct dav2m *ctl, enum dav2m_outcome outcome)
{
	ctl->asked = 0;
	if (outcome == DAV2M_DEFERRED) {
		increment(&ctl->deferred);
	} else {
		increment(&ctl->failed);
		ctl->backoff = (uint8_t)(1u << ctl->failures);
		if (ctl->failures < BACKOFF_MAX_SHIFT)
			ctl->failures++;
	}
	void_window(ctl);
	restart_smoothing(ctl);
	review(ctl);
}

/* The hardware has changed its mode, for the verdict that it was asked for, or against what is
   wanted by now. */
static void go_over(struct dav2m *ctl)
{
	const enum dav2m_verdict verdict =
		ctl->asked ? (enum dav2m_verdict)ctl->asked : VERDICT_PIN;

	ctl->asked = 0;
	ctl->failures = 0;
	commit(ctl, verdict, 1);
}

int dav2m_acknowledge(struct dav2m *ctl, enum dav2m_outcome outcome, uint64_t cycles)
{
	if (!ctl)
		return DAV2M_ERR_NULL;
	if (ctl->magic != DAV2M_MAGIC)
		return DAV2M_ERR_UNINIT;
	if (!ctl->handed)
		return DAV2M_ERR_NO_SWITCH;
	if ((unsigned int)outcome >= DAV2M_OUTCOMES)
		return DAV2M_ERR_RANGE;
	ctl->handed = 0;
	ctl->switch_cycles = cycles;
	if (outcome == DAV2M_DONE)
		go_over(ctl);
	else
		back_off(ctl, outcome);
	return DAV2M_OK;
}

/* Beginnings and changes of parameters. */

static uint8_t step_shift(uint32_t window_inst)
{
	uint8_t shift = 0;

	while (window_inst >> shift >> STEP_BITS)
		shift++;
	return shift;
}

/* What a new window_settle leaves of the transient that is under way. */
static uint16_t settle_ticks(const struct dav2m *ctl)
{
	uint32_t since = ctl->tick - ctl->switched_at[dav2m_mode_of(ctl)];

	return since < ctl->config.window_settle ? (uint16_t)(ctl->config.window_settle - since)
						 : 0;
}

/* The state of a mode that nothing is known against. */
static void rest(struct dav2m *ctl, enum dav2m_mode running)
{
	ctl->state = running == DAV2M_SHADOW ? DAV2M_STATE_SHADOW : DAV2M_STATE_NESTED;
}

/* What the last one has learned, asked for and waited for is not the new one's. */
static void change_judge(struct dav2m *ctl)
{
	__builtin_memset(&ctl->judge, 0, sizeof(ctl->judge));
	ctl->asked = 0;
	rest(ctl, dav2m_mode_of(ctl));
}

static void configure(struct dav2m *ctl, const struct dav2m_config *config)
{
	if (ctl->config.judge != config->judge)
		change_judge(ctl);
	ctl->config = *config;
	dav2m_meter_keep(&ctl->meter, dav2m_judge_of(ctl)->wanted);
	ctl->step_shift = step_shift(config->window_inst);
	ctl->calm_at = ctl->tick + config->window_trans;
	ctl->settle_ticks = settle_ticks(ctl);
	restart(ctl);
	dav2m_judge_of(ctl)->reset(ctl);
	review(ctl);
}

int dav2m_init(struct dav2m *ctl, const struct dav2m_config *config, enum dav2m_mode running)
{
	int error;

	if (!ctl)
		return DAV2M_ERR_NULL;
	error = dav2m_config_check(config, NULL);
	if (error)
		return error;
	if ((unsigned int)running >= DAV2M_MODES)
		return DAV2M_ERR_RANGE;
	/* Padding too, so that equal controllers have equal bytes. */
	__builtin_memset(ctl, 0, sizeof(*ctl));
	ctl->magic = DAV2M_MAGIC;
	ctl->pin = DAV2M_PIN_NONE;
	rest(ctl, running);
	/* The first switch is never an oscillation. */
	for (unsigned int mode = 0; mode < DAV2M_MODES; mode++)
		ctl->switched_at[mode] = 0u - config->window_trans;
	dav2m_meter_init(&ctl->meter, config->counter_bits);
	configure(ctl, config);
	return DAV2M_OK;
}

int dav2m_retune(struct dav2m *ctl, const struct dav2m_config *config)
{
	int error;

	if (!ctl)
		return DAV2M_ERR_NULL;
	if (ctl->magic != DAV2M_MAGIC)
		return DAV2M_ERR_UNINIT;
	error = dav2m_config_check(config, NULL);
	if (error)
		return error;
	/* What is long ago stays long ago. */
	for (unsigned int mode = 0; mode < DAV2M_MODES; mode++)
		if (ctl->tick - ctl->switched_at[mode] >= ctl->config.window_trans)
			ctl->switched_at[mode] = ctl->tick - config->window_trans;
	/* In another width the counters cannot be compared with what they were. */
	if (config->counter_bits != ctl->config.counter_bits)
		dav2m_meter_rebase(&ctl->meter, config->counter_bits);
	configure(ctl, config);
	return DAV2M_OK;
}

int dav2m_rebase(struct dav2m *ctl)
{
	if (!ctl)
		return DAV2M_ERR_NULL;
	if (ctl->magic != DAV2M_MAGIC)
		return DAV2M_ERR_UNINIT;
	dav2m_meter_rebase(&ctl->meter, ctl->meter.width);
	restart(ctl);
	ctl->switch_cycles = 0;
	review(ctl);
	return DAV2M_OK;
}

int dav2m_pin(struct dav2m *ctl, enum dav2m_pin pin)
{
	if (!ctl)
		return DAV2M_ERR_NULL;
	if (ctl->magic != DAV2M_MAGIC)
		return DAV2M_ERR_UNINIT;
	if ((unsigned int)pin >= DAV2M_PINS)
		return DAV2M_ERR_RANGE;
	ctl->pin = (uint8_t)pin;
	/* A switch away from the running mode is withdrawn if the pin forbids it, and so is one
	   that an earlier pin asked for and this one no longer does. */
	if (ctl->asked && (!pin_forbids(ctl, dav2m_mode_of(ctl)) &&
			   (pin != DAV2M_PIN_NONE || ctl->asked == VERDICT_PIN)))
		withdraw(ctl);
	review(ctl);
	return DAV2M_OK;
}
