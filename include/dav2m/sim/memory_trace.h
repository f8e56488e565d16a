/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory traces: any reference stream as a compact sequence of bytes; docs/memory-trace.md is the
 * format. Neither side touches files or compresses: the reader takes bytes as they arrive, the
 * writer hands them on, so that they can come from and go to wherever the caller likes.
 *
 * The writer joins neighbouring references of one page into runs. What is data and what is code
 * is joined apart, and a run stands where its first reference stood; a store ends a run of loads,
 * loads go into a run of stores. So a TLB with true LRU misses in the same places, pages turn
 * dirty in the same places, and only which of the references to a dirty page were loads is lost.
 */
#ifndef DAV2M_SIM_MEMORY_TRACE_H
#define DAV2M_SIM_MEMORY_TRACE_H

#include <dav2m/sim/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the format that is written, and the only one that is read. */
#define DAV2M_SIM_TRACE_VERSION 1
/* First bytes of every memory trace, of whatever version. */
#define DAV2M_SIM_TRACE_MAGIC	"dav2m memory trace "
/* Room for a text of the header, its end included. */
#define DAV2M_SIM_TRACE_TEXT	1024

/* One line each; control characters are written as blanks. */
struct dav2m_sim_trace_header {
	char program[DAV2M_SIM_TRACE_TEXT];  /* what ran */
	char recorder[DAV2M_SIM_TRACE_TEXT]; /* how it was recorded */
};

/* What the trace holds; its end tells them again, so that a part is not taken for the whole. */
struct dav2m_sim_trace_totals {
	uint64_t runs;
	uint64_t events;
	uint64_t data;	       /* loads and stores */
	uint64_t instructions; /* fetches that begin an instruction */
};

struct dav2m_sim_trace_reader;
struct dav2m_sim_trace_writer;

/* Takes bytes of a trace. 0, or a positive number, which the writer's call then answers. */
typedef int dav2m_sim_trace_put(void *to, const void *data, size_t size);

/* 0, DAV2M_SIM_ERR_NULL or DAV2M_SIM_ERR_MEMORY. Memory: 2 MB, whatever the trace's length. */
DAV2M_API int dav2m_sim_trace_reader_new(struct dav2m_sim_trace_reader **ret_reader);
DAV2M_API void dav2m_sim_trace_reader_free(struct dav2m_sim_trace_reader *reader);

/*
 * Reads up to size bytes into at most room words, room > DAV2M_SIM_ARGUMENTS; whole events only.
 * *ret_used: bytes taken; the rest is to be offered again. Call again, with no bytes if there are
 * none, until neither bytes are taken nor words written. Answers 0, or -1 when the trace is
 * wrong: dav2m_sim_trace_fault() says where and what, and the words written before are good.
 */
DAV2M_API int dav2m_sim_trace_feed(struct dav2m_sim_trace_reader *reader, const void *data,
				   size_t size, uint64_t *words, size_t room, size_t *ret_used,
				   size_t *ret_words);
/* The bytes are at their end. 0, or -1 when the trace is not. */
DAV2M_API int dav2m_sim_trace_end(struct dav2m_sim_trace_reader *reader);
/* The rule that is broken, or NULL; *ret_block counts from 1 and is 0 in the header;
 *ret_offset: of that block's first byte, or of the header's line. */
DAV2M_API const char *dav2m_sim_trace_fault(const struct dav2m_sim_trace_reader *reader,
					    uint64_t *ret_block, uint64_t *ret_offset);
/* NULL until the header has been read. */
DAV2M_API const struct dav2m_sim_trace_header *
dav2m_sim_trace_header(const struct dav2m_sim_trace_reader *reader);
/* Of what has been read so far. */
DAV2M_API void dav2m_sim_trace_totals(const struct dav2m_sim_trace_reader *reader,
				      struct dav2m_sim_trace_totals *ret_totals);

/* 0, DAV2M_SIM_ERR_NULL or DAV2M_SIM_ERR_MEMORY. Memory: 5 MB, whatever the trace's length. */
DAV2M_API int dav2m_sim_trace_writer_new(const struct dav2m_sim_trace_header *header,
					 dav2m_sim_trace_put *put, void *to,
					 struct dav2m_sim_trace_writer **ret_writer);
DAV2M_API void dav2m_sim_trace_writer_free(struct dav2m_sim_trace_writer *writer);
/*
 * Writes n words, whole events only. 0, DAV2M_SIM_ERR_EVENT for a word that is none,
 * DAV2M_SIM_ERR_ADDRESS for a page that is not below DAV2M_SIM_VPN_MAX, or what put answered.
 */
DAV2M_API int dav2m_sim_trace_write(struct dav2m_sim_trace_writer *writer, const uint64_t *words,
				    size_t n);
/* Writes the end, without which a trace is not whole. 0, or what put answered. */
DAV2M_API int dav2m_sim_trace_finish(struct dav2m_sim_trace_writer *writer,
				     struct dav2m_sim_trace_totals *ret_totals);

#ifdef __cplusplus
}
#endif

#endif
