/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This processor: is SVM there, interrupt table, local APIC and its one-shot timer.
 */
#include "hypervisor.h"

#define MSR_APIC_BASE	0x1b
#define MSR_EFER	0xc0000080
#define MSR_VM_CR	0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117
#define EFER_SVME	(1ull << 12)
#define VM_CR_SVMDIS	(1ull << 4)

#define APIC		  ((volatile uint32_t *)0xfee00000)
#define APIC_SPURIOUS	  (0xf0 / 4)
#define APIC_TIMER	  (0x320 / 4)
#define APIC_TIMER_COUNT  (0x380 / 4)
#define APIC_TIMER_DIVIDE (0x3e0 / 4)
#define APIC_DIVIDE_BY_1  0xb

#define VECTOR_TIMER	0x20
#define VECTOR_SPURIOUS 0xff

struct gate {
	uint16_t offset_0;
	uint16_t selector;
	uint16_t type; /* 0x8e00: present, ring 0, interrupt gate */
	uint16_t offset_16;
	uint32_t offset_32;
	uint32_t reserved;
};

static struct gate idt[256];
static uint8_t host_save[4096] __attribute__((aligned(4096)));
static uint32_t max_asid;

extern const char exception_stub[], timer_stub[], spurious_stub[];

uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

void msr_write(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

uint64_t time_stamp(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static void gate_set(unsigned vector, const char *handler)
{
	uint64_t address = (uint64_t)handler;

	idt[vector] = (struct gate){.offset_0 = (uint16_t)address,
				    .selector = 8,
				    .type = 0x8e00,
				    .offset_16 = (uint16_t)(address >> 16),
				    .offset_32 = (uint32_t)(address >> 32)};
}

static void interrupts_init(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {sizeof idt - 1, (uint64_t)idt};

	for (unsigned i = 0; i < 32; i++)
		gate_set(i, exception_stub);
	gate_set(VECTOR_TIMER, timer_stub);
	gate_set(VECTOR_SPURIOUS, spurious_stub);
	__asm__ volatile("lidt %0" : : "m"(pointer));

	/* The old interrupt controllers are masked; only the APIC's timer is wanted. */
	__asm__ volatile("outb %0, $0x21; outb %0, $0xa1" : : "a"((uint8_t)0xff));
	msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | 1u << 11);
	APIC[APIC_SPURIOUS] = 0x100 | VECTOR_SPURIOUS;
	APIC[APIC_TIMER] = VECTOR_TIMER;
	APIC[APIC_TIMER_DIVIDE] = APIC_DIVIDE_BY_1;
}

void timer_arm(uint64_t ticks)
{
	APIC[APIC_TIMER_COUNT] = (uint32_t)ticks;
}

static void svm_init(void)
{
	uint32_t a, b, c, d;

	__asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0x80000001), "c"(0));
	if (!(c & 1u << 2))
		stop("this processor has no SVM", c);
	if (msr_read(MSR_VM_CR) & VM_CR_SVMDIS)
		stop("the firmware has disabled SVM", 0);
	__asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0x8000000a), "c"(0));
	if (!(d & 1))
		stop("this processor has no nested paging", d);
	max_asid = b - 1;
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_VM_HSAVE_PA, (uint64_t)host_save);
}

uint32_t cpuid_max_asid(void)
{
	return max_asid;
}

void machine_init(void)
{
	interrupts_init();
	svm_init();
}
