/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Games of the regret rule against an adversary: sequences of integer costs of both modes, the rule
 * playing them, the exact optimum, and the bounds of docs/bound.md. For tests and bench/policy.
 */
#ifndef DAV2M_TESTS_GAMES_H
#define DAV2M_TESTS_GAMES_H

#include <stddef.h>
#include <stdint.h>

#define GAME_TICKS  128
#define GAME_LIMITS 4

/* What is played with: the library's rule, or a mutant of it. */
struct game_rule {
	uint32_t (*add)(uint32_t regret, uint32_t cost, uint32_t other);
	int (*due)(uint32_t regret, uint32_t limit);
};

extern const struct game_rule game_library_rule;

/* Costs are in one unit, say grains. The game begins in mode 0. */
struct game {
	uint32_t to[2];		     /* cost of a switch to each mode; together D >= 1 */
	uint32_t limit[GAME_LIMITS]; /* regret at which stays are left, in turn; > 0 */
	uint32_t
		factor; /* the other mode's cost is believed up to this many times too high, >= 1 */
	size_t ticks;
	uint32_t cost[GAME_TICKS][2];
	/* What the rule believes of the mode that does not run: cost x believed / 256. */
	uint32_t believed[GAME_TICKS];
};

struct game_result {
	uint64_t overhead; /* all of it, switches included */
	uint64_t best;	   /* of the best schedule in hindsight that begins in mode 0 */
	uint64_t switching;
	uint64_t regret;  /* by which the rule left modes, in the order of things */
	uint64_t excess;  /* sum of what was believed too high */
	uint64_t largest; /* g: largest cost - belief of any tick */
	uint32_t switches;
	int unpaid; /* a switch was made for which no regret had been measured */
};

/* What the bounds say of a game. */
enum game_bound {
	GAME_G1_COMPETITIVE = 0, /* costs known: (F + 2 (g / D) max(1, 1 / lambda)) best + ... */
	GAME_G5_MOVING,		 /* limits that differ: F of the lowest and the highest */
	GAME_G2_FACTOR,		 /* believed up to factor too high: the same of factor x best */
	GAME_G2_EXCESS,		 /* believed too high by excess in all: of best + excess */
	GAME_G3_ONE_SWITCH,	 /* one mode never worse: at most one switch, at most D + g lost */
	GAME_G4_SWITCHING	 /* switching never beyond regret measured before it */
};
#define GAME_BOUNDS 6

enum game_kind {
	GAME_RANDOM = 0,  /* each tick on its own */
	GAME_PHASED,	  /* stretches in which one mode is better */
	GAME_ADVERSARIAL, /* the mode that runs is the one that costs */
	GAME_ONE_SIDED	  /* one mode never worse */
};
#define GAME_KINDS 4

/* A game of this kind; the same seed makes the same one. Beliefs are exact if factor is 1. */
void game_make(enum game_kind kind, const struct game_rule *rule, uint64_t *seed,
	       struct game *ret_game);

void game_play(const struct game *game, const struct game_rule *rule,
	       struct game_result *ret_result);

/* 1 if the bound applies to the game and is broken. */
int game_breaks(const struct game *game, const struct game_rule *rule, enum game_bound bound);

/* Takes away ticks and lowers costs for as long as the bound stays broken. */
void game_shrink(struct game *game, const struct game_rule *rule, enum game_bound bound);

/* One line to name the bound and the game, one per tick. */
void game_print(const struct game *game, const struct game_rule *rule, enum game_bound bound);

/*
 * Plays `games` games of all kinds and checks all bounds of each. The first failing ones are
 * shrunk and printed. Answers the number of games that break a bound.
 */
uint64_t games_violations(const struct game_rule *rule, uint64_t games, uint64_t seed,
			  unsigned int prints);

/* Some 64-bit value; the same seed gives the same sequence. */
uint64_t game_random(uint64_t *seed);

#endif
