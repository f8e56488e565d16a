/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failures on purpose, one for each step of a switch, so that tests see the way back from it.
 * Those of the host are real: another VM is opened, a file that is no module is loaded.
 */
#ifndef KVM_RELOAD_FAIL_H
#define KVM_RELOAD_FAIL_H

#include <dav2m/kvm/reload.h>

enum fail_step {
	FAIL_NOTHING = 0,
	FAIL_SAVE,    /* the vCPU cannot be saved */
	FAIL_BUSY,    /* another VM keeps the module busy */
	FAIL_LOAD,    /* the kernel refuses the module */
	FAIL_MODE,    /* the module comes up in the old mode */
	FAIL_OPEN,    /* the VM cannot be made again */
	FAIL_RESTORE, /* the vCPU refuses its state */
	FAIL_STOP     /* the kernel refuses the module in both modes */
};

struct fail {
	enum fail_step step;
	unsigned int switches; /* begun so far; the second one fails */
	unsigned int done;     /* 1: it has failed, or was mended */
	int other_kvm;	       /* of the other VM */
	int other_vm;
	struct dav2m_kvm_module *modules_arg;
};

/* FAIL_NOTHING for a name that is none. */
enum fail_step fail_parse(const char *name);
const char *fail_name(enum fail_step step);

/* 1 if this step is to fail now; once. */
int fail_now(struct fail *fail, enum fail_step step);
/* Called when the VM is closed: a switch is under way. */
void fail_after_close(struct fail *fail);
/* Nothing fails any more. */
void fail_mend(struct fail *fail);

/* Module operations: the real ones, except where a step is to fail. */
extern const struct dav2m_kvm_reload_modules fail_modules;

#endif
