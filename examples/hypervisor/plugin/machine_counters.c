/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Performance counters for a machine that has none: a QEMU plugin that counts instructions, models
 * the TLB and the page walks of an AMD-V processor, and publishes all in a page of that machine's
 * own memory (struct counter_page), where the hypervisor reads them like any other memory.
 *
 *     -object memory-backend-file,id=ram,size=128M,mem-path=FILE,share=on
 *     -machine memory-backend=ram -plugin machine_counters.so,ram=FILE
 *
 * Nothing here depends on time, so under -icount two runs publish the same numbers.
 *
 * The model, from the second-level data TLB down, after the processor that the DAV2M paper used
 * (Opteron 2350: 512 entries of 4 KB, 4 ways; nested pages of 2 MB are splintered into them):
 *
 *  - entries carry the ASID; MOV to CR3 by the guest and TLB_CONTROL in the VMCB flush;
 *  - a walk-cache of 16 directory entries saves the upper levels (the size published for AMD's
 *    small cores of that time; for the Opteron it is inferred);
 *  - references of a walk that are left: shadow (one dimension) 4, or 1 with the directory entry
 *    cached; nested (two dimensions, nested pages of 2 MB) 4 for the guest's tables and
 *    3 nested for each of them and for the page: 4 + 5 x 3 = 19, or 1 + 3 = 4 with the guest's
 *    directory entry, already translated, cached;
 *  - a reference costs what an access to the second-level cache does on that processor.
 *
 * Not modelled: instruction fetches, first-level TLB misses that the second level serves, caches.
 * The guest's INVLPG names its page in a register, which this plugin interface cannot read; but
 * each entry keeps the physical page it leads to, and one that no longer does is a miss. So only an
 * INVLPG after which the same page is mapped again goes unnoticed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../layout.h"
#include "../svm.h"
#include "qemu_plugin_v1.h"

#define TLB_SETS   128
#define TLB_WAYS   4
#define WALK_CACHE 16

/* Cycles, L1 miss that hits L2 on AMD family 10h. Inferred from published measurements (about
   15); the model's ratios between the modes do not depend on it. */
#define REFERENCE_CYCLES 15

#define REFERENCES_1D	     4
#define REFERENCES_1D_CACHED 1
#define REFERENCES_2D	     (4 + 5 * 3)
#define REFERENCES_2D_CACHED (1 + 3)

struct tlb_entry {
	uint64_t tag; /* virtual page and ASID; 0 is never one */
	uint64_t physical;
};

struct walk_entry {
	uint64_t tag;
	uint64_t used;
};

PLUGIN_EXPORT int qemu_plugin_version = 1;
PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

static uint8_t *ram;
static struct counter_page *page;
static struct tlb_entry tlb[TLB_SETS][TLB_WAYS]; /* most recently used first */
static struct walk_entry walk_cache[WALK_CACHE];
static uint64_t walk_clock, asid_tag;
static bool nested;

static void flush(void)
{
	memset(tlb, 0, sizeof tlb);
	memset(walk_cache, 0, sizeof walk_cache);
	page->tlb_flushes++;
}

/* Looks the directory entry for an address up, and takes it in. */
static bool walk_cache_hit(uint64_t tag)
{
	struct walk_entry *oldest = &walk_cache[0];

	walk_clock++;
	for (int i = 0; i < WALK_CACHE; i++) {
		if (walk_cache[i].tag == tag) {
			walk_cache[i].used = walk_clock;
			return true;
		}
		if (walk_cache[i].used < oldest->used)
			oldest = &walk_cache[i];
	}
	*oldest = (struct walk_entry){tag, walk_clock};
	return false;
}

static void page_walk(uint64_t vaddr)
{
	uint64_t references;

	if (walk_cache_hit(vaddr >> 21 | asid_tag))
		references = nested ? REFERENCES_2D_CACHED : REFERENCES_1D_CACHED;
	else
		references = nested ? REFERENCES_2D : REFERENCES_1D;
	page->tlb_misses++;
	page->walk_cycles += references * REFERENCE_CYCLES;
}

static uint64_t physical_page(qemu_plugin_meminfo_t info, uint64_t vaddr)
{
	struct qemu_plugin_hwaddr *address = qemu_plugin_get_hwaddr(info, vaddr);

	return address ? qemu_plugin_hwaddr_phys_addr(address) >> 12 : 0;
}

/* The guest's data accesses. The hypervisor's addresses are those of the VMCB, saved and loaded in
   the guest's name at world switches. */
static void on_memory(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data)
{
	struct tlb_entry *set = tlb[vaddr >> 12 & (TLB_SETS - 1)];
	struct tlb_entry now = {.tag = vaddr >> 12 | asid_tag};
	int way = 0;

	(void)cpu;
	(void)data;
	if (vaddr < HV_END)
		return;
	now.physical = physical_page(info, vaddr);
	while (way < TLB_WAYS - 1 && set[way].tag != now.tag)
		way++;
	if (set[way].tag != now.tag || set[way].physical != now.physical)
		page_walk(vaddr);
	memmove(&set[1], &set[0], (size_t)way * sizeof *set);
	set[0] = now;
}

/* VMRUN is about to enter the guest: see the VMCB as the processor does. */
static void on_vmrun(unsigned cpu, void *data)
{
	const struct vmcb *vmcb = (const void *)(ram + page->vmcb);

	(void)cpu;
	(void)data;
	nested = vmcb->nested_enable & 1;
	asid_tag = (uint64_t)vmcb->asid << 56;
	if (vmcb->tlb_control)
		flush();
}

static void on_cr3_load(unsigned cpu, void *data)
{
	(void)cpu;
	(void)data;
	flush();
}

static void count(struct qemu_plugin_insn *insn, uint64_t *counter)
{
	qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, counter, 1);
}

static bool is_opcode(struct qemu_plugin_insn *insn, uint8_t second, uint8_t mask, uint8_t modrm)
{
	const uint8_t *byte = qemu_plugin_insn_data(insn);
	size_t n = qemu_plugin_insn_size(insn);

	if (n > 3 && (byte[0] & 0xf0) == 0x40) { /* REX */
		byte++;
		n--;
	}
	return n >= 3 && byte[0] == 0x0f && byte[1] == second && (byte[2] & mask) == modrm;
}

static void instrument_host(struct qemu_plugin_insn *insn, uint64_t vaddr)
{
	count(insn, &page->host_instructions);
	if (vaddr >= page->library_start && vaddr < page->library_end)
		count(insn, &page->library_instructions);
	if (is_opcode(insn, 0x01, 0xff, 0xd8)) { /* VMRUN */
		count(insn, &page->world_switches);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_vmrun, QEMU_PLUGIN_CB_NO_REGS,
						       NULL);
	}
}

static void instrument_guest(struct qemu_plugin_insn *insn)
{
	count(insn, &page->guest_instructions);
	qemu_plugin_register_vcpu_mem_cb(insn, on_memory, QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_RW, NULL);
	if (is_opcode(insn, 0x22, 0x38, 0x18)) /* MOV to CR3 */
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_cr3_load, QEMU_PLUGIN_CB_NO_REGS,
						       NULL);
}

/* Code below HV_END is the hypervisor's (or the firmware's), code above is the guest's. */
static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t vaddr = qemu_plugin_insn_vaddr(insn);

		if (vaddr < HV_END)
			instrument_host(insn, vaddr);
		else
			instrument_guest(insn);
	}
}

static int map_ram(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ram = mmap(NULL, MACHINE_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return ram == MAP_FAILED ? -1 : 0;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "ram=", 4) != 0 || map_ram(argv[0] + 4)) {
		(void)fprintf(stderr,
			      "machine_counters: needs ram=FILE, a file of %d bytes that is the "
			      "machine's memory\n",
			      MACHINE_RAM);
		return -1;
	}
	page = (struct counter_page *)(ram + COUNTER_PAGE);
	memset(page, 0, sizeof *page);
	page->magic = COUNTER_MAGIC;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
