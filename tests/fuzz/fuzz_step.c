/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever a VMM does to a controller, in any order and with any counters: what must always hold.
 *
 * The input is a program: one byte chooses the call, the bytes after it are its arguments. An
 * input that is used up gives zeros.
 */
#include "must.h"

#include <string.h>

#include <dav2m/dav2m.h>

struct input {
	const uint8_t *data;
	size_t left;
};

/* What a VMM knows of itself, to be compared with what the controller believes. */
struct vmm {
	struct dav2m ctl;
	enum dav2m_mode mode;
	int asked;
	int handed; /* a switch that it may be at, withdrawn or not */
	enum dav2m_reason asked_reason;
	uint64_t samples;
};

static uint64_t take(struct input *input, size_t bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0) {
		value <<= 8;
		if (input->left > 0) {
			value |= *input->data++;
			input->left--;
		}
	}
	return value;
}

/* Mostly small values, so that many configurations are valid; of wide fields any size. */
static void take_config(struct input *input, struct dav2m_config *ret_config)
{
	const struct dav2m_config_field *field;
	uint32_t value;

	ret_config->size = sizeof(*ret_config);
	MUST(dav2m_config_preset((enum dav2m_preset)(take(input, 1) % DAV2M_PRESETS), ret_config) ==
	     DAV2M_OK);
	while (input->left > 0 && (field = dav2m_config_field(take(input, 1)))) {
		value = (uint32_t)take(input, 2);
		if (field->width == sizeof(value))
			value <<= take(input, 1) % 17;
		dav2m_config_set(ret_config, field->name, value);
	}
}

/* Advances the counters of a first byte's choice, or sets them to anything. */
static void take_sample(struct input *input, struct dav2m_sample *counters)
{
	counters->valid = (uint32_t)take(input, 1);
	for (int c = 0; c < DAV2M_COUNTERS; c++) {
		uint64_t how = take(input, 1);

		if (how == 0xff)
			counters->value[c] = take(input, 8);
		else
			counters->value[c] += how << how % 32;
	}
}

/* Two prices together, 2^30 grains of 2^15 cycles at most; a little less, or they would wrap. */
#define LONGEST_TRIP (UINT64_C(1) << 45)

/* What it has learned can be believed, whatever the counters said. */
static void check_regret(const struct dav2m_regret_view *now)
{
	MUST(now->limit_cycles > 0);
	MUST(now->round_trip_cycles > 0 && now->round_trip_cycles < LONGEST_TRIP);
	MUST(now->finding_out_cycles < LONGEST_TRIP);
	MUST(now->walk_ratio_bp >= DAV2M_ONE_BP && now->walk_ratio_bp <= 16 * DAV2M_ONE_BP);
	MUST(now->exit_cycles > 0);
}

static void check(const struct vmm *vmm)
{
	struct dav2m_explanation now;
	uint64_t samples = 0;

	MUST(dav2m_explain(&vmm->ctl, &now) == DAV2M_OK);
	MUST(now.mode == dav2m_state_mode(now.state));
	MUST(now.mode == vmm->mode);
	MUST((now.asked == DAV2M_SWITCH) == (vmm->asked != 0));
	for (int r = 0; r < DAV2M_REASONS; r++)
		samples += now.count[r];
	MUST(samples == vmm->samples);
	/* The regret judge has no thresholds. */
	if (vmm->ctl.config.judge)
		check_regret(&now.regret);
	else
		MUST(now.threshold_vmexit > 0 && now.threshold_tmiss > 0);
}

static void sample(struct vmm *vmm, struct input *input, struct dav2m_sample *counters)
{
	struct dav2m before;
	struct dav2m_decision decision;
	int error;

	take_sample(input, counters);
	memcpy(&before, &vmm->ctl, sizeof(before));
	error = dav2m_sample(&vmm->ctl, counters, &decision);
	if (error) {
		MUST(error == DAV2M_ERR_SAMPLE);
		MUST(counters->valid & ~DAV2M_ALL_COUNTERS);
		MUST(memcmp(&before, &vmm->ctl, sizeof(before)) == 0);
		return;
	}
	vmm->samples++;
	/* Later samples remind of a switch: the first says who asked for it. */
	if (!vmm->asked)
		vmm->asked_reason = decision.reason;
	vmm->asked = decision.action == DAV2M_SWITCH;
	vmm->handed |= vmm->asked;
	MUST((decision.mode != vmm->mode) == (vmm->asked != 0));
	MUST(decision.mode == dav2m_state_mode(decision.to));
	MUST(decision.edge <= 11);
}

static void acknowledge(struct vmm *vmm, struct input *input)
{
	enum dav2m_outcome outcome = (enum dav2m_outcome)(take(input, 1) % DAV2M_OUTCOMES);
	int error = dav2m_acknowledge(&vmm->ctl, outcome, take(input, 4));

	MUST(error == (vmm->handed ? DAV2M_OK : DAV2M_ERR_NO_SWITCH));
	if (vmm->handed && outcome == DAV2M_DONE)
		vmm->mode = vmm->mode == DAV2M_SHADOW ? DAV2M_NESTED : DAV2M_SHADOW;
	vmm->asked = vmm->handed = 0;
}

/*
 * Pinning the running mode withdraws a switch that is asked for. So does lifting the pin that
 * asked for it; nothing else does.
 */
static void pin(struct vmm *vmm, struct input *input)
{
	enum dav2m_pin pin = (enum dav2m_pin)(take(input, 1) % DAV2M_PINS);

	MUST(dav2m_pin(&vmm->ctl, pin) == DAV2M_OK);
	if (pin != DAV2M_PIN_NONE && (enum dav2m_mode)pin == vmm->mode)
		vmm->asked = 0;
	if (pin == DAV2M_PIN_NONE && vmm->asked_reason == DAV2M_PINNED)
		vmm->asked = 0;
}

static void retune(struct vmm *vmm, struct input *input)
{
	struct dav2m_config config;
	struct dav2m before = vmm->ctl;
	int error;

	take_config(input, &config);
	error = dav2m_retune(&vmm->ctl, &config);
	MUST(error == dav2m_config_check(&config, NULL));
	if (error)
		MUST(memcmp(&before, &vmm->ctl, sizeof(before)) == 0);
	/* Another judge wants no switch yet. */
	if (vmm->ctl.config.judge != before.config.judge)
		vmm->asked = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.data = data, .left = size};
	struct dav2m_sample counters = {.valid = 0};
	struct dav2m_config config;
	struct vmm vmm = {.mode = (enum dav2m_mode)(take(&input, 1) % DAV2M_MODES)};

	take_config(&input, &config);
	if (dav2m_init(&vmm.ctl, &config, vmm.mode) != DAV2M_OK)
		return 0;
	while (input.left > 0) {
		switch (take(&input, 1) % 9) {
		case 0:
			acknowledge(&vmm, &input);
			break;
		case 1:
			dav2m_paging_exits(&vmm.ctl, (uint32_t)take(&input, 2));
			break;
		case 2:
			pin(&vmm, &input);
			break;
		case 3:
			retune(&vmm, &input);
			break;
		case 4:
			MUST(dav2m_rebase(&vmm.ctl) == DAV2M_OK);
			break;
		default:
			sample(&vmm, &input, &counters);
			break;
		}
		check(&vmm);
	}
	return 0;
}
