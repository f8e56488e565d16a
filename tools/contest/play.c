/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plays a policy: behind a view that may blur its counters, and beside an account of what its
 * probes lose.
 */
#include "play.h"

#include "adversary.h"
#include "fail.h"
#include "mix.h"

#include <stdlib.h>
#include <string.h>

/* What is drawn for a cell. The adversary plays against other coins than are scored. */
enum draw { DRAW_COINS, DRAW_ADVERSARY_COINS, DRAW_VIEW, DRAWS };

/* FNV-1a, with the text's end. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (uint8_t)*text) * 1099511628211u;
	while (*text++);
	return hash;
}

/* Each cell has its own, so that no lucky throw decides. A recording goes by the name of its file,
   wherever that is. */
static uint64_t draw_seed(const struct contest_cell *cell, enum draw draw, unsigned int round)
{
	const struct contest_workload *workload = &cell->workload;
	const char *slash = workload->kind == CONTEST_FILES ? strrchr(workload->name, '/') : NULL;
	uint64_t hash = 14695981039346656037u;

	hash = hash_text(hash, slash ? slash + 1 : workload->name);
	hash = hash_text(hash, cell->model->name);
	return mix(hash ^ mix(((uint64_t)workload->seed << 8) + draw + round * DRAWS));
}

#define LONG_PHASE_TIMES 100u

/* Members of a result that are counts. */
#define COUNTS 12

static enum dav2m_mode other(enum dav2m_mode mode)
{
	return mode == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW;
}

/* The policy's own object, and how it is called. */
struct player {
	struct dav2m_policy policy;
	void *object;
	struct peer peer;
	struct dav2m controller;
	enum dav2m_mode start;
	uint32_t parameters; /* fingerprint of what it was begun with */
};

static int controller_sample(void *object, const struct dav2m_sample *counters,
			     struct dav2m_decision *ret_decision)
{
	return dav2m_sample(object, counters, ret_decision);
}

static int controller_acknowledge(void *object, enum dav2m_outcome outcome, uint64_t cycles)
{
	return dav2m_acknowledge(object, outcome, cycles);
}

/* FNV-1a over all fields; a peer's constants have its name. */
static uint32_t fingerprint(const struct contest_policy *policy)
{
	const struct dav2m_config_field *field;
	const char *name = policy->name;
	uint32_t hash = 2166136261u, value;
	size_t i;

	for (; policy->rule && *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	for (i = 0; !policy->rule && (field = dav2m_config_field(i)) != NULL; i++)
		if (!dav2m_config_get(&policy->config, field->name, &value))
			hash = (hash ^ value) * 16777619u;
	return hash;
}

static void coins_hand(struct dav2m_config *config, uint64_t coins)
{
	const struct dav2m_config_field *field;
	size_t i;

	for (i = 0; (field = dav2m_config_field(i)) != NULL; i++)
		if (!strcmp(field->name, CONTEST_COINS))
			dav2m_config_set(config, field->name,
					 field->min + (uint32_t)(coins % ((uint64_t)field->max -
									  field->min + 1)));
}

static int throws_coins(const struct contest_policy *policy)
{
	return policy->rule ? policy->rule->throws_coins : policy->config.judge != 0;
}

static int player_begin(struct player *player, const struct contest_policy *policy, uint64_t coins,
			struct dav2m_host_error *error)
{
	struct dav2m_config_fault fault = {"config", "is wrong"};
	struct dav2m_config config = policy->config;

	/* Coins are no parameters: those of the policy, before any were thrown. */
	player->parameters = fingerprint(policy);
	if (!throws_coins(policy))
		coins = 0; /* rounds_of() relies on it */
	if (policy->rule) {
		player->policy = peer_policy;
		player->object = &player->peer;
		player->start = policy->rule->start;
		peer_begin(&player->peer, policy->rule, player->start, coins);
		return 0;
	}
	player->policy = (struct dav2m_policy){controller_sample, controller_acknowledge};
	player->object = &player->controller;
	player->start = DAV2M_SHADOW;
	coins_hand(&config, coins);
	if (!dav2m_init(&player->controller, &config, player->start))
		return 0;
	dav2m_config_check(&config, &fault);
	return tool_fail(error, DAV2M_HOST_CONFIG, "%s: %s %s", policy->name, fault.field,
			 fault.rule);
}

/* Stands between the replay and the policy. */
struct seen {
	struct player *player;
	const struct contest_view *view;
	uint64_t random;
	struct dav2m_sample before;  /* as they are */
	struct dav2m_sample blurred; /* as the policy sees them */
	int begun;
	/* probes */
	const struct contest_cell *cell;
	const struct dav2m_pair *pair;
	int probing;
	int64_t probe_excess;
	uint64_t probe_switch_cycles;
	uint64_t probe_cycles;
};

static int is_blurred(const struct contest_view *view)
{
	return view->noise_bp || view->lost_one_in;
}

static uint64_t blur(struct seen *seen, uint64_t increment)
{
	uint64_t span = increment / DAV2M_ONE_BP * seen->view->noise_bp;

	return increment - span + mix_next(&seen->random) % (2 * span + 1);
}

static void blur_all(struct seen *seen, const struct dav2m_sample *counters)
{
	int c;

	for (c = 0; c < DAV2M_COUNTERS; c++) {
		uint64_t increment = counters->value[c] - seen->before.value[c];

		seen->blurred.value[c] += c == DAV2M_PROGRESS ? increment : blur(seen, increment);
	}
	seen->before = *counters;
}

static int seen_sample(void *object, const struct dav2m_sample *counters,
		       struct dav2m_decision *ret_decision)
{
	struct seen *seen = object;
	uint32_t one_in = seen->view->lost_one_in;

	if (is_blurred(seen->view))
		blur_all(seen, counters);
	else
		seen->blurred = *counters;
	seen->blurred.valid = counters->valid & ~seen->view->hidden;
	if (seen->begun && one_in && mix_next(&seen->random) % one_in == 0) {
		memset(ret_decision, 0, sizeof(*ret_decision));
		return 0;
	}
	seen->begun = 1;
	return seen->player->policy.sample(seen->player->object, &seen->blurred, ret_decision);
}

static int seen_acknowledge(void *object, enum dav2m_outcome outcome, uint64_t cycles)
{
	struct seen *seen = object;

	/* What a switch costs is known, not counted by the PMU. */
	seen->before.value[DAV2M_CYCLES] += cycles;
	seen->blurred.value[DAV2M_CYCLES] += cycles;
	return seen->player->policy.acknowledge(seen->player->object, outcome, cycles);
}

static int is_probe(enum dav2m_state state)
{
	return state == DAV2M_STATE_PRENESTED || state == DAV2M_STATE_PRESHADOW;
}

static void probe_failed(struct seen *seen, uint64_t switch_cycles)
{
	seen->probe_cycles += seen->probe_switch_cycles + switch_cycles;
	if (seen->probe_excess > 0)
		seen->probe_cycles += (uint64_t)seen->probe_excess;
}

static void seen_tick(void *context, const struct dav2m_replay_tick *tick)
{
	struct seen *seen = context;
	const struct dav2m_decision *decision = tick->decision;
	uint64_t instead = seen->pair->tick[other(tick->mode)][tick->index].value[DAV2M_CYCLES];
	uint64_t cost = tick->switched ? seen->cell->switch_cycles[decision->mode] : 0;

	if (seen->probing)
		seen->probe_excess +=
			(int64_t)tick->increments->value[DAV2M_CYCLES] - (int64_t)instead;
	if (seen->probing && tick->switched) {
		probe_failed(seen, cost);
		cost = 0;
		seen->probing = 0;
	} else if (seen->probing && !is_probe(decision->to)) {
		seen->probing = 0; /* kept */
	}
	if (tick->switched && is_probe(decision->to)) {
		seen->probing = 1;
		seen->probe_excess = 0;
		seen->probe_switch_cycles = cost;
	}
}

/* What a recording comes to, whoever plays on it. */
struct bases {
	const struct dav2m_pair *pair;
	uint8_t *best; /* mode of each tick, in hindsight */
	uint64_t hindsight_cycles;
	uint64_t best_static_cycles;
	int long_phases;
	struct bound_base bound;
};

static uint64_t wrong_cycles(const struct dav2m_pair *pair, const uint8_t *best,
			     const uint8_t *played)
{
	uint64_t cycles = 0;
	size_t i;

	for (i = 0; i < pair->ticks; i++)
		if (played[i] != best[i])
			cycles += pair->tick[played[i]][i].value[DAV2M_CYCLES];
	return cycles;
}

struct score {
	struct seen seen;
	uint8_t *played; /* mode of each tick */
	struct bound_watch watch;
};

static void score_tick(void *context, const struct dav2m_replay_tick *tick)
{
	struct score *score = context;

	score->played[tick->index] = (uint8_t)tick->mode;
	seen_tick(&score->seen, tick);
	bound_tick(&score->watch, tick);
}

/* A judge that buys its probes tells what they cost; its other moves are made on what it knows. */
static uint64_t probes_bought(const struct player *player, uint64_t seen_cycles)
{
	struct dav2m_explanation explanation;

	if (player->object != &player->controller || !player->controller.config.judge ||
	    dav2m_explain(&player->controller, &explanation))
		return seen_cycles;
	return explanation.regret.probing_cycles;
}

/* Whom the bound is about. */
static int is_bounded(const struct contest_policy *policy)
{
	return !policy->rule && policy->config.judge;
}

/* The limits that it is held to; others, for comparison, to those of the preset. */
static struct dav2m_config limits_of(const struct contest_policy *policy)
{
	struct dav2m_config config = {.size = sizeof(config)};

	if (is_bounded(policy))
		return policy->config;
	dav2m_config_preset(DAV2M_PRESET_BOUNDED, &config);
	return config;
}

/* ret_bases->best is to be freed, whatever it answers. */
static int bases_find(const struct dav2m_pair *pair, const uint64_t *switch_cycles,
		      struct bases *ret_bases, struct dav2m_host_error *error)
{
	uint64_t shadow = pair->total[DAV2M_SHADOW].value[DAV2M_CYCLES];
	uint64_t nested = pair->total[DAV2M_NESTED].value[DAV2M_CYCLES];
	struct dav2m_run run;
	int rc;

	ret_bases->pair = pair;
	ret_bases->best = malloc(pair->ticks);
	if (!ret_bases->best)
		return tool_fail_memory(error);
	rc = dav2m_hindsight(pair, switch_cycles, (uint64_t[DAV2M_MODES]){0, 0}, ret_bases->best,
			     &run, error);
	if (!rc)
		rc = bound_base_find(pair, switch_cycles, &ret_bases->bound, error);
	if (rc)
		return rc;
	ret_bases->hindsight_cycles = run.cycles;
	ret_bases->best_static_cycles = shadow < nested ? shadow : nested;
	ret_bases->long_phases = contest_long_phases(pair, switch_cycles);
	return 0;
}

static void score_end(const struct contest_policy *policy, const struct bases *bases,
		      const struct score *score, struct contest_result *result)
{
	const struct player *player = score->seen.player;
	const struct dav2m_config limits = limits_of(policy);

	result->hindsight_cycles = bases->hindsight_cycles;
	result->best_static_cycles = bases->best_static_cycles;
	result->long_phases = bases->long_phases;
	result->wrong_cycles = wrong_cycles(bases->pair, bases->best, score->played);
	result->probe_cycles = probes_bought(player, score->seen.probe_cycles);
	result->parameters = player->parameters;
	result->bound =
		bound_end(&score->watch, &bases->bound, &result->run, player->start, &limits);
}

static int score_on(const struct contest_policy *policy, const struct contest_cell *cell,
		    const struct bases *bases, const struct contest_view *view, unsigned int round,
		    struct contest_result *ret_result, struct dav2m_host_error *error)
{
	static const struct dav2m_policy seen_policy = {seen_sample, seen_acknowledge};
	const struct dav2m_pair *pair = bases->pair;
	struct player player;
	struct score score = {.seen = {.player = &player,
				       .view = view,
				       .random = draw_seed(cell, DRAW_VIEW, round),
				       .cell = cell,
				       .pair = pair},
			      .played = calloc(pair->ticks, 1)};
	struct dav2m_replay replay = {.pair = pair, .see = score_tick, .context = &score};
	int rc = player_begin(&player, policy, draw_seed(cell, DRAW_COINS, round), error);

	memset(ret_result, 0, sizeof(*ret_result));
	memcpy(replay.switch_cycles, cell->switch_cycles, sizeof(replay.switch_cycles));
	bound_begin(&score.watch, pair, cell->switch_cycles,
		    is_bounded(policy) ? &player.controller : NULL);
	if (!rc && !score.played)
		rc = tool_fail_memory(error);
	if (!rc) {
		replay.start = player.start;
		rc = dav2m_replay_policy(&replay, &seen_policy, &score.seen, &ret_result->run,
					 error);
	}
	if (!rc)
		score_end(policy, bases, &score, ret_result);
	free(score.played);
	return rc;
}

/* The adversary's workload is made against the same policy, behind the same view. */
static int adversary_play(const struct contest_policy *policy, const struct contest_cell *cell,
			  const struct contest_view *view, unsigned int round,
			  struct dav2m_pair *ret_pair, struct dav2m_host_error *error)
{
	static const struct dav2m_policy seen_policy = {seen_sample, seen_acknowledge};
	struct player player;
	struct seen seen = {
		.player = &player, .view = view, .random = draw_seed(cell, DRAW_VIEW, round)};
	int rc = player_begin(&player, policy, draw_seed(cell, DRAW_ADVERSARY_COINS, round), error);

	return rc ? rc
		  : adversary_pair(cell->model, cell->switch_cycles, player.start,
				   CONTEST_ADVERSARY_ROWS, &seen_policy, &seen, ret_pair, error);
}

static int round_play(const struct contest_policy *policy, const struct contest_cell *cell,
		      const struct contest_view *view, unsigned int round,
		      struct contest_result *ret_result, struct dav2m_host_error *error)
{
	struct dav2m_pair made = {.ticks = 0};
	struct bases bases = {.best = NULL};
	int rc = adversary_play(policy, cell, view, round, &made, error);

	if (!rc)
		rc = bases_find(&made, cell->switch_cycles, &bases, error);
	if (!rc)
		rc = score_on(policy, cell, &bases, view, round, ret_result, error);
	free(bases.best);
	dav2m_pair_free(&made);
	return rc;
}

/* Counts of the result, for sums and means. */
static void counts_of(struct contest_result *result, uint64_t *count[COUNTS])
{
	struct dav2m_run *run = &result->run;
	uint64_t *const counts[COUNTS] = {&run->cycles,
					  &run->switch_cycles,
					  &run->switches[DAV2M_SHADOW],
					  &run->switches[DAV2M_NESTED],
					  &run->mode_cycles[DAV2M_SHADOW],
					  &run->mode_cycles[DAV2M_NESTED],
					  &run->mode_progress[DAV2M_SHADOW],
					  &run->mode_progress[DAV2M_NESTED],
					  &result->hindsight_cycles,
					  &result->best_static_cycles,
					  &result->wrong_cycles,
					  &result->probe_cycles};

	memcpy(count, counts, sizeof(counts));
}

static void bound_widen(struct bound_share *most, const struct bound_share *share)
{
	if (share->proven > most->proven)
		most->proven = share->proven;
	if (share->bare > most->bare)
		most->bare = share->bare;
}

/* Where nothing is drawn by lot each round would be the first again. */
static unsigned int rounds_of(const struct contest_policy *policy, const struct contest_view *view)
{
	return throws_coins(policy) || is_blurred(view) ? CONTEST_ADVERSARY_ROUNDS : 1;
}

static int rounds_play(const struct contest_policy *policy, const struct contest_cell *cell,
		       const struct contest_view *view, struct contest_result *ret_result,
		       struct dav2m_host_error *error)
{
	const unsigned int rounds = rounds_of(policy, view);
	uint64_t *sum[COUNTS], *count[COUNTS];
	struct contest_result result;
	unsigned int round, i;
	int rc = round_play(policy, cell, view, 0, ret_result, error);

	counts_of(ret_result, sum);
	counts_of(&result, count);
	for (round = 1; !rc && round < rounds; round++) {
		rc = round_play(policy, cell, view, round, &result, error);
		for (i = 0; i < COUNTS && !rc; i++)
			*sum[i] += *count[i];
		if (!rc)
			bound_widen(&ret_result->bound, &result.bound);
	}
	for (i = 0; i < COUNTS && !rc; i++)
		*sum[i] /= rounds;
	return rc;
}

int contest_play(const struct contest_policy *policy, size_t n, const struct contest_cell *cell,
		 const struct contest_view *view, struct contest_result *ret_result,
		 struct dav2m_host_error *error)
{
	struct bases bases = {.best = NULL};
	size_t i;
	int rc = 0;

	if (cell->pair)
		rc = bases_find(cell->pair, cell->switch_cycles, &bases, error);
	for (i = 0; i < n && !rc; i++)
		rc = cell->pair ? score_on(&policy[i], cell, &bases, view, 0, &ret_result[i], error)
				: rounds_play(&policy[i], cell, view, &ret_result[i], error);
	free(bases.best);
	return rc;
}

/* The better mode of a tick, or DAV2M_MODES where that makes less than 1 %. */
static enum dav2m_mode better_mode(const struct dav2m_pair *pair, size_t tick)
{
	uint64_t shadow = pair->tick[DAV2M_SHADOW][tick].value[DAV2M_CYCLES];
	uint64_t nested = pair->tick[DAV2M_NESTED][tick].value[DAV2M_CYCLES];
	uint64_t gap = shadow > nested ? shadow - nested : nested - shadow;

	if (gap < (shadow < nested ? shadow : nested) / 100)
		return (enum dav2m_mode)DAV2M_MODES;
	return shadow < nested ? DAV2M_SHADOW : DAV2M_NESTED;
}

int contest_long_phases(const struct dav2m_pair *pair, const uint64_t switch_cycles[DAV2M_MODES])
{
	uint64_t trip = switch_cycles[DAV2M_SHADOW] + switch_cycles[DAV2M_NESTED];
	enum dav2m_mode mode = better_mode(pair, 0), next;
	uint64_t phase_cycles = 0;
	int phases = 1;
	size_t i;

	for (i = 0; i < pair->ticks; i++) {
		next = better_mode(pair, i);
		if (next != mode && next < DAV2M_MODES && mode < DAV2M_MODES) {
			if (phases > 1 && phase_cycles / LONG_PHASE_TIMES < trip)
				return 0;
			phase_cycles = 0;
			phases++;
		}
		if (next < DAV2M_MODES)
			mode = next;
		phase_cycles += pair->tick[mode == DAV2M_NESTED][i].value[DAV2M_CYCLES];
	}
	/* The first and the last are cut off, unless there is nothing else. */
	return phases > 2 || phase_cycles / LONG_PHASE_TIMES >= trip;
}
