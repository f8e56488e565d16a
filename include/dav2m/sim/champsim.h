/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads ChampSim's records of one instruction each, as they arrive; public traces of SPEC
 * programs come so. 64 bytes, little-endian:
 *
 *     0   instruction pointer, 8 bytes
 *     8   is it a branch; 9  was it taken: one byte each, 0 or 1
 *     10  two destination and four source registers, one byte each
 *     16  two addresses written, four addresses read, 8 bytes each, 0: none
 *
 * A record becomes a fetch, its loads and its stores, in this order. The records have no sizes,
 * so nothing straddles pages.
 */
#ifndef DAV2M_SIM_CHAMPSIM_H
#define DAV2M_SIM_CHAMPSIM_H

#include <dav2m/sim/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DAV2M_SIM_CHAMPSIM_BYTES 64
/* Words that one record can become. */
#define DAV2M_SIM_CHAMPSIM_WORDS 7

/* The parser. record is for messages; the rest is private. */
struct dav2m_sim_champsim {
	uint64_t record;  /* that is being read, from 1 */
	const char *rule; /* what is wrong with it, or NULL */
	uint32_t held;	  /* bytes of an unfinished record in hold */
	uint8_t hold[DAV2M_SIM_CHAMPSIM_BYTES];
};

DAV2M_API void dav2m_sim_champsim_init(struct dav2m_sim_champsim *champsim);

/*
 * Reads up to size bytes into at most room words, room >= DAV2M_SIM_CHAMPSIM_WORDS. *ret_used:
 * bytes taken; the rest is to be offered again. *ret_words: words written. Answers 0, or -1 when
 * a record is wrong: champsim->record and rule say which and what, and the words written before
 * it are good.
 */
DAV2M_API int dav2m_sim_champsim_feed(struct dav2m_sim_champsim *champsim, const void *data,
				      size_t size, uint64_t *words, size_t room, size_t *ret_used,
				      size_t *ret_words);

/* The records are at their end. 0, or -1 when the last one is cut off or there is none. */
DAV2M_API int dav2m_sim_champsim_end(struct dav2m_sim_champsim *champsim);

#ifdef __cplusplus
}
#endif

#endif
