/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each exit asks for.
 */
#include "hypervisor.h"

/* The guest's calls, in RAX; arguments in RDI, RSI. guest/hypercall.h has the same numbers. */
enum { CALL_REPORT = 1, CALL_DONE, CALL_INTERRUPT, CALL_YIELD, CALL_OPTION };

#define VMMCALL_BYTES 3

static const char *const phase_name[] = {"calm",   "rewrite",  "contexts",
					 "demand", "accessed", "delivery"};
#define PHASES (sizeof phase_name / sizeof *phase_name)

/* The guest's options: what the host's command line says about them, or the defaults there. */
static uint64_t guest_option(uint64_t number)
{
	switch (number) {
	case 0:
		return option_number("rounds", 1);
	case 1:
		return option_number("work", 1);
	case 2:
		return option_number("pages", 64);
	case 3:
		return option_number("yield", 0);
	default:
		return 0;
	}
}

static void hypercall(struct vcpu *v)
{
	uint64_t a = v->regs.rdi;
	uint64_t b = v->regs.rsi;

	v->count.hypercalls++;
	vcpu_skip(v, VMMCALL_BYTES);
	switch (v->vmcb->rax) {
	case CALL_REPORT:
		if (option_number("verbose", 0))
			print("guest: %s %x\n", a < PHASES ? phase_name[a] : "?", b);
		return;
	case CALL_DONE:
		v->guest_done = true;
		v->guest_checksum = a;
		return;
	case CALL_INTERRUPT:
		vcpu_interrupt(v, (uint8_t)a);
		return;
	case CALL_YIELD:
		return;
	case CALL_OPTION:
		v->vmcb->rax = guest_option(a);
		return;
	default:
		stop("unknown hypercall", v->vmcb->rax);
	}
}

static struct instruction decode_as(struct vcpu *v, unsigned kind)
{
	struct instruction in = decode(v);

	if (in.kind != kind)
		stop("cannot decode the intercepted instruction", v->vmcb->rip);
	vcpu_skip(v, in.length);
	return in;
}

static void page_fault(struct vcpu *v)
{
	if (v->paging != PAGING_SHADOW)
		stop("#PF intercepted under nested paging", v->vmcb->exit_info_2);
	shadow_fault(v);
}

static void cr3_access(struct vcpu *v)
{
	struct instruction in;

	if (v->paging != PAGING_SHADOW)
		stop("CR3 intercepted under nested paging", v->vmcb->rip);
	if (v->vmcb->exit_code == EXIT_CR3_READ) {
		in = decode_as(v, MOV_FROM_CR3);
		*vcpu_register(v, in.reg) = v->guest_cr3;
		return;
	}
	v->count.cr3_loads++;
	in = decode_as(v, MOV_TO_CR3);
	shadow_load_cr3(v, *vcpu_register(v, in.reg));
}

static void invlpg(struct vcpu *v)
{
	v->count.invlpgs++;
	shadow_invlpg(v, decode_as(v, INVLPG).address);
}

bool exit_handle(struct vcpu *v)
{
	v->count.exits++;
	switch (v->vmcb->exit_code) {
	case EXIT_PF:
		page_fault(v);
		return true;
	case EXIT_CR3_READ:
	case EXIT_CR3_WRITE:
		cr3_access(v);
		return true;
	case EXIT_INVLPG:
		invlpg(v);
		return true;
	case EXIT_NPF:
		nested_fault(v);
		return false;
	case EXIT_VMMCALL:
		hypercall(v);
		return false;
	case EXIT_INTR:
		v->count.timer_exits++;
		interrupt_window();
		return false;
	case EXIT_SHUTDOWN:
		stop("the guest shut down (triple fault)", v->vmcb->rip);
	default:
		print("rip %x, exit_info %x %x\n", v->vmcb->rip, v->vmcb->exit_info_1,
		      v->vmcb->exit_info_2);
		stop("exit that this hypervisor does not know", v->vmcb->exit_code);
	}
}
