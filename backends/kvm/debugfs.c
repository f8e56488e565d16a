/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /sys/kernel/debug/kvm/PID-FD/NAME: one number per file, summed over the VM's vCPUs. A read at
 * offset 0 makes the kernel count again, so the files stay open.
 */
#include "debugfs.h"

#include <dav2m/sample.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

static const char what[] = "read KVM's statistics in debugfs";

/* The directory of the process's VM; a descriptor, or -1 with errno. */
static int directory_open(const char *root, int pid)
{
	char path[PATH_MAX], prefix[16];
	struct dirent *entry;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/kvm", root);
	snprintf(prefix, sizeof(prefix), "%d-", pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	errno = ENOENT;
	while (fd < 0 && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, prefix, strlen(prefix)))
			fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	closedir(dir);
	if (fd < 0)
		errno = errno ? errno : ENOENT;
	return fd;
}

int dav2m_kvm_debugfs_open(struct debugfs_vm *vm, const char *root, int pid,
			   struct dav2m_kvm_fault *ret_fault)
{
	int dir = directory_open(root, pid), found = 0;

	if (dir < 0)
		return dav2m_kvm_fault_errno(ret_fault, what,
					     errno == ENOENT ? "mount it (mount -t debugfs none "
							       "/sys/kernel/debug)"
							     : NULL);
	for (unsigned int i = 0; i < DAV2M_KVM_STATS; i++) {
		vm->fd[i] = openat(dir, dav2m_kvm_stat_name((enum dav2m_kvm_stat)i),
				   O_RDONLY | O_CLOEXEC);
		found += vm->fd[i] >= 0;
	}
	close(dir);
	return found ? 0
		     : dav2m_kvm_fault_set(ret_fault, what, dav2m_kvm_fault_todo(EACCES), EACCES);
}

static int number_read(int fd, uint64_t *ret_value)
{
	char text[32], *end;
	ssize_t n;

	do
		n = pread(fd, text, sizeof(text) - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	text[n] = '\0';
	*ret_value = strtoull(text, &end, 10);
	return end == text ? -1 : 0;
}

int dav2m_kvm_debugfs_read(const struct debugfs_vm *vm, struct dav2m_kvm_values *ret_values,
			   struct dav2m_kvm_fault *ret_fault)
{
	ret_values->available = 0;
	for (unsigned int i = 0; i < DAV2M_KVM_STATS; i++)
		if (vm->fd[i] >= 0 && !number_read(vm->fd[i], &ret_values->value[i]))
			ret_values->available |= DAV2M_BIT(i);
	return ret_values->available
		       ? 0
		       : dav2m_kvm_fault_set(ret_fault, what, dav2m_kvm_fault_todo(ENOENT), ENOENT);
}

void dav2m_kvm_debugfs_close(struct debugfs_vm *vm)
{
	for (unsigned int i = 0; i < DAV2M_KVM_STATS; i++) {
		if (vm->fd[i] >= 0)
			close(vm->fd[i]);
		vm->fd[i] = -1;
	}
}
