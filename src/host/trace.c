/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the writer and the reader of counter traces share: names, and the trace in memory.
 */
#include <dav2m/host/trace.h>

#include "trace_format.h"

#include <stdlib.h>

const char *const dav2m_trace_switch_key[DAV2M_MODES] = {
	[DAV2M_SHADOW] = "switch_cost_to_shadow_cycles",
	[DAV2M_NESTED] = "switch_cost_to_nested_cycles",
};

const char *dav2m_trace_mode_name(enum dav2m_trace_mode mode)
{
	static const char *const name[DAV2M_TRACE_MODES] = {
		[DAV2M_TRACE_SHADOW] = "shadow",
		[DAV2M_TRACE_NESTED] = "nested",
		[DAV2M_TRACE_NATIVE] = "native",
		[DAV2M_TRACE_ADAPTIVE] = "adaptive",
	};

	return (unsigned int)mode < DAV2M_TRACE_MODES ? name[mode] : "?";
}

void dav2m_trace_free(struct dav2m_trace *trace)
{
	if (!trace)
		return;
	free(trace->tick);
	free(trace->name);
	trace->tick = NULL;
	trace->name = NULL;
	trace->ticks = 0;
}
