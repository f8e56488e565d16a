/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plugin that QEMU's user-mode emulation loads: turns what a program does into words of the
 * reference stream and hands them to `dav2m trace`. exec is followed by running QEMU again in its
 * place. When nobody listens any more, the program goes on unrecorded.
 *
 * Each thread fills a buffer of its own without a lock. Before the process changes its mappings,
 * forks or ends, whoever does so sends what the other threads have so far, so that an access never
 * comes after the unmapping that it preceded; a run that grows at that moment may lose its tail.
 *
 * On the machine that it emulates QEMU lets guest memory be its own, so pointers of the guest are
 * read as they are; where it had to move the guest, execs are not followed.
 */
#define _GNU_SOURCE

#include "launch.h"
#include "plugin_send.h"
#include "qemu_api.h"

#include <dav2m/sim/join.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

QEMU_API_EXPORT int qemu_plugin_version = QEMU_API_VERSION;
QEMU_API_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
					char **argv);

/* More threads at a time than this are recorded as one. */
#define THREADS	     4096
/* Widest access of one callback, in bytes. */
#define ACCESS_BYTES 64
#define PAGE_BYTES   (1ull << DAV2M_SIM_PAGE_SHIFT)
/* Words that an event takes. */
#define EVENT_WORDS  (1 + DAV2M_SIM_ARGUMENTS)
/* Two more, for what the callbacks append before they look. */
#define BUFFER_WORDS (TRACE_WIRE_WORDS + EVENT_WORDS)

struct thread {
	struct dav2m_sim_join join;
	size_t sent; /* words of it that others have sent */
	uint32_t index;
	int64_t number; /* of the system call under way, and what it was asked */
	uint64_t argument[5];
	uint32_t fork; /* number of the one under way */
	uint64_t word[BUFFER_WORDS];
};

static struct plugin {
	pthread_mutex_t lock; /* of sending, and of all that is below */
	struct thread *thread[THREADS];
	uint32_t threads; /* at a time, at most */
	uint32_t forks;
	char **prefix; /* this QEMU's command line, up to the guest's program */
	size_t prefixes;
	char *qemu; /* its file */
	int moved;  /* guest addresses are not ours */
} plugin;

static struct thread *thread_of(unsigned vcpu)
{
	return plugin.thread[vcpu < THREADS ? vcpu : THREADS - 1];
}

/* Sends what a thread has; the lock is held. mine: the caller is that thread. */
static void flush(struct thread *thread, enum trace_wire_kind kind, uint32_t number, int mine)
{
	const size_t used = __atomic_load_n(&thread->join.used, __ATOMIC_ACQUIRE);

	if (used > thread->sent || kind != TRACE_WIRE_WORDS_ONLY)
		plugin_send(kind, thread->index, number, thread->word + thread->sent,
			    (uint32_t)(used - thread->sent));
	thread->sent = used;
	if (mine) {
		dav2m_sim_join_begin(&thread->join, thread->word);
		thread->sent = 0;
	}
}

static void others_flush(const struct thread *mine)
{
	uint32_t i;

	for (i = 0; i < plugin.threads; i++)
		if (plugin.thread[i] && plugin.thread[i] != mine)
			flush(plugin.thread[i], TRACE_WIRE_WORDS_ONLY, 0, 0);
}

/* Sends everything, this thread's part last. */
static void flush_all(struct thread *thread, enum trace_wire_kind kind, uint32_t number)
{
	pthread_mutex_lock(&plugin.lock);
	others_flush(thread);
	flush(thread, kind, number, 1);
	pthread_mutex_unlock(&plugin.lock);
}

static __attribute__((noinline)) void buffer_full(struct thread *thread)
{
	pthread_mutex_lock(&plugin.lock);
	flush(thread, TRACE_WIRE_WORDS_ONLY, 0, 1);
	pthread_mutex_unlock(&plugin.lock);
}

static inline void reference(unsigned vcpu, uint64_t word)
{
	struct thread *thread = thread_of(vcpu);

	dav2m_sim_join_reference(&thread->join, word);
	if (__builtin_expect(thread->join.used >= TRACE_WIRE_WORDS, 0))
		buffer_full(thread);
}

static void on_fetch(unsigned vcpu, void *word)
{
	reference(vcpu, (uint64_t)(uintptr_t)word);
}

static void on_access(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *nothing)
{
	const enum dav2m_sim_kind kind =
		qemu_plugin_mem_is_store(info) ? DAV2M_SIM_STORE : DAV2M_SIM_LOAD;
	const uint64_t page = address >> DAV2M_SIM_PAGE_SHIFT;

	(void)nothing;
	reference(vcpu, dav2m_sim_reference(kind, page, 1));
	if (__builtin_expect((address & (PAGE_BYTES - 1)) > PAGE_BYTES - ACCESS_BYTES, 0) &&
	    (address + (1ull << qemu_plugin_mem_size_shift(info)) - 1) >> DAV2M_SIM_PAGE_SHIFT !=
		    page)
		reference(vcpu, dav2m_sim_reference(kind, page + 1, 0));
}

static void fetch_add(struct qemu_plugin_insn *insn, uint64_t page, size_t instructions)
{
	const uint64_t word = dav2m_sim_reference(DAV2M_SIM_FETCH, page, (uint32_t)instructions);

	qemu_plugin_register_vcpu_insn_exec_cb(insn, on_fetch, QEMU_PLUGIN_CB_NO_REGS,
					       (void *)(uintptr_t)word);
}

static uint64_t page_of(const struct qemu_plugin_tb *tb, size_t i)
{
	return qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, i)) >> DAV2M_SIM_PAGE_SHIFT;
}

/* A block is fetched page by page: once for all instructions that begin in the page. */
static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	const size_t n = qemu_plugin_tb_n_insns(tb);
	size_t i, next;

	(void)id;
	plugin.moved = (uintptr_t)qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(tb, 0)) !=
		       qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
	for (i = 0; i < n; i = next) {
		const uint64_t page = page_of(tb, i);

		for (next = i + 1; next < n && page_of(tb, next) == page; next++)
			;
		fetch_add(qemu_plugin_tb_get_insn(tb, i), page, next - i);
	}
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint64_t last =
			qemu_plugin_insn_vaddr(insn) + qemu_plugin_insn_size(insn) - 1;

		if (last >> DAV2M_SIM_PAGE_SHIFT != page_of(tb, i))
			fetch_add(insn, last >> DAV2M_SIM_PAGE_SHIFT, 0);
		/* One callback for both: QEMU 7.2 mistakes the one kind for the other. */
		qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_RW, NULL);
	}
}

static void event(struct thread *thread, enum dav2m_sim_event event, uint64_t a, uint64_t b,
		  uint64_t c)
{
	const uint64_t argument[DAV2M_SIM_ARGUMENTS] = {a, b, c};
	const uint32_t n = event == DAV2M_SIM_UNMAP				  ? 2
			   : event == DAV2M_SIM_BRK || event == DAV2M_SIM_SYSCALL ? 1
										  : 3;
	const int ordered = plugin.threads > 1 && event != DAV2M_SIM_SYSCALL;

	pthread_mutex_lock(&plugin.lock);
	if (ordered)
		others_flush(thread);
	dav2m_sim_join_close(&thread->join);
	thread->word[thread->join.used] = dav2m_sim_event_word(event, n);
	memcpy(thread->word + thread->join.used + 1, argument, n * sizeof(*argument));
	thread->join.used += 1 + n;
	if (ordered || thread->join.used >= TRACE_WIRE_WORDS)
		flush(thread, TRACE_WIRE_WORDS_ONLY, 0, 1);
	pthread_mutex_unlock(&plugin.lock);
}

/* Whether clone makes a process, not a thread. QEMU lets a vfork be a fork. */
static int makes_process(const struct thread *thread)
{
	return thread->number != SYS_clone || !(thread->argument[0] & CLONE_VM) ||
	       thread->argument[0] & CLONE_VFORK;
}

static int is_vfork(const struct thread *thread)
{
	return thread->number == SYS_vfork ||
	       (thread->number == SYS_clone && thread->argument[0] & CLONE_VFORK);
}

/* Runs QEMU again with the program that the guest asks for. Comes back if that cannot be. */
static void exec(struct thread *thread, const char *path, char *const *argv, char *const *envp)
{
	char *const none[] = {NULL};
	struct launch launch = {NULL, NULL};
	const enum launch_answer answer = plugin.moved
						  ? LAUNCH_FOREIGN
						  : launch_make(plugin.prefix, plugin.prefixes,
								path, argv ? argv : none, &launch);

	switch (answer) {
	case LAUNCH_ABSENT:
		return;
	case LAUNCH_FOREIGN:
		flush_all(thread, TRACE_WIRE_LEAVE, 0);
		return;
	case LAUNCH_READY:
		flush_all(thread, TRACE_WIRE_WORDS_ONLY, 0);
		execve(plugin.qemu, launch.argv, envp);
		launch_free(&launch);
	}
}

/* execveat of a path that does not begin at a descriptor is execve. */
static void exec_at(struct thread *thread, int folder, const char *path, char *const *argv,
		    char *const *envp)
{
	if (!plugin.moved && path && (folder == AT_FDCWD || *path == '/'))
		exec(thread, path, argv, envp);
	else
		flush_all(thread, TRACE_WIRE_LEAVE, 0);
}

static void on_syscall(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t a1, uint64_t a2,
		       uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
	struct thread *thread = thread_of(vcpu);

	(void)id, (void)a6, (void)a7, (void)a8;
	thread->number = number;
	memcpy(thread->argument, (uint64_t[]){a1, a2, a3, a4, a5}, sizeof(thread->argument));
	switch (number) {
	case SYS_fork:
	case SYS_vfork:
	case SYS_clone:
		thread->fork = __atomic_add_fetch(&plugin.forks, 1, __ATOMIC_RELAXED);
		if (makes_process(thread))
			flush_all(thread, is_vfork(thread) ? TRACE_WIRE_VFORK : TRACE_WIRE_FORK,
				  thread->fork);
		return;
	case SYS_execve:
		exec(thread, (const char *)a1, (char *const *)a2, (char *const *)a3);
		return;
	case SYS_execveat:
		exec_at(thread, (int)a1, (const char *)a2, (char *const *)a3, (char *const *)a4);
		return;
	case SYS_exit:
		flush_all(thread, plugin.threads > 1 ? TRACE_WIRE_WORDS_ONLY : TRACE_WIRE_EXIT, 0);
		return;
	case SYS_exit_group:
		flush_all(thread, TRACE_WIRE_EXIT, 0);
		return;
	case SYS_kill:
	case SYS_tgkill:
	case SYS_tkill: /* may be the end */
	case SYS_wait4:
	case SYS_waitid:
	case SYS_pause:
	case SYS_nanosleep:
	case SYS_clock_nanosleep: /* others run now */
		flush_all(thread, TRACE_WIRE_WORDS_ONLY, 0);
		return;
	default:
		return;
	}
}

/* In the child of a fork: only this thread is here, and nobody holds the lock. */
static void child_begin(struct thread *thread)
{
	uint32_t i;

	pthread_mutex_init(&plugin.lock, NULL);
	for (i = 0; i < plugin.threads; i++)
		if (plugin.thread[i]) {
			dav2m_sim_join_begin(&plugin.thread[i]->join, plugin.thread[i]->word);
			plugin.thread[i]->sent = 0;
		}
	plugin_send_child(thread->fork);
	plugin.threads = thread->index + 1;
}

static void remapped(struct thread *thread, uint64_t to)
{
	const uint64_t from = thread->argument[0], old = thread->argument[1],
		       new = thread->argument[2];
	const uint64_t kept = to == from ? (old < new ? old : new) : 0;

	if (kept < old)
		event(thread, DAV2M_SIM_UNMAP, from + kept, old - kept, 0);
	if (kept < new)
		event(thread, DAV2M_SIM_MAP, to + kept, new - kept,
		      DAV2M_SIM_PROT_READ | DAV2M_SIM_PROT_WRITE);
}

/* A system call that has changed the mappings. */
static int mapping(struct thread *thread, int64_t number, uint64_t answer)
{
	const uint64_t *a = thread->argument;
	const uint64_t prot = a[2] & PROT_WRITE	  ? DAV2M_SIM_PROT_READ | DAV2M_SIM_PROT_WRITE
			      : a[2] != PROT_NONE ? DAV2M_SIM_PROT_READ
						  : DAV2M_SIM_PROT_NONE;

	switch (number) {
	case SYS_mmap:
		event(thread, DAV2M_SIM_MAP, answer, a[1], prot);
		return 1;
	case SYS_munmap:
		event(thread, DAV2M_SIM_UNMAP, a[0], a[1], 0);
		return 1;
	case SYS_mprotect:
		event(thread, DAV2M_SIM_PROTECT, a[0], a[1], prot);
		return 1;
	case SYS_brk:
		event(thread, DAV2M_SIM_BRK, answer, 0, 0);
		return 1;
	case SYS_mremap:
		remapped(thread, answer);
		return 1;
	default:
		return 0;
	}
}

static void on_syscall_return(qemu_plugin_id_t id, unsigned vcpu, int64_t number, int64_t answer)
{
	struct thread *thread = thread_of(vcpu);
	const int forks = number == SYS_fork || number == SYS_vfork || number == SYS_clone;

	(void)id;
	if (forks && makes_process(thread) && answer == 0) {
		child_begin(thread);
		return;
	}
	if (forks && makes_process(thread) && answer < 0)
		flush_all(thread, TRACE_WIRE_FORK_FAILED, thread->fork);
	/* Of length 0 nothing is mapped or unmapped. */
	if ((answer < 0 || (number == SYS_mprotect && thread->argument[1] == 0) ||
	     !mapping(thread, number, (uint64_t)answer)))
		event(thread, DAV2M_SIM_SYSCALL, 1, 0, 0);
}

static void on_thread(qemu_plugin_id_t id, unsigned vcpu)
{
	const uint32_t index = vcpu < THREADS ? vcpu : THREADS - 1;
	struct thread *thread;

	(void)id;
	pthread_mutex_lock(&plugin.lock);
	thread = plugin.thread[index];
	if (!thread)
		thread = malloc(sizeof(*thread));
	if (!thread) {
		fputs("dav2m trace: out of memory\n", stderr);
		exit(1);
	}
	thread->index = index;
	thread->sent = 0;
	dav2m_sim_join_begin(&thread->join, thread->word);
	plugin.thread[index] = thread;
	if (plugin.threads <= index)
		plugin.threads = index + 1;
	pthread_mutex_unlock(&plugin.lock);
}

/* The command line of this QEMU, up to the guest's program. */
static int prefix_read(void)
{
	static char text[65536];
	const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	const ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *at;

	if (fd >= 0)
		close(fd);
	plugin.prefix = calloc(32, sizeof(*plugin.prefix));
	plugin.qemu = realpath("/proc/self/exe", NULL);
	if (size <= 0 || !plugin.prefix || !plugin.qemu)
		return -1;
	for (at = text; at < text + size && plugin.prefixes < 31; at += strlen(at) + 1) {
		if (strcmp(at, LAUNCH_LAST_OPTION) == 0)
			return 0;
		plugin.prefix[plugin.prefixes++] = at;
	}
	return -1;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	const char *socket = argc == 1 && strncmp(argv[0], "socket=", 7) == 0 ? argv[0] + 7 : NULL;

	if (!socket || info->system_emulation || strcmp(info->target_name, "x86_64") != 0 ||
	    prefix_read()) {
		fputs("dav2m trace: this plugin is started by dav2m trace, under qemu-x86_64\n",
		      stderr);
		return -1;
	}
	pthread_mutex_init(&plugin.lock, NULL);
	plugin_send_begin(socket);
	qemu_plugin_register_vcpu_init_cb(id, on_thread);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_vcpu_syscall_cb(id, on_syscall);
	qemu_plugin_register_vcpu_syscall_ret_cb(id, on_syscall_return);
	return 0;
}
