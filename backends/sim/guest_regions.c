/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process may do where. A page that no region covers is readable and writable and comes
 * into being when it is touched: traces do not always tell what was mapped.
 */
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define PROT_USUAL (DAV2M_SIM_PROT_READ | DAV2M_SIM_PROT_WRITE)

/* Index of the first region that ends after a page. */
static uint32_t region_after(const struct sim_process *process, uint64_t vpn)
{
	uint32_t low = 0, high = process->regions;

	while (low < high) {
		const uint32_t middle = (low + high) / 2;

		if (process->region[middle].end > vpn)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

uint32_t sim_region_prot(const struct sim_process *process, uint64_t vpn)
{
	const uint32_t i = region_after(process, vpn);

	if (i < process->regions && process->region[i].first <= vpn)
		return process->region[i].prot;
	return PROT_USUAL;
}

int sim_region_usual(const struct sim_process *process, uint64_t vpn, uint64_t n)
{
	const uint64_t first = vpn & ~(n - 1);
	const uint32_t i = region_after(process, first);

	return i == process->regions || process->region[i].first >= first + n;
}

static int region_room(struct sim_process *process, uint32_t more)
{
	const uint32_t need = process->regions + more;
	const uint32_t room = need < 8 ? 8 : need * 2;
	struct sim_region *region;

	if (need <= process->regions_room)
		return 0;
	region = realloc(process->region, room * sizeof(*region));
	if (region == NULL)
		return DAV2M_SIM_ERR_MEMORY;
	process->region = region;
	process->regions_room = room;
	return 0;
}

static void region_insert(struct sim_process *process, uint32_t at, struct sim_region region)
{
	memmove(&process->region[at + 1], &process->region[at],
		(process->regions - at) * sizeof(region));
	process->region[at] = region;
	process->regions++;
}

static void region_delete(struct sim_process *process, uint32_t at)
{
	process->regions--;
	memmove(&process->region[at], &process->region[at + 1],
		(process->regions - at) * sizeof(*process->region));
}

/* Takes [first, end) out of all regions; there is room for one more. */
static void regions_cut(struct sim_process *process, uint64_t first, uint64_t end)
{
	uint32_t i = region_after(process, first);

	while (i < process->regions && process->region[i].first < end) {
		struct sim_region *r = &process->region[i];

		if (r->first < first && r->end > end) {
			const struct sim_region rest = {end, r->end, r->prot};

			r->end = first;
			region_insert(process, i + 1, rest);
			return;
		}
		if (r->first >= first && r->end <= end) {
			region_delete(process, i);
			continue;
		}
		if (r->first < first)
			r->end = first;
		else
			r->first = end;
		i++;
	}
}

int sim_region_set(struct sim_process *process, uint64_t first, uint64_t end, uint32_t prot)
{
	const int error = region_room(process, 2);
	const struct sim_region region = {first, end, prot};

	if (error < 0)
		return error;
	regions_cut(process, first, end);
	if (prot != PROT_USUAL)
		region_insert(process, region_after(process, first), region);
	return 0;
}

int sim_region_copy(struct sim_process *to, const struct sim_process *from)
{
	const int error = region_room(to, from->regions);

	if (error < 0)
		return error;
	if (from->regions > 0)
		memcpy(to->region, from->region, from->regions * sizeof(*from->region));
	to->regions = from->regions;
	return 0;
}

void sim_region_clear(struct sim_process *process)
{
	process->regions = 0;
}
