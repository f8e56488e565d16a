/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What /sys/module says about the kvm module that runs.
 */
#include <dav2m/kvm/host.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

/* Modules with a switch for nested paging; "kvm_pvm" has none: it is always shadow paging. */
static const struct {
	const char *module;
	const char *parameter;
} vendors[] = {{"kvm_amd", "npt"}, {"kvm_intel", "ept"}, {"kvm_pvm", NULL}};

/* The parameter's value, Y, N, 1 or 0; -1 if it cannot be read. */
static int parameter_read(const char *sysfs, const char *module, const char *parameter)
{
	char path[256], value = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/module/%s/parameters/%s", sysfs, module, parameter);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (read(fd, &value, 1) != 1)
		value = 0;
	close(fd);
	if (value == 'Y' || value == '1')
		return 1;
	return value == 'N' || value == '0' ? 0 : -1;
}

static int module_loaded(const char *sysfs, const char *module)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/module/%s", sysfs, module);
	return access(path, F_OK) == 0;
}

static void mode_read(const char *sysfs, struct dav2m_kvm_host *host)
{
	int nested = 0;

	if (host->switch_parameter)
		nested = parameter_read(sysfs, host->module, host->switch_parameter);
	host->mode_known = nested >= 0;
	host->mode = nested > 0 ? DAV2M_NESTED : DAV2M_SHADOW;
}

int dav2m_kvm_host_read(const char *sysfs, struct dav2m_kvm_host *ret_host,
			struct dav2m_kvm_fault *ret_fault)
{
	struct dav2m_kvm_host host = {.mode_known = 0};

	if (!sysfs || !ret_host)
		return DAV2M_ERR_NULL;
	for (unsigned int i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		if (!module_loaded(sysfs, vendors[i].module))
			continue;
		snprintf(host.module, sizeof(host.module), "%s", vendors[i].module);
		host.switch_parameter = vendors[i].parameter;
		mode_read(sysfs, &host);
		*ret_host = host;
		return 0;
	}
	return dav2m_kvm_fault_set(ret_fault, "find the kvm module",
				   "load kvm_amd, kvm_intel or whatever this machine has", 0);
}
