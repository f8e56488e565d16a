/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of the enums for people and files, and sums over counts.
 */
#include <dav2m/sim/run.h>

#define NAME(table, i) ((size_t)(i) < sizeof(table) / sizeof((table)[0]) ? (table)[(i)] : "?")

const char *dav2m_sim_error_name(enum dav2m_sim_error error)
{
	static const char *const name[] = {"ok",
					   "a pointer is NULL",
					   "a value is out of range",
					   "the machine's TLB arrays break a rule",
					   "no memory",
					   "the guest's memory is full",
					   "an address that the guest's page tables cannot hold",
					   "an unknown event, or one cut off",
					   "a process that exists already, or must not end",
					   "an access that the process's mappings forbid"};

	return NAME(name, -(int)error);
}

const char *dav2m_sim_mode_name(enum dav2m_sim_mode mode)
{
	static const char *const name[] = {"shadow", "nested", "native"};

	return NAME(name, mode);
}

const char *dav2m_sim_cause_name(enum dav2m_sim_cause cause)
{
	static const char *const name[] = {"base",   "walk",   "exit", "fault",
					   "switch", "sample", "swap"};

	return NAME(name, cause);
}

const char *dav2m_sim_exit_name(enum dav2m_sim_exit exit)
{
	static const char *const name[] = {"inject", "fill",   "emulate", "unsync",
					   "remove", "invlpg", "cr3",	  "nested"};

	return NAME(name, exit);
}

const char *dav2m_sim_item_name(enum dav2m_sim_item item)
{
	static const char *const name[] = {
		"instruction",	 "tlb_l2_hit", "walk_ref",     "walk_cached", "exit",
		"inject",	 "fill",       "emulate",      "unsync",      "resync",
		"invlpg",	 "cr3",	       "make",	       "remove",      "drop",
		"nested_fill",	 "sample",     "mode_switch",  "guest_fault", "guest_clear",
		"guest_syscall", "guest_pte",  "guest_switch", "guest_fork",  "guest_exec",
		"guest_exit",	 "swap_seek",  "swap_page"};

	return NAME(name, item);
}

uint32_t dav2m_sim_event_arguments(enum dav2m_sim_event event)
{
	static const uint8_t arguments[DAV2M_SIM_EVENTS] = {
		[DAV2M_SIM_SWITCH] = 1,	 [DAV2M_SIM_MAP] = 3,	       [DAV2M_SIM_UNMAP] = 2,
		[DAV2M_SIM_PROTECT] = 3, [DAV2M_SIM_BRK] = 1,	       [DAV2M_SIM_FORK] = 1,
		[DAV2M_SIM_EXEC] = 0,	 [DAV2M_SIM_EXIT_PROCESS] = 0, [DAV2M_SIM_SYSCALL] = 1,
		[DAV2M_SIM_MARK] = 1};

	return (unsigned)event < DAV2M_SIM_EVENTS ? arguments[event] : 0;
}

const char *dav2m_sim_event_name(enum dav2m_sim_event event)
{
	static const char *const name[] = {"switch", "map",  "unmap", "protect", "brk",
					   "fork",   "exec", "exit",  "syscall", "mark"};

	return NAME(name, event);
}

uint64_t dav2m_sim_cycles(const struct dav2m_sim_counts *counts)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < DAV2M_SIM_CAUSES; i++)
		sum += counts->cycles[i];
	return sum;
}

uint64_t dav2m_sim_paging_exits(const struct dav2m_sim_counts *counts)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < DAV2M_SIM_EXIT_KINDS; i++)
		sum += i == DAV2M_SIM_EXIT_NESTED ? 0 : counts->exits[i];
	return sum;
}
