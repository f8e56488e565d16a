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
#include <palacios/vmm.h>

#include "fake.h"

/* libc, without its headers. */
int vsnprintf(char *text, size_t size, const char *format, __builtin_va_list args);
char *strstr(const char *text, const char *part);
void *malloc(size_t size);
void free(void *block);

#define POOL_PAGES    2048
#define POOL_PHYSICAL 0x40000000ul /* so that no physical address is a pointer */
#define ENTRIES	      512
#define MAP_PAGES     2048
#define CPUS	      4
#define PRESENT	      1ull
#define LINK	      (1ull << 1) /* an entry of a root, by its kind: nested tables or PAE ones */
#define EFER_LME      (1ull << 8)

static unsigned char pool[POOL_PAGES][4096] __attribute__((aligned(4096)));
static unsigned char taken[POOL_PAGES];
static int pages, blocks, allocations, fail_after, fail_activation, errors, lock_depth;
static char said[1 << 16];
static size_t said_length;
static struct v3_vm_info vm;
static unsigned char vmcb[4][4096];
static unsigned int map[MAP_PAGES];
static fake_u64 step[2][3]; /* by mode */
static fake_u64 counter[CPUS][3];
static int slot_used[CPUS], slots, halt_turns, halt_ends_watch, current_cpu, torn_down;

v3_cpu_arch_t v3_mach_type;
struct v3_pmu_iface *palacios_pmu;

static void wrong(void)
{
	errors++;
}

static int fails(void)
{
	allocations++;
	return fail_after >= 0 && fail_after-- == 0;
}

/* Host. */

static void host_print(void *priv, int vcore, const char *format, ...)
{
	__builtin_va_list args;
	int n;

	(void)priv;
	(void)vcore;
	__builtin_va_start(args, format);
	n = vsnprintf(said + said_length, sizeof(said) - said_length, format, args);
	__builtin_va_end(args);
	if (n > 0 && said_length + (size_t)n < sizeof(said))
		said_length += (size_t)n;
}

static void *to_virtual(void *physical)
{
	return &pool[0][0] + ((addr_t)physical - POOL_PHYSICAL);
}

static void *to_physical(void *address)
{
	return (void *)((addr_t)((unsigned char *)address - &pool[0][0]) + POOL_PHYSICAL);
}

static void *host_pages(int n, unsigned int align, int node, int (*filter)(void *, void *),
			void *state)
{
	int i;

	(void)align;
	(void)node;
	(void)filter;
	(void)state;
	if (n != 1 || lock_depth)
		wrong();
	if (fails())
		return NULL;
	for (i = 0; i < POOL_PAGES; i++) {
		if (!taken[i]) {
			taken[i] = 1;
			pages++;
			memset(pool[i], 0xa5, 4096);
			return to_physical(pool[i]);
		}
	}
	return NULL;
}

static void host_free_pages(void *physical, int n)
{
	const addr_t i = ((addr_t)physical - POOL_PHYSICAL) / 4096;

	if (n != 1 || i >= POOL_PAGES || !taken[i]) {
		wrong();
		return;
	}
	taken[i] = 0;
	pages--;
	memset(pool[i], 0x5a, 4096);
}

static void *host_malloc(unsigned int size)
{
	void *block;

	if (lock_depth)
		wrong();
	if (fails())
		return NULL;
	block = malloc(size);
	memset(block, 0xa5, size);
	blocks++;
	return block;
}

static void host_free(void *block)
{
	if (!block)
		wrong();
	blocks--;
	free(block);
}

static unsigned int host_cpu(void)
{
	return (unsigned int)current_cpu;
}

static void host_call_on_cpu(int cpu, void (*fn)(void *arg), void *arg)
{
	const int here = current_cpu;

	current_cpu = cpu;
	fn(arg);
	current_cpu = here;
}

static struct v3_os_hooks hooks = {host_print,	host_pages, host_free_pages,
				   host_malloc, host_free,  to_virtual,
				   to_physical, host_cpu,   host_call_on_cpu};
struct v3_os_hooks *os_hooks = &hooks;

int fake_vcore(const struct guest_info *core)
{
	return core ? (int)core->vcpu_id : -1;
}

/* PMU: programmable slots that only a stop gives back. */

static int pmu_index(v3_pmon_ctr_t ctr)
{
	return ctr == V3_PMON_RETIRED_INST_COUNT ? 0 : ctr == V3_PMON_CLOCK_COUNT ? 1 : 2;
}
static int inits[CPUS];
static int tracked[CPUS][3];

static void pmu_init(void)
{
	inits[current_cpu]++;
}
static void pmu_deinit(void)
{
	if (--inits[current_cpu] < 0)
		wrong();
}
static int pmu_start(v3_pmon_ctr_t ctr)
{
	if (slot_used[current_cpu] >= slots)
		return -1;
	slot_used[current_cpu]++;
	tracked[current_cpu][pmu_index(ctr)]++;
	return 0;
}
static int pmu_stop(v3_pmon_ctr_t ctr)
{
	if (--tracked[current_cpu][pmu_index(ctr)] < 0)
		wrong();
	slot_used[current_cpu]--;
	return 0;
}
static uint64_t pmu_value(v3_pmon_ctr_t ctr)
{
	if (!tracked[current_cpu][pmu_index(ctr)])
		wrong();
	return counter[current_cpu][pmu_index(ctr)];
}
static struct v3_pmu_iface pmu = {pmu_init, pmu_deinit, pmu_start, pmu_value, pmu_stop};

/* Palacios' own functions assert without end; the fake counts instead. */
static struct v3_pmu_iface *there(void)
{
	if (!palacios_pmu)
		wrong();
	return &pmu;
}
void v3_pmu_init(void)
{
	there()->init();
}
void v3_pmu_deinit(void)
{
	there()->deinit();
}
int v3_pmu_start_tracking(v3_pmon_ctr_t ctr)
{
	return there()->start_tracking(ctr);
}
int v3_pmu_stop_tracking(v3_pmon_ctr_t ctr)
{
	return there()->stop_tracking(ctr);
}
uint64_t v3_pmu_get_value(v3_pmon_ctr_t ctr)
{
	return there()->get_value(ctr);
}

static void run(fake_u64 instructions, fake_u64 cycles, fake_u64 misses)
{
	counter[current_cpu][0] += instructions;
	counter[current_cpu][1] += cycles;
	counter[current_cpu][2] += misses;
}

uint64_t v3_get_host_time(struct vm_core_time *t)
{
	(void)t;
	return counter[current_cpu][1];
}

/* Lists of callbacks. */

struct callback {
	struct list_head node; /* first: a node is its callback */
	void (*fn)(void);
	void *priv;
};

static void list_init(struct list_head *head)
{
	head->next = head->prev = head;
}

static int list_put(struct list_head *head, void (*fn)(void), void *priv)
{
	struct callback *cb;

	if (torn_down)
		wrong();
	cb = host_malloc(sizeof(*cb));
	if (!cb)
		return -1;
	cb->fn = fn;
	cb->priv = priv;
	cb->node.next = head->next;
	cb->node.prev = head;
	head->next->prev = &cb->node;
	head->next = &cb->node;
	return 0;
}

static void list_drop(struct list_head *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	host_free(node);
}

static int list_take(struct list_head *head, void (*fn)(void), void *priv)
{
	struct list_head *node;

	if (torn_down) /* the lock is gone */
		wrong();
	for (node = head->next; node != head; node = node->next) {
		struct callback *cb = (struct callback *)node;

		if (cb->fn == fn && cb->priv == priv) {
			list_drop(node);
			return 0;
		}
	}
	wrong();
	return -1;
}

static void list_clear(struct list_head *head)
{
	while (head->next != head)
		list_drop(head->next);
}

void v3_read_lock(v3_rw_lock_t *lock)
{
	lock->reader_count++;
	lock_depth++;
}

void v3_read_unlock(v3_rw_lock_t *lock)
{
	lock->reader_count--;
	lock_depth--;
}

#define CALLBACKS(kind, state)                                                                     \
	typedef int (*kind##_fn)(struct guest_info *, struct v3_##kind##_pg_event *, void *);      \
	static void dispatch_##kind(struct guest_info *core, int type, int order)                  \
	{                                                                                          \
		struct v3_##kind##_pg_event event;                                                 \
		struct list_head *node;                                                            \
                                                                                                   \
		event.event_type = type;                                                           \
		event.event_order = order;                                                         \
		v3_read_lock(&vm.state.event_callback_lock);                                       \
		for (node = vm.state.event_callback_list.next;                                     \
		     node != &vm.state.event_callback_list; node = node->next)                     \
			((kind##_fn)((struct callback *)node)->fn)(                                \
				core, &event, ((struct callback *)node)->priv);                    \
		v3_read_unlock(&vm.state.event_callback_lock);                                     \
	}
CALLBACKS(shdw, shdw_impl)
CALLBACKS(passthrough, passthrough_impl)
CALLBACKS(nested, nested_impl)

typedef void (*any_fn)(void);

int v3_register_shadow_paging_event_callback(struct v3_vm_info *v, shdw_fn fn, void *priv)
{
	return list_put(&v->shdw_impl.event_callback_list, (any_fn)fn, priv);
}
int v3_unregister_shadow_paging_event_callback(struct v3_vm_info *v, shdw_fn fn, void *priv)
{
	return list_take(&v->shdw_impl.event_callback_list, (any_fn)fn, priv);
}
int v3_register_passthrough_paging_event_callback(struct v3_vm_info *v, passthrough_fn fn,
						  void *priv)
{
	return list_put(&v->passthrough_impl.event_callback_list, (any_fn)fn, priv);
}
int v3_unregister_passthrough_paging_event_callback(struct v3_vm_info *v, passthrough_fn fn,
						    void *priv)
{
	return list_take(&v->passthrough_impl.event_callback_list, (any_fn)fn, priv);
}
int v3_register_nested_paging_event_callback(struct v3_vm_info *v, nested_fn fn, void *priv)
{
	return list_put(&v->nested_impl.event_callback_list, (any_fn)fn, priv);
}
int v3_unregister_nested_paging_event_callback(struct v3_vm_info *v, nested_fn fn, void *priv)
{
	return list_take(&v->nested_impl.event_callback_list, (any_fn)fn, priv);
}

/* Timers, hypercalls, devices. */

struct v3_timer {
	struct v3_timer_ops *ops;
	void *priv;
};

struct v3_timer *v3_add_timer(struct guest_info *info, struct v3_timer_ops *ops, void *priv)
{
	struct v3_timer *timer = host_malloc(sizeof(*timer));

	if (!timer)
		return NULL;
	timer->ops = ops;
	timer->priv = priv;
	info->time_state.timers = timer;
	return timer;
}

static void update_timers(struct guest_info *core)
{
	struct v3_timer *timer = core->time_state.timers;

	if (timer)
		timer->ops->update_timer(core, 0, 0, timer->priv);
}

static struct {
	int taken;
	fake_u64 id;
	int (*fn)(struct guest_info *, hcall_id_t, void *);
	void *priv;
} hypercall;

int v3_register_hypercall(struct v3_vm_info *v, hcall_id_t id,
			  int (*fn)(struct guest_info *, hcall_id_t, void *), void *priv)
{
	(void)v;
	if (fails())
		return -1;
	hypercall.taken = 1;
	hypercall.id = (fake_u64)id;
	hypercall.fn = fn;
	hypercall.priv = priv;
	return 0;
}

int v3_remove_hypercall(struct v3_vm_info *v, hcall_id_t id)
{
	(void)v;
	if (!hypercall.taken || hypercall.id != (fake_u64)id)
		wrong();
	hypercall.taken = 0;
	return 0;
}

struct vm_device {
	struct v3_device_ops *ops;
	void *priv;
};
static struct vm_device *device;

struct vm_device *v3_add_device(struct v3_vm_info *v, char *name, struct v3_device_ops *ops,
				void *priv)
{
	struct vm_device *fresh = host_malloc(sizeof(*fresh));

	(void)v;
	(void)name;
	if (!fresh)
		return NULL;
	fresh->ops = ops;
	fresh->priv = priv;
	device = fresh;
	return fresh;
}

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

static fake_u64 *table(fake_u64 physical)
{
	return to_virtual((void *)(addr_t)(physical & ~4095ull));
}

/* Freed with the walk of the kind that is asked for; met with the other kind, it is a leak. */
static void delete_tables(fake_u64 *root, fake_u64 kind)
{
	int i;

	for (i = 0; i < ENTRIES; i++) {
		if (!(root[i] & PRESENT))
			continue;
		if ((root[i] & LINK) != kind)
			wrong();
		host_free_pages((void *)(addr_t)(root[i] & ~4095ull), 1);
	}
	host_free_pages(to_physical(root), 1);
}

void delete_page_tables_64(pml4e64_t *pml4)
{
	delete_tables((fake_u64 *)pml4, LINK);
}

void delete_page_tables_32pae(pdpe32pae_t *pdpe)
{
	delete_tables((fake_u64 *)pdpe, 0);
}

static int fill(fake_u64 root, unsigned int page, fake_u64 kind)
{
	fake_u64 *entry = &table(root)[page / ENTRIES];

	if (!(*entry & PRESENT)) {
		void *fresh = host_pages(1, 4096, -1, NULL, NULL);

		if (!fresh)
			return -1;
		memset(to_virtual(fresh), 0, 4096);
		*entry = (addr_t)fresh | PRESENT | kind;
	}
	if (!(table(*entry)[page % ENTRIES] & PRESENT))
		table(*entry)[page % ENTRIES] = (fake_u64)map[page] << 12 | PRESENT;
	return 0;
}

static void invalidate(fake_u64 root, unsigned int page)
{
	fake_u64 entry = table(root)[page / ENTRIES];

	if (entry & PRESENT)
		table(entry)[page % ENTRIES] = 0;
}

/*
 * The shadow pager: roots, the newest first. The oldest is reused unless it is the one that runs,
 * which is all it can know of the cr3 it is called with.
 */
#define SHADOW_ROOTS 64
struct shadow {
	fake_u64 root[SHADOW_ROOTS];
	int roots;
};

static int activate(struct guest_info *core)
{
	struct shadow *s = core->shdw_pg_state.local_impl_data;
	fake_u64 fresh;
	int i;

	if (fail_activation)
		return -1;
	if (s->roots && s->root[s->roots - 1] != (core->ctrl_regs.cr3 & ~4095ull)) {
		fresh = s->root[--s->roots];
	} else {
		fresh = (addr_t)host_pages(1, 4096, -1, NULL, NULL);
		if (!fresh || s->roots == SHADOW_ROOTS) {
			wrong(); /* Palacios goes through this pointer */
			return -1;
		}
	}
	for (i = s->roots++; i > 0; i--)
		s->root[i] = s->root[i - 1];
	s->root[0] = fresh;
	memset(table(fresh), 0, 4096);
	core->ctrl_regs.cr3 = fresh | (core->shdw_pg_state.guest_cr3 & 0x18);
	return 0;
}
static struct v3_shdw_pg_impl pager = {activate};

int v3_activate_shadow_pt(struct guest_info *core)
{
	int rc;

	dispatch_shdw(core, SHADOW_ACTIVATE, SHADOW_PREIMPL);
	rc = vm.shdw_impl.current_impl->activate_shdw_pt(core);
	dispatch_shdw(core, SHADOW_ACTIVATE, SHADOW_POSTIMPL);
	return rc;
}

/* Only the tables that run hear of it. */
void fake_remap(unsigned int page, unsigned int host)
{
	int i;

	map[page] = host;
	for (i = 0; i < vm.num_cores; i++) {
		struct guest_info *core = &vm.cores[i];

		if (core->shdw_pg_mode == NESTED_PAGING) {
			dispatch_nested(core, NESTED_INVALIDATE_RANGE, NESTED_PREIMPL);
			invalidate(core->direct_map_pt, page);
		} else if (v3_get_vm_mem_mode(core) == PHYSICAL_MEM) {
			dispatch_passthrough(core, PASSTHROUGH_INVALIDATE_RANGE,
					     PASSTHROUGH_PREIMPL);
			invalidate(core->direct_map_pt, page);
		} else {
			dispatch_shdw(core, SHADOW_INVALIDATE, SHADOW_PREIMPL);
			vm.shdw_impl.current_impl->activate_shdw_pt(core);
		}
	}
}

int fake_translate(int core, unsigned int page)
{
	const fake_u64 entry = table(vm.cores[core].direct_map_pt)[page / ENTRIES];

	if (!(entry & PRESENT) || !(table(entry)[page % ENTRIES] & PRESENT))
		return -1;
	return (int)(table(entry)[page % ENTRIES] >> 12);
}

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
	struct guest_info *core = &vm.cores[i];

	core->vcpu_id = (uint32_t)i;
	core->pcpu_id = (uint32_t)i;
	core->vm_info = &vm;
	core->vmm_data = vmcb[i];
	core->shdw_pg_mode = setup->nested_start ? NESTED_PAGING : SHADOW_PAGING;
	core->direct_map_pt = (addr_t)host_pages(1, 4096, -1, NULL, NULL);
	memset(table(core->direct_map_pt), 0, 4096);
	core->shdw_pg_state.local_impl_data = host_malloc(sizeof(struct shadow));
	memset(core->shdw_pg_state.local_impl_data, 0, sizeof(struct shadow));
	start_vmcb(core);
}

void fake_create(const struct fake_setup *setup)
{
	unsigned int page;
	int i;

	memset(taken, 0, sizeof(taken));
	memset(&vm, 0, sizeof(vm));
	memset(&hypercall, 0, sizeof(hypercall));
	memset(slot_used, 0, sizeof(slot_used));
	memset(tracked, 0, sizeof(tracked));
	memset(inits, 0, sizeof(inits));
	memset(counter, 0, sizeof(counter));
	pages = blocks = allocations = errors = lock_depth = torn_down = 0;
	fail_after = -1;
	fail_activation = halt_turns = halt_ends_watch = current_cpu = 0;
	device = NULL;
	fake_forget_said();
	for (page = 0; page < MAP_PAGES; page++)
		map[page] = page;
	v3_mach_type = setup->vmx ? V3_VMX_EPT_CPU : setup->old_svm ? V3_SVM_CPU : V3_SVM_REV3_CPU;
	palacios_pmu = setup->no_pmu ? NULL : &pmu;
	slots = setup->pmu_slots;
	vm.num_cores = setup->cores;
	vm.mb_state.is_multiboot = (uint8_t)setup->multiboot;
	vm.hvm_state.is_hvm = (uint8_t)setup->hvm;
	vm.memtrack_state.started = setup->tracked;
	vm.shdw_impl.current_impl = setup->nested_start ? NULL : &pager;
	list_init(&vm.shdw_impl.event_callback_list);
	list_init(&vm.passthrough_impl.event_callback_list);
	list_init(&vm.nested_impl.event_callback_list);
	for (i = 0; i < vm.num_cores; i++)
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
	configured = fake_extension->vm_init(&vm, &section, &priv) == 0;
	return configured ? 0 : -1;
}

int fake_configure(const char *const *pairs)
{
	int i;

	if (fake_configure_half(pairs))
		return -1;
	for (i = 0; i < vm.num_cores; i++) /* the answer is ignored */
		fake_extension->core_init(&vm.cores[i], priv, &core_data[i]);
	return 0;
}

static void free_core(struct guest_info *core)
{
	struct shadow *s = core->shdw_pg_state.local_impl_data;

	if (core->time_state.timers)
		host_free(core->time_state.timers);
	core->time_state.timers = NULL;
	if (core->shdw_pg_mode == SHADOW_PAGING) {
		while (s->roots)
			host_free_pages((void *)(addr_t)s->root[--s->roots], 1);
		host_free(s);
	}
	delete_page_tables_32pae((pdpe32pae_t *)table(core->direct_map_pt));
}

void fake_free(void)
{
	int i;

	if (device) {
		device->ops->free(device->priv);
		host_free(device);
		device = NULL;
	}
	for (i = 0; i < vm.num_cores; i++)
		free_core(&vm.cores[i]);
	list_clear(&vm.shdw_impl.event_callback_list);
	list_clear(&vm.passthrough_impl.event_callback_list);
	list_clear(&vm.nested_impl.event_callback_list);
	torn_down = 1;
	for (i = 0; configured && i < vm.num_cores; i++)
		fake_extension->core_deinit(&vm.cores[i], priv, core_data[i]);
	if (configured)
		fake_extension->vm_deinit(&vm, priv);
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
		dispatch_shdw(core, SHADOW_PAGEFAULT, SHADOW_PREIMPL);
		dispatch_shdw(core, SHADOW_PAGEFAULT, SHADOW_POSTIMPL);
		if (v3_get_vm_mem_mode(core) == PHYSICAL_MEM)
			return fill(core->direct_map_pt, page, 0);
		return 0;
	case FAKE_EXIT_NESTED_FAULT:
		return nested ? fill(core->direct_map_pt, page, LINK) : -1;
	case FAKE_EXIT_CR3:
		return nested ? 0 : v3_activate_shadow_pt(core);
	case FAKE_EXIT_HLT:
		for (turn = 0; turn < halt_turns; turn++) {
			run(1000000, 3000000, 70000); /* others work on this processor */
			if (turn == 0 && halt_ends_watch)
				fake_watch_shadow(0);
			update_timers(core);
		}
		return 0;
	case FAKE_EXIT_VMMCALL:
		if (hypercall.taken && core->vm_regs.rax == hypercall.id)
			return hypercall.fn(core, (hcall_id_t)hypercall.id, hypercall.priv);
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
	struct guest_info *core = &vm.cores[i];
	int nested;

	current_cpu = (int)core->pcpu_id;
	update_timers(core);
	nested = core->shdw_pg_mode == NESTED_PAGING;
	run(step[nested][0], step[nested][1], step[nested][2]);
	if (exit == FAKE_EXIT_FAULT)
		exit = nested ? FAKE_EXIT_NESTED_FAULT : FAKE_EXIT_SHADOW_FAULT;
	control(core)->exit_code = exit_code(exit);
	core->num_exits++;
	update_timers(core);
	run(300, 900, 3); /* the handling itself */
	return handle(core, exit, page);
}

void fake_guest_runs_in(int nested, fake_u64 instructions, fake_u64 cycles, fake_u64 misses)
{
	step[nested][0] = instructions;
	step[nested][1] = cycles;
	step[nested][2] = misses;
}

void fake_guest_runs(fake_u64 instructions, fake_u64 cycles, fake_u64 misses)
{
	fake_guest_runs_in(0, instructions, cycles, misses);
	fake_guest_runs_in(1, instructions, cycles, misses);
}

void fake_halt_turns(int turns)
{
	halt_turns = turns;
}

void fake_halt_ends_watch(int on)
{
	halt_ends_watch = on;
}

void fake_look(int i, struct fake_look *ret)
{
	const struct guest_info *core = &vm.cores[i];
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
	struct guest_info *core = &vm.cores[i];

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
		activate(core);
}

void fake_set_guest(int i, int long_mode, int paging, int compat)
{
	vm.cores[i].fake_compat = compat;
	fake_set_regs(i, 0x11 | (paging ? 1ull << 31 : 0), 0x1000, 0x20, long_mode ? 0xd00 : 0);
}

void fake_hypercall(int i, fake_u64 number, fake_u64 rbx, int cpl)
{
	vm.cores[i].vm_regs.rax = number;
	vm.cores[i].vm_regs.rbx = rbx;
	vm.cores[i].cpl = (uint_t)cpl;
}

void fake_upcall(int i, int active)
{
	vm.cores[i].sym_core_state.symcall_state.sym_call_active = active & 1;
}

void fake_move(int i, int cpu)
{
	vm.cores[i].pcpu_id = (uint32_t)cpu;
}

void fake_break_vmcb(int i)
{
	control(&vm.cores[i])->NP_ENABLE = !control(&vm.cores[i])->NP_ENABLE;
}

/* A reset changes the memory map while the VM does not count as running: nobody is told. */
void fake_reset(int i)
{
	struct guest_info *core = &vm.cores[i];

	start_vmcb(core);
	memset(&core->ctrl_regs, 0, sizeof(core->ctrl_regs));
	core->shdw_pg_state.guest_cr0 = 0x10;
	map[5] = 1555;
	invalidate(core->direct_map_pt, 5);
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
	    : v3_unregister_shadow_paging_event_callback)(&vm, watch_shadow, NULL);
}

void fake_watch_nested(int on)
{
	(on ? v3_register_nested_paging_event_callback
	    : v3_unregister_nested_paging_event_callback)(&vm, watch_nested, NULL);
}

void fake_track(int on)
{
	vm.memtrack_state.started = on;
}

int fake_save(void)
{
	return device->ops->save_extended(NULL, (char *)"dav2m", device->priv);
}

void fake_fail_after(int n)
{
	fail_after = n;
}
void fake_fail_activation(int on)
{
	fail_activation = on;
}
int fake_allocations(void)
{
	return allocations;
}
int fake_pages(void)
{
	return pages;
}
int fake_blocks(void)
{
	return blocks;
}
int fake_slots(void)
{
	int cpu, n = 0;

	for (cpu = 0; cpu < CPUS; cpu++)
		n += slot_used[cpu];
	return n;
}
int fake_errors(void)
{
	return errors;
}
const char *fake_said(void)
{
	return said;
}
void fake_forget_said(void)
{
	said[0] = 0;
	said_length = 0;
}
int fake_times_said(const char *text)
{
	const char *at = said;
	int n = 0;

	while ((at = strstr(at, text))) {
		n++;
		at++;
	}
	return n;
}
