/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdav2m alone inside somebody else's simulator, which models TLB, paging and time itself and
 * only wants to know which mode to run in.
 *
 * The simulator owns the clock: it counts cycles, and an event of its own, every SAMPLE_CYCLES,
 * is when it asks. Its guest maps pages for a while, then reads all over them. What stands for
 * its models is as small as possible: a direct-mapped TLB, a price for a walk in either mode, and
 * an exit for each page-table write under shadow paging.
 */
#include <stdio.h>

#include <dav2m/dav2m.h>

#define TLB_ENTRIES   64
#define PAGES	      4096
#define SAMPLE_CYCLES 200000
#define END_CYCLES    (600ull * SAMPLE_CYCLES)

struct simulator {
	uint64_t now_cycles;
	uint64_t instructions;
	uint64_t tlb_misses;
	uint64_t next_sample_cycles;
	uint64_t tlb[TLB_ENTRIES];
	uint64_t random;
	enum dav2m_mode mode;
	struct dav2m controller;
};

static void access_page(struct simulator *s, uint64_t page)
{
	uint64_t *entry = &s->tlb[page % TLB_ENTRIES];

	if (*entry == page)
		return;
	*entry = page;
	s->tlb_misses++;
	s->now_cycles += s->mode == DAV2M_NESTED ? 90 : 25;
}

static void write_page_table(struct simulator *s)
{
	if (s->mode != DAV2M_SHADOW)
		return;
	s->now_cycles += 4000;
	/* Its answer, 1 when a sample is worth while now, is left: the next event will do. */
	(void)dav2m_paging_exits(&s->controller, 1);
}

static void run_instruction(struct simulator *s)
{
	const int maps_pages = s->now_cycles / (100 * SAMPLE_CYCLES) % 2 == 0;

	s->random = s->random * 6364136223846793005ull + 1442695040888963407ull;
	s->instructions++;
	s->now_cycles++;
	if (maps_pages && s->instructions % 500 == 0)
		write_page_table(s);
	access_page(s, maps_pages ? s->instructions / 500 : (s->random >> 40) % PAGES);
}

static int sample_event(struct simulator *s)
{
	const struct dav2m_sample counters = {.value = {[DAV2M_PROGRESS] = s->instructions,
							[DAV2M_CYCLES] = s->now_cycles,
							[DAV2M_TLB_MISSES] = s->tlb_misses},
					      .valid = DAV2M_BIT(DAV2M_PROGRESS) |
						       DAV2M_BIT(DAV2M_CYCLES) |
						       DAV2M_BIT(DAV2M_TLB_MISSES)};
	struct dav2m_decision decision;
	int error = dav2m_sample(&s->controller, &counters, &decision);

	s->next_sample_cycles += SAMPLE_CYCLES;
	if (error || decision.action != DAV2M_SWITCH)
		return error;
	printf("cycle %llu: %s paging (%s)\n", (unsigned long long)s->now_cycles,
	       dav2m_mode_name(decision.mode), dav2m_reason_name(decision.reason));
	s->mode = decision.mode;
	s->now_cycles += 20000; /* their price of a switch */
	return dav2m_acknowledge(&s->controller, DAV2M_DONE, 20000);
}

/* A tick is the 2000 instructions or more that run between two samples. */
static int begin(struct simulator *s)
{
	struct dav2m_config config = {.size = sizeof(config)};

	dav2m_config_preset(DAV2M_PRESET_DEFAULT, &config);
	config.window_inst = 2000;
	s->random = 1;
	s->next_sample_cycles = SAMPLE_CYCLES;
	return dav2m_init(&s->controller, &config, s->mode);
}

int main(void)
{
	static struct simulator s = {.mode = DAV2M_SHADOW};
	int error = begin(&s);

	while (!error && s.now_cycles < END_CYCLES) {
		run_instruction(&s);
		if (s.now_cycles >= s.next_sample_cycles)
			error = sample_event(&s);
	}
	if (error) {
		fprintf(stderr, "%s\n", dav2m_error_name((enum dav2m_error)error));
		return 1;
	}
	printf("%.2f cycles an instruction\n", (double)s.now_cycles / (double)s.instructions);
	return 0;
}
