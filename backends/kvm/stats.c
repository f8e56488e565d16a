/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's binary statistics: the self-describing file behind KVM_GET_STATS_FD. Names are looked
 * up, never offsets; the format is that of the kernel's documentation (virt/kvm/api, 4.133).
 */
#include <dav2m/kvm/stats.h>

#include <dav2m/sample.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

/* Limits against a damaged file; kernels have about 50 statistics with names of 48 bytes. */
#define DESCRIPTORS_MAX 4096u
#define NAME_BYTES_MAX	1024u
#define SPAN_BYTES_MAX	(1u << 20)

static const struct {
	const char *name;
	uint32_t type;
} known[DAV2M_KVM_STATS] = {
	[DAV2M_KVM_EXITS] = {"exits", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_IRQ_EXITS] = {"irq_exits", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_HALT_EXITS] = {"halt_exits", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_IO_EXITS] = {"io_exits", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_MMIO_EXITS] = {"mmio_exits", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_PF_TAKEN] = {"pf_taken", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_PF_FIXED] = {"pf_fixed", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_PF_GUEST] = {"pf_guest", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_PF_EMULATE] = {"pf_emulate", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_PF_SPURIOUS] = {"pf_spurious", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_INVLPG] = {"invlpg", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_TLB_FLUSH] = {"tlb_flush", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_INSN_EMULATION] = {"insn_emulation", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_SHADOW_ZAPPED] = {"mmu_shadow_zapped", KVM_STATS_TYPE_CUMULATIVE},
	[DAV2M_KVM_PAGES_4K] = {"pages_4k", KVM_STATS_TYPE_INSTANT},
	[DAV2M_KVM_PAGES_2M] = {"pages_2m", KVM_STATS_TYPE_INSTANT},
	[DAV2M_KVM_PAGES_1G] = {"pages_1g", KVM_STATS_TYPE_INSTANT},
};

const char *dav2m_kvm_stat_name(enum dav2m_kvm_stat stat)
{
	return (unsigned int)stat < DAV2M_KVM_STATS ? known[stat].name : "?";
}

/* All of it: 0, or an errno; a file that ends early is EPROTO. */
static int read_whole(int fd, void *buffer, size_t bytes, uint64_t offset)
{
	unsigned char *to = buffer;

	while (bytes) {
		ssize_t n = pread(fd, to, bytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (!n)
			return EPROTO;
		to += n;
		bytes -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* The statistic that a descriptor describes, or DAV2M_KVM_STATS for one we do not want. */
static unsigned int stat_of(const struct kvm_stats_desc *desc, uint32_t name_bytes)
{
	unsigned int i = 0;

	while (i < DAV2M_KVM_STATS && strncmp(desc->name, known[i].name, name_bytes))
		i++;
	if (i == DAV2M_KVM_STATS || desc->size != 1 || desc->exponent != 0 ||
	    (desc->flags & KVM_STATS_TYPE_MASK) != known[i].type ||
	    (desc->flags & KVM_STATS_UNIT_MASK) != KVM_STATS_UNIT_NONE)
		return DAV2M_KVM_STATS;
	return i;
}

static void descriptors_search(struct dav2m_kvm_stats *stats, const unsigned char *table,
			       const struct kvm_stats_header *header)
{
	size_t stride = sizeof(struct kvm_stats_desc) + header->name_size;

	for (uint32_t i = 0; i < header->num_desc; i++) {
		const struct kvm_stats_desc *desc =
			(const struct kvm_stats_desc *)(const void *)(table + i * stride);
		unsigned int stat = stat_of(desc, header->name_size);

		if (stat == DAV2M_KVM_STATS)
			continue;
		stats->available |= DAV2M_BIT(stat);
		stats->at[stat] = desc->offset;
	}
}

/* Makes at[] relative to the smallest span that holds all of them. */
static void span_choose(struct dav2m_kvm_stats *stats, uint32_t data_offset)
{
	uint32_t low = UINT32_MAX, high = 0;

	for (unsigned int i = 0; i < DAV2M_KVM_STATS; i++) {
		if (!(stats->available & DAV2M_BIT(i)))
			continue;
		low = stats->at[i] < low ? stats->at[i] : low;
		high = stats->at[i] > high ? stats->at[i] : high;
	}
	for (unsigned int i = 0; i < DAV2M_KVM_STATS; i++)
		stats->at[i] -= stats->available & DAV2M_BIT(i) ? low : 0;
	stats->start = (uint64_t)data_offset + low;
	stats->bytes = high - low + (uint32_t)sizeof(uint64_t);
}

static int names_look_up(struct dav2m_kvm_stats *stats, const struct kvm_stats_header *header)
{
	size_t bytes = header->num_desc * (sizeof(struct kvm_stats_desc) + header->name_size);
	unsigned char *table = malloc(bytes);
	int code;

	if (!table)
		return ENOMEM;
	code = read_whole(stats->fd, table, bytes, header->desc_offset);
	if (!code)
		descriptors_search(stats, table, header);
	free(table);
	return code;
}

static int header_refused(const struct kvm_stats_header *header)
{
	return header->num_desc < 1 || header->num_desc > DESCRIPTORS_MAX ||
	       header->name_size < 1 || header->name_size > NAME_BYTES_MAX ||
	       header->name_size % 8; /* descriptors must stay aligned */
}

int dav2m_kvm_stats_open(struct dav2m_kvm_stats *stats, int fd, struct dav2m_kvm_fault *ret_fault)
{
	static const char what[] = "read the layout of KVM's statistics";
	struct dav2m_kvm_stats new = {.fd = fd};
	struct kvm_stats_header header;
	int code;

	if (!stats)
		return DAV2M_ERR_NULL;
	code = read_whole(fd, &header, sizeof(header), 0);
	if (!code && header_refused(&header))
		code = EPROTO;
	if (!code)
		code = names_look_up(&new, &header);
	if (code)
		return dav2m_kvm_fault_set(ret_fault, what, dav2m_kvm_fault_todo(code), code);
	if (!new.available)
		return dav2m_kvm_fault_set(
			ret_fault, "find a statistic of KVM that is of use",
			"this kernel names them differently: please report its version", 0);
	span_choose(&new, header.data_offset);
	new.span = new.bytes <= SPAN_BYTES_MAX ? malloc(new.bytes) : NULL;
	if (!new.span)
		return dav2m_kvm_fault_set(ret_fault, what, dav2m_kvm_fault_todo(ENOMEM), ENOMEM);
	*stats = new;
	return 0;
}

int dav2m_kvm_stats_read(struct dav2m_kvm_stats *stats, struct dav2m_kvm_values *ret_values,
			 struct dav2m_kvm_fault *ret_fault)
{
	int code;

	if (!stats || !ret_values || !stats->span)
		return DAV2M_ERR_NULL;
	code = read_whole(stats->fd, stats->span, stats->bytes, stats->start);
	if (code)
		return dav2m_kvm_fault_set(ret_fault, "read KVM's statistics",
					   dav2m_kvm_fault_todo(code), code);
	for (unsigned int i = 0; i < DAV2M_KVM_STATS; i++)
		if (stats->available & DAV2M_BIT(i))
			memcpy(&ret_values->value[i], stats->span + stats->at[i],
			       sizeof(ret_values->value[i]));
	ret_values->available = stats->available;
	return 0;
}

void dav2m_kvm_stats_close(struct dav2m_kvm_stats *stats)
{
	if (!stats || !stats->span)
		return;
	free(stats->span);
	close(stats->fd);
	stats->span = NULL;
	stats->fd = -1;
	stats->available = 0;
}

static int has(const struct dav2m_kvm_values *values, enum dav2m_kvm_stat stat)
{
	return (values->available & DAV2M_BIT(stat)) != 0;
}

int dav2m_kvm_paging_exits(const struct dav2m_kvm_values *values, uint64_t *ret_exits)
{
	uint64_t invlpg;

	if (!values || !ret_exits)
		return 0;
	invlpg = has(values, DAV2M_KVM_INVLPG) ? values->value[DAV2M_KVM_INVLPG] : 0;
	if (has(values, DAV2M_KVM_PF_TAKEN))
		*ret_exits = values->value[DAV2M_KVM_PF_TAKEN] + invlpg;
	else if (has(values, DAV2M_KVM_PF_FIXED) && has(values, DAV2M_KVM_PF_GUEST))
		*ret_exits = values->value[DAV2M_KVM_PF_FIXED] + values->value[DAV2M_KVM_PF_GUEST] +
			     invlpg;
	else
		return 0;
	return 1;
}
