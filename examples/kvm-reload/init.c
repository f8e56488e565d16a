/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first process of the little machine in which kvm-reload is tested: mounts what it needs,
 * loads kvm, runs the lines of /runs, powers off. A line is a command; "& COMMAND" runs beside the
 * next line, and "print FILE" shows a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS 32

static void module_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		printf("init: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void devices_mount(void)
{
	int fd;

	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("none", "/dev", "devtmpfs", 0, NULL);
	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/sys", "sysfs", 0, NULL);
	fd = open("/dev/console", O_RDWR);
	for (int i = 0; fd >= 0 && i < 3; i++)
		dup2(fd, i);
}

/* 0: could not. */
static pid_t start(char **word)
{
	pid_t pid = fork();

	if (!pid) {
		execv(word[0], word);
		_exit(127);
	}
	return pid < 0 ? 0 : pid;
}

static void finish(pid_t pid, const char *name)
{
	int status = -1;

	if (!pid || waitpid(pid, &status, 0) != pid || status)
		printf("init: %s ended with status 0x%x\n", name, (unsigned int)status);
}

static void print(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[512];

	if (!file)
		printf("init: %s: %s\n", path, strerror(errno));
	while (file && fgets(line, sizeof(line), file))
		printf("%s: %s", path, line);
	if (file)
		fclose(file);
}

/* One line; a command beside the next one is left in *beside. */
static void run(char *line, pid_t *beside)
{
	char *word[WORDS + 1];
	int n = 0;

	for (char *at = strtok(line, " \n"); at && n < WORDS; at = strtok(NULL, " \n"))
		word[n++] = at;
	word[n] = NULL;
	if (n > 1 && !strcmp(word[0], "print")) {
		print(word[1]);
	} else if (n > 1 && !strcmp(word[0], "&")) {
		*beside = start(word + 1);
	} else if (n) {
		finish(start(word), word[0]);
		if (*beside)
			finish(*beside, "what ran beside it");
		*beside = 0;
	}
}

static void runs_do(void)
{
	char line[512];
	FILE *runs = fopen("/runs", "r");
	pid_t beside = 0;

	while (runs && fgets(line, sizeof(line), runs))
		run(line, &beside);
	if (runs)
		fclose(runs);
}

int main(void)
{
	devices_mount();
	setvbuf(stdout, NULL, _IOLBF, 0);
	module_load("/irqbypass.ko");
	module_load("/kvm.ko");
	runs_do();
	printf("init: all done\n");
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
