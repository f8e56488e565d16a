/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU time of a thread, of this process by its clock, of another one by /proc/PID/task/TID/
 * schedstat, which the kernel brings up to date at each scheduler tick.
 */
#include "cputime.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"

#define NS_PER_S 1000000000ull

__extension__ typedef unsigned __int128 wide;

/* The kernel's coding of a thread's scheduler clock: ~tid << 3, per thread (4), clock 2. */
static int thread_clock(int tid)
{
	return (int)(~(unsigned int)tid << 3 | 6u);
}

static int clock_works(int id)
{
	struct timespec t;

	return !clock_gettime(id, &t);
}

int dav2m_kvm_cputime_open(struct dav2m_kvm_vcpu *vcpu, int pid, int tid,
			   struct dav2m_kvm_fault *ret_fault)
{
	char path[64];

	vcpu->cputime = CPUTIME_NONE;
	if (!tid)
		return dav2m_kvm_fault_set(
			ret_fault, "find the vCPU's thread",
			"its name is not one that is known (\"CPU 0/KVM\" of QEMU with -name "
			"guest=NAME,debug-threads=on; \"vcpu0\", \"fc_vcpu 0\")",
			0);
	if ((!pid || pid == getpid()) && clock_works(thread_clock(tid))) {
		vcpu->cputime_clock = thread_clock(tid);
		vcpu->cputime = CPUTIME_CLOCK;
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid ? pid : getpid(), tid);
	vcpu->cputime_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (vcpu->cputime_fd < 0)
		return dav2m_kvm_fault_errno(ret_fault, "open the thread's CPU time", NULL);
	vcpu->cputime = CPUTIME_SCHEDSTAT;
	return 0;
}

static int schedstat_read(int fd, uint64_t *ret_ns)
{
	char text[96], *end;
	ssize_t n;

	do
		n = pread(fd, text, sizeof(text) - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno;
	text[n] = '\0';
	*ret_ns = strtoull(text, &end, 10);
	return end == text ? EPROTO : 0;
}

int dav2m_kvm_cputime_read(const struct dav2m_kvm_vcpu *vcpu, uint64_t *ret_ns)
{
	struct timespec t;

	if (vcpu->cputime == CPUTIME_SCHEDSTAT)
		return schedstat_read(vcpu->cputime_fd, ret_ns);
	if (clock_gettime(vcpu->cputime_clock, &t))
		return errno == EINVAL ? ESRCH : errno;
	*ret_ns = (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
	return 0;
}

void dav2m_kvm_cputime_close(struct dav2m_kvm_vcpu *vcpu)
{
	if (vcpu->cputime == CPUTIME_SCHEDSTAT)
		close(vcpu->cputime_fd);
	vcpu->cputime = CPUTIME_NONE;
}

/* A software event's page carries the conversion from time-stamp counter to nanoseconds. */
uint32_t dav2m_kvm_cputime_tsc_khz(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_DUMMY,
				       .exclude_kernel = 1,
				       .exclude_hv = 1};
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	const struct perf_event_mmap_page *page;
	uint64_t khz = 0;
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1,
			      (unsigned long)PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return 0;
	page = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED) {
		if (page->cap_user_time && page->time_mult)
			khz = (uint64_t)(((wide)1000000 << page->time_shift) / page->time_mult);
		munmap((void *)(uintptr_t)page, bytes);
	}
	close(fd);
	return khz < UINT32_MAX ? (uint32_t)khz : 0;
}

uint64_t dav2m_kvm_cputime_cycles(uint64_t ns, uint32_t khz)
{
	return khz ? (uint64_t)((wide)ns * khz / 1000000u) : ns;
}
