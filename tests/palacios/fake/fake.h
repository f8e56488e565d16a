/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake as tests see it: plain types only, because Palacios' types and those of Check's
 * headers cannot meet in one translation unit.
 */
#ifndef FAKE_H
#define FAKE_H

typedef unsigned long long fake_u64;

/* What the machine and the VM are before the extension is configured. */
struct fake_setup {
	int cores;
	int vmx, old_svm, nested_start, multiboot, hvm, tracked; /* each one a reason to refuse */
	int no_pmu;
	int pmu_slots; /* programmable counters of the PMU; AMD has 4 */
};

/* One core, field by field. */
struct fake_look {
	int nested;
	fake_u64 cr0, cr3, cr4, efer;
	fake_u64 guest_cr0, guest_cr3, guest_cr4, guest_efer;
	fake_u64 root;
	int np_enable;
	fake_u64 n_cr3;
	int cr0_reads, cr3_reads, cr4_reads, cr0_writes, cr3_writes, cr4_writes, invlpg, pf;
	int tlb_control, asid;
	fake_u64 rax, rbx;
};

enum fake_exit {
	FAKE_EXIT_OTHER, /* an exit that has nothing to do with paging */
	FAKE_EXIT_FAULT, /* the fault that the running mode raises */
	FAKE_EXIT_SHADOW_FAULT,
	FAKE_EXIT_NESTED_FAULT,
	FAKE_EXIT_CR3, /* a CR3 write under shadow paging */
	FAKE_EXIT_HLT,
	FAKE_EXIT_VMMCALL
};

void fake_create(const struct fake_setup *setup);
/* name and value in turn, ended by NULL; elements, or attributes when the name begins with @. */
int fake_configure(const char *const *pairs);	   /* vm_init, then core_init of each core */
int fake_configure_half(const char *const *pairs); /* as where Palacios fails between the two */
void fake_free(void);				   /* Palacios' order of teardown */

/* One turn of a core's loop; answers -1 where Palacios would end the VM. */
int fake_enter(int core, enum fake_exit exit, unsigned int fault_page);
void fake_guest_runs(fake_u64 instructions, fake_u64 cycles, fake_u64 misses); /* each entry */
void fake_guest_runs_in(int nested, fake_u64 instructions, fake_u64 cycles, fake_u64 misses);
void fake_halt_turns(int turns);   /* calls of the timer in each halt */
void fake_halt_ends_watch(int on); /* fake_watch_shadow() ends during the next halt */
void fake_look(int core, struct fake_look *ret_look);
void fake_set_guest(int core, int long_mode, int paging, int compat);
void fake_set_regs(int core, fake_u64 cr0, fake_u64 cr3, fake_u64 cr4, fake_u64 efer);
void fake_hypercall(int core, fake_u64 number, fake_u64 rbx, int cpl);
void fake_upcall(int core, int active);
void fake_move(int core, int cpu);
void fake_break_vmcb(int core);
void fake_reset(int core);

/* The memory map: page number in the guest to a number standing for host memory. */
void fake_remap(unsigned int page, unsigned int host);
/* What the running tables say: the host number, or -1 when nothing is mapped. */
int fake_translate(int core, unsigned int page);

void fake_watch_shadow(int on); /* as memory tracking and live checkpoints do */
void fake_watch_nested(int on);
void fake_track(int on);
int fake_save(void); /* a checkpoint; -1 when a device refuses */

/* Failure of the n-th allocation from now (0: the next), counting pages and blocks; -1: none. */
void fake_fail_after(int n);
void fake_fail_activation(int on);
int fake_allocations(void); /* made so far */
int fake_pages(void);	    /* in use */
int fake_blocks(void);
int fake_slots(void);	     /* PMU counters in use, on all processors */
int fake_errors(void);	     /* what the fake itself found wrong: bad frees, locks, orders */
const char *fake_said(void); /* all that was printed */
void fake_forget_said(void);
int fake_times_said(const char *text);

#endif
