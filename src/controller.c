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

/* Moving averages hold progress and cycles in 32 bits. With window_inst scaled below 2^26, a tick
   fits up to a CPI of 64, and the scaling costs less than 2^-25 of it. */
#define STEP_BITS 26

static void increment(uint32_t *count)
{
	*count += *count != UINT32_MAX;
}

enum dav2m_mode dav2m_state_mode(enum dav2m_state state)
{
	return dav2m_mode_of_state((unsigned int)state);
}

/* Windows. */

static void restart_exits(struct dav2m *ctl)
{
	ctl->tick_exits -= ctl->exits; /* the tick goes on */
	ctl->exits = 0;
	ctl->exits_metered = 0;
	ctl->exits_from_progress = ctl->window_progress;
	ctl->exits_from_ticks = ctl->window_ticks;
}

static void restart_window(struct dav2m *ctl)
{
	ctl->window_progress = 0;
	ctl->window_cycles = 0;
	ctl->window_tlb_misses = 0;
	ctl->window_ticks = 0;
	restart_exits(ctl);
}

static void restart_tick(struct dav2m *ctl)
{
	ctl->tick_progress = 0;
	ctl->tick_cycles = 0;
	ctl->tick_tlb_misses = 0;
	ctl->tick_exits = ctl->exits;
}

static void restart_smoothing(struct dav2m *ctl)
{
	ctl->steps = 0;
	ctl->step_next = 0;
	restart_tick(ctl);
}

/* A quarter of a tick is the least that a CPI is computed over (docs/policy.md, section 3). */
int dav2m_window_has_cpi(const struct dav2m *ctl)
{
	return ctl->window_progress && ctl->window_cycles &&
	       ctl->window_progress >= ctl->config.window_inst / 4;
}

static void store_reference(struct dav2m *ctl)
{
	if (!dav2m_window_has_cpi(ctl))
		return;
	ctl->reference_progress = ctl->window_progress;
	ctl->reference_cycles = ctl->window_cycles;
}

/* Sets what makes a sample worth taking at once: nothing, where exits decide nothing. */
static DAV2M_RARE void arm(struct dav2m *ctl)
{
	ctl->exits_due = UINT32_MAX;
	if (dav2m_mode_of(ctl) == DAV2M_SHADOW && ctl->pin == DAV2M_PIN_NONE && !ctl->asked &&
	    !ctl->backoff && !ctl->settle_ticks)
		ctl->exits_due = dav2m_judge_of(ctl)->exits_limit(ctl);
}

/* Ticks. */

static uint32_t narrow(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static DAV2M_RARE void calm_down(struct dav2m *ctl)
{
	ctl->calm_at += ctl->config.window_trans;
	dav2m_judge_of(ctl)->calm(ctl);
	ctl->exits_due = UINT32_MAX; /* a new limit: armed again at the end of the tick */
}

static void pass_time(struct dav2m *ctl)
{
	ctl->tick++;
	if (ctl->backoff)
		ctl->backoff--;
	if (ctl->settle_ticks)
		ctl->settle_ticks--;
	if (ctl->tick == ctl->calm_at)
		calm_down(ctl);
}

static void finish_tick(struct dav2m *ctl, uint64_t progress)
{
	struct dav2m_step *step = &ctl->step[ctl->step_next];

	step->progress = narrow(progress >> ctl->step_shift);
	step->cycles = narrow(ctl->tick_cycles >> ctl->step_shift);
	step->tlb_misses = ctl->tick_tlb_misses;
	step->paging_exits = ctl->exits - ctl->tick_exits;
	if (++ctl->step_next == DAV2M_SMOOTHING)
		ctl->step_next = 0;
	if (ctl->steps < DAV2M_SMOOTHING)
		ctl->steps++;
	restart_tick(ctl);
	ctl->window_ticks++;
	pass_time(ctl);
}

/* The switch belongs to neither mode's speed. */
static DAV2M_RARE uint64_t without_switch(struct dav2m *ctl, uint64_t cycles)
{
	uint64_t spent = ctl->switch_cycles;

	ctl->switch_cycles = 0;
	return cycles > spent ? cycles - spent : 0;
}

/*
 * Adds a reading to the windows and the tick. Answers 1 when it completes a tick: enough work,
 * or, where work is not measured, any reading. A window's sums cannot overflow: that takes 2^24
 * readings of the largest size, each of them minutes long, without completing the window.
 */
static int account(struct dav2m *ctl, const uint64_t delta[DAV2M_COUNTERS])
{
	uint64_t progress = delta[DAV2M_PROGRESS], cycles = delta[DAV2M_CYCLES];
	uint64_t misses = delta[DAV2M_TLB_MISSES];
	uint64_t worked = ctl->tick_progress + progress; /* < 2^31 + 2^40 */

	if (ctl->switch_cycles)
		cycles = without_switch(ctl, cycles);
	ctl->window_progress += progress;
	ctl->window_cycles += cycles;
	ctl->tick_cycles += cycles;
	ctl->window_tlb_misses += misses;
	ctl->tick_tlb_misses += (uint32_t)misses; /* for people only: 2^32 a tick will do */
	if (worked < ctl->config.window_inst && (ctl->meter.known & DAV2M_BIT(DAV2M_PROGRESS))) {
		ctl->tick_progress = (uint32_t)worked;
		return 0;
	}
	finish_tick(ctl, worked);
	return 1;
}

/* Decisions. */

static int pin_forbids(const struct dav2m *ctl, enum dav2m_mode mode)
{
	const enum dav2m_pin own = mode == DAV2M_SHADOW ? DAV2M_PIN_SHADOW : DAV2M_PIN_NESTED;

	return ctl->pin != DAV2M_PIN_NONE && ctl->pin != own;
}

static enum dav2m_verdict guard(const struct dav2m *ctl)
{
	if (pin_forbids(ctl, dav2m_mode_of(ctl)))
		return VERDICT_PIN;
	switch ((enum dav2m_state)ctl->state) {
	case DAV2M_STATE_SHADOW:
	case DAV2M_STATE_NESTED:
		return dav2m_judge_of(ctl)->leave(ctl);
	case DAV2M_STATE_PRENESTED:
	case DAV2M_STATE_PRESHADOW:
		return dav2m_judge_of(ctl)->probe(ctl);
	case DAV2M_STATE_PREPAGING:
	default: /* -Wswitch-enum still asks for each state by name */
		break;
	}
	return ctl->window_ticks >= ctl->config.window_prepaging ? VERDICT_QUIESCED : VERDICT_HOLD;
}

static DAV2M_RARE void change_mode(struct dav2m *ctl, enum dav2m_mode to,
				   enum dav2m_verdict verdict)
{
	increment(&ctl->tally.switches[to]);
	/* A pin is the caller's will, not an oscillation. */
	if (verdict != VERDICT_PIN)
		dav2m_judge_of(ctl)->switched(ctl, to);
	ctl->switched_at[to] = ctl->tick;
	ctl->settle_ticks = ctl->config.window_settle;
	ctl->nested_ticks += to == DAV2M_NESTED ? 0u - ctl->tick : ctl->tick;
	ctl->calm_at = ctl->tick + ctl->config.window_trans;
	restart_smoothing(ctl);
}

/* The one place where the state changes. */
static DAV2M_RARE void commit(struct dav2m *ctl, enum dav2m_verdict verdict)
{
	const struct dav2m_edge *edge = &dav2m_edges[ctl->state][verdict];
	enum dav2m_mode before = dav2m_mode_of(ctl);

	restart_window(ctl);
	ctl->state = edge->to;
	if (dav2m_mode_of(ctl) != before)
		change_mode(ctl, dav2m_mode_of(ctl), verdict);
	dav2m_judge_of(ctl)->learn(ctl, (enum dav2m_lesson)edge->lesson);
	arm(ctl);
}

/* A window is complete, and the state stays. */
static void roll(struct dav2m *ctl)
{
	if (ctl->state == DAV2M_STATE_PRESHADOW && ctl->window_ticks < ctl->config.window_tmiss) {
		restart_exits(ctl); /* edge 11: the probe's own window goes on */
		return;
	}
	if (ctl->state == DAV2M_STATE_SHADOW)
		store_reference(ctl);
	restart_window(ctl);
}

static void ask(struct dav2m *ctl, enum dav2m_verdict verdict)
{
	ctl->asked = (uint8_t)verdict;
	arm(ctl);
}

/* What forbids a switch to a mode; DAV2M_WAITING: nothing. */
static enum dav2m_reason obstacle(const struct dav2m *ctl, enum dav2m_mode to)
{
	if (pin_forbids(ctl, to))
		return DAV2M_PINNED;
	return ctl->backoff ? DAV2M_BACKING_OFF : DAV2M_WAITING;
}

/* What became of a sample: the edge that was followed, or is asked for, and why. */
struct result {
	const struct dav2m_edge *edge;
	enum dav2m_reason reason;
};

static struct result follow(const struct dav2m_edge *edge)
{
	return (struct result){edge, (enum dav2m_reason)edge->reason};
}

/* Nothing was followed; with nothing asked for, that is VERDICT_HOLD. */
static struct result stay(const struct dav2m *ctl, enum dav2m_reason reason)
{
	return (struct result){&dav2m_edges[ctl->state][ctl->asked], reason};
}

/* Follows a verdict that ends the state: at once, or by asking for the switch it needs. */
static DAV2M_RARE struct result leave(struct dav2m *ctl, enum dav2m_verdict verdict)
{
	const struct dav2m_edge *edge = &dav2m_edges[ctl->state][verdict];
	enum dav2m_mode to = dav2m_mode_of_state(edge->to);
	enum dav2m_reason why_not;

	if (verdict == VERDICT_LEAVE || verdict == VERDICT_ABORT)
		store_reference(ctl);
	why_not = to == dav2m_mode_of(ctl) ? DAV2M_WAITING : obstacle(ctl, to);
	if (why_not != DAV2M_WAITING) {
		restart_window(ctl);
		return stay(ctl, why_not);
	}
	if (to == dav2m_mode_of(ctl))
		commit(ctl, verdict);
	else
		ask(ctl, verdict);
	return follow(edge);
}

/* A reading that can be used, while no switch is asked for. */
static struct result judge(struct dav2m *ctl, const uint64_t delta[DAV2M_COUNTERS])
{
	int settling = ctl->settle_ticks != 0;
	const struct dav2m_edge *edge;
	enum dav2m_verdict verdict;

	if (account(ctl, delta) && ctl->exits_due == UINT32_MAX)
		arm(ctl);
	if (settling) {
		restart_window(ctl);
		return stay(ctl, DAV2M_SETTLING);
	}
	if (delta[DAV2M_PROGRESS] == 0 && (ctl->meter.known & DAV2M_BIT(DAV2M_PROGRESS)))
		return stay(ctl, DAV2M_NO_PROGRESS);
	verdict = guard(ctl);
	edge = &dav2m_edges[ctl->state][verdict];
	if (edge->to != ctl->state)
		return leave(ctl, verdict);
	if (verdict != VERDICT_HOLD)
		roll(ctl);
	else if (ctl->exits > ctl->exits_due)
		ctl->exits_due = UINT32_MAX; /* one sample a tick is enough to ask for */
	return follow(edge);
}

/* Where samples carry the exits, those that the caller counted have only been hints. */
static void meter_exits(struct dav2m *ctl, const uint64_t delta[DAV2M_COUNTERS])
{
	if (!(ctl->meter.known & DAV2M_BIT(DAV2M_PAGING_EXITS)))
		return;
	ctl->exits_metered = narrow(ctl->exits_metered + delta[DAV2M_PAGING_EXITS]);
	ctl->exits = ctl->exits_metered;
}

/* A sample that says nothing about the time since the last one. */
static DAV2M_RARE struct result pass_over(struct dav2m *ctl, enum dav2m_reading reading)
{
	static const enum dav2m_reason reasons[] = {
		[READING_BASELINE] = DAV2M_BASELINE, [READING_INCOMPLETE] = DAV2M_INCOMPLETE,
		[READING_LOST] = DAV2M_COUNTER_LOST, [READING_BACKWARD] = DAV2M_BACKWARD,
		[READING_JUMP] = DAV2M_JUMP,
	};

	if (reading != READING_INCOMPLETE) {
		restart_window(ctl);
		restart_tick(ctl);
	}
	return stay(ctl, reasons[reading]);
}

static struct result read_sample(struct dav2m *ctl, const struct dav2m_sample *sample)
{
	uint64_t delta[DAV2M_COUNTERS];
	enum dav2m_reading reading =
		dav2m_meter_read(&ctl->meter, sample, dav2m_judge_of(ctl)->wanted, delta);

	if (reading != READING_OK)
		return pass_over(ctl, reading);
	if (ctl->asked)
		return stay(ctl, DAV2M_UNACKNOWLEDGED);
	meter_exits(ctl, delta);
	return judge(ctl, delta);
}

static void describe(const struct dav2m *ctl, struct result result,
		     struct dav2m_decision *ret_decision)
{
	const struct dav2m_edge *edge = result.edge;

	ret_decision->action = ctl->asked ? DAV2M_SWITCH : DAV2M_STAY;
	ret_decision->mode = dav2m_mode_of_state(edge->to);
	ret_decision->to = (enum dav2m_state)edge->to;
	ret_decision->reason = result.reason;
	ret_decision->edge = edge->number;
	ret_decision->tick = ctl->tick;
}

int dav2m_sample(struct dav2m *ctl, const struct dav2m_sample *sample,
		 struct dav2m_decision *ret_decision)
{
	struct result result;

	if (!ctl || !sample || !ret_decision)
		return DAV2M_ERR_NULL;
	if (ctl->magic != DAV2M_MAGIC)
		return DAV2M_ERR_UNINIT;
	if (sample->valid & ~DAV2M_ALL_COUNTERS)
		return DAV2M_ERR_SAMPLE;
	ret_decision->from = (enum dav2m_state)ctl->state;
	result = read_sample(ctl, sample);
	ctl->count[result.reason]++;
	ctl->last_reason = (uint8_t)result.reason;
	describe(ctl, result, ret_decision);
	return DAV2M_OK;
}

int dav2m_paging_exits(struct dav2m *ctl, uint32_t n)
{
	ctl->exits += n;
	return ctl->exits > ctl->exits_due;
}

static void back_off(struct dav2m *ctl, enum dav2m_outcome outcome)
{
	if (outcome == DAV2M_DEFERRED) {
		increment(&ctl->tally.deferred);
		ctl->backoff = 1;
	} else {
		increment(&ctl->tally.failed);
		ctl->backoff = (uint8_t)(1u << ctl->failures);
		if (ctl->failures < BACKOFF_MAX_SHIFT)
			ctl->failures++;
	}
	restart_window(ctl);
	arm(ctl);
}

int dav2m_acknowledge(struct dav2m *ctl, enum dav2m_outcome outcome, uint64_t cycles)
{
	enum dav2m_verdict verdict;

	if (!ctl)
		return DAV2M_ERR_NULL;
	if (ctl->magic != DAV2M_MAGIC)
		return DAV2M_ERR_UNINIT;
	if (!ctl->asked)
		return DAV2M_ERR_NO_SWITCH;
	if ((unsigned int)outcome >= DAV2M_OUTCOMES)
		return DAV2M_ERR_RANGE;
	verdict = (enum dav2m_verdict)ctl->asked;
	ctl->asked = 0;
	ctl->switch_cycles = cycles;
	if (outcome == DAV2M_DONE) {
		ctl->failures = 0;
		commit(ctl, verdict);
	} else {
		back_off(ctl, outcome);
	}
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

static void configure(struct dav2m *ctl, const struct dav2m_config *config)
{
	ctl->config = *config;
	ctl->step_shift = step_shift(config->window_inst);
	ctl->calm_at = ctl->tick + config->window_trans;
	ctl->settle_ticks = settle_ticks(ctl);
	restart_window(ctl);
	restart_smoothing(ctl);
	dav2m_judge_of(ctl)->reset(ctl);
	arm(ctl);
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
	ctl->state = running == DAV2M_SHADOW ? DAV2M_STATE_SHADOW : DAV2M_STATE_NESTED;
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
	ctl->meter.unused_bits = (uint8_t)(64 - config->counter_bits);
	configure(ctl, config);
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
			   (pin != DAV2M_PIN_NONE || ctl->asked == VERDICT_PIN))) {
		ctl->asked = 0;
		restart_window(ctl);
	}
	arm(ctl);
	return DAV2M_OK;
}
