/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first process of the little machine in which kvm-reload is tested: mounts what it needs,
 * loads kvm, runs the lines of /runs one after the other, powers off.
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

static void run(char *line)
{
	char *word[WORDS + 1];
	int n = 0, status = -1;
	pid_t pid;

	for (char *at = strtok(line, " \n"); at && n < WORDS; at = strtok(NULL, " \n"))
		word[n++] = at;
	word[n] = NULL;
	if (!n)
		return;
	pid = fork();
	if (!pid) {
		execv(word[0], word);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		printf("init: %s ended with status 0x%x\n", word[0], (unsigned int)status);
}

static void runs_do(void)
{
	char line[512];
	FILE *runs = fopen("/runs", "r");

	while (runs && fgets(line, sizeof(line), runs))
		run(line);
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
