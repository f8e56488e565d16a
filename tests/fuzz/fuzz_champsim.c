/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever is in ChampSim records: a record and a rule, or references; the same from pieces. */
#include "must.h"

#include <dav2m/sim/champsim.h>

struct result {
	int status;
	uint64_t record, sum;
};

static struct result run(const uint8_t *data, size_t size, size_t piece)
{
	struct dav2m_sim_champsim champsim;
	uint64_t word[DAV2M_SIM_CHAMPSIM_WORDS];
	struct result result = {0};
	size_t at = 0, used = 0, words = 0;

	dav2m_sim_champsim_init(&champsim);
	while (at < size && !result.status) {
		const size_t part = size - at < piece ? size - at : piece;

		result.status = dav2m_sim_champsim_feed(&champsim, data + at, part, word,
							DAV2M_SIM_CHAMPSIM_WORDS, &used, &words);
		MUST(used > 0 && used <= part && words <= DAV2M_SIM_CHAMPSIM_WORDS);
		for (size_t i = 0; i < words; i++) {
			MUST((word[i] & 3) != DAV2M_SIM_EVENT);
			MUST(word[i] >> 16 < DAV2M_SIM_VPN_MAX);
			result.sum = result.sum * 31 + word[i];
		}
		at += used;
	}
	if (!result.status)
		result.status = dav2m_sim_champsim_end(&champsim);
	MUST((result.status != 0) == (champsim.rule != NULL));
	result.record = champsim.record;
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole, in_pieces;

	if (size < 2)
		return 0;
	whole = run(data + 1, size - 1, size);
	in_pieces = run(data + 1, size - 1, 1 + (size_t)data[0]);
	MUST(whole.status == in_pieces.status && whole.record == in_pieces.record);
	MUST(whole.sum == in_pieces.sum);
	return 0;
}
