/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The convenience call: what it calls back, in which order, and what it makes of each answer.
 */
#include "rig.h"

struct vmm {
	struct dav2m_sample counters;
	int read_error;
	enum dav2m_outcome outcome;
	uint64_t switch_cycles;
	char calls[16]; /* r: read, t: trace, s: to shadow, n: to nested */
	struct dav2m_decision traced;
	struct dav2m *pinned; /* by trace */
};

static void note(struct vmm *vmm, char call)
{
	size_t length = strlen(vmm->calls);

	ck_assert_uint_lt(length, sizeof(vmm->calls) - 1);
	vmm->calls[length] = call;
}

static int read_counters(void *opaque, struct dav2m_sample *ret_sample)
{
	struct vmm *vmm = opaque;

	note(vmm, 'r');
	ck_assert_uint_eq(ret_sample->valid, 0);
	*ret_sample = vmm->counters;
	return vmm->read_error;
}

static enum dav2m_outcome switch_mode(void *opaque, enum dav2m_mode to, uint64_t *ret_cycles)
{
	struct vmm *vmm = opaque;

	note(vmm, to == DAV2M_SHADOW ? 's' : 'n');
	ck_assert_uint_eq(*ret_cycles, 0);
	*ret_cycles += vmm->switch_cycles;
	return vmm->outcome;
}

static void trace(void *opaque, const struct dav2m_decision *decision)
{
	struct vmm *vmm = opaque;

	note(vmm, 't');
	vmm->traced = *decision;
	if (vmm->pinned)
		ck_assert_int_eq(dav2m_pin(vmm->pinned, DAV2M_PIN_SHADOW), 0);
}

static const struct dav2m_backend backend = {read_counters, switch_mode, trace};
static const struct dav2m_backend advisor = {read_counters, NULL, NULL};

static void begin(struct dav2m *ctl, struct vmm *vmm)
{
	struct dav2m_config config = rig_config(DAV2M_PRESET_PAPER);

	*vmm = (struct vmm){.counters.valid = RIG_COUNTERS};
	ck_assert_int_eq(dav2m_init(ctl, &config, DAV2M_SHADOW), 0);
	ck_assert_int_eq(dav2m_drive(ctl, &backend, vmm, NULL), 0);
	ck_assert_str_eq(vmm->calls, "rt");
	rig_expect_reason(vmm->traced.reason, DAV2M_BASELINE);
	memset(vmm->calls, 0, sizeof(vmm->calls));
}

static void work(struct vmm *vmm, uint64_t cycles, uint64_t exits)
{
	vmm->counters.value[DAV2M_PROGRESS] += RIG_TICK;
	vmm->counters.value[DAV2M_CYCLES] += cycles;
	vmm->counters.value[DAV2M_PAGING_EXITS] += exits;
}

static struct dav2m_explanation explain(const struct dav2m *ctl)
{
	struct dav2m_explanation now;

	ck_assert_int_eq(dav2m_explain(ctl, &now), 0);
	return now;
}

START_TEST(nothing_to_do)
{
	struct dav2m_decision decision;
	struct dav2m ctl;
	struct vmm vmm;

	begin(&ctl, &vmm);
	work(&vmm, 2000, RIG_EXITS);
	ck_assert_int_eq(dav2m_drive(&ctl, &backend, &vmm, &decision), 0);
	ck_assert_str_eq(vmm.calls, "rt");
	ck_assert_mem_eq(&decision, &vmm.traced, sizeof(decision));
	rig_expect_reason(decision.reason, DAV2M_ROLLED);
}
END_TEST

START_TEST(switch_done)
{
	struct dav2m_decision decision;
	struct dav2m ctl;
	struct vmm vmm;

	begin(&ctl, &vmm);
	vmm.switch_cycles = 7000;
	work(&vmm, 2000, RIG_EXITS + 1);
	ck_assert_int_eq(dav2m_drive(&ctl, &backend, &vmm, &decision), 0);
	ck_assert_str_eq(vmm.calls, "rtn");
	ck_assert_int_eq(decision.action, DAV2M_SWITCH);
	ck_assert_int_eq(decision.mode, DAV2M_NESTED);
	ck_assert_int_eq(explain(&ctl).state, DAV2M_STATE_PRENESTED);
	/* What the callback added is the switch's, not the probe's. */
	work(&vmm, 7000 + 2200, 0);
	ck_assert_int_eq(dav2m_drive(&ctl, &backend, &vmm, &decision), 0);
	rig_expect_reason(decision.reason, DAV2M_PROBE_KEPT);
}
END_TEST

START_TEST(way_back)
{
	struct dav2m ctl;
	struct vmm vmm;

	begin(&ctl, &vmm);
	work(&vmm, 2000, RIG_EXITS + 1);
	ck_assert_int_eq(dav2m_drive(&ctl, &backend, &vmm, NULL), 0);
	work(&vmm, 9000, 0);
	ck_assert_int_eq(dav2m_drive(&ctl, &backend, &vmm, NULL), 0);
	ck_assert_str_eq(vmm.calls, "rtnrts");
	ck_assert_int_eq(explain(&ctl).state, DAV2M_STATE_SHADOW);
}
END_TEST

/* Whoever sees the decision first can still forbid it. */
START_TEST(switch_withdrawn)
{
	struct dav2m ctl;
	struct vmm vmm;

	begin(&ctl, &vmm);
	vmm.pinned = &ctl;
	work(&vmm, 2000, RIG_EXITS + 1);
	ck_assert_int_eq(dav2m_drive(&ctl, &backend, &vmm, NULL), 0);
	ck_assert_str_eq(vmm.calls, "rt");
	ck_assert_int_eq(explain(&ctl).state, DAV2M_STATE_SHADOW);
	ck_assert_int_eq(explain(&ctl).asked, DAV2M_STAY);
}
END_TEST

START_TEST(switch_refused)
{
	struct dav2m ctl;
	struct vmm vmm;

	begin(&ctl, &vmm);
	vmm.outcome = DAV2M_DEFERRED;
	work(&vmm, 2000, RIG_EXITS + 1);
	ck_assert_int_eq(dav2m_drive(&ctl, &backend, &vmm, NULL), 0);
	vmm.outcome = DAV2M_FAILED;
	work(&vmm, 2000, RIG_EXITS + 1);
	ck_assert_int_eq(dav2m_drive(&ctl, &backend, &vmm, NULL), 0);
	ck_assert_str_eq(vmm.calls, "rtnrtn");
	ck_assert_int_eq(explain(&ctl).state, DAV2M_STATE_SHADOW);
	ck_assert_int_eq(explain(&ctl).asked, DAV2M_STAY);
	ck_assert_uint_eq(explain(&ctl).tally.deferred, 1);
	ck_assert_uint_eq(explain(&ctl).tally.failed, 1);
}
END_TEST

/* An answer outside the enum counts as a failure, and the caller hears of it. */
START_TEST(outcome_out_of_range)
{
	struct dav2m_decision decision;
	struct dav2m ctl;
	struct vmm vmm;

	begin(&ctl, &vmm);
	vmm.outcome = (enum dav2m_outcome)DAV2M_OUTCOMES;
	work(&vmm, 2000, RIG_EXITS + 1);
	ck_assert_int_eq(dav2m_drive(&ctl, &backend, &vmm, &decision), DAV2M_ERR_RANGE);
	ck_assert_int_eq(decision.action, DAV2M_SWITCH);
	ck_assert_int_eq(explain(&ctl).state, DAV2M_STATE_SHADOW);
	ck_assert_uint_eq(explain(&ctl).tally.failed, 1);
}
END_TEST

START_TEST(advice_only)
{
	struct dav2m_decision decision;
	struct dav2m ctl;
	struct vmm vmm;

	begin(&ctl, &vmm);
	for (uint32_t i = 1; i < 5; i++) {
		work(&vmm, 2000, RIG_EXITS + 1);
		ck_assert_int_eq(dav2m_drive(&ctl, &advisor, &vmm, &decision), 0);
		ck_assert_int_eq(decision.action, DAV2M_SWITCH);
		ck_assert_uint_eq(explain(&ctl).tally.deferred, i);
	}
	ck_assert_str_eq(vmm.calls, "rrrr");
}
END_TEST

/* A switch that dav2m_sample() asked for and nobody acknowledged is carried out. */
START_TEST(earlier_switch)
{
	struct dav2m_decision decision;
	struct dav2m ctl;
	struct vmm vmm;

	begin(&ctl, &vmm);
	work(&vmm, 2000, RIG_EXITS + 1);
	ck_assert_int_eq(dav2m_sample(&ctl, &vmm.counters, &decision), 0);
	ck_assert_int_eq(decision.action, DAV2M_SWITCH);
	ck_assert_int_eq(dav2m_drive(&ctl, &backend, &vmm, &decision), 0);
	rig_expect_reason(decision.reason, DAV2M_UNACKNOWLEDGED);
	ck_assert_str_eq(vmm.calls, "rtn");
	ck_assert_int_eq(explain(&ctl).state, DAV2M_STATE_PRENESTED);
}
END_TEST

START_TEST(errors)
{
	static const struct dav2m_backend blind = {NULL, switch_mode, trace};
	struct dav2m_decision decision = {.tick = 42};
	struct dav2m ctl, before;
	struct vmm vmm;

	begin(&ctl, &vmm);
	memcpy(&before, &ctl, sizeof(before));
	ck_assert_int_eq(dav2m_drive(NULL, &backend, &vmm, &decision), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_drive(&ctl, NULL, &vmm, &decision), DAV2M_ERR_NULL);
	ck_assert_int_eq(dav2m_drive(&ctl, &blind, &vmm, &decision), DAV2M_ERR_NULL);
	ck_assert_str_eq(vmm.calls, "");
	vmm.read_error = -5;
	ck_assert_int_eq(dav2m_drive(&ctl, &backend, &vmm, &decision), DAV2M_ERR_BACKEND);
	vmm.read_error = 0;
	vmm.counters.valid |= DAV2M_BIT(DAV2M_COUNTERS);
	ck_assert_int_eq(dav2m_drive(&ctl, &backend, &vmm, &decision), DAV2M_ERR_SAMPLE);
	/* Read, but neither traced nor switched. */
	ck_assert_str_eq(vmm.calls, "rr");
	ck_assert_mem_eq(&ctl, &before, sizeof(ctl));
	ck_assert_uint_eq(decision.tick, 42);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("drive");

	tcase_add_test(tests, nothing_to_do);
	tcase_add_test(tests, switch_done);
	tcase_add_test(tests, way_back);
	tcase_add_test(tests, switch_withdrawn);
	tcase_add_test(tests, switch_refused);
	tcase_add_test(tests, outcome_out_of_range);
	tcase_add_test(tests, advice_only);
	tcase_add_test(tests, earlier_switch);
	tcase_add_test(tests, errors);
	return rig_main("drive", tests);
}
