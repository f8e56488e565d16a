/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A progress line on a terminal: how far, how fast, how long still.
 *
 * Nothing is shown for the first second, nor ever when stderr is not a terminal. There is one
 * line at a time, because there is one terminal.
 */
#ifndef DAV2M_TOOLS_PROGRESS_H
#define DAV2M_TOOLS_PROGRESS_H

#include <stdint.h>

/* total 0: not known, then only the rate is shown. The strings must outlive progress_end(). */
void progress_begin(const char *what, const char *unit, uint64_t total);

/* Cheap enough for every few thousand units of work. */
void progress_step(uint64_t done);

/* Removes the line; progress_clear() too, but the next step draws it again. */
void progress_end(void);
void progress_clear(void);

#endif
