/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prices: what they start from, and how each follows what a switch, a transient and two ticks that
 * can be compared have shown.
 */
#include "regret_rig.h"

#define ALL DAV2M_ALL_COUNTERS

static struct dav2m ctl;
static struct dav2m_regret *const r = &ctl.judge.regret;

static void setup(void)
{
	ctl = regret_ctl(DAV2M_SHADOW, ALL);
}

static void assume(uint32_t shadow_walk, uint32_t nested_walk, uint32_t ticks)
{
	ctl.config.shadow_walk_cycles = (uint16_t)shadow_walk;
	ctl.config.nested_walk_cycles = (uint16_t)nested_walk;
	ctl.config.round_trip_ticks = (uint8_t)ticks;
	dav2m_regret_assume(&ctl);
}

START_TEST(prices_start_from_the_config)
{
	ck_assert_uint_eq(unpack(r->trip[0]), 1001);
	ck_assert_uint_eq(unpack(r->trip[1]), 1001);
	ck_assert_uint_eq(r->walk_ratio, 3 * RATIO_ONE);
	ck_assert_uint_eq(r->exit_cycles, 4000);
	assume(20, 25, 1);
	ck_assert_uint_eq(r->walk_ratio, RATIO_ONE * 5 / 4);
	ck_assert_uint_eq(unpack(r->trip[0]), 501);
	/* A nested walk costs no less than a shadow one, and no more than 16 of them. */
	assume(60, 20, 1);
	ck_assert_uint_eq(r->walk_ratio, RATIO_ONE);
	assume(1, 4095, 64);
	ck_assert_uint_eq(r->walk_ratio, 16 * RATIO_ONE);
	ck_assert_uint_eq(unpack(r->trip[0]), unpack(pack(32001)));
}
END_TEST

static uint32_t told(uint64_t cycles)
{
	ctl.switch_cycles = cycles;
	dav2m_regret_weigh_switch(&ctl, DAV2M_NESTED);
	return unpack(r->trip[DAV2M_NESTED]);
}

/* Half of the way, each direction by itself; never nothing, and never so much that sums overflow.
 */
START_TEST(switches_are_told)
{
	ck_assert_uint_eq(told(501), 751);
	ck_assert_uint_eq(unpack(r->trip[DAV2M_SHADOW]), 1001);
	ck_assert(r->told);
	ck_assert_uint_eq(told(0), 751);
	ck_assert(!r->told);
	for (int i = 0; i < 20; i++)
		told(1);
	ck_assert_uint_eq(told(1), 1);
	for (int i = 0; i < 20; i++)
		told(UINT64_C(1) << 40);
	ck_assert_uint_le(told(UINT64_C(1) << 40), INT32_MAX / 4);
	ck_assert_uint_gt(told(UINT64_C(1) << 40), INT32_MAX / 5);
}
END_TEST

static uint32_t arrived(uint32_t settling, uint32_t cycles)
{
	struct dav2m_tick tick = regret_tick(cycles, 0, 0, 0);

	r->settling = settling;
	dav2m_regret_arrive(&ctl, &tick);
	return unpack(r->trip[DAV2M_SHADOW]);
}

/* What the transient's ticks took longer than one that has settled: the whole switch where nobody
   has told what that cost, and a part of it where somebody has. */
static const uint32_t transients[] = {(1001 + 2000) / 2, 1001 + 1000, (1001 + 1000) / 2,
				      1001 + 500};

START_TEST(transients_are_measured)
{
	r->told = _i % 2 != 0;
	ctl.config.window_settle = (uint16_t)(1 + _i / 2);
	ck_assert_uint_eq(arrived(500, 1000), 1001);
	ck_assert_uint_eq(arrived(3000, 1000), transients[_i]);
}
END_TEST

/* A switch is within 1/64 of a tick and 64 of them, by what a tick takes in cycles: progress may be
   counted in any unit. */
START_TEST(trips_are_believable)
{
	ck_assert_uint_eq(arrived(0, 1000000), unpack(pack(1000000 / 64 + 1)));
	for (int i = 0; i < 40; i++)
		(void)arrived(UINT32_MAX, 1000);
	ck_assert_uint_le(arrived(UINT32_MAX, 1000), 64001);
	ck_assert_uint_ge(arrived(UINT32_MAX, 1000), 63000);
	ck_assert_uint_ge(arrived(UINT32_MAX, 100000), 1000000);
}
END_TEST

/* From a tick in the other mode to one in this mode. */
struct pair {
	struct dav2m_tick left, now;
};

static uint32_t ratio_of(enum dav2m_mode to, uint32_t known, const struct pair *pair)
{
	setup();
	ctl.meter.known = (uint8_t)known;
	r->mode = (to ^ 1u) & 1;
	dav2m_regret_depart(r, &pair->left);
	r->mode = to & 1;
	r->compare = 1;
	dav2m_regret_arrive(&ctl, &pair->now);
	return r->walk_ratio;
}

static struct pair pair_of(struct dav2m_tick left, struct dav2m_tick now)
{
	return (struct pair){left, now};
}

/* Per walk, half of the way from 3: one of 30 cycles in shadow paging and of 120 in nested. */
START_TEST(walks_are_compared)
{
	struct dav2m_tick shadow = regret_tick(10000, 10, 300, 0);
	struct dav2m_tick nested = regret_tick(11000, 10, 1200, 0);
	struct dav2m_tick more = regret_tick(11000, 20, 1200, 0);
	struct pair pair = pair_of(shadow, nested);

	ck_assert_uint_eq(ratio_of(DAV2M_NESTED, ALL, &pair), RATIO_ONE * 7 / 2);
	ck_assert(r->measured);
	pair = pair_of(nested, shadow);
	ck_assert_uint_eq(ratio_of(DAV2M_SHADOW, ALL, &pair), RATIO_ONE * 7 / 2);
	/* Twice as many in the same time cost half. */
	pair = pair_of(shadow, more);
	ck_assert_uint_eq(ratio_of(DAV2M_NESTED, ALL, &pair), RATIO_ONE * 5 / 2);
	pair = pair_of(more, shadow);
	ck_assert_uint_eq(ratio_of(DAV2M_SHADOW, ALL, &pair), RATIO_ONE * 5 / 2);
	/* 1 to 16 are believed. */
	nested.walk = 30000;
	pair = pair_of(shadow, nested);
	ck_assert_uint_eq(ratio_of(DAV2M_NESTED, ALL, &pair), (3 + 16) * RATIO_ONE / 2);
	nested.walk = 400;
	shadow.walk = 410;
	pair = pair_of(shadow, nested);
	ck_assert_uint_eq(ratio_of(DAV2M_NESTED, ALL, &pair), 2 * RATIO_ONE);
}
END_TEST

/* Walks that teach nothing: too few of the time, too cheap, or of another phase. */
static const struct {
	uint32_t cycles, left_walks, left_walk, walks, walk;
	int teach;
} lessons[] = {
	{1200 * 32, 10, 300, 10, 1200, 0}, {1200 * 32 - 1, 10, 300, 10, 1200, 1},
	{1000, 10, 15, 10, 60, 0},	   {1000, 10, 16, 10, 60, 1},
	{1000, 10, 60, 10, 15, 0},	   {1000, 10, 60, 10, 16, 1},
	{2000, 10, 300, 21, 1200, 1},	   {2000, 10, 300, 22, 1200, 0},
	{2000, 21, 300, 10, 1200, 1},	   {2000, 22, 300, 10, 1200, 0},
};

START_TEST(walks_that_teach_nothing)
{
	struct pair pair =
		pair_of(regret_tick(2000, lessons[_i].left_walks, lessons[_i].left_walk, 0),
			regret_tick(lessons[_i].cycles, lessons[_i].walks, lessons[_i].walk, 0));

	(void)ratio_of(DAV2M_NESTED, ALL, &pair);
	ck_assert_int_eq(r->measured, lessons[_i].teach);
	/* Nor do any after a probe that was lost. */
	r->measured = 0;
	r->compare = 0;
	dav2m_regret_arrive(&ctl, &pair.now);
	ck_assert(!r->measured);
}
END_TEST

#define NO_WALKS (ALL & ~DAV2M_BIT(DAV2M_WALK_CYCLES))
#define NO_EXITS (ALL & ~DAV2M_BIT(DAV2M_PAGING_EXIT_CYCLES))

/* No counter of walk cycles: 1000 are taken to be shadow paging's, and nested paging's are those
   and what it took longer; exits that shadow paging had came on top. */
START_TEST(walks_by_the_cycles)
{
	struct dav2m_tick shadow = regret_tick(2000, 50, 1000, 0);
	struct dav2m_tick nested = regret_tick(3500, 50, 3000, 0);
	struct pair pair = pair_of(shadow, nested);

	ck_assert_uint_eq(ratio_of(DAV2M_NESTED, NO_WALKS, &pair), (6 + 5) * RATIO_ONE / 4);
	ck_assert(r->measured);
	pair = pair_of(nested, shadow);
	ck_assert_uint_eq(ratio_of(DAV2M_SHADOW, NO_WALKS, &pair), (6 + 5) * RATIO_ONE / 4);
	shadow = regret_tick(3000, 50, 1000, 1000);
	pair = pair_of(shadow, nested);
	ck_assert_uint_eq(ratio_of(DAV2M_NESTED, NO_WALKS, &pair), (6 + 5) * RATIO_ONE / 4);
	pair = pair_of(nested, shadow);
	ck_assert_uint_eq(ratio_of(DAV2M_SHADOW, NO_WALKS, &pair), (6 + 5) * RATIO_ONE / 4);
	/* No further at once than to twice what was believed. */
	nested.cycles = 2000000;
	pair = pair_of(shadow, nested);
	ck_assert_uint_eq(ratio_of(DAV2M_NESTED, NO_WALKS, &pair), 4 * RATIO_ONE);
	/* Where there are none, or exits are the more, they show nothing. */
	shadow = regret_tick(2000, 0, 0, 0);
	pair = pair_of(shadow, nested);
	ck_assert_uint_eq(ratio_of(DAV2M_NESTED, NO_WALKS, &pair), 3 * RATIO_ONE);
	ck_assert(!r->measured);
	shadow = regret_tick(2000, 50, 0, 0);
	pair = pair_of(shadow, nested);
	ck_assert_uint_eq(ratio_of(DAV2M_NESTED, NO_WALKS, &pair), 3 * RATIO_ONE);
	ck_assert(!r->measured);
	shadow = regret_tick(2000, 30, 100, 201);
	pair = pair_of(shadow, nested);
	ck_assert_uint_eq(ratio_of(DAV2M_NESTED, NO_WALKS, &pair), 3 * RATIO_ONE);
	ck_assert(!r->measured);
	/* Ticks of another length cannot be compared. */
	shadow = regret_tick(2000, 50, 1000, 0);
	shadow.ratio = 2 * RATIO_ONE;
	pair = pair_of(shadow, nested);
	ck_assert_uint_eq(ratio_of(DAV2M_NESTED, NO_WALKS, &pair), 3 * RATIO_ONE);
	pair = pair_of(nested, shadow);
	ck_assert_uint_eq(ratio_of(DAV2M_SHADOW, NO_WALKS, &pair), 3 * RATIO_ONE);
}
END_TEST

static uint32_t exits_by_the_cycles(uint32_t shadow_cycles, uint32_t nested_cycles)
{
	struct pair pair = pair_of(regret_tick(shadow_cycles, 10, 100, 1000),
				   regret_tick(nested_cycles, 10, 300, 0));

	(void)ratio_of(DAV2M_NESTED, NO_EXITS, &pair);
	return r->exit_cycles;
}

/* Ten times as many walks: the guest is in another phase. */
static uint32_t exits_across_phases(uint32_t shadow_cycles, uint32_t nested_cycles)
{
	struct pair pair = pair_of(regret_tick(shadow_cycles, 10, 100, 1000),
				   regret_tick(nested_cycles, 100, 300, 0));

	(void)ratio_of(DAV2M_NESTED, NO_EXITS, &pair);
	return r->exit_cycles;
}

/* Exits taken to be 1000 cycles, of 4000 each: what shadow paging took longer, and the nested walks
   more than shadow ones that it was spared. Half of the way, to within the power of two. */
START_TEST(exits_by_cycles)
{
	ck_assert_uint_eq(exits_by_the_cycles(3000, 2200), 4000);
	/* They were 500. */
	ck_assert_uint_lt(exits_by_the_cycles(3000, 2700), 3000);
	ck_assert_uint_ge(exits_by_the_cycles(3000, 2700), 2000);
	/* They were 1500. */
	ck_assert_uint_gt(exits_by_the_cycles(3500, 2200), 5000);
	ck_assert_uint_le(exits_by_the_cycles(3500, 2200), 6000);
	/* Not below half of what the VMM states, however often. */
	ck_assert_uint_eq(exits_by_the_cycles(3000, 9000), 2000);
	for (int i = 0; i < 5; i++)
		dav2m_regret_arrive(&ctl, &(struct dav2m_tick){.walks = 10,
							       .cycles = 9000,
							       .walk = 300,
							       .cost = 300,
							       .ratio = RATIO_ONE});
	ck_assert_uint_eq(r->exit_cycles, 2000);
	/* Ticks of two phases tell nothing. */
	ck_assert_uint_eq(exits_across_phases(3000, 2700), 4000);
}
END_TEST

static uint32_t exits_counted(uint32_t number, uint32_t cycles)
{
	struct dav2m_tick tick = {.exits = cycles};

	setup();
	ctl.exits = number;
	dav2m_regret_calibrate_exits(&ctl, &tick);
	return r->exit_cycles;
}

START_TEST(exits_by_their_counter)
{
	ck_assert_uint_eq(exits_counted(1, 5000), 4250);
	ck_assert_uint_eq(exits_counted(1024, 1024 * 3000), 3750);
	ck_assert_uint_eq(exits_counted(0, 5000), 4000);
	ck_assert_uint_eq(exits_counted(1, UINT32_MAX), UINT16_MAX - 1);
	/* Most of the way in a dozen ticks, and never nothing. */
	for (int i = 0; i < 100; i++)
		dav2m_regret_calibrate_exits(&ctl, &(struct dav2m_tick){.exits = 0});
	ck_assert_uint_ge(r->exit_cycles, 1);
	ck_assert_uint_lt(r->exit_cycles, 8);
	setup();
	ctl.meter.known = (uint8_t)NO_EXITS;
	ctl.exits = 1;
	dav2m_regret_calibrate_exits(&ctl, &(struct dav2m_tick){.exits = 0});
	ck_assert_uint_eq(r->exit_cycles, 4000);
}
END_TEST

static uint32_t found(uint32_t why, uint32_t cost, uint32_t other)
{
	struct dav2m_tick tick = {.cycles = 1000, .cost = cost, .other = other, .ratio = RATIO_ONE};

	r->why = (uint8_t)why;
	dav2m_regret_depart(r, &tick);
	ck_assert_uint_eq(r->other, cost);
	return unpack(r->found);
}

/* What the last tick of a stay lost where that is known: half of the way. */
START_TEST(finding_out)
{
	ck_assert_uint_eq(found(KNOWN_BETTER, 500, 100), 200);
	ck_assert_uint_eq(found(KNOWN_BETTER, 1500, 100), 800);
	ck_assert_uint_eq(found(DOUBTED, 1500, 100), 800);
	ck_assert_uint_eq(found(UNSEEN_PHASE, 1500, 100), 800);
	ck_assert_uint_eq(found(KNOWN_BETTER, 100, 1500), 400);
}
END_TEST

/* Like a switch, it counts for 64 ticks at most: no counter's fault makes trips too long to be
   added up, or waited for. */
START_TEST(finding_out_is_believable)
{
	for (int i = 0; i < 40; i++)
		(void)found(KNOWN_BETTER, UINT32_MAX, 0);
	ck_assert_uint_le(unpack(r->found), 64001);
	ck_assert_uint_ge(unpack(r->found), 63000);
	ck_assert_uint_gt(whole_trip(r), 2 * 63000);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("calibrate");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, prices_start_from_the_config);
	tcase_add_test(tests, switches_are_told);
	tcase_add_loop_test(tests, transients_are_measured, 0, 4);
	tcase_add_test(tests, trips_are_believable);
	tcase_add_test(tests, walks_are_compared);
	tcase_add_loop_test(tests, walks_that_teach_nothing, 0,
			    sizeof(lessons) / sizeof(lessons[0]));
	tcase_add_test(tests, walks_by_the_cycles);
	tcase_add_test(tests, exits_by_cycles);
	tcase_add_test(tests, exits_by_their_counter);
	tcase_add_test(tests, finding_out);
	tcase_add_test(tests, finding_out_is_believable);
	return rig_main("regret_calibrate", tests);
}
