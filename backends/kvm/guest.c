/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest of another process: finds its vCPUs, opens and reads them, sums up.
 */
#include <dav2m/kvm/guest.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault.h"
#include "process.h"
#include "route.h"
#include "vcpu.h"

#define DYING_MS 1000 /* a choice: to give back the memory of a large guest takes a while */

static const char what_watch[] = "watch the guest";
static const char todo_ended[] = "it has ended";
static const char what_find[] = "find the thread of a vCPU";
static const char todo_find[] = "if this is QEMU, start it with -qmp unix:PATH,server=on,wait=off, "
				"which tells it and KVM's "
				"statistics too, or with -name guest=NAME,debug-threads=on";

/* A vCPU that is there, or was. */
struct member {
	int there;   /* 1: open */
	int seen;    /* in the last look at the process's descriptors */
	int refused; /* 1: could not be opened; why says the reason */
	int tid;
	struct dav2m_kvm_vcpu vcpu;
	struct dav2m_sample now;
	uint64_t base[DAV2M_COUNTERS]; /* when it was opened again: counted already */
	uint64_t kept[DAV2M_COUNTERS]; /* what it contributed in earlier lives */
	struct dav2m_kvm_fault why;
};

struct dav2m_kvm_guest {
	struct dav2m_kvm_guest_setup setup;
	int pidfd;
	struct dav2m_kvm_host host;
	struct route route;
	struct member *member[DAV2M_KVM_VCPUS_MAX];
	int stats_fd[DAV2M_KVM_VCPUS_MAX]; /* theirs, in the last look; -1: none */
	int vm_stats_fd;
	uint32_t vcpus;
	struct dav2m_kvm_origin origin[DAV2M_COUNTERS];
	uint32_t running_bp;
	int ended; /* its VM is closed, though the process may still be on its way out */
};

int dav2m_kvm_guest_alive(const struct dav2m_kvm_guest *guest)
{
	struct pollfd poll_fd = {.events = POLLIN};

	if (!guest || guest->ended)
		return 0;
	if (guest->pidfd < 0)
		return !kill(guest->setup.pid, 0) || errno == EPERM;
	poll_fd.fd = guest->pidfd;
	return poll(&poll_fd, 1, 0) == 0;
}

/* A process that dies closes its sockets and files before it has ended: 1 if it does now. */
static int dying(struct dav2m_kvm_guest *guest)
{
	struct pollfd poll_fd = {.fd = guest->pidfd, .events = POLLIN};

	if (guest->pidfd >= 0)
		poll(&poll_fd, 1, DYING_MS);
	return !dav2m_kvm_guest_alive(guest);
}

static struct member *member_new(void)
{
	struct member *member = aligned_alloc(_Alignof(struct member), sizeof(*member));

	if (member)
		memset(member, 0, sizeof(*member));
	return member;
}

static int descriptor_note(void *arg, int fd, enum kvm_descriptor kind, uint32_t index)
{
	struct dav2m_kvm_guest *guest = arg;

	if (kind == KVM_VCPU_STATS)
		guest->stats_fd[index] = fd;
	else if (kind == KVM_VM_STATS)
		guest->vm_stats_fd = fd;
	else if (kind == KVM_VCPU) {
		if (!guest->member[index])
			guest->member[index] = member_new();
		if (!guest->member[index])
			return ENOMEM;
		if (index >= guest->vcpus)
			guest->vcpus = index + 1;
		guest->member[index]->seen = 1;
	}
	return 0;
}

/* Looks at the descriptors that the process has now. Errors: BACKEND. */
static int look(struct dav2m_kvm_guest *guest, struct dav2m_kvm_fault *ret_fault)
{
	int answer;

	for (uint32_t i = 0; i < DAV2M_KVM_VCPUS_MAX; i++)
		guest->stats_fd[i] = -1;
	guest->vm_stats_fd = -1;
	for (uint32_t i = 0; i < guest->vcpus; i++)
		if (guest->member[i])
			guest->member[i]->seen = 0;
	answer = dav2m_kvm_descriptors(guest->setup.proc, guest->setup.pid, descriptor_note, guest);
	answer = answer < 0 ? -answer : answer;
	return answer ? dav2m_kvm_fault_set(ret_fault, "look at the guest's descriptors",
					    dav2m_kvm_fault_todo(answer), answer)
		      : 0;
}

/* vCPUs that the process has, of those with a lower number than index. */
static uint32_t vcpus_below(const struct dav2m_kvm_guest *guest, uint32_t index)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < index; i++)
		n += guest->member[i] && guest->member[i]->seen;
	return n;
}

/* Statistics of any vCPU, as the process has them. */
static int stats_fd_any(const struct dav2m_kvm_guest *guest)
{
	for (uint32_t i = 0; i < guest->vcpus; i++)
		if (guest->stats_fd[i] >= 0)
			return guest->stats_fd[i];
	return -1;
}

static void route_choose(struct dav2m_kvm_guest *guest)
{
	const struct route_descriptors descriptors = {
		.pidfd = guest->pidfd, .vcpu_fd = stats_fd_any(guest), .vm_fd = guest->vm_stats_fd};

	dav2m_kvm_route_choose(&guest->route, &guest->setup, vcpus_below(guest, guest->vcpus),
			       &descriptors);
}

static const struct qmp_vcpu *qmp_vcpu_of(const struct dav2m_kvm_guest *guest, uint32_t index)
{
	return dav2m_kvm_route_vcpu(&guest->route, vcpus_below(guest, index),
				    vcpus_below(guest, guest->vcpus));
}

static int thread_find(const struct dav2m_kvm_guest *guest, uint32_t index)
{
	int tid = qmp_vcpu_of(guest, index)->tid;

	return tid ? tid
		   : dav2m_kvm_vcpu_thread(guest->setup.proc, guest->setup.pid,
					   vcpus_below(guest, index),
					   vcpus_below(guest, guest->vcpus));
}

/* QMP would have told the thread: where there is a socket, what kept us from it says more. */
static void nameless(const struct dav2m_kvm_guest *guest, struct dav2m_kvm_fault *ret_why)
{
	const struct dav2m_kvm_fault *qmp = &guest->route.refusal[DAV2M_KVM_ROUTE_QMP];

	if (qmp->code)
		*ret_why = *qmp;
	else
		dav2m_kvm_fault_set(ret_why, what_find, todo_find, 0);
}

static void member_open(struct dav2m_kvm_guest *guest, uint32_t index)
{
	struct dav2m_kvm_vcpu_setup setup = DAV2M_KVM_VCPU_SETUP;
	struct member *member = guest->member[index];

	if (guest->route.kind == DAV2M_KVM_ROUTE_DESCRIPTORS && guest->stats_fd[index] >= 0)
		setup.stats_fd = dav2m_kvm_descriptor_copy(guest->pidfd, guest->stats_fd[index]);
	member->tid = thread_find(guest, index);
	if (member->tid < 0) { /* not that it has none: it could not be looked for */
		dav2m_kvm_fault_set(&member->why, what_find, dav2m_kvm_fault_todo(-member->tid),
				    -member->tid);
		member->refused = 1;
		return;
	}
	setup.pid = guest->setup.pid;
	setup.tid = member->tid;
	setup.hardware = guest->setup.hardware;
	setup.mode = guest->host.mode;
	if (dav2m_kvm_vcpu_open(&member->vcpu, &setup, &member->why)) {
		if (setup.stats_fd >= 0)
			close(setup.stats_fd);
		/* on another route the vCPU still has its statistics, though nothing else */
		member->refused = guest->route.kind != DAV2M_KVM_ROUTE_QMP;
		if (!member->tid && setup.stats_fd < 0)
			nameless(guest, &member->why);
		if (member->refused)
			return;
		memset(&member->vcpu, 0, sizeof(member->vcpu));
		member->vcpu.mode = guest->host.mode;
	}
	if (guest->route.kind == DAV2M_KVM_ROUTE_QMP)
		dav2m_kvm_vcpu_stats_origin(&member->vcpu,
					    qmp_vcpu_of(guest, index)->values.available);
	member->refused = 0;
	member->there = 1;
}

static void member_close(struct member *member)
{
	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++)
		if (member->now.valid & DAV2M_BIT(i))
			member->kept[i] += member->now.value[i] - member->base[i];
	dav2m_kvm_vcpu_close(&member->vcpu);
	member->there = 0;
}

/* 0, or -1: the vCPU has gone. */
static int member_read(struct dav2m_kvm_guest *guest, uint32_t index)
{
	struct member *member = guest->member[index];
	struct dav2m_sample now = {.valid = 0};

	if (dav2m_kvm_vcpu_sample(&member->vcpu, &now, &member->why))
		return -1;
	if (guest->route.kind == DAV2M_KVM_ROUTE_QMP) {
		member->vcpu.values = qmp_vcpu_of(guest, index)->values;
		dav2m_kvm_vcpu_paging_exits(&member->vcpu, &now);
	}
	member->now = now;
	return 0;
}

/* A vCPU opened again may show what it contributed before: its counts start here. */
static void member_rebase(struct member *member)
{
	memcpy(member->base, member->now.value, sizeof(member->base));
}

static void member_update(struct dav2m_kvm_guest *guest, uint32_t index)
{
	struct member *member = guest->member[index];
	int again = member->now.valid && !member->there;

	if (member->there && !member->seen)
		member_close(member);
	if (!member->there && member->seen)
		member_open(guest, index);
	if (!member->there)
		return;
	if (member_read(guest, index))
		member_close(member);
	else if (again)
		member_rebase(member);
}

static uint32_t members_there(const struct dav2m_kvm_guest *guest)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < guest->vcpus; i++)
		n += guest->member[i] && guest->member[i]->there;
	return n;
}

static void member_add(const struct member *member, struct dav2m_sample *sum)
{
	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++) {
		sum->value[i] += member->kept[i];
		if (member->there && member->now.valid & DAV2M_BIT(i))
			sum->value[i] += member->now.value[i] - member->base[i];
	}
	if (member->there)
		sum->valid &= member->now.valid;
	else if (member->refused)
		sum->valid = 0;
}

/* On the debugfs route there are no counts of single vCPUs, only the VM's. */
static void vm_exits_add(const struct dav2m_kvm_guest *guest, struct dav2m_sample *sum)
{
	uint64_t exits;

	if (guest->route.kind != DAV2M_KVM_ROUTE_DEBUGFS ||
	    !dav2m_kvm_paging_exits(&guest->route.vm, &exits))
		return;
	sum->value[DAV2M_PAGING_EXITS] = guest->host.mode == DAV2M_NESTED ? 0 : exits;
	sum->valid |= DAV2M_BIT(DAV2M_PAGING_EXITS);
}

static void sum_up(struct dav2m_kvm_guest *guest, struct dav2m_sample *ret_sum)
{
	struct dav2m_sample sum = {.valid = DAV2M_ALL_COUNTERS};

	guest->running_bp = DAV2M_ONE_BP;
	for (uint32_t i = 0; i < guest->vcpus; i++) {
		const struct member *member = guest->member[i];

		if (!member)
			continue;
		member_add(member, &sum);
		if (member->there && member->vcpu.perf.events &&
		    member->vcpu.perf.running_bp < guest->running_bp)
			guest->running_bp = member->vcpu.perf.running_bp;
	}
	vm_exits_add(guest, &sum);
	*ret_sum = sum;
}

static struct dav2m_kvm_origin origin_of(const struct dav2m_kvm_guest *guest, unsigned int counter)
{
	struct dav2m_kvm_origin origin = {.from = NULL};

	for (uint32_t i = 0; i < guest->vcpus; i++) {
		const struct member *member = guest->member[i];

		if (!member || (!member->there && !member->refused))
			continue;
		if (member->refused) {
			origin.from = NULL;
			origin.missing = member->why;
			return origin;
		}
		origin = member->vcpu.origin[counter];
		if (!origin.from)
			return origin;
	}
	return origin;
}

static void origins_update(struct dav2m_kvm_guest *guest)
{
	uint64_t exits;

	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++)
		guest->origin[i] = origin_of(guest, i);
	if (guest->route.kind == DAV2M_KVM_ROUTE_DEBUGFS &&
	    dav2m_kvm_paging_exits(&guest->route.vm, &exits))
		guest->origin[DAV2M_PAGING_EXITS].from = "KVM's statistics (debugfs), without CR "
							 "writes";
}

/* Either no vCPU is open any more, or none could be opened: then the first says why. */
static int nobody_there(struct dav2m_kvm_guest *guest, struct dav2m_kvm_fault *ret_fault)
{
	for (uint32_t i = 0; i < guest->vcpus; i++) {
		const struct member *member = guest->member[i];

		if (member && member->seen && member->refused)
			return dav2m_kvm_fault_set(ret_fault, member->why.what, member->why.todo,
						   member->why.code);
	}
	guest->ended = 1;
	return dav2m_kvm_fault_set(ret_fault, what_watch, todo_ended, 0);
}

int dav2m_kvm_guest_sample(struct dav2m_kvm_guest *guest, struct dav2m_sample *ret_sample,
			   struct dav2m_kvm_fault *ret_fault)
{
	if (!guest || !ret_sample)
		return DAV2M_ERR_NULL;
	if (!dav2m_kvm_guest_alive(guest))
		return dav2m_kvm_fault_set(ret_fault, what_watch, todo_ended, 0);
	if (look(guest, ret_fault) || dav2m_kvm_route_read(&guest->route, ret_fault))
		return dying(guest) ? dav2m_kvm_fault_set(ret_fault, what_watch, todo_ended, 0)
				    : DAV2M_ERR_BACKEND;
	for (uint32_t i = 0; i < guest->vcpus; i++)
		if (guest->member[i])
			member_update(guest, i);
	origins_update(guest);
	if (!members_there(guest) && guest->route.kind != DAV2M_KVM_ROUTE_DEBUGFS)
		return nobody_there(guest, ret_fault);
	sum_up(guest, ret_sample);
	return 0;
}

int dav2m_kvm_guest_attach(const struct dav2m_kvm_guest_setup *setup,
			   struct dav2m_kvm_guest **ret_guest, struct dav2m_kvm_fault *ret_fault)
{
	struct dav2m_kvm_process process;
	struct dav2m_sample ignored;
	struct dav2m_kvm_guest *guest;

	if (!setup || !ret_guest || !setup->proc || !setup->sysfs || !setup->debugfs)
		return DAV2M_ERR_NULL;
	if (dav2m_kvm_process_read(setup->proc, setup->pid, &process, ret_fault))
		return DAV2M_ERR_BACKEND;
	if (!process.vcpus)
		return dav2m_kvm_fault_set(ret_fault, "find a vCPU of the guest",
					   "it has none yet: try again when it has started", 0);
	guest = calloc(1, sizeof(*guest));
	if (!guest)
		return dav2m_kvm_fault_set(ret_fault, "attach to the guest",
					   dav2m_kvm_fault_todo(ENOMEM), ENOMEM);
	guest->setup = *setup;
	dav2m_kvm_route_begin(&guest->route);
	guest->pidfd = (int)syscall(SYS_pidfd_open, setup->pid, 0u);
	if (dav2m_kvm_host_read(setup->sysfs, &guest->host, ret_fault) || look(guest, ret_fault)) {
		dav2m_kvm_guest_detach(guest);
		return DAV2M_ERR_BACKEND;
	}
	route_choose(guest);
	if (dav2m_kvm_guest_sample(guest, &ignored, ret_fault)) {
		dav2m_kvm_guest_detach(guest);
		return DAV2M_ERR_BACKEND;
	}
	*ret_guest = guest;
	return 0;
}

uint32_t dav2m_kvm_guest_vcpus(const struct dav2m_kvm_guest *guest)
{
	return guest ? guest->vcpus : 0;
}

static const struct member *member_of(const struct dav2m_kvm_guest *guest, uint32_t index)
{
	const struct member *member = guest && index < guest->vcpus ? guest->member[index] : NULL;

	return member && member->there ? member : NULL;
}

const struct dav2m_sample *dav2m_kvm_guest_vcpu_sample(const struct dav2m_kvm_guest *guest,
						       uint32_t index)
{
	const struct member *member = member_of(guest, index);

	return member ? &member->now : NULL;
}

const struct dav2m_kvm_values *dav2m_kvm_guest_vcpu_values(const struct dav2m_kvm_guest *guest,
							   uint32_t index)
{
	const struct member *member = member_of(guest, index);

	return member ? &member->vcpu.values : NULL;
}

const struct dav2m_kvm_values *dav2m_kvm_guest_values(const struct dav2m_kvm_guest *guest)
{
	return guest ? &guest->route.vm : NULL;
}

const struct dav2m_kvm_host *dav2m_kvm_guest_host(const struct dav2m_kvm_guest *guest)
{
	return guest ? &guest->host : NULL;
}

const struct dav2m_kvm_origin *dav2m_kvm_guest_origin(const struct dav2m_kvm_guest *guest,
						      enum dav2m_counter counter)
{
	return guest && (unsigned int)counter < DAV2M_COUNTERS ? &guest->origin[counter] : NULL;
}

enum dav2m_kvm_route dav2m_kvm_guest_route(const struct dav2m_kvm_guest *guest)
{
	return guest ? guest->route.kind : DAV2M_KVM_ROUTE_NONE;
}

const struct dav2m_kvm_fault *dav2m_kvm_guest_refusal(const struct dav2m_kvm_guest *guest,
						      enum dav2m_kvm_route route)
{
	return guest && (unsigned int)route < DAV2M_KVM_ROUTES ? &guest->route.refusal[route]
							       : NULL;
}

uint32_t dav2m_kvm_guest_running_bp(const struct dav2m_kvm_guest *guest)
{
	return guest ? guest->running_bp : 0;
}

void dav2m_kvm_guest_detach(struct dav2m_kvm_guest *guest)
{
	if (!guest)
		return;
	for (uint32_t i = 0; i < DAV2M_KVM_VCPUS_MAX; i++) {
		if (guest->member[i] && guest->member[i]->there)
			dav2m_kvm_vcpu_close(&guest->member[i]->vcpu);
		free(guest->member[i]);
	}
	dav2m_kvm_route_close(&guest->route);
	if (guest->pidfd >= 0)
		close(guest->pidfd);
	free(guest);
}
