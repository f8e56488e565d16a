/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the end of the guest's report. It may be written over, replaced, or grow, as the log of a
 * serial console does, and other lines may stand between the counts.
 */
#define _GNU_SOURCE

#include "kvm_progress.h"

#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_BYTES 65536 /* what may stand after the last count: a choice, a screenful of boots */

/* The line, without its end, as a number; -1 if it is not one and nothing else. */
static int line_count(const char *line, size_t length, uint64_t *ret_count)
{
	char text[24], *end;
	uint64_t count;

	if (length && line[length - 1] == '\r')
		length--;
	if (!length || length >= sizeof(text) || !isdigit((unsigned char)line[0]))
		return -1;
	memcpy(text, line, length);
	text[length] = '\0';
	errno = 0;
	count = strtoull(text, &end, 10);
	if (*end || errno || count > INT64_MAX)
		return -1;
	*ret_count = count;
	return 0;
}

/* The last line that is a count. What follows the last newline is still being written. */
static int last_count(const char *text, size_t bytes, uint64_t *ret_count)
{
	const char *end = memrchr(text, '\n', bytes), *begin;

	while (end) {
		begin = memrchr(text, '\n', (size_t)(end - text));
		if (!line_count(begin ? begin + 1 : text,
				(size_t)(end - (begin ? begin + 1 : text)), ret_count))
			return 0;
		end = begin;
	}
	return -1;
}

/* 0, or an errno and *ret_count as it was. ENODATA: the file has no count; ENOENT: nor has what is
   not there yet. */
static int count_read(const char *path, uint64_t *ret_count)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), code = 0;
	static char text[TAIL_BYTES];
	struct stat status;
	ssize_t n = -1;

	if (fd < 0)
		return errno;
	if (fstat(fd, &status))
		code = errno;
	else if (!S_ISREG(status.st_mode))
		code = EINVAL;
	else
		n = pread(fd, text, sizeof(text),
			  status.st_size > TAIL_BYTES ? status.st_size - TAIL_BYTES : 0);
	if (!code && n < 0)
		code = errno;
	if (!code && last_count(text, (size_t)n, ret_count))
		code = ENODATA;
	close(fd);
	return code;
}

int kvm_progress_begin(struct kvm_progress *progress)
{
	int code = progress->path ? count_read(progress->path, &progress->count) : 0;

	if (code == ENODATA || code == ENOENT)
		return 1;
	if (code)
		complain("%s: %s", progress->path,
			 code == EINVAL ? "is not a file" : strerror(code));
	else if (progress->count)
		fprintf(stderr,
			"  %s begins at %" PRIu64 ": work done before this recording, or what an "
			"earlier run left\n",
			progress->path, progress->count);
	return code ? -1 : 0;
}

void kvm_progress_put(struct kvm_progress *progress, struct dav2m_sample *sample)
{
	uint64_t last = progress->count;

	if (!progress->path)
		return;
	count_read(progress->path, &progress->count);
	if (progress->count < last) {
		complain("%s: fell from %" PRIu64 " to %" PRIu64 ": progress counts on from there; "
			 "what was recorded before may be of an earlier run",
			 progress->path, last, progress->count);
		progress->before += last;
	}
	sample->value[DAV2M_PROGRESS] = progress->before + progress->count;
	sample->valid |= DAV2M_BIT(DAV2M_PROGRESS);
}
