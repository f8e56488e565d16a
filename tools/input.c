/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams a file or the standard input through libarchive's decompression filters.
 *
 * The "raw" format is one nameless entry: the content itself. Nothing is unpacked to disk.
 */
#define _POSIX_C_SOURCE 200809L

#include "input.h"

#include "interrupt.h"

#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one read(2) asks for; larger reads gained nothing. */
#define BLOCK_BYTES 262144

/* How long ctrl-C may go unnoticed while a pipe is silent. */
#define SILENCE_MS 200

struct input {
	struct archive *archive;
	int fd;
	int ended;
	uint64_t size;
	char *block; /* BLOCK_BYTES */
	char name[]; /* allocated with the structure */
};

static int input_fail(const char *name, const char *reason, struct dav2m_host_error *error)
{
	if (error)
		snprintf(error->text, sizeof(error->text), "%.500s: %.400s", name, reason);
	return DAV2M_HOST_IO;
}

static const char *archive_reason(struct archive *archive)
{
	const char *text = archive_error_string(archive);

	return text ? text : "cannot read";
}

static struct archive *filters_new(void)
{
	struct archive *archive = archive_read_new();

	if (!archive)
		return NULL;
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_format_raw(archive);
	archive_read_support_format_empty(archive);
	return archive;
}

static struct input *input_new(const char *name)
{
	size_t bytes = strlen(name) + 1;
	struct input *input = calloc(1, sizeof(*input) + bytes);

	if (!input)
		return NULL;
	memcpy(input->name, name, bytes);
	input->fd = -1;
	input->archive = filters_new();
	input->block = malloc(BLOCK_BYTES);
	if (!input->archive || !input->block) {
		input_close(input);
		return NULL;
	}
	return input;
}

/* Waits for what can be read. A signal may come just before read(2): only a wait with an end is
   sure to notice it. */
static int block_await(const struct input *input)
{
	struct pollfd poll_fd = {.fd = input->fd, .events = POLLIN};
	int ready = 0;

	while (ready == 0 || (ready < 0 && errno == EINTR)) {
		if (interrupt_seen()) {
			errno = EINTR;
			return -1;
		}
		ready = poll(&poll_fd, 1, SILENCE_MS);
	}
	return ready < 0 ? -1 : 0;
}

static la_ssize_t block_read(struct archive *archive, void *self, const void **ret_block)
{
	const struct input *input = self;
	ssize_t size;

	do
		size = block_await(input) ? -1 : read(input->fd, input->block, BLOCK_BYTES);
	while (size < 0 && errno == EINTR && !interrupt_seen());
	if (size < 0)
		archive_set_error(archive, errno, "cannot read: %s", strerror(errno));
	*ret_block = input->block;
	return size;
}

static int file_open(struct input *input, const char *path, struct dav2m_host_error *error)
{
	struct stat st;

	input->fd = strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	if (input->fd < 0 || fstat(input->fd, &st) < 0)
		return input_fail(input->name, strerror(errno), error);
	if (S_ISDIR(st.st_mode))
		return input_fail(input->name, "is a directory", error);
	if (S_ISREG(st.st_mode))
		input->size = (uint64_t)st.st_size;
	return 0;
}

static int content_open(struct input *input, struct dav2m_host_error *error)
{
	struct archive_entry *entry;
	int rc;

	if (archive_read_open(input->archive, input, NULL, block_read, NULL) != ARCHIVE_OK)
		return input_fail(input->name, archive_reason(input->archive), error);
	rc = archive_read_next_header(input->archive, &entry);
	if (rc == ARCHIVE_EOF)
		input->ended = 1;
	else if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
		return input_fail(input->name, archive_reason(input->archive), error);
	return 0;
}

int input_open(const char *path, struct input **ret_input, struct dav2m_host_error *error)
{
	struct input *input = input_new(strcmp(path, "-") != 0 ? path : "(standard input)");
	int rc;

	if (!input) {
		input_fail(path, "out of memory", error);
		return DAV2M_HOST_MEMORY;
	}
	rc = file_open(input, path, error);
	if (!rc)
		rc = content_open(input, error);
	if (rc) {
		input_close(input);
		return rc;
	}
	*ret_input = input;
	return 0;
}

int input_next(struct input *input, const char **ret_data, size_t *ret_size,
	       struct dav2m_host_error *error)
{
	const void *data;
	la_int64_t offset;
	int rc;

	if (input->ended)
		return 0;
	rc = archive_read_data_block(input->archive, &data, ret_size, &offset);
	if (rc == ARCHIVE_EOF) {
		input->ended = 1;
		return 0;
	}
	if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
		return input_fail(input->name, archive_reason(input->archive), error);
	*ret_data = data;
	return 1;
}

void input_close(struct input *input)
{
	if (!input)
		return;
	archive_read_free(input->archive);
	if (input->fd >= 0)
		close(input->fd);
	free(input->block);
	free(input);
}

const char *input_name(const struct input *input)
{
	return input->name;
}

uint64_t input_size(const struct input *input)
{
	return input->size;
}

uint64_t input_position(const struct input *input)
{
	return (uint64_t)archive_filter_bytes(input->archive, -1);
}
