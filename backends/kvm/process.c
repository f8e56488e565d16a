/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds processes that have a VM, by the names of their descriptors, and what /proc tells of
 * them. Opens nothing of KVM's.
 */
#include <dav2m/kvm/host.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault.h"
#include "process.h"

#define KIB 1024u

static int is_number(const char *text)
{
	if (!*text)
		return 0;
	for (; *text; text++)
		if (!isdigit((unsigned char)*text))
			return 0;
	return 1;
}

/* "anon_inode:PREFIX..." -> the number at its end, 0 if there is none, -1 for another name. */
static int number_after(const char *link, const char *prefix)
{
	static const char anon[] = "anon_inode:";
	size_t n = strlen(prefix);

	if (strncmp(link, anon, sizeof(anon) - 1))
		return -1;
	link += sizeof(anon) - 1;
	if (strncmp(link, prefix, n))
		return -1;
	link += n;
	if (!*link)
		return 0;
	return is_number(link) ? (int)strtol(link, NULL, 10) : -1;
}

enum kvm_descriptor dav2m_kvm_descriptor_kind(const char *link, uint32_t *ret_index)
{
	static const struct {
		const char *prefix;
		enum kvm_descriptor kind;
	} kinds[] = {{"kvm-vcpu-stats:", KVM_VCPU_STATS},
		     {"kvm-vcpu:", KVM_VCPU},
		     {"kvm-vm-stats", KVM_VM_STATS},
		     {"kvm-vm", KVM_VM}};

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int number = number_after(link, kinds[i].prefix);

		if (number < 0 || number >= DAV2M_KVM_VCPUS_MAX)
			continue;
		*ret_index = (uint32_t)number;
		return kinds[i].kind;
	}
	return KVM_OTHER;
}

int dav2m_kvm_descriptor_copy(int pidfd, int fd)
{
	return pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0u);
}

int dav2m_kvm_descriptors(const char *proc, int pid,
			  int (*each)(void *arg, int fd, enum kvm_descriptor kind, uint32_t index),
			  void *arg)
{
	char path[PATH_MAX], link[64];
	struct dirent *entry;
	DIR *dir;
	int answer = 0;

	snprintf(path, sizeof(path), "%s/%d/fd", proc, pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!answer && (entry = readdir(dir))) {
		ssize_t n = is_number(entry->d_name)
				    ? readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1)
				    : -1;
		enum kvm_descriptor kind;
		uint32_t index;

		if (n < 0)
			continue;
		link[n] = '\0';
		kind = dav2m_kvm_descriptor_kind(link, &index);
		if (kind != KVM_OTHER)
			answer = each(arg, (int)strtol(entry->d_name, NULL, 10), kind, index);
	}
	closedir(dir);
	return answer;
}

struct survey {
	struct dav2m_kvm_process *process;
	int vm;
};

static int survey_add(void *arg, int fd, enum kvm_descriptor kind, uint32_t index)
{
	struct survey *survey = arg;

	(void)fd;
	(void)index;
	survey->vm |= kind == KVM_VM;
	survey->process->vcpus += kind == KVM_VCPU;
	survey->process->stats_open += kind == KVM_VCPU_STATS;
	return 0;
}

ssize_t dav2m_kvm_proc_text(const char *proc, int pid, const char *file, char *buffer, size_t bytes)
{
	char path[PATH_MAX];
	size_t have = 0;
	ssize_t n = 1;
	int fd;

	snprintf(path, sizeof(path), "%s/%d/%s", proc, pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (n > 0 && have < bytes - 1) {
		n = read(fd, buffer + have, bytes - 1 - have);
		if (n < 0 && errno == EINTR)
			n = 1;
		else
			have += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	buffer[have] = '\0';
	return (ssize_t)have;
}

/* The word after an option in a command line of words that end with 0. */
static const char *option_word(const char *words, size_t bytes, const char *option)
{
	for (const char *at = words; at < words + bytes; at += strlen(at) + 1)
		if (!strcmp(at, option) && at + strlen(at) + 1 < words + bytes)
			return at + strlen(at) + 1;
	return NULL;
}

/* QEMU's "-name guest=NAME,..." or "-name NAME"; else the command's name. */
static void name_read(const char *proc, struct dav2m_kvm_process *process)
{
	static const char guest[] = "guest=";
	char words[8192];
	ssize_t bytes = dav2m_kvm_proc_text(proc, process->pid, "cmdline", words, sizeof(words));
	const char *name = bytes > 0 ? option_word(words, (size_t)bytes, "-name") : NULL;

	if (name) {
		name += strncmp(name, guest, sizeof(guest) - 1) ? 0 : sizeof(guest) - 1;
		snprintf(process->name, sizeof(process->name), "%.*s", (int)strcspn(name, ","),
			 name);
		return;
	}
	if (dav2m_kvm_proc_text(proc, process->pid, "comm", words, sizeof(words)) <= 0)
		return;
	words[strcspn(words, "\n")] = '\0';
	snprintf(process->name, sizeof(process->name), "%.63s", words);
}

static uint64_t rollup_bytes(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) * KIB : 0;
}

/* smaps_rollup sums over the process; guest memory is nearly all of a VMM's. */
static void memory_read(const char *proc, struct dav2m_kvm_process *process)
{
	char text[4096];

	if (dav2m_kvm_proc_text(proc, process->pid, "smaps_rollup", text, sizeof(text)) <= 0)
		return;
	process->resident_bytes = rollup_bytes(text, "\nRss:") +
				  rollup_bytes(text, "\nShared_Hugetlb:") +
				  rollup_bytes(text, "\nPrivate_Hugetlb:");
	process->huge_bytes =
		rollup_bytes(text, "\nAnonHugePages:") + rollup_bytes(text, "\nShmemPmdMapped:") +
		rollup_bytes(text, "\nFilePmdMapped:") + rollup_bytes(text, "\nShared_Hugetlb:") +
		rollup_bytes(text, "\nPrivate_Hugetlb:");
	process->memory_known = 1;
}

/* 1: has a VM; 0: has none; negative: errno. */
static int process_survey(const char *proc, int pid, struct dav2m_kvm_process *process)
{
	struct survey survey = {.process = process};
	int answer;

	memset(process, 0, sizeof(*process));
	process->pid = pid;
	answer = dav2m_kvm_descriptors(proc, pid, survey_add, &survey);
	if (answer < 0 || !survey.vm)
		return answer;
	name_read(proc, process);
	memory_read(proc, process);
	return 1;
}

int dav2m_kvm_process_read(const char *proc, int pid, struct dav2m_kvm_process *ret_process,
			   struct dav2m_kvm_fault *ret_fault)
{
	int answer;

	if (!proc || !ret_process)
		return DAV2M_ERR_NULL;
	answer = process_survey(proc, pid, ret_process);
	if (answer < 0)
		return dav2m_kvm_fault_set(ret_fault, "look at the process",
					   dav2m_kvm_fault_todo(-answer), -answer);
	if (!answer)
		return dav2m_kvm_fault_set(ret_fault, "find a VM in the process",
					   "`dav2m kvm list` shows the processes that have one", 0);
	return 0;
}

static int pid_compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* All PIDs in order, in an array of ret_n. NULL: errno. */
static int *pids_read(const char *proc, size_t *ret_n)
{
	DIR *dir = opendir(proc);
	struct dirent *entry;
	size_t n = 0, room = 0;
	int *pids = NULL, *more;

	if (!dir)
		return NULL;
	while ((entry = readdir(dir))) {
		if (!is_number(entry->d_name))
			continue;
		if (n == room) {
			room = room ? room * 2 : 256;
			more = realloc(pids, room * sizeof(*pids));
			if (!more)
				break;
			pids = more;
		}
		pids[n++] = (int)strtol(entry->d_name, NULL, 10);
	}
	closedir(dir);
	if (pids)
		qsort(pids, n, sizeof(*pids), pid_compare);
	*ret_n = n;
	return pids;
}

int dav2m_kvm_processes(const char *proc,
			int (*each)(void *arg, const struct dav2m_kvm_process *process), void *arg,
			uint32_t *ret_hidden, struct dav2m_kvm_fault *ret_fault)
{
	struct dav2m_kvm_process process;
	uint32_t hidden = 0;
	size_t n = 0;
	int *pids, answer = 0;

	if (!proc || !each)
		return DAV2M_ERR_NULL;
	pids = pids_read(proc, &n);
	if (!pids)
		return dav2m_kvm_fault_errno(ret_fault, "list the processes", NULL);
	for (size_t i = 0; i < n && !answer; i++) {
		int has_vm = process_survey(proc, pids[i], &process);

		hidden += has_vm == -EACCES || has_vm == -EPERM;
		if (has_vm > 0)
			answer = each(arg, &process);
	}
	free(pids);
	if (ret_hidden)
		*ret_hidden = hidden;
	return answer;
}

/* What VMMs call the thread of vCPU n: what stands before and after the number. */
static const char *const thread_names[][2] = {
	{"CPU ", "/KVM"},			/* QEMU with debug-threads=on */
	{"fc_vcpu ", ""},			/* Firecracker */
	{"vcpu", ""},				/* Cloud Hypervisor */
	{"crosvm_vcpu", ""}, {"kvm-vcpu-", ""}, /* kvmtool */
	{"vcpu-", ""},
};

struct thread {
	uint32_t number;
	int tid;
};

struct threads {
	struct thread vcpu[DAV2M_KVM_VCPUS_MAX]; /* by their numbers */
	uint32_t vcpus;
	uint32_t all;
	int last; /* the TID read last */
	int error;
};

/* 0, or -1 for a name that is not a vCPU's. */
static int thread_number(const char *comm, uint32_t *ret_number)
{
	for (unsigned int i = 0; i < sizeof(thread_names) / sizeof(thread_names[0]); i++) {
		size_t n = strlen(thread_names[i][0]);
		char *end;

		if (strncmp(comm, thread_names[i][0], n) || !isdigit((unsigned char)comm[n]))
			continue;
		*ret_number = (uint32_t)strtoul(comm + n, &end, 10);
		if (!strcmp(end, thread_names[i][1]))
			return 0;
	}
	return -1;
}

static void thread_add(struct threads *threads, const char *proc, int pid, int tid)
{
	char file[64], comm[32];
	uint32_t number;

	threads->all++;
	threads->last = tid;
	snprintf(file, sizeof(file), "task/%d/comm", tid);
	if (dav2m_kvm_proc_text(proc, pid, file, comm, sizeof(comm)) < 0) {
		if (errno != ENOENT && errno != ESRCH) /* it has ended in between */
			threads->error = errno;
		return;
	}
	comm[strcspn(comm, "\n")] = '\0';
	if (threads->vcpus == DAV2M_KVM_VCPUS_MAX || thread_number(comm, &number))
		return;
	threads->vcpu[threads->vcpus].number = number;
	threads->vcpu[threads->vcpus++].tid = tid;
}

static int thread_compare(const void *a, const void *b)
{
	uint32_t x = ((const struct thread *)a)->number, y = ((const struct thread *)b)->number;

	return (x > y) - (x < y);
}

static void threads_read(struct threads *threads, const char *proc, int pid)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	threads->vcpus = threads->all = 0;
	threads->error = 0;
	snprintf(path, sizeof(path), "%s/%d/task", proc, pid);
	dir = opendir(path);
	if (!dir)
		threads->error = errno;
	while (dir && (entry = readdir(dir)))
		if (is_number(entry->d_name))
			thread_add(threads, proc, pid, (int)strtol(entry->d_name, NULL, 10));
	if (dir)
		closedir(dir);
	qsort(threads->vcpu, threads->vcpus, sizeof(threads->vcpu[0]), thread_compare);
}

/*
 * A VMM numbers its threads without gaps, KVM's numbers are APIC IDs and may have some: so it is
 * the order that counts, unless a vCPU has been unplugged, whose descriptor QEMU keeps.
 */
int dav2m_kvm_vcpu_thread(const char *proc, int pid, uint32_t nth, uint32_t vcpus)
{
	struct threads threads;

	if (!proc)
		return 0;
	threads_read(&threads, proc, pid);
	if (threads.error)
		return -threads.error;
	if (threads.vcpus == vcpus && nth < vcpus)
		return threads.vcpu[nth].tid;
	for (uint32_t i = 0; i < threads.vcpus; i++)
		if (threads.vcpu[i].number == nth)
			return threads.vcpu[i].tid;
	return threads.all == 1 && vcpus == 1 ? threads.last : 0;
}
