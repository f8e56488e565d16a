/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leads what input.h unpacks into the reader of libdav2m-host.
 */
#include "counter_input.h"

#include "input.h"
#include "progress.h"

struct reading {
	struct input *input;
	int with_line;
};

static int source_next(void *context, const char **ret_data, size_t *ret_size,
		       struct dav2m_host_error *error)
{
	const struct reading *reading = context;

	if (reading->with_line)
		progress_step(input_position(reading->input));
	return input_next(reading->input, ret_data, ret_size, error);
}

int counter_input_read(const char *path, uint32_t flags, int with_line,
		       struct dav2m_trace *ret_trace, struct dav2m_host_error *error)
{
	struct reading reading = {.with_line = with_line};
	struct dav2m_trace_source source = {.next = source_next, .context = &reading};
	int rc = input_open(path, &reading.input, error);

	if (rc)
		return rc;
	source.name = input_name(reading.input);
	if (with_line)
		progress_begin(path, "B", input_size(reading.input));
	rc = dav2m_trace_read(&source, flags, ret_trace, error);
	if (with_line)
		progress_end();
	input_close(reading.input);
	return rc;
}
