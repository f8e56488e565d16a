/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include <dav2m/host/replay.h>

/* Prints each switch of the default controller over two recordings of the same work. */
static void see(void *context, const struct dav2m_replay_tick *tick)
{
	(void)context;
	if (tick->switched)
		printf("tick %zu: to %s paging (%s)\n", tick->index,
		       dav2m_mode_name(tick->decision->mode),
		       dav2m_reason_name(tick->decision->reason));
}

static int replay(const struct dav2m_pair *pair, struct dav2m_host_error *error)
{
	struct dav2m_config config = {.size = sizeof(config)};
	struct dav2m_replay replay = {.pair = pair, .start = DAV2M_SHADOW, .see = see};
	const uint64_t free_start[DAV2M_MODES] = {0, 0};
	struct dav2m_run run, best;
	struct dav2m controller;

	replay.switch_cycles[DAV2M_SHADOW] = pair->switch_cycles[DAV2M_SHADOW];
	replay.switch_cycles[DAV2M_NESTED] = pair->switch_cycles[DAV2M_NESTED];
	dav2m_config_preset(DAV2M_PRESET_DEFAULT, &config);
	if (dav2m_replay_controller(&replay, &config, &controller, &run, error) ||
	    dav2m_hindsight(pair, replay.switch_cycles, free_start, NULL, &best, error))
		return 1;
	printf("%.2f %% over the best schedule in hindsight\n",
	       100.0 * ((double)run.cycles / (double)best.cycles - 1));
	return 0;
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
