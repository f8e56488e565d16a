/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tick's counters and what they come to: costs in grains, with what is not counted taken from the
 * config, and a signature that does not depend on when the sample came.
 */
#include "regret_rig.h"

#define ALL	DAV2M_ALL_COUNTERS
#define LARGEST (UINT32_C(1) << 31)

static struct dav2m ctl_of(uint32_t window_inst, enum dav2m_mode mode, uint32_t known)
{
	struct dav2m ctl = regret_ctl(mode, ALL);
	struct dav2m_config config = ctl.config;

	config.window_inst = window_inst;
	ck_assert_int_eq(dav2m_retune(&ctl, &config), 0);
	ctl.meter.known = (uint8_t)known;
	return ctl;
}

static struct dav2m_tick measure(const struct dav2m *ctl)
{
	struct dav2m_tick tick;

	dav2m_regret_measure(ctl, &tick);
	return tick;
}

static struct dav2m_tick rates(uint32_t window_inst, uint64_t progress, uint64_t misses,
			       uint64_t flushes)
{
	struct dav2m ctl = ctl_of(window_inst, DAV2M_SHADOW, ALL);

	ctl.meter.total[DAV2M_PROGRESS] = progress;
	ctl.meter.total[DAV2M_TLB_MISSES] = misses;
	ctl.meter.total[DAV2M_TLB_FLUSHES] = flushes;
	return measure(&ctl);
}

/* A part of a tick tells the rate too, as far as it can. */
START_TEST(parts_have_the_same_signature)
{
	struct dav2m_tick whole = rates(1000000, 1000000, 800000, 80000);
	struct dav2m_tick part = rates(1000000, 250000, 200000, 20000);

	ck_assert_uint_le(distance(whole.misses, part.misses), 1);
	ck_assert_uint_le(distance(whole.flushes, part.flushes), 1);
	ck_assert_uint_le(distance(rates(1000000, 250000, 0, 0).ratio, RATIO_ONE / 4), 1);
	ck_assert_uint_eq(rates(1000000, 0, 0, 0).ratio, 1);
}
END_TEST

/* Eight steps an octave, the lowest of them for nothing at all, the highest for too much. */
START_TEST(signatures_are_logarithms)
{
	ck_assert_uint_eq(rates(1000, 1000, 0, 0).misses, 24);
	ck_assert_uint_eq(rates(1000, 1000, 8, 0).misses, 32);
	ck_assert_uint_eq(rates(1000, 1000, 1024 - 8, 0).misses, 80);
	ck_assert_uint_eq(rates(1000, 1000, 1536 - 8, 0).misses, 84);
	ck_assert_uint_eq(rates(1000, 1000, 2048 - 8, 0).misses, 88);
	ck_assert_uint_eq(rates(1000, 1000, UINT64_C(1) << 40, 0).misses, 255);
	ck_assert_uint_eq(rates(1000, 1000, 0, 0).flushes, 24);
	ck_assert_uint_eq(rates(1000, 1000, 0, 1024 - 8).flushes, 80);
}
END_TEST

/* Fewer than one in 2^16 and in 2^20 leave the signature where it is. */
START_TEST(few_tell_nothing)
{
	ck_assert_uint_eq(rates(LARGEST, LARGEST, 0, 0).misses, 15 * 8);
	ck_assert_uint_eq(rates(LARGEST, LARGEST, 1000, 0).misses, 15 * 8);
	ck_assert_uint_eq(rates(LARGEST, LARGEST, 32768, 0).misses, 16 * 8);
	ck_assert_uint_eq(rates(LARGEST, LARGEST, 0, 0).flushes, 11 * 8);
	ck_assert_uint_eq(rates(LARGEST, LARGEST, 0, 2048).flushes, 12 * 8);
}
END_TEST

/* The work of four ticks in one sample has the same rates as each of them. */
START_TEST(late_samples_have_the_same_signature)
{
	struct dav2m_tick one = rates(1000, 1000, 100, 40), four = rates(1000, 4000, 400, 160);

	ck_assert_uint_eq(one.ratio, RATIO_ONE);
	ck_assert_uint_ge(four.ratio, 4 * RATIO_ONE - 4);
	ck_assert_uint_le(four.ratio, 4 * RATIO_ONE);
	ck_assert_uint_le(distance(one.misses, four.misses), 2);
	ck_assert_uint_le(distance(one.flushes, four.flushes), 2);
	/* An eighth of a tick more is still one; much more than 256 of them count as 256. */
	ck_assert_uint_eq(rates(1000, 1125, 100, 40).ratio, RATIO_ONE);
	ck_assert_uint_gt(rates(1000, 1126, 100, 40).ratio, RATIO_ONE);
	ck_assert_uint_eq(rates(1000, 1000000, 100, 40).ratio, 65536);
	/* As many as 32 bits do not hold. */
	ck_assert_uint_ge(rates(LARGEST, 16 * (uint64_t)LARGEST, 0, 0).ratio, 16 * RATIO_ONE - 16);
	ck_assert_uint_le(rates(LARGEST, 16 * (uint64_t)LARGEST, 0, 0).ratio, 16 * RATIO_ONE);
	ck_assert_uint_le(rates(LARGEST, 16 * (uint64_t)LARGEST, 0, 0).misses, 15 * 8);
}
END_TEST

/* Where nobody counts misses they come with the work, and with time where that is not counted. */
START_TEST(walks_that_nobody_counts)
{
	struct dav2m ctl = ctl_of(8192, DAV2M_SHADOW, DAV2M_BIT(DAV2M_PROGRESS));

	ctl.meter.total[DAV2M_PROGRESS] = 10240;
	ck_assert_uint_eq(measure(&ctl).walks, 10);
	ck_assert_uint_eq(measure(&ctl).walk, 200);
	ctl.meter.known = 0;
	ck_assert_uint_eq(measure(&ctl).walks, 8);
	ck_assert_uint_eq(measure(&ctl).ratio, RATIO_ONE);
	ctl = ctl_of(8192, DAV2M_NESTED, DAV2M_BIT(DAV2M_PROGRESS));
	ctl.meter.total[DAV2M_PROGRESS] = 10240;
	ck_assert_uint_eq(measure(&ctl).walk, 600);
}
END_TEST

START_TEST(costs_are_those_since_the_mark)
{
	struct dav2m ctl = ctl_of(1000, DAV2M_SHADOW, ALL);
	struct dav2m_tick tick;

	ctl.meter.total[DAV2M_WALK_CYCLES] = 700;
	ctl.meter.total[DAV2M_PAGING_EXIT_CYCLES] = 9000;
	ctl.meter.total[DAV2M_TLB_FLUSHES] = 100000;
	dav2m_regret_mark(&ctl);
	ctl.meter.total[DAV2M_PROGRESS] = 1000;
	ctl.meter.total[DAV2M_CYCLES] = 1500;
	ctl.meter.total[DAV2M_WALK_CYCLES] += 30;
	ctl.meter.total[DAV2M_PAGING_EXIT_CYCLES] += 200;
	tick = measure(&ctl);
	ck_assert_uint_eq(tick.cycles, 1500);
	ck_assert_uint_eq(tick.walk, 30);
	ck_assert_uint_eq(tick.exits, 200);
	ck_assert_uint_eq(tick.cost, 230);
	ck_assert_uint_eq(tick.flushes, 24);
	/* There are no paging exits under nested paging, whatever is counted. */
	ctl.state = DAV2M_STATE_NESTED;
	ctl.judge.regret.mode = DAV2M_NESTED;
	ck_assert_uint_eq(measure(&ctl).exits, 0);
	ck_assert_uint_eq(measure(&ctl).cost, 30);
}
END_TEST

START_TEST(exits_are_counted_or_priced)
{
	struct dav2m ctl = ctl_of(1000, DAV2M_SHADOW, ALL & ~DAV2M_BIT(DAV2M_PAGING_EXIT_CYCLES));

	ctl.exits = 3;
	ck_assert_uint_eq(dav2m_regret_exit_cost(&ctl), 12000);
	ctl.exits = UINT32_MAX;
	ck_assert_uint_eq(dav2m_regret_exit_cost(&ctl), UINT32_MAX);
	ctl.meter.total[DAV2M_WALK_CYCLES] = 1000;
	ck_assert_uint_eq(measure(&ctl).cost, UINT32_MAX);
}
END_TEST

START_TEST(grains_are_coarser_for_long_ticks)
{
	struct dav2m ctl = ctl_of(LARGEST, DAV2M_SHADOW, ALL);

	ctl.meter.total[DAV2M_CYCLES] = UINT64_C(7) << 16;
	ctl.meter.total[DAV2M_WALK_CYCLES] = UINT64_C(5) << 16;
	ctl.meter.total[DAV2M_PAGING_EXIT_CYCLES] = UINT64_C(3) << 16;
	ck_assert_uint_eq(measure(&ctl).cycles, 7);
	ck_assert_uint_eq(measure(&ctl).walk, 5);
	ck_assert_uint_eq(measure(&ctl).exits, 3);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("measure");

	tcase_add_test(tests, signatures_are_logarithms);
	tcase_add_test(tests, few_tell_nothing);
	tcase_add_test(tests, parts_have_the_same_signature);
	tcase_add_test(tests, late_samples_have_the_same_signature);
	tcase_add_test(tests, walks_that_nobody_counts);
	tcase_add_test(tests, costs_are_those_since_the_mark);
	tcase_add_test(tests, exits_are_counted_or_priced);
	tcase_add_test(tests, grains_are_coarser_for_long_ticks);
	return rig_main("regret_measure", tests);
}
