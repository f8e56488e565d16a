/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual processor: its VMCB from reset to run, events, TLB tags.
 */
#include <string.h>

#include "hypervisor.h"

#define EFER_GUEST 0x1d00ull	 /* LME, LMA, NXE, and SVME, without which VMRUN refuses */
#define CR0_GUEST  0x80010031ull /* PG, WP, NE, ET, PE: what shadow paging counts on */
#define CR4_GUEST  0x20ull	 /* PAE */

/* The guest's image begins with these, written by guest/start.S. */
struct guest_header {
	uint64_t load; /* guest-physical address of the image */
	uint64_t entry;
	uint64_t cr3;
	uint64_t stack;
};

extern const uint8_t guest_image[], guest_image_end[];

static struct vmcb guest_vmcb __attribute__((aligned(4096)));
static struct vmcb host_vmcb __attribute__((aligned(4096)));
static uint8_t io_bitmap[3 * 4096] __attribute__((aligned(4096)));
static uint8_t msr_bitmap[2 * 4096] __attribute__((aligned(4096)));

static void segments_init(struct vmcb *vmcb)
{
	const struct segment data = {.selector = 0x10, .attributes = 0xc93, .limit = ~0u};

	vmcb->cs = (struct segment){.selector = 8, .attributes = 0xa9b, .limit = ~0u};
	vmcb->ds = vmcb->es = vmcb->ss = vmcb->fs = vmcb->gs = data;
	vmcb->ldtr = (struct segment){.attributes = 0x82};
	vmcb->tr = (struct segment){.attributes = 0x8b, .limit = 0x67};
}

/* The guest starts in 64-bit mode, under nested paging with nothing mapped yet. */
static void guest_load(struct vcpu *v)
{
	const struct guest_header *header = (const void *)guest_image;
	struct vmcb *vmcb = v->vmcb;

	memcpy(guest_pointer(header->load), guest_image, (size_t)(guest_image_end - guest_image));
	vmcb->rip = header->entry;
	vmcb->rsp = header->stack;
	vmcb->cr3 = v->guest_cr3 = header->cr3;
}

void vcpu_init(struct vcpu *v)
{
	struct vmcb *vmcb = &guest_vmcb;

	v->vmcb = vmcb;
	v->paging = PAGING_NESTED;
	memset(io_bitmap, 0xff, sizeof io_bitmap);
	memset(msr_bitmap, 0xff, sizeof msr_bitmap);
	vmcb->iopm = (uint64_t)io_bitmap;
	vmcb->msrpm = (uint64_t)msr_bitmap;
	vmcb->intercept_1 = INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_HLT | INTERCEPT_INVLPGA |
			    INTERCEPT_IO | INTERCEPT_MSR | INTERCEPT_SHUTDOWN;
	vmcb->intercept_2 = INTERCEPT_SVM;
	vmcb->v_intr = V_INTR_MASKING;
	segments_init(vmcb);
	vmcb->efer = EFER_GUEST;
	vmcb->cr0 = CR0_GUEST;
	vmcb->cr4 = CR4_GUEST;
	vmcb->dr6 = 0xffff0ff0;
	vmcb->dr7 = 0x400;
	vmcb->rflags = 2;
	guest_load(v);
	shadow_init(v);
}

/*
 * Leaves all cached translations behind: the guest goes on under an ASID that it never had since
 * the last full flush, and asks for a full flush as well, because processors without flush by
 * ASID have nothing between. Clean bits fall: what the processor kept of the VMCB is void.
 */
void vcpu_flush(struct vcpu *v)
{
	v->generation++;
	v->vmcb->asid = 1 + (uint32_t)(v->generation % cpuid_max_asid());
	v->vmcb->tlb_control = TLB_FLUSH_ALL;
	v->vmcb->clean = 0;
}

/*
 * With #PF intercepted the processor has not touched the guest's CR2: it is ours to set. A page
 * fault takes the place of an exception whose delivery caused it, as on a real processor; out of
 * the delivery of another page fault it makes a double fault. An interrupt stays pending.
 */
void vcpu_inject_page_fault(struct vcpu *v, uint64_t address, uint32_t error)
{
	bool twice = EVENT_TYPE(v->owed) == EVENT_EXCEPTION && EVENT_VECTOR(v->owed) == 14;

	if (!EVENT_IS_EXTERNAL(v->owed))
		v->owed = 0;
	v->fault_address = address;
	if (!MUTANT(NO_CR2)) {
		v->vmcb->cr2 = address;
		v->vmcb->clean = 0;
	}
	v->vmcb->event = EVENT_VALID | EVENT_EXCEPTION | EVENT_HAS_ERROR;
	v->vmcb->event |= twice ? 8 : 14 | (uint64_t)error << 32;
}

void vcpu_skip(struct vcpu *v, uint32_t bytes)
{
	v->vmcb->rip += bytes;
	v->vmcb->interrupt_shadow = 0;
}

/* The guest's general register by its number in an instruction. */
uint64_t *vcpu_register(struct vcpu *v, unsigned number)
{
	struct registers *r = &v->regs;
	uint64_t *by_number[16] = {&v->vmcb->rax, &r->rcx, &r->rdx, &r->rbx, &v->vmcb->rsp, &r->rbp,
				   &r->rsi,	  &r->rdi, &r->r8,  &r->r9,  &r->r10,	    &r->r11,
				   &r->r12,	  &r->r13, &r->r14, &r->r15};

	return by_number[number & 15];
}

/* INT n, INT3, INTO. */
static bool is_instruction(uint64_t event)
{
	return EVENT_TYPE(event) == EVENT_SOFTWARE ||
	       (EVENT_TYPE(event) == EVENT_EXCEPTION &&
		(EVENT_VECTOR(event) == 3 || EVENT_VECTOR(event) == 4));
}

/*
 * Makes an external interrupt pending. Not through EVENTINJ: there QEMU 7.2 delivers an external
 * interrupt twice if its own main loop happens to turn soon after, and a guest whose interrupts
 * are off would get it all the same.
 */
void vcpu_interrupt(struct vcpu *v, uint8_t vector)
{
	v->vmcb->v_intr = V_INTR_MASKING | V_IRQ | V_IGNORE_TPR | V_VECTOR(vector);
	v->vmcb->clean = 0;
}

/*
 * An exit in the middle of an event's delivery leaves the event in EXITINTINFO, and nobody but
 * the hypervisor will deliver it again: exceptions through EVENTINJ, an external interrupt by
 * making it pending once more. An INT instruction is another matter: RIP still points at it, so it
 * simply runs again.
 */
static void event_keep(struct vcpu *v)
{
	uint64_t event = v->vmcb->exit_event;
	bool external = EVENT_IS_EXTERNAL(event);

	v->vmcb->event = 0;
	v->owed = 0;
	if (!(event & EVENT_VALID) || is_instruction(event))
		return;
	v->owed = event;
	v->count.redelivered++;
	if (external)
		v->vmcb->v_intr = V_INTR_MASKING; /* taken, says the architecture; QEMU keeps it */
	if (MUTANT(NO_REINJECTION))
		v->owed = 0;
	else if (external)
		vcpu_interrupt(v, (uint8_t)EVENT_VECTOR(event));
	else
		v->vmcb->event = event;
}

/* One stay in the guest. What the exit asks for is in the VMCB. */
void vcpu_run(struct vcpu *v)
{
	struct vmcb *vmcb = v->vmcb;

	invariant_check(v);
	world_switch((uint64_t)vmcb, (uint64_t)&host_vmcb, &v->regs);
	vmcb->tlb_control = 0;
	vmcb->clean = VMCB_CLEAN_ALL;
	invariant_after_exit(v);
	event_keep(v);
}
