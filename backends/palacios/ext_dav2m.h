/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this extension share. ext_dav2m.c owns the life of it all; the others each
 * do one thing for it: read the XML section, read the PMU, switch SVM between the modes.
 *
 * Types: Palacios' headers cannot share a translation unit with the compiler's stdint.h, so
 * include/stdint.h of this folder stands in for it in every file built into Palacios. Names that
 * the linker sees begin with ext_dav2m_, because libv3vee.a is one name space.
 */
#ifndef EXT_DAV2M_H
#define EXT_DAV2M_H

#include <palacios/vm_guest.h>
#include <palacios/vmm.h>

#include <dav2m/dav2m.h>

/* Which counters, in the order in which struct ext_dav2m_pmu holds them. */
#define EXT_DAV2M_INSTRUCTIONS 0
#define EXT_DAV2M_CYCLES       1
#define EXT_DAV2M_TLB_MISSES   2
#define EXT_DAV2M_PMU_COUNTERS 3

struct ext_dav2m_pmu {
	uint64_t last[EXT_DAV2M_PMU_COUNTERS]; /* raw, where the running stretch began */
	uint64_t sum[EXT_DAV2M_PMU_COUNTERS];  /* of the stretches that count */
	uint32_t cpu;			       /* the processor whose counters were started */
	uint8_t started;		       /* all three count */
	uint8_t tried;			       /* no second try on the same processor */
};

/* The root that the mode which does not run has built. */
struct ext_dav2m_roots {
	addr_t parked;		/* physical address; 0: nested paging has not run yet */
	volatile uint8_t stale; /* the memory map changed since it was parked */
};

/* Why a switch is not made now; 0 when nothing forbids it. */
enum ext_dav2m_obstacle {
	EXT_DAV2M_CLEAR = 0,
	EXT_DAV2M_NOT_LONG, /* the guest is not in long mode with paging on */
	EXT_DAV2M_UPCALL,   /* a symbiotic call: this entry is inside the handling of an exit */
	EXT_DAV2M_WATCHED,  /* memory tracking, or a live checkpoint, has fixed the mode */
	EXT_DAV2M_FOREIGN   /* the core's mode and its VMCB disagree: somebody replaced one */
};
#define EXT_DAV2M_OBSTACLES 5

struct ext_dav2m;

struct ext_dav2m_core {
	struct guest_info *core; /* NULL: Palacios never initialised this core */
	struct ext_dav2m *owner;
	uint64_t exits_seen;   /* core->num_exits at the last call of the timer */
	uint64_t sampled_at;   /* guest instructions, or TSC without a PMU, at the last sample */
	uint64_t paging_exits; /* seen so far */
	uint8_t mode;	       /* enum dav2m_mode that this extension last brought about */
	uint8_t pin;	       /* enum dav2m_pin */
	uint8_t due;	       /* paging exits ask for a sample */
	uint8_t halted;	       /* the last exit was HLT: the timer runs inside its handling */
	uint8_t switching;     /* paging events are the extension's own */
	uint8_t retired;       /* teardown has begun */
	uint8_t told;	       /* obstacles that were reported, a bit each */
	uint8_t noted_state;   /* last decision printed: the same one is not printed again */
	uint8_t noted_reason;
	struct ext_dav2m_roots roots;
	struct ext_dav2m_pmu pmu;
	struct dav2m controller;
};

/* The XML section. */
struct ext_dav2m_settings {
	struct dav2m_config config;
	uint8_t force;	   /* enum dav2m_pin */
	uint8_t dry_run;   /* 1: decide and report, never switch */
	uint8_t hypercall; /* 1: the guest's kernel may force a mode */
	uint8_t trace;	   /* 1: print every edge taken, not only switches */
};

struct ext_dav2m {
	struct v3_vm_info *vm;
	struct ext_dav2m_settings settings;
	uint32_t cores;
	struct ext_dav2m_core core[0];
};

/* ext_dav2m_config.c: fills ret_settings; says what is wrong and answers -1. */
int ext_dav2m_config_read(struct v3_vm_info *vm, v3_cfg_tree_t *section,
			  struct ext_dav2m_settings *ret_settings);

/* ext_dav2m_pmu.c: all but _stop run on the core's own thread. */
void ext_dav2m_pmu_start(struct ext_dav2m_core *c);
void ext_dav2m_pmu_before_entry(struct ext_dav2m_core *c);
void ext_dav2m_pmu_after_exit(struct ext_dav2m_core *c);
void ext_dav2m_pmu_idle(struct ext_dav2m_core *c);
void ext_dav2m_pmu_sample(struct ext_dav2m_core *c);
void ext_dav2m_pmu_stop(struct ext_dav2m_core *c);

/* ext_dav2m_svm.c */
enum ext_dav2m_obstacle ext_dav2m_svm_obstacle(const struct ext_dav2m_core *c);
enum dav2m_outcome ext_dav2m_svm_switch(struct ext_dav2m_core *c, enum dav2m_mode to);
int ext_dav2m_svm_halted(const struct guest_info *core);
void ext_dav2m_svm_hand_back(struct ext_dav2m_core *c);
void ext_dav2m_svm_free_parked(struct ext_dav2m_core *c);

#endif
