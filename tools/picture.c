/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collects a script for gnuplot and runs it.
 */
#define _GNU_SOURCE

#include "picture.h"

#include "fail.h"
#include "part.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct format {
	const char *ending;
	const char *terminal; /* for gnuplot, with its width and height */
	const char *mark;     /* that the last bytes of a whole file have */
};

static const struct format formats[] = {
	{".svg", "svg size %d,%d font 'sans,15' background rgb 'white'", "</svg>"},
	{".png", "pngcairo size %d,%d font 'sans,13' background rgb 'white'", "IEND"},
};

struct picture {
	const struct format *format;
	struct dav2m_output *output;
	FILE *script;
};

static const struct format *format_of(const char *path)
{
	size_t length = strlen(path);
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (length > 4 && !strcmp(path + length - 4, formats[i].ending))
			return &formats[i];
	return NULL;
}

int picture_is_named(const char *path)
{
	return format_of(path) != NULL;
}

static void terminal_print(struct picture *picture, int width, int height)
{
	fputs("set terminal ", picture->script);
	fprintf(picture->script, picture->format->terminal, width, height);
	fputs("\nset output ", picture->script);
	picture_quote(picture->script, dav2m_output_part(picture->output));
	fputc('\n', picture->script);
}

int picture_open(const char *path, int width, int height, struct picture **ret_picture,
		 struct dav2m_host_error *error)
{
	struct picture *picture = calloc(1, sizeof(*picture));
	int rc;

	if (!picture)
		return tool_fail_memory(error);
	picture->format = format_of(path);
	rc = part_open(path, &picture->output, error);
	if (!rc) {
		picture->script = tmpfile();
		if (!picture->script)
			rc = tool_fail(error, DAV2M_HOST_IO, "cannot make a temporary file: %s",
				       strerror(errno));
	}
	if (rc) {
		picture_abort(picture);
		return rc;
	}
	terminal_print(picture, width, height);
	*ret_picture = picture;
	return 0;
}

FILE *picture_script(struct picture *picture)
{
	return picture->script;
}

void picture_quote(FILE *to, const char *text)
{
	fputc('\'', to);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', to);
		if ((unsigned char)*text >= ' ')
			fputc(*text, to);
	}
	fputc('\'', to);
}

static int gnuplot_run(FILE *script, struct dav2m_host_error *error)
{
	static char name[] = "gnuplot";
	char *argv[] = {name, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status = -1;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
	part_hold();
	rc = posix_spawnp(&pid, name, &actions, NULL, argv, environ);
	if (!rc)
		part_child(pid);
	part_release();
	posix_spawn_file_actions_destroy(&actions);
	if (rc == ENOENT)
		return tool_fail(error, DAV2M_HOST_IO,
				 "gnuplot draws the picture, but it is not installed "
				 "(package gnuplot-nox)");
	if (rc)
		return tool_fail(error, DAV2M_HOST_IO, "cannot run gnuplot: %s", strerror(rc));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	part_child(0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return tool_fail(error, DAV2M_HOST_IO, "gnuplot failed; its message stands above");
	return 0;
}

/* gnuplot does not notice a full disk. */
static int whole_check(const struct picture *picture, struct dav2m_host_error *error)
{
	const char *mark = picture->format->mark;
	FILE *file = fopen(dav2m_output_part(picture->output), "rb");
	char tail[17] = "";
	size_t size = 0;

	if (file && !fseek(file, -16, SEEK_END))
		size = fread(tail, 1, sizeof(tail) - 1, file);
	if (file)
		fclose(file);
	for (size_t i = 0; i + strlen(mark) <= size; i++)
		if (!memcmp(tail + i, mark, strlen(mark)))
			return 0;
	return tool_fail(error, DAV2M_HOST_IO,
			 "gnuplot could not write the whole picture: is the disk full?");
}

static int draw(struct picture *picture, struct dav2m_host_error *error)
{
	fputs("set output\n", picture->script);
	if (fflush(picture->script) || ferror(picture->script))
		return tool_fail(error, DAV2M_HOST_IO, "cannot write a temporary file: %s",
				 strerror(errno));
	rewind(picture->script);
	return gnuplot_run(picture->script, error);
}

int picture_commit(struct picture *picture, struct dav2m_host_error *error)
{
	int rc = draw(picture, error);

	if (!rc)
		rc = whole_check(picture, error);
	if (!rc) {
		rc = part_commit(picture->output, error);
		picture->output = NULL;
	}
	picture_abort(picture);
	return rc;
}

void picture_abort(struct picture *picture)
{
	if (!picture)
		return;
	part_abort(picture->output);
	if (picture->script)
		fclose(picture->script);
	free(picture);
}
