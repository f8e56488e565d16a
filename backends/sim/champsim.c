/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of ChampSim's records. Must not read anything but what it is fed.
 */
#include <string.h>

#include <dav2m/sim/champsim.h>

#define BRANCH_AT 8
#define TAKEN_AT  9
#define STORES_AT 16
#define STORES	  2
#define LOADS_AT  32
#define LOADS	  4
#define ADDRESSES (DAV2M_SIM_VPN_MAX << DAV2M_SIM_PAGE_SHIFT)

void dav2m_sim_champsim_init(struct dav2m_sim_champsim *champsim)
{
	memset(champsim, 0, sizeof(*champsim));
	champsim->record = 1;
}

static int wrong(struct dav2m_sim_champsim *champsim, const char *rule)
{
	champsim->rule = rule;
	return -1;
}

static uint64_t address_at(const uint8_t *record, size_t at)
{
	uint64_t address = 0;
	unsigned i;

	for (i = 0; i < 8; i++)
		address |= (uint64_t)record[at + i] << 8 * i;
	return address;
}

/* Up to n addresses. Answers the words written, or -1. */
static int addresses_read(struct dav2m_sim_champsim *champsim, const uint8_t *record, size_t at,
			  size_t n, enum dav2m_sim_kind kind, uint64_t *words)
{
	int out = 0;

	for (; n > 0; n--, at += 8) {
		const uint64_t address = address_at(record, at);

		if (address >= ADDRESSES)
			return wrong(champsim, "an address must have at most 57 bits");
		if (address != 0)
			words[out++] =
				dav2m_sim_reference(kind, address >> DAV2M_SIM_PAGE_SHIFT, 1);
	}
	return out;
}

/* Answers the words written, or -1. */
static int record_read(struct dav2m_sim_champsim *champsim, const uint8_t *record, uint64_t *words)
{
	const uint64_t pointer = address_at(record, 0);
	int loads, stores;

	if (record[BRANCH_AT] > 1 || record[TAKEN_AT] > 1)
		return wrong(champsim, "bytes 8 and 9 of a record must be 0 or 1");
	if (pointer >= ADDRESSES)
		return wrong(champsim, "an address must have at most 57 bits");
	words[0] = dav2m_sim_reference(DAV2M_SIM_FETCH, pointer >> DAV2M_SIM_PAGE_SHIFT, 1);
	loads = addresses_read(champsim, record, LOADS_AT, LOADS, DAV2M_SIM_LOAD, words + 1);
	if (loads < 0)
		return -1;
	stores = addresses_read(champsim, record, STORES_AT, STORES, DAV2M_SIM_STORE,
				words + 1 + loads);
	if (stores < 0)
		return -1;
	champsim->record++;
	return 1 + loads + stores;
}

/* The record at data, or the one that it completes; NULL when it does not. Moves *at on. */
static const uint8_t *record_find(struct dav2m_sim_champsim *champsim, const uint8_t *data,
				  size_t size, size_t *at)
{
	const size_t left = DAV2M_SIM_CHAMPSIM_BYTES - champsim->held;
	const size_t n = size - *at < left ? size - *at : left;
	const uint8_t *from = data + *at;

	*at += n;
	if (champsim->held == 0 && n == DAV2M_SIM_CHAMPSIM_BYTES)
		return from;
	memcpy(champsim->hold + champsim->held, from, n);
	champsim->held += (uint32_t)n;
	if (champsim->held < DAV2M_SIM_CHAMPSIM_BYTES)
		return NULL;
	champsim->held = 0;
	return champsim->hold;
}

int dav2m_sim_champsim_feed(struct dav2m_sim_champsim *champsim, const void *data, size_t size,
			    uint64_t *words, size_t room, size_t *ret_used, size_t *ret_words)
{
	size_t at = 0, out = 0;
	const uint8_t *record;
	int n = 0;

	while (at < size && out + DAV2M_SIM_CHAMPSIM_WORDS <= room) {
		record = record_find(champsim, data, size, &at);
		if (record == NULL)
			break;
		n = record_read(champsim, record, words + out);
		if (n < 0)
			break;
		out += (size_t)n;
	}
	*ret_used = at;
	*ret_words = out;
	return n < 0 ? -1 : 0;
}

int dav2m_sim_champsim_end(struct dav2m_sim_champsim *champsim)
{
	if (champsim->held > 0)
		return wrong(champsim, "a record must have 64 bytes: this one is cut off");
	return champsim->record == 1 ? wrong(champsim, "there is no record") : 0;
}
