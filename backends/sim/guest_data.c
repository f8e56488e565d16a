/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guests. Data only: each row is what the source named beside it says.
 */
#include <string.h>

#include <dav2m/sim/guest.h>

#define KB 1024ull
#define MB (1024 * KB)

/*
 * What a kernel of the time kept for good, before slabs and page tables: an i386 SMP kernel 2.6.17
 * on 256 MB reports 250080 of 262144 KB available, and then frees its initial file system
 * (5326 KB), its init section (308 KB) and SMP code that it replaces (16 KB). Its data section is
 * 1073 KB, as the ATLAS paper's (1.05 MB, section 5.2); that paper's code size is lost.
 */
#define KERNEL_256_BYTES (262144 * KB - (250080 + 5326 + 308 + 16) * KB)
/* With more memory it is more by a struct page (32 bytes on i386) for each frame. */
#define KERNEL_BYTES(mb) (KERNEL_256_BYTES + ((mb)-256) * MB / 4096 * 32)

#define ATLAS_SOURCE                                                                               \
	"memory: ATLAS paper, section 3. Inferred: the kernel's share, from the boot message of "  \
	"a 2.6.17 kernel whose data section has that paper's size; swap space of twice the "       \
	"memory, as installers of the time made it"

static const struct dav2m_sim_guest guests[] = {
	{
		.name = "plain",
		.about = "64-bit Linux with 2 GB, no swap, nothing kept by the kernel",
		.source = "memory: that of the DAV2M paper's first machine",
		.tables = DAV2M_SIM_LEVELS_4,
		.bytes = 2048 * MB,
	},
	{
		.name = "linux26-256",
		.about = "32-bit Linux 2.6 with 256 MB and swap: the ATLAS paper's small guest",
		.source = ATLAS_SOURCE,
		.tables = DAV2M_SIM_LEVELS_2,
		.bytes = 256 * MB,
		.kernel_bytes = KERNEL_BYTES(256),
		.swap_bytes = 512 * MB,
	},
	{
		.name = "linux26-756",
		.about = "the same with 756 MB: its large guest",
		.source = ATLAS_SOURCE,
		.tables = DAV2M_SIM_LEVELS_2,
		.bytes = 756 * MB,
		.kernel_bytes = KERNEL_BYTES(756),
		.swap_bytes = 1512 * MB,
	},
};

const struct dav2m_sim_guest *dav2m_sim_guest(size_t index)
{
	return index < sizeof(guests) / sizeof(guests[0]) ? &guests[index] : NULL;
}

const struct dav2m_sim_guest *dav2m_sim_guest_find(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < sizeof(guests) / sizeof(guests[0]); i++)
		if (strcmp(guests[i].name, name) == 0)
			return &guests[i];
	return NULL;
}
