/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a signal leaves of a command's outputs at moments that no script can wait for: while a
 * counter trace is written, while a file is being made, while a child draws.
 */
#define _GNU_SOURCE

#include "host.h"

#include "part.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNALS ((int)(sizeof(signals) / sizeof(signals[0])))

/* A process that must not come to its end, and tells one number on its way. */
typedef void life(const char *path, int number, int tell);

static int number_told(int from)
{
	int number = 0;

	ck_assert_int_eq(read(from, &number, sizeof(number)), sizeof(number));
	close(from);
	return number;
}

static void tell_number(int to, int number)
{
	if (write(to, &number, sizeof(number)) != sizeof(number))
		_exit(2);
}

/* Runs it until the signal has ended it; answers what it told. Nothing is left. */
static int killed(life *victim, int number)
{
	char part[300];
	const char *path = scratch_path("a");
	int ends[2], status = 0, told;
	pid_t pid;

	snprintf(part, sizeof(part), "%s.part", path);
	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		signal(number, SIG_DFL);
		victim(path, number, ends[1]);
		_exit(1);
	}
	close(ends[1]);
	told = number_told(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status), "ended with %d", WEXITSTATUS(status));
	ck_assert_int_eq(WTERMSIG(status), number);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_ne(access(part, F_OK), 0);
	scratch_remove();
	return told;
}

static void trace_writer(const char *path, int number, int tell)
{
	struct dav2m_trace_header header = {.columns = DAV2M_BIT(DAV2M_PROGRESS)};
	struct dav2m_trace_writer *writer;
	struct dav2m_host_error error;

	snprintf(header.program, sizeof(header.program), "x");
	snprintf(header.progress_unit, sizeof(header.progress_unit), "x");
	tell_number(tell, part_trace_open(path, &header, &writer, &error));
	raise(number);
}

START_TEST(trace_that_is_written)
{
	ck_assert_int_eq(killed(trace_writer, signals[_i]), 0);
}
END_TEST

/* It lives until what is being made is known. */
static void file_maker(const char *path, int number, int tell)
{
	struct dav2m_output *output;
	struct dav2m_host_error error;

	if (part_open(path, &output, &error))
		_exit(3);
	part_hold();
	raise(number);
	tell_number(tell, 7);
	part_release();
}

START_TEST(file_that_is_made)
{
	ck_assert_int_eq(killed(file_maker, signals[_i]), 7);
}
END_TEST

/* The drawer would make its file anew. */
static void drawer(const char *path, int number, int tell)
{
	struct dav2m_output *output;
	struct dav2m_host_error error;
	pid_t pid;

	if (part_open(path, &output, &error))
		_exit(3);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	part_child(pid);
	tell_number(tell, pid);
	raise(number);
}

START_TEST(child_that_draws)
{
	pid_t pid = killed(drawer, signals[_i]);

	ck_assert_int_gt(pid, 0);
	ck_assert_int_ne(kill(pid, 0), 0);
}
END_TEST

/* A child between fork and exec has its parent's handlers. */
START_TEST(file_of_the_parent)
{
	const char *path = scratch_path("a");
	struct dav2m_output *output;
	struct dav2m_host_error error;
	int status = 0;
	pid_t pid;

	signal(SIGTERM, SIG_DFL); /* Check's is its own */
	ck_assert_int_eq(part_open(path, &output, &error), 0);
	pid = fork();
	if (pid == 0) {
		raise(SIGTERM);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(access(dav2m_output_part(output), F_OK), 0);
	ck_assert_int_eq(part_commit(output, &error), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
	scratch_remove();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("part");
	TCase *tests = tcase_create("killed");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, trace_that_is_written, 0, SIGNALS);
	tcase_add_loop_test(tests, file_that_is_made, 0, SIGNALS);
	tcase_add_loop_test(tests, child_that_draws, 0, SIGNALS);
	tcase_add_test(tests, file_of_the_parent);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
