/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose turn it is in a domain of several vCPUs, and what counts for which mode: switches and their
 * acknowledgements, and administrators in between.
 */
#include "domain_vm.h"

/* Brings a fresh machine to where vCPU 2 is to switch it. */
static void ask(struct vm *vm, const struct dav2m_config *config)
{
	vm_begin(vm, config, DAV2M_SHADOW);
	vm_join_all(vm);
	ck_assert_int_eq(vm_work(vm, 2, 500, 1000, RIG_EXITS + 1), 0);
	ck_assert_int_eq(vm->last.action, DAV2M_SWITCH);
}

/* Whoever is told to switch has the turn until it acknowledges. */
START_TEST(turns)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct vm vm;

	ask(&vm, &config);
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_assert_int_eq(vm_work(&vm, i, 100, 200, 0), DAV2M_ERR_BUSY);
	ck_assert_int_eq(
		dav2m_domain_acknowledge(&vm.domain, (enum dav2m_outcome)DAV2M_OUTCOMES, 0),
		DAV2M_ERR_RANGE);
	ck_assert_int_eq(vm_work(&vm, 0, 100, 200, 0), DAV2M_ERR_BUSY);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DONE, 200), 0);
	ck_assert_int_eq(vm_explain(&vm).state, DAV2M_STATE_PRENESTED);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DONE, 0), DAV2M_ERR_NO_SWITCH);
}
END_TEST

/* What was published before the acknowledgement is the old mode's, and the switch's cycles, which
   were not, are nobody's. */
START_TEST(parked)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct vm vm;

	ask(&vm, &config);
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_assert_int_eq(vm_work(&vm, i, 900, 1800, 40), DAV2M_ERR_BUSY);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DONE, 200), 0);
	ck_assert_int_eq(vm_work(&vm, 1, 100, 500, 3), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_WAITING);
	ck_assert_uint_eq(vm_explain(&vm).window.progress, 100);
	ck_assert_uint_eq(vm_explain(&vm).window.cycles, 300);
	ck_assert_uint_eq(vm_explain(&vm).window.paging_exits, 3);
	ck_assert_uint_eq(vm_explain(&vm).smoothed.progress, 100);
}
END_TEST

/* The switch's cycles are those of all vCPUs, and each shows its share when it samples. */
START_TEST(parked_at_a_cost)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	struct vm vm;

	ask(&vm, &config);
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_assert_int_eq(vm_work(&vm, i, 10, 20, 0), DAV2M_ERR_BUSY);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DONE, VCPUS * 3000), 0);
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_assert_int_eq(vm_work(&vm, i, 100, 3000 + 200, 0), 0);
	ck_assert_uint_eq(vm_explain(&vm).window.progress, VCPUS * 100);
	ck_assert_uint_eq(vm_explain(&vm).window.cycles, VCPUS * 200);
}
END_TEST

/* Nor does it count where it cannot be told: because a vCPU is caught in the midst of publishing,
   or (_i) lacks a counter just then. */
START_TEST(parked_badly)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);
	const uint32_t cycles = _i ? DAV2M_BIT(DAV2M_CYCLES) : 0;
	struct vm vm;

	ask(&vm, &config);
	vm.counters[1].valid &= ~cycles;
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_assert_int_eq(vm_work(&vm, i, 900, 1800, 40), DAV2M_ERR_BUSY);
	/* Long enough for the counter to be given up for good. */
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(vm_work(&vm, 1, 0, 0, 0), DAV2M_ERR_BUSY);
	vm.vcpu[3].sequence += !_i;
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DONE, 0), 0);
	vm.vcpu[3].sequence += !_i;
	ck_assert_int_eq(vm_work(&vm, 0, 50, 100, 0), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_BASELINE);
	vm.counters[1].valid |= cycles;
	ck_assert_int_eq(vm_work(&vm, 1, 0, 0, 0), 0);
	ck_assert_int_eq(vm_work(&vm, 0, 100, 300, 0), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_WAITING);
	ck_assert_uint_eq(vm_explain(&vm).window.progress, 100);
	ck_assert_uint_eq(vm_explain(&vm).window.cycles, 300);
}
END_TEST

/* Many vCPUs under a guest that loses under nested paging, each with its sampling points at other
   times, so that at any one of them nearly all work is unpublished. */
#define MANY 64

struct guest {
	struct dav2m_vcpu vcpu[MANY];
	struct dav2m_domain domain;
	struct dav2m_sample counters[MANY];
	struct dav2m_decision decision;
	enum dav2m_mode mode;
	uint32_t vcpus;
};

/* All work alike: under nested paging a walk costs four times as much. */
static void work_alike(struct guest *guest, uint32_t progress)
{
	const int nested = guest->mode == DAV2M_NESTED;
	const uint32_t misses = progress / 50, exits = nested ? 0 : progress / 5000;
	const uint32_t walks = misses * (nested ? 80 : 20);

	for (uint32_t i = 0; i < guest->vcpus; i++) {
		guest->counters[i].value[DAV2M_PROGRESS] += progress;
		guest->counters[i].value[DAV2M_CYCLES] += progress + walks + exits * 4000;
		guest->counters[i].value[DAV2M_TLB_MISSES] += misses;
		guest->counters[i].value[DAV2M_WALK_CYCLES] += walks;
		dav2m_vcpu_paging_exits(&guest->vcpu[i], exits);
	}
}

static int sample_one(struct guest *guest, uint32_t i, struct dav2m_decision *ret_decision)
{
	return dav2m_domain_sample(&guest->domain, i, &guest->counters[i], ret_decision);
}

/* Parks all, who publish, and switches. */
static void switch_all(struct guest *guest, uint32_t index)
{
	struct dav2m_decision none;

	guest->mode = guest->decision.mode;
	for (uint32_t i = 0; i < guest->vcpus; i++)
		if (i != index)
			rig_must(sample_one(guest, i, &none) == DAV2M_ERR_BUSY);
	rig_must(dav2m_domain_acknowledge(&guest->domain, DAV2M_DONE, 0) == 0);
}

START_TEST(new_mode_is_judged_by_its_own_work)
{
	static const uint32_t numbers[] = {16, MANY};
	const uint32_t vcpus = numbers[_i], steps = 400 * vcpus;
	struct dav2m_config config = {.size = sizeof(config)};
	static struct guest guest;
	uint32_t nested = 0;

	ck_assert_int_eq(dav2m_config_preset(DAV2M_PRESET_BOUNDED, &config), 0);
	memset(&guest, 0, sizeof(guest));
	guest.vcpus = vcpus;
	for (uint32_t i = 0; i < vcpus; i++)
		guest.counters[i].valid = (RIG_COUNTERS & ~DAV2M_BIT(DAV2M_PAGING_EXITS)) |
					  DAV2M_BIT(DAV2M_WALK_CYCLES);
	ck_assert_int_eq(dav2m_domain_init(&guest.domain, &config, DAV2M_SHADOW, guest.vcpu, vcpus),
			 0);
	for (uint32_t step = 0; step < steps; step++) {
		work_alike(&guest, config.window_inst / vcpus);
		nested += guest.mode == DAV2M_NESTED;
		rig_must(sample_one(&guest, step % vcpus, &guest.decision) == 0);
		if (guest.decision.action == DAV2M_SWITCH)
			switch_all(&guest, step % vcpus);
	}
	ck_assert_uint_gt(nested, 0);
	ck_assert_uint_lt(nested, steps / 10);
}
END_TEST

/* A refused switch ends the turn as well. */
START_TEST(refused_turn)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	ask(&vm, &config);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_FAILED, 0), 0);
	ck_assert_int_eq(vm_work(&vm, 0, 100, 200, 0), 0);
	ck_assert_int_eq(vm_explain(&vm).state, DAV2M_STATE_SHADOW);
}
END_TEST

/* After one that was put off, exits are worth a sample again at once. */
START_TEST(deferred_turn)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	ask(&vm, &config);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[1], RIG_EXITS), 0);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DEFERRED, 0), 0);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[1], 1), 1);
}
END_TEST

/* And one of a switch that was withdrawn behind the domain's back (_i: acknowledged there),
   whatever the controller makes of it. */
START_TEST(withdrawn_turn)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	ask(&vm, &config);
	if (_i)
		ck_assert_int_eq(dav2m_acknowledge(&vm.domain.controller, DAV2M_DONE, 0), 0);
	else
		ck_assert_int_eq(dav2m_pin(&vm.domain.controller, DAV2M_PIN_SHADOW), 0);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DONE, 0),
			 _i ? DAV2M_ERR_NO_SWITCH : DAV2M_OK);
	ck_assert_int_eq(vm_explain(&vm).mode, DAV2M_NESTED);
	ck_assert_int_eq(vm_work(&vm, 0, 100, 200, 0), 0);
}
END_TEST

/* Who was not told to switch ends nobody's turn. */
START_TEST(not_its_turn)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm, before;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	vm_join_all(&vm);
	vm.domain.turn = 1; /* somebody is closing a tick */
	memcpy(&before, &vm, sizeof(vm));
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DONE, 0), DAV2M_ERR_NO_SWITCH);
	ck_assert_mem_eq(&vm, &before, sizeof(vm));
}
END_TEST

static int pin(struct vm *vm, enum dav2m_pin pin)
{
	return dav2m_domain_pin(&vm->domain, pin);
}

/* A pin may come at any time but in the middle of a switch. */
START_TEST(pins)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	ask(&vm, &config);
	ck_assert_int_eq(pin(&vm, DAV2M_PIN_SHADOW), DAV2M_ERR_BUSY);
	ck_assert_int_eq(vm_explain(&vm).pin, DAV2M_PIN_NONE);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DONE, 0), 0);
	ck_assert_int_eq(pin(&vm, (enum dav2m_pin)DAV2M_PINS), DAV2M_ERR_RANGE);
	ck_assert_int_eq(pin(&vm, DAV2M_PIN_SHADOW), 0);
	do
		ck_assert_int_eq(vm_work(&vm, 0, 500, 1000, 0), 0);
	while (vm.last.action == DAV2M_STAY);
	ck_assert_int_eq(vm.last.mode, DAV2M_SHADOW);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DONE, 0), 0);
	ck_assert_int_eq(vm_explain(&vm).mode, DAV2M_SHADOW);
}
END_TEST

/* Where exits decide nothing no vCPU is asked for samples. */
START_TEST(pins_tell_vcpus)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[1], RIG_EXITS), 1);
	ck_assert_int_eq(pin(&vm, DAV2M_PIN_SHADOW), 0);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[1], RIG_EXITS), 0);
	ck_assert_int_eq(pin(&vm, DAV2M_PIN_NONE), 0);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[1], 1), 1);
	/* Nor where more than enough have been taken meanwhile, until they may decide again. */
	vm_join_all(&vm);
	ck_assert_int_eq(pin(&vm, DAV2M_PIN_SHADOW), 0);
	ck_assert_int_eq(vm_work(&vm, 0, 100, 200, 2 * RIG_EXITS), 0);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[2], RIG_EXITS), 0);
	ck_assert_int_eq(pin(&vm, DAV2M_PIN_NONE), 0);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[2], 0), 1);
}
END_TEST

START_TEST(retunes)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED), bad = config;
	struct vm vm;

	bad.window_inst = 0;
	ask(&vm, &config);
	config.threshold_vmexit = 4000;
	ck_assert_int_eq(dav2m_domain_retune(&vm.domain, &config), DAV2M_ERR_BUSY);
	ck_assert_int_eq(dav2m_domain_retune(&vm.domain, &bad), DAV2M_ERR_CONFIG);
	ck_assert_int_eq(dav2m_domain_retune(&vm.domain, NULL), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DEFERRED, 0), 0);
	ck_assert_int_eq(vm_work(&vm, 0, 1000, 2000, 0), 0);
	ck_assert_int_eq(dav2m_domain_retune(&vm.domain, &config), 0);
	ck_assert_uint_eq(vm_explain(&vm).threshold_vmexit, 4000);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[3], 4000 / VCPUS), 0);
	ck_assert_int_eq(dav2m_vcpu_paging_exits(&vm.vcpu[3], 1), 1);
	/* Counters are read as before: work goes on to count at once. */
	ck_assert_int_eq(vm_work(&vm, 0, 500, 1000, 7), 0);
	ck_assert_uint_eq(vm_explain(&vm).window.progress, 500);
	ck_assert_uint_eq(vm_explain(&vm).window.paging_exits, 7);
}
END_TEST

/* Counters that turn out to be narrower than was said wrap without a loss from then on. */
START_TEST(retunes_width)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_explanation now;
	struct vm vm;

	config.window_inst = UINT32_C(1) << 30;
	vm_begin(&vm, &config, DAV2M_NESTED);
	vm_join_all(&vm);
	config.counter_bits = 32;
	ck_assert_int_eq(dav2m_domain_retune(&vm.domain, &config), 0);
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_assert_int_eq(vm_work(&vm, i, 1, 1, 0), 0);
	for (int round = 0; round < 40; round++)
		for (uint32_t i = 0; i < VCPUS; i++) {
			uint64_t *progress = &vm.counters[i].value[DAV2M_PROGRESS];

			*progress = (*progress + config.window_inst) & UINT32_MAX;
			ck_assert_int_eq(vm_work(&vm, i, 0, 1000, 0), 0);
		}
	ck_assert_int_eq(dav2m_domain_explain(&vm.domain, &now), 0);
	ck_assert_uint_eq(now.resets, 0);
	ck_assert_uint_eq(now.wraps, 40);
	ck_assert_uint_eq(now.mode_ticks[DAV2M_NESTED], 40 * VCPUS);
	/* Said to be wide again, they have lost none of the wraps that were seen. */
	config.counter_bits = 48;
	ck_assert_int_eq(dav2m_domain_retune(&vm.domain, &config), 0);
	ck_assert_int_eq(vm_work(&vm, 0, 1, 1, 0), 0);
	ck_assert_int_eq(dav2m_domain_explain(&vm.domain, &now), 0);
	ck_assert_uint_eq(now.wraps, 40);
}
END_TEST

/* To a judge who has no use for a counter that there was, and back: nobody waits for it. */
START_TEST(retunes_judge)
{
	struct dav2m_config thresholds = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_config regret = rig_config(DAV2M_PRESET_BOUNDED);
	const uint32_t all = RIG_COUNTERS | DAV2M_BIT(DAV2M_WALK_CYCLES);
	struct vm vm;

	vm_begin(&vm, &regret, DAV2M_NESTED);
	for (uint32_t i = 0; i < VCPUS; i++)
		vm.counters[i].valid = all;
	vm_join_all(&vm);
	ck_assert_uint_eq(vm_explain(&vm).available, all);
	ck_assert_int_eq(dav2m_domain_retune(&vm.domain, &thresholds), 0);
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_assert_int_eq(vm_work(&vm, i, 100, 200, 0), 0);
	ck_assert_int_eq(vm_work(&vm, 0, 100, 200, 0), 0);
	rig_expect_reason(vm_reason(&vm), DAV2M_WAITING);
	ck_assert_uint_eq(vm_explain(&vm).available, RIG_COUNTERS);
	ck_assert_int_eq(dav2m_domain_retune(&vm.domain, &regret), 0);
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_assert_int_eq(vm_work(&vm, i, 100, 200, 0), 0);
	ck_assert_uint_eq(vm_explain(&vm).available, all);
}
END_TEST

/* Counters that go on from elsewhere, and so little further that it could be believed. */
START_TEST(rebases)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_explanation now;
	struct vm vm;

	ask(&vm, &config);
	ck_assert_int_eq(dav2m_domain_rebase(&vm.domain), DAV2M_ERR_BUSY);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DEFERRED, 0), 0);
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(dav2m_domain_rebase(&vm.domain), 0);
		if (round == 0) /* that undoes nothing */
			ck_assert_int_eq(dav2m_domain_retune(&vm.domain, &config), 0);
		for (uint32_t i = 0; i < VCPUS; i++)
			ck_assert_int_eq(vm_work(&vm, i, 1u << 20, 1u << 21, 1u << 19), 0);
		ck_assert_int_eq(vm_work(&vm, 0, 100, 200, 3), 0);
		ck_assert_int_eq(dav2m_domain_explain(&vm.domain, &now), 0);
		ck_assert_uint_eq(now.window.progress, 100);
		ck_assert_uint_eq(now.window.paging_exits, 3);
		ck_assert_uint_eq(now.resets, 0);
	}
}
END_TEST

/* Exits of a vCPU whose work until the rebase is not known are not held against what follows; and
   those that are worth a sample are shared out again. */
START_TEST(rebases_exits)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct vm vm;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	for (uint32_t i = 0; i < VCPUS; i++)
		vm.counters[i].valid &= ~DAV2M_BIT(DAV2M_PAGING_EXITS);
	vm_join_all(&vm);
	dav2m_vcpu_paging_exits(&vm.vcpu[1], 50 * RIG_EXITS);
	ck_assert_int_eq(dav2m_domain_rebase(&vm.domain), 0);
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_assert_int_eq(vm_work(&vm, i, 1u << 20, 1u << 21, 0), 0);
	ck_assert_int_eq(vm_work(&vm, 0, 1000, 2000, 0), 0);
	ck_assert_int_eq(vm.last.action, DAV2M_STAY);
	vm.vcpu[0].exits_due = UINT32_MAX; /* as after a storm */
	ck_assert_int_eq(dav2m_domain_rebase(&vm.domain), 0);
	ck_assert_uint_le(vm.vcpu[0].exits_due, RIG_EXITS);
}
END_TEST

/* Nobody explains a controller that somebody else may be changing; whoever is to switch has it. */
START_TEST(explains_in_turn)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_explanation now;
	struct vm vm;

	ask(&vm, &config);
	ck_assert_int_eq(dav2m_domain_explain(&vm.domain, &now), DAV2M_ERR_BUSY);
	ck_assert_int_eq(dav2m_explain(&vm.domain.controller, &now), 0);
	ck_assert_int_eq(now.asked, DAV2M_SWITCH);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DONE, 0), 0);
	ck_assert_int_eq(dav2m_domain_explain(&vm.domain, &now), 0);
	ck_assert_int_eq(now.state, DAV2M_STATE_PRENESTED);
	ck_assert_int_eq(dav2m_domain_explain(&vm.domain, NULL), DAV2M_ERR_NULL);
	ck_assert_int_eq(vm_work(&vm, 0, 100, 200, 0), 0);
}
END_TEST

START_TEST(errors_change_nothing)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_REPAIRED);
	struct dav2m_explanation now;
	struct vm vm, before;

	vm_begin(&vm, &config, DAV2M_SHADOW);
	vm.domain.controller.magic ^= 1;
	memcpy(&before, &vm, sizeof(vm));
	ck_assert_int_eq(vm_work(&vm, 0, 0, 0, 0), DAV2M_ERR_UNINIT);
	ck_assert_int_eq(dav2m_domain_acknowledge(&vm.domain, DAV2M_DONE, 0), DAV2M_ERR_UNINIT);
	ck_assert_int_eq(pin(&vm, DAV2M_PIN_NESTED), DAV2M_ERR_UNINIT);
	ck_assert_int_eq(dav2m_domain_retune(&vm.domain, &config), DAV2M_ERR_UNINIT);
	ck_assert_int_eq(dav2m_domain_rebase(&vm.domain), DAV2M_ERR_UNINIT);
	ck_assert_int_eq(dav2m_domain_explain(&vm.domain, &now), DAV2M_ERR_UNINIT);
	ck_assert_mem_eq(&vm, &before, sizeof(vm));
	ck_assert_int_eq(dav2m_domain_acknowledge(NULL, DAV2M_DONE, 0), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_pin(NULL, DAV2M_PIN_NESTED), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_retune(NULL, &config), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_rebase(NULL), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_domain_explain(NULL, &now), DAV2M_ERR_NULL);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("domain_turns");

	tcase_add_test(tests, turns);
	tcase_add_test(tests, parked);
	tcase_add_test(tests, parked_at_a_cost);
	tcase_add_loop_test(tests, parked_badly, 0, 2);
	tcase_add_loop_test(tests, new_mode_is_judged_by_its_own_work, 0, 2);
	tcase_add_test(tests, refused_turn);
	tcase_add_test(tests, deferred_turn);
	tcase_add_loop_test(tests, withdrawn_turn, 0, 2);
	tcase_add_test(tests, not_its_turn);
	tcase_add_test(tests, pins);
	tcase_add_test(tests, pins_tell_vcpus);
	tcase_add_test(tests, retunes);
	tcase_add_test(tests, retunes_width);
	tcase_add_test(tests, retunes_judge);
	tcase_add_test(tests, rebases);
	tcase_add_test(tests, rebases_exits);
	tcase_add_test(tests, explains_in_turn);
	tcase_add_test(tests, errors_change_nothing);
	return rig_main("domain_turns", tests);
}
