/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must hold before each entry. An emulator flushes its TLB at every world switch and knows no
 * clean bits, so a violation would not show there, and on a real processor only some day.
 */
#include "hypervisor.h"

/* The fields that a processor may keep cached while their clean bits say so. */
struct cached {
	uint64_t intercepts[3];
	uint64_t v_intr, asid, nested_enable, nested_cr3, cr0, cr3, cr4, efer, cr2, g_pat;
};

static struct cached last;
static enum paging last_paging;
static uint64_t last_generation;
static bool ran;

static struct cached cached_of(const struct vmcb *vmcb)
{
	return (struct cached){
		.intercepts = {vmcb->intercept_cr, vmcb->intercept_exception, vmcb->intercept_1},
		.v_intr = vmcb->v_intr,
		.asid = vmcb->asid,
		.nested_enable = vmcb->nested_enable,
		.nested_cr3 = vmcb->nested_cr3,
		.cr0 = vmcb->cr0,
		.cr3 = vmcb->cr3,
		.cr4 = vmcb->cr4,
		.efer = vmcb->efer,
		.cr2 = vmcb->cr2,
		.g_pat = vmcb->g_pat,
	};
}

static void require(bool holds, const char *rule)
{
	if (!holds)
		stop(rule, 0);
}

/* Called after each exit too: what the guest itself changed is no violation. */
static bool same(const struct cached *a, const struct cached *b)
{
	const uint64_t *x = (const uint64_t *)a;
	const uint64_t *y = (const uint64_t *)b;

	for (size_t i = 0; i < sizeof *a / sizeof *x; i++)
		if (x[i] != y[i])
			return false;
	return true;
}

static void check_switch(const struct vcpu *v)
{
	if (!ran || v->paging == last_paging)
		return;
	require(v->generation != last_generation, "invariant: mode change without a new ASID");
	require(v->vmcb->tlb_control != 0, "invariant: mode change without a TLB flush");
	require(v->vmcb->clean == 0, "invariant: mode change with clean bits");
}

static bool delivers_again(const struct vcpu *v)
{
	if (EVENT_IS_EXTERNAL(v->owed))
		return (v->vmcb->v_intr & V_IRQ) && v->vmcb->v_intr >> 32 == EVENT_VECTOR(v->owed);
	return v->vmcb->event == v->owed;
}

static void check_event(const struct vcpu *v)
{
	uint64_t event = v->vmcb->event;

	if (v->owed)
		require(delivers_again(v), "invariant: interrupted event not delivered again");
	if ((event & EVENT_VALID) && event != v->owed && EVENT_VECTOR(event) == 14)
		require(v->vmcb->cr2 == v->fault_address, "invariant: #PF without its CR2");
}

void invariant_check(const struct vcpu *v)
{
	struct cached now = cached_of(v->vmcb);

	if (v->paging == PAGING_NESTED)
		require(!shadow_is_live(), "invariant: guest runs before the zap");
	require(v->vmcb->nested_enable == (v->paging == PAGING_NESTED),
		"invariant: mode and NP_ENABLE differ");
	check_switch(v);
	check_event(v);
	require(same(&now, &last) || v->vmcb->clean == 0, "invariant: changed field left clean");
	last_paging = v->paging;
	last_generation = v->generation;
	ran = true;
}

/* After an exit the VMCB is as the processor left it: that is what it may hold cached. */
void invariant_after_exit(const struct vcpu *v)
{
	last = cached_of(v->vmcb);
}
