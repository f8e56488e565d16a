/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vCPUs under test: a guest of the Xen study's machine, and what its vCPUs do, word by
 * word.
 */
#ifndef DAV2M_TESTS_SIM_SMP_RIG_H
#define DAV2M_TESTS_SIM_SMP_RIG_H

#include "rig.h"

#include <string.h>

#include "smp.h"

#define WORDS 4096
#define HEAP  0x8000ull

/* A word list for each of at most four vCPUs, read as often as it has been filled. */
struct script {
	uint64_t word[4][WORDS];
	size_t used[4];
};

static inline size_t on_read(void *context, uint32_t domain, uint32_t vcpu, uint64_t *words,
			     size_t room)
{
	struct script *script = context;
	const size_t n = script->used[vcpu];

	ck_assert_uint_le(n, room);
	ck_assert_uint_eq(domain, 0);
	memcpy(words, script->word[vcpu], n * sizeof(*words));
	script->used[vcpu] = 0;
	return n;
}

static inline void touch(struct script *script, uint32_t vcpu, enum dav2m_sim_kind kind,
			 uint64_t page)
{
	script->word[vcpu][script->used[vcpu]++] = dav2m_sim_reference(kind, page, 1);
}

static inline void event(struct script *script, uint32_t vcpu, enum dav2m_sim_event event,
			 uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t argument[] = {a, b, c};
	const uint32_t n = dav2m_sim_event_arguments(event);
	uint32_t i;

	script->word[vcpu][script->used[vcpu]++] = dav2m_sim_event_word(event, n);
	for (i = 0; i < n; i++)
		/* No event has more: NOLINTNEXTLINE(*-core.uninitialized.Assign) */
		script->word[vcpu][script->used[vcpu]++] = argument[i];
}

static inline struct dav2m_smp_config config_of(struct script *script, uint32_t vcpus,
						const char *policy)
{
	const struct dav2m_smp_policy *p = dav2m_smp_policy_find(policy);
	const struct dav2m_smp_config config = {
		.machine = dav2m_sim_machine_find("core2-e6300"),
		.cost = dav2m_sim_cost_find("xen304"),
		.smp_cost = dav2m_smp_cost_find("xen3-smp"),
		.mode = p->mode,
		.flags = p->flags,
		.tables = DAV2M_SIM_LEVELS_2,
		.guest_bytes = 64ull << 20,
		.domains = 1,
		.vcpus = vcpus,
		.pcpus = vcpus,
		.nodes = 1,
		.read = on_read,
		.context = script,
	};

	return config;
}

static inline struct dav2m_smp *smp_new(const struct dav2m_smp_config *config)
{
	struct dav2m_smp *smp = NULL;

	ck_assert_int_eq(dav2m_smp_new(config, &smp), 0);
	return smp;
}

/* Runs what the script holds; the vCPUs end with it, so their states are set back for more. */
static inline struct dav2m_smp_counts run(struct dav2m_smp *smp)
{
	struct dav2m_smp_counts counts;
	uint32_t i;

	ck_assert_int_eq(dav2m_smp_run(smp, UINT64_MAX), 0);
	for (i = 0; i < smp->machine.vcpus; i++)
		smp->machine.vcpu[i].state = SMP_READY;
	dav2m_smp_count(smp, &counts);
	return counts;
}

#endif
