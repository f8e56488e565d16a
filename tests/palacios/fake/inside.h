/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fake of the part of Palacios that the extension touches: behaviour. It follows the
 * documented semantics, the inconvenient ones included: memory is not zeroed, core_init's
 * answer is ignored, only the tables that run hear of a changed memory map, an exit of the other
 * mode ends the VM, timers and event callbacks are gone before the extension is asked to leave,
 * and tables are freed as 32-bit-PAE ones in either mode.
 *
 * Page tables have two levels here: a root of 512 entries and tables of 512 entries. That is
 * enough for what matters: what is freed with a root, and what is stale.
 */
#ifndef FAKE_INSIDE_H
#define FAKE_INSIDE_H

#include <palacios/vmm.h>

#include "fake.h"

#define POOL_PAGES 2048
#define MAP_PAGES  2048
#define CPUS	   4

/* All there is, so that fake_create() can begin anew. */
struct fake_state {
	unsigned char taken[POOL_PAGES];
	int pages, blocks, allocations, fail_after, fail_activation, errors, lock_depth;
	char said[1 << 16];
	size_t said_length;
	struct v3_vm_info vm;
	unsigned int map[MAP_PAGES];
	fake_u64 step[2][3]; /* by mode */
	fake_u64 counter[CPUS][3];
	int slot_used[CPUS], inits[CPUS], tracked[CPUS][3], slots, current_cpu;
	int halt_turns, halt_ends_watch, torn_down;
	struct {
		int taken;
		fake_u64 id;
		int (*fn)(struct guest_info *, hcall_id_t, void *);
		void *priv;
	} hypercall;
	struct vm_device *device;
};
extern struct fake_state fake;
extern struct v3_pmu_iface fake_pmu;
extern struct v3_shdw_pg_impl fake_pager;

struct vm_device {
	struct v3_device_ops *ops;
	void *priv;
};

#define SHADOW_ROOTS 64
struct shadow {
	fake_u64 root[SHADOW_ROOTS];
	int roots;
};

#define LINK (1ull << 1) /* an entry of a root, by its kind: nested tables or PAE ones */

void fake_wrong(void);
int fake_fails(void);
void *fake_host_malloc(unsigned int size);
void fake_host_free(void *block);
void *fake_host_pages(int n, unsigned int align, int node, int (*filter)(void *, void *),
		      void *state);
void fake_host_free_pages(void *physical, int n);
void *fake_to_virtual(void *physical);
void *fake_to_physical(void *address);
void fake_run(fake_u64 instructions, fake_u64 cycles, fake_u64 misses);
void fake_list_init(struct list_head *head);
void fake_list_clear(struct list_head *head);
void fake_update_timers(struct guest_info *core);
void fake_dispatch_shdw(struct guest_info *core, int type, int order);
void fake_dispatch_passthrough(struct guest_info *core, int type, int order);
void fake_dispatch_nested(struct guest_info *core, int type, int order);
fake_u64 *fake_table(fake_u64 physical);
int fake_fill(fake_u64 root, unsigned int page, fake_u64 kind);
void fake_invalidate(fake_u64 root, unsigned int page);
int fake_activate(struct guest_info *core);

#endif
