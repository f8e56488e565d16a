/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever the guests of several vCPUs do, under any policy: what must always hold.
 *
 * The input: a byte for the policy, the pages, the tables and whether the mode changes all the
 * time; one for the numbers of domains, vCPUs and CPUs; and then two bytes for each thing that a
 * vCPU does, the vCPUs taking turns. Most of these are small and in the same few pages and
 * processes, so that vCPUs get in each other's way.
 */
#include "must.h"

#include <string.h>

#include "smp.h"

#define DOMAINS 2
#define VCPUS	3
#define WORDS	4096

struct streams {
	uint64_t word[DOMAINS * VCPUS][WORDS];
	size_t used[DOMAINS * VCPUS];
	uint32_t vcpus;
	uint64_t forks;
};

static size_t on_read(void *context, uint32_t domain, uint32_t vcpu, uint64_t *words, size_t room)
{
	struct streams *streams = context;
	const size_t stream = (size_t)domain * streams->vcpus + vcpu;
	const size_t n = streams->used[stream];

	MUST(n <= room);
	memcpy(words, streams->word[stream], n * sizeof(*words));
	streams->used[stream] = 0;
	return n;
}

static void word_add(struct streams *streams, size_t stream, uint64_t word)
{
	streams->word[stream][streams->used[stream]++] = word;
}

static void event_add(struct streams *streams, size_t stream, enum dav2m_sim_event event,
		      uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t argument[] = {a, b, c};
	const uint32_t n = dav2m_sim_event_arguments(event);
	uint32_t i;

	word_add(streams, stream, dav2m_sim_event_word(event, n));
	for (i = 0; i < n; i++)
		word_add(streams, stream, argument[i]);
}

/* What would end the run is rare: a process ends, or begins anew, where only one vCPU runs it. */
static void event_choose(struct streams *streams, size_t stream, enum dav2m_sim_event event,
			 uint8_t how)
{
	const uint64_t address = (0x8000ull + (how & 15)) << DAV2M_SIM_PAGE_SHIFT;
	const uint64_t bytes = (uint64_t)(1 + (how >> 4)) << DAV2M_SIM_PAGE_SHIFT;
	const uint64_t own = 1 + stream % streams->vcpus;

	switch (event) {
	case DAV2M_SIM_SWITCH:
		event_add(streams, stream, event, how & 1 ? own : 7, 0, 0);
		return;
	case DAV2M_SIM_EXEC:
	case DAV2M_SIM_EXIT_PROCESS:
		event_add(streams, stream, DAV2M_SIM_SWITCH, own, 0, 0);
		event_add(streams, stream, event, 0, 0, 0);
		return;
	case DAV2M_SIM_FORK:
		event_add(streams, stream, event, 100 + streams->forks++, 0, 0);
		return;
	case DAV2M_SIM_SYSCALL:
	case DAV2M_SIM_MARK:
		event_add(streams, stream, event, how == 255 ? UINT64_MAX : how, 0, 0);
		return;
	case DAV2M_SIM_MAP:
	case DAV2M_SIM_UNMAP:
	case DAV2M_SIM_PROTECT:
	case DAV2M_SIM_BRK:
		event_add(streams, stream, event, address, bytes, how == 255 ? 0 : 3);
		return;
	}
}

/* One byte chooses, one is the argument; the largest ones make words that nobody should write. */
static void put(struct streams *streams, size_t stream, uint8_t what, uint8_t how)
{
	if (streams->used[stream] + 8 > WORDS)
		return;
	if (what == 255)
		word_add(streams, stream, (uint64_t)how << 2 | DAV2M_SIM_EVENT);
	else if (what >= 160)
		event_choose(streams, stream, (enum dav2m_sim_event)(what % DAV2M_SIM_EVENTS), how);
	else
		word_add(streams, stream,
			 dav2m_sim_reference((enum dav2m_sim_kind)(what % 3), 0x8000 + (how & 15),
					     how));
}

static void check(const struct dav2m_smp *smp)
{
	struct dav2m_smp_vcpu_counts c;
	uint32_t i;

	for (i = 0; i < smp->machine.vcpus; i++) {
		const struct smp_vcpu *vcpu = &smp->machine.vcpu[i];

		dav2m_smp_vcpu_count(smp, vcpu->domain, vcpu->index, &c);
		MUST(c.guest_cycles + c.vmm_cycles + c.spin_cycles + c.irq_cycles <= c.end_cycles);
		MUST(vcpu->state == SMP_DONE && vcpu->depth == 0 && vcpu->head == vcpu->tail);
	}
	for (i = 0; i < smp->machine.locks; i++)
		MUST(smp->machine.lock[i].holder == SMP_NONE &&
		     smp->machine.lock[i].first_waiter == SMP_NONE);
}

static void to_and_fro(void *context, struct dav2m_smp *smp, uint32_t domain, uint32_t vcpu,
		       int at_window)
{
	const enum dav2m_sim_mode mode = dav2m_smp_mode(smp, domain);
	uint64_t cycles;

	(void)context;
	if (at_window && mode != DAV2M_SIM_NATIVE)
		MUST(dav2m_smp_switch(smp, domain, vcpu,
				      mode == DAV2M_SIM_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW,
				      &cycles) == 0);
}

static void config_choose(struct dav2m_smp_config *config, uint8_t how, uint8_t numbers)
{
	const struct dav2m_smp_policy *policy = dav2m_smp_policy(how % 8);

	config->mode = policy->mode;
	config->flags = policy->flags;
	config->guest_page = (enum dav2m_sim_page)(how >> 3 & 1);
	config->tables = (enum dav2m_sim_tables)((how >> 4 & 7) % DAV2M_SIM_TABLES);
	if (how >> 7) {
		config->window_inst = 100;
		config->sample = to_and_fro;
	}
	config->domains = 1 + numbers % DOMAINS;
	config->vcpus = 1 + (numbers >> 2) % VCPUS;
	config->pcpus = 1 + (numbers >> 5) % 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct streams streams;
	struct dav2m_smp_config config = {.machine = dav2m_sim_machine_find("core2-e6300"),
					  .cost = dav2m_sim_cost_find("xen304"),
					  .smp_cost = dav2m_smp_cost_find("xen3-smp"),
					  .guest_bytes = 16ull << 20,
					  .nodes = 1,
					  .read = on_read,
					  .context = &streams};
	struct dav2m_smp *smp;
	size_t i;

	if (size < 2)
		return 0;
	config_choose(&config, data[0], data[1]);
	memset(streams.used, 0, sizeof(streams.used));
	streams.vcpus = config.vcpus;
	streams.forks = 0;
	for (i = 2; i + 1 < size; i += 2)
		put(&streams, i / 2 % ((size_t)config.domains * config.vcpus), data[i],
		    data[i + 1]);
	MUST(dav2m_smp_new(&config, &smp) == 0);
	if (dav2m_smp_run(smp, UINT64_MAX) == 0)
		check(smp);
	dav2m_smp_free(smp);
	return 0;
}
