/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replays the default controller, and a policy of one's own, over two recordings of the same work.
 * Prints each switch, and how far each stays behind the best schedule in hindsight.
 */
#include <stdio.h>

#include <dav2m/host/replay.h>

/* Leaves a mode that is 10 % slower than the other was when that last ran, or when it has not run.
 */
struct rule {
	enum dav2m_mode mode;	 /* that runs */
	double cpi[DAV2M_MODES]; /* in the last tick of each; 0: it has not run */
	struct dav2m_sample last;
};

static int rule_sample(void *policy, const struct dav2m_sample *now,
		       struct dav2m_decision *ret_decision)
{
	struct rule *rule = policy;
	enum dav2m_mode other = rule->mode == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW;
	uint64_t cycles = now->value[DAV2M_CYCLES] - rule->last.value[DAV2M_CYCLES];
	uint64_t progress = now->value[DAV2M_PROGRESS] - rule->last.value[DAV2M_PROGRESS];

	rule->last = *now;
	if (!progress)
		return 0; /* before the guest runs */
	rule->cpi[rule->mode] = (double)cycles / (double)progress;
	if (rule->cpi[rule->mode] > 1.1 * rule->cpi[other]) {
		ret_decision->action = DAV2M_SWITCH;
		ret_decision->mode = other;
	}
	return 0;
}

/* What the switch cost is no part of the next tick's CPI. */
static int rule_acknowledge(void *policy, enum dav2m_outcome outcome, uint64_t cycles)
{
	struct rule *rule = policy;

	(void)outcome;
	rule->mode = rule->mode == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW;
	rule->last.value[DAV2M_CYCLES] += cycles;
	return 0;
}

static void see(void *context, const struct dav2m_replay_tick *tick)
{
	if (tick->switched)
		printf("%s, tick %zu: to %s paging\n", (const char *)context, tick->index,
		       dav2m_mode_name(tick->decision->mode));
}

static int controllers_run(struct dav2m_replay *replay, struct dav2m_host_error *error)
{
	static const struct dav2m_policy policy = {rule_sample, rule_acknowledge};
	const uint64_t free_start[DAV2M_MODES] = {0, 0};
	struct dav2m_config config = {.size = sizeof(config)};
	struct rule rule = {.mode = replay->start};
	struct dav2m_run run, own, best;
	struct dav2m controller;

	dav2m_config_preset(DAV2M_PRESET_DEFAULT, &config);
	replay->see = see;
	replay->context = "controller";
	if (dav2m_replay_controller(replay, &config, &controller, &run, error))
		return 1;
	replay->context = "rule";
	if (dav2m_replay_policy(replay, &policy, &rule, &own, error) ||
	    dav2m_hindsight(replay->pair, replay->switch_cycles, free_start, NULL, &best, error))
		return 1;
	printf("controller: %.2f %%, rule: %.2f %% over the best schedule in hindsight\n",
	       100.0 * ((double)run.cycles / (double)best.cycles - 1),
	       100.0 * ((double)own.cycles / (double)best.cycles - 1));
	return 0;
}

static int replay(const struct dav2m_pair *pair, struct dav2m_host_error *error)
{
	struct dav2m_replay replay = {.pair = pair, .start = DAV2M_SHADOW};
	unsigned int mode;

	for (mode = 0; mode < DAV2M_MODES; mode++) {
		if (!(pair->switch_known & DAV2M_BIT(mode))) {
			snprintf(error->text, sizeof(error->text),
				 "the recordings do not say what a switch to %s paging costs",
				 dav2m_mode_name((enum dav2m_mode)mode));
			return 1;
		}
		replay.switch_cycles[mode] = pair->switch_cycles[mode];
	}
	return controllers_run(&replay, error);
}

int main(int argc, char **argv)
{
	struct dav2m_trace shadow = {.tick = NULL}, nested = {.tick = NULL};
	struct dav2m_pair pair = {.ticks = 0};
	struct dav2m_host_error error = {"usage: replay SHADOW.csv NESTED.csv"};
	int failed = argc != 3 || dav2m_trace_load(argv[1], 0, &shadow, &error) ||
		     dav2m_trace_load(argv[2], 0, &nested, &error) ||
		     dav2m_pair_make(&shadow, &nested, 0, &pair, &error) || replay(&pair, &error);

	if (failed)
		fprintf(stderr, "%s\n", error.text);
	dav2m_pair_free(&pair);
	dav2m_trace_free(&nested);
	dav2m_trace_free(&shadow);
	return failed;
}
