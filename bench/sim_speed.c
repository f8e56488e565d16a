/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast the simulator is: references a second through TLBs alone and through everything, each
 * beside the machine's own limit for looking at the same words once.
 *
 * usage: sim_speed GZIP.lackey GCC.lackey; bench/sim makes the recordings.
 */
#define _POSIX_C_SOURCE 200809L

#include <dav2m/sim/sim.h>

#include "tlb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPEATS	     3 /* the median counts */
/* Enough for the steady state, little enough for a machine that others use, too. */
#define RANDOM_WORDS 16000000u
#define RANDOM_PAGES 16384u /* 64 MB */
#define PIECE	     (1u << 20)

struct words {
	uint64_t *word;
	size_t n;
};

/* Of this thread alone: others may want the processor, too. */
static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void figure(const char *name, double value)
{
	printf("figure: %s %.1f M/s\n", name, value);
}

static void *need(void *memory)
{
	if (memory != NULL)
		return memory;
	fputs("sim_speed: out of memory\n", stderr);
	exit(1);
}

/* The limit: every word read, every page number added. */
static double stream_s(const struct words *words)
{
	volatile uint64_t keep;
	uint64_t sum = 0;
	size_t i;
	double begin = now_s();

	for (i = 0; i < words->n; i++)
		sum += words->word[i] >> 16;
	keep = sum;
	(void)keep;
	return now_s() - begin;
}

static double run_s(const struct words *words, const struct words *warm,
		    const struct dav2m_sim_machine *machine, enum dav2m_sim_mode mode)
{
	const struct dav2m_sim_config config = {.machine = machine,
						.cost = dav2m_sim_cost_find("palacios2011"),
						.mode = mode,
						.tables = DAV2M_SIM_LEVELS_4,
						.guest_bytes = 1ull << 30};
	struct dav2m_sim *sim;
	double begin;
	int error = dav2m_sim_new(&config, &sim);

	if (error == 0 && warm != NULL)
		error = dav2m_sim_run(sim, warm->word, warm->n);
	begin = now_s();
	if (error == 0)
		error = dav2m_sim_run(sim, words->word, words->n);
	begin = now_s() - begin;
	if (error != 0) {
		fprintf(stderr, "sim_speed: %s\n",
			dav2m_sim_error_name((enum dav2m_sim_error)error));
		exit(1);
	}
	dav2m_sim_free(sim);
	return begin;
}

/* The Opteron's data TLBs and nothing else: 48 fully associative, 512 x 4 behind them. */
static double tlb_s(const struct words *words)
{
	struct sim_tlb *first = need(malloc(sizeof(*first)));
	struct sim_sets second;
	uint64_t tag, misses = 0;
	uint32_t frame;
	double begin;
	size_t i;

	sim_tlb_init(first, 48, 48);
	if (sim_sets_init(&second, 512, 4) < 0)
		exit(1);
	begin = now_s();
	for (i = 0; i < words->n; i++) {
		const uint64_t key = sim_key(words->word[i] >> 16, 0);

		if (SIM_LIKELY(sim_tlb_use(first, key) >= 0))
			continue;
		if (!sim_sets_use(&second, key, &tag, &frame)) {
			sim_sets_insert(&second, key, 0);
			misses++;
		}
		sim_tlb_put(first, key, 0);
	}
	begin = now_s() - begin;
	sim_sets_free(&second);
	free(first);
	return misses == 0 ? 0 : begin;
}

static void tlb(const char *name, const struct words *words)
{
	double s[REPEATS];
	int i;

	for (i = 0; i < REPEATS; i++)
		s[i] = tlb_s(words);
	qsort(s, REPEATS, sizeof(*s), compare);
	figure(name, (double)words->n / s[REPEATS / 2] / 1e6);
}

static void stream(const char *name, const struct words *words)
{
	double s[REPEATS];
	int i;

	for (i = 0; i < REPEATS; i++)
		s[i] = stream_s(words);
	qsort(s, REPEATS, sizeof(*s), compare);
	figure(name, (double)words->n / s[REPEATS / 2] / 1e6);
}

static void simulate(const char *name, const struct words *words, const struct words *warm,
		     const char *machine, enum dav2m_sim_mode mode)
{
	double s[REPEATS];
	int i;

	for (i = 0; i < REPEATS; i++)
		s[i] = run_s(words, warm, dav2m_sim_machine_find(machine), mode);
	qsort(s, REPEATS, sizeof(*s), compare);
	figure(name, (double)words->n / s[REPEATS / 2] / 1e6);
}

static char *file_read(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "rb");
	char *text;
	long size;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
		perror(path);
		exit(1);
	}
	rewind(file);
	text = need(malloc((size_t)size + 1));
	*ret_size = fread(text, 1, (size_t)size, file);
	fclose(file);
	return text;
}

/* Parses a recording, telling how fast that went. */
static struct words recording_read(const char *path, double *ret_mrecords)
{
	struct dav2m_sim_lackey lackey;
	struct words words = {NULL, 0};
	size_t size, at = 0, room = 0, used, n;
	char *text = file_read(path, &size);
	double parse_s = 0;

	dav2m_sim_lackey_init(&lackey);
	while (at < size) {
		double begin;

		if (words.n + PIECE > room) {
			room = room * 2 + PIECE;
			words.word = need(realloc(words.word, room * sizeof(*words.word)));
		}
		begin = now_s();
		if (dav2m_sim_lackey_feed(&lackey, text + at, size - at, words.word + words.n,
					  PIECE, &used, &n) != 0) {
			fprintf(stderr, "%s:%llu: %s\n", path, (unsigned long long)lackey.line,
				lackey.rule);
			exit(1);
		}
		parse_s += now_s() - begin;
		at += used;
		words.n += n;
	}
	*ret_mrecords = (double)lackey.records / parse_s / 1e6;
	free(text);
	return words;
}

static struct words data_of(const struct words *all)
{
	struct words data = {need(malloc((all->n + 1) * sizeof(*data.word))), 0};
	size_t i;

	for (i = 0; i < all->n; i++)
		if ((all->word[i] & 3) != DAV2M_SIM_FETCH)
			data.word[data.n++] = all->word[i];
	return data;
}

static void programs(const char *gzip_path, const char *gcc_path)
{
	double mrecords, ignored;
	const struct words gzip = recording_read(gzip_path, &mrecords);
	const struct words gcc = recording_read(gcc_path, &ignored);
	const struct words gzip_data = data_of(&gzip);
	const struct words gcc_data = data_of(&gcc);

	figure("lackey_mrecords", mrecords);
	stream("stream_gzip_mrefs", &gzip_data);
	stream("stream_gcc_mrefs", &gcc_data);
	tlb("tlb_gzip_mrefs", &gzip_data);
	tlb("tlb_gcc_mrefs", &gcc_data);
	simulate("full_gzip_mrefs", &gzip, NULL, "opteron2350", DAV2M_SIM_SHADOW);
	simulate("full_gcc_mrefs", &gcc, NULL, "opteron2350", DAV2M_SIM_SHADOW);
	simulate("full_gcc_nested_mrefs", &gcc, NULL, "opteron2350", DAV2M_SIM_NESTED);
	free(gzip.word);
	free(gcc.word);
	free(gzip_data.word);
	free(gcc_data.word);
}

static void at_random(void)
{
	struct words words = {need(malloc(RANDOM_WORDS * sizeof(uint64_t))), RANDOM_WORDS};
	struct words warm = {need(malloc(RANDOM_PAGES * sizeof(uint64_t))), RANDOM_PAGES};
	uint64_t x = 88172645463325252ull;
	size_t i;

	for (i = 0; i < warm.n; i++)
		warm.word[i] = dav2m_sim_reference(DAV2M_SIM_STORE, 0x10000 + i, 1);
	for (i = 0; i < words.n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		words.word[i] =
			dav2m_sim_reference(DAV2M_SIM_LOAD, 0x10000 + (x >> 40) % RANDOM_PAGES, 1);
	}
	stream("stream_random_mrefs", &words);
	tlb("tlb_random_mrefs", &words);
	simulate("native_random_mrefs", &words, &warm, "opteron2350-bare", DAV2M_SIM_NATIVE);
	simulate("nested_random_mrefs", &words, &warm, "opteron2350-bare", DAV2M_SIM_NESTED);
	simulate("native_random_cached_mrefs", &words, &warm, "opteron2350", DAV2M_SIM_NATIVE);
	simulate("nested_random_cached_mrefs", &words, &warm, "opteron2350", DAV2M_SIM_NESTED);
	free(words.word);
	free(warm.word);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: sim_speed GZIP.lackey GCC.lackey\n", stderr);
		return 2;
	}
	at_random();
	programs(argv[1], argv[2]);
	return 0;
}
