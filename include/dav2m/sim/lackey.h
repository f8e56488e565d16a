/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the text that `valgrind --tool=lackey --trace-mem=yes` writes, as it arrives.
 *
 *     I  04001090,3      an instruction fetch: address in hex, size in decimal
 *      L 1ffefff978,8    a load;  S a store;  M both at once, taken as one store
 *     ==1234== ...       valgrind's own lines, skipped
 *
 * An access that straddles pages becomes one reference per page.
 */
#ifndef DAV2M_SIM_LACKEY_H
#define DAV2M_SIM_LACKEY_H

#include <dav2m/sim/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Words that one record can become: a 4096-byte access from the last byte of a page. */
#define DAV2M_SIM_LACKEY_WORDS 2
/* Longest access, in bytes. */
#define DAV2M_SIM_LACKEY_SIZE  4096
/* Longest line that is a record; valgrind's own lines may be of any length. */
#define DAV2M_SIM_LACKEY_LINE  64

/* The parser. line and column are for messages; the rest is private. */
struct dav2m_sim_lackey {
	uint64_t line;	  /* of the text, from 1 */
	uint32_t column;  /* of what is wrong, from 1 */
	const char *rule; /* what is wrong, or NULL */
	uint64_t records;
	uint32_t held;	  /* bytes of an unfinished line in hold */
	uint8_t skipping; /* within one of valgrind's own lines */
	char hold[DAV2M_SIM_LACKEY_LINE];
};

DAV2M_API void dav2m_sim_lackey_init(struct dav2m_sim_lackey *lackey);

/*
 * Reads up to size bytes of text into at most room words, room >= 2 * DAV2M_SIM_LACKEY_WORDS.
 * *ret_used: bytes taken; the rest is to be offered again. *ret_words: words written.
 * Answers 0, or -1 when the text is wrong: lackey->line, column and rule say where and what,
 * and the words written before it are good.
 */
DAV2M_API int dav2m_sim_lackey_feed(struct dav2m_sim_lackey *lackey, const char *text, size_t size,
				    uint64_t *words, size_t room, size_t *ret_used,
				    size_t *ret_words);

/*
 * The text is at its end; reads a last line that has no newline. Answers as feed; a text
 * without any record is wrong, too.
 */
DAV2M_API int dav2m_sim_lackey_end(struct dav2m_sim_lackey *lackey, uint64_t *words, size_t room,
				   size_t *ret_words);

#ifdef __cplusplus
}
#endif

#endif
