/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program whose memory trace is known: what it maps, touches, forks and executes. Its lengths are
 * odd numbers of pages that nothing else in a small program has.
 *
 * usage: subject; subject again: what it executes itself with; subject threads
 */
#define _GNU_SOURCE

#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE ((size_t)4096)

static char *map(size_t pages)
{
	return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void touch(char *base, size_t pages)
{
	volatile char *at = base;
	size_t i;

	for (i = 0; i < pages; i++)
		at[i * PAGE] = 1;
}

/* Sums what is there, so that reading is not left out. */
static int sum(const char *base, size_t pages)
{
	const volatile char *at = base;
	int total = 0;
	size_t i;

	for (i = 0; i < pages; i++)
		total += at[i * PAGE];
	return total;
}

/* Runs this program again, by fork and exec, or as posix_spawn does it, which is by vfork. */
static int execute(char *path, int spawn)
{
	char again[] = "again", *argv[] = {again, again, NULL};
	pid_t pid;
	int status;

	if (spawn) {
		if (posix_spawn(&pid, path, NULL, NULL, argv, environ))
			return 0;
	} else {
		pid = fork();
	}
	if (pid == 0) {
		execv(path, argv);
		_exit(1);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

static int fork_and_write(char *base, size_t pages)
{
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		touch(base, pages);
		_exit(5);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 5;
}

static void *work(void *nothing)
{
	char *base = map(23);
	int i;

	for (i = 0; i < 1000; i++)
		touch(base, 23);
	munmap(base, 23 * PAGE);
	return nothing;
}

static int with_threads(void)
{
	pthread_t thread[3];
	int i;

	for (i = 0; i < 3; i++)
		if (pthread_create(&thread[i], NULL, work, NULL))
			return 1;
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	char *first, *second;
	int i, ok;

	if (argc > 1 && strcmp(argv[1], "threads") == 0)
		return with_threads();
	if (argc > 1) { /* again */
		second = map(19);
		for (i = 0; i < 20000; i++)
			touch(second, 19);
		return 7;
	}
	first = map(101);
	touch(first, 101);
	ok = sum(first, 101) == 101;
	mprotect(first, 101 * PAGE, PROT_READ);
	ok = ok && sum(first, 101) == 101;
	munmap(first, 101 * PAGE);
	second = map(53);
	touch(second, 37);
	ok = ok && fork_and_write(second, 11);
	ok = ok && execute(argv[0], 0);
	ok = ok && execute(argv[0], 1);
	/* What cannot be executed stays as it is. */
	execl("/nonexistent", "nonexistent", (char *)NULL);
	puts(ok ? "as expected" : "something went wrong");
	return ok ? 42 : 1;
}
