/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever is in a memory trace: a place and a rule, or a stream of well-formed references. */
#include "must.h"

#include <dav2m/sim/lackey.h>

struct result {
	int status;
	uint64_t line, records, words, sum;
};

static void check(const uint64_t *word, size_t words, struct result *result)
{
	for (size_t i = 0; i < words; i++) {
		MUST((word[i] & 3) != DAV2M_SIM_EVENT);
		MUST(word[i] >> 16 < DAV2M_SIM_VPN_MAX);
		result->sum = result->sum * 31 + word[i];
	}
	result->words += words;
}

static int feed(struct dav2m_sim_lackey *lackey, const char *text, size_t size,
		struct result *result)
{
	uint64_t word[2 * DAV2M_SIM_LACKEY_WORDS];

	while (size > 0) {
		size_t used = 0, words = 0;
		int status = dav2m_sim_lackey_feed(lackey, text, size, word,
						   2 * DAV2M_SIM_LACKEY_WORDS, &used, &words);

		MUST(used <= size && words <= 2 * DAV2M_SIM_LACKEY_WORDS);
		check(word, words, result);
		if (status)
			return status;
		MUST(used > 0 || words > 0);
		text += used;
		size -= used;
	}
	return 0;
}

/* References of one page may be joined within a piece, so only a cut-free run has a fixed sum. */
static struct result run(const char *text, size_t size, size_t piece)
{
	uint64_t word[2 * DAV2M_SIM_LACKEY_WORDS];
	struct dav2m_sim_lackey lackey;
	struct result result = {0};
	size_t words = 0;

	dav2m_sim_lackey_init(&lackey);
	for (size_t at = 0; at < size && !result.status; at += piece)
		result.status =
			feed(&lackey, text + at, size - at < piece ? size - at : piece, &result);
	if (!result.status) {
		result.status =
			dav2m_sim_lackey_end(&lackey, word, 2 * DAV2M_SIM_LACKEY_WORDS, &words);
		check(word, words, &result);
	}
	MUST((result.status != 0) == (lackey.rule != NULL));
	result.line = lackey.line;
	result.records = lackey.records;
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole, in_pieces;

	if (size < 2)
		return 0;
	whole = run((const char *)data + 1, size - 1, size);
	in_pieces = run((const char *)data + 1, size - 1, 1 + (size_t)data[0]);
	MUST(whole.status == in_pieces.status);
	MUST(whole.line == in_pieces.line);
	MUST(whole.records == in_pieces.records);
	return 0;
}
