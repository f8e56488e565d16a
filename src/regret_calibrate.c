/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prices: of a switch, of a page walk in either mode, of a paging exit, of finding out. All start
 * from the config and move half of the way to what a switch has shown.
 */
#include "regret.h"

/* A nested walk costs no less than a shadow one and no more than this many: a two-dimensional walk
   reads up to 24 entries where a one-dimensional one reads 4, most of them from caches. */
#define RATIO_MAX (16 * RATIO_ONE)

/* Walks that take less of a tick than 1/32 under nested paging decide nothing, and those of a
   program that maps its memory are dearer than others: its tables are in no cache yet. They teach
   nothing. Nor do those that take less than 16 grains under shadow paging: they cannot be divided
   by. */
#define WALKS_MATTER_BITS 5
#define FEW_GRAINS_BITS	  4

/* A switch never counts for more than 64 ticks or less than 1/64: seconds and a millisecond with
   the default window_inst would be errors of measurement. Nor does finding out count for more. */
#define TRIP_BITS 6

/* Nor for more than this, before a tick has shown how many cycles it takes: so that sums of four
   stay within 32 bits. */
#define TRIP_MAX (INT32_MAX / 4)

/* Moves a cost per event by a part of the error that it makes over a number of events. */
static uint16_t calibrated(uint16_t cost, int64_t error, uint32_t events, unsigned int gain_bits)
{
	error >>= log2_floor(events);
	return (uint16_t)bounded(cost + (error >> gain_bits), 1, UINT16_MAX - 1);
}

void dav2m_regret_price_exits(struct dav2m *ctl, const struct dav2m_tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;

	r->exit_cycles = calibrated(r->exit_cycles,
				    ((int64_t)tick->exits << ctl->step_shift) -
					    (int64_t)((uint64_t)ctl->exits * r->exit_cycles),
				    ctl->exits, 2);
}

static void calibrate_walks(struct dav2m_regret *r, uint32_t measured)
{
	measured = bounded(measured, RATIO_ONE, RATIO_MAX);
	r->walk_ratio = (uint16_t)((r->walk_ratio + measured) / 2);
	r->measured = 1;
}

/* a / b in 1/256, of the 24 leading bits of the larger; RARE, for it divides. */
static DAV2M_RARE uint32_t quotient(uint32_t a, uint32_t b)
{
	const unsigned int shift = (a | b) >> 24 ? 8 - (unsigned int)__builtin_clz(a | b) : 0;

	return (a >> shift << RATIO_BITS) / most(b >> shift, 1);
}

/* The most that a switch, or finding out, may count for. */
static uint32_t longest_trip(const struct dav2m_tick *tick)
{
	return least(((uint64_t)tick->cycles << TRIP_BITS) + 1, TRIP_MAX);
}

void dav2m_regret_weigh_switch(struct dav2m *ctl, enum dav2m_mode to)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	uint32_t cost = least(ctl->switch_cycles >> ctl->step_shift, UINT32_MAX);

	r->told = cost != 0;
	if (cost)
		r->trip[to] = pack(bounded(((int64_t)unpack(r->trip[to]) + cost) / 2, 1, TRIP_MAX));
}

/* What the ticks of the transient took longer than this one. */
static void weigh_transient(struct dav2m *ctl, const struct dav2m_tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	int64_t cost = (int64_t)r->settling - (int64_t)ctl->config.window_settle * tick->cycles;
	int64_t trip = unpack(r->trip[r->mode]);

	if (cost > 0)
		trip = r->told ? trip + cost / 2 : (trip + cost) / 2;
	r->trip[r->mode] = pack(bounded(trip, least((tick->cycles >> TRIP_BITS) + 1, TRIP_MAX),
					longest_trip(tick)));
}

/* The last tick before the switch and the first one after it are of one phase: it has about as many
   walks in either. */
static int same_phase(const struct dav2m_regret *r, const struct dav2m_tick *tick)
{
	const uint32_t left = unpack(r->left_walks), walks = least(tick->walks, UINT32_MAX);

	return walks / 2 <= left && left / 2 <= walks;
}

/* With a counter of walk cycles: the last tick before the switch against the first one after its
   transient, per walk. */
static void compare_walks(struct dav2m_regret *r, const struct dav2m_tick *tick)
{
	const uint32_t left_walk = unpack(r->left_walk), left_walks = unpack(r->left_walks);
	const uint32_t walks = least(tick->walks, UINT32_MAX);
	uint32_t cost, number;

	if (most(tick->walk, left_walk) <= tick->cycles >> WALKS_MATTER_BITS ||
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
static void compare_cycles(struct dav2m *ctl, const struct dav2m_tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;
	const int to_nested = r->mode == DAV2M_NESTED;
	const uint32_t before = unpack(r->left_cycles), left_walk = unpack(r->left_walk);
	const uint32_t shadow_walk = to_nested ? left_walk : tick->walk;
	const uint32_t exits = to_nested ? most(r->other, left_walk) - left_walk : tick->exits;
	const uint32_t walks = least(
		(uint64_t)shadow_walk * (r->walk_ratio - RATIO_ONE) >> RATIO_BITS, UINT32_MAX);
	int64_t longer =
		to_nested ? (int64_t)tick->cycles - before : (int64_t)before - tick->cycles;
	int32_t error = within(longer + exits - walks, least(most(exits, walks), INT32_MAX));

	/* What else has changed with the mode is taken for exits too: never below half of the price
	   that the VMM states, or a storm would be sat out for nothing. */
	if (exits > walks && !knows(ctl, DAV2M_PAGING_EXIT_CYCLES))
		r->exit_cycles = (uint16_t)most(
			calibrated(r->exit_cycles, -(int64_t)error * r->exit_cycles, exits, 1),
			ctl->config.exit_cycles / 2u);
	if (exits <= walks && !knows(ctl, DAV2M_WALK_CYCLES) && shadow_walk)
		calibrate_walks(r,
				RATIO_ONE + quotient(bounded((int64_t)walks + error, 0, UINT32_MAX),
						     shadow_walk));
}

void dav2m_regret_depart(struct dav2m_regret *r, const struct dav2m_tick *tick)
{
	uint32_t step = tick->cost > tick->other ? tick->cost - tick->other : 0;

	/* No tick takes no cycles. */
	r->left_cycles = tick->ratio == RATIO_ONE ? pack(tick->cycles) : 0;
	r->left_walk = pack(tick->walk);
	r->left_walks = pack(least(tick->walks, UINT32_MAX));
	if (r->why == KNOWN_BETTER)
		r->found = pack((unpack(r->found) + least(step, longest_trip(tick))) / 2);
	r->other = tick->cost;
}

DAV2M_RARE void dav2m_regret_arrive(struct dav2m *ctl, const struct dav2m_tick *tick)
{
	struct dav2m_regret *r = &ctl->judge.regret;

	weigh_transient(ctl, tick);
	if (!r->compare || !same_phase(r, tick))
		return;
	if (knows(ctl, DAV2M_WALK_CYCLES))
		compare_walks(r, tick);
	/* Ticks of another length cannot be compared. */
	if (r->left_cycles && tick->ratio == RATIO_ONE)
		compare_cycles(ctl, tick);
}

void dav2m_regret_assume(struct dav2m *ctl)
{
	const struct dav2m_config *config = &ctl->config;
	struct dav2m_regret *r = &ctl->judge.regret;
	const uint32_t window = config->window_inst >> ctl->step_shift;
	const uint32_t trip = least((uint64_t)window * config->round_trip_ticks / 2 + 1, TRIP_MAX);

	r->trip[DAV2M_SHADOW] = r->trip[DAV2M_NESTED] = pack(trip);
	r->exit_cycles = config->exit_cycles;
	r->walk_ratio =
		(uint16_t)bounded(quotient(config->nested_walk_cycles, config->shadow_walk_cycles),
				  RATIO_ONE, RATIO_MAX);
}
