/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Storms of exits under the regret judge: when one asks for a sample in the middle of a tick, what
 * that sample decides, which alarms were false, and what is remembered of a part of a tick.
 */
#include "regret_vmm.h"

/* While a storm of exits lasts, a tick takes long: shadow paging is left in its middle. The phase
   is remembered by what the whole tick would have cost. */
START_TEST(flood)
{
	struct vmm vmm;
	int32_t exits = 0;

	by_hand(&vmm, DAV2M_SHADOW, DAV2M_ALL_COUNTERS & ~EXITS, 39);
	work(&vmm, PHASES_TICK_PROGRESS, calm);
	while (!dav2m_paging_exits(&vmm.ctl, 1))
		ck_assert_int_lt(++exits, 60000);
	/* No sooner than nested paging's walks and the highest limit have been lost. */
	ck_assert_uint_ge((uint64_t)exits * 4000, view(&vmm).limit_cycles);
	work(&vmm, PHASES_TICK_PROGRESS / 4,
	     (struct work){25000000 + (uint64_t)exits * 4000, 1000, 15000, 0});
	ck_assert_int_eq(vmm.mode, DAV2M_NESTED);
	ck_assert_uint_eq(vmm.last.tick, 1);
	ck_assert_uint_ge(view(&vmm).cost_cycles, (uint64_t)exits * 3990);
}
END_TEST

/* A part of a storm that is not worth a switch yet is judged when the tick is over. */
START_TEST(no_flood)
{
	struct vmm vmm;

	by_hand(&vmm, DAV2M_SHADOW, DAV2M_ALL_COUNTERS & ~EXITS, 39);
	work(&vmm, PHASES_TICK_PROGRESS, calm);
	(void)dav2m_paging_exits(&vmm.ctl, 5000);
	work(&vmm, PHASES_TICK_PROGRESS / 4, (struct work){45000000, 1000, 15000, 0});
	ck_assert_int_eq(vmm.mode, DAV2M_SHADOW);
	ck_assert_int_eq(vmm.last.reason, DAV2M_WAITING);
	(void)dav2m_paging_exits(&vmm.ctl, 45000);
	work(&vmm, 3 * PHASES_TICK_PROGRESS / 4, (struct work){255000000, 1000, 15000, 0});
	ck_assert_int_eq(vmm.mode, DAV2M_NESTED);
	ck_assert_uint_eq(vmm.last.tick, 2);
}
END_TEST

/* Into a probe of shadow paging, its switch just made. */
static void begin_probe(struct vmm *vmm, uint32_t has)
{
	by_hand(vmm, DAV2M_NESTED, has, 39);
	for (int i = 0; i < 400 && vmm->mode == DAV2M_NESTED; i++)
		work(vmm, PHASES_TICK_PROGRESS, missing);
	ck_assert_int_eq(vmm->mode, DAV2M_SHADOW);
	ck_assert_int_eq(vmm->ctl.state, DAV2M_STATE_PRESHADOW);
}

/* Exits until a sample is due. */
static uint32_t exits_until_due(struct vmm *vmm)
{
	uint32_t exits = 1;

	while (!dav2m_paging_exits(&vmm->ctl, 1))
		ck_assert_uint_lt(++exits, 60000);
	return exits;
}

/* A probe ends in the middle of a tick, while its transient lasts (_i: and after it), when its
   exits have cost more than a tick under nested paging and what it may lose. */
START_TEST(storm_in_a_probe)
{
	struct vmm vmm;

	begin_probe(&vmm, WORK | WALKS);
	if (_i) {
		struct work first = missing_less;

		first.cycles += 90000000;
		first.exits = 19000; /* too few to give up at once, too many to stay */
		work(&vmm, PHASES_TICK_PROGRESS, first);
		ck_assert_int_eq(vmm.ctl.state, DAV2M_STATE_PRESHADOW);
	}
	(void)exits_until_due(&vmm);
	work(&vmm, PHASES_TICK_PROGRESS / 4, missing_less);
	ck_assert_str_eq(dav2m_reason_name(vmm.last.reason), "probe_aborted");
	ck_assert_int_eq(vmm.mode, DAV2M_NESTED);
	ck_assert_uint_gt(view(&vmm).probing_cycles, ROUND_TRIP / 2);
}
END_TEST

/* An alarm that a sample finds unfounded is not sounded again in this tick. */
START_TEST(false_alarm)
{
	struct vmm vmm;

	begin_probe(&vmm, WORK | WALKS);
	vmm.counters.valid |= EXITS;
	work(&vmm, PHASES_TICK_PROGRESS / 4, calm);
	(void)exits_until_due(&vmm);
	work(&vmm, PHASES_TICK_PROGRESS / 4, calm);
	ck_assert_int_eq(vmm.mode, DAV2M_SHADOW);
}
END_TEST

/* Nor is it during a transient, when the exits turn out to have been cheap; in the next tick it
   may be. */
START_TEST(false_alarm_while_settling)
{
	struct vmm vmm;

	begin_probe(&vmm, WORK | WALKS | DAV2M_BIT(DAV2M_PAGING_EXIT_CYCLES));
	vmm.counters.value[DAV2M_PAGING_EXIT_CYCLES] += exits_until_due(&vmm) * 100;
	work(&vmm, PHASES_TICK_PROGRESS / 4, calm);
	rig_expect_reason(vmm.last.reason, DAV2M_SETTLING);
	ck_assert_int_eq(dav2m_paging_exits(&vmm.ctl, 10000), 0);
	work(&vmm, PHASES_TICK_PROGRESS, calm);
	rig_expect_reason(vmm.last.reason, DAV2M_SETTLING);
	ck_assert_int_eq(vmm.mode, DAV2M_SHADOW);
	ck_assert_uint_gt(exits_until_due(&vmm), 10000);
}
END_TEST

/* The exits of a storm are those of a part of a tick: when they are more than the phase is
   remembered with (_i), a whole one has at least as many; fewer change nothing. */
START_TEST(storm_is_remembered)
{
	struct work many = {340000000, 1000000, 15000000, 60000};
	struct work storm = {400000000, 250000, 4000000, _i ? 90000 : 45000};
	struct vmm vmm;
	uint64_t before;

	by_hand(&vmm, DAV2M_SHADOW, DAV2M_ALL_COUNTERS, 10000);
	work_until(&vmm, DAV2M_NESTED, many, missing);
	for (int i = 0; i < 5; i++)
		work(&vmm, PHASES_TICK_PROGRESS, missing);
	before = view(&vmm).other_cycles;
	ck_assert_int_eq(view(&vmm).surety, DAV2M_REMEMBERED);
	work_until(&vmm, DAV2M_SHADOW, many, missing);
	work(&vmm, PHASES_TICK_PROGRESS / 4, storm);
	rig_expect_reason(vmm.last.reason, DAV2M_PROBE_ABORTED);
	ck_assert_int_eq(vmm.mode, DAV2M_NESTED);
	for (int i = 0; i < 5; i++)
		work(&vmm, PHASES_TICK_PROGRESS, missing);
	ck_assert_int_eq(view(&vmm).surety, DAV2M_REMEMBERED);
	/* Remembered to within 1/1024. */
	ck_assert_uint_ge(view(&vmm).other_cycles, before + (_i ? 119000000 : 0));
	ck_assert_uint_le(view(&vmm).other_cycles, before + (_i ? 121000000 : 0));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("storms");

	tcase_add_test(tests, flood);
	tcase_add_test(tests, no_flood);
	tcase_add_loop_test(tests, storm_in_a_probe, 0, 2);
	tcase_add_test(tests, false_alarm);
	tcase_add_test(tests, false_alarm_while_settling);
	tcase_add_loop_test(tests, storm_is_remembered, 0, 2);
	return rig_main("regret_storms", tests);
}
