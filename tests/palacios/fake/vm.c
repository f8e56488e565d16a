/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake: a VM from configuration to teardown, and one exit at a time. See inside.h. */
#include "inside.h"

static unsigned char vmcb[4][4096];

/* Life of a VM. */

static vmcb_ctrl_t *control(const struct guest_info *core)
{
	return core->vmm_data;
}

static void start_vmcb(struct guest_info *core)
{
	vmcb_ctrl_t *c = control(core);

	memset(c, 0, 4096);
	c->TLB_CONTROL = 1;
	c->guest_ASID = 1;
	c->exit_code = 1;
	if (core->shdw_pg_mode == NESTED_PAGING) {
		c->NP_ENABLE = 1;
		c->N_CR3 = core->direct_map_pt;
		return;
	}
	c->cr_reads.cr0 = c->cr_reads.cr3 = c->cr_reads.cr4 = 1;
	c->cr_writes.cr0 = c->cr_writes.cr3 = c->cr_writes.cr4 = 1;
	c->instrs.INVLPG = c->exceptions.pf = 1;
}

static void create_core(int i, const struct fake_setup *setup)
{
	struct guest_info *core = &fake.vm.cores[i];

	core->vcpu_id = (uint32_t)i;
	core->pcpu_id = (uint32_t)i;
	core->vm_info = &fake.vm;
	core->vmm_data = vmcb[i];
	core->shdw_pg_mode = setup->nested_start ? NESTED_PAGING : SHADOW_PAGING;
	core->direct_map_pt = (addr_t)fake_host_pages(1, 4096, -1, NULL, NULL);
	memset(fake_table(core->direct_map_pt), 0, 4096);
	core->shdw_pg_state.local_impl_data = fake_host_malloc(sizeof(struct shadow));
	memset(core->shdw_pg_state.local_impl_data, 0, sizeof(struct shadow));
	start_vmcb(core);
}

void fake_create(const struct fake_setup *setup)
{
	unsigned int page;
	int i;

	memset(fake.taken, 0, sizeof(fake.taken));
	memset(&fake.vm, 0, sizeof(fake.vm));
	memset(&fake.hypercall, 0, sizeof(fake.hypercall));
	memset(fake.slot_used, 0, sizeof(fake.slot_used));
	memset(fake.tracked, 0, sizeof(fake.tracked));
	memset(fake.inits, 0, sizeof(fake.inits));
	memset(fake.counter, 0, sizeof(fake.counter));
	fake.pages = fake.blocks = fake.allocations = fake.errors = fake.lock_depth =
		fake.torn_down = 0;
	fake.fail_after = -1;
	fake.fail_activation = fake.halt_turns = fake.halt_ends_watch = fake.current_cpu = 0;
	fake.device = NULL;
	fake_forget_said();
	for (page = 0; page < MAP_PAGES; page++)
		fake.map[page] = page;
	v3_mach_type = setup->vmx ? V3_VMX_EPT_CPU : setup->old_svm ? V3_SVM_CPU : V3_SVM_REV3_CPU;
	palacios_pmu = setup->no_pmu ? NULL : &fake_pmu;
	fake.slots = setup->pmu_slots;
	fake.vm.num_cores = setup->cores;
	fake.vm.mb_state.is_multiboot = (uint8_t)setup->multiboot;
	fake.vm.hvm_state.is_hvm = (uint8_t)setup->hvm;
	fake.vm.memtrack_state.started = setup->tracked;
	fake.vm.shdw_impl.current_impl = setup->nested_start ? NULL : &fake_pager;
	fake_list_init(&fake.vm.shdw_impl.event_callback_list);
	fake_list_init(&fake.vm.passthrough_impl.event_callback_list);
	fake_list_init(&fake.vm.nested_impl.event_callback_list);
	for (i = 0; i < fake.vm.num_cores; i++)
		create_core(i, setup);
	fake_guest_runs(1000, 2000, 10);
}

/* The XML section. */

#define PARAMETERS 40
static struct v3_xml section, child[PARAMETERS];
static char *attribute[2 * PARAMETERS + 1];

static void build_section(const char *const *pairs)
{
	struct v3_xml **last = &section.child;
	int n = 0, a = 0;

	memset(&section, 0, sizeof(section));
	memset(child, 0, sizeof(child));
	attribute[a++] = (char *)"name";
	attribute[a++] = (char *)"dav2m";
	for (; pairs[0]; pairs += 2) {
		struct v3_xml *same;

		if (pairs[0][0] == '@') {
			attribute[a++] = (char *)pairs[0] + 1;
			attribute[a++] = (char *)pairs[1];
			continue;
		}
		child[n].name = (char *)pairs[0];
		child[n].txt = (char *)pairs[1];
		for (same = section.child; same; same = same->sibling)
			if (!strcmp(same->name, pairs[0]))
				break;
		if (same) {
			same->next = &child[n++];
			continue;
		}
		*last = &child[n];
		last = &child[n++].sibling;
	}
	attribute[a] = NULL;
	section.attr = attribute;
}

char *v3_cfg_val(v3_cfg_tree_t *tree, char *tag)
{
	struct v3_xml *c;
	char *found = NULL;
	int i;

	for (i = 0; tree->attr[i]; i += 2)
		if (!strcmp(tree->attr[i], tag))
			found = tree->attr[i + 1];
	for (c = tree->child; c; c = c->sibling)
		if (!strcmp(c->name, tag))
			return found || !*c->txt ? NULL : c->txt;
	return found;
}

static void *priv;
static int configured;
static void *core_data[4];

int fake_configure_half(const char *const *pairs)
{
	int i;

	build_section(pairs);
	for (i = 0; i < 4; i++)
		core_data[i] = (void *)0xa5a5a5a5ul; /* Palacios does not zero these */
	configured = fake_extension->vm_init(&fake.vm, &section, &priv) == 0;
	return configured ? 0 : -1;
}

int fake_configure(const char *const *pairs)
{
	int i;

	if (fake_configure_half(pairs))
		return -1;
	for (i = 0; i < fake.vm.num_cores; i++) /* the answer is ignored */
		fake_extension->core_init(&fake.vm.cores[i], priv, &core_data[i]);
	return 0;
}

static void free_core(struct guest_info *core)
{
	struct shadow *s = core->shdw_pg_state.local_impl_data;

	if (core->time_state.timers)
		fake_host_free(core->time_state.timers);
	core->time_state.timers = NULL;
	if (core->shdw_pg_mode == SHADOW_PAGING) {
		while (s->roots)
			fake_host_free_pages((void *)(addr_t)s->root[--s->roots], 1);
		fake_host_free(s);
	}
	delete_page_tables_32pae((pdpe32pae_t *)fake_table(core->direct_map_pt));
}

void fake_free(void)
{
	int i;

	if (fake.device) {
		fake.device->ops->free(fake.device->priv);
		fake_host_free(fake.device);
		fake.device = NULL;
	}
	for (i = 0; i < fake.vm.num_cores; i++)
		free_core(&fake.vm.cores[i]);
	fake_list_clear(&fake.vm.shdw_impl.event_callback_list);
	fake_list_clear(&fake.vm.passthrough_impl.event_callback_list);
	fake_list_clear(&fake.vm.nested_impl.event_callback_list);
	fake.torn_down = 1;
	for (i = 0; configured && i < fake.vm.num_cores; i++)
		fake_extension->core_deinit(&fake.vm.cores[i], priv, core_data[i]);
	if (configured)
		fake_extension->vm_deinit(&fake.vm, priv);
	configured = 0;
}

/* One exit. */

static int handle(struct guest_info *core, enum fake_exit exit, unsigned int page)
{
	const int nested = core->shdw_pg_mode == NESTED_PAGING;
	int turn;

	switch (exit) {
	case FAKE_EXIT_OTHER:
	case FAKE_EXIT_FAULT:
		return 0;
	case FAKE_EXIT_SHADOW_FAULT:
		if (nested)
			return -1;
		fake_dispatch_shdw(core, SHADOW_PAGEFAULT, SHADOW_PREIMPL);
		fake_dispatch_shdw(core, SHADOW_PAGEFAULT, SHADOW_POSTIMPL);
		if (v3_get_vm_mem_mode(core) == PHYSICAL_MEM)
			return fake_fill(core->direct_map_pt, page, 0);
		return 0;
	case FAKE_EXIT_NESTED_FAULT:
		return nested ? fake_fill(core->direct_map_pt, page, LINK) : -1;
	case FAKE_EXIT_CR3:
		return nested ? 0 : v3_activate_shadow_pt(core);
	case FAKE_EXIT_HLT:
		for (turn = 0; turn < fake.halt_turns; turn++) {
			fake_run(1000000, 3000000, 70000); /* others work on this processor */
			if (turn == 0 && fake.halt_ends_watch)
				fake_watch_shadow(0);
			fake_update_timers(core);
		}
		return 0;
	case FAKE_EXIT_VMMCALL:
		if (fake.hypercall.taken && core->vm_regs.rax == fake.hypercall.id)
			return fake.hypercall.fn(core, (hcall_id_t)fake.hypercall.id,
						 fake.hypercall.priv);
		core->vm_regs.rax = (v3_reg_t)-1;
		return 0;
	}
	return -1;
}

static fake_u64 exit_code(enum fake_exit exit)
{
	switch (exit) {
	case FAKE_EXIT_SHADOW_FAULT:
		return SVM_EXIT_EXCP14;
	case FAKE_EXIT_NESTED_FAULT:
		return SVM_EXIT_NPF;
	case FAKE_EXIT_HLT:
		return SVM_EXIT_HLT;
	case FAKE_EXIT_VMMCALL:
		return SVM_EXIT_VMMCALL;
	case FAKE_EXIT_OTHER:
	case FAKE_EXIT_FAULT:
	case FAKE_EXIT_CR3:
		break;
	}
	return 0x60;
}

/* Entry, guest, exit, handling; the hardware raises only what the VMCB of the entry lets it. */
int fake_enter(int i, enum fake_exit exit, unsigned int page)
{
	struct guest_info *core = &fake.vm.cores[i];
	int nested;

	fake.current_cpu = (int)core->pcpu_id;
	fake_update_timers(core);
	nested = core->shdw_pg_mode == NESTED_PAGING;
	fake_run(fake.step[nested][0], fake.step[nested][1], fake.step[nested][2]);
	if (exit == FAKE_EXIT_FAULT)
		exit = nested ? FAKE_EXIT_NESTED_FAULT : FAKE_EXIT_SHADOW_FAULT;
	control(core)->exit_code = exit_code(exit);
	core->num_exits++;
	fake_update_timers(core);
	fake_run(300, 900, 3); /* the handling itself */
	return handle(core, exit, page);
}

void fake_guest_runs_in(int nested, fake_u64 instructions, fake_u64 cycles, fake_u64 misses)
{
	fake.step[nested][0] = instructions;
	fake.step[nested][1] = cycles;
	fake.step[nested][2] = misses;
}

void fake_guest_runs(fake_u64 instructions, fake_u64 cycles, fake_u64 misses)
{
	fake_guest_runs_in(0, instructions, cycles, misses);
	fake_guest_runs_in(1, instructions, cycles, misses);
}

void fake_halt_turns(int turns)
{
	fake.halt_turns = turns;
}

void fake_halt_ends_watch(int on)
{
	fake.halt_ends_watch = on;
}

void fake_look(int i, struct fake_look *ret)
{
	const struct guest_info *core = &fake.vm.cores[i];
	const vmcb_ctrl_t *c = control(core);

	ret->nested = core->shdw_pg_mode == NESTED_PAGING;
	ret->cr0 = core->ctrl_regs.cr0;
	ret->cr3 = core->ctrl_regs.cr3;
	ret->cr4 = core->ctrl_regs.cr4;
	ret->efer = core->ctrl_regs.efer;
	ret->guest_cr0 = core->shdw_pg_state.guest_cr0;
	ret->guest_cr3 = core->shdw_pg_state.guest_cr3;
	ret->guest_cr4 = core->shdw_pg_state.guest_cr4;
	ret->guest_efer = core->shdw_pg_state.guest_efer.value;
	ret->root = core->direct_map_pt;
	ret->np_enable = c->NP_ENABLE;
	ret->n_cr3 = c->N_CR3;
	ret->cr0_reads = c->cr_reads.cr0;
	ret->cr3_reads = c->cr_reads.cr3;
	ret->cr4_reads = c->cr_reads.cr4;
	ret->cr0_writes = c->cr_writes.cr0;
	ret->cr3_writes = c->cr_writes.cr3;
	ret->cr4_writes = c->cr_writes.cr4;
	ret->invlpg = c->instrs.INVLPG;
	ret->pf = c->exceptions.pf;
	ret->tlb_control = c->TLB_CONTROL;
	ret->asid = (int)c->guest_ASID;
	ret->rax = core->vm_regs.rax;
	ret->rbx = core->vm_regs.rbx;
}

/* The guest's own view, in whichever place the mode keeps it. */
void fake_set_regs(int i, fake_u64 cr0, fake_u64 cr3, fake_u64 cr4, fake_u64 efer)
{
	struct guest_info *core = &fake.vm.cores[i];

	core->ctrl_regs.cr4 = cr4;
	core->ctrl_regs.cr0 = cr0 | 1ull << 31;
	core->ctrl_regs.efer = efer | 1ull << 12;
	if (core->shdw_pg_mode == NESTED_PAGING) {
		core->ctrl_regs.cr0 = cr0;
		core->ctrl_regs.cr3 = cr3;
		return;
	}
	core->shdw_pg_state.guest_cr0 = cr0;
	core->shdw_pg_state.guest_cr3 = cr3;
	core->shdw_pg_state.guest_cr4 = cr4;
	core->shdw_pg_state.guest_efer.value = efer;
	if (cr0 >> 31 & 1)
		fake_activate(core);
}

void fake_set_guest(int i, int long_mode, int paging, int compat)
{
	fake.vm.cores[i].fake_compat = compat;
	fake_set_regs(i, 0x11 | (paging ? 1ull << 31 : 0), 0x1000, 0x20, long_mode ? 0xd00 : 0);
}

void fake_hypercall(int i, fake_u64 number, fake_u64 rbx, int cpl)
{
	fake.vm.cores[i].vm_regs.rax = number;
	fake.vm.cores[i].vm_regs.rbx = rbx;
	fake.vm.cores[i].cpl = (uint_t)cpl;
}

void fake_upcall(int i, int active)
{
	fake.vm.cores[i].sym_core_state.symcall_state.sym_call_active = active & 1;
}

void fake_move(int i, int cpu)
{
	fake.vm.cores[i].pcpu_id = (uint32_t)cpu;
}

void fake_break_vmcb(int i)
{
	control(&fake.vm.cores[i])->NP_ENABLE = !control(&fake.vm.cores[i])->NP_ENABLE;
}

/* A reset changes the memory map while the VM does not count as running: nobody is told. */
void fake_reset(int i)
{
	struct guest_info *core = &fake.vm.cores[i];

	start_vmcb(core);
	memset(&core->ctrl_regs, 0, sizeof(core->ctrl_regs));
	core->shdw_pg_state.guest_cr0 = 0x10;
	fake.map[5] = 1555;
	fake_invalidate(core->direct_map_pt, 5);
}

static int watch_shadow(struct guest_info *core, struct v3_shdw_pg_event *event, void *p)
{
	(void)core;
	(void)event;
	(void)p;
	return 0;
}
static int watch_nested(struct guest_info *core, struct v3_nested_pg_event *event, void *p)
{
	(void)core;
	(void)event;
	(void)p;
	return 0;
}

void fake_watch_shadow(int on)
{
	(on ? v3_register_shadow_paging_event_callback
	    : v3_unregister_shadow_paging_event_callback)(&fake.vm, watch_shadow, NULL);
}

void fake_watch_nested(int on)
{
	(on ? v3_register_nested_paging_event_callback
	    : v3_unregister_nested_paging_event_callback)(&fake.vm, watch_nested, NULL);
}

void fake_track(int on)
{
	fake.vm.memtrack_state.started = on;
}

int fake_save(void)
{
	return fake.device->ops->save_extended(NULL, (char *)"dav2m", fake.device->priv);
}
