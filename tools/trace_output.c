/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a memory trace to its file: writer, libarchive's zstd filter, temporary file.
 */
#include "trace_output.h"

#include "part.h"

#include <dav2m/sim/run.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What a step of the way answers when the error is told already. */
#define STEP_FAILED 1
/* Words that are copied at a time: enough that a call costs nothing beside them. */
#define WORDS	    65536
/* Process that an input without any becomes; 0 is the guest's kernel's own. */
#define PID	    1

struct trace_output {
	struct dav2m_output *file;
	struct archive *archive;
	struct dav2m_sim_trace_writer *writer;
	struct dav2m_host_error *error; /* of the call that is under way */
	int code;			/* what file said */
	int aborted;
};

static int fail(struct dav2m_host_error *error, int code, const char *text)
{
	snprintf(error->text, sizeof(error->text), "%s", text);
	return code;
}

/* Compressed bytes go to the file. */
static la_ssize_t file_put(struct archive *archive, void *self, const void *data, size_t size)
{
	struct trace_output *output = self;

	(void)archive;
	if (output->aborted)
		return (la_ssize_t)size;
	output->code = dav2m_output_write(output->file, data, size, output->error);
	return output->code ? -1 : (la_ssize_t)size;
}

static int archive_fail(struct trace_output *output)
{
	const char *text = archive_error_string(output->archive);

	if (!output->code)
		output->code = fail(output->error, DAV2M_HOST_IO, text ? text : "cannot compress");
	return STEP_FAILED;
}

/* The trace's bytes go to the compressor. */
static int archive_put(void *self, const void *data, size_t size)
{
	struct trace_output *output = self;

	return size == 0 || archive_write_data(output->archive, data, size) == (la_ssize_t)size
		       ? 0
		       : archive_fail(output);
}

static int archive_begin(struct trace_output *output)
{
	struct archive *a = output->archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	int rc = STEP_FAILED;

	if (a && entry) {
		archive_entry_set_pathname(entry, "trace");
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_write_set_bytes_in_last_block(a, 1); /* no padding */
		rc = archive_write_add_filter_zstd(a) == ARCHIVE_OK &&
				     archive_write_set_format_raw(a) == ARCHIVE_OK &&
				     archive_write_open(a, output, NULL, file_put, NULL) ==
					     ARCHIVE_OK &&
				     archive_write_header(a, entry) == ARCHIVE_OK
			     ? 0
			     : archive_fail(output);
	} else {
		output->code = fail(output->error, DAV2M_HOST_MEMORY, "out of memory");
	}
	archive_entry_free(entry);
	return rc;
}

/* What a call of the writer answered, as this file's calls do. */
static int writer_code(const struct trace_output *output, int rc)
{
	if (rc >= 0)
		return rc ? output->code : 0;
	return fail(output->error,
		    rc == DAV2M_SIM_ERR_MEMORY ? DAV2M_HOST_MEMORY : DAV2M_HOST_FORMAT,
		    dav2m_sim_error_name((enum dav2m_sim_error)rc));
}

int trace_output_open(const char *path, const struct dav2m_sim_trace_header *header,
		      struct trace_output **ret_output, struct dav2m_host_error *error)
{
	struct trace_output *output = calloc(1, sizeof(*output));
	int rc;

	if (!output)
		return fail(error, DAV2M_HOST_MEMORY, "out of memory");
	output->error = error;
	rc = part_open(path, &output->file, error);
	if (!rc)
		rc = archive_begin(output)
			     ? output->code
			     : writer_code(output,
					   dav2m_sim_trace_writer_new(header, archive_put, output,
								      &output->writer));
	if (rc) {
		trace_output_abort(output);
		return rc;
	}
	*ret_output = output;
	return 0;
}

int trace_output_write(struct trace_output *output, const uint64_t *words, size_t n,
		       struct dav2m_host_error *error)
{
	output->error = error;
	return writer_code(output, dav2m_sim_trace_write(output->writer, words, n));
}

static int words_copy(struct trace_output *output, struct trace_input *input,
		      void (*step)(uint64_t bytes), uint64_t *words, struct dav2m_host_error *error)
{
	size_t n = 1;
	int rc = 0;

	while (!rc && n > 0) {
		rc = trace_input_next(input, words, WORDS, &n, error);
		if (!rc)
			rc = trace_output_write(output, words, n, error);
		if (step)
			step(trace_input_position(input));
	}
	return rc;
}

int trace_output_copy(struct trace_output *output, struct trace_input *input,
		      void (*step)(uint64_t bytes), struct dav2m_host_error *error)
{
	const uint64_t begin[] = {dav2m_sim_event_word(DAV2M_SIM_SWITCH, 1), PID};
	const uint64_t end[] = {dav2m_sim_event_word(DAV2M_SIM_EXIT_PROCESS, 0)};
	uint64_t *words = malloc(WORDS * sizeof(*words));
	int rc = words ? trace_output_write(output, begin, 2, error)
		       : fail(error, DAV2M_HOST_MEMORY, "out of memory");

	if (!rc)
		rc = words_copy(output, input, step, words, error);
	free(words);
	return rc ? rc : trace_output_write(output, end, 1, error);
}

int trace_output_commit(struct trace_output *output, struct dav2m_sim_trace_totals *ret_totals,
			struct dav2m_host_error *error)
{
	int rc;

	output->error = error;
	rc = writer_code(output, dav2m_sim_trace_finish(output->writer, ret_totals));
	if (!rc && archive_write_close(output->archive) != ARCHIVE_OK) {
		archive_fail(output);
		rc = output->code;
	}
	if (!rc) {
		rc = part_commit(output->file, error);
		output->file = NULL;
	}
	trace_output_abort(output);
	return rc;
}

void trace_output_abort(struct trace_output *output)
{
	if (!output)
		return;
	dav2m_sim_trace_writer_free(output->writer);
	/* What freeing still flushes goes nowhere. (After archive_write_fail() libarchive would
	   leave its own buffer behind.) */
	output->aborted = 1;
	archive_write_free(output->archive);
	part_abort(output->file);
	free(output);
}
