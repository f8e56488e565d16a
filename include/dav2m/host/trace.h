/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counter traces: what a VMM's counters did, tick by tick, as a CSV file.
 *
 * docs/counter-trace.md describes the file. In memory and in the file a row holds *increments*,
 * what each counter did during that tick; a struct dav2m_sample carries them, with its valid
 * mask saying which counters were available.
 */
#ifndef DAV2M_HOST_TRACE_H
#define DAV2M_HOST_TRACE_H

#include <dav2m/host/error.h>
#include <dav2m/sample.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The format version that this library writes and reads. */
#define DAV2M_TRACE_VERSION 1

/* What ran the recorded program. The first two are enum dav2m_mode. */
enum dav2m_trace_mode {
	DAV2M_TRACE_SHADOW = DAV2M_SHADOW,
	DAV2M_TRACE_NESTED = DAV2M_NESTED,
	DAV2M_TRACE_NATIVE,  /* no hypervisor */
	DAV2M_TRACE_ADAPTIVE /* a controller switched while it ran */
};
#define DAV2M_TRACE_MODES 4

/* Longest text in a header, with its terminating 0, in bytes. */
#define DAV2M_TRACE_TEXT 512

/*
 * What a trace says about itself. Start from a zeroed one. Texts are one line each: the writer
 * puts a space for every control character.
 */
struct dav2m_trace_header {
	char program[DAV2M_TRACE_TEXT];	      /* what ran; "" if nobody said */
	char progress_unit[DAV2M_TRACE_TEXT]; /* what progress counts: "instructions", ... */
	char note[DAV2M_TRACE_TEXT];	      /* anything else, for people; "" for none */
	enum dav2m_trace_mode mode;
	int interrupted;	/* 1: somebody ended it before the program's end */
	uint64_t tick_progress; /* progress per row; 0: rows are not all of one length */
	uint32_t columns;	/* DAV2M_BIT of each counter that has a column; at least one */
	uint32_t switch_known;	/* DAV2M_BIT(mode): switch_cycles[mode] was measured */
	uint64_t switch_cycles[DAV2M_MODES]; /* measured cost of a switch *to* that mode */
};

/* A trace in memory. Zero it before the first use; dav2m_trace_free() after the last. */
struct dav2m_trace {
	struct dav2m_trace_header header;
	struct dav2m_sample *tick; /* increments of each tick */
	size_t ticks;
	size_t first_line; /* line of tick[0] in the file, for messages; tick[i] is i lines on */
	char *name;	   /* of the file, for messages */
	int truncated;	   /* 1: the file ended within a record, which was dropped */
};

/* Where the reader gets a file's content from. */
struct dav2m_trace_source {
	const char *name; /* for messages */
	/*
	 * The next piece, of any length, valid until the next call. Answers 1 with a piece, 0 at
	 * the end, or a negative enum dav2m_host_code with error filled.
	 */
	int (*next)(void *context, const char **ret_data, size_t *ret_size,
		    struct dav2m_host_error *error);
	void *context;
};

/* Flags of the readers. */
#define DAV2M_TRACE_ALLOW_TRUNCATED 1u /* drop an incomplete last line and use the rest */

/*
 * Reads a whole trace. A trace has at least one tick.
 * Errors: ARGUMENT, FORMAT, TRUNCATED (unless allowed), MEMORY, and those of next.
 */
DAV2M_API int dav2m_trace_read(const struct dav2m_trace_source *source, uint32_t flags,
			       struct dav2m_trace *ret_trace, struct dav2m_host_error *error);

/* Reads an uncompressed file. Errors: those of dav2m_trace_read(), IO. */
DAV2M_API int dav2m_trace_load(const char *path, uint32_t flags, struct dav2m_trace *ret_trace,
			       struct dav2m_host_error *error);

/* Frees what the trace holds and leaves it empty. NULL is allowed. */
DAV2M_API void dav2m_trace_free(struct dav2m_trace *trace);

struct dav2m_trace_writer;

/*
 * Starts a trace at path (see <dav2m/host/output.h>: written to PATH.part).
 * Errors: ARGUMENT (no column, text missing, unknown mode), IO, MEMORY.
 */
DAV2M_API int dav2m_trace_writer_open(const char *path, const struct dav2m_trace_header *header,
				      struct dav2m_trace_writer **ret_writer,
				      struct dav2m_host_error *error);

/*
 * Appends one tick of increments. A counter without a valid bit becomes an empty cell; one
 * without a column is left out. Records reach the operating system whole, some at a time.
 * Errors: ARGUMENT (a value above INT64_MAX), IO.
 */
DAV2M_API int dav2m_trace_writer_append(struct dav2m_trace_writer *writer,
					const struct dav2m_sample *increments,
					struct dav2m_host_error *error);

/*
 * Appends the difference to the sample before, from raw cumulative 64-bit counters. The first
 * call only sets the base. A counter that is missing, or ran backwards, gets an empty cell; the
 * next increment of a missing one covers the gap.
 * Errors: as append.
 */
DAV2M_API int dav2m_trace_writer_sample(struct dav2m_trace_writer *writer,
					const struct dav2m_sample *cumulative,
					struct dav2m_host_error *error);

/*
 * Hands every record so far to the operating system. A recorder that calls this after each
 * record loses at most the one that was being written when it is killed.
 * Errors: IO.
 */
DAV2M_API int dav2m_trace_writer_flush(struct dav2m_trace_writer *writer,
				       struct dav2m_host_error *error);

/*
 * Flushes, gives the file its name and frees the writer, whatever the answer; on an error
 * nothing stays behind. Errors: IO.
 */
DAV2M_API int dav2m_trace_writer_close(struct dav2m_trace_writer *writer,
				       struct dav2m_host_error *error);

/*
 * Ends a trace that cannot be completed, after a full disk for example, and frees the writer. The
 * records of all calls of flush that succeeded stay in PATH.part, which reads as a whole trace;
 * where there are none nothing stays. ret_records: how many. Errors: ARGUMENT, IO.
 */
DAV2M_API int dav2m_trace_writer_keep(struct dav2m_trace_writer *writer, uint64_t *ret_records,
				      struct dav2m_host_error *error);

/* Removes what was written and frees the writer. NULL is allowed. */
DAV2M_API void dav2m_trace_writer_abort(struct dav2m_trace_writer *writer);

/* "shadow", "nested", "native", "adaptive"; "?" for a value outside the enum. */
DAV2M_API const char *dav2m_trace_mode_name(enum dav2m_trace_mode mode);

#ifdef __cplusplus
}
#endif

#endif
