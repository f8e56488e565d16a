/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switching on an unmodified kernel: save the VM, reload the kvm module in the other mode, make
 * the VM again on the same memory, restore.
 *
 * Limits: the mode is the host's, so no other VM may be open; needs root (CAP_SYS_MODULE); what
 * <dav2m/kvm/state.h> does not carry the VMM must save itself in its callbacks.
 */
#ifndef DAV2M_KVM_RELOAD_H
#define DAV2M_KVM_RELOAD_H

#include <dav2m/controller.h>
#include <dav2m/kvm/fault.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The VMM's part. Each answers 0 or an errno. All vCPUs are out of KVM_RUN throughout. */
struct dav2m_kvm_reload_vm {
	/* Saves every vCPU. The VM stays open. */
	int (*save)(void *vm);
	/* Closes every descriptor of KVM, /dev/kvm and statistics included. Cannot fail. */
	void (*close)(void *vm);
	/* Makes VM and vCPUs again on the same memory. If it fails, nothing is left open. */
	int (*open)(void *vm, enum dav2m_mode mode);
	/* Restores every vCPU. If it fails, the VM stays open. */
	int (*restore)(void *vm);
};

/* The host's part; dav2m_kvm_modules is the real one. Each answers 0 or an errno. */
struct dav2m_kvm_reload_modules {
	int (*unload)(void *arg);
	int (*load)(void *arg, enum dav2m_mode mode);
	/* The mode that the loaded module runs, as the kernel tells it. */
	int (*running)(void *arg, enum dav2m_mode *ret_mode);
};

/* The argument of dav2m_kvm_modules. */
struct dav2m_kvm_module {
	const char *name;      /* "kvm_amd" or "kvm_intel" */
	const char *path;      /* of its .ko (also .ko.xz, .ko.zst where the kernel unpacks them) */
	const char *parameter; /* "npt" or "ept" */
	const char *sysfs;     /* normally "/sys" */
};
DAV2M_API extern const struct dav2m_kvm_reload_modules dav2m_kvm_modules;

struct dav2m_kvm_reload {
	const struct dav2m_kvm_reload_vm *vm;
	void *vm_arg;
	const struct dav2m_kvm_reload_modules *modules;
	void *modules_arg;
	enum dav2m_mode mode;	      /* that the VM runs; set before the first switch */
	int stopped;		      /* 1: no VM is open any more; guest memory is intact */
	uint64_t last_ns;	      /* duration of the last switch, failed ones included */
	struct dav2m_kvm_fault fault; /* of the last switch that was not DONE */
};

/*
 * Switches. DONE: the VM runs in the new mode. DEFERRED: another VM keeps the module busy; ours
 * was made again in the old mode. FAILED: something refused, and the VM was made again in the
 * old mode; if that failed too, stopped is 1, and the VMM must not run its vCPUs: its memory is
 * whole, the state saved last is whole, and it may try dav2m_kvm_reload_resume() later.
 */
DAV2M_API enum dav2m_outcome dav2m_kvm_reload_switch(struct dav2m_kvm_reload *reload,
						     enum dav2m_mode to);

/* Makes a stopped VM again in whatever mode can be had, the old one first. Answers 0 or
   DAV2M_ERR_BACKEND, with the reason in reload->fault. */
DAV2M_API int dav2m_kvm_reload_resume(struct dav2m_kvm_reload *reload);

#ifdef __cplusplus
}
#endif

#endif
