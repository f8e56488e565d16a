/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast a memory trace is read: page runs out of the compressed file, checked and turned into
 * words, beside the machine's own limit for looking at those words once.
 *
 * CPU time, so that what else the machine does stays out of it.
 *
 * usage: trace_speed TRACE.dav2m; bench/sim makes the recording.
 */
#define _POSIX_C_SOURCE 200809L

#include "trace_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define REPEATS 3 /* the median counts */
/* What the simulator takes at a time. */
#define WORDS	65536

struct pass {
	uint64_t runs;
	uint64_t references;
	double read_s;	 /* in the reader, decompression included */
	double stream_s; /* in looking at the words */
};

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

static _Noreturn void die(const char *text)
{
	fprintf(stderr, "trace_speed: %s\n", text);
	exit(1);
}

/* Every word read, every page number added. */
static uint64_t stream(const uint64_t *words, size_t n)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += words[i] >> 16;
	return sum;
}

static void count(struct pass *pass, const uint64_t *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if ((words[i] & 3) == DAV2M_SIM_EVENT) {
			i += words[i] >> 8 & 0xff;
			continue;
		}
		pass->runs++;
		pass->references += words[i] >> 2 & DAV2M_SIM_RUN_MAX;
	}
}

static struct pass pass_do(const char *path, uint64_t *words)
{
	struct dav2m_host_error error;
	struct trace_input *input;
	struct pass pass = {0};
	volatile uint64_t keep = 0;
	size_t n = 1;

	if (trace_input_open(path, TRACE_FORMAT_DAV2M, &input, &error))
		die(error.text);
	while (n > 0) {
		double begin = now_s();

		if (trace_input_next(input, words, WORDS, &n, &error))
			die(error.text);
		pass.read_s += now_s() - begin;
		begin = now_s();
		keep = keep + stream(words, n);
		pass.stream_s += now_s() - begin;
		count(&pass, words, n);
	}
	trace_input_close(input);
	return pass;
}

int main(int argc, char **argv)
{
	uint64_t *words = malloc(WORDS * sizeof(*words));
	double read_s[REPEATS], stream_s[REPEATS];
	struct pass pass = {0};
	int i;

	if (argc != 2 || words == NULL)
		die("usage: trace_speed TRACE.dav2m");
	for (i = 0; i < REPEATS; i++) {
		pass = pass_do(argv[1], words);
		read_s[i] = pass.read_s;
		stream_s[i] = pass.stream_s;
	}
	qsort(read_s, REPEATS, sizeof(*read_s), compare);
	qsort(stream_s, REPEATS, sizeof(*stream_s), compare);
	printf("figure: stream_runs_mrefs %.1f M/s\n",
	       (double)pass.runs / stream_s[REPEATS / 2] / 1e6);
	printf("figure: runs_mrefs %.1f M/s\n", (double)pass.runs / read_s[REPEATS / 2] / 1e6);
	printf("figure: runs_references %.2f references/run\n",
	       (double)pass.references / (double)pass.runs);
	free(words);
	return 0;
}
