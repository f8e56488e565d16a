/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regret judge as a VMM meets it: what it loses on traces with known answers, with which
 * counters, what probing costs it, and what it makes of switches, pins and storms.
 */
#include <stdio.h>

#include "phases.h"
#include "rig.h"

#define WALKS	   (DAV2M_BIT(DAV2M_WALK_CYCLES) | DAV2M_BIT(DAV2M_TLB_MISSES))
#define EXITS	   (DAV2M_BIT(DAV2M_PAGING_EXITS) | DAV2M_BIT(DAV2M_PAGING_EXIT_CYCLES))
#define WORK	   (DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES))
#define ROUND_TRIP (PHASES_TO_NESTED_CYCLES + PHASES_TO_SHADOW_CYCLES)

/* A VMM that runs a recording. */
struct vmm {
	struct dav2m ctl;
	struct dav2m_sample counters;
	struct dav2m_decision last;
	struct dav2m_sample *tick[DAV2M_MODES];
	size_t ticks;
	enum dav2m_mode mode;
	uint32_t has; /* counters */
	int told;     /* tells what a switch costs */
	uint64_t cycles;
	uint32_t switches;
};

static struct dav2m_config bounded(void)
{
	struct dav2m_config config = {.size = sizeof(config)};

	ck_assert_int_eq(dav2m_config_preset(DAV2M_PRESET_BOUNDED, &config), 0);
	return config;
}

/* The same with ticks as long as those of the lists, for numbers that can be checked by hand. */
static struct dav2m_config bounded_long(void)
{
	struct dav2m_config config = bounded();

	config.round_trip_ticks = (uint8_t)((uint64_t)config.round_trip_ticks * config.window_inst /
					    PHASES_TICK_PROGRESS);
	config.window_inst = PHASES_TICK_PROGRESS;
	return config;
}

static void vmm_begin(struct vmm *vmm, const struct phases *phases, enum dav2m_mode mode,
		      uint32_t has)
{
	struct dav2m_config config = bounded();
	const size_t rows = PHASES_TICK_PROGRESS / config.window_inst;

	*vmm = (struct vmm){.ticks = phases->ticks * rows, .mode = mode, .has = has, .told = 1};
	for (int m = 0; m < DAV2M_MODES; m++)
		vmm->tick[m] = calloc(vmm->ticks, sizeof(*vmm->tick[m]));
	ck_assert(vmm->tick[0] && vmm->tick[1]);
	phases_fill(phases, 200, 1, vmm->tick[DAV2M_SHADOW], vmm->tick[DAV2M_NESTED]);
	phases_cut(vmm->tick[DAV2M_SHADOW], phases->ticks, rows);
	phases_cut(vmm->tick[DAV2M_NESTED], phases->ticks, rows);
	ck_assert_int_eq(dav2m_init(&vmm->ctl, &config, mode), 0);
	vmm->counters.valid = has;
	ck_assert_int_eq(dav2m_sample(&vmm->ctl, &vmm->counters, &vmm->last), 0);
}

static void vmm_end(struct vmm *vmm)
{
	free(vmm->tick[0]);
	free(vmm->tick[1]);
}

static struct dav2m_regret_view view(const struct vmm *vmm)
{
	struct dav2m_explanation now;

	rig_must(dav2m_explain(&vmm->ctl, &now) == 0);
	return now.regret;
}

static void vmm_switch(struct vmm *vmm)
{
	uint64_t cost =
		vmm->last.mode == DAV2M_NESTED ? PHASES_TO_NESTED_CYCLES : PHASES_TO_SHADOW_CYCLES;

	vmm->mode = vmm->last.mode;
	vmm->cycles += cost;
	vmm->counters.value[DAV2M_CYCLES] += cost;
	vmm->switches++;
	rig_must(dav2m_acknowledge(&vmm->ctl, DAV2M_DONE, vmm->told ? cost : 0) == 0);
}

static void vmm_tick(struct vmm *vmm, size_t i)
{
	const struct dav2m_sample *did = &vmm->tick[vmm->mode][i];

	for (int c = 0; c < DAV2M_COUNTERS; c++)
		vmm->counters.value[c] += did->value[c];
	vmm->cycles += did->value[DAV2M_CYCLES];
	if (!(vmm->has & DAV2M_BIT(DAV2M_PAGING_EXITS)))
		(void)dav2m_paging_exits(&vmm->ctl, (uint32_t)did->value[DAV2M_PAGING_EXITS]);
	rig_must(dav2m_sample(&vmm->ctl, &vmm->counters, &vmm->last) == 0);
}

/* Runs the ticks [from, to). */
static void vmm_run(struct vmm *vmm, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		vmm_tick(vmm, i);
		if (vmm->last.action == DAV2M_SWITCH)
			vmm_switch(vmm);
	}
}

static uint64_t hindsight(const struct vmm *vmm)
{
	uint64_t best[DAV2M_MODES] = {0, 0};

	for (size_t i = 0; i < vmm->ticks; i++) {
		uint64_t shadow = best[0], nested = best[1];

		if (i && nested + PHASES_TO_SHADOW_CYCLES < shadow)
			best[0] = nested + PHASES_TO_SHADOW_CYCLES;
		if (i && shadow + PHASES_TO_NESTED_CYCLES < nested)
			best[1] = shadow + PHASES_TO_NESTED_CYCLES;
		best[0] += vmm->tick[0][i].value[DAV2M_CYCLES];
		best[1] += vmm->tick[1][i].value[DAV2M_CYCLES];
	}
	return best[0] < best[1] ? best[0] : best[1];
}

static uint64_t over_hindsight_bp(const struct vmm *vmm)
{
	uint64_t best = hindsight(vmm);

	if (best == 0) /* a trace of nothing */
		return 0;
	return (vmm->cycles - best) * DAV2M_ONE_BP / best;
}

/* Counters that a VMM may have. */
static const uint32_t sights[] = {
	DAV2M_ALL_COUNTERS,
	DAV2M_ALL_COUNTERS & ~DAV2M_BIT(DAV2M_WALK_CYCLES),
	WORK | DAV2M_BIT(DAV2M_TLB_MISSES) | DAV2M_BIT(DAV2M_PAGING_EXITS),
	WORK | WALKS | EXITS,
	WORK | WALKS, /* the exits are counted on the exit path */
};
#define SIGHTS ((int)(sizeof(sights) / sizeof(sights[0])))

/* On every trace at most 3 % over hindsight, in the mean 1 %; preset repaired has 5.7 and 2.4. */
#define MOST_BP 300
#define MEAN_BP 100

/* All traces, from either mode, with what a PMU may lack; and the probes within their share and
   the two that the budget begins with. */
START_TEST(little_is_lost)
{
	uint64_t sum = 0;

	for (size_t t = 0; t < phases_table_size; t++) {
		struct vmm vmm;
		uint64_t over;

		vmm_begin(&vmm, &phases_table[t], (enum dav2m_mode)(_i % DAV2M_MODES),
			  sights[_i / DAV2M_MODES]);
		vmm_run(&vmm, 0, vmm.ticks);
		over = over_hindsight_bp(&vmm);
		sum += over;
		ck_assert_msg(over <= MOST_BP, "%s: %llu bp over hindsight, %u switches",
			      phases_table[t].name, (unsigned long long)over, vmm.switches);
		ck_assert_uint_le(view(&vmm).probing_cycles,
				  vmm.cycles / 256 + 4 * (uint64_t)ROUND_TRIP);
		vmm_end(&vmm);
	}
	ck_assert_uint_le(sum, MEAN_BP * phases_table_size);
}
END_TEST

START_TEST(a_round_trip_is_measured)
{
	struct vmm vmm;

	vmm_begin(&vmm, phases_find("gcc-long"), DAV2M_SHADOW, DAV2M_ALL_COUNTERS);
	vmm.told = _i;
	vmm_run(&vmm, 0, vmm.ticks);
	ck_assert_uint_gt(view(&vmm).round_trip_cycles, ROUND_TRIP * 9u / 10);
	ck_assert_uint_lt(view(&vmm).round_trip_cycles, ROUND_TRIP * 11u / 10);
	/* 15 cycles a walk, and 55 or 75, in the recording. */
	ck_assert_uint_ge(view(&vmm).walk_ratio_bp, 36000);
	ck_assert_uint_le(view(&vmm).walk_ratio_bp, 51000);
	ck_assert_uint_ge(view(&vmm).exit_cycles, 3900);
	ck_assert_uint_le(view(&vmm).exit_cycles, 4100);
	vmm_end(&vmm);
}
END_TEST

/* A tick by hand. */
struct work {
	uint64_t cycles;
	uint64_t misses;
	uint64_t walk_cycles;
	uint64_t exits;
};

static void work(struct vmm *vmm, uint64_t progress, struct work work)
{
	uint64_t *value = vmm->counters.value;

	value[DAV2M_PROGRESS] += progress;
	value[DAV2M_CYCLES] += work.cycles;
	value[DAV2M_TLB_MISSES] += work.misses;
	value[DAV2M_WALK_CYCLES] += work.walk_cycles;
	value[DAV2M_PAGING_EXITS] += work.exits;
	value[DAV2M_PAGING_EXIT_CYCLES] += work.exits * 4000;
	(void)dav2m_paging_exits(&vmm->ctl, (uint32_t)work.exits);
	rig_must(dav2m_sample(&vmm->ctl, &vmm->counters, &vmm->last) == 0);
	if (vmm->last.action == DAV2M_SWITCH)
		vmm_switch(vmm);
}

/* The same in either mode for some ticks, or until the mode is the wanted one. */
static void work_until(struct vmm *vmm, enum dav2m_mode wanted, struct work shadow,
		       struct work nested)
{
	for (int i = 0; i < 400 && vmm->mode != wanted; i++)
		work(vmm, PHASES_TICK_PROGRESS, vmm->mode == DAV2M_SHADOW ? shadow : nested);
	ck_assert_int_eq(vmm->mode, wanted);
}

static void by_hand(struct vmm *vmm, enum dav2m_mode mode, uint32_t has, uint32_t share_bp)
{
	struct dav2m_config config = bounded_long();

	config.probe_share_bp = (uint16_t)share_bp;
	*vmm = (struct vmm){.mode = mode, .has = has, .told = 1};
	ck_assert_int_eq(dav2m_init(&vmm->ctl, &config, mode), 0);
	/* Not the first probe of shadow paging, which has more patience. */
	vmm->ctl.switches[DAV2M_SHADOW] = 1;
	vmm->counters.valid = has;
	ck_assert_int_eq(dav2m_sample(&vmm->ctl, &vmm->counters, &vmm->last), 0);
}

static const struct work calm = {100000000, 1000, 15000, 0};
static const struct work missing = {160000000, 1000000, 75000000, 0};
static const struct work missing_less = {115000000, 1000000, 15000000, 0};
static const struct work exiting_some = {140000000, 1000000, 15000000, 10000};
static const struct work exiting = {220000000, 1000000, 15000000, 30000};

START_TEST(a_pin_begins_a_stay)
{
	struct vmm vmm;

	by_hand(&vmm, DAV2M_SHADOW, DAV2M_ALL_COUNTERS, 39);
	for (int i = 0; i < 5; i++)
		work(&vmm, PHASES_TICK_PROGRESS, i ? calm : exiting_some);
	ck_assert_uint_gt(view(&vmm).regret_cycles, 0);
	ck_assert_int_eq(dav2m_pin(&vmm.ctl, DAV2M_PIN_NESTED), 0);
	work_until(&vmm, DAV2M_NESTED, calm, calm);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, calm);
	ck_assert_uint_lt(view(&vmm).regret_cycles, 1000000);
	ck_assert_int_eq(dav2m_pin(&vmm.ctl, DAV2M_PIN_NONE), 0);
	for (int i = 0; i < 30; i++)
		work(&vmm, PHASES_TICK_PROGRESS, calm);
	ck_assert_int_eq(vmm.mode, DAV2M_NESTED);
}
END_TEST

/* A transient is the switch's cost: the stay that begins with it regrets nothing yet, and tells so;
   nor does it after a retune in the middle (_i). */
START_TEST(a_transient_is_not_regretted)
{
	struct dav2m_config config = bounded_long();
	struct vmm vmm;

	config.window_settle = 2;
	by_hand(&vmm, DAV2M_SHADOW, DAV2M_ALL_COUNTERS, 39);
	ck_assert_int_eq(dav2m_retune(&vmm.ctl, &config), 0);
	work_until(&vmm, DAV2M_NESTED, exiting, missing_less);
	for (int i = 0; i < 2; i++) {
		if (i == 1 && _i)
			ck_assert_int_eq(dav2m_retune(&vmm.ctl, &config), 0);
		work(&vmm, PHASES_TICK_PROGRESS, missing_less);
		rig_expect_reason(vmm.last.reason, DAV2M_SETTLING);
		ck_assert_uint_eq(view(&vmm).regret_cycles, 0);
	}
	work(&vmm, PHASES_TICK_PROGRESS, calm);
	ck_assert_int_eq(vmm.mode, DAV2M_NESTED);
	ck_assert_uint_lt(view(&vmm).regret_cycles, 1000000);
}
END_TEST

START_TEST(nothing_to_judge_by)
{
	struct vmm vmm;

	by_hand(&vmm, DAV2M_SHADOW, DAV2M_BIT(DAV2M_CYCLES), 39);
	for (int i = 0; i < 100; i++)
		work(&vmm, PHASES_TICK_PROGRESS, exiting);
	ck_assert_int_eq(vmm.last.reason, DAV2M_BLIND);
	ck_assert_int_eq(vmm.mode, DAV2M_SHADOW);
}
END_TEST

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

/* Only exits, and the cycles of all: enough to leave a storm, and to come back. */
START_TEST(exits_alone)
{
	static const struct phase list[] = {{300, 30000, 4000, 200000, 40, 0},
					    {300, 100, 4000, 600000, 60, 0}};
	static const struct phases phases = {"exits", NULL, 0, 0, list, 2, 6000};
	struct vmm vmm;

	vmm_begin(&vmm, &phases, DAV2M_SHADOW, WORK | DAV2M_BIT(DAV2M_PAGING_EXITS));
	vmm_run(&vmm, 0, vmm.ticks);
	/* Static shadow paging: 46 %, static nested 15 %. */
	ck_assert_uint_lt(over_hindsight_bp(&vmm), 1500);
	vmm_end(&vmm);
}
END_TEST

/* Every counter but progress: each sample is a tick. */
START_TEST(no_progress_counter)
{
	struct vmm vmm;

	by_hand(&vmm, DAV2M_SHADOW, DAV2M_BIT(DAV2M_CYCLES) | EXITS | DAV2M_BIT(DAV2M_WALK_CYCLES),
		39);
	work_until(&vmm, DAV2M_NESTED, exiting, missing_less);
	work_until(&vmm, DAV2M_SHADOW, missing_less, missing);
}
END_TEST

/* Samples that come late hold the work of several ticks, and are judged by it. */
START_TEST(late_samples)
{
	struct vmm vmm;

	vmm_begin(&vmm, phases_find("gcc-long"), DAV2M_SHADOW, DAV2M_ALL_COUNTERS);
	for (size_t i = 0; i < vmm.ticks; i++) {
		const struct dav2m_sample *did = &vmm.tick[vmm.mode][i];

		for (int c = 0; c < DAV2M_COUNTERS; c++)
			vmm.counters.value[c] += did->value[c];
		vmm.cycles += did->value[DAV2M_CYCLES];
		if (i % 3 != 2)
			continue;
		rig_must(dav2m_sample(&vmm.ctl, &vmm.counters, &vmm.last) == 0);
		if (vmm.last.action == DAV2M_SWITCH)
			vmm_switch(&vmm);
	}
	/* Static shadow paging: 48 %, static nested 15 %. */
	ck_assert_uint_lt(over_hindsight_bp(&vmm), 500);
	vmm_end(&vmm);
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

/* What is remembered as bad is doubted again and again, ever more rarely, and found out. */
START_TEST(doubt_is_patient)
{
	struct vmm vmm;
	uint32_t before;

	by_hand(&vmm, DAV2M_NESTED, DAV2M_ALL_COUNTERS, 10000);
	for (int i = 0; i < 8000; i++)
		work(&vmm, PHASES_TICK_PROGRESS, vmm.mode == DAV2M_SHADOW ? exiting : missing);
	before = vmm.switches;
	ck_assert_uint_gt(before, 16);
	ck_assert_uint_lt(before, 60);
	for (int i = 0; i < 1500; i++)
		work(&vmm, PHASES_TICK_PROGRESS, vmm.mode == DAV2M_SHADOW ? missing_less : missing);
	ck_assert_int_eq(vmm.mode, DAV2M_SHADOW);
	ck_assert_uint_eq(vmm.switches, before + 1);
}
END_TEST

/* Walks too cheap to divide by teach nothing of the dear ones in the other mode. */
START_TEST(walks_too_cheap_to_compare)
{
	struct work cheap = exiting;
	struct vmm vmm;
	uint32_t ratio;

	cheap.walk_cycles = 1000;
	by_hand(&vmm, DAV2M_SHADOW, DAV2M_ALL_COUNTERS, 39);
	ratio = view(&vmm).walk_ratio_bp;
	work_until(&vmm, DAV2M_NESTED, cheap, missing);
	for (int i = 0; i < 5; i++)
		work(&vmm, PHASES_TICK_PROGRESS, missing);
	ck_assert_int_eq(vmm.mode, DAV2M_NESTED);
	ck_assert_uint_eq(view(&vmm).walk_ratio_bp, ratio);
}
END_TEST

/* More walks in a tick than the division has bits for: 10 cycles each, then 30. */
START_TEST(walks_by_the_million)
{
	struct work shadow = {1600000000, 30000000, 300000000, 200000};
	struct work nested = {1400000000, 30000000, 900000000, 0};
	struct vmm vmm;
	uint32_t want;

	by_hand(&vmm, DAV2M_SHADOW, DAV2M_ALL_COUNTERS, 39);
	want = (view(&vmm).walk_ratio_bp + 30000) / 2;
	work_until(&vmm, DAV2M_NESTED, shadow, nested);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, nested);
	ck_assert_uint_ge(view(&vmm).walk_ratio_bp, want - 200);
	ck_assert_uint_le(view(&vmm).walk_ratio_bp, want + 200);
}
END_TEST

/* Calibration at its limits: values that shifts must narrow, that say nothing, that cannot be. */
START_TEST(odd_comparisons)
{
	struct work many = {900000000, 30000000, 800000000, 0};
	struct work half = {300000000, 15800000, 150000000, 0};
	struct work none = {100000000, 0, 0, 0};
	struct work slow = {900000000, 1000, 0, 0};
	struct work few = {101000000, 1000000, 1000, 0};
	struct vmm vmm;

	by_hand(&vmm, DAV2M_NESTED, DAV2M_ALL_COUNTERS, 39);
	work_until(&vmm, DAV2M_SHADOW, half, many);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, half);
	ck_assert_uint_ge(view(&vmm).walk_ratio_bp, 10000);
	ck_assert_uint_le(view(&vmm).walk_ratio_bp, 160000);
	/* Walks that cost nothing in shadow paging, and, the other way, nothing in nested. */
	by_hand(&vmm, DAV2M_NESTED, DAV2M_ALL_COUNTERS, 39);
	work_until(&vmm, DAV2M_SHADOW, few, missing);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, few);
	work_until(&vmm, DAV2M_NESTED, exiting, few);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, few);
	/* No walk counter: a guest that misses no more, and one that is slow for other reasons. */
	by_hand(&vmm, DAV2M_NESTED, WORK | EXITS | DAV2M_BIT(DAV2M_TLB_MISSES), 39);
	work_until(&vmm, DAV2M_SHADOW, none, missing);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, none);
	work_until(&vmm, DAV2M_NESTED, exiting, slow);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, slow);
	by_hand(&vmm, DAV2M_SHADOW,
		WORK | DAV2M_BIT(DAV2M_TLB_MISSES) | DAV2M_BIT(DAV2M_PAGING_EXITS), 39);
	work_until(&vmm, DAV2M_NESTED, exiting, slow);
	for (int i = 0; i < 3; i++)
		work(&vmm, PHASES_TICK_PROGRESS, slow);
	/* Its misses are those of another phase: they tell nothing of exits. */
	ck_assert_uint_eq(view(&vmm).exit_cycles, 4000);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("regret");

	tcase_set_timeout(tests, 600);
	tcase_add_loop_test(tests, little_is_lost, 0, SIGHTS * DAV2M_MODES);
	tcase_add_loop_test(tests, a_round_trip_is_measured, 0, 2);
	tcase_add_test(tests, a_pin_begins_a_stay);
	tcase_add_loop_test(tests, a_transient_is_not_regretted, 0, 2);
	tcase_add_test(tests, nothing_to_judge_by);
	tcase_add_test(tests, flood);
	tcase_add_test(tests, no_flood);
	tcase_add_test(tests, exits_alone);
	tcase_add_test(tests, no_progress_counter);
	tcase_add_test(tests, late_samples);
	tcase_add_loop_test(tests, storm_in_a_probe, 0, 2);
	tcase_add_test(tests, false_alarm);
	tcase_add_test(tests, false_alarm_while_settling);
	tcase_add_loop_test(tests, storm_is_remembered, 0, 2);
	tcase_add_test(tests, doubt_is_patient);
	tcase_add_test(tests, walks_too_cheap_to_compare);
	tcase_add_test(tests, walks_by_the_million);
	tcase_add_test(tests, odd_comparisons);
	return rig_main("regret", tests);
}
