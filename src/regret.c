/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regret judge: leaves a mode when staying has cost as much as a round trip would have.
 *
 * The rule and what it promises are in regret_rule.h and docs/bound.md. This file supplies its
 * costs, once a tick, in grains (cycles >> step_shift):
 *
 *     running mode   page walks and paging exits, as counted
 *     nested paging, while shadow runs: walks x what a nested walk costs
 *     shadow paging, while nested runs: walks x what a shadow walk costs, and the paging exits of
 *                    the last time that shadow paging saw a phase with this signature
 *
 * What cannot be known is bought: a probe of shadow paging, paid from a budget that is a share of
 * all cycles. Two things are worth one: a phase that shadow paging has not seen, for which no
 * exits at all are assumed; and doubt, which grows while a phase is only remembered as bad.
 *
 * A signature is the rate of TLB misses and that of TLB flushes, in eighths of an octave.
 */
#include "core.h"
#include "regret_rule.h"

/* The ratio of walk costs is in 1/256, and never beyond 1 and 16: a two-dimensional walk reads up
   to 24 entries where a one-dimensional one reads 4, most of them from caches. */
#define RATIO_BITS 8
#define RATIO_MAX  (16u << RATIO_BITS)

/* Walks that take less of a tick than 1/64 under nested paging decide nothing, and those of a
   program that maps its memory are dearer than others: its tables are in no cache yet. They teach
   nothing. Nor do those that take less than 16 grains under shadow paging: they cannot be divided
   by. */
#define WALKS_MATTER_BITS 6
#define FEW_GRAINS_BITS	  4

/* A walk that no counter tells of is taken to come once in this much work; with the default costs
   nested paging is then held to cost 4 % (inferred: the middle of what DAV2M's figure 1 shows). */
#define WORK_PER_WALK_BITS 10

/* Signatures as far apart as this are one phase: half an octave of TLB misses, an octave of
   flushes. Noise of 10 % is 1/8 octave, and phases that matter differ by more. */
#define SAME_MISSES  4
#define SAME_FLUSHES 8

/* Rates below window_inst >> this tell nothing: so few misses cost 0.1 % of a tick, so few flushes
   exit as often as the noise. */
#define FEW_MISSES_BITS	 16
#define FEW_FLUSHES_BITS 20

/* Doubt before the first probe, and its smallest step later: 4 round trips, so that a probe that
   fails costs a third of what has been at stake. At most 2^8: beyond that no memory is believed. */
#define DOUBT_TRIPS 4
#define DOUBT_BITS  8

/* Looking for the moment when doubt begins to be right costs probes: only with 4 to spare. */
#define TRYING_TRIPS 4

/* A stay that gained this many round trips was worth its switches, and phases are long. */
#define RICH_TRIPS 2
#define BOTH_MODES 3

/* The budget holds up to 8 round trips: the probes that a program with as many phases needs. */
#define BUDGET_TRIPS 8

/* A switch never counts for more than 64 ticks or less than 1/64: half a minute and a millisecond
   with the default window_inst would be errors of measurement. */
#define TRIP_BITS 6

#define UNSEEN UINT16_MAX

/* Why the mode was or is to be changed. */
enum { KNOWN_BETTER = 0, UNSEEN_PHASE, DOUBTED };

/* What a tick came to. */
struct tick {
	uint64_t walks;	 /* TLB misses, or what stands for them */
	uint32_t cycles; /* all of them; from here on in grains */
	uint32_t walk;	 /* of these, page walks */
	uint32_t exits;	 /* and paging exits, */
	uint32_t cost;	 /* together; */
	uint32_t other;	 /* and what it would have cost in the other mode, */
	uint32_t saved;	 /* and have saved there without exits, where they are unknown */
	uint32_t ratio;	 /* of work to window_inst, in 1/256 */
	uint8_t misses;	 /* the signature */
	uint8_t flushes;
};

static uint32_t least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

static uint32_t most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

static uint32_t bounded(int64_t value, uint32_t low, uint32_t high)
{
	if (value < (int64_t)low)
		return low;
	return value > (int64_t)high ? high : (uint32_t)value;
}

static int64_t within(int64_t value, uint32_t most)
{
	if (value > most)
		return most;
	return value < -(int64_t)most ? -(int64_t)most : value;
}

static int32_t add(int32_t sum, int64_t more)
{
	more += sum;
	if (more > INT32_MAX)
		return INT32_MAX;
	return more < INT32_MIN ? INT32_MIN : (int32_t)more;
}

static uint32_t part_bp(uint32_t value, uint32_t bp)
{
	return least((uint64_t)value * bp * 53687 >> 29, UINT32_MAX);
}

/* Floating-point numbers of 11 + 5 bits, to within 1/1024. */
static uint16_t pack(uint32_t value)
{
	unsigned int shift = value >> 11 ? 21 - (unsigned int)__builtin_clz(value) : 0;

	return (uint16_t)(shift << 11 | value >> shift);
}

static uint32_t unpack(uint16_t packed)
{
	return (uint32_t)(packed & 0x7ff) << (packed >> 11);
}

static unsigned int log2_floor(uint64_t value)
{
	return 63 - (unsigned int)__builtin_clzll(value);
}

/* In eighths of an octave; value > 7. */
static uint8_t octaves(uint64_t value)
{
	unsigned int log2 = log2_floor(value);

	return (uint8_t)(log2 * 8 + (value >> (log2 - 3) & 7));
}

static int knows(const struct dav2m *ctl, enum dav2m_counter counter)
{
	return (ctl->meter.known & DAV2M_BIT(counter)) != 0;
}

/* Measuring. */

/* A tick that a late sample overran is not a tick's work. */
static DAV2M_RARE uint32_t odd_ratio(uint64_t progress, uint32_t window_inst)
{
	while (progress >> 24) {
		progress >>= 1;
		window_inst >>= 1;
	}
	return bounded((int64_t)((uint32_t)progress * 256 / (window_inst | 1)), 256, 65536);
}

static uint32_t ratio_of(const struct dav2m *ctl, uint64_t progress)
{
	const uint32_t window_inst = ctl->config.window_inst;

	if (!knows(ctl, DAV2M_PROGRESS) || progress <= window_inst + window_inst / 8)
		return 256;
	return odd_ratio(progress, window_inst);
}

/* A rate's share of a tick that is not a whole one, or more. */
static uint32_t in_tick(uint32_t rate, uint32_t ratio)
{
	return least((uint64_t)rate * ratio >> 8, UINT32_MAX);
}

/* What the walks of a tick in one mode would cost in the other. */
static uint32_t walk_elsewhere(const struct dav2m_regret *r, uint32_t walk)
{
	uint32_t ratio = r->mode == DAV2M_SHADOW ? r->walk_ratio : r->walk_inverse;

	return least((uint64_t)walk * ratio >> RATIO_BITS, UINT32_MAX);
}

/* What a number of walks costs where no counter tells. */
static uint32_t walk_cost(const struct dav2m *ctl, uint64_t walks)
{
	const struct dav2m_regret *r = &ctl->judge.regret;
	uint32_t shadow =
		least(walks * ctl->config.shadow_walk_cycles >> ctl->step_shift, UINT32_MAX);

	return dav2m_mode_of(ctl) == DAV2M_SHADOW
		       ? shadow
		       : least((uint64_t)shadow * r->walk_ratio >> RATIO_BITS, UINT32_MAX);
}

static uint32_t counted(const struct dav2m *ctl, enum dav2m_counter counter, uint32_t from)
{
	return (uint32_t)(ctl->meter.total[counter] >> ctl->step_shift) - from;
}

static uint32_t exit_cost(const struct dav2m *ctl)
{
	if (dav2m_mode_of(ctl) == DAV2M_NESTED)
		return 0;
	if (knows(ctl, DAV2M_PAGING_EXIT_CYCLES))
		return counted(ctl, DAV2M_PAGING_EXIT_CYCLES, ctl->judge.regret.from_exits);
	return least((uint64_t)ctl->exits * ctl->judge.regret.exit_cycles >> ctl->step_shift,
		     UINT32_MAX);
}

/* A rate in eighths of an octave, what is too little to tell anything left in the dark. */
static uint8_t rate_octaves(uint64_t count, uint32_t few, uint32_t ratio)
{
	/* 256 is 64 eighths. */
	return (uint8_t)bounded((int64_t)octaves(count + in_tick(few, ratio) + 8) + 64 -
					octaves(ratio),
				0, UINT8_MAX);
}

/* Where nobody counts TLB misses they are taken to come with the work, or with time. */
static uint64_t walks_of_work(const struct dav2m *ctl, uint64_t progress)
{
	if (!knows(ctl, DAV2M_PROGRESS))
		progress = ctl->config.window_inst;
	return progress >> WORK_PER_WALK_BITS;
}

static struct tick measure(const struct dav2m *ctl)
{
	const struct dav2m_regret *r = &ctl->judge.regret;
	const uint32_t window_inst = ctl->config.window_inst;
	uint64_t progress = dav2m_window_progress(ctl);
	uint32_t flushes = (uint32_t)ctl->meter.total[DAV2M_TLB_FLUSHES] - r->from_flushes;
	struct tick tick = {
		.walks = knows(ctl, DAV2M_TLB_MISSES) ? dav2m_window_tlb_misses(ctl)
						      : walks_of_work(ctl, progress),
		.cycles = least(dav2m_window_cycles(ctl) >> ctl->step_shift, UINT32_MAX),
		.exits = exit_cost(ctl),
		.ratio = ratio_of(ctl, progress),
	};

	tick.walk = knows(ctl, DAV2M_WALK_CYCLES) ? counted(ctl, DAV2M_WALK_CYCLES, r->from_walk)
						  : walk_cost(ctl, tick.walks);
	tick.misses = rate_octaves(tick.walks, window_inst >> FEW_MISSES_BITS, tick.ratio);
	tick.flushes = rate_octaves(flushes, window_inst >> FEW_FLUSHES_BITS, tick.ratio);
	return tick;
}

/* The next tick is measured from here. */
static void begin(struct dav2m *ctl)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	const uint64_t *total = ctl->meter.total;

	r->from_walk = (uint32_t)(total[DAV2M_WALK_CYCLES] >> ctl->step_shift);
	r->from_exits = (uint32_t)(total[DAV2M_PAGING_EXIT_CYCLES] >> ctl->step_shift);
	r->from_flushes = (uint32_t)total[DAV2M_TLB_FLUSHES];
}

/* Remembering phases. */

static uint32_t apart(const struct dav2m_phase *phase, const struct tick *tick)
{
	return distance(phase->misses, tick->misses) * 2 + distance(phase->flushes, tick->flushes);
}

static int alike(const struct dav2m_phase *phase, const struct tick *tick)
{
	return distance(phase->misses, tick->misses) <= SAME_MISSES &&
	       distance(phase->flushes, tick->flushes) <= SAME_FLUSHES;
}

/* A new phase takes a place of its own or, when all are taken, that of any other: of those that
   come round in turn, forgetting the oldest would forget each just before it comes. */
static DAV2M_RARE void find_phase(struct dav2m *ctl, const struct tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	uint32_t nearest = UINT32_MAX;

	for (uint8_t i = 0; i < r->phases; i++)
		if (alike(&r->phase[i], tick) && apart(&r->phase[i], tick) < nearest) {
			nearest = apart(&r->phase[i], tick);
			r->current = i & 15u;
		}
	if (nearest != UINT32_MAX)
		return;
	/* Knuth's multiplicative hash of the time. */
	if (r->phases < DAV2M_PHASES) {
		r->current = r->phases;
		r->phases = 15u & (r->phases + 1u);
	} else {
		r->current = 15u & ((ctl->tick * UINT32_C(2654435761) >> 16) % DAV2M_PHASES);
	}
	r->phase[r->current] = (struct dav2m_phase){tick->misses, tick->flushes, UNSEEN};
}

/* What exits cost in the phase whose signature is nearest; UNSEEN: no phase has been seen. */
static DAV2M_RARE uint16_t nearest_exits(const struct dav2m_regret *r, const struct tick *tick)
{
	uint32_t nearest = UINT32_MAX;
	uint16_t exits = UNSEEN;

	for (uint8_t i = 0; i < r->phases; i++)
		if (r->phase[i].exits != UNSEEN && apart(&r->phase[i], tick) < nearest) {
			nearest = apart(&r->phase[i], tick);
			exits = r->phase[i].exits;
		}
	return exits;
}

static void remember(struct dav2m_regret *r, const struct tick *tick)
{
	struct dav2m_phase *phase = &r->phase[r->current];
	unsigned int longer = log2_floor(tick->ratio);
	int64_t rate;

	if (phase->exits == UNSEEN) {
		phase->exits = pack(tick->exits >> (longer - 8));
		return;
	}
	rate = unpack(phase->exits);
	/* Half of the way, and less where a longer tick shows more of the error; ratio >= 2^8. */
	rate += ((int64_t)tick->exits - in_tick((uint32_t)rate, tick->ratio)) >> (longer - 7);
	phase->exits = pack(bounded(rate, 0, UINT32_MAX));
}

/* Calibrating. */

/* Moves a cost per event by a part of the error that it makes over a number of events. */
static uint16_t calibrated(uint16_t cost, int64_t error, uint64_t events, unsigned int gain_bits)
{
	error >>= log2_floor(events);
	return (uint16_t)bounded(cost + (error >> gain_bits), 1, UINT16_MAX - 1);
}

static void calibrate_exits(struct dav2m *ctl, const struct tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;

	if (knows(ctl, DAV2M_PAGING_EXIT_CYCLES) && r->mode == DAV2M_SHADOW && ctl->exits)
		r->exit_cycles =
			calibrated(r->exit_cycles,
				   ((int64_t)tick->exits << ctl->step_shift) -
					   (int64_t)((uint64_t)ctl->exits * r->exit_cycles),
				   ctl->exits, 2);
}

/* Half of the ratio is from the latest switch: the guest may have changed with it. */
static void calibrate_walks(struct dav2m_regret *r, uint32_t measured)
{
	measured = (r->walk_ratio + bounded(measured, 1u << RATIO_BITS, RATIO_MAX)) / 2;
	r->walk_ratio = (uint16_t)measured;
	r->measured = 1;
	r->walk_inverse = (uint16_t)((1u << 2 * RATIO_BITS) / measured);
}

/* a / b in 1/256; RARE, for it divides. */
static DAV2M_RARE uint32_t quotient(uint32_t a, uint32_t b)
{
	while (a >> 24 || b >> 24) {
		a >>= 1;
		b >>= 1;
	}
	return (a << RATIO_BITS) / most(b, 1);
}

/* A round trip, both transients included. */
static uint32_t round_trip(const struct dav2m_regret *r)
{
	return unpack(r->trip[DAV2M_SHADOW]) + unpack(r->trip[DAV2M_NESTED]);
}

static uint16_t believable_trip(const struct dav2m *ctl, int64_t cost)
{
	const uint32_t window = ctl->config.window_inst >> ctl->step_shift;

	return pack(bounded(cost, (window >> TRIP_BITS) + 1, window << TRIP_BITS));
}

/* Half of what a switch costs is from the latest one: what the VMM told ... */
static void weigh_switch(struct dav2m *ctl, enum dav2m_mode to)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	uint32_t cost = least(ctl->switch_cycles >> ctl->step_shift, UINT32_MAX);

	r->told = cost != 0;
	if (cost)
		r->trip[to] = believable_trip(ctl, ((int64_t)unpack(r->trip[to]) + cost) / 2);
}

/* ... and what the ticks of its transient took longer than this one. */
static void weigh_transient(struct dav2m *ctl, const struct tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	int64_t cost = (int64_t)r->settling - (int64_t)ctl->config.window_settle * tick->cycles;
	int64_t before = unpack(r->trip[r->mode]);

	if (cost > 0)
		r->trip[r->mode] =
			believable_trip(ctl, r->told ? before + cost / 2 : (before + cost) / 2);
	r->regret = 0;
}

/* With a counter of walk cycles: the last tick before the switch against the first one after its
   transient, per walk. */
static void compare_walks(struct dav2m *ctl, const struct tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	const uint32_t left_walk = unpack(r->left_walk), left_walks = unpack(r->left_walks);
	const uint32_t walks = least(tick->walks, UINT32_MAX);
	uint32_t cost, number;

	/* The same phase has about as many. */
	if (walks / 2 > left_walks || left_walks / 2 > walks ||
	    most(tick->walk, left_walk) <= tick->cycles >> WALKS_MATTER_BITS ||
	    !(tick->walk >> FEW_GRAINS_BITS && left_walk >> FEW_GRAINS_BITS))
		return;
	if (r->mode == DAV2M_NESTED) {
		cost = quotient(tick->walk, left_walk);
		number = quotient(left_walks, walks);
	} else {
		cost = quotient(left_walk, tick->walk);
		number = quotient(walks, left_walks);
	}
	calibrate_walks(r, least((uint64_t)cost * number >> RATIO_BITS, UINT32_MAX));
}

/*
 * Where no counter tells what a walk or an exit costs, the two modes' cycles do: what nested paging
 * takes longer than shadow paging without its exits are its walks.
 */
static void compare_cycles(struct dav2m *ctl, const struct tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	const uint32_t before = least(ctl->reference_cycles >> ctl->step_shift, UINT32_MAX);
	const int to_nested = r->mode == DAV2M_NESTED;
	const uint32_t left_walk = unpack(r->left_walk), left = unpack(r->other);
	const uint32_t shadow_walk = to_nested ? left_walk : tick->walk;
	/* Packing keeps the order. */
	const uint32_t exits = to_nested ? left - left_walk : tick->exits;
	const uint32_t walks =
		least((uint64_t)shadow_walk * (r->walk_ratio - (1u << RATIO_BITS)) >> RATIO_BITS,
		      UINT32_MAX);
	int64_t longer =
		to_nested ? (int64_t)tick->cycles - before : (int64_t)before - tick->cycles;
	int64_t error = within(longer + exits - walks, most(exits, walks));

	if (exits > walks && !knows(ctl, DAV2M_PAGING_EXIT_CYCLES))
		r->exit_cycles = calibrated(r->exit_cycles, -error * r->exit_cycles, exits, 1);
	if (exits <= walks && !knows(ctl, DAV2M_WALK_CYCLES) && shadow_walk)
		calibrate_walks(r,
				(1u << RATIO_BITS) + quotient(bounded(walks + error, 0, UINT32_MAX),
							      shadow_walk));
}

static void compare_modes(struct dav2m *ctl, const struct tick *tick)
{
	if (!ctl->judge.regret.compare || tick->ratio != 256 ||
	    ratio_of(ctl, ctl->reference_progress) != 256)
		return;
	if (knows(ctl, DAV2M_WALK_CYCLES))
		compare_walks(ctl, tick);
	compare_cycles(ctl, tick);
}

/* Doubt: when is what is remembered to be believed no more? */

static uint32_t times(uint32_t trip, unsigned int bits)
{
	return least((uint64_t)trip << bits, UINT32_MAX);
}

/* A probe at this much doubt failed, or found what was soon regretted. */
static void doubt_was_wrong(struct dav2m_regret *r, uint32_t doubt)
{
	const uint32_t trip = round_trip(r);

	/* At most half of the most there can be: so the next probe is never nearer than the other
	   half. */
	doubt = bounded(doubt, trip, times(trip, DOUBT_BITS - 1));
	r->doubt = least(r->doubt, doubt);
	r->doubt_low = pack(doubt);
	r->doubt_gains = 0;
	if (r->doubt_losses < DOUBT_BITS)
		r->doubt_losses++;
	if (r->doubt_high != UNSEEN && unpack(r->doubt_high) <= doubt) {
		r->doubt_high = UNSEEN;
		r->doubt_losses = 0;
	}
}

/* It was right, but too soon it was no more: not worth the switches. */
static void doubt_was_vain(struct dav2m_regret *r)
{
	r->doubt_high = UNSEEN;
	doubt_was_wrong(r, least((uint64_t)unpack(r->doubt_low) * 2, UINT32_MAX));
}

static void doubt_was_right(struct dav2m_regret *r)
{
	r->doubt_high = pack(r->doubt);
	r->doubt_losses = 0;
	if (r->doubt_gains < DOUBT_BITS)
		r->doubt_gains++;
}

/* It has been right once, at doubt_high: try a little earlier each time, until that fails. */
static uint32_t doubt_again(const struct dav2m_regret *r)
{
	const uint32_t trip = round_trip(r), low = unpack(r->doubt_low),
		       high = unpack(r->doubt_high);
	uint64_t step = (uint64_t)most(2 * trip, high >> 4) << r->doubt_gains;

	if (high <= low + 2 * trip || r->doubt_losses || r->budget < (int64_t)TRYING_TRIPS * trip)
		return least((uint64_t)high + trip, UINT32_MAX);
	return high > low + step + trip ? high - (uint32_t)step : low + (high - low) / 2;
}

/* It has never been right: wait twice as long after each failure. The first time as long as the
   last stay in shadow paging was good, but not for long: phases come back. */
static uint32_t doubt_first(const struct dav2m_regret *r, uint32_t rate)
{
	const uint32_t trip = round_trip(r), low = unpack(r->doubt_low);
	uint64_t wait = (uint64_t)most(DOUBT_TRIPS * trip, low >> 3) << r->doubt_losses;
	uint32_t good = least((uint64_t)r->good_ticks * rate, times(trip, DOUBT_BITS - 2));

	if (!low && wait < good)
		wait = good;
	return least(low + wait, times(trip, DOUBT_BITS));
}

/* Doubts by what could be saved; answers 1 when they are worth a probe that can be paid. */
static int doubts(struct dav2m_regret *r, uint32_t saved)
{
	r->doubt = least((uint64_t)r->doubt + saved, UINT32_MAX);
	if (r->budget < (int64_t)round_trip(r))
		return 0;
	return r->doubt >= (r->doubt_high == UNSEEN ? doubt_first(r, saved) : doubt_again(r));
}

/* Judging. */

/* What the tick would have cost in the other mode, and how that is known. */
static void estimate(struct dav2m *ctl, struct tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	uint16_t exits = r->phase[r->current].exits;

	tick->saved = 0;
	tick->other = walk_elsewhere(r, tick->walk);
	r->surety = DAV2M_MODELLED;
	if (r->mode == DAV2M_SHADOW) {
		/* Until it has been measured, a walk may cost the same in both modes. */
		if (!r->measured && r->budget >= 0) {
			r->surety = DAV2M_GUESSED;
			tick->other = tick->walk;
		}
		return;
	}
	r->surety = DAV2M_REMEMBERED;
	if (exits == UNSEEN) {
		r->surety = DAV2M_GUESSED;
		if (r->budget >= 0)
			return;
		exits = nearest_exits(r, tick);
	}
	tick->saved = tick->cost > tick->other ? tick->cost - tick->other : 0;
	if (exits == UNSEEN)
		tick->other = tick->cost; /* nothing is known, and nothing can be bought */
	else
		tick->other = least((uint64_t)tick->other + in_tick(unpack(exits), tick->ratio),
				    UINT32_MAX);
}

static uint32_t limit(const struct dav2m *ctl)
{
	const struct dav2m_regret *r = &ctl->judge.regret;
	uint32_t bp = ctl->config.regret_bp;

	if (r->surety != DAV2M_GUESSED && r->rich == BOTH_MODES)
		bp = ctl->config.regret_sure_bp;
	if (r->poor == BOTH_MODES)
		bp *= 2;
	return most(1, part_bp(round_trip(r), bp));
}

/* A pin has changed the mode: what was said of the stay before says nothing of this one. */
static DAV2M_RARE void be_moved(struct dav2m_regret *r, enum dav2m_mode mode)
{
	r->mode = mode & 1;
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

/* A tick is over: what is to be done in any state. */
static struct tick take_in(struct dav2m *ctl)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	struct tick tick = measure(ctl);

	begin(ctl);
	if (r->mode != dav2m_mode_of(ctl))
		be_moved(r, dav2m_mode_of(ctl));
	if (r->phases == 0 || !alike(&r->phase[r->current], &tick))
		find_phase(ctl, &tick);
	r->budget = dav2m_budget_earn(r->budget, tick.cycles, ctl->config.probe_share_bp,
				      least((uint64_t)BUDGET_TRIPS * round_trip(r), INT32_MAX));
	tick.cost = least((uint64_t)tick.walk + tick.exits, UINT32_MAX);
	r->cost = pack(tick.cost);
	return tick;
}

/* What a tick without a transient teaches. */
static void learn_from(struct dav2m *ctl, struct tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;

	if (r->arrived) {
		weigh_transient(ctl, tick);
		compare_modes(ctl, tick);
		r->arrived = 0;
		r->gain = 0;
	}
	calibrate_exits(ctl, tick);
	if (dav2m_mode_of(ctl) == DAV2M_SHADOW) {
		remember(r, tick);
		r->good_ticks = (uint16_t)least(r->good_ticks + UINT64_C(1), UINT16_MAX);
	}
	r->left_walk = pack(tick->walk);
	r->left_walks = pack(least(tick->walks, UINT32_MAX));
	estimate(ctl, tick);
	r->other = pack(tick->other);
	r->gain = add(r->gain, (int64_t)tick->other - tick->cost);
}

/* Regret over a settled tick; answers 1 when the mode is to be left, for the reason in r->why. */
static int regrets(struct dav2m *ctl, struct tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;

	learn_from(ctl, tick);
	r->why = r->surety == DAV2M_GUESSED && tick->saved == 0 ? UNSEEN_PHASE : KNOWN_BETTER;
	r->regret = dav2m_regret_add(r->regret, tick->cost, tick->other);
	if (dav2m_regret_due(r->regret, limit(ctl)))
		return 1;
	if (tick->saved == 0 || tick->other <= tick->cost || !doubts(r, tick->saved))
		return 0;
	r->why = DOUBTED;
	return 1;
}

static int tick_is_over(const struct dav2m *ctl)
{
	return dav2m_window_ticks(ctl) != 0;
}

/* Without any of these it cannot be told what a page walk costs, or how many there are. */
static int is_blind(const struct dav2m *ctl)
{
	return !knows(ctl, DAV2M_PROGRESS) && !knows(ctl, DAV2M_TLB_MISSES) &&
	       !knows(ctl, DAV2M_WALK_CYCLES);
}

static enum dav2m_verdict judge_stay(struct dav2m *ctl)
{
	struct tick tick;

	if (!tick_is_over(ctl))
		return VERDICT_HOLD;
	if (is_blind(ctl))
		return VERDICT_BLIND;
	tick = take_in(ctl);
	return regrets(ctl, &tick) ? VERDICT_LEAVE : VERDICT_ROLL;
}

static enum dav2m_verdict judge_quiet(struct dav2m *ctl)
{
	struct tick tick;

	if (!tick_is_over(ctl))
		return VERDICT_HOLD;
	tick = take_in(ctl);
	(void)regrets(ctl, &tick);
	return VERDICT_QUIESCED;
}

/* What a probe may lose. Its transient costs by itself. */
static uint32_t probe_loss(const struct dav2m *ctl)
{
	uint32_t loss = part_bp(round_trip(&ctl->judge.regret), ctl->config.probe_loss_bp);

	return ctl->judge.regret.arrived ? least((uint64_t)loss * 2, UINT32_MAX) : loss;
}

/* In the middle of a tick: the exits so far are more than a whole tick may have. */
static DAV2M_RARE enum dav2m_verdict judge_storm(struct dav2m *ctl)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	struct dav2m_phase *phase = &r->phase[r->current];
	uint32_t exits = exit_cost(ctl);

	if (!r->probing || ctl->state != DAV2M_STATE_PRESHADOW ||
	    (int64_t)exits - unpack(r->other) - r->gain <= probe_loss(ctl))
		return VERDICT_HOLD;
	r->gain = add(r->gain, -(int64_t)exits);
	if (phase->exits == UNSEEN || unpack(phase->exits) < exits)
		phase->exits = pack(exits);
	return VERDICT_GIVE_UP;
}

static enum dav2m_verdict judge_probe(struct dav2m *ctl)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	struct tick tick;

	if (!tick_is_over(ctl))
		return judge_storm(ctl);
	tick = take_in(ctl);
	if (!r->probing)
		return regrets(ctl, &tick) ? VERDICT_REJECT : VERDICT_KEEP;
	learn_from(ctl, &tick);
	if (-(int64_t)r->gain > probe_loss(ctl))
		return VERDICT_REJECT;
	if (tick.cost > tick.other)
		return VERDICT_ROLL;
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
	struct tick tick;

	if (!tick_is_over(ctl))
		return judge_storm(ctl);
	tick = take_in(ctl);
	r->settling = least((uint64_t)r->settling + tick.cycles, UINT32_MAX);
	if (!r->probing || r->mode == DAV2M_NESTED)
		return VERDICT_HOLD;
	r->gain = add(r->gain, (int64_t)walk_elsewhere(r, tick.walk) - tick.cost);
	if (-(int64_t)r->gain <= probe_loss(ctl))
		return VERDICT_HOLD;
	remember(r, &tick);
	return VERDICT_REJECT;
}

/* Changing. */

static void lose_probe(struct dav2m_regret *r)
{
	const uint32_t lost = 0u - (uint32_t)r->gain; /* or it would not have been given up */
	uint32_t cost = least((uint64_t)round_trip(r) + lost, UINT32_MAX);

	r->budget = dav2m_budget_spend(r->budget, cost);
	r->probing_cost = least((uint64_t)r->probing_cost + cost, UINT32_MAX);
	if (r->doubted)
		doubt_was_wrong(r, r->doubt);
	else
		r->doubt = 0;
	r->why = KNOWN_BETTER;
}

/* A stay is over. What it has gained against the other mode, before it was regretted. */
static void weigh_stay(struct dav2m_regret *r)
{
	int64_t gained = (int64_t)r->gain + r->regret, trip = round_trip(r);

	if (r->why == KNOWN_BETTER) {
		r->rich = 3 & ((r->rich & ~(1u << r->mode)) |
			       (unsigned int)(gained > RICH_TRIPS * trip) << r->mode);
		r->poor = 3 &
			  ((r->poor & ~(1u << r->mode)) | (unsigned int)(gained < trip) << r->mode);
	}
	if (r->mode == DAV2M_NESTED)
		return;
	if (r->doubted && gained > RICH_TRIPS * trip)
		doubt_was_right(r);
	else if (r->doubted)
		doubt_was_vain(r);
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
	r->compare = !lost;
	r->other = r->cost; /* what the mode that is left has cost last */
	r->mode = to & 1;
	r->probing = r->why != KNOWN_BETTER;
	r->doubted = r->why == DOUBTED;
	r->why = KNOWN_BETTER;
	if (to == DAV2M_SHADOW && !r->probing)
		r->good_ticks = 0;
	r->settling = 0;
	r->gain = 0;
	r->arrived = 1;
	weigh_switch(ctl, to);
}

static void learn(struct dav2m *ctl, enum dav2m_lesson lesson)
{
	(void)ctl;
	(void)lesson; /* a tick teaches more than an edge */
}

static void calm(struct dav2m *ctl)
{
	(void)ctl; /* doubt is measured in cycles, not in time */
}

/* A storm in the middle of a tick matters to a probe only. */
static uint32_t exits_limit(const struct dav2m *ctl)
{
	const struct dav2m_regret *r = &ctl->judge.regret;
	uint64_t grains = (uint64_t)unpack(r->other) + probe_loss(ctl);

	if (!r->probing)
		return UINT32_MAX;
	/* A little more, so that what rounding took does not make it a false alarm. */
	grains += grains / 64 + 2;
	return least(grains * (UINT32_MAX / r->exit_cycles) >> (32 - ctl->step_shift),
		     UINT32_MAX - 1);
}

static void reset(struct dav2m *ctl)
{
	const struct dav2m_config *config = &ctl->config;
	const uint32_t window = config->window_inst >> ctl->step_shift;
	const uint32_t trip =
		least((uint64_t)window * config->round_trip_ticks / 2 + 1, INT32_MAX / 4);

	ctl->judge.regret = (struct dav2m_regret){
		.trip = {pack(trip), pack(trip)},
		.budget = (int32_t)(2 * trip),
		.exit_cycles = config->exit_cycles,
		.doubt_high = UNSEEN,
		.mode = dav2m_mode_of(ctl) & 1,
	};
	/* Twice, because half of it stays what it was. */
	ctl->judge.regret.walk_ratio =
		(uint16_t)quotient(config->nested_walk_cycles, config->shadow_walk_cycles);
	calibrate_walks(&ctl->judge.regret, ctl->judge.regret.walk_ratio);
	ctl->judge.regret.measured = 0;
	begin(ctl);
}

static uint64_t to_cycles(const struct dav2m *ctl, uint32_t grains)
{
	return (uint64_t)grains << ctl->step_shift;
}

static void explain(const struct dav2m *ctl, struct dav2m_explanation *out)
{
	const struct dav2m_regret *r = &ctl->judge.regret;

	out->regret = (struct dav2m_regret_view){
		.regret_cycles = to_cycles(ctl, r->regret),
		.limit_cycles = to_cycles(ctl, limit(ctl)),
		.round_trip_cycles = to_cycles(ctl, round_trip(r)),
		.cost_cycles = to_cycles(ctl, unpack(r->cost)),
		.other_cycles = to_cycles(ctl, unpack(r->other)),
		.surety = (enum dav2m_surety)r->surety,
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
