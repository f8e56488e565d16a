/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /sys/kernel/debug/kvm/PID-FD/NAME: one number per file, summed over the VM's vCPUs. An open file
 * of these can be read once and cannot be rewound, so each is opened for each read.
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
	struct dav2m_kvm_values values;

	vm->directory = directory_open(root, pid);
	if (vm->directory < 0)
		return dav2m_kvm_fault_errno(ret_fault, what,
					     errno == ENOENT ? "mount it (mount -t debugfs none "
							       "/sys/kernel/debug)"
							     : NULL);
	if (!dav2m_kvm_debugfs_read(vm, &values, ret_fault))
		return 0;
	dav2m_kvm_debugfs_close(vm);
	return DAV2M_ERR_BACKEND;
}

/* 0, or an errno. */
static int number_read(int directory, const char *name, uint64_t *ret_value)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC), code = 0;
	char text[32], *end;
	ssize_t n;

	if (fd < 0)
		return errno;
	do
		n = read(fd, text, sizeof(text) - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		code = errno;
	close(fd);
	if (code)
		return code;
	text[n] = '\0';
	*ret_value = strtoull(text, &end, 10);
	return end == text ? EPROTO : 0;
}

static const char *todo(int code)
{
	switch (code) {
	case EPERM:
		return "run as root; if you are, the kernel is locked down (Secure Boot) and shows "
		       "them to nobody: use QMP";
	case ENOENT:
		return "the guest has ended, or this kernel does not count page faults";
	default:
		return dav2m_kvm_fault_todo(code);
	}
}

/* Without the paging exits the rest is of no use: a route that lacks them is none. */
int dav2m_kvm_debugfs_read(const struct debugfs_vm *vm, struct dav2m_kvm_values *ret_values,
			   struct dav2m_kvm_fault *ret_fault)
{
	int code = ENOENT;
	uint64_t exits;

	ret_values->available = 0;
	for (unsigned int i = 0; i < DAV2M_KVM_STATS; i++) {
		int error = number_read(vm->directory, dav2m_kvm_stat_name((enum dav2m_kvm_stat)i),
					&ret_values->value[i]);

		if (!error)
			ret_values->available |= DAV2M_BIT(i);
		else if (error != ENOENT) /* which this kernel does not count */
			code = error;
	}
	if (dav2m_kvm_paging_exits(ret_values, &exits) && code != EMFILE && code != ENFILE)
		return 0;
	return dav2m_kvm_fault_set(ret_fault, what, todo(code), code);
}

void dav2m_kvm_debugfs_close(struct debugfs_vm *vm)
{
	if (vm->directory >= 0)
		close(vm->directory);
	vm->directory = -1;
}
