/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of results, printed for people (table), spreadsheets (csv) or programs (json).
 *
 * All three come from the same cells. The table rounds and scales; csv and json do not.
 */
#ifndef DAV2M_TOOLS_REPORT_H
#define DAV2M_TOOLS_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum report_format { REPORT_TABLE = 0, REPORT_CSV, REPORT_JSON };

struct report_column {
	const char *key;   /* in csv and json: a name with its unit */
	const char *title; /* head of the column in the table */
	const char *unit;  /* below the title; "" for none */
	int decimals;	   /* of numbers in the table */
	int scaled;	   /* 1: the table shows a common power of 1000, named before the unit */
};

struct report;

/* columns must outlive the report. NULL: no memory. */
struct report *report_new(const struct report_column *columns, size_t n);
void report_free(struct report *report);

/* Appends the next cell, row by row. When memory runs out, report_write() says so. */
void report_text(struct report *report, const char *text);
void report_count(struct report *report, uint64_t count);
void report_number(struct report *report, double number);
void report_none(struct report *report); /* not available */

/* A line for people: below the table, "# " lines before csv, "notes" in json. */
void report_note(struct report *report, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* What follows a noun that there are n of. */
const char *report_plural(uint64_t n);

/* Answers 0, or -1 when memory ran out; errors of the stream stay with it. */
int report_write(const struct report *report, enum report_format format, FILE *to);

/* "table", "csv", "json"; 0, or -1 for another name. */
int report_format_parse(const char *name, enum report_format *ret_format);

#endif
