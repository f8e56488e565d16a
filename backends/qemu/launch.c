/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does what the kernel's exec does with a file's first bytes, because QEMU runs ELF files only.
 */
#define _GNU_SOURCE

#include "launch.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a script's first line; Linux reads as much. */
#define LINE_BYTES  256
/* Interpreters that are scripts themselves, as Linux limits them. */
#define SCRIPTS_MAX 4

/* The program as it is found, script by script: what comes before the original arguments. */
struct found {
	const char *path;
	const char *before[2 * SCRIPTS_MAX + 1]; /* argv[0] first */
	size_t befores;
	char line[SCRIPTS_MAX][LINE_BYTES + 1];
	size_t scripts;
};

static int is_ours(const char *bytes, size_t size)
{
	const Elf64_Ehdr *elf = (const Elf64_Ehdr *)(const void *)bytes;

	return size >= sizeof(*elf) && memcmp(elf->e_ident, ELFMAG, SELFMAG) == 0 &&
	       elf->e_ident[EI_CLASS] == ELFCLASS64 && elf->e_machine == EM_X86_64;
}

/* The file's first bytes; LAUNCH_READY when the kernel would run it as this user. */
static enum launch_answer file_read(const char *path, char *bytes, size_t *ret_size)
{
	struct stat st;
	ssize_t n = -1;
	int fd;

	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return LAUNCH_ABSENT;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return LAUNCH_FOREIGN;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = read(fd, bytes, LINE_BYTES);
	close(fd);
	if (n < 0)
		return LAUNCH_ABSENT;
	*ret_size = (size_t)n;
	return st.st_mode & (S_ISUID | S_ISGID) ? LAUNCH_FOREIGN : LAUNCH_READY;
}

/* Takes a script's line apart: "#!", blanks, interpreter, blanks, the rest as one argument. */
static enum launch_answer script_enter(struct found *found, const char *script, size_t size)
{
	char *line = found->line[found->scripts++];
	char *name, *rest, *end;
	size_t i;

	memcpy(line, script, size);
	line[size] = '\0';
	line[strcspn(line, "\n")] = '\0';
	name = line + 2 + strspn(line + 2, " \t");
	end = name + strcspn(name, " \t");
	rest = end + strspn(end, " \t");
	*end = '\0';
	for (end = rest + strlen(rest); end > rest && (end[-1] == ' ' || end[-1] == '\t'); end--)
		end[-1] = '\0';
	if (*name == '\0')
		return LAUNCH_ABSENT;
	/* interpreter, its argument, the script in the place of argv[0] */
	for (i = found->befores; i-- > 1;)
		found->before[i + (*rest ? 2 : 1)] = found->before[i];
	found->before[*rest ? 2 : 1] = found->path;
	if (*rest)
		found->before[1] = rest;
	found->before[0] = name;
	found->befores += *rest ? 2 : 1;
	found->path = name;
	return LAUNCH_READY;
}

static enum launch_answer find(struct found *found)
{
	_Alignas(8) char bytes[LINE_BYTES];
	enum launch_answer answer;
	size_t size;

	for (;;) {
		answer = file_read(found->path, bytes, &size);
		if (answer != LAUNCH_READY || is_ours(bytes, size))
			return answer;
		if (size < 2 || memcmp(bytes, "#!", 2) != 0)
			return LAUNCH_FOREIGN;
		if (found->scripts == SCRIPTS_MAX)
			return LAUNCH_ABSENT;
		answer = script_enter(found, bytes, size);
		if (answer != LAUNCH_READY)
			return answer;
	}
}

/* A copy of the string behind *at, which moves on. */
static char *copy(char **at, const char *text)
{
	char *begin = *at;

	*at = stpcpy(begin, text) + 1;
	return begin;
}

enum launch_answer launch_make(char *const *prefix, size_t prefixes, const char *path,
			       char *const *argv, struct launch *ret_launch)
{
	struct found found = {.path = path, .before = {argv[0] ? argv[0] : path}, .befores = 1};
	const enum launch_answer answer = find(&found);
	size_t arguments = 0, bytes = 0, i, n = 0;
	char *at;

	if (answer != LAUNCH_READY)
		return answer;
	bytes = strlen(found.path) + 1;
	for (i = 0; i < found.befores; i++)
		bytes += strlen(found.before[i]) + 1;
	while (argv[0] && argv[1 + arguments])
		arguments++;
	ret_launch->argv =
		calloc(prefixes + found.befores + arguments + 3, sizeof(*ret_launch->argv));
	ret_launch->text = malloc(bytes + sizeof(LAUNCH_LAST_OPTION));
	if (!ret_launch->argv || !ret_launch->text) {
		launch_free(ret_launch);
		return LAUNCH_ABSENT;
	}
	at = ret_launch->text;
	for (i = 0; i < prefixes; i++)
		ret_launch->argv[n++] = prefix[i];
	ret_launch->argv[n++] = copy(&at, LAUNCH_LAST_OPTION);
	ret_launch->argv[n++] = copy(&at, found.before[0]);
	ret_launch->argv[n++] = copy(&at, found.path);
	for (i = 1; i < found.befores; i++)
		ret_launch->argv[n++] = copy(&at, found.before[i]);
	for (i = 0; i < arguments; i++)
		ret_launch->argv[n++] = argv[1 + i];
	return LAUNCH_READY;
}

void launch_free(struct launch *launch)
{
	free(launch->argv);
	free(launch->text);
}
