/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual machine of four vCPUs in one decision domain, for tests of one call at a time.
 */
#ifndef DAV2M_TESTS_CORE_DOMAIN_VM_H
#define DAV2M_TESTS_CORE_DOMAIN_VM_H

#include "rig.h"

#define VCPUS 4

struct vm {
	struct dav2m_vcpu vcpu[VCPUS];
	struct dav2m_domain domain;
	struct dav2m_sample counters[VCPUS];
	struct dav2m_decision last;
};

static inline void vm_begin(struct vm *vm, const struct dav2m_config *config,
			    enum dav2m_mode running)
{
	memset(vm, 0x5a, sizeof(*vm));
	memset(vm->counters, 0, sizeof(vm->counters));
	for (int i = 0; i < VCPUS; i++)
		vm->counters[i].valid = RIG_COUNTERS;
	ck_assert_int_eq(dav2m_domain_init(&vm->domain, config, running, vm->vcpu, VCPUS), 0);
}

/* One vCPU's counters grow and it samples. */
static inline int vm_work(struct vm *vm, uint32_t i, uint64_t progress, uint64_t cycles,
			  uint64_t exits)
{
	vm->counters[i].value[DAV2M_PROGRESS] += progress;
	vm->counters[i].value[DAV2M_CYCLES] += cycles;
	vm->counters[i].value[DAV2M_PAGING_EXITS] += exits;
	return dav2m_domain_sample(&vm->domain, i, &vm->counters[i], &vm->last);
}

/* Every vCPU's first sample: only a base. */
static inline void vm_join_all(struct vm *vm)
{
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_assert_int_eq(vm_work(vm, i, 1u << 20, 1u << 21, 1u << 19), 0);
	ck_assert_uint_eq(vm->last.tick, 0);
}

static inline struct dav2m_explanation vm_explain(const struct vm *vm)
{
	struct dav2m_explanation now;

	ck_assert_int_eq(dav2m_explain(&vm->domain.controller, &now), 0);
	return now;
}

static inline enum dav2m_reason vm_reason(const struct vm *vm)
{
	return vm->last.reason;
}

#endif
