/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real module operations: delete_module, finit_module, and what sysfs says afterwards.
 */
#include <dav2m/kvm/reload.h>

#include <dav2m/kvm/host.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4
#endif

static int module_unload(void *arg)
{
	const struct dav2m_kvm_module *module = arg;

	return syscall(SYS_delete_module, module->name, (unsigned int)O_NONBLOCK) ? errno : 0;
}

static int module_load(void *arg, enum dav2m_mode mode)
{
	const struct dav2m_kvm_module *module = arg;
	size_t n = strlen(module->path);
	int flags = n > 3 && !strcmp(module->path + n - 3, ".ko") ? 0 : MODULE_INIT_COMPRESSED_FILE;
	char parameters[64];
	int fd, code;

	snprintf(parameters, sizeof(parameters), "%s=%d", module->parameter, mode == DAV2M_NESTED);
	fd = open(module->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	code = syscall(SYS_finit_module, fd, parameters, flags) ? errno : 0;
	close(fd);
	return code;
}

static int module_running(void *arg, enum dav2m_mode *ret_mode)
{
	const struct dav2m_kvm_module *module = arg;
	struct dav2m_kvm_host host;

	if (dav2m_kvm_host_read(module->sysfs, &host, NULL) || !host.mode_known)
		return ENOENT;
	*ret_mode = host.mode;
	return 0;
}

const struct dav2m_kvm_reload_modules dav2m_kvm_modules = {
	.unload = module_unload,
	.load = module_load,
	.running = module_running,
};
