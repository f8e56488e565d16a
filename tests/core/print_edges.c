/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints the state machine of src/edges.c as docs/policy.md shows it: a Mermaid diagram and a
 * table. A test holds the page to this program's output.
 */
#include <stdio.h>

#include "core.h"

#define LAST_EDGE 11

static const char *const states[DAV2M_STATES] = {
	"Shadow", "PreNested", "Prepaging", "Nested", "PreShadow",
};

/* What must be the case for a verdict, by what the state counts. */
static const char *const guards[DAV2M_VERDICTS] = {
	[VERDICT_ROLL] = "window complete, otherwise",
	[VERDICT_LEAVE] = "paging exits above threshold",
	[VERDICT_KEEP] = "probe complete, otherwise",
	[VERDICT_REJECT] = "probe complete, CPI worse",
	[VERDICT_ABORT] = "paging exits above threshold (`as_printed`)",
	[VERDICT_GIVE_UP] = "paging exits above threshold, CPI worse",
	[VERDICT_QUIESCED] = "window complete",
	[VERDICT_PIN] = "the caller forbids this mode",
};

static const char *const effects[] = {
	[LESSON_NONE] = "",
	[LESSON_NESTED_LOST] = "raise threshold_vmexit",
	[LESSON_NESTED_WON] = "lower threshold_vmexit",
	[LESSON_SHADOW_LOST] = "raise threshold_tmiss",
	[LESSON_SHADOW_WON] = "lower threshold_tmiss",
};

static const char *guard_of(int from, int verdict)
{
	if (from == DAV2M_STATE_NESTED && verdict == VERDICT_LEAVE)
		return "window complete, TLB misses above threshold";
	return guards[verdict];
}

static const char *hardware(int from, const struct dav2m_edge *edge)
{
	enum dav2m_mode to = dav2m_state_mode((enum dav2m_state)edge->to);

	return dav2m_state_mode((enum dav2m_state)from) == to ? "" : dav2m_mode_name(to);
}

static void draw(int from, int verdict, const struct dav2m_edge *edge)
{
	if (verdict == VERDICT_GIVE_UP)
		return; /* the arrow of VERDICT_REJECT */
	printf("    %s --> %s : %d\n", states[from], states[edge->to], edge->number);
}

static void tabulate(int from, int verdict, const struct dav2m_edge *edge)
{
	char number[4] = "-";

	if (edge->number)
		snprintf(number, sizeof(number), "%u", edge->number % 100u);
	printf("| %s | %s | %s | %s | %s | %s | %s |\n", number, states[from],
	       guard_of(from, verdict), states[edge->to], hardware(from, edge),
	       dav2m_reason_name((enum dav2m_reason)edge->reason), effects[edge->lesson]);
}

/* Calls back for each cell with that number that leads somewhere. */
static void for_each(unsigned int number,
		     void (*print)(int from, int verdict, const struct dav2m_edge *edge))
{
	for (int from = 0; from < DAV2M_STATES; from++) {
		for (int verdict = 0; verdict < DAV2M_VERDICTS; verdict++) {
			const struct dav2m_edge *edge = &dav2m_edges[from][verdict];

			if (edge->number == number && (number || edge->to != from))
				print(from, verdict, edge);
		}
	}
}

int main(void)
{
	puts("```mermaid\nstateDiagram-v2");
	for (unsigned int number = 1; number <= LAST_EDGE; number++)
		for_each(number, draw);
	puts("```\n");
	puts("| edge | from | when | to | switches to | reason | effect |");
	puts("|---|---|---|---|---|---|---|");
	for (unsigned int number = 1; number <= LAST_EDGE; number++)
		for_each(number, tabulate);
	for_each(0, tabulate);
	return 0;
}
