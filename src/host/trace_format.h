/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of a counter trace file, for its writer and its reader. Private.
 */
#ifndef DAV2M_SRC_HOST_TRACE_FORMAT_H
#define DAV2M_SRC_HOST_TRACE_FORMAT_H

#include <dav2m/base.h>

/* The first line, up to the version. */
#define TRACE_MAGIC "# dav2m counter trace "

#define KEY_PROGRAM	  "program"
#define KEY_MODE	  "mode"
#define KEY_PROGRESS_UNIT "progress_unit"
#define KEY_TICK_PROGRESS "tick_progress"
#define KEY_INTERRUPTED	  "interrupted"
#define KEY_NOTE	  "note"

/* Keys of the measured costs of a switch to each mode. */
extern const char *const dav2m_trace_switch_key[DAV2M_MODES];

/* Longest line with its end, in bytes: all header texts and records are far shorter. */
#define TRACE_LINE_BYTES 4096

/* Largest value of a cell, of a header number, and of a column's sum: sums never overflow. */
#define TRACE_VALUE_MAX INT64_MAX

#endif
