/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One perf group: encode with libpfm4, open, read, scale.
 */
#include <dav2m/kvm/perf.h>

#include <errno.h>
#include <perfmon/pfmlib_perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault.h"

#define EVENT_NAME_BYTES 128

static const char what_open[] = "open the hardware counters";
static const char what_read[] = "read the hardware counters";

/* libpfm4 counts its initialisations itself; calling it again is harmless. */
static int encode(const struct dav2m_kvm_event *row, struct perf_event_attr *attr)
{
	char name[EVENT_NAME_BYTES];
	pfm_perf_encode_arg_t arg = {.attr = attr, .size = sizeof(arg)};

	if (pfm_initialize() != PFM_SUCCESS)
		return -1;
	snprintf(name, sizeof(name), "%s::%s", row->pmu, row->name);
	memset(attr, 0, sizeof(*attr));
	return pfm_get_os_event_encoding(name, PFM_PLM0 | PFM_PLM3, PFM_OS_PERF_EVENT, &arg) ==
			       PFM_SUCCESS
		       ? 0
		       : -1;
}

static const char *todo_of(int code)
{
	switch (code) {
	case ENOENT:
	case EOPNOTSUPP:
	case ENODEV:
		return "this machine has no PMU that Linux can use (a virtual machine without a "
		       "virtual PMU?): expect no cycles, instructions, TLB misses or walks";
	case EACCES:
	case EPERM:
		return "run as root or with CAP_PERFMON, or lower kernel.perf_event_paranoid";
	case EINVAL:
		return "the kernel does not accept these events on this processor";
	default:
		return dav2m_kvm_fault_todo(code);
	}
}

static int event_open(const struct dav2m_kvm_event *row, int tid, int leader, uint64_t *ret_id)
{
	struct perf_event_attr attr;
	int fd;

	if (encode(row, &attr)) {
		errno = EINVAL;
		return -1;
	}
	attr.size = sizeof(attr);
	attr.disabled = leader < 0;
	attr.exclude_host = row->scope == DAV2M_KVM_GUEST_ONLY;
	attr.exclude_guest = 0;
	attr.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED |
			   PERF_FORMAT_TOTAL_TIME_RUNNING;
	fd = (int)syscall(SYS_perf_event_open, &attr, tid, -1, leader,
			  (unsigned long)PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0 && ioctl(fd, PERF_EVENT_IOC_ID, ret_id)) {
		close(fd);
		return -1;
	}
	return fd;
}

static size_t rows_of_one_counter(const struct dav2m_kvm_event *rows, size_t n)
{
	size_t same = 1;

	while (same < n && rows[same].counter == rows[0].counter)
		same++;
	return same;
}

static void events_drop(struct dav2m_kvm_perf *perf, uint32_t keep)
{
	while (perf->events > keep)
		close(perf->fd[--perf->events]);
}

/* All rows of one counter, or none of them. */
static int counter_open(struct dav2m_kvm_perf *perf, const struct dav2m_kvm_event *rows, size_t n,
			int tid)
{
	uint32_t before = perf->events;

	for (size_t i = 0; i < n; i++) {
		int leader = perf->events ? perf->fd[0] : -1;
		int fd = event_open(&rows[i], tid, leader, &perf->id[perf->events]);

		if (fd < 0) {
			int code = errno;

			events_drop(perf, before);
			return code;
		}
		perf->fd[perf->events] = fd;
		perf->counter[perf->events++] = (uint8_t)rows[i].counter;
	}
	perf->available |= DAV2M_BIT(rows[0].counter);
	return 0;
}

static int rows_refused(const struct dav2m_kvm_event *rows, size_t n)
{
	if (n < 1 || n > DAV2M_KVM_EVENTS_MAX)
		return 1;
	for (size_t i = 0; i < n; i++)
		if ((unsigned int)rows[i].counter >= DAV2M_COUNTERS)
			return 1;
	return 0;
}

int dav2m_kvm_perf_open(struct dav2m_kvm_perf *perf, const struct dav2m_kvm_event *rows, size_t n,
			int tid, struct dav2m_kvm_fault *ret_fault)
{
	struct dav2m_kvm_perf new = {.running_bp = DAV2M_ONE_BP};

	if (!perf || !rows)
		return DAV2M_ERR_NULL;
	if (rows_refused(rows, n))
		return DAV2M_ERR_RANGE;
	new.pmu = rows[0].pmu;
	for (size_t i = 0; i < n;) {
		size_t same = rows_of_one_counter(rows + i, n - i);
		int code = counter_open(&new, rows + i, same, tid);

		if (code && (!new.events || code == EMFILE || code == ENFILE)) {
			events_drop(&new, 0);
			return dav2m_kvm_fault_set(ret_fault, what_open, todo_of(code), code);
		}
		if (code)
			new.left_out |= DAV2M_BIT(rows[i].counter);
		i += same;
	}
	if (ioctl(new.fd[0], PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP)) {
		dav2m_kvm_fault_errno(ret_fault, what_open, NULL);
		events_drop(&new, 0);
		return DAV2M_ERR_BACKEND;
	}
	*perf = new;
	return 0;
}

static int pmu_present(const char *name)
{
	int i;

	pfm_for_all_pmus(i)
	{
		pfm_pmu_info_t info = {.size = sizeof(info)};

		if (pfm_get_pmu_info((pfm_pmu_t)i, &info) == PFM_SUCCESS && info.is_present &&
		    !strcmp(info.name, name))
			return 1;
	}
	return 0;
}

const char *dav2m_kvm_pmu(void)
{
	const struct dav2m_kvm_event *row;
	const char *last = "";

	if (pfm_initialize() != PFM_SUCCESS)
		return NULL;
	for (size_t i = 0; (row = dav2m_kvm_event(i)); i++) {
		if (strcmp(row->pmu, last) && pmu_present(row->pmu))
			return row->pmu;
		last = row->pmu;
	}
	return NULL;
}

int dav2m_kvm_perf_open_hardware(struct dav2m_kvm_perf *perf, int tid,
				 struct dav2m_kvm_fault *ret_fault)
{
	const char *pmu = dav2m_kvm_pmu();
	const struct dav2m_kvm_event *row, *first = NULL;
	size_t n = 0;

	if (!pmu)
		return dav2m_kvm_fault_set(
			ret_fault, what_open,
			"this processor is not in the table of events: please report "
			"its model, or use a newer libpfm4",
			0);
	for (size_t i = 0; (row = dav2m_kvm_event(i)); i++) {
		if (strcmp(row->pmu, pmu))
			continue;
		first = first ? first : row;
		n++;
	}
	return dav2m_kvm_perf_open(perf, first, n, tid, ret_fault);
}

/* What the kernel answers to a read of a group's leader. */
struct group {
	uint64_t events;
	uint64_t enabled;
	uint64_t running;
	struct {
		uint64_t value;
		uint64_t id;
	} event[DAV2M_KVM_EVENTS_MAX];
};

static int group_read(const struct dav2m_kvm_perf *perf, struct group *ret_group)
{
	size_t bytes = offsetof(struct group, event) + perf->events * sizeof(ret_group->event[0]);
	ssize_t n;

	do
		n = read(perf->fd[0], ret_group, sizeof(*ret_group));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno;
	return (size_t)n == bytes && ret_group->events == perf->events ? 0 : EPROTO;
}

static int event_of(const struct dav2m_kvm_perf *perf, uint64_t id)
{
	for (uint32_t i = 0; i < perf->events; i++)
		if (perf->id[i] == id)
			return (int)i;
	return -1;
}

/* A delta of up to 2^48 is multiplied by nanoseconds. */
__extension__ typedef unsigned __int128 wide;

static uint64_t scaled(uint64_t delta, uint64_t enabled, uint64_t running)
{
	return running == enabled ? delta : (uint64_t)((wide)delta * enabled / running);
}

static int group_add(struct dav2m_kvm_perf *perf, const struct group *group)
{
	uint64_t enabled = group->enabled - perf->enabled;
	uint64_t running = group->running - perf->running;

	for (uint32_t i = 0; i < perf->events; i++) {
		int at = event_of(perf, group->event[i].id);

		if (at < 0)
			return EPROTO;
		if (running)
			perf->total[perf->counter[at]] +=
				scaled(group->event[i].value - perf->last[at], enabled, running);
		perf->last[at] = group->event[i].value;
	}
	perf->enabled = group->enabled;
	perf->running = group->running;
	perf->running_bp = enabled ? (uint32_t)(running * DAV2M_ONE_BP / enabled) : DAV2M_ONE_BP;
	return 0;
}

int dav2m_kvm_perf_read(struct dav2m_kvm_perf *perf, struct dav2m_sample *ret_sample,
			struct dav2m_kvm_fault *ret_fault)
{
	struct group group;
	int code;

	if (!perf || !ret_sample || !perf->events)
		return DAV2M_ERR_NULL;
	code = group_read(perf, &group);
	if (!code && group.running == perf->running && group.enabled != perf->enabled) {
		perf->running_bp = 0; /* wait: what it counts next stands for this stretch too */
		return 0;
	}
	if (!code)
		code = group_add(perf, &group);
	if (code)
		return dav2m_kvm_fault_set(ret_fault, what_read, NULL, code);
	for (unsigned int i = 0; i < DAV2M_COUNTERS; i++)
		if (perf->available & DAV2M_BIT(i))
			ret_sample->value[i] = perf->total[i];
	ret_sample->valid |= perf->available;
	return 0;
}

void dav2m_kvm_perf_close(struct dav2m_kvm_perf *perf)
{
	if (!perf)
		return;
	events_drop(perf, 0);
	perf->available = 0;
}
