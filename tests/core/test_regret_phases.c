/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's phases: which signatures are one, what is remembered of each, and what is forgotten.
 */
#include "regret_rig.h"

static struct dav2m ctl;
static struct dav2m_regret *const r = &ctl.judge.regret;

static struct dav2m_tick with(uint32_t misses, uint32_t flushes)
{
	return (struct dav2m_tick){
		.misses = (uint8_t)misses, .flushes = (uint8_t)flushes, .ratio = RATIO_ONE};
}

static unsigned int find(uint32_t misses, uint32_t flushes)
{
	struct dav2m_tick tick = with(misses, flushes);

	dav2m_regret_find_phase(&ctl, &tick);
	return r->current;
}

/* Exits of a tick as long as so many, under shadow paging in the current phase. */
static uint32_t remember(uint32_t exits, uint32_t ticks)
{
	struct dav2m_tick tick = {.exits = exits, .ratio = ticks * RATIO_ONE};

	dav2m_regret_remember(r, &tick);
	return unpack(r->phase[r->current].exits);
}

static void setup(void)
{
	ctl = regret_ctl(DAV2M_SHADOW, DAV2M_ALL_COUNTERS);
}

/* The same, and shadow paging sees it. */
static unsigned int see(uint32_t misses, uint32_t flushes)
{
	unsigned int found = find(misses, flushes);

	r->phase[found].exits = 100;
	return found;
}

/* Half an octave of misses and one of flushes, up or down. */
START_TEST(signatures_of_one_phase)
{
	unsigned int first = see(100, 100);

	ck_assert_uint_eq(find(104, 100), first);
	ck_assert_uint_eq(find(96, 100), first);
	ck_assert_uint_eq(find(100, 108), first);
	ck_assert_uint_eq(find(100, 92), first);
	ck_assert_uint_eq(find(104, 108), first);
	ck_assert_uint_eq(r->phases, 1);
	ck_assert_uint_ne(see(105, 100), first);
	ck_assert_uint_ne(see(95, 100), first);
	ck_assert_uint_ne(see(100, 109), first);
	ck_assert_uint_ne(see(100, 91), first);
	ck_assert_uint_eq(r->phases, 5);
}
END_TEST

/* What is left without having been seen leaves no trace: as ticks between two phases do. */
START_TEST(unseen_phases_take_one_place)
{
	unsigned int seen = see(100, 100), unseen = find(200, 100);

	ck_assert_uint_ne(unseen, seen);
	for (unsigned int i = 0; i < 100; i++) {
		ck_assert_uint_eq(find(110 + 5 * i % 100, 100), unseen);
		ck_assert_uint_eq(r->phase[unseen].exits, UNSEEN);
	}
	ck_assert_uint_eq(r->phases, 2);
	ck_assert_uint_eq(find(100, 100), seen);
	ck_assert_uint_eq(r->phase[seen].exits, 100);
}
END_TEST

START_TEST(nearest_phase_is_found)
{
	unsigned int low = see(100, 100), high = see(106, 100), far;

	far = see(200, 100);
	ck_assert_uint_eq(find(102, 100), low);
	ck_assert_uint_eq(find(200, 100), far);
	ck_assert_uint_eq(find(104, 100), high);
	/* A step of misses tells as much as two of flushes. */
	ck_assert_uint_eq(find(200, 100), far);
	ck_assert_uint_eq(find(102, 104), low);
	ck_assert_uint_eq(r->phases, 3);
}
END_TEST

START_TEST(misses_tell_more_than_flushes)
{
	unsigned int flushes_apart = see(101, 104), misses_apart = see(96, 100);

	ck_assert_uint_ne(flushes_apart, misses_apart);
	(void)find(200, 100);
	ck_assert_uint_eq(find(100, 100), flushes_apart);
}
END_TEST

/* When all places are taken a new phase has that of any other, and of each in the end. */
START_TEST(any_phase_may_be_forgotten)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < DAV2M_PHASES; i++)
		ck_assert_uint_eq(see(16 * i, 0), i);
	for (uint32_t i = 0; i < 100; i++) {
		ctl.tick++;
		taken |= 1u << see(16 * (i % 16), 100 + i);
		ck_assert_uint_eq(r->phases, DAV2M_PHASES);
	}
	ck_assert_uint_eq(taken, (1u << DAV2M_PHASES) - 1);
}
END_TEST

/* But for the one that a transient of nested paging will inherit from, while that lasts. */
static const struct {
	unsigned int arrived, mode;
	int kept;
} transients[] = {{1, DAV2M_NESTED, 1}, {1, DAV2M_SHADOW, 0}, {0, DAV2M_NESTED, 0}};

START_TEST(what_is_inherited_is_not_forgotten)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < DAV2M_PHASES; i++)
		(void)see(16 * i, 0);
	r->left = DAV2M_PHASES - 1;
	r->arrived = transients[_i].arrived & 1;
	r->mode = (uint8_t)transients[_i].mode;
	for (uint32_t i = 0; i < 100; i++) {
		ctl.tick++;
		taken |= 1u << see(16 * (i % 16), 100 + i);
	}
	ck_assert_uint_eq(taken, 0xff & ~(transients[_i].kept ? 1u << r->left : 0u));
}
END_TEST

/* Half of the way to what is seen, and not at all where the difference is noise. */
START_TEST(memory_follows)
{
	find(100, 100);
	ck_assert_uint_eq(remember(100, 1), 100);
	ck_assert_uint_eq(remember(200, 1), 150);
	ck_assert_uint_eq(remember(100, 1), 125);
	ck_assert_uint_eq(remember(125 + 15, 1), 125);
	ck_assert_uint_eq(remember(125 - 15, 1), 125);
	ck_assert_uint_eq(remember(125 + 16, 1), 133);
	ck_assert_uint_eq(remember(133 - 16, 1), 125);
	ck_assert_uint_eq(remember(0, 1), 62);
}
END_TEST

/* Of a part of a tick, when that is all there was: what a whole one would have cost. */
START_TEST(memory_of_parts)
{
	static const uint32_t exits[][3] = {{1000, RATIO_ONE / 2, 2000},
					    {1001, 63, 4067},
					    {1, 1, 256},
					    {UINT32_MAX, 255, UINT32_MAX}};

	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		struct dav2m_tick tick = {.exits = exits[i][0], .ratio = exits[i][1]};

		dav2m_regret_remember_part(r, &tick);
		ck_assert_uint_eq(r->phase[r->current].exits, pack(exits[i][2]));
	}
}
END_TEST

/* Of a late sample it is the rate that is remembered. */
START_TEST(memory_is_of_rates)
{
	find(100, 100);
	ck_assert_uint_eq(remember(400, 4), 100);
	ck_assert_uint_eq(remember(400, 4), 100);
	ck_assert_uint_eq(remember(800, 4), 150);
}
END_TEST

/* A tick whose beginning was void holds less work than a tick, and is taken as it is. */
START_TEST(memory_of_less_than_a_tick)
{
	struct dav2m_tick tick = {.exits = 90, .ratio = RATIO_ONE * 3 / 4};

	find(100, 100);
	dav2m_regret_remember(r, &tick);
	ck_assert_uint_eq(unpack(r->phase[r->current].exits), 90);
	tick.exits = 67 + 40; /* three quarters of 90, and 40 more */
	dav2m_regret_remember(r, &tick);
	ck_assert_uint_eq(unpack(r->phase[r->current].exits), 90 + 20);
}
END_TEST

START_TEST(nearest_exits)
{
	struct dav2m_tick tick = with(100, 100);

	ck_assert_uint_eq(dav2m_regret_nearest_exits(r, &tick), UNSEEN);
	find(100, 100);
	ck_assert_uint_eq(dav2m_regret_nearest_exits(r, &tick), UNSEEN);
	find(60, 100);
	(void)remember(600, 1);
	find(120, 100);
	(void)remember(1200, 1);
	find(200, 100);
	(void)remember(2000, 1);
	/* The nearest that has been seen, and not the phase itself. */
	ck_assert_uint_eq(dav2m_regret_nearest_exits(r, &tick), 1200);
	tick.misses = 80;
	ck_assert_uint_eq(dav2m_regret_nearest_exits(r, &tick), 600);
}
END_TEST

/* Nested paging's phase: misses and flushes, after shadow paging was left in (100, 100). */
static const struct {
	uint32_t misses, flushes;
	int inherits;
} nested[] = {
	{60, 100, 1}, {40, 108, 1}, {40, 92, 1}, {40, 109, 0}, {40, 91, 0}, {105, 100, 0},
};

START_TEST(nested_paging_inherits)
{
	find(100, 100);
	(void)remember(300, 1);
	r->left = r->current;
	find(nested[_i].misses, nested[_i].flushes);
	dav2m_regret_inherit(r);
	if (nested[_i].inherits)
		ck_assert_uint_eq(unpack(r->phase[r->current].exits), 300);
	else
		ck_assert_uint_eq(r->phase[r->current].exits, UNSEEN);
}
END_TEST

START_TEST(what_was_seen_is_not_inherited)
{
	find(60, 100);
	(void)remember(50, 1);
	find(100, 100);
	(void)remember(300, 1);
	r->left = r->current;
	find(60, 100);
	dav2m_regret_inherit(r);
	ck_assert_uint_eq(unpack(r->phase[r->current].exits), 50);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("phases");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, signatures_of_one_phase);
	tcase_add_test(tests, unseen_phases_take_one_place);
	tcase_add_test(tests, nearest_phase_is_found);
	tcase_add_test(tests, misses_tell_more_than_flushes);
	tcase_add_test(tests, any_phase_may_be_forgotten);
	tcase_add_loop_test(tests, what_is_inherited_is_not_forgotten, 0,
			    sizeof(transients) / sizeof(transients[0]));
	tcase_add_test(tests, memory_follows);
	tcase_add_test(tests, memory_is_of_rates);
	tcase_add_test(tests, memory_of_parts);
	tcase_add_test(tests, memory_of_less_than_a_tick);
	tcase_add_test(tests, nearest_exits);
	tcase_add_loop_test(tests, nested_paging_inherits, 0, sizeof(nested) / sizeof(nested[0]));
	tcase_add_test(tests, what_was_seen_is_not_inherited);
	return rig_main("regret_phases", tests);
}
