/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VM itself: KVM's file descriptors, registers, the run loop.
 */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE		      4096u
#define CPUID_ENTRIES	      256u
#define TSS_ADDRESS	      0xfffbd000u /* three pages that Intel's real mode needs; anywhere unused */
#define CR0_PE_MP_ET_NE_WP_PG 0x80010033u
#define CR4_PAE		      0x20u
#define EFER_SCE_LME_LMA      0x501u
#define RFLAGS_FIXED	      2u

static int fail(struct guest_vm *vm, const char *what)
{
	snprintf(vm->error, sizeof(vm->error), "%s: %s", what, strerror(errno));
	return -1;
}

const char *guest_phase_name(unsigned int phase)
{
	static const char *const name[GUEST_PHASES] = {"calm", "cold", "remap", "fault", "space"};

	return phase < GUEST_PHASES ? name[phase] : "?";
}

int guest_memory_create(struct guest_vm *vm, unsigned int vcpus, uint64_t calm_pages,
			uint64_t cold_pages)
{
	uint64_t arena = (calm_pages + cold_pages) * PAGE;
	uint64_t slice =
		(SLICE_ARENA + arena + GUEST_SLICE_ALIGN - 1) & ~(GUEST_SLICE_ALIGN - 1ull);
	void *memory;

	vm->kvm_fd = vm->vm_fd = -1;
	if (vcpus < 1 || vcpus > GUEST_VCPUS_MAX || calm_pages < 1 || cold_pages < 1 ||
	    GUEST_SLICE0 + vcpus * slice > GUEST_WINDOW) {
		errno = EINVAL;
		return fail(vm, "guest memory must be 1 to 8 slices below 1 GiB");
	}
	vm->vcpus = vcpus;
	vm->slice_bytes = slice;
	vm->memory_bytes = GUEST_SLICE0 + vcpus * slice;
	memory = mmap(NULL, vm->memory_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return fail(vm, "guest memory");
	vm->memory = memory;
	guest_image_write(vm);
	for (unsigned int i = 0; i < vcpus; i++) {
		vm->vcpu[i].fd = -1;
		guest_slice_write(vm, i, calm_pages, cold_pages);
	}
	return 0;
}

void guest_memory_free(struct guest_vm *vm)
{
	if (vm->memory)
		munmap(vm->memory, vm->memory_bytes);
	free(vm->cpuid);
	vm->memory = NULL;
	vm->cpuid = NULL;
}

static int cpuid_read(struct guest_vm *vm)
{
	if (vm->cpuid)
		return 0;
	vm->cpuid = calloc(1, sizeof(*vm->cpuid) + CPUID_ENTRIES * sizeof(vm->cpuid->entries[0]));
	if (!vm->cpuid)
		return fail(vm, "memory for CPUID");
	vm->cpuid->nent = CPUID_ENTRIES;
	return ioctl(vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, vm->cpuid)
		       ? fail(vm, "KVM_GET_SUPPORTED_CPUID")
		       : 0;
}

static int vcpu_open(struct guest_vm *vm, unsigned int index)
{
	struct guest_vcpu *vcpu = &vm->vcpu[index];
	void *run;

	vcpu->fd = ioctl(vm->vm_fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd < 0)
		return fail(vm, "KVM_CREATE_VCPU");
	run = mmap(NULL, vm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return fail(vm, "the vCPU's run page");
	vcpu->run = run;
	return ioctl(vcpu->fd, KVM_SET_CPUID2, vm->cpuid) ? fail(vm, "KVM_SET_CPUID2") : 0;
}

/* A signal makes KVM_CREATE_VM give up with EINTR: none until it is done. */
static int vm_create(struct guest_vm *vm)
{
	sigset_t all, old;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	vm->vm_fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0ul);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return vm->vm_fd < 0 ? fail(vm, "KVM_CREATE_VM") : 0;
}

static int memory_give(struct guest_vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = vm->memory_bytes,
		.userspace_addr = (uintptr_t)vm->memory,
	};

	if (ioctl(vm->vm_fd, KVM_SET_TSS_ADDR, (unsigned long)TSS_ADDRESS))
		return fail(vm, "KVM_SET_TSS_ADDR");
	return ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region)
		       ? fail(vm, "KVM_SET_USER_MEMORY_REGION")
		       : 0;
}

static int vm_build(struct guest_vm *vm)
{
	int bytes;

	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0)
		return fail(vm, "/dev/kvm");
	bytes = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0ul);
	if (bytes <= 0)
		return fail(vm, "KVM_GET_VCPU_MMAP_SIZE");
	vm->run_bytes = (size_t)bytes;
	if (cpuid_read(vm) || vm_create(vm) || memory_give(vm))
		return -1;
	for (unsigned int i = 0; i < vm->vcpus; i++)
		if (vcpu_open(vm, i))
			return -1;
	return 0;
}

int guest_vm_open(struct guest_vm *vm)
{
	if (!vm_build(vm))
		return 0;
	guest_vm_close(vm);
	return -1;
}

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void guest_vm_close(struct guest_vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpus; i++) {
		if (vm->vcpu[i].run)
			munmap(vm->vcpu[i].run, vm->run_bytes);
		vm->vcpu[i].run = NULL;
		fd_close(&vm->vcpu[i].fd);
	}
	fd_close(&vm->vm_fd);
	fd_close(&vm->kvm_fd);
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, uint8_t l)
{
	struct kvm_segment s = {
		.selector = selector,
		.limit = 0xffffffff,
		.type = type,
		.present = 1,
		.s = 1,
		.g = 1,
		.l = l,
		.db = !l,
	};

	return s;
}

static void sregs_fill(struct kvm_sregs *sregs, uint64_t slice)
{
	struct kvm_segment tss = {.selector = 0x28,
				  .base = slice + SLICE_TSS,
				  .limit = 0x67,
				  .type = 11,
				  .present = 1};

	sregs->cs = segment(0x08, 11, 1);
	sregs->ds = sregs->es = sregs->ss = segment(0x10, 3, 0);
	sregs->fs = sregs->gs = sregs->ds;
	sregs->tr = tss;
	sregs->gdt.base = slice + SLICE_GDT;
	sregs->gdt.limit = 0x37;
	sregs->idt.base = slice + SLICE_IDT;
	sregs->idt.limit = 32 * 16 - 1;
	sregs->cr0 = CR0_PE_MP_ET_NE_WP_PG;
	sregs->cr3 = slice + SLICE_PML4;
	sregs->cr4 = CR4_PAE;
	sregs->efer = EFER_SCE_LME_LMA;
}

int guest_vcpu_reset(struct guest_vm *vm, unsigned int index)
{
	uint64_t slice = guest_slice_address(vm, index);
	struct kvm_regs regs = {
		.rip = guest_entry(),
		.rsp = slice + SLICE_STACK0_TOP,
		.rdi = slice + SLICE_BOARD,
		.rsi = slice + SLICE_STACK3_TOP - 8, /* as after a call: the ABI's alignment */
		.rflags = RFLAGS_FIXED,
	};
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu[index].fd, KVM_GET_SREGS, &sregs))
		return fail(vm, "KVM_GET_SREGS");
	sregs_fill(&sregs, slice);
	if (ioctl(vm->vcpu[index].fd, KVM_SET_SREGS, &sregs))
		return fail(vm, "KVM_SET_SREGS");
	return ioctl(vm->vcpu[index].fd, KVM_SET_REGS, &regs) ? fail(vm, "KVM_SET_REGS") : 0;
}

/* What the guest asked for through the port: -1 to go on, or why to stop. */
static int told(struct guest_vm *vm, unsigned int index)
{
	struct guest_vcpu *vcpu = &vm->vcpu[index];
	const struct kvm_run *run = vcpu->run;
	unsigned char what = ((const unsigned char *)run)[run->io.data_offset];
	uint64_t cold = vcpu->board->slice + SLICE_ARENA + vcpu->board->calm_pages * PAGE;

	if (run->io.port != GUEST_PORT || run->io.direction != KVM_EXIT_IO_OUT) {
		snprintf(vm->error, sizeof(vm->error), "I/O at port 0x%x", run->io.port);
		return GUEST_BROKEN;
	}
	if (what == TELL_END)
		return GUEST_ENDED;
	if (what == TELL_COLD) {
		madvise(vm->memory + cold, vcpu->board->cold_pages * PAGE, MADV_DONTNEED);
		return -1;
	}
	snprintf(vm->error, sizeof(vm->error), "vCPU %u took an exception it has no handler for",
		 index);
	return GUEST_BROKEN;
}

enum guest_exit guest_vcpu_run(struct guest_vm *vm, unsigned int index)
{
	struct guest_vcpu *vcpu = &vm->vcpu[index];
	int why;

	for (;;) {
		if (ioctl(vcpu->fd, KVM_RUN, 0ul)) {
			if (errno == EINTR || errno == EAGAIN)
				return GUEST_INTERRUPTED;
			fail(vm, "KVM_RUN");
			return GUEST_BROKEN;
		}
		if (vcpu->run->exit_reason != KVM_EXIT_IO) {
			snprintf(vm->error, sizeof(vm->error),
				 "vCPU %u stopped: KVM exit reason %u", index,
				 vcpu->run->exit_reason);
			return GUEST_BROKEN;
		}
		why = told(vm, index);
		if (why >= 0)
			return (enum guest_exit)why;
	}
}

int guest_vcpu_quiesce(struct guest_vm *vm, unsigned int index)
{
	struct guest_vcpu *vcpu = &vm->vcpu[index];
	int answer;

	vcpu->run->immediate_exit = 1;
	answer = ioctl(vcpu->fd, KVM_RUN, 0ul);
	vcpu->run->immediate_exit = 0;
	if (answer && errno != EINTR)
		return fail(vm, "KVM_RUN with immediate_exit");
	return 0;
}
