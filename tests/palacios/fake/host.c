/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake: host services and PMU, and what tests ask about them. See inside.h. */
#include "inside.h"

/* libc, without its headers. */
int vsnprintf(char *text, size_t size, const char *format, __builtin_va_list args);
char *strstr(const char *text, const char *part);
void *malloc(size_t size);
void free(void *block);

#define POOL_PHYSICAL 0x40000000ul /* so that no physical address is a pointer */

struct fake_state fake;
v3_cpu_arch_t v3_mach_type;
struct v3_pmu_iface *palacios_pmu;
static unsigned char pool[POOL_PAGES][4096] __attribute__((aligned(4096)));

void fake_wrong(void)
{
	fake.errors++;
}

int fake_fails(void)
{
	fake.allocations++;
	return fake.fail_after >= 0 && fake.fail_after-- == 0;
}

/* Host. */

static void host_print(void *priv, int vcore, const char *format, ...)
{
	__builtin_va_list args;
	int n;

	(void)priv;
	(void)vcore;
	__builtin_va_start(args, format);
	n = vsnprintf(fake.said + fake.said_length, sizeof(fake.said) - fake.said_length, format,
		      args);
	__builtin_va_end(args);
	if (n > 0 && fake.said_length + (size_t)n < sizeof(fake.said))
		fake.said_length += (size_t)n;
}

void *fake_to_virtual(void *physical)
{
	return &pool[0][0] + ((addr_t)physical - POOL_PHYSICAL);
}

void *fake_to_physical(void *address)
{
	return (void *)((addr_t)((unsigned char *)address - &pool[0][0]) + POOL_PHYSICAL);
}

void *fake_host_pages(int n, unsigned int align, int node, int (*filter)(void *, void *),
		      void *state)
{
	int i;

	(void)align;
	(void)node;
	(void)filter;
	(void)state;
	if (n != 1 || fake.lock_depth)
		fake_wrong();
	if (fake_fails())
		return NULL;
	for (i = 0; i < POOL_PAGES; i++) {
		if (!fake.taken[i]) {
			fake.taken[i] = 1;
			fake.pages++;
			memset(pool[i], 0xa5, 4096);
			return fake_to_physical(pool[i]);
		}
	}
	return NULL;
}

void fake_host_free_pages(void *physical, int n)
{
	const addr_t i = ((addr_t)physical - POOL_PHYSICAL) / 4096;

	if (n != 1 || i >= POOL_PAGES || !fake.taken[i]) {
		fake_wrong();
		return;
	}
	fake.taken[i] = 0;
	fake.pages--;
	memset(pool[i], 0x5a, 4096);
}

void *fake_host_malloc(unsigned int size)
{
	void *block;

	if (fake.lock_depth)
		fake_wrong();
	if (fake_fails())
		return NULL;
	block = malloc(size);
	memset(block, 0xa5, size);
	fake.blocks++;
	return block;
}

void fake_host_free(void *block)
{
	if (!block)
		fake_wrong();
	fake.blocks--;
	free(block);
}

static unsigned int host_cpu(void)
{
	return (unsigned int)fake.current_cpu;
}

static void host_call_on_cpu(int cpu, void (*fn)(void *arg), void *arg)
{
	const int here = fake.current_cpu;

	fake.current_cpu = cpu;
	fn(arg);
	fake.current_cpu = here;
}

static struct v3_os_hooks hooks = {host_print,	     fake_host_pages, fake_host_free_pages,
				   fake_host_malloc, fake_host_free,  fake_to_virtual,
				   fake_to_physical, host_cpu,	      host_call_on_cpu};
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

static void pmu_init(void)
{
	fake.inits[fake.current_cpu]++;
}
static void pmu_deinit(void)
{
	if (--fake.inits[fake.current_cpu] < 0)
		fake_wrong();
}
static int pmu_start(v3_pmon_ctr_t ctr)
{
	if (fake.slot_used[fake.current_cpu] >= fake.slots)
		return -1;
	fake.slot_used[fake.current_cpu]++;
	fake.tracked[fake.current_cpu][pmu_index(ctr)]++;
	return 0;
}
static int pmu_stop(v3_pmon_ctr_t ctr)
{
	if (--fake.tracked[fake.current_cpu][pmu_index(ctr)] < 0)
		fake_wrong();
	fake.slot_used[fake.current_cpu]--;
	return 0;
}
static uint64_t pmu_value(v3_pmon_ctr_t ctr)
{
	if (!fake.tracked[fake.current_cpu][pmu_index(ctr)])
		fake_wrong();
	return fake.counter[fake.current_cpu][pmu_index(ctr)];
}
struct v3_pmu_iface fake_pmu = {pmu_init, pmu_deinit, pmu_start, pmu_value, pmu_stop};

/* Palacios' own functions assert without end; the fake counts instead. */
static struct v3_pmu_iface *there(void)
{
	if (!palacios_pmu)
		fake_wrong();
	return &fake_pmu;
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

void fake_run(fake_u64 instructions, fake_u64 cycles, fake_u64 misses)
{
	fake.counter[fake.current_cpu][0] += instructions;
	fake.counter[fake.current_cpu][1] += cycles;
	fake.counter[fake.current_cpu][2] += misses;
}

uint64_t v3_get_host_time(struct vm_core_time *t)
{
	(void)t;
	return fake.counter[fake.current_cpu][1];
}

/* What tests ask. */

void fake_fail_after(int n)
{
	fake.fail_after = n;
}
void fake_fail_activation(int on)
{
	fake.fail_activation = on;
}
int fake_allocations(void)
{
	return fake.allocations;
}
int fake_pages(void)
{
	return fake.pages;
}
int fake_blocks(void)
{
	return fake.blocks;
}
int fake_slots(void)
{
	int cpu, n = 0;

	for (cpu = 0; cpu < CPUS; cpu++)
		n += fake.slot_used[cpu];
	return n;
}
int fake_errors(void)
{
	return fake.errors;
}
const char *fake_said(void)
{
	return fake.said;
}
void fake_forget_said(void)
{
	fake.said[0] = 0;
	fake.said_length = 0;
}
int fake_times_said(const char *text)
{
	const char *at = fake.said;
	int n = 0;

	while ((at = strstr(at, text))) {
		n++;
		at++;
	}
	return n;
}
