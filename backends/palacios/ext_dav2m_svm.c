/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch between shadow and nested paging on SVM, on the core's own thread between two exits.
 *
 * Palacios keeps one meaning of its fields per mode. Under shadow paging ctrl_regs is what the
 * hardware runs and shdw_pg_state what the guest believes; under nested paging ctrl_regs is both.
 * direct_map_pt is the root of the 32-bit-PAE passthrough tables under the one and the PML4 of
 * the nested tables under the other. So a switch moves registers and swaps roots:
 *
 *     to nested  cr0, cr3, efer <- the guest's view   NP_ENABLE, N_CR3 set     intercepts off
 *     to shadow  the guest's view <- cr0, cr3, cr4, efer   NP_ENABLE clear     intercepts on
 *
 * Each core keeps both roots for good. The one that does not run is "parked": Palacios announces
 * changes of the memory map only to the tables that run, so a parked root that missed one is
 * emptied before it is used. It is emptied by dropping its tables, not by invalidating entries:
 * an invalidated 2 MB entry keeps its large_page bit, and a page-table page that Palacios hangs
 * there later would be taken for guest memory. The root page itself never changes, so the PAE
 * root stays below 4 GB, where Palacios put it.
 *
 * Whatever fails before the first field is written leaves the old mode untouched; a failing
 * shadow pager is answered by writing all fields back.
 *
 * Fields: AMD64 Architecture Programmer's Manual volume 2, 15.25 (nested paging), appendix B.
 */
#include "ext_dav2m.h"

#include <palacios/svm_handler.h>
#include <palacios/vmcb.h>
#include <palacios/vmm_direct_paging.h>
#include <palacios/vmm_paging.h>
#include <palacios/vmm_shadow_paging.h>

#define CR0_PG	  (1ull << 31)
#define CR4_PAE	  (1ull << 5)
#define EFER_LMA  (1ull << 10)
#define EFER_SVME (1ull << 12)

static vmcb_ctrl_t *control_area(const struct guest_info *core)
{
	return (vmcb_ctrl_t *)GET_VMCB_CTRL_AREA(core->vmm_data);
}

/* Counted by hand: the list macros are licensed otherwise than this file. */
static int callbacks(v3_rw_lock_t *lock, const struct list_head *head)
{
	const struct list_head *node;
	int n = 0;

	v3_read_lock(lock);
	for (node = head->next; node != head; node = node->next)
		n++;
	v3_read_unlock(lock);
	return n;
}

/*
 * Memory tracking and live checkpoints look at the mode once, when they start, and register for
 * events of that mode only. Of each list one callback is the extension's own.
 */
static int watched(struct v3_vm_info *vm)
{
#ifdef V3_CONFIG_MEM_TRACK
	if (vm->memtrack_state.started)
		return 1;
#endif
	return callbacks(&vm->shdw_impl.event_callback_lock, &vm->shdw_impl.event_callback_list) >
		       1 ||
	       callbacks(&vm->passthrough_impl.event_callback_lock,
			 &vm->passthrough_impl.event_callback_list) > 1 ||
	       callbacks(&vm->nested_impl.event_callback_lock,
			 &vm->nested_impl.event_callback_list) > 1;
}

static int consistent(const struct guest_info *core, enum dav2m_mode mode)
{
	const vmcb_ctrl_t *control = control_area(core);

	if (mode == DAV2M_SHADOW)
		return core->shdw_pg_mode == SHADOW_PAGING && !control->NP_ENABLE;
	return core->shdw_pg_mode == NESTED_PAGING && control->NP_ENABLE &&
	       control->N_CR3 == core->direct_map_pt;
}

enum ext_dav2m_obstacle ext_dav2m_svm_obstacle(const struct ext_dav2m_core *c)
{
	struct guest_info *core = c->core;

#ifdef V3_CONFIG_SYMCALL
	if (core->sym_core_state.symcall_state.sym_call_active)
		return EXT_DAV2M_UPCALL;
#endif
	if (!consistent(core, (enum dav2m_mode)c->mode))
		return EXT_DAV2M_FOREIGN;
	if (v3_get_vm_mem_mode(core) != VIRTUAL_MEM || v3_get_vm_cpu_mode(core) != LONG)
		return EXT_DAV2M_NOT_LONG;
	if (watched(core->vm_info))
		return EXT_DAV2M_WATCHED;
	return EXT_DAV2M_CLEAR;
}

/* Right after an exit only: a symbiotic call overwrites the VMCB later. */
int ext_dav2m_svm_halted(const struct guest_info *core)
{
	return control_area(core)->exit_code == SVM_EXIT_HLT;
}

static void *new_page(struct guest_info *core, addr_t *ret_physical)
{
	void *physical = V3_AllocPagesExtended(1, PAGE_SIZE_4KB, core->resource_control.pg_node_id,
					       core->resource_control.pg_filter_func,
					       core->resource_control.pg_filter_state);

	if (!physical)
		return NULL;
	*ret_physical = (addr_t)physical;
	return V3_VAddr(physical);
}

/*
 * Empties a root and keeps its page: the entries move to a page that Palacios' own walk frees
 * together with everything below. -1, and nothing changed, without memory for that page.
 */
static int empty_root(struct guest_info *core, addr_t root, enum dav2m_mode mode)
{
	void *table = V3_VAddr((void *)root);
	addr_t physical;
	void *doomed = new_page(core, &physical);

	if (!doomed)
		return -1;
	memcpy(doomed, table, PAGE_SIZE_4KB);
	memset(table, 0, PAGE_SIZE_4KB);
	if (mode == DAV2M_NESTED)
		delete_page_tables_64((pml4e64_t *)doomed);
	else
		delete_page_tables_32pae((pdpe32pae_t *)doomed);
	return 0;
}

/* Makes the parked root fit for the given mode. -1: the old mode stays. */
static int prepare_root(struct ext_dav2m_core *c, enum dav2m_mode to)
{
	struct ext_dav2m_roots *roots = &c->roots;

	if (!roots->parked) {
		void *table = new_page(c->core, &roots->parked);

		if (!table)
			return -1;
		memset(table, 0, PAGE_SIZE_4KB);
	} else if (roots->stale && empty_root(c->core, roots->parked, to)) {
		return -1;
	}
	roots->stale = 0;
	return 0;
}

static void swap_roots(struct ext_dav2m_core *c)
{
	addr_t root = c->core->direct_map_pt;

	c->core->direct_map_pt = c->roots.parked;
	c->roots.parked = root;
}

static void write_control_area(struct guest_info *core, enum dav2m_mode mode)
{
	vmcb_ctrl_t *control = control_area(core);
	const uint_t shadow = mode == DAV2M_SHADOW;

	control->NP_ENABLE = !shadow;
	control->N_CR3 = shadow ? 0 : core->direct_map_pt;
	control->cr_reads.cr0 = shadow;
	control->cr_reads.cr3 = shadow;
	control->cr_reads.cr4 = shadow;
	control->cr_writes.cr0 = shadow;
	control->cr_writes.cr3 = shadow;
	control->cr_writes.cr4 = shadow;
	control->instrs.INVLPG = shadow;
	control->exceptions.pf = shadow;
	control->TLB_CONTROL = 1;
	control->guest_ASID = 1;
}

/*
 * cr4 stays: in long mode Palacios keeps the guest's cr4 in ctrl_regs under both modes. LMA is
 * set because the guest runs in long mode, whatever it last wrote to EFER: Palacios' copy of the
 * guest's EFER loses the read-only bit when the guest writes without it.
 */
static void registers_to_nested(struct guest_info *core)
{
	struct v3_ctrl_regs *regs = &core->ctrl_regs;
	struct v3_shdw_pg_state *guest = &core->shdw_pg_state;

	regs->cr0 = guest->guest_cr0;
	regs->cr3 = guest->guest_cr3;
	regs->efer = guest->guest_efer.value | EFER_SVME | EFER_LMA;
	core->shdw_pg_mode = NESTED_PAGING;
}

/*
 * cr3 = 0 belongs to no shadow table. The virtual TLB reuses its oldest page unless that page's
 * cr3 is the one that runs, and the guest's own cr3 might be that number by chance; with 0 the
 * activation that follows never allocates once shadow paging has run.
 */
static void registers_to_shadow(struct guest_info *core)
{
	struct v3_ctrl_regs *regs = &core->ctrl_regs;
	struct v3_shdw_pg_state *guest = &core->shdw_pg_state;

	guest->guest_cr0 = regs->cr0;
	guest->guest_cr3 = regs->cr3;
	guest->guest_cr4 = regs->cr4;
	guest->guest_efer.value = regs->efer & ~EFER_SVME;
	regs->cr0 |= CR0_PG;
	regs->cr3 = 0;
	regs->cr4 |= CR4_PAE;
	core->shdw_pg_mode = SHADOW_PAGING;
}

static void to_nested(struct ext_dav2m_core *c)
{
	swap_roots(c);
	registers_to_nested(c->core);
	write_control_area(c->core, DAV2M_NESTED);
}

static int to_shadow(struct ext_dav2m_core *c)
{
	struct guest_info *core = c->core;
	const struct v3_ctrl_regs regs = core->ctrl_regs;
	const struct v3_shdw_pg_state guest = core->shdw_pg_state;
	int rc;

	swap_roots(c);
	registers_to_shadow(core);
	write_control_area(core, DAV2M_SHADOW);
	c->switching = 1;
	rc = v3_activate_shadow_pt(core);
	c->switching = 0;
	if (!rc)
		return 0;
	core->shdw_pg_state.guest_cr0 = guest.guest_cr0;
	core->shdw_pg_state.guest_cr3 = guest.guest_cr3;
	core->shdw_pg_state.guest_cr4 = guest.guest_cr4;
	core->shdw_pg_state.guest_efer = guest.guest_efer;
	core->ctrl_regs = regs;
	core->shdw_pg_mode = NESTED_PAGING;
	swap_roots(c);
	write_control_area(core, DAV2M_NESTED);
	return -1;
}

enum dav2m_outcome ext_dav2m_svm_switch(struct ext_dav2m_core *c, enum dav2m_mode to)
{
	if (prepare_root(c, to))
		return DAV2M_FAILED;
	if (to == DAV2M_NESTED)
		to_nested(c);
	else if (to_shadow(c))
		return DAV2M_FAILED;
	c->mode = (uint8_t)to;
	return DAV2M_DONE;
}

/*
 * Before Palacios frees the core: it frees a core in the mode it finds, and it does not free all
 * of a core that started in the other one (the shadow pager's state, and all but the upper
 * levels of 64-bit tables, which it takes for 32-bit-PAE ones).
 */
void ext_dav2m_svm_hand_back(struct ext_dav2m_core *c)
{
	if (c->core->shdw_pg_mode != NESTED_PAGING || !c->roots.parked)
		return;
	swap_roots(c);
	registers_to_shadow(c->core);
	write_control_area(c->core, DAV2M_SHADOW);
}

/* Palacios knows nothing of the parked root. After hand_back it is the nested one. */
void ext_dav2m_svm_free_parked(struct ext_dav2m_core *c)
{
	if (c->roots.parked)
		delete_page_tables_64((pml4e64_t *)V3_VAddr((void *)c->roots.parked));
	c->roots.parked = 0;
}
