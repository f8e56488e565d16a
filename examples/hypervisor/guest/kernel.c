/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's kernel: frames, address spaces, traps. Everything that a wrong paging mode switch
 * could spoil ends in a checksum: data, number and kind of traps, error codes, addresses.
 */
#include "kernel.h"

#define FIRST_FRAME 0x400000 /* above the kernel's image */
#define LAST_FRAME  0x3000000

struct task_state {
	uint32_t reserved_0;
	uint64_t rsp[3];
	uint64_t reserved_1;
	uint64_t ist[7];
	uint64_t reserved_2;
	uint32_t io;
} __attribute__((packed));

struct gate {
	uint16_t offset_0, selector;
	uint16_t type; /* 0x8e00: present, ring 0; 0xee00: also from ring 3; low bits: IST */
	uint16_t offset_16;
	uint32_t offset_32, reserved;
};

extern struct task_state tss;
extern uint64_t boot_pml4[512], boot_pdpt[512];
extern const uint8_t user_image[], user_start[];
extern const uint8_t user_size[]; /* its address is the size */
extern const char trap_double_fault[], trap_protection[], trap_page_fault[], trap_interrupt[],
	trap_system[], trap_breath[];

bool yielding;
uint64_t working_set;
uint64_t main_space;
const uint64_t trap_stack_page = KERNEL_PAGES;
const uint64_t idt_page = KERNEL_PAGES + 0x2000;

static uint64_t frame_bump = FIRST_FRAME;
static uint64_t frame_list; /* free frames, linked through their first word */
static uint64_t trap_sum;
static uint64_t zero_frame;
static uint64_t current_space;
static uint8_t fault_stack[8192] __attribute__((aligned(16)));

void yield(void)
{
	if (yielding)
		hypercall(CALL_YIELD, 0, 0);
}

uint64_t mix(uint64_t sum, uint64_t value)
{
	sum = (sum ^ value) * 0x9e3779b97f4a7c15ull;
	return sum ^ sum >> 29;
}

uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

/* Work that has nothing to do with memory. */
void compute(uint64_t steps)
{
	while (steps--)
		__asm__ volatile("" : : : "memory");
}

static _Noreturn void panic(uint64_t value)
{
	hypercall(CALL_REPORT, 99, value);
	hypercall(CALL_DONE, 0xdead000000000000ull | (value & 0xffff), 0);
	for (;;)
		;
}

void *frame_pointer(uint64_t gpa)
{
	return (void *)(KERNEL + gpa);
}

uint64_t frame_new(void)
{
	uint64_t gpa = frame_list;
	uint64_t *words;

	if (gpa) {
		frame_list = *(uint64_t *)frame_pointer(gpa);
	} else {
		gpa = frame_bump;
		frame_bump += 4096;
	}
	if (gpa >= LAST_FRAME)
		panic(1);
	words = frame_pointer(gpa);
	for (int i = 0; i < 512; i++)
		words[i] = 0;
	return gpa;
}

void frame_free(uint64_t gpa)
{
	*(uint64_t *)frame_pointer(gpa) = frame_list;
	frame_list = gpa;
}

uint64_t space_new(void)
{
	uint64_t space = frame_new();

	((uint64_t *)frame_pointer(space))[511] = boot_pml4[511];
	return space;
}

static void table_free(uint64_t table, int level)
{
	const uint64_t *entry = frame_pointer(table);

	for (int i = 0; i < (level == 4 ? 511 : 512); i++) {
		uint64_t to = entry[i] & ADDRESS;

		if (!(entry[i] & P) || to == zero_frame)
			continue;
		if (level > 1)
			table_free(to, level - 1);
		else
			frame_free(to);
	}
	frame_free(table);
}

void space_free(uint64_t space)
{
	table_free(space, 4);
}

void space_load(uint64_t space)
{
	current_space = space;
	__asm__ volatile("mov %0, %%cr3" : : "r"(space) : "memory");
}

uint64_t *pte_of(uint64_t space, uint64_t address, int level)
{
	uint64_t table = space;

	for (int l = 4;; l--) {
		uint64_t *entry =
			(uint64_t *)frame_pointer(table) + (address >> (12 + 9 * (l - 1)) & 511);

		if (l == level)
			return entry;
		if (!(*entry & P))
			return NULL;
		table = *entry & ADDRESS;
	}
}

uint64_t *pte_make(uint64_t space, uint64_t address, int level)
{
	for (int l = 4; l > level; l--) {
		uint64_t *entry = pte_of(space, address, l);

		if (!(*entry & P))
			*entry = frame_new() | P | W | U;
	}
	return pte_of(space, address, level);
}

void map(uint64_t space, uint64_t address, uint64_t gpa, uint64_t flags)
{
	*pte_make(space, address, 1) = gpa | flags | P;
}

void invlpg(uint64_t address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

uint64_t user(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	return user_run(function, USER_STACK + 4096, a, b, c);
}

uint64_t traps_seen(void)
{
	return trap_sum;
}

/* Demand paging: reading maps the shared page of zeros, writing maps or copies. */
static void demand(uint64_t address, uint64_t error)
{
	uint64_t *entry = pte_of(current_space, address, 1);

	if (entry && (*entry & P) && (error & 16)) {
		*entry &= ~NX;
	} else if (error & 2) {
		map(current_space, address, frame_new(), W | U | NX);
	} else {
		map(current_space, address, zero_frame, U | NX);
	}
	invlpg(address);
}

static void page_fault(const struct frame *f)
{
	uint64_t address;

	__asm__ volatile("mov %%cr2, %0" : "=r"(address));
	trap_sum = mix(mix(trap_sum, f->error), address);
	address &= ~0xfffull;
	if (address >= DEMAND_AREA && address < DEMAND_AREA + 0x1000000)
		demand(address, f->error);
	else if (address == trap_stack_page)
		*pte_of(current_space, address, 1) |= P;
	else
		panic(f->rip & 0xffff);
}

void kernel_trap(struct frame *f);

void kernel_trap(struct frame *f)
{
	trap_sum = mix(trap_sum, f->vector << 32 | f->cs);
	if (f->vector == VECTOR_SYSTEM)
		user_return(f->rdi);
	else if (f->vector == VECTOR_PAGE_FAULT)
		page_fault(f);
	else if (f->vector != VECTOR_INTERRUPT && f->vector != VECTOR_BREATH)
		panic(f->vector);
}

static struct gate *idt(void)
{
	return (struct gate *)idt_page;
}

static void gate_set(unsigned vector, const char *handler, uint16_t type)
{
	uint64_t address = (uint64_t)handler;

	idt()[vector] = (struct gate){(uint16_t)address,	 8, type, (uint16_t)(address >> 16),
				      (uint32_t)(address >> 32), 0};
}

/* ist 0: on the trap stack, whose page may be cold; ist 1: on one that is always there. */
void idt_page_fault_stack(unsigned ist)
{
	gate_set(VECTOR_PAGE_FAULT, trap_page_fault, (uint16_t)(0x8e00 | ist));
}

static void traps_init(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {4095, idt_page};

	map(main_space, trap_stack_page, frame_new(), W);
	map(main_space, idt_page, frame_new(), W);
	tss.rsp[0] = trap_stack_page + 4096;
	tss.ist[0] = (uint64_t)fault_stack + sizeof fault_stack;
	gate_set(8, trap_double_fault, 0x8e01);
	gate_set(13, trap_protection, 0x8e00);
	gate_set(VECTOR_INTERRUPT, trap_interrupt, 0x8e00);
	gate_set(VECTOR_SYSTEM, trap_system, 0xee00);
	gate_set(VECTOR_BREATH, trap_breath, 0xee00);
	idt_page_fault_stack(0);
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

static void user_init(void)
{
	uint64_t image = (uint64_t)user_image - KERNEL;

	for (uint64_t i = 0; i < (uint64_t)user_size; i += 4096)
		map(main_space, USER + i, image + i, W | U);
	map(main_space, USER_STACK, frame_new(), W | U);
	for (uint64_t i = 0; i < working_set; i++)
		map(main_space, CALM_AREA + i * 4096, frame_new(), W | U | NX);
}

typedef uint64_t phase(uint64_t work);
static phase *const phases[] = {phase_calm,   phase_rewrite,  phase_contexts,
				phase_demand, phase_accessed, phase_delivery};

void kernel_main(void);

void kernel_main(void)
{
	uint64_t rounds = hypercall(CALL_OPTION, OPTION_ROUNDS, 0);
	uint64_t work = hypercall(CALL_OPTION, OPTION_WORK, 0);
	uint64_t sum = 0;

	yielding = hypercall(CALL_OPTION, OPTION_YIELD, 0);
	working_set = hypercall(CALL_OPTION, OPTION_PAGES, 0);
	boot_pdpt[511] = frame_new() | P | W | A | D;
	main_space = space_new();
	space_load(main_space);
	zero_frame = frame_new();
	traps_init();
	user_init();
	while (rounds--)
		for (unsigned i = 0; i < sizeof phases / sizeof *phases; i++) {
			sum = mix(sum, phases[i](work));
			sum = mix(sum, traps_seen());
			hypercall(CALL_REPORT, i, sum);
		}
	hypercall(CALL_DONE, sum, 0);
	for (;;)
		;
}
