/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain of several vCPUs, one call at a time: sums, missing counters, shares.
 */
#include "domain_vm.h"

START_TEST(sums)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct vm vm;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	vm_join_all(&vm);
	ck_assert_int_eq(vm_work(&vm, 0, 100, 210, 30), 0);
	ck_assert_int_eq(vm_work(&vm, 3, 200, 410, 40), 0);
	ck_assert_int_eq(vm_work(&vm, 1, 300, 610, 10), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_WAITING);
	ck_assert_uint_eq(vm_explain(&vm).window.progress, 600);
	ck_assert_uint_eq(vm_explain(&vm).window.cycles, 1230);
	ck_assert_uint_eq(vm_explain(&vm).window.paging_exits, 80);
	/* The tick is the domain's, not a vCPU's. */
	ck_assert_int_eq(vm_work(&vm, 2, 400, 810, 20), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_ROLLED);
	ck_assert_uint_eq(vm.last.tick, 1);
	ck_assert_uint_eq(vm_explain(&vm).reference.cycles, 2040);
}
END_TEST

/* The threshold is the domain's as well. */
START_TEST(exits_of_all)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	vm_join_all(&vm);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_int_eq(vm_work(&vm, i, 200, 400, RIG_EXITS / 4), 0);
	ck_assert_int_eq(vm.last.action, DAV2M_STAY);
	ck_assert_int_eq(vm_work(&vm, 3, 200, 400, RIG_EXITS / 4 + 1), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_EXITS_ABOVE);
}
END_TEST

/* Counters narrower than their sum: each wraps by itself, the sum does not. */
START_TEST(narrow_counters)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	config.counter_bits = 32;
	config.window_inst = UINT32_C(1) << 31;
	vm_begin(&vm, &config, DAV2M_NESTED);
	vm_join_all(&vm);
	for (int round = 0; round < 40; round++) {
		for (uint32_t i = 0; i < VCPUS; i++) {
			uint64_t *cycles = &vm.counters[i].value[DAV2M_CYCLES];

			*cycles = (*cycles + 1500000000) & UINT32_MAX;
			ck_assert_int_eq(vm_work(&vm, i, 1, 0, 0), 0);
			rig_expect_reason(vm_reason(&vm), DAV2M_WAITING);
		}
	}
	ck_assert_uint_eq(vm_explain(&vm).window.cycles, UINT64_C(40) * VCPUS * 1500000000);
	/* All at once: more than a counter of this width may ever move by. */
	vm.vcpu[VCPUS - 1].sequence++;
	for (uint32_t i = 0; i < VCPUS - 1; i++)
		ck_assert_int_eq(vm_work(&vm, i, 1, 1500000000, 0), DAV2M_ERR_BUSY);
	vm.vcpu[VCPUS - 1].sequence++;
	ck_assert_int_eq(vm_work(&vm, VCPUS - 1, 1, 0, 0), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_WAITING);
	ck_assert_uint_eq(vm_explain(&vm).window.cycles,
			  UINT64_C(41) * VCPUS * 1500000000 - 1500000000);
}
END_TEST

/* A vCPU that comes up later brings the past of its counters, and none of it counts. */
START_TEST(joins_later)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct vm vm;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	ck_assert_int_eq(vm_work(&vm, 0, 5000, 9000, 7000), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_BASELINE);
	ck_assert_int_eq(vm_work(&vm, 0, 500, 1000, 10), 0);
	ck_assert_int_eq(vm_work(&vm, 2, UINT64_C(1) << 45, UINT64_C(1) << 46, UINT64_C(1) << 44),
			 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_NO_PROGRESS);
	ck_assert_uint_eq(vm_explain(&vm).window.progress, 500);
	ck_assert_int_eq(vm_work(&vm, 2, 500, 1000, 10), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_ROLLED);
	ck_assert_uint_eq(vm_explain(&vm).reference.cycles, 2000);
}
END_TEST

/* The domain has the counters that all have. */
START_TEST(missing_counter)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;
	int gaps = 0;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	vm.counters[1].valid &= ~DAV2M_BIT(DAV2M_CYCLES);
	ck_assert_int_eq(vm_work(&vm, 0, 10, 20, 0), 0);
	ck_assert_uint_eq(vm_explain(&vm).available, RIG_COUNTERS);
	ck_assert_int_eq(vm_work(&vm, 1, 10, 20, 0), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_INCOMPLETE);
	while (vm_work(&vm, 0, 10, 20, 0) == 0 && vm_reason(&vm) == DAV2M_INCOMPLETE)
		gaps++;
	rig_expect_reason(vm_reason(&vm), DAV2M_COUNTER_LOST);
	ck_assert_int_eq(gaps, 14);
	ck_assert_uint_eq(vm_explain(&vm).available, RIG_COUNTERS & ~DAV2M_BIT(DAV2M_CYCLES));
}
END_TEST

/* One by which nobody judges may come and go, as with a controller of its own. */
START_TEST(useless_counter)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	vm_begin(&vm, &config, DAV2M_NESTED);
	vm_join_all(&vm);
	for (uint32_t i = 1; i <= 100; i++) {
		vm.counters[0].valid ^= i % 20 ? 0 : DAV2M_BIT(DAV2M_WALK_CYCLES);
		ck_assert_int_eq(vm_work(&vm, 0, RIG_TICK, 2 * RIG_TICK, 0), 0);
		ck_assert_uint_eq(vm.last.tick, i);
	}
}
END_TEST

/* Exits counted one by one stand in for a counter. */
START_TEST(counted_exits)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	vm.counters[0].valid &= ~DAV2M_BIT(DAV2M_PAGING_EXITS);
	vm_join_all(&vm);
	dav2m_vcpu_paging_exits(&vm.vcpu[0], 60);
	dav2m_vcpu_paging_exits(&vm.vcpu[1], 1000); /* it has a counter */
	ck_assert_int_eq(vm_work(&vm, 0, 250, 500, 1000), 0);
	ck_assert_int_eq(vm_work(&vm, 1, 250, 500, 40), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_WAITING);
	ck_assert_uint_eq(vm_explain(&vm).window.paging_exits, RIG_EXITS);
	dav2m_vcpu_paging_exits(&vm.vcpu[0], 1);
	ck_assert_int_eq(vm_work(&vm, 0, 1, 2, 0), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_EXITS_ABOVE);
}
END_TEST

/* A vCPU whose counters were reset (_i: or jumped, as after a suspension) loses its own stretch,
   not the domain's window. */
START_TEST(one_reset)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_explanation now;
	struct vm vm;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	vm_join_all(&vm);
	ck_assert_int_eq(vm_work(&vm, 0, 500, 1000, 10), 0);
	if (_i)
		vm.counters[1].value[DAV2M_CYCLES] += UINT64_C(1) << 40;
	else
		memset(vm.counters[1].value, 0, sizeof(vm.counters[1].value));
	ck_assert_int_eq(vm_work(&vm, 1, 3, 4, 0), 0);
	ck_assert_int_eq(dav2m_domain_explain(&vm.domain, &now), 0);
	ck_assert_uint_eq(now.resets, 1);
	ck_assert_uint_eq(now.window.progress, 500);
	ck_assert_uint_eq(now.window.cycles, 1000);
	ck_assert_int_eq(vm_work(&vm, 1, 500, 1000, 10), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_ROLLED);
}
END_TEST

/* A vCPU halted in the middle of publishing: the tick waits, nobody else does. */
START_TEST(halted_while_publishing)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	vm_join_all(&vm);
	vm.vcpu[3].sequence++;
	vm.last.tick = 77;
	ck_assert_int_eq(vm_work(&vm, 0, 2000, 4000, 0), DAV2M_ERR_BUSY);
	ck_assert_uint_eq(vm.last.tick, 77);
	vm.vcpu[3].sequence++;
	ck_assert_int_eq(vm_work(&vm, 1, 0, 0, 0), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_ROLLED);
}
END_TEST

static void begin_counted(struct vm *vm, const struct dav2m_config *config)
{
	vm_begin(vm, config, DAV2M_SHADOW);
	for (int i = 0; i < VCPUS; i++)
		vm->counters[i].valid &= ~DAV2M_BIT(DAV2M_PAGING_EXITS);
}

/* Each vCPU may take its share of the exits that are left before it should sample. */
START_TEST(shares)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	begin_counted(&vm, &config);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[1], RIG_EXITS / VCPUS), 0);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[1], 1), 1);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[2], RIG_EXITS / VCPUS), 0);
	begin_counted(&vm, &config);
	vm_join_all(&vm);
	/* 60 of 100 taken: 10 are left for each. */
	dav2m_vcpu_paging_exits(&vm.vcpu[0], 60);
	ck_assert_int_eq(vm_work(&vm, 0, 100, 200, 0), 0);
	ck_assert_uint_eq(vm_explain(&vm).window.paging_exits, 60);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[3], 10), 0);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[3], 1), 1);
	/* All taken: nothing to share, but each may have 1/64 of 100. */
	dav2m_vcpu_paging_exits(&vm.vcpu[0], 40);
	ck_assert_int_eq(vm_work(&vm, 0, 100, 200, 0), 0);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[1], 1), 0);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[1], 1), 1);
}
END_TEST

/* One vCPU of the largest domain that takes all exits has to look at the others 64 times before
   the threshold is crossed, not at each of the last few thousand exits. */
START_TEST(storm)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_sample counters = {.valid = RIG_COUNTERS & ~DAV2M_BIT(DAV2M_PAGING_EXITS)};
	struct dav2m_vcpu *vcpu =
		aligned_alloc(__alignof__(struct dav2m_vcpu), 4096 * sizeof(*vcpu));
	struct dav2m_decision decision;
	struct dav2m_domain domain;
	uint32_t exits = 0, samples = 0;

	ck_assert_ptr_nonnull(vcpu);
	config.threshold_vmexit = 6400;
	ck_assert_int_eq(dav2m_domain_init(&domain, &config, DAV2M_SHADOW, vcpu, 4096), 0);
	ck_assert_int_eq(dav2m_domain_sample(&domain, 7, &counters, &decision), 0);
	counters.value[DAV2M_PROGRESS] = 500;
	counters.value[DAV2M_CYCLES] = 1000;
	do {
		exits++;
		if (!dav2m_vcpu_paging_exits(&vcpu[7], 1))
			continue;
		samples++;
		ck_assert_int_eq(dav2m_domain_sample(&domain, 7, &counters, &decision), 0);
		counters.value[DAV2M_PROGRESS]++;
	} while (decision.action == DAV2M_STAY && exits < 10000);
	ck_assert_int_eq(decision.action, DAV2M_SWITCH);
	ck_assert_uint_le(samples, 64);
	ck_assert_uint_le(exits, 6400 + 6400 / 64);
	free(vcpu);
}
END_TEST

START_TEST(no_shares)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	vm_begin(&vm, &config, DAV2M_NESTED);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[0], 100 * RIG_EXITS), 0);
	begin_counted(&vm, &config);
	vm_join_all(&vm);
	/* Crossed within the first quarter of a tick: not asked for again before the next. */
	dav2m_vcpu_paging_exits(&vm.vcpu[0], RIG_EXITS + 1);
	ck_assert_int_eq(vm_work(&vm, 0, 100, 200, 0), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_WAITING);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[1], 100 * RIG_EXITS), 0);
	/* Asked for and not acknowledged. */
	ck_assert_int_eq(vm_work(&vm, 0, 200, 400, 0), 0);
	ck_assert_int_eq(vm.last.action, DAV2M_SWITCH);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[2], 100 * RIG_EXITS), 0);
}
END_TEST

/* Crossed while no guest got anywhere: nothing to judge, however often it is asked. */
START_TEST(no_shares_without_progress)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	begin_counted(&vm, &config);
	vm_join_all(&vm);
	dav2m_vcpu_paging_exits(&vm.vcpu[0], RIG_EXITS + 1);
	ck_assert_int_eq(vm_work(&vm, 0, 0, 400, 0), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_NO_PROGRESS);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[1], 100 * RIG_EXITS), 0);
	ck_assert_int_eq(vm_work(&vm, 2, 250, 400, 0), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_EXITS_ABOVE);
}
END_TEST

START_TEST(init_errors)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED), bad = config;
	struct vm vm;

	bad.raise_bp = 1;
	bad.p_factor_bp = 0;
	ck_assert_int_eq(dav2m_domain_init(NULL, &config, DAV2M_SHADOW, vm.vcpu, 1),
			 DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_init(&vm.domain, &config, DAV2M_SHADOW, NULL, 1),
			 DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_init(&vm.domain, NULL, DAV2M_SHADOW, vm.vcpu, 1),
			 DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_init(&vm.domain, &config, DAV2M_SHADOW, vm.vcpu, 0),
			 DAV2M_ERR_RANGE);
	ck_assert_int_eq(dav2m_domain_init(&vm.domain, &config, DAV2M_SHADOW, vm.vcpu, 4097),
			 DAV2M_ERR_RANGE);
	ck_assert_int_eq(
		dav2m_domain_init(&vm.domain, &config, (enum dav2m_mode)DAV2M_MODES, vm.vcpu, 1),
		DAV2M_ERR_RANGE);
	ck_assert_int_eq(dav2m_domain_init(&vm.domain, &bad, DAV2M_SHADOW, vm.vcpu, 1),
			 DAV2M_ERR_CONFIG);
	bad.size = 0;
	ck_assert_int_eq(dav2m_domain_init(&vm.domain, &bad, DAV2M_SHADOW, vm.vcpu, 1),
			 DAV2M_ERR_SIZE);
}
END_TEST

/* An array or a domain where malloc() may put it is refused: compilers take the types at their
   word, and their code faults there. */
START_TEST(init_alignment)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;
	char *array = (char *)vm.vcpu, *domain = (char *)&vm.domain;

	for (unsigned int off = 16; off < 128; off += 16) {
		ck_assert_int_eq(dav2m_domain_init(&vm.domain, &config, DAV2M_SHADOW,
						   (void *)(array + off), 1),
				 DAV2M_ERR_RANGE);
		ck_assert_int_eq(dav2m_domain_init((void *)(domain - off), &config, DAV2M_SHADOW,
						   vm.vcpu, 1),
				 DAV2M_ERR_RANGE);
	}
}
END_TEST

/* Whatever memory held before. */
START_TEST(never_initialised)
{
	struct vm vm;

	memset(&vm, 0x6b, sizeof(vm));
	vm.counters[0].valid = RIG_COUNTERS;
	ck_assert_int_eq(vm_work(&vm, 0, 1, 1, 1), DAV2M_ERR_UNINIT);
}
END_TEST

START_TEST(largest_domain)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_vcpu *vcpu =
		aligned_alloc(__alignof__(struct dav2m_vcpu), 4096 * sizeof(*vcpu));
	struct dav2m_domain domain;

	ck_assert_ptr_nonnull(vcpu);
	ck_assert_int_eq(dav2m_domain_init(&domain, &config, DAV2M_SHADOW, vcpu, 4096), 0);
	/* Less than one exit each: the second is due, see LEAST_SHARE. */
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vcpu[4095], 1), 0);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vcpu[4095], 1), 1);
	free(vcpu);
}
END_TEST

START_TEST(errors_change_nothing)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_sample nonsense = {.valid = DAV2M_BIT(DAV2M_COUNTERS)};
	struct dav2m_domain never = {.vcpu = NULL};
	struct vm vm, before;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	vm_join_all(&vm);
	memcpy(&before, &vm, sizeof(vm));
	ck_assert_int_eq(dav2m_domain_sample(NULL, 0, &vm.counters[0], &vm.last), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_sample(&vm.domain, 0, NULL, &vm.last), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_sample(&vm.domain, 0, &vm.counters[0], NULL), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_sample(&never, 0, &vm.counters[0], &vm.last),
			 DAV2M_ERR_UNINIT);
	ck_assert_int_eq(dav2m_domain_sample(&vm.domain, VCPUS, &vm.counters[0], &vm.last),
			 DAV2M_ERR_RANGE);
	ck_assert_int_eq(dav2m_domain_sample(&vm.domain, 0, &nonsense, &vm.last), DAV2M_ERR_SAMPLE);
	ck_assert_int_eq(dav2m_domain_acknowledge(NULL, DAV2M_DONE, 0), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DONE, 0), DAV2M_ERR_NO_SWITCH);
	ck_assert_mem_eq(&vm, &before, sizeof(vm));
}
END_TEST

/* An overwritten controller is an error for everybody, not a turn that never ends. */
START_TEST(overwritten)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	memset(&vm.domain.controller, 0, sizeof(vm.domain.controller));
	ck_assert_int_eq(vm_work(&vm, 0, 1, 1, 1), DAV2M_ERR_UNINIT);
	ck_assert_int_eq(vm_work(&vm, 1, 1, 1, 1), DAV2M_ERR_UNINIT);
}
END_TEST

/* No two vCPUs share a line, nor the pair of lines that is fetched together. */
START_TEST(lines)
{
	ck_assert_uint_eq(sizeof(struct dav2m_vcpu) % 128, 0);
	ck_assert_uint_ge(__alignof__(struct dav2m_vcpu), 128);
	ck_assert_uint_ge(__alignof__(struct dav2m_domain), 128);
}
END_TEST

/* What befell the counters of a vCPU is told of the domain, whose sums show nothing of it. */
START_TEST(explains_vcpus)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_explanation now;
	struct vm vm;

	config.counter_bits = 32;
	vm_begin(&vm, &config, DAV2M_SHADOW);
	vm.counters[1].value[DAV2M_CYCLES] = 0xfff00000;
	vm.counters[1].value[DAV2M_PROGRESS] = 0xfff00000 - (1u << 20);
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_assert_int_eq(vm_work(&vm, i, 1u << 20, 0, 0), 0);
	ck_assert_int_eq(dav2m_domain_explain(&vm.domain, &now), 0);
	ck_assert_uint_eq(now.wraps, 0);
	ck_assert_uint_eq(now.resets, 0);
	vm.counters[1].value[DAV2M_CYCLES] = 5;
	vm.counters[1].value[DAV2M_PROGRESS] = 4;
	ck_assert_int_eq(vm_work(&vm, 1, 0, 0, 0), 0);
	vm.counters[2].value[DAV2M_PROGRESS] = 0;
	ck_assert_int_eq(vm_work(&vm, 2, 0, 0, 0), 0);
	vm.counters[3].value[DAV2M_CYCLES] = 0x7fffffff;
	ck_assert_int_eq(vm_work(&vm, 3, 0, 0, 0), 0);
	ck_assert_int_eq(dav2m_domain_explain(&vm.domain, &now), 0);
	ck_assert_uint_eq(now.wraps, 2);
	ck_assert_uint_eq(now.resets, 1);
	ck_assert_uint_eq(now.count[DAV2M_BACKWARD] + now.count[DAV2M_JUMP], 0);
	ck_assert_int_eq(dav2m_domain_explain(NULL, &now), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_explain(&vm.domain, NULL), DAV2M_ERR_NULL);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("domain");

	tcase_add_test(tests, explains_vcpus);
	tcase_add_test(tests, sums);
	tcase_add_test(tests, exits_of_all);
	tcase_add_test(tests, narrow_counters);
	tcase_add_test(tests, joins_later);
	tcase_add_test(tests, missing_counter);
	tcase_add_test(tests, useless_counter);
	tcase_add_test(tests, counted_exits);
	tcase_add_loop_test(tests, one_reset, 0, 2);
	tcase_add_test(tests, halted_while_publishing);
	tcase_add_test(tests, shares);
	tcase_add_test(tests, storm);
	tcase_add_test(tests, no_shares);
	tcase_add_test(tests, no_shares_without_progress);
	tcase_add_test(tests, init_errors);
	tcase_add_test(tests, init_alignment);
	tcase_add_test(tests, never_initialised);
	tcase_add_test(tests, largest_domain);
	tcase_add_test(tests, errors_change_nothing);
	tcase_add_test(tests, overwritten);
	tcase_add_test(tests, lines);
	return rig_main("domain", tests);
}
