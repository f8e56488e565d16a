/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever is in a din text: a place and a rule, or references; the same from pieces. */
#include "must.h"

#include <dav2m/sim/din.h>

struct result {
	int status;
	uint64_t line, column, sum;
};

static void check(const uint64_t *word, size_t words, struct result *result)
{
	MUST(words <= 1);
	if (words == 0)
		return;
	MUST((*word & 3) != DAV2M_SIM_EVENT && *word >> 16 < DAV2M_SIM_VPN_MAX);
	result->sum = result->sum * 31 + *word;
}

static struct result run(const char *text, size_t size, size_t piece)
{
	struct dav2m_sim_din din;
	struct result result = {0};
	size_t at = 0, used = 0, words = 0;
	uint64_t word;

	dav2m_sim_din_init(&din);
	while (at < size && !result.status) {
		const size_t part = size - at < piece ? size - at : piece;

		result.status = dav2m_sim_din_feed(&din, text + at, part, &word, 1, &used, &words);
		MUST(used <= part && (result.status || used > 0));
		check(&word, words, &result);
		at += used;
	}
	if (!result.status) {
		result.status = dav2m_sim_din_end(&din, &word, 1, &words);
		check(&word, words, &result);
	}
	MUST((result.status != 0) == (din.rule != NULL));
	result.line = din.line;
	result.column = din.column;
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole, in_pieces;

	if (size < 2)
		return 0;
	whole = run((const char *)data + 1, size - 1, size);
	in_pieces = run((const char *)data + 1, size - 1, 1 + (size_t)data[0]);
	MUST(whole.status == in_pieces.status && whole.line == in_pieces.line);
	MUST(whole.sum == in_pieces.sum);
	return 0;
}
