/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of a switch, and the way back from each of its steps:
 *
 *     save -> close -> unload -> load(new) -> open -> restore -> DONE
 *      |                 |         |           |        |
 *      | nothing         | open,   | load(old), open, restore: FAILED
 *      | changed:        | restore | if that fails too: stopped
 *      | FAILED          v         v
 *                     DEFERRED
 *
 * The state saved stays the VMM's, so it can be restored as often as it takes.
 */
#include <dav2m/kvm/reload.h>

#include <errno.h>
#include <time.h>

#include "fault.h"

/* The module stays busy for a moment after the last descriptor is closed: the kernel drops the
   VM's reference from a worker. Up to 1 s in steps of 10 ms. */
#define UNLOAD_TRIES   100
#define UNLOAD_WAIT_NS 10000000L

static const char todo_busy[] = "another VM is open on this host: the paging mode is the host's, "
				"so no other may be";
static const char todo_load[] = "look at the kernel's log; the module must fit the kernel that "
				"runs, and root may load it";
static const char todo_mode[] = "this processor, or the hypervisor below, does not offer that "
				"mode";

static int busy(int code)
{
	return code == EBUSY || code == EAGAIN;
}

static int unload(struct dav2m_kvm_reload *reload)
{
	const struct timespec wait = {.tv_nsec = UNLOAD_WAIT_NS};
	int code = reload->modules->unload(reload->modules_arg);

	for (int i = 1; busy(code) && i < UNLOAD_TRIES; i++) {
		nanosleep(&wait, NULL);
		code = reload->modules->unload(reload->modules_arg);
	}
	return code;
}

/* Loads the module and believes what it says afterwards. */
static int load(struct dav2m_kvm_reload *reload, enum dav2m_mode mode)
{
	enum dav2m_mode running = mode;
	int code = reload->modules->load(reload->modules_arg, mode);

	if (code)
		return dav2m_kvm_fault_set(&reload->fault, "load the kvm module", todo_load, code);
	code = reload->modules->running(reload->modules_arg, &running);
	if (code || running != mode)
		return dav2m_kvm_fault_set(&reload->fault, "load the kvm module in the other mode",
					   todo_mode, code);
	return 0;
}

/* Makes the VM on the module that is loaded. */
static int rebuild(struct dav2m_kvm_reload *reload, enum dav2m_mode mode)
{
	int code = reload->vm->open(reload->vm_arg, mode);

	if (code)
		return dav2m_kvm_fault_set(&reload->fault, "make the VM again", NULL, code);
	code = reload->vm->restore(reload->vm_arg);
	if (!code) {
		reload->mode = mode;
		reload->stopped = 0;
		return 0;
	}
	reload->vm->close(reload->vm_arg);
	return dav2m_kvm_fault_set(&reload->fault, "restore the vCPUs", NULL, code);
}

static int load_and_rebuild(struct dav2m_kvm_reload *reload, enum dav2m_mode mode)
{
	int code;

	if (!load(reload, mode))
		code = rebuild(reload, mode);
	else
		code = DAV2M_ERR_BACKEND;
	return code;
}

/* Back to the old mode, from a module that may or may not be loaded. The fault that led here
   stays, unless the way back fails too. */
static enum dav2m_outcome retreat(struct dav2m_kvm_reload *reload)
{
	struct dav2m_kvm_fault first = reload->fault;

	unload(reload);
	if (load_and_rebuild(reload, reload->mode)) {
		reload->stopped = 1;
		return DAV2M_FAILED;
	}
	reload->fault = first;
	return DAV2M_FAILED;
}

/* The module would not go: the old one is still there. */
static enum dav2m_outcome stay(struct dav2m_kvm_reload *reload, int code)
{
	struct dav2m_kvm_fault first;

	dav2m_kvm_fault_set(&first, "unload the kvm module",
			    busy(code) ? todo_busy : dav2m_kvm_fault_todo(code), code);
	reload->fault = first;
	if (rebuild(reload, reload->mode)) {
		reload->stopped = 1;
		return DAV2M_FAILED;
	}
	reload->fault = first;
	return busy(code) ? DAV2M_DEFERRED : DAV2M_FAILED;
}

static enum dav2m_outcome switch_do(struct dav2m_kvm_reload *reload, enum dav2m_mode to)
{
	int code = reload->vm->save(reload->vm_arg);

	if (code) {
		dav2m_kvm_fault_set(&reload->fault, "save the vCPUs", NULL, code);
		return DAV2M_FAILED;
	}
	reload->vm->close(reload->vm_arg);
	code = unload(reload);
	if (code)
		return stay(reload, code);
	return load_and_rebuild(reload, to) ? retreat(reload) : DAV2M_DONE;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

enum dav2m_outcome dav2m_kvm_reload_switch(struct dav2m_kvm_reload *reload, enum dav2m_mode to)
{
	uint64_t start = now_ns();
	enum dav2m_outcome outcome;

	if (!reload || (unsigned int)to >= DAV2M_MODES)
		return DAV2M_FAILED;
	if (reload->stopped) {
		dav2m_kvm_fault_set(&reload->fault, "switch a VM that has stopped",
				    "resume it first", 0);
		return DAV2M_FAILED;
	}
	if (to == reload->mode)
		return DAV2M_DONE;
	outcome = switch_do(reload, to);
	reload->last_ns = now_ns() - start;
	return outcome;
}

int dav2m_kvm_reload_resume(struct dav2m_kvm_reload *reload)
{
	enum dav2m_mode old, other;

	if (!reload)
		return DAV2M_ERR_NULL;
	if (!reload->stopped)
		return 0;
	old = reload->mode;
	other = old == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW;
	unload(reload);
	if (!load_and_rebuild(reload, old))
		return 0;
	unload(reload);
	return load_and_rebuild(reload, other) ? DAV2M_ERR_BACKEND : 0;
}
