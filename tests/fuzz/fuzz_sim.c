/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever a guest does, it does the same under every paging mode, and no TLB holds what is not so.
 *
 * The input: a byte for machine and prices, one for tables, pages, swap space and how often the
 * mode changes; and then two bytes for each thing that the guest does. Its memory is small enough
 * for a few of these to fill it.
 */
#include "must.h"

#include <string.h>

#include <dav2m/sim/cost.h>
#include <dav2m/sim/machine.h>
#include <dav2m/sim/run.h>
#include <dav2m/sim/stream.h>

#define WORDS	16384
#define MEMORY	(16ull << 20)
#define FIRST	0x8000ull
#define PAGES	4096ull /* that references are to; as many as there are frames */
#define RUN_MAX 512	/* pages that one input byte can touch */

struct words {
	uint64_t word[WORDS];
	size_t n;
	uint64_t forks;
};

static void reference(struct words *words, enum dav2m_sim_kind kind, uint64_t page, uint32_t run)
{
	if (words->n < WORDS)
		words->word[words->n++] = dav2m_sim_reference(kind, page, run);
}

static void event(struct words *words, enum dav2m_sim_event event, uint64_t a, uint64_t b,
		  uint64_t c)
{
	const uint64_t argument[] = {a, b, c};
	const uint32_t n = dav2m_sim_event_arguments(event);

	if (words->n + 4 > WORDS)
		return;
	words->word[words->n++] = dav2m_sim_event_word(event, n);
	memcpy(words->word + words->n, argument, n * sizeof(*argument));
	words->n += n;
}

/* What would end the run is rare. */
static void event_choose(struct words *words, enum dav2m_sim_event what, uint8_t how)
{
	const uint64_t address = (FIRST + (uint64_t)(how & 63) * 64) << DAV2M_SIM_PAGE_SHIFT;
	const uint64_t bytes = (1ull << 2 * (how >> 6)) << DAV2M_SIM_PAGE_SHIFT;
	const uint64_t all = how & 1 ? bytes << 6 : bytes;

	switch (what) {
	case DAV2M_SIM_SWITCH:
		event(words, what, how & 7, 0, 0);
		return;
	case DAV2M_SIM_FORK:
		event(words, what, 100 + words->forks++, 0, 0);
		return;
	case DAV2M_SIM_EXEC:
	case DAV2M_SIM_EXIT_PROCESS:
		event(words, DAV2M_SIM_SWITCH, how & 1 ? 1 + how % 7 : 100, 0, 0);
		event(words, what, 0, 0, 0);
		return;
	case DAV2M_SIM_BRK:
	case DAV2M_SIM_UNMAP:
		event(words, what, address, all, 0);
		return;
	case DAV2M_SIM_MAP:
		event(words, what, address, all, how == 255 ? 0 : 3);
		return;
	case DAV2M_SIM_PROTECT:
		/* Taken away and given back: the pages stay unwritable until they are written. */
		event(words, what, address, all, 1);
		event(words, what, address, all, how == 255 ? 1 : 3);
		return;
	case DAV2M_SIM_SYSCALL:
	case DAV2M_SIM_MARK:
		event(words, what, how, 0, 0);
		return;
	}
}

static void put(struct words *words, uint8_t what, uint8_t how)
{
	const enum dav2m_sim_kind kind = (enum dav2m_sim_kind)(what % 3);
	const uint32_t run = what >= 96 ? RUN_MAX >> (what & 7) : 1;
	uint32_t i;

	if (what >= 192) {
		event_choose(words, (enum dav2m_sim_event)(what % DAV2M_SIM_EVENTS), how);
		return;
	}
	for (i = 0; i < run; i++)
		reference(words, kind, FIRST + (how * 16u + i) % PAGES, 40);
}

static void to_and_fro(void *vm, struct dav2m_sim *sim, int at_window)
{
	(void)vm;
	(void)at_window;
	MUST(dav2m_sim_switch(sim, dav2m_sim_mode(sim) == DAV2M_SIM_SHADOW ? DAV2M_NESTED
									   : DAV2M_SHADOW) == 0);
}

/* Only the last references: no TLB holds many more. */
static void tlbs_check(const struct dav2m_sim *sim, const struct words *words)
{
	size_t i = words->n < RUN_MAX ? 0 : words->n - RUN_MAX;
	uint64_t page, seen, is;
	int stream;

	for (; i < words->n; i++) {
		page = words->word[i] >> 16;
		for (stream = 0; stream < DAV2M_SIM_STREAMS; stream++) {
			if (dav2m_sim_tlb_lookup(sim, (enum dav2m_sim_stream)stream, page, &seen))
				continue;
			MUST(dav2m_sim_lookup(sim, page, &is) == 0);
			MUST(seen == is);
		}
	}
}

/* What the guest has done; how it came there is another matter. */
struct outcome {
	int error;
	uint64_t words;
	uint64_t instructions;
	uint64_t faults;
	uint64_t cow_faults;
	uint64_t processes;
	uint64_t context_switches;
	uint64_t resident;
};

static struct outcome run(struct dav2m_sim_config *config, const struct words *words)
{
	struct dav2m_sim_counts c;
	struct dav2m_sim *sim;
	struct outcome out;

	memset(&out, 0, sizeof(out));
	MUST(dav2m_sim_new(config, &sim) == 0);
	out.error = dav2m_sim_run(sim, words->word, words->n);
	out.words = dav2m_sim_position(sim);
	if (out.error == 0)
		tlbs_check(sim, words);
	dav2m_sim_count(sim, &c);
	out.instructions = c.instructions;
	out.faults = c.faults;
	out.cow_faults = c.cow_faults;
	out.processes = c.processes;
	out.context_switches = c.context_switches;
	out.resident = c.resident;
	dav2m_sim_free(sim);
	return out;
}

static void config_choose(struct dav2m_sim_config *config, uint8_t first, uint8_t second)
{
	size_t machines = 0, costs = 0;

	while (dav2m_sim_machine(machines) != NULL)
		machines++;
	while (dav2m_sim_cost(costs) != NULL)
		costs++;
	config->machine = dav2m_sim_machine((first & 15) % machines);
	config->cost = dav2m_sim_cost((first >> 4) % costs);
	config->tables = (enum dav2m_sim_tables)((second & 3) % DAV2M_SIM_TABLES);
	config->guest_page = (enum dav2m_sim_page)((second >> 2 & 3) % DAV2M_SIM_PAGES);
	if (config->tables == DAV2M_SIM_LEVELS_2 && config->guest_page == DAV2M_SIM_1G)
		config->guest_page = DAV2M_SIM_2M;
	config->kernel_bytes = second >> 4 & 1 ? MEMORY / 2 : 0;
	config->swap_bytes = second >> 5 & 1 ? 2 * MEMORY : 0;
	config->window_inst = 1000ull << (second >> 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct words words;
	struct dav2m_sim_config config = {.guest_bytes = MEMORY};
	struct outcome native, other;
	size_t i;

	if (size < 2)
		return 0;
	words.n = words.forks = 0;
	for (i = 2; i + 1 < size; i += 2)
		put(&words, data[i], data[i + 1]);
	config_choose(&config, data[0], data[1]);
	config.mode = DAV2M_SIM_NATIVE;
	native = run(&config, &words);
	for (i = 0; i < 3; i++) {
		config.mode = i == 1 ? DAV2M_SIM_NESTED : DAV2M_SIM_SHADOW;
		config.sample = i == 2 ? to_and_fro : NULL;
		other = run(&config, &words);
		MUST(memcmp(&native, &other, sizeof(native)) == 0);
	}
	return 0;
}
