/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fake of the part of Palacios that the extension touches: types. Written from the documented
 * interface; only members that the extension or the fake itself uses are here, so sizes and
 * offsets are not Palacios', and only source compatibility is claimed. fields.h lists what is
 * claimed, and is checked against a real tree when there is one.
 */
#ifndef FAKE_TYPES_H
#define FAKE_TYPES_H

#include <palacios/vmm_types.h>

#define VM_NONE	      ((struct v3_vm_info *)0)
#define VCORE_NONE    ((struct guest_info *)0)
#define PAGE_SIZE_4KB 4096

struct v3_vm_info;
struct guest_info;
struct v3_chkpt;

struct v3_os_hooks {
	void (*print)(void *vm, int vcore, const char *format, ...)
		__attribute__((format(printf, 3, 4)));
	void *(*allocate_pages)(int num_pages, unsigned int alignment, int node_id,
				int (*filter_func)(void *paddr, void *filter_state),
				void *filter_state);
	void (*free_pages)(void *page, int num_pages);
	void *(*malloc)(unsigned int size);
	void (*free)(void *addr);
	void *(*paddr_to_vaddr)(void *addr);
	void *(*vaddr_to_paddr)(void *addr);
	unsigned int (*get_cpu)(void);
	void (*call_on_cpu)(int logical_cpu, void (*fn)(void *arg), void *arg);
};
extern struct v3_os_hooks *os_hooks;

#define V3_Print(vm, vcore, ...)	os_hooks->print((vm), fake_vcore(vcore), __VA_ARGS__)
#define PrintError(vm, vcore, fmt, ...) V3_Print(vm, vcore, "ERROR: " fmt, ##__VA_ARGS__)
#define V3_AllocPagesExtended(n, align, node, filter, state)                                       \
	os_hooks->allocate_pages((n), (align), (node), (filter), (state))
#define V3_FreePages(page, n)	     os_hooks->free_pages((page), (n))
#define V3_VAddr(addr)		     os_hooks->paddr_to_vaddr(addr)
#define V3_PAddr(addr)		     os_hooks->vaddr_to_paddr(addr)
#define V3_Malloc(size)		     os_hooks->malloc(size)
#define V3_Free(addr)		     os_hooks->free(addr)
#define V3_Get_CPU()		     (int)os_hooks->get_cpu()
#define V3_Call_On_CPU(cpu, fn, arg) os_hooks->call_on_cpu((int)(cpu), (fn), (arg))

typedef enum v3_cpu_arch {
	V3_INVALID_CPU,
	V3_SVM_CPU,
	V3_SVM_REV3_CPU,
	V3_VMX_CPU,
	V3_VMX_EPT_CPU,
	V3_VMX_EPT_UG_CPU
} v3_cpu_arch_t;

typedef struct v3_resource_control {
	unsigned int pg_alignment;
	int pg_node_id;
	int (*pg_filter_func)(void *paddr, void *filter_state);
	void *pg_filter_state;
} v3_resource_control_t;

struct list_head {
	struct list_head *next, *prev;
};

typedef struct v3_rw_lock {
	addr_t lock;
	sint64_t reader_count;
} v3_rw_lock_t;

struct v3_xml {
	char *name;
	char **attr;
	char *txt;
	struct v3_xml *next;
	struct v3_xml *sibling;
	struct v3_xml *child;
};
typedef struct v3_xml v3_cfg_tree_t;

typedef struct v3_msr {
	uint64_t value;
} v3_msr_t;

typedef struct pf_error_code {
	uint_t value;
} pf_error_t;

/* Page tables: opaque to the extension. */
typedef struct pml4e64 {
	uint64_t raw;
} pml4e64_t;
typedef struct pdpe32pae {
	uint64_t raw;
} pdpe32pae_t;

struct v3_gprs {
	v3_reg_t rbx;
	v3_reg_t rax;
};

struct v3_ctrl_regs {
	v3_reg_t cr0;
	v3_reg_t cr2;
	v3_reg_t cr3;
	v3_reg_t cr4;
	v3_reg_t apic_tpr;
	v3_reg_t rflags;
	v3_reg_t efer;
};

struct v3_shdw_pg_impl {
	int (*activate_shdw_pt)(struct guest_info *core);
};

struct v3_shdw_impl_state {
	struct v3_shdw_pg_impl *current_impl;
	v3_rw_lock_t event_callback_lock;
	struct list_head event_callback_list;
};
struct v3_passthrough_impl_state {
	v3_rw_lock_t event_callback_lock;
	struct list_head event_callback_list;
};
struct v3_nested_impl_state {
	v3_rw_lock_t event_callback_lock;
	struct list_head event_callback_list;
};

struct v3_shdw_pg_state {
	v3_reg_t guest_cr3;
	v3_reg_t guest_cr0;
	v3_msr_t guest_efer;
	v3_reg_t guest_cr4;
	void *local_impl_data;
};

struct v3_shdw_pg_event {
	enum { SHADOW_PAGEFAULT, SHADOW_INVLPG, SHADOW_INVALIDATE, SHADOW_ACTIVATE } event_type;
	enum { SHADOW_PREIMPL, SHADOW_POSTIMPL } event_order;
};
struct v3_passthrough_pg_event {
	enum {
		PASSTHROUGH_PAGEFAULT,
		PASSTHROUGH_INVALIDATE_RANGE,
		PASSTHROUGH_ACTIVATE
	} event_type;
	enum { PASSTHROUGH_PREIMPL, PASSTHROUGH_POSTIMPL } event_order;
};
struct v3_nested_pg_event {
	enum { NESTED_PAGEFAULT, NESTED_INVALIDATE_RANGE } event_type;
	enum { NESTED_PREIMPL, NESTED_POSTIMPL } event_order;
};

struct v3_timer_ops {
	void (*update_timer)(struct guest_info *info, ullong_t cpu_cycles, ullong_t cpu_freq,
			     void *priv_data);
	void (*advance_timer)(struct guest_info *info, void *private_data);
};
struct v3_timer;

struct vm_core_time {
	struct v3_timer *timers;
};

typedef enum { TEST_HCALL = 0x0001, HVM_HCALL = 0xf00d } hcall_id_t;

struct vm_device;
struct v3_device_ops {
	int (*free)(void *private_data);
	int (*save_extended)(struct v3_chkpt *chkpt, char *id, void *private_data);
};

typedef enum {
	V3_PMON_RETIRED_INST_COUNT = 0,
	V3_PMON_CLOCK_COUNT,
	V3_PMON_MEM_LOAD_COUNT,
	V3_PMON_MEM_STORE_COUNT,
	V3_PMON_CACHE_MISS_COUNT,
	V3_PMON_TLB_MISS_COUNT
} v3_pmon_ctr_t;

struct v3_pmu_iface {
	void (*init)(void);
	void (*deinit)(void);
	int (*start_tracking)(v3_pmon_ctr_t ctr);
	uint64_t (*get_value)(v3_pmon_ctr_t ctr);
	int (*stop_tracking)(v3_pmon_ctr_t ctr);
};

struct v3_sym_core_state {
	struct {
		uint_t sym_call_active : 1;
	} symcall_state;
};

struct guest_info {
	struct vm_core_time time_state;
	v3_resource_control_t resource_control;
	v3_paging_mode_t shdw_pg_mode;
	struct v3_shdw_pg_state shdw_pg_state;
	addr_t direct_map_pt;
	struct v3_gprs vm_regs;
	struct v3_ctrl_regs ctrl_regs;
	uint_t cpl;
	void *vmm_data;
	uint64_t num_exits;
	struct v3_sym_core_state sym_core_state;
	struct v3_vm_info *vm_info;
	uint32_t pcpu_id;
	uint32_t vcpu_id;
	int fake_compat; /* the code segment is a 32-bit one */
};

struct v3_vm_info {
	struct v3_shdw_impl_state shdw_impl;
	struct v3_passthrough_impl_state passthrough_impl;
	struct v3_nested_impl_state nested_impl;
	struct {
		int started;
	} memtrack_state;
	struct {
		uint8_t is_multiboot;
	} mb_state;
	struct {
		uint8_t is_hvm;
	} hvm_state;
	int num_cores;
	struct guest_info cores[4];
};

struct v3_extension_impl {
	char *name;
	int (*init)(void);
	int (*vm_init)(struct v3_vm_info *vm, v3_cfg_tree_t *cfg, void **priv_data);
	int (*vm_deinit)(struct v3_vm_info *vm, void *priv_data);
	int (*core_init)(struct guest_info *core, void *priv_data, void **core_data);
	int (*core_deinit)(struct guest_info *core, void *priv_data, void *core_data);
	int (*on_entry)(struct guest_info *core, void *priv_data);
	int (*on_exit)(struct guest_info *core, void *priv_data);
};
/* Palacios collects extensions in a linker section; the fake has one. */
#define register_extension(ext) struct v3_extension_impl *fake_extension = (ext)
extern struct v3_extension_impl *fake_extension;
int fake_vcore(const struct guest_info *core);

/* The VMCB's control area, of which the architecture fixes the bits: only what is needed. */
typedef void vmcb_t;
struct fake_cr_bits {
	uint_t cr0 : 1, cr1 : 1, cr2 : 1, cr3 : 1, cr4 : 1, rest : 11;
} __attribute__((packed));
typedef struct VMCB_Control_Area {
	struct fake_cr_bits cr_reads, cr_writes; /* 0x000, 0x002 */
	uint32_t dr;				 /* 0x004 */
	struct {
		uint_t low : 14, pf : 1, high : 17;
	} __attribute__((packed)) exceptions; /* 0x008 */
	struct {
		uint_t low : 25, INVLPG : 1, high : 6;
	} __attribute__((packed)) instrs; /* 0x00c */
	uint8_t gap1[0x48];
	uint_t guest_ASID;   /* 0x058 */
	uchar_t TLB_CONTROL; /* 0x05c */
	uint8_t gap2[0x13];
	ullong_t exit_code; /* 0x070 */
	uint8_t gap3[0x18];
	uint_t NP_ENABLE : 1; /* 0x090 */
	uint64_t rsvd4 : 63;
	uint8_t gap4[0x18];
	ullong_t N_CR3; /* 0x0b0 */
} __attribute__((packed)) vmcb_ctrl_t;
#define GET_VMCB_CTRL_AREA(page) (page)

#define SVM_EXIT_EXCP14	 0x4e
#define SVM_EXIT_HLT	 0x78
#define SVM_EXIT_VMMCALL 0x81
#define SVM_EXIT_NPF	 0x400

#endif
