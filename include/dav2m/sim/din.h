/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the text that Dinero's "din" input format is, as it arrives.
 *
 *     0 7fff5a8c    a load: label, blanks, address in hex; what follows on the line is ignored
 *     1 ...         a store
 *     2 ...         the fetch of one instruction
 *     3 ..., 4 ...  escapes, which are no references: skipped
 *
 * The format has no sizes, so nothing straddles pages.
 */
#ifndef DAV2M_SIM_DIN_H
#define DAV2M_SIM_DIN_H

#include <dav2m/sim/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Label and address end before this character of their line. */
#define DAV2M_SIM_DIN_LINE 64

/* The parser. line and column are for messages; the rest is private. */
struct dav2m_sim_din {
	uint64_t line;	  /* of the text, from 1 */
	uint32_t column;  /* of what is wrong, from 1 */
	const char *rule; /* what is wrong, or NULL */
	uint64_t records;
	uint32_t held; /* characters of an unfinished line in hold */
	char hold[DAV2M_SIM_DIN_LINE];
};

DAV2M_API void dav2m_sim_din_init(struct dav2m_sim_din *din);

/*
 * Reads up to size bytes of text into at most room words, room >= 1. *ret_used: bytes taken; the
 * rest is to be offered again. *ret_words: words written. Answers 0, or -1 when the text is
 * wrong: din->line, column and rule say where and what, and the words written before it are good.
 */
DAV2M_API int dav2m_sim_din_feed(struct dav2m_sim_din *din, const char *text, size_t size,
				 uint64_t *words, size_t room, size_t *ret_used, size_t *ret_words);

/*
 * The text is at its end; reads a last line that has no newline. Answers as feed; a text without
 * any reference is wrong, too.
 */
DAV2M_API int dav2m_sim_din_end(struct dav2m_sim_din *din, uint64_t *words, size_t room,
				size_t *ret_words);

#ifdef __cplusplus
}
#endif

#endif
