/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input from a file or the standard input, decompressed on the way (.gz, .xz, .zst, .bz2 by
 * content, not by name).
 */
#ifndef DAV2M_TOOLS_INPUT_H
#define DAV2M_TOOLS_INPUT_H

#include <dav2m/host/error.h>

struct input;

/*
 * path "-" is the standard input. Answers 0 or a negative enum dav2m_host_code.
 * The name for messages is the path, or "(standard input)".
 */
int input_open(const char *path, struct input **ret_input, struct dav2m_host_error *error);

/*
 * The next piece of content, of any length; valid until the next call. Answers 1 with a piece,
 * 0 at the end, or a negative enum dav2m_host_code.
 */
int input_next(struct input *input, const char **ret_data, size_t *ret_size,
	       struct dav2m_host_error *error);

/* NULL is allowed. */
void input_close(struct input *input);

const char *input_name(const struct input *input);

/* For the progress line: bytes of the file (0 if not known) and how many are consumed. */
uint64_t input_size(const struct input *input);
uint64_t input_position(const struct input *input);

#endif
