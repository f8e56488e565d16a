/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A string for every enum, for logs and files. Never NULL: a value outside its enum is "?".
 */
#include <dav2m/dav2m.h>

#include "core.h"

static const char *name_of(const char *const *names, size_t count, size_t value)
{
	return value < count ? names[value] : "?";
}

#define NAME_OF(names, value) name_of(names, DAV2M_ARRAY_SIZE(names), (size_t)(value))

const char *dav2m_version(void)
{
	return DAV2M_VERSION;
}

const char *dav2m_error_name(enum dav2m_error error)
{
	static const char *const names[] = {
		"ok",
		"null pointer",
		"config size",
		"config rule",
		"no such field",
		"out of range",
		"unknown counter",
		"not initialised",
		"no switch asked for",
		"busy",
		"backend failed",
	};

	return NAME_OF(names, -(long)error);
}

const char *dav2m_mode_name(enum dav2m_mode mode)
{
	static const char *const names[DAV2M_MODES] = {"shadow", "nested"};

	return NAME_OF(names, mode);
}

const char *dav2m_counter_name(enum dav2m_counter counter)
{
	static const char *const names[DAV2M_COUNTERS] = {
		[DAV2M_PROGRESS] = "progress",
		[DAV2M_CYCLES] = "cycles",
		[DAV2M_TLB_MISSES] = "tlb_misses",
		[DAV2M_WALK_CYCLES] = "walk_cycles",
		[DAV2M_PAGING_EXITS] = "paging_exits",
		[DAV2M_PAGING_EXIT_CYCLES] = "paging_exit_cycles",
		[DAV2M_TLB_FLUSHES] = "tlb_flushes",
	};

	return NAME_OF(names, counter);
}

const char *dav2m_preset_name(enum dav2m_preset preset)
{
	static const char *const names[DAV2M_PRESETS] = {"repaired", "paper", "bounded"};

	return NAME_OF(names, preset);
}

const char *dav2m_state_name(enum dav2m_state state)
{
	static const char *const names[DAV2M_STATES] = {
		"shadow", "prenested", "prepaging", "nested", "preshadow",
	};

	return NAME_OF(names, state);
}

const char *dav2m_reason_name(enum dav2m_reason reason)
{
	static const char *const names[DAV2M_REASONS] = {
		[DAV2M_WAITING] = "waiting",
		[DAV2M_ROLLED] = "rolled",
		[DAV2M_EXITS_ABOVE] = "exits_above",
		[DAV2M_MISSES_ABOVE] = "misses_above",
		[DAV2M_PROBE_KEPT] = "probe_kept",
		[DAV2M_PROBE_WORSE] = "probe_worse",
		[DAV2M_PROBE_ABORTED] = "probe_aborted",
		[DAV2M_QUIESCED] = "quiesced",
		[DAV2M_SETTLING] = "settling",
		[DAV2M_BACKING_OFF] = "backing_off",
		[DAV2M_PINNED] = "pinned",
		[DAV2M_BLIND] = "blind",
		[DAV2M_UNACKNOWLEDGED] = "unacknowledged",
		[DAV2M_BASELINE] = "baseline",
		[DAV2M_INCOMPLETE] = "incomplete",
		[DAV2M_COUNTER_LOST] = "counter_lost",
		[DAV2M_BACKWARD] = "backward",
		[DAV2M_JUMP] = "jump",
		[DAV2M_NO_PROGRESS] = "no_progress",
	};

	return NAME_OF(names, reason);
}

const char *dav2m_action_name(enum dav2m_action action)
{
	static const char *const names[] = {"stay", "switch"};

	return NAME_OF(names, action);
}

const char *dav2m_outcome_name(enum dav2m_outcome outcome)
{
	static const char *const names[DAV2M_OUTCOMES] = {"done", "deferred", "failed"};

	return NAME_OF(names, outcome);
}

const char *dav2m_pin_name(enum dav2m_pin pin)
{
	static const char *const names[DAV2M_PINS] = {"shadow", "nested", "none"};

	return NAME_OF(names, pin);
}

const char *dav2m_surety_name(enum dav2m_surety surety)
{
	static const char *const names[DAV2M_SURETIES] = {"guessed", "remembered", "modelled"};

	return NAME_OF(names, surety);
}
