/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the subcommands of `dav2m kvm` share.
 */
#ifndef DAV2M_TOOLS_KVM_COMMON_H
#define DAV2M_TOOLS_KVM_COMMON_H

#include <dav2m/kvm/kvm.h>

#define KVM_AWAIT_MS 20 /* between two looks for a guest or its work: a choice */

int kvm_list(int argc, char **argv);
int kvm_record(int argc, char **argv);
int kvm_watch(int argc, char **argv);
int kvm_advise(int argc, char **argv);

/* A PID, or the name of the one guest that has it. The PID, or -1 after a complaint. */
int kvm_pid_find(const char *text);
/* Returns 0 when a guest of this name has vCPUs and, if it ever will, statistics, -1 on ctrl-C or
 * after a complaint. */
int kvm_await(const char *name, const char *qmp);
/* Complains with the fault in words. */
void kvm_complain(const struct dav2m_kvm_fault *fault);
/* Attaches, and says once what is read from where and what is missing. NULL after a complaint. */
struct dav2m_kvm_guest *kvm_attach(const char *who, const char *qmp, int quiet);
/* Whether the guest's cycles are its CPU time in ns; known once it was sampled. */
int kvm_cycles_are_ns(const struct dav2m_kvm_guest *guest);
/* Sleeps until the next multiple of interval_ms after *next_ns; 0, or 1 if ctrl-C came. */
int kvm_wait(uint64_t *next_ns, uint32_t interval_ms);
/* From now on ctrl-C and SIGTERM end kvm_wait(). */
void kvm_signals(void);
uint64_t kvm_now_ns(void);
/* A number from low to high; argp_error() otherwise. */
struct argp_state;
uint32_t kvm_number(const char *option, const char *text, uint32_t low, uint32_t high,
		    const struct argp_state *state);

#endif
