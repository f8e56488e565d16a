/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regret rule against an adversary, and the exact optimum.
 */
#include "games.h"

#include "regret_rule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A believed factor of 1 in struct game. */
#define EXACT 256u

static uint32_t library_add(uint32_t regret, uint32_t cost, uint32_t other)
{
	return dav2m_regret_add(regret, cost, other);
}

static int library_due(uint32_t regret, uint32_t limit)
{
	return dav2m_regret_due(regret, limit);
}

const struct game_rule game_library_rule = {library_add, library_due};

/* splitmix64 */
uint64_t game_random(uint64_t *seed)
{
	uint64_t x = *seed += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static uint32_t below(uint64_t *seed, uint32_t limit)
{
	return (uint32_t)(game_random(seed) % limit);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint32_t round_trip(const struct game *game)
{
	return game->to[0] + game->to[1];
}

static uint32_t lowest_limit(const struct game *game)
{
	uint32_t lowest = game->limit[0];

	for (int i = 1; i < GAME_LIMITS; i++)
		lowest = (uint32_t)least(lowest, game->limit[i]);
	return lowest;
}

static uint32_t highest_limit(const struct game *game)
{
	uint32_t highest = game->limit[0];

	for (int i = 1; i < GAME_LIMITS; i++)
		highest = (uint32_t)most(highest, game->limit[i]);
	return highest;
}

static uint64_t best_schedule(const struct game *game)
{
	uint64_t best[2] = {0, game->to[1]};

	for (size_t i = 0; i < game->ticks; i++) {
		uint64_t stay0 = best[0], stay1 = best[1];

		best[0] = least(stay0, stay1 + game->to[0]) + game->cost[i][0];
		best[1] = least(stay1, stay0 + game->to[1]) + game->cost[i][1];
	}
	return least(best[0], best[1]);
}

/* The rule as a machine, so that an adversary can watch it. */
struct player {
	uint32_t regret;
	int mode;
};

/* One tick; the switch, if any, is made after it. */
static void player_tick(struct player *player, const struct game *game,
			const struct game_rule *rule, size_t tick, struct game_result *result)
{
	uint32_t cost = game->cost[tick][player->mode];
	uint32_t other = game->cost[tick][!player->mode];
	uint32_t believed = (uint32_t)((uint64_t)other * game->believed[tick] / EXACT);

	result->overhead += cost;
	if (believed > other)
		result->excess += believed - other;
	if (cost > believed)
		result->largest = most(result->largest, cost - believed);
	player->regret = rule->add(player->regret, cost, believed);
	if (!rule->due(player->regret, game->limit[result->switches % GAME_LIMITS]))
		return;
	result->regret += player->regret;
	player->regret = 0;
	player->mode = !player->mode;
	result->switches++;
	result->overhead += game->to[player->mode];
	result->switching += game->to[player->mode];
	/* At lambda < 1 the rule leaves before it has lost the round trip. */
	if (result->switching * lowest_limit(game) >
	    result->regret * most(round_trip(game), lowest_limit(game)))
		result->unpaid = 1;
}

void game_play(const struct game *game, const struct game_rule *rule,
	       struct game_result *ret_result)
{
	struct player player = {0, 0};

	memset(ret_result, 0, sizeof(*ret_result));
	for (size_t i = 0; i < game->ticks; i++)
		player_tick(&player, game, rule, i, ret_result);
	ret_result->best = best_schedule(game);
}

/*
 * A limit L = lambda D that stays: overhead > (F + 2 (g / D) max(1, 1 / lambda)) best +
 * (lambda + 1/2) D + g, times 2 L D; F = max(2 lambda + 1, 2 + 1 / lambda). All terms stay below
 * 2^63: costs < 2^12, sums < 2^20, factor <= 4.
 */
static int beyond(const struct game *game, uint64_t overhead, uint64_t best, uint64_t g)
{
	uint64_t l = lowest_limit(game), d = round_trip(game);
	uint64_t competitive = l >= d ? 2 * l * (2 * l + d) : 2 * d * (2 * l + d);

	if (highest_limit(game) != l)
		return 0;
	return overhead * 2 * l * d >
	       best * (competitive + 4 * g * most(l, d)) + l * d * (2 * l + d) + 2 * l * d * g;
}

/*
 * Limits from a D to b D: overhead > F (best + D / 2), F the larger of 1 + 2 b + 2 g / D and
 * 1 + (1 + b + g / D) / a.
 */
static int beyond_moving(const struct game *game, uint64_t overhead, uint64_t best, uint64_t g)
{
	uint64_t d = round_trip(game), low = lowest_limit(game), high = highest_limit(game) + g;
	uint64_t twice = 2 * best + d;

	return 2 * overhead * d > (d + 2 * high) * twice &&
	       2 * overhead * low > (low + d + high) * twice;
}

static int is_exact(const struct game *game)
{
	for (size_t i = 0; i < game->ticks; i++)
		if (game->believed[i] != EXACT)
			return 0;
	return 1;
}

/* Mode 1 is never worse (answers 1), or mode 0 never is (0), or neither (-1). */
static int never_worse(const struct game *game)
{
	int better[2] = {1, 1};

	for (size_t i = 0; i < game->ticks; i++) {
		better[0] &= game->cost[i][0] <= game->cost[i][1];
		better[1] &= game->cost[i][1] <= game->cost[i][0];
	}
	if (better[0])
		return 0;
	return better[1] ? 1 : -1;
}

static int breaks_g3(const struct game *game, const struct game_result *result)
{
	int better = never_worse(game);
	uint64_t in_better = 0;

	if (better < 0 || !is_exact(game))
		return 0;
	for (size_t i = 0; i < game->ticks; i++)
		in_better += game->cost[i][better];
	/* Lost: beyond what the better mode costs, the one switch apart. */
	return result->switches > (uint32_t)better ||
	       result->overhead >
		       in_better + result->switching + highest_limit(game) + result->largest;
}

int game_breaks(const struct game *game, const struct game_rule *rule, enum game_bound bound)
{
	struct game_result r;

	game_play(game, rule, &r);
	switch (bound) {
	case GAME_G1_COMPETITIVE:
		return is_exact(game) && beyond(game, r.overhead, r.best, r.largest);
	case GAME_G5_MOVING:
		return beyond_moving(game, r.overhead, r.best + r.excess, r.largest);
	case GAME_G2_FACTOR:
		return beyond(game, r.overhead, r.best * game->factor, r.largest);
	case GAME_G2_EXCESS:
		return beyond(game, r.overhead, r.best + r.excess, r.largest);
	case GAME_G3_ONE_SWITCH:
		return breaks_g3(game, &r);
	case GAME_G4_SWITCHING:
	default:
		return r.unpaid;
	}
}

/* Making games. */

static void make_random(uint64_t *seed, struct game *game)
{
	uint32_t limit = 1 + below(seed, 3 * round_trip(game));

	for (size_t i = 0; i < game->ticks; i++) {
		game->cost[i][0] = below(seed, limit);
		game->cost[i][1] = below(seed, limit);
	}
}

static void make_phased(uint64_t *seed, struct game *game)
{
	uint32_t length = 1 + below(seed, 40), limit = 1 + below(seed, round_trip(game));
	int worse = (int)below(seed, 2);
	uint32_t left = 0;

	for (size_t i = 0; i < game->ticks; i++) {
		if (left-- == 0) {
			left = below(seed, length);
			worse = !worse;
		}
		game->cost[i][worse] = 1 + below(seed, limit);
		game->cost[i][!worse] = below(seed, 1 + limit / 8);
	}
}

/* The mode that runs costs, each tick the same, and sometimes an offer to go wrong on. */
static void make_adversarial(const struct game_rule *rule, uint64_t *seed, struct game *game)
{
	uint32_t hit = 1 + below(seed, 2 * round_trip(game)), mercy = 2 + below(seed, 30);
	struct player player = {0, 0};
	struct game_result ignored = {0};

	for (size_t i = 0; i < game->ticks; i++) {
		int victim = below(seed, mercy) == 0 ? !player.mode : player.mode;

		game->cost[i][victim] = hit;
		game->cost[i][!victim] = 0;
		player_tick(&player, game, rule, i, &ignored);
	}
}

static void make_one_sided(uint64_t *seed, struct game *game)
{
	uint32_t limit = 1 + below(seed, round_trip(game));
	int worse = (int)below(seed, 2);

	for (size_t i = 0; i < game->ticks; i++) {
		game->cost[i][!worse] = below(seed, limit);
		game->cost[i][worse] = game->cost[i][!worse] + below(seed, limit);
	}
}

/* Half of the games are played with D, a quarter with another limit, and in a quarter it moves. */
static void make_limits(uint64_t *seed, struct game *game)
{
	const uint32_t kind = below(seed, 4);

	for (int i = 0; i < GAME_LIMITS; i++) {
		uint32_t limit = 1 + below(seed, 3 * round_trip(game));

		if (kind < 2)
			limit = round_trip(game);
		game->limit[i] = kind < 3 && i ? game->limit[0] : limit;
	}
}

/* Half of the games are played with the truth, the others with beliefs in [0, factor]. */
static void make_beliefs(uint64_t *seed, struct game *game)
{
	game->factor = below(seed, 2) ? 1 : 2 + below(seed, 3);
	for (size_t i = 0; i < game->ticks; i++)
		game->believed[i] =
			game->factor == 1 ? EXACT : below(seed, game->factor * EXACT + 1);
}

void game_make(enum game_kind kind, const struct game_rule *rule, uint64_t *seed,
	       struct game *ret_game)
{
	struct game *game = ret_game;

	memset(game, 0, sizeof(*game));
	game->to[0] = below(seed, 60);
	game->to[1] = 4 + below(seed, 60);
	make_limits(seed, game);
	game->ticks = 1 + below(seed, GAME_TICKS);
	make_beliefs(seed, game);
	if (kind == GAME_RANDOM)
		make_random(seed, game);
	else if (kind == GAME_PHASED)
		make_phased(seed, game);
	else if (kind == GAME_ADVERSARIAL)
		make_adversarial(rule, seed, game);
	else
		make_one_sided(seed, game);
}

/* Shrinking. */

static int drop_ticks(struct game *game, const struct game_rule *rule, enum game_bound bound,
		      size_t count)
{
	struct game tried;
	int dropped = 0;

	for (size_t at = 0; at + count <= game->ticks;) {
		tried = *game;
		tried.ticks -= count;
		memmove(tried.cost[at], game->cost[at + count],
			(tried.ticks - at) * sizeof(tried.cost[0]));
		memmove(&tried.believed[at], &game->believed[at + count],
			(tried.ticks - at) * sizeof(tried.believed[0]));
		if (game_breaks(&tried, rule, bound)) {
			*game = tried;
			dropped = 1;
		} else {
			at++;
		}
	}
	return dropped;
}

static int lower_cost(struct game *game, const struct game_rule *rule, enum game_bound bound,
		      uint32_t *cost)
{
	uint32_t before = *cost;

	for (uint32_t cut = before; cut; cut /= 2) {
		*cost = before - cut;
		if (game_breaks(game, rule, bound))
			return 1;
	}
	*cost = before;
	return 0;
}

void game_shrink(struct game *game, const struct game_rule *rule, enum game_bound bound)
{
	int smaller = 1;

	while (smaller) {
		smaller = 0;
		for (size_t count = game->ticks; count; count /= 2)
			smaller |= drop_ticks(game, rule, bound, count);
		for (size_t i = 0; i < game->ticks; i++) {
			smaller |= lower_cost(game, rule, bound, &game->cost[i][0]);
			smaller |= lower_cost(game, rule, bound, &game->cost[i][1]);
		}
	}
}

void game_print(const struct game *game, const struct game_rule *rule, enum game_bound bound)
{
	static const char *const names[GAME_BOUNDS] = {"G1",	      "G5 (moving)", "G2 (factor)",
						       "G2 (excess)", "G3",	     "G4"};
	struct game_result r;

	game_play(game, rule, &r);
	printf("%s broken: to shadow %" PRIu32 ", to nested %" PRIu32 ", leaves at %" PRIu32
	       " to %" PRIu32 ", overhead %" PRIu64 ", best %" PRIu64 ", switches %" PRIu32
	       ", g %" PRIu64 "\n",
	       names[bound], game->to[0], game->to[1], lowest_limit(game), highest_limit(game),
	       r.overhead, r.best, r.switches, r.largest);
	for (size_t i = 0; i < game->ticks; i++)
		printf("  %" PRIu32 " %" PRIu32 " believed x %" PRIu32 "/%u\n", game->cost[i][0],
		       game->cost[i][1], game->believed[i], EXACT);
}

uint64_t games_violations(const struct game_rule *rule, uint64_t games, uint64_t seed,
			  unsigned int prints)
{
	uint64_t violations = 0;
	struct game game;

	for (uint64_t i = 0; i < games; i++) {
		int broken = 0;

		game_make((enum game_kind)(i % GAME_KINDS), rule, &seed, &game);
		for (int bound = 0; bound < GAME_BOUNDS && !broken; bound++)
			if (game_breaks(&game, rule, (enum game_bound)bound))
				broken = 1 + bound;
		if (!broken)
			continue;
		if (violations++ < prints) {
			game_shrink(&game, rule, (enum game_bound)(broken - 1));
			game_print(&game, rule, (enum game_bound)(broken - 1));
		}
	}
	return violations;
}
