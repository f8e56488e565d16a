/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The properties of docs/bound.md, on a million sequences against the exact optimum; and that the
 * same check does not pass a rule that is wrong.
 */
#include <stdio.h>

#include "../support/games.h"
#include "regret_rule.h"
#include "rig.h"

#define GAMES	      1000000u
/* Rounds of games to catch a mutant in: enough for the hardest, the one that saves up. */
#define MUTANT_ROUNDS 100u
#define ROUND	      (GAMES / 1000u)

START_TEST(bounds_hold)
{
	ck_assert_uint_eq(games_violations(&game_library_rule, GAMES, 1, 3), 0);
}
END_TEST

static uint32_t add(uint32_t regret, uint32_t cost, uint32_t other)
{
	return dav2m_regret_add(regret, cost, other);
}

static uint32_t add_flipped(uint32_t regret, uint32_t cost, uint32_t other)
{
	return dav2m_regret_add(regret, other, cost);
}

/* As if good times could be saved up: the one thing that max(0, ...) is there to prevent. */
static uint32_t add_saving(uint32_t regret, uint32_t cost, uint32_t other)
{
	/* A game's sums stay far below 2^31, so that this many can stand for 0. */
	return regret + cost - other;
}

static uint32_t add_half(uint32_t regret, uint32_t cost, uint32_t other)
{
	return dav2m_regret_add(regret, cost, other / 2);
}

static int due(uint32_t regret, uint32_t limit)
{
	return dav2m_regret_due(regret, limit);
}

static int due_saving(uint32_t regret, uint32_t limit)
{
	return (int32_t)regret >= (int32_t)limit;
}

static int due_at_double(uint32_t regret, uint32_t limit)
{
	return regret >= 2 * limit;
}

static int due_at_half(uint32_t regret, uint32_t limit)
{
	return regret >= limit / 2;
}

static int due_never(uint32_t regret, uint32_t limit)
{
	(void)regret;
	(void)limit;
	return 0;
}

static const struct game_rule mutants[] = {
	{add_flipped, due},   {add_saving, due_saving}, {add_half, due},
	{add, due_at_double}, {add, due_at_half},	{add, due_never},
};

START_TEST(mutant_is_caught)
{
	for (uint64_t round = 0; round < MUTANT_ROUNDS; round++)
		if (games_violations(&mutants[_i], ROUND, 1 + round, 0))
			return;
	ck_abort_msg("mutant %d breaks no bound", _i);
}
END_TEST

/* A failing sequence is handed to a person: what is left must be needed. */
START_TEST(shrunk_games_are_minimal)
{
	const struct game_rule *rule = &mutants[3];
	uint64_t seed = 1;
	struct game game;

	do
		game_make(GAME_ADVERSARIAL, rule, &seed, &game);
	while (!game_breaks(&game, rule, GAME_G2_EXCESS));
	game_shrink(&game, rule, GAME_G2_EXCESS);
	ck_assert(game_breaks(&game, rule, GAME_G2_EXCESS));
	for (size_t i = 0; i < game.ticks; i++) {
		struct game less = game;

		less.ticks--;
		memmove(less.cost[i], game.cost[i + 1], (less.ticks - i) * sizeof(less.cost[0]));
		memmove(&less.believed[i], &game.believed[i + 1],
			(less.ticks - i) * sizeof(less.believed[0]));
		ck_assert(!game_breaks(&less, rule, GAME_G2_EXCESS));
		for (int mode = 0; mode < 2; mode++) {
			less = game;
			less.cost[i][mode] /= 2;
			ck_assert(!game.cost[i][mode] ||
				  !game_breaks(&less, rule, GAME_G2_EXCESS) ||
				  less.cost[i][mode] == game.cost[i][mode]);
		}
	}
}
END_TEST

/* G6: whatever probes cost, together they stay within the share and one probe. */
START_TEST(probing_stays_within_its_share)
{
	uint64_t seed = 1;

	for (int game = 0; game < 2000; game++) {
		uint32_t share_bp = 1 + (uint32_t)(game_random(&seed) % 10000);
		uint32_t most = (uint32_t)(game_random(&seed) % INT32_MAX);
		uint64_t earned = 0, spent = 0, largest = 0;
		int32_t budget = 0;

		for (int tick = 0; tick < 500; tick++) {
			uint32_t cost = (uint32_t)(game_random(&seed) >> (32 + seed % 32));

			budget = dav2m_budget_earn(budget, cost, share_bp);
			earned += (uint64_t)cost * share_bp / DAV2M_ONE_BP;
			if (budget < 0)
				continue;
			cost = (uint32_t)(game_random(&seed) >> (33 + seed % 31));
			largest = cost > largest ? cost : largest;
			budget = dav2m_budget_spend(budget, cost, most);
			rig_must(budget <= (int64_t)most - cost);
			spent += cost;
			rig_must(spent <= earned + 500 + largest);
		}
	}
}
END_TEST

START_TEST(arithmetic_saturates)
{
	ck_assert_uint_eq(dav2m_regret_add(UINT32_MAX, UINT32_MAX, 0), UINT32_MAX);
	ck_assert_uint_eq(dav2m_regret_add(UINT32_MAX, UINT32_MAX, UINT32_MAX), UINT32_MAX);
	ck_assert_uint_eq(dav2m_regret_add(5, 3, 9), 0);
	ck_assert_uint_eq(dav2m_regret_add(5, 3, 7), 1);
	ck_assert(dav2m_regret_due(7, 7));
	ck_assert(!dav2m_regret_due(6, 7));
	ck_assert_int_eq(dav2m_budget_earn(0, UINT32_MAX, UINT16_MAX), INT32_MAX);
	ck_assert_int_eq(dav2m_budget_earn(INT32_MAX, 1000000, 39), INT32_MAX);
	ck_assert_int_eq(dav2m_budget_earn(-100, 1000000, 39), 3799);
	ck_assert_int_eq(dav2m_budget_spend(-2, UINT32_MAX, 100), INT32_MIN);
	ck_assert_int_eq(dav2m_budget_spend(INT32_MIN, 1, UINT32_MAX), INT32_MIN);
	ck_assert_int_eq(dav2m_budget_spend(10, 4, 100), 6);
	ck_assert_int_eq(dav2m_budget_spend(1000, 4, 100), 96);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("bound");

	tcase_set_timeout(tests, 1200);
	tcase_add_test(tests, bounds_hold);
	tcase_add_loop_test(tests, mutant_is_caught, 0, sizeof(mutants) / sizeof(mutants[0]));
	tcase_add_test(tests, shrunk_games_are_minimal);
	tcase_add_test(tests, probing_stays_within_its_share);
	tcase_add_test(tests, arithmetic_saturates);
	return rig_main("bound", tests);
}
