/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include <dav2m/dav2m.h>

/* Stands for the hardware: a guest that rebuilds its page tables, then works on a large heap. */
static uint32_t run_guest(unsigned slice, enum dav2m_mode mode, struct dav2m_sample *counters)
{
	int rebuilds = slice / 100 % 2 == 0;
	uint32_t exits = mode == DAV2M_SHADOW ? (rebuilds ? 30000 : 50) : 0;
	uint64_t misses = rebuilds ? 20000 : 1000000, miss_cycles = mode == DAV2M_NESTED ? 80 : 20;

	counters->valid =
		DAV2M_BIT(DAV2M_PROGRESS) | DAV2M_BIT(DAV2M_CYCLES) | DAV2M_BIT(DAV2M_TLB_MISSES);
	counters->value[DAV2M_PROGRESS] += 100000000;
	counters->value[DAV2M_CYCLES] += 100000000 + exits * 4000ull + misses * miss_cycles;
	counters->value[DAV2M_TLB_MISSES] += misses;
	return exits;
}

int main(void)
{
	struct dav2m_config config = {.size = sizeof(config)};
	struct dav2m_sample counters = {.valid = 0};
	struct dav2m_decision decision;
	enum dav2m_mode mode = DAV2M_SHADOW;
	struct dav2m ctl;

	dav2m_config_preset(DAV2M_PRESET_DEFAULT, &config);
	dav2m_init(&ctl, &config, mode);
	for (unsigned slice = 0; slice < 400; slice++) {
		dav2m_paging_exits(&ctl, run_guest(slice, mode, &counters));
		dav2m_sample(&ctl, &counters, &decision);
		if (decision.action != DAV2M_SWITCH)
			continue;
		mode = decision.mode; /* a VMM loads the other page tables here */
		dav2m_acknowledge(&ctl, DAV2M_DONE, 0);
		printf("slice %u: %s paging (%s)\n", slice, dav2m_mode_name(mode),
		       dav2m_reason_name(decision.reason));
	}
	return 0;
}
