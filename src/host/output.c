/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that appear whole or not at all: written beside their place, renamed at the end.
 *
 * The part file is locked rather than created exclusively: what a killed program left behind
 * must not stop the next run, while two live writers must not mix their output.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE

#include <dav2m/host/output.h>

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_SUFFIX ".part"

struct dav2m_output {
	int fd;
	char *part;
	char path[]; /* allocated with the structure */
};

static void output_free(struct dav2m_output *output)
{
	if (output->fd >= 0)
		close(output->fd);
	free(output->part);
	free(output);
}

static struct dav2m_output *output_new(const char *path)
{
	size_t length = strlen(path);
	struct dav2m_output *output = malloc(sizeof(*output) + length + 1);

	if (!output)
		return NULL;
	output->fd = -1;
	memcpy(output->path, path, length + 1);
	output->part = malloc(length + sizeof(PART_SUFFIX)); /* its terminating 0 counts */
	if (!output->part) {
		output_free(output);
		return NULL;
	}
	snprintf(output->part, length + sizeof(PART_SUFFIX), "%s" PART_SUFFIX, path);
	return output;
}

static int output_check_target(const char *path, struct dav2m_host_error *error)
{
	struct stat st;

	if (!*path)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "the name of an output file is empty");
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return dav2m_host_fail_at(error, DAV2M_HOST_IO, path, 0, 0,
					  "exists and is not a regular file");
	return 0;
}

/* Locked by us and still the file of that name: its last writer may just have renamed it. */
static int output_owns_part(const struct dav2m_output *output)
{
	struct stat mine, named;

	return flock(output->fd, LOCK_EX | LOCK_NB) == 0 && fstat(output->fd, &mine) == 0 &&
	       stat(output->part, &named) == 0 && mine.st_ino == named.st_ino &&
	       mine.st_dev == named.st_dev;
}

static int output_create(struct dav2m_output *output, struct dav2m_host_error *error)
{
	output->fd = open(output->part, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (output->fd < 0)
		return dav2m_host_fail_at(error, DAV2M_HOST_IO, output->part, 0, 0,
					  "cannot create: %s", strerror(errno));
	if (!output_owns_part(output))
		return dav2m_host_fail_at(error, DAV2M_HOST_IO, output->part, 0, 0,
					  "another program is writing this file");
	if (ftruncate(output->fd, 0) < 0)
		return dav2m_host_fail_at(error, DAV2M_HOST_IO, output->part, 0, 0,
					  "cannot empty: %s", strerror(errno));
	return 0;
}

int dav2m_output_open(const char *path, struct dav2m_output **ret_output,
		      struct dav2m_host_error *error)
{
	struct dav2m_output *output;
	int rc;

	if (!path || !ret_output)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "dav2m_output_open: NULL argument");
	rc = output_check_target(path, error);
	if (rc)
		return rc;
	output = output_new(path);
	if (!output)
		return dav2m_host_fail_memory(error);
	rc = output_create(output, error);
	if (rc) {
		output_free(output);
		return rc;
	}
	*ret_output = output;
	return 0;
}

int dav2m_output_write(struct dav2m_output *output, const void *data, size_t size,
		       struct dav2m_host_error *error)
{
	const char *from = data;
	ssize_t written;

	if (!output || (!data && size))
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "dav2m_output_write: NULL argument");
	while (size) {
		written = write(output->fd, from, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return dav2m_host_fail_at(error, DAV2M_HOST_IO, output->part, 0, 0,
						  "cannot write: %s", strerror(errno));
		from += written;
		size -= (size_t)written;
	}
	return 0;
}

int dav2m_output_commit(struct dav2m_output *output, struct dav2m_host_error *error)
{
	int rc = 0;

	if (!output)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "dav2m_output_commit: NULL argument");
	if (fsync(output->fd) < 0)
		rc = dav2m_host_fail_at(error, DAV2M_HOST_IO, output->part, 0, 0,
					"cannot write: %s", strerror(errno));
	else if (rename(output->part, output->path) < 0)
		rc = dav2m_host_fail_at(error, DAV2M_HOST_IO, output->path, 0, 0,
					"cannot rename %s to this: %s", output->part,
					strerror(errno));
	if (rc)
		unlink(output->part);
	output_free(output);
	return rc;
}

void dav2m_output_abort(struct dav2m_output *output)
{
	if (!output)
		return;
	unlink(output->part);
	output_free(output);
}

int dav2m_output_keep(struct dav2m_output *output, uint64_t size, struct dav2m_host_error *error)
{
	int rc = 0;

	if (!output)
		return dav2m_host_fail(error, DAV2M_HOST_ARGUMENT,
				       "dav2m_output_keep: NULL argument");
	if (ftruncate(output->fd, (off_t)size) < 0 || fsync(output->fd) < 0)
		rc = dav2m_host_fail_at(error, DAV2M_HOST_IO, output->part, 0, 0,
					"cannot cut to what is whole: %s", strerror(errno));
	output_free(output);
	return rc;
}

const char *dav2m_output_part(const struct dav2m_output *output)
{
	return output->part;
}
