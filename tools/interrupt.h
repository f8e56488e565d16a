/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ctrl-C during a long piece of work: the first one asks it to come to an end, the second one ends
 * the program at once, and removes what is not whole.
 */
#ifndef DAV2M_TOOLS_INTERRUPT_H
#define DAV2M_TOOLS_INTERRUPT_H

void interrupt_begin(void);
/* 1 once it has been asked for; may be called by any thread. */
int interrupt_seen(void);
/* As it was before the beginning; what was seen stays seen. */
void interrupt_end(void);

#endif
