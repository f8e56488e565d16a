/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collects a command's text in memory and hands it over at the end.
 */
#define _POSIX_C_SOURCE 200809L

#include "output.h"

#include "fail.h"
#include "part.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int memory_fail(struct dav2m_host_error *error)
{
	if (error)
		snprintf(error->text, sizeof(error->text), "out of memory");
	return DAV2M_HOST_MEMORY;
}

int output_open(struct output *output, const char *path, struct dav2m_host_error *error)
{
	int rc = 0;

	memset(output, 0, sizeof(*output));
	if (path && strcmp(path, "-") != 0)
		rc = part_open(path, &output->file, error);
	if (rc)
		return rc;
	output->stream = open_memstream(&output->text, &output->size);
	if (output->stream)
		return 0;
	output_abort(output);
	return memory_fail(error);
}

static int standard_output_write(const struct output *output, struct dav2m_host_error *error)
{
	if (fwrite(output->text, 1, output->size, stdout) == output->size && !fflush(stdout))
		return 0;
	if (error)
		snprintf(error->text, sizeof(error->text), "cannot write to the standard output");
	return DAV2M_HOST_IO;
}

int output_commit(struct output *output, struct dav2m_host_error *error)
{
	int rc = 0;

	if (fclose(output->stream))
		rc = memory_fail(error);
	output->stream = NULL;
	if (!rc && !output->file)
		rc = standard_output_write(output, error);
	else if (!rc)
		rc = dav2m_output_write(output->file, output->text, output->size, error);
	if (!rc && output->file) {
		rc = part_commit(output->file, error);
		output->file = NULL;
	}
	output_abort(output);
	return rc;
}

void output_abort(struct output *output)
{
	if (output->stream)
		fclose(output->stream);
	part_abort(output->file);
	free(output->text);
	memset(output, 0, sizeof(*output));
}

int output_spares(const char *path, const char *input, struct dav2m_host_error *error)
{
	struct stat out, in;

	if (!path || !input || !strcmp(path, "-") || stat(path, &out) || !S_ISREG(out.st_mode))
		return 0;
	if (strcmp(input, "-") ? stat(input, &in) : fstat(STDIN_FILENO, &in))
		return 0;
	if (in.st_dev != out.st_dev || in.st_ino != out.st_ino)
		return 0;
	return tool_fail(error, DAV2M_HOST_ARGUMENT, "%.500s: this output would overwrite an input",
			 path);
}

int output_prefix_check(const char *option, const char *prefix, struct dav2m_host_error *error)
{
	const char *slash = prefix ? strrchr(prefix, '/') : NULL;
	char folder[PATH_MAX] = ".";

	if (!prefix)
		return 0;
	if (!*prefix || (slash && !slash[1]))
		return tool_fail(error, DAV2M_HOST_ARGUMENT, "%s: '%.500s' names no file", option,
				 prefix);
	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash + 1 - prefix), prefix);
	if (!access(folder, W_OK | X_OK))
		return 0;
	return tool_fail(error, DAV2M_HOST_IO, "%s: %.500s: cannot write there: %s", option, folder,
			 strerror(errno));
}
