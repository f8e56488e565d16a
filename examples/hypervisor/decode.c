/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes what shadow paging intercepts: MOV to and from CR3 (0F 22, 0F 20) and INVLPG (0F 01 /7).
 * Newer processors report operands with the exit ("decode assists"); this works on all.
 */
#include <string.h>

#include "hypervisor.h"

struct bytes {
	uint8_t byte[15]; /* the longest instruction there is */
	uint32_t next;
	uint8_t rex;
};

static uint8_t take(struct bytes *b)
{
	if (b->next >= sizeof b->byte)
		stop("instruction too long", b->next);
	return b->byte[b->next++];
}

static int64_t take_signed(struct bytes *b, unsigned n)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value |= (uint64_t)take(b) << (8 * i);
	return n == 1 ? (int8_t)value : (int32_t)value;
}

static unsigned rex_bit(const struct bytes *b, unsigned bit)
{
	return b->rex >> bit & 1 ? 8 : 0;
}

/* Base and index of a SIB byte. */
static uint64_t sib_address(struct vcpu *v, struct bytes *b, unsigned mod)
{
	uint8_t sib = take(b);
	unsigned base = (sib & 7u) | rex_bit(b, 0);
	unsigned index = (sib >> 3 & 7u) | rex_bit(b, 1);
	uint64_t address = index == 4 ? 0 : *vcpu_register(v, index) << (sib >> 6);

	if ((sib & 7) == 5 && mod == 0)
		return address + (uint64_t)take_signed(b, 4);
	return address + *vcpu_register(v, base);
}

/* The address of a memory operand. Segment bases are 0 in 64-bit mode; FS and GS are refused. */
static uint64_t memory_address(struct vcpu *v, struct bytes *b, uint8_t modrm)
{
	unsigned mod = modrm >> 6;
	unsigned rm = modrm & 7u;
	uint64_t address;

	if (mod == 0 && rm == 5) { /* relative to the next instruction; INVLPG has no immediate */
		address = (uint64_t)take_signed(b, 4);
		return address + v->vmcb->rip + b->next;
	}
	address = rm == 4 ? sib_address(v, b, mod) : *vcpu_register(v, rm | rex_bit(b, 0));
	if (mod == 1)
		address += (uint64_t)take_signed(b, 1);
	if (mod == 2)
		address += (uint64_t)take_signed(b, 4);
	return address;
}

struct instruction decode(struct vcpu *v)
{
	struct instruction in = {.kind = INSTRUCTION_UNKNOWN};
	struct bytes b = {.next = 0};
	uint8_t opcode, modrm;
	size_t here = 4096 - (v->vmcb->rip & 0xfff);

	if (!guest_read(v, v->vmcb->rip, b.byte, here < 15 ? here : 15) ||
	    (here < 15 && !guest_read(v, v->vmcb->rip, b.byte, 15)))
		stop("cannot read the instruction to decode", v->vmcb->rip);
	if ((b.byte[0] & 0xf0) == 0x40)
		b.rex = take(&b);
	if (take(&b) != 0x0f)
		return in;
	opcode = take(&b);
	modrm = take(&b);
	in.reg = (modrm & 7u) | rex_bit(&b, 0);
	if ((opcode == 0x22 || opcode == 0x20) && (modrm & 0xf8) == 0xd8) {
		in.kind = opcode == 0x22 ? MOV_TO_CR3 : MOV_FROM_CR3;
	} else if (opcode == 0x01 && (modrm & 0x38) == 0x38 && modrm < 0xc0) {
		in.kind = INVLPG;
		in.address = memory_address(v, &b, modrm);
	}
	in.length = b.next;
	return in;
}
