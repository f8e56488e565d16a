/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference stream: what readers and workloads produce and a simulation consumes.
 *
 * A stream is an array of 64-bit words. A reference is one word: the page, how many references
 * of this kind to it in a row, and the kind. An event is one word and then its arguments, one
 * word each; it is never split over two calls.
 *
 *     reference   bits 0-1 kind, 2-15 count [0, 16383], 16-63 virtual page number
 *     event       bits 0-1 DAV2M_SIM_EVENT, 2-7 enum dav2m_sim_event, 8-15 arguments,
 *                 16-63 zero
 *
 * For fetches the count is that of instructions that begin in the page, so a fetch with count 0
 * is the second page of an instruction that straddles two. A count of 0 still needs a
 * translation.
 */
#ifndef DAV2M_SIM_STREAM_H
#define DAV2M_SIM_STREAM_H

#include <dav2m/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dav2m_sim_kind {
	DAV2M_SIM_LOAD = 0,
	DAV2M_SIM_STORE = 1,
	DAV2M_SIM_FETCH = 2,
	DAV2M_SIM_EVENT = 3
};

#define DAV2M_SIM_PAGE_SHIFT 12
/* Longest run in one word. */
#define DAV2M_SIM_RUN_MAX    0x3fffu
/* Virtual page numbers are below this (57-bit addresses). */
#define DAV2M_SIM_VPN_MAX    (1ull << 45)

/* What the guest's kernel is asked to do, on behalf of the process that runs. */
enum dav2m_sim_event {
	DAV2M_SIM_SWITCH = 0,	/* pid: run that process, which is made if it does not exist */
	DAV2M_SIM_MAP,		/* address, bytes, DAV2M_SIM_PROT_* */
	DAV2M_SIM_UNMAP,	/* address, bytes */
	DAV2M_SIM_PROTECT,	/* address, bytes, DAV2M_SIM_PROT_* */
	DAV2M_SIM_BRK,		/* new end of the heap; the first call sets it */
	DAV2M_SIM_FORK,		/* pid of the child, which must not exist; the parent goes on */
	DAV2M_SIM_EXEC,		/* the address space is replaced by an empty one */
	DAV2M_SIM_EXIT_PROCESS, /* the process ends; process 0 runs until the next SWITCH */
	DAV2M_SIM_SYSCALL,	/* n: that many short system calls */
	DAV2M_SIM_MARK		/* n: begin of the workload's phase n, for people */
};
#define DAV2M_SIM_EVENTS    10
/* Most arguments that an event has. */
#define DAV2M_SIM_ARGUMENTS 3

#define DAV2M_SIM_PROT_NONE  0u
#define DAV2M_SIM_PROT_READ  1u
#define DAV2M_SIM_PROT_WRITE 2u

/* Process numbers are below this. */
#define DAV2M_SIM_PIDS 65536u

static inline uint64_t dav2m_sim_reference(enum dav2m_sim_kind kind, uint64_t page, uint32_t count)
{
	return page << 16 | (uint64_t)count << 2 | (uint64_t)kind;
}

static inline uint64_t dav2m_sim_event_word(enum dav2m_sim_event event, uint32_t arguments)
{
	return (uint64_t)arguments << 8 | (uint64_t)event << 2 | DAV2M_SIM_EVENT;
}

/* Arguments of an event; 0 for a value outside the enum (none has 0 but EXEC, EXIT_PROCESS). */
DAV2M_API uint32_t dav2m_sim_event_arguments(enum dav2m_sim_event event);
DAV2M_API const char *dav2m_sim_event_name(enum dav2m_sim_event event);

#ifdef __cplusplus
}
#endif

#endif
