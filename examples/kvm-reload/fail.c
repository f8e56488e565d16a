/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failures on purpose.
 */
#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A file that is no module: the kernel refuses it. */
#define NOT_A_MODULE "/proc/self/exe"

static const char *const names[] = {"nothing", "save", "busy",	  "load",
				    "mode",    "open", "restore", "stop"};

enum fail_step fail_parse(const char *name)
{
	for (unsigned int i = FAIL_SAVE; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return (enum fail_step)i;
	return FAIL_NOTHING;
}

const char *fail_name(enum fail_step step)
{
	return names[step];
}

/* The first switch is let through, so that the failing one has a history. */
static int due(const struct fail *fail, enum fail_step step)
{
	return fail->step == step && fail->switches >= 2 && !fail->done;
}

/* The other VM was there for one whole switch. */
static void other_close(struct fail *fail)
{
	if (!fail->other_kvm)
		return;
	close(fail->other_vm);
	close(fail->other_kvm);
	fail->other_kvm = 0;
}

int fail_now(struct fail *fail, enum fail_step step)
{
	if (step == FAIL_SAVE) { /* the first step of a switch */
		fail->switches++;
		other_close(fail);
	}
	if (!due(fail, step))
		return 0;
	fail->done = 1;
	return 1;
}

void fail_after_close(struct fail *fail)
{
	if (!due(fail, FAIL_BUSY))
		return;
	fail->done = 1;
	fail->other_kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	fail->other_vm = ioctl(fail->other_kvm, KVM_CREATE_VM, 0ul);
}

void fail_mend(struct fail *fail)
{
	fail->done = 1;
}

static int unload(void *arg)
{
	struct fail *fail = arg;

	return dav2m_kvm_modules.unload(fail->modules_arg);
}

static int load(void *arg, enum dav2m_mode mode)
{
	struct fail *fail = arg;
	struct dav2m_kvm_module other = *fail->modules_arg;

	if (due(fail, FAIL_STOP) || fail_now(fail, FAIL_LOAD))
		other.path = NOT_A_MODULE;
	if (fail_now(fail, FAIL_MODE))
		mode = mode == DAV2M_NESTED ? DAV2M_SHADOW : DAV2M_NESTED;
	return dav2m_kvm_modules.load(&other, mode);
}

static int running(void *arg, enum dav2m_mode *ret_mode)
{
	struct fail *fail = arg;

	return dav2m_kvm_modules.running(fail->modules_arg, ret_mode);
}

const struct dav2m_kvm_reload_modules fail_modules = {
	.unload = unload,
	.load = load,
	.running = running,
};
