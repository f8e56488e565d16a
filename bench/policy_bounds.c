/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regret rule against the exact optimum, for bench/policy: how many sequences were played, and
 * how many of them break a bound of docs/bound.md. The sequences are not those of the tests.
 */
#include "../tests/support/games.h"

#include <stdio.h>

#define GAMES 2000000u
#define SEED  20110614u /* any but the tests' */

int main(void)
{
	uint64_t violations = games_violations(&game_library_rule, GAMES, SEED, 3);

	printf("figure: bound_violations %llu sequences\n", (unsigned long long)violations);
	printf("figure: bound_sequences %u sequences\n", GAMES);
	return violations != 0;
}
