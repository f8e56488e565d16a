/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake: modes, page tables, the memory map. See inside.h. */
#include "inside.h"

#define ENTRIES	 512
#define PRESENT	 1ull
#define EFER_LME (1ull << 8)

/* Modes and tables. */

static fake_u64 seen_cr0(struct guest_info *core)
{
	return core->shdw_pg_mode == SHADOW_PAGING ? core->shdw_pg_state.guest_cr0
						   : core->ctrl_regs.cr0;
}

v3_mem_mode_t v3_get_vm_mem_mode(struct guest_info *core)
{
	return seen_cr0(core) >> 31 & 1 ? VIRTUAL_MEM : PHYSICAL_MEM;
}

v3_cpu_mode_t v3_get_vm_cpu_mode(struct guest_info *core)
{
	const fake_u64 efer = core->shdw_pg_mode == SHADOW_PAGING
				      ? core->shdw_pg_state.guest_efer.value
				      : core->ctrl_regs.efer;

	if (!(seen_cr0(core) & 1))
		return REAL;
	if (!(efer & EFER_LME))
		return PROTECTED;
	return core->fake_compat ? LONG_32_COMPAT : LONG;
}

fake_u64 *fake_table(fake_u64 physical)
{
	return fake_to_virtual((void *)(addr_t)(physical & ~4095ull));
}

/* Freed with the walk of the kind that is asked for; met with the other kind, it is a leak. */
static void delete_tables(fake_u64 *root, fake_u64 kind)
{
	int i;

	for (i = 0; i < ENTRIES; i++) {
		if (!(root[i] & PRESENT))
			continue;
		if ((root[i] & LINK) != kind)
			fake_wrong();
		fake_host_free_pages((void *)(addr_t)(root[i] & ~4095ull), 1);
	}
	fake_host_free_pages(fake_to_physical(root), 1);
}

void delete_page_tables_64(pml4e64_t *pml4)
{
	delete_tables((fake_u64 *)pml4, LINK);
}

void delete_page_tables_32pae(pdpe32pae_t *pdpe)
{
	delete_tables((fake_u64 *)pdpe, 0);
}

int fake_fill(fake_u64 root, unsigned int page, fake_u64 kind)
{
	fake_u64 *entry = &fake_table(root)[page / ENTRIES];

	if (!(*entry & PRESENT)) {
		void *fresh = fake_host_pages(1, 4096, -1, NULL, NULL);

		if (!fresh)
			return -1;
		memset(fake_to_virtual(fresh), 0, 4096);
		*entry = (addr_t)fresh | PRESENT | kind;
	}
	if (!(fake_table(*entry)[page % ENTRIES] & PRESENT))
		fake_table(*entry)[page % ENTRIES] = (fake_u64)fake.map[page] << 12 | PRESENT;
	return 0;
}

void fake_invalidate(fake_u64 root, unsigned int page)
{
	fake_u64 entry = fake_table(root)[page / ENTRIES];

	if (entry & PRESENT)
		fake_table(entry)[page % ENTRIES] = 0;
}

/*
 * The shadow pager: roots, the newest first. The oldest is reused unless it is the one that runs,
 * which is all it can know of the cr3 it is called with.
 */
int fake_activate(struct guest_info *core)
{
	struct shadow *s = core->shdw_pg_state.local_impl_data;
	fake_u64 fresh;
	int i;

	if (fake.fail_activation)
		return -1;
	if (s->roots && s->root[s->roots - 1] != (core->ctrl_regs.cr3 & ~4095ull)) {
		fresh = s->root[--s->roots];
	} else {
		fresh = (addr_t)fake_host_pages(1, 4096, -1, NULL, NULL);
		if (!fresh || s->roots == SHADOW_ROOTS) {
			fake_wrong(); /* Palacios goes through this pointer */
			return -1;
		}
	}
	for (i = s->roots++; i > 0; i--)
		s->root[i] = s->root[i - 1];
	s->root[0] = fresh;
	memset(fake_table(fresh), 0, 4096);
	core->ctrl_regs.cr3 = fresh | (core->shdw_pg_state.guest_cr3 & 0x18);
	return 0;
}
struct v3_shdw_pg_impl fake_pager = {fake_activate};

int v3_activate_shadow_pt(struct guest_info *core)
{
	int rc;

	fake_dispatch_shdw(core, SHADOW_ACTIVATE, SHADOW_PREIMPL);
	rc = fake.vm.shdw_impl.current_impl->activate_shdw_pt(core);
	fake_dispatch_shdw(core, SHADOW_ACTIVATE, SHADOW_POSTIMPL);
	return rc;
}

/* Only the tables that run hear of it. */
void fake_remap(unsigned int page, unsigned int host)
{
	int i;

	fake.map[page] = host;
	for (i = 0; i < fake.vm.num_cores; i++) {
		struct guest_info *core = &fake.vm.cores[i];

		if (core->shdw_pg_mode == NESTED_PAGING) {
			fake_dispatch_nested(core, NESTED_INVALIDATE_RANGE, NESTED_PREIMPL);
			fake_invalidate(core->direct_map_pt, page);
		} else if (v3_get_vm_mem_mode(core) == PHYSICAL_MEM) {
			fake_dispatch_passthrough(core, PASSTHROUGH_INVALIDATE_RANGE,
						  PASSTHROUGH_PREIMPL);
			fake_invalidate(core->direct_map_pt, page);
		} else {
			fake_dispatch_shdw(core, SHADOW_INVALIDATE, SHADOW_PREIMPL);
			fake.vm.shdw_impl.current_impl->activate_shdw_pt(core);
		}
	}
}

int fake_translate(int core, unsigned int page)
{
	const fake_u64 entry = fake_table(fake.vm.cores[core].direct_map_pt)[page / ENTRIES];

	if (!(entry & PRESENT) || !(fake_table(entry)[page % ENTRIES] & PRESENT))
		return -1;
	return (int)(fake_table(entry)[page % ENTRIES] >> 12);
}
