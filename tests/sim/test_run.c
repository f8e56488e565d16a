/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole simulations: the TLBs never lie, misses are those of a naive model, cycles add up, the
 * same words give the same counts.
 */
#include <string.h>

#include "naive.h"
#include "rig.h"

#define WORDS 20000

/* A program with processes, mappings and a working set that the TLBs do not hold. */
static size_t program_make(uint64_t *words, uint64_t seed, int events)
{
	size_t n = 0;
	uint64_t pid = 1;

	while (n < WORDS) {
		const uint64_t r = naive_random(&seed) % 1000;
		const uint64_t page = 0x1000 + naive_random(&seed) % (r % 7 ? 60 : 1500);

		if (events && r == 1) {
			words[n++] = dav2m_sim_event_word(DAV2M_SIM_UNMAP, 2);
			words[n++] = page * PAGE;
			words[n++] = (1 + naive_random(&seed) % 100) * PAGE;
		} else if (events && r == 2) {
			words[n++] = dav2m_sim_event_word(DAV2M_SIM_SWITCH, 1);
			words[n++] = naive_random(&seed) % 2;
		} else if (events && r == 3 && pid < 200) {
			words[n++] = dav2m_sim_event_word(DAV2M_SIM_FORK, 1);
			words[n++] = ++pid;
			words[n++] = dav2m_sim_event_word(DAV2M_SIM_SWITCH, 1);
			words[n++] = pid;
		} else if (events && r == 4 && pid > 1) {
			words[n++] = dav2m_sim_event_word(DAV2M_SIM_SWITCH, 1);
			words[n++] = pid--;
			words[n++] = dav2m_sim_event_word(DAV2M_SIM_EXIT_PROCESS, 0);
		} else {
			words[n++] = dav2m_sim_reference((enum dav2m_sim_kind)(r % 3), page,
							 1 + (uint32_t)(r % 5));
		}
	}
	return n;
}

static uint64_t *program_new(uint64_t seed, int events, size_t *ret_n)
{
	uint64_t *words = malloc((WORDS + 8) * sizeof(*words));

	*ret_n = program_make(words, seed, events);
	return words;
}

static struct dav2m_sim_config variant(int i)
{
	struct dav2m_sim_config config = rig_config((enum dav2m_sim_mode)(i % 3));

	config.machine = dav2m_sim_machine(i / 3 % 2 ? 0 : 1);
	config.cost = dav2m_sim_cost(i / 6 % 2 ? 0 : 1);
	config.guest_page = (enum dav2m_sim_page)(i / 12 % 3);
	config.tables = i / 36 % 2 == 0			    ? DAV2M_SIM_LEVELS_4
			: config.guest_page == DAV2M_SIM_1G ? DAV2M_SIM_LEVELS_5
							    : DAV2M_SIM_LEVELS_2;
	/* Some twenty processes with a few 4 MB pages each, or one of 1 GB. */
	config.guest_bytes = config.guest_page == DAV2M_SIM_1G ? 16ull << 30 : 4ull << 30;
	return config;
}
#define VARIANTS 72

static size_t word_length(uint64_t word)
{
	return (word & 3) == DAV2M_SIM_EVENT ? 1 + (word >> 8 & 0xff) : 1;
}

/* After every reference, what the TLB says is what the guest's tables say. */
START_TEST(tlbs_never_lie)
{
	const struct dav2m_sim_config plain = variant(_i);
	struct dav2m_sim_config config = plain;
	struct dav2m_sim_machine machine = *plain.machine;
	struct dav2m_sim *sim;
	uint64_t *words;
	uint64_t by_tlb, by_tables;
	size_t n, at, length;

	/* With tags, exits do not flush what a mistake would leave behind. */
	machine.tagged = 1;
	config.machine = &machine;
	sim = rig_new(&config);
	words = program_new(7 + (unsigned)_i, 1, &n);
	for (at = 0; at < n; at += length) {
		const uint64_t page = words[at] >> 16;
		const enum dav2m_sim_stream stream =
			(words[at] & 3) == DAV2M_SIM_FETCH ? DAV2M_SIM_CODE : DAV2M_SIM_DATA;

		length = word_length(words[at]);
		ck_assert_int_eq(dav2m_sim_run(sim, words + at, length), 0);
		if (config.mode != DAV2M_SIM_NATIVE && at % 1009 == 0)
			dav2m_sim_switch(sim, (enum dav2m_mode)(at / 1009 % 2));
		if ((words[at] & 3) == DAV2M_SIM_EVENT)
			continue;
		ck_assert_int_eq(dav2m_sim_lookup(sim, page, &by_tables), 0);
		if (dav2m_sim_tlb_lookup(sim, stream, page, &by_tlb) == 0)
			ck_assert_uint_eq(by_tlb, by_tables);
	}
	free(words);
	dav2m_sim_free(sim);
}
END_TEST

/* DTLB and ITLB misses of both levels, from first to last reference. */
START_TEST(misses_are_the_naive_ones)
{
	struct dav2m_sim_config config = rig_config(DAV2M_SIM_NATIVE);
	struct dav2m_sim *sim;
	struct naive *l1 = malloc(2 * sizeof(*l1));
	struct naive *l2 = malloc(2 * sizeof(*l2));
	uint64_t misses[2][2] = {{0}};
	struct dav2m_sim_counts counts;
	uint64_t *words;
	size_t n, i;

	config.tables = DAV2M_SIM_LEVELS_4;
	sim = rig_new(&config);
	words = program_new(99, 0, &n);
	/* All pages come in first, written, so that no fault's INVLPG disturbs the TLBs. */
	for (i = 0; i < 1500; i++)
		rig_touch(sim, DAV2M_SIM_STORE, 0x1000 + i);
	rig_event(sim, DAV2M_SIM_SWITCH, 1, 0, 0);
	rig_event(sim, DAV2M_SIM_SWITCH, 0, 0, 0);
	counts = rig_counts(sim);
	naive_init(&l1[0], 48, 48);
	naive_init(&l1[1], 32, 32);
	naive_init(&l2[0], 512, 4);
	naive_init(&l2[1], 512, 4);
	for (i = 0; i < n; i++) {
		const int s = (words[i] & 3) == DAV2M_SIM_FETCH;
		const uint64_t page = words[i] >> 16;

		if (naive_use(&l1[s], page))
			continue;
		misses[0][s]++;
		if (!naive_use(&l2[s], page)) {
			misses[1][s]++;
			naive_insert(&l2[s], page);
		}
		naive_insert(&l1[s], page);
	}
	ck_assert_int_eq(dav2m_sim_run(sim, words, n), 0);
	for (i = 0; i < 2; i++) {
		const struct dav2m_sim_counts now = rig_counts(sim);

		ck_assert_uint_gt(misses[1][i], 100);
		ck_assert_uint_eq(now.l1_misses[i] - counts.l1_misses[i], misses[0][i]);
		ck_assert_uint_eq(now.l2_misses[i] - counts.l2_misses[i], misses[1][i]);
	}
	free(words);
	free(l1);
	free(l2);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(cycles_add_up)
{
	const struct dav2m_sim_config config = variant(_i);
	const struct dav2m_sim_price *price = config.cost->price;
	struct dav2m_sim *sim = rig_new(&config);
	struct dav2m_sim_counts c;
	struct dav2m_sample sample;
	uint64_t exits, hits;
	uint64_t *words;
	size_t n;

	words = program_new(3, 1, &n);
	ck_assert_int_eq(dav2m_sim_run(sim, words, n), 0);
	c = rig_counts(sim);
	dav2m_sim_sample(sim, &sample);
	hits = c.l1_misses[0] + c.l1_misses[1] - c.l2_misses[0] - c.l2_misses[1];
	ck_assert_uint_eq(c.cycles[DAV2M_SIM_BASE],
			  c.instructions * price[DAV2M_SIM_INSTRUCTION].cycles);
	ck_assert_uint_eq(c.cycles[DAV2M_SIM_WALK],
			  hits * price[DAV2M_SIM_TLB_L2_HIT].cycles +
				  c.walk_refs * price[DAV2M_SIM_WALK_REF].cycles +
				  c.walk_cached * price[DAV2M_SIM_WALK_CACHED].cycles);
	exits = c.exits[DAV2M_SIM_EXIT_INJECT] * price[DAV2M_SIM_INJECT].cycles +
		c.exits[DAV2M_SIM_EXIT_FILL] * price[DAV2M_SIM_FILL].cycles +
		c.exits[DAV2M_SIM_EXIT_EMULATE] * price[DAV2M_SIM_EMULATE].cycles +
		c.exits[DAV2M_SIM_EXIT_UNSYNC] * price[DAV2M_SIM_UNSYNC].cycles +
		c.exits[DAV2M_SIM_EXIT_REMOVE] * price[DAV2M_SIM_REMOVE].cycles +
		c.exits[DAV2M_SIM_EXIT_INVLPG] * price[DAV2M_SIM_INVLPG].cycles +
		c.exits[DAV2M_SIM_EXIT_CR3] * price[DAV2M_SIM_CR3].cycles +
		c.exits[DAV2M_SIM_EXIT_NESTED] * price[DAV2M_SIM_NESTED_FILL].cycles +
		(dav2m_sim_paging_exits(&c) + c.exits[DAV2M_SIM_EXIT_NESTED]) *
			price[DAV2M_SIM_EXIT].cycles +
		c.resyncs * price[DAV2M_SIM_RESYNC].cycles;
	/* The root of process 0 is shadowed when the VM starts, before the guest runs. */
	exits += (c.shadow_made - (config.mode == DAV2M_SIM_SHADOW)) * price[DAV2M_SIM_MAKE].cycles;
	ck_assert_uint_eq(c.cycles[DAV2M_SIM_EXITS], exits);
	ck_assert_uint_eq(c.cycles[DAV2M_SIM_SWITCHING], 0);
	ck_assert_uint_eq(c.cycles[DAV2M_SIM_SAMPLING], 0);
	ck_assert_uint_eq(dav2m_sim_cycles(&c), sample.value[DAV2M_CYCLES]);
	ck_assert_uint_eq(sample.value[DAV2M_PROGRESS], c.instructions);
	free(words);
	dav2m_sim_free(sim);
}
END_TEST

/* However the stream is cut, and however often it is run. */
START_TEST(runs_are_deterministic)
{
	const struct dav2m_sim_config config = variant(_i);
	struct dav2m_sim *whole = rig_new(&config);
	struct dav2m_sim *cut = rig_new(&config);
	struct dav2m_sim_counts a, b;
	uint64_t *words;
	size_t n, at, length;

	words = program_new(11, 1, &n);
	ck_assert_int_eq(dav2m_sim_run(whole, words, n), 0);
	for (at = 0; at < n; at += length) {
		length = word_length(words[at]);
		ck_assert_int_eq(dav2m_sim_run(cut, words + at, length), 0);
	}
	a = rig_counts(whole);
	b = rig_counts(cut);
	ck_assert_mem_eq(&a, &b, sizeof(a));
	ck_assert_uint_eq(dav2m_sim_position(whole), n);
	ck_assert_uint_eq(dav2m_sim_position(cut), n);
	free(words);
	dav2m_sim_free(whole);
	dav2m_sim_free(cut);
}
END_TEST

/* The guest does the same work whatever runs it. */
START_TEST(guests_do_not_see_the_mode)
{
	struct dav2m_sim_counts c[3];
	uint64_t *words;
	size_t n;
	int m;

	words = program_new(5, 1, &n);
	for (m = 0; m < 3; m++) {
		const struct dav2m_sim_config config = rig_config((enum dav2m_sim_mode)m);
		struct dav2m_sim *sim = rig_new(&config);

		ck_assert_int_eq(dav2m_sim_run(sim, words, n), 0);
		c[m] = rig_counts(sim);
		dav2m_sim_free(sim);
	}
	for (m = 1; m < 3; m++) {
		ck_assert_uint_eq(c[m].instructions, c[0].instructions);
		ck_assert_uint_eq(c[m].faults, c[0].faults);
		ck_assert_uint_eq(c[m].cow_faults, c[0].cow_faults);
		ck_assert_uint_eq(c[m].table_writes, c[0].table_writes);
		ck_assert_uint_eq(c[m].pages, c[0].pages);
		ck_assert_uint_eq(c[m].cycles[DAV2M_SIM_FAULT], c[0].cycles[DAV2M_SIM_FAULT]);
	}
	free(words);
}
END_TEST

struct seen {
	unsigned windows;
	uint64_t instructions[64];
};

static void on_sample(void *vm, struct dav2m_sim *sim, int at_window)
{
	struct seen *seen = vm;

	ck_assert_int_eq(at_window, 1);
	if (seen->windows < 64)
		seen->instructions[seen->windows] = rig_counts(sim).instructions;
	seen->windows++;
}

START_TEST(samples_come_at_windows)
{
	struct dav2m_sim_config config = rig_config(DAV2M_SIM_NATIVE);
	struct seen seen = {0};
	struct dav2m_sim *sim;
	unsigned i;

	config.window_inst = 100;
	config.sample = on_sample;
	config.vm = &seen;
	sim = rig_new(&config);
	for (i = 0; i < 1000; i++) {
		rig_touch(sim, DAV2M_SIM_FETCH, 5);
		rig_touch(sim, DAV2M_SIM_LOAD, 6);
	}
	ck_assert_uint_eq(seen.windows, 10);
	for (i = 0; i < 10; i++)
		ck_assert_uint_eq(seen.instructions[i], (i + 1) * 100);
	dav2m_sim_free(sim);
}
END_TEST

/* Runs of 70 end beyond each window: the next is whole all the same, unless (_i) windows end on a
   grid. */
START_TEST(windows_are_whole)
{
	static const uint64_t on_grid[] = {140, 210, 350, 420, 560, 630, 700, 840, 910, 1050};
	struct dav2m_sim_config config = rig_config(DAV2M_SIM_NATIVE);
	const uint64_t run = dav2m_sim_reference(DAV2M_SIM_FETCH, 5, 70);
	struct seen seen = {0};
	struct dav2m_sim *sim;
	unsigned i;

	config.window_inst = 100;
	config.on_grid = _i;
	config.sample = on_sample;
	config.vm = &seen;
	sim = rig_new(&config);
	for (i = 0; i < 20; i++)
		ck_assert_int_eq(dav2m_sim_run(sim, &run, 1), 0);
	ck_assert_uint_eq(seen.windows, _i ? 14 : 10);
	for (i = 0; i < 10; i++)
		ck_assert_uint_eq(seen.instructions[i], _i ? on_grid[i] : (i + 1) * 140);
	dav2m_sim_free(sim);
}
END_TEST

START_TEST(wrong_configs_are_refused)
{
	const struct dav2m_sim_config good = rig_config(DAV2M_SIM_NATIVE);
	struct dav2m_sim_machine machine = *good.machine;
	struct dav2m_sim_config bad = good;
	struct dav2m_sim *sim;

	ck_assert_int_eq(dav2m_sim_new(NULL, &sim), DAV2M_SIM_ERR_NULL);
	bad.machine = NULL;
	ck_assert_int_eq(dav2m_sim_new(&bad, &sim), DAV2M_SIM_ERR_NULL);
	bad = good;
	bad.guest_bytes = 1 << 20;
	ck_assert_int_eq(dav2m_sim_new(&bad, &sim), DAV2M_SIM_ERR_RANGE);
	bad.guest_bytes = (64ull << 20) + 4096;
	ck_assert_int_eq(dav2m_sim_new(&bad, &sim), DAV2M_SIM_ERR_RANGE);
	bad = good;
	bad.machine = &machine;
	machine.array[0].ways = 7; /* does not divide 48 */
	ck_assert_int_eq(dav2m_sim_new(&bad, &sim), DAV2M_SIM_ERR_MACHINE);
	machine = *good.machine;
	machine.array[0].pages = 2; /* nowhere for 4K data */
	ck_assert_int_eq(dav2m_sim_new(&bad, &sim), DAV2M_SIM_ERR_MACHINE);
	machine = *good.machine;
	machine.array[1] = machine.array[0]; /* twice in one place */
	ck_assert_int_eq(dav2m_sim_new(&bad, &sim), DAV2M_SIM_ERR_MACHINE);
	ck_assert_int_eq(dav2m_sim_run(NULL, NULL, 0), DAV2M_SIM_ERR_NULL);
	sim = rig_new(&good);
	ck_assert_int_eq(dav2m_sim_switch(sim, DAV2M_NESTED), DAV2M_SIM_ERR_RANGE);
	dav2m_sim_free(sim);
}
END_TEST

/* Every name of the tables is found again, every price has its source. */
START_TEST(tables_are_whole)
{
	const struct dav2m_sim_machine *machine;
	const struct dav2m_sim_cost *cost;
	size_t i;
	int item;

	for (i = 0; (machine = dav2m_sim_machine(i)) != NULL; i++) {
		struct dav2m_sim_config config = rig_config(DAV2M_SIM_NESTED);

		ck_assert_ptr_eq(dav2m_sim_machine_find(machine->name), machine);
		ck_assert_ptr_nonnull(machine->source);
		config.machine = machine;
		dav2m_sim_free(rig_new(&config));
	}
	ck_assert_uint_ge(i, 2);
	for (i = 0; (cost = dav2m_sim_cost(i)) != NULL; i++) {
		ck_assert_ptr_eq(dav2m_sim_cost_find(cost->name), cost);
		ck_assert_uint_ge(cost->map_writes, 1);
		ck_assert_uint_ge(cost->unmap_writes, 1);
		for (item = 0; item < DAV2M_SIM_ITEMS; item++) {
			ck_assert_uint_gt(cost->price[item].cycles, 0);
			ck_assert_ptr_nonnull(cost->price[item].source);
			ck_assert_str_ne(dav2m_sim_item_name((enum dav2m_sim_item)item), "?");
		}
	}
	ck_assert_uint_ge(i, 2);
	ck_assert_ptr_null(dav2m_sim_machine_find("none"));
	ck_assert_ptr_null(dav2m_sim_cost_find(NULL));
}
END_TEST

START_TEST(workloads_repeat_for_a_seed)
{
	const struct dav2m_sim_workload *workload = dav2m_sim_workload((size_t)_i);
	struct dav2m_sim_source *a, *b, *c;
	uint64_t *x, *y;
	size_t n, m, total = 0;
	int differs = 0;

	if (workload == NULL)
		return;
	a = dav2m_sim_source_new(workload, 5, 1);
	b = dav2m_sim_source_new(workload, 5, 1);
	c = dav2m_sim_source_new(workload, 6, 1);
	x = malloc(8192 * sizeof(*x));
	y = malloc(8192 * sizeof(*y));
	ck_assert_ptr_nonnull(a);
	while ((n = dav2m_sim_source_read(a, x, 8192)) > 0) {
		m = dav2m_sim_source_read(b, y, 8192);
		ck_assert_uint_eq(n, m);
		ck_assert_mem_eq(x, y, n * sizeof(*x));
		m = dav2m_sim_source_read(c, y, 8192);
		differs |= m != n || memcmp(x, y, n * sizeof(*x)) != 0;
		total += n;
	}
	ck_assert_uint_gt(total, 0);
	/* Those that draw no random numbers are the same for every seed. */
	if (strcmp(workload->name, "phases") == 0)
		ck_assert_int_eq(differs, 1);
	ck_assert_uint_eq(dav2m_sim_source_done(a), dav2m_sim_source_total(a));
	ck_assert_ptr_null(dav2m_sim_source_new(workload, 1, 0));
	dav2m_sim_source_free(a);
	dav2m_sim_source_free(b);
	dav2m_sim_source_free(c);
	free(x);
	free(y);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim run");
	TCase *tcase = tcase_create("run");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, tlbs_never_lie, 0, VARIANTS);
	tcase_add_test(tcase, misses_are_the_naive_ones);
	tcase_add_loop_test(tcase, cycles_add_up, 0, VARIANTS);
	tcase_add_loop_test(tcase, runs_are_deterministic, 0, VARIANTS);
	tcase_add_test(tcase, guests_do_not_see_the_mode);
	tcase_add_test(tcase, samples_come_at_windows);
	tcase_add_loop_test(tcase, windows_are_whole, 0, 2);
	tcase_add_test(tcase, wrong_configs_are_refused);
	tcase_add_test(tcase, tables_are_whole);
	tcase_add_loop_test(tcase, workloads_repeat_for_a_seed, 0, 64);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
