/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch itself: the running guest's memory changes from shadow to nested paging or back.
 *
 * It may happen after any exit, also one that interrupted the delivery of an event: what is
 * owed to the guest is in the VMCB and stays there. The guest sees nothing of it. Three things
 * make it correct:
 *
 *  1. The guest's CR3 moves. Under nested paging the guest owns VMCB.CR3; under shadow paging the
 *     shadow root is there, and the guest's value is kept beside it.
 *  2. Shadow state never outlives the stay it was made in. Under nested paging nobody sees the
 *     guest write its page tables, so shadow tables from before tell a past that is gone.
 *     On the way to nested paging they are zapped - no root, nothing write-protected - before
 *     the guest runs; on the way back their memory is taken again. Nested tables
 *     are kept: they do not depend on the guest's.
 *  3. Every cached translation belongs to the old mode: new ASID, flushed TLB, no clean bits.
 */
#include "hypervisor.h"

/* The processor's reset value: write-back, write-through, uncached-, uncached, twice. */
#define PAT_DEFAULT 0x0007040600070406ull

/* What only shadow paging has to see. Nested paging must see none of it. */
static void intercept_paging(struct vmcb *vmcb, bool on)
{
	uint32_t cr = INTERCEPT_CR0_WRITE | INTERCEPT_CR3_READ | INTERCEPT_CR3_WRITE |
		      INTERCEPT_CR4_WRITE;

	if (on) {
		vmcb->intercept_cr |= cr;
		vmcb->intercept_exception |= INTERCEPT_PF;
		vmcb->intercept_1 |= INTERCEPT_INVLPG;
		return;
	}
	if (!MUTANT(CR3_INTERCEPT_LEFT_ON))
		vmcb->intercept_cr &= ~cr;
	if (!MUTANT(PF_INTERCEPT_LEFT_ON))
		vmcb->intercept_exception &= ~(uint32_t)INTERCEPT_PF;
	vmcb->intercept_1 &= ~(uint32_t)INTERCEPT_INVLPG;
}

static void to_shadow(struct vcpu *v)
{
	struct vmcb *vmcb = v->vmcb;

	if (!MUTANT(STALE_GUEST_CR3) || !v->guest_cr3)
		v->guest_cr3 = vmcb->cr3;
	vmcb->nested_enable = 0;
	intercept_paging(vmcb, true);
	if (!MUTANT(NO_SHADOW_DROP))
		shadow_drop();
	shadow_load_root(v);
}

static void to_nested(struct vcpu *v)
{
	struct vmcb *vmcb = v->vmcb;

	if (!MUTANT(RUN_BEFORE_ZAP))
		shadow_zap();
	intercept_paging(vmcb, false);
	if (!MUTANT(CR3_NOT_RESTORED))
		vmcb->cr3 = v->guest_cr3;
	vmcb->nested_cr3 = nested_root();
	vmcb->nested_enable = 1;
	vmcb->g_pat = PAT_DEFAULT;
}

void switch_paging(struct vcpu *v, enum paging to)
{
	uint64_t start = time_stamp();

	v->paging = to;
	if (to == PAGING_SHADOW)
		to_shadow(v);
	else
		to_nested(v);
	if (!MUTANT(NO_FLUSH))
		vcpu_flush(v);
	v->count.switches[to]++;
	v->count.switch_ticks[to] += time_stamp() - start;
}
