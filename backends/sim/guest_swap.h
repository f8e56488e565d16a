/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Swap: what the guest's kernel does when processes need more memory than there is.
 *
 * After Linux 2.6.16 (mm/vmscan.c, mm/swapfile.c, mm/memory.c), the kernel of the papers' time:
 *
 *   fault -> active list --not referenced--> inactive list --not referenced--> unmapped
 *                 ^                               |                               |
 *                 +-----------referenced----------+       dirty: written to swap, then free
 *                 +--------touched again: minor fault--------- clean: free at once
 *
 * "Referenced" is the accessed bit of the entries that map the page, cleared when looked at: a
 * page gets a second chance each time. kswapd is woken when free frames fall below the low
 * watermark and works until the high one; a process waits for the disk only below the lowest.
 * An unmapped page stays in the swap cache until its write is done, and a page that has been
 * read stays there with its slot, so that it need not be written again while it is clean.
 *
 * Only 4 KB pages of processes are swapped; page tables and large pages stay, as they did then.
 * Without swap space (config.swap_bytes 0) there is none of this, and memory has an end.
 */
#ifndef DAV2M_SIM_GUEST_SWAP_INTERNAL_H
#define DAV2M_SIM_GUEST_SWAP_INTERNAL_H

#include "guest.h"

/* 0, or DAV2M_SIM_ERR_MEMORY. */
int sim_swap_init(struct sim_guest *guest, uint64_t swap_bytes);
void sim_swap_free(struct sim_guest *guest);

/*
 * Sees to it that there are frames for what one fault or one new table needs. Entries of any
 * process may change meanwhile: called before they are looked at. Without room left it does
 * nothing, and the allocation that follows fails.
 */
void sim_swap_room(struct sim_guest *guest);

/* The running process has a new page of its own. */
void sim_swap_page_new(struct sim_guest *guest, uint32_t frame, uint64_t vpn);
/* The last mapping of a page is gone. Answers 1 if the swap cache keeps its frame. */
int sim_swap_page_keep(struct sim_guest *guest, uint32_t frame);
/* Whether another process's entry says that the page is in swap. */
int sim_swap_page_shared(const struct sim_guest *guest, uint32_t frame);

/* An entry that says where in swap its page is. */
static inline int sim_swap_is_entry(uint64_t entry)
{
	return !(entry & SIM_P) && entry != 0;
}

/* Such an entry has been copied, or is about to be overwritten. */
void sim_swap_entry_copy(struct sim_guest *guest, uint64_t entry);
void sim_swap_entry_put(struct sim_guest *guest, uint64_t entry);
/*
 * The frame of such an entry's page, which is read if it is not in memory: *ret_major. The
 * entry is to be replaced by one that maps it; *ret_alone: nobody else has the page.
 * SIM_NO_FRAME: memory is full.
 */
uint32_t sim_swap_in(struct sim_guest *guest, uint64_t entry, uint64_t vpn, int *ret_major,
		     int *ret_alone);

#endif
