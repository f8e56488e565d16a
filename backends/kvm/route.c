/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tries the ways to KVM's statistics in their order, and says of each why it was not taken.
 */
#include "route.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fault.h"
#include "process.h"

const char *dav2m_kvm_route_name(enum dav2m_kvm_route route)
{
	static const char *const name[DAV2M_KVM_ROUTES] = {"none", "statistics descriptors", "QMP",
							   "debugfs"};

	return (unsigned int)route < DAV2M_KVM_ROUTES ? name[route] : "?";
}

void dav2m_kvm_route_begin(struct route *route)
{
	*route = (struct route){.debugfs = {.directory = -1}};
}

static void descriptors_try(struct route *route, const struct route_descriptors *descriptors)
{
	struct dav2m_kvm_fault *why = &route->refusal[DAV2M_KVM_ROUTE_DESCRIPTORS];
	int fd;

	if (descriptors->vcpu_fd < 0) {
		dav2m_kvm_fault_set(why, "duplicate the VMM's statistics descriptors",
				    "this VMM has none open", 0);
		return;
	}
	fd = dav2m_kvm_descriptor_copy(descriptors->pidfd, descriptors->vcpu_fd);
	if (fd < 0) {
		dav2m_kvm_fault_errno(why, "duplicate the VMM's statistics descriptors", NULL);
		return;
	}
	close(fd);
	route->kind = DAV2M_KVM_ROUTE_DESCRIPTORS;
}

static int qmp_read(struct route *route, struct dav2m_kvm_fault *ret_fault)
{
	return dav2m_kvm_qmp_stats(route->qmp, route->qmp_vcpu, DAV2M_KVM_VCPUS_MAX,
				   &route->qmp_vcpus, &route->vm, ret_fault);
}

static void qmp_try(struct route *route, const struct dav2m_kvm_guest_setup *setup)
{
	struct dav2m_kvm_fault *why = &route->refusal[DAV2M_KVM_ROUTE_QMP];
	char path[PATH_MAX];

	if (setup->qmp)
		snprintf(path, sizeof(path), "%s", setup->qmp);
	else if (dav2m_kvm_qmp_path_find(setup->proc, setup->pid, path, sizeof(path))) {
		dav2m_kvm_fault_set(
			why, "find a QMP socket",
			"if this is QEMU, start it with -qmp unix:PATH,server=on,wait=off", 0);
		return;
	}
	route->qmp = malloc(sizeof(*route->qmp));
	route->qmp_vcpu = calloc(DAV2M_KVM_VCPUS_MAX, sizeof(*route->qmp_vcpu));
	if (!route->qmp || !route->qmp_vcpu) {
		dav2m_kvm_fault_set(why, "ask QEMU for statistics (QMP)", NULL, ENOMEM);
		return;
	}
	if (dav2m_kvm_qmp_open(route->qmp, path, why))
		return;
	if (qmp_read(route, why))
		dav2m_kvm_qmp_close(route->qmp);
	else
		route->kind = DAV2M_KVM_ROUTE_QMP;
}

static void debugfs_try(struct route *route, const struct dav2m_kvm_guest_setup *setup)
{
	if (!dav2m_kvm_debugfs_open(&route->debugfs, setup->debugfs, setup->pid,
				    &route->refusal[DAV2M_KVM_ROUTE_DEBUGFS]))
		route->kind = DAV2M_KVM_ROUTE_DEBUGFS;
}

static void vm_stats_open(struct route *route, const struct route_descriptors *descriptors)
{
	int fd = descriptors->vm_fd < 0
			 ? -1
			 : dav2m_kvm_descriptor_copy(descriptors->pidfd, descriptors->vm_fd);

	if (fd >= 0 && dav2m_kvm_stats_open(&route->vm_stats, fd, NULL))
		close(fd);
}

/* Descriptors come first, but do not tell which thread runs a vCPU: QMP does. */
void dav2m_kvm_route_choose(struct route *route, const struct dav2m_kvm_guest_setup *setup,
			    uint32_t vcpus, const struct route_descriptors *descriptors)
{
	struct dav2m_kvm_fault *why = &route->refusal[DAV2M_KVM_ROUTE_DESCRIPTORS];

	descriptors_try(route, descriptors);
	if (!route->kind || dav2m_kvm_vcpu_thread(setup->proc, setup->pid, 0, vcpus) <= 0)
		qmp_try(route, setup);
	if (route->kind == DAV2M_KVM_ROUTE_QMP && !why->what)
		dav2m_kvm_fault_set(why, "tell the vCPUs' threads by their names",
				    "QMP tells them and the statistics", 0);
	if (!route->kind)
		debugfs_try(route, setup);
	vm_stats_open(route, descriptors);
}

int dav2m_kvm_route_read(struct route *route, struct dav2m_kvm_fault *ret_fault)
{
	if (route->kind == DAV2M_KVM_ROUTE_QMP)
		return qmp_read(route, ret_fault);
	if (route->kind == DAV2M_KVM_ROUTE_DEBUGFS)
		return dav2m_kvm_debugfs_read(&route->debugfs, &route->vm, ret_fault);
	if (route->vm_stats.span)
		return dav2m_kvm_stats_read(&route->vm_stats, &route->vm, ret_fault);
	return 0;
}

const struct qmp_vcpu *dav2m_kvm_route_vcpu(const struct route *route, uint32_t nth, uint32_t vcpus)
{
	static const struct qmp_vcpu nothing = {.tid = 0};

	if (route->kind != DAV2M_KVM_ROUTE_QMP)
		return &nothing;
	if (route->qmp_vcpus == vcpus)
		return &route->qmp_vcpu[nth];
	for (uint32_t i = 0; i < route->qmp_vcpus; i++)
		if (route->qmp_vcpu[i].number == nth)
			return &route->qmp_vcpu[i];
	return &nothing;
}

void dav2m_kvm_route_close(struct route *route)
{
	dav2m_kvm_stats_close(&route->vm_stats);
	dav2m_kvm_debugfs_close(&route->debugfs);
	if (route->kind == DAV2M_KVM_ROUTE_QMP)
		dav2m_kvm_qmp_close(route->qmp);
	free(route->qmp);
	free(route->qmp_vcpu);
}
