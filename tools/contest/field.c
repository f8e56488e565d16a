/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lists of the contest. Nothing in them belongs to one cell only.
 */
#include "field.h"

#include <stdio.h>
#include <string.h>

#define PHASES_COST "palacios2011"

static const struct contest_model models[] = {
	{"palacios2011", "the DAV2M paper's machine and VMM", "opteron2350", "palacios2011", 10000},
	{"modern", "a current server with a KVM-like VMM", "skylake-sp", "modern", 10000},
	{"nested-cloud", "the same inside a cloud's virtual machine: exits ten times as dear",
	 "skylake-sp", "nested-cloud", 10000},
	{"dear-switch", "palacios2011, a switch ten times as dear", "opteron2350", "palacios2011",
	 100000},
	{"cheap-switch", "palacios2011, a switch at a tenth", "opteron2350", "palacios2011", 1000},
};

const struct contest_model contest_as_recorded = {
	"recorded", "prices and switch costs of the recordings", NULL, NULL, 10000};

const struct contest_model *contest_model(size_t index)
{
	return index < sizeof(models) / sizeof(models[0]) ? &models[index] : NULL;
}

int contest_is_dav2m(const struct contest_workload *workload)
{
	return workload->kind == CONTEST_SIMULATED && !strncmp(workload->name, "spec-", 5);
}

int contest_policy(size_t index, struct contest_policy *ret_policy)
{
	enum dav2m_preset preset = (enum dav2m_preset)(index - peer_rules_size);

	memset(ret_policy, 0, sizeof(*ret_policy));
	if (index < peer_rules_size) {
		ret_policy->rule = peer_rules[index];
		snprintf(ret_policy->name, sizeof(ret_policy->name), "%s", peer_rules[index]->name);
		return 1;
	}
	if (index - peer_rules_size >= DAV2M_PRESETS)
		return 0;
	ret_policy->config.size = sizeof(ret_policy->config);
	dav2m_config_preset(preset, &ret_policy->config);
	snprintf(ret_policy->name, sizeof(ret_policy->name), "preset %s",
		 dav2m_preset_name(preset));
	return 1;
}

static size_t simulated_count(void)
{
	size_t n = 0;

	while (dav2m_sim_workload(n))
		n++;
	return n;
}

int contest_workload(size_t index, struct contest_workload *ret_workload)
{
	size_t simulated = simulated_count();

	memset(ret_workload, 0, sizeof(*ret_workload));
	if (index < simulated) {
		ret_workload->kind = CONTEST_SIMULATED;
		ret_workload->simulated = dav2m_sim_workload(index);
		ret_workload->name = ret_workload->simulated->name;
	} else if (index - simulated < phases_table_size) {
		ret_workload->kind = CONTEST_PHASES;
		ret_workload->phases = &phases_table[index - simulated];
		ret_workload->name = ret_workload->phases->name;
	} else if (index - simulated == phases_table_size) {
		ret_workload->kind = CONTEST_ADVERSARY;
		ret_workload->name = "adversary";
	} else {
		return 0;
	}
	return 1;
}

static double price(const char *cost, enum dav2m_sim_item item)
{
	const struct dav2m_sim_cost *model = dav2m_sim_cost_find(cost);

	return model ? model->price[item].cycles : 0;
}

/* An exit of shadow paging is a world switch and, most often, a fill. */
double contest_exit_price(const struct contest_model *model)
{
	return (price(model->cost, DAV2M_SIM_EXIT) + price(model->cost, DAV2M_SIM_FILL)) /
	       (price(PHASES_COST, DAV2M_SIM_EXIT) + price(PHASES_COST, DAV2M_SIM_FILL));
}

double contest_walk_price(const struct contest_model *model)
{
	return price(model->cost, DAV2M_SIM_WALK_REF) / price(PHASES_COST, DAV2M_SIM_WALK_REF);
}
