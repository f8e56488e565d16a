/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds cells and prints them as a table, csv or json. Knows nothing of what they mean.
 */
#define _POSIX_C_SOURCE 200809L

#include "report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum cell_kind { CELL_NONE, CELL_TEXT, CELL_COUNT, CELL_NUMBER };

struct cell {
	enum cell_kind kind;
	char *text;
	uint64_t count;
	double number;
};

#define NOTES	   16
#define NOTE_BYTES 512
#define CELL_BYTES 256 /* longest cell that is shown in a table */

struct report {
	const struct report_column *columns;
	size_t n;
	struct cell *cells;
	size_t used;
	size_t room;
	char note[NOTES][NOTE_BYTES];
	size_t notes;
	int failed; /* out of memory */
};

struct report *report_new(const struct report_column *columns, size_t n)
{
	struct report *report = calloc(1, sizeof(*report));

	if (report) {
		report->columns = columns;
		report->n = n;
	}
	return report;
}

void report_free(struct report *report)
{
	size_t i;

	if (!report)
		return;
	for (i = 0; i < report->used; i++)
		free(report->cells[i].text);
	free(report->cells);
	free(report);
}

static void cell_append(struct report *report, struct cell cell)
{
	size_t room = report->room ? report->room * 2 : 64;
	struct cell *cells;

	if (report->used == report->room) {
		cells = realloc(report->cells, room * sizeof(*cells));
		if (!cells) {
			report->failed = 1;
			free(cell.text);
			return;
		}
		report->cells = cells;
		report->room = room;
	}
	report->cells[report->used++] = cell;
}

void report_text(struct report *report, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		report->failed = 1;
	cell_append(report, (struct cell){.kind = copy ? CELL_TEXT : CELL_NONE, .text = copy});
}

void report_count(struct report *report, uint64_t count)
{
	cell_append(report, (struct cell){.kind = CELL_COUNT, .count = count});
}

void report_number(struct report *report, double number)
{
	cell_append(report, (struct cell){.kind = CELL_NUMBER, .number = number});
}

void report_none(struct report *report)
{
	cell_append(report, (struct cell){.kind = CELL_NONE});
}

void report_note(struct report *report, const char *format, ...)
{
	va_list args;

	if (report->notes == NOTES)
		return;
	va_start(args, format);
	vsnprintf(report->note[report->notes++], NOTE_BYTES, format, args);
	va_end(args);
}

static size_t rows(const struct report *report)
{
	/* A report has columns: NOLINTNEXTLINE(*-core.DivideZero) */
	return report->used / report->n;
}

static const struct cell *cell_at(const struct report *report, size_t row, size_t column)
{
	return &report->cells[row * report->n + column];
}

static double cell_value(const struct cell *cell)
{
	return cell->kind == CELL_COUNT ? (double)cell->count : cell->number;
}

/* The power of 1000 that leaves the column's largest value below 10,000. */
static int column_scale(const struct report *report, size_t column)
{
	double largest = 0;
	size_t row;
	int scale = 0;

	if (!report->columns[column].scaled)
		return 0;
	for (row = 0; row < rows(report); row++)
		if (cell_value(cell_at(report, row, column)) > largest)
			largest = cell_value(cell_at(report, row, column));
	for (; largest >= 10000 && scale < 5; scale++)
		largest /= 1000;
	return scale;
}

static double scale_factor(int scale)
{
	double factor = 1;

	while (scale--)
		factor *= 1000;
	return factor;
}

static void cell_show(const struct report_column *column, int scale, const struct cell *cell,
		      char *to)
{
	if (cell->kind == CELL_NONE)
		snprintf(to, CELL_BYTES, "-");
	else if (cell->kind == CELL_TEXT)
		snprintf(to, CELL_BYTES, "%s", cell->text);
	else if (cell->kind == CELL_COUNT && !scale)
		snprintf(to, CELL_BYTES, "%" PRIu64, cell->count);
	else
		snprintf(to, CELL_BYTES, "%.*f", column->decimals,
			 cell_value(cell) / scale_factor(scale));
}

static void unit_show(const struct report_column *column, int scale, char *to)
{
	static const char *const prefix[] = {"", "k", "M", "G", "T", "P"};

	snprintf(to, CELL_BYTES, "%s%s%s", prefix[scale], scale && column->unit[0] ? " " : "",
		 column->unit);
}

static size_t column_width(const struct report *report, size_t column, int scale)
{
	char shown[CELL_BYTES];
	size_t width = strlen(report->columns[column].title);
	size_t row;

	unit_show(&report->columns[column], scale, shown);
	if (strlen(shown) > width)
		width = strlen(shown);
	for (row = 0; row < rows(report); row++) {
		cell_show(&report->columns[column], scale, cell_at(report, row, column), shown);
		if (strlen(shown) > width)
			width = strlen(shown);
	}
	return width;
}

/* The first column names the row and is set left; numbers are set right. */
static void table_cell(FILE *to, size_t column, size_t width, const char *text)
{
	if (column == 0)
		fprintf(to, "%-*s", (int)width, text);
	else
		fprintf(to, "  %*s", (int)width, text);
}

static void table_heads(const struct report *report, const int *scale, const size_t *width,
			FILE *to)
{
	char shown[CELL_BYTES];
	size_t c;

	for (c = 0; c < report->n; c++)
		table_cell(to, c, width[c], report->columns[c].title);
	fputc('\n', to);
	for (c = 0; c < report->n; c++) {
		unit_show(&report->columns[c], scale[c], shown);
		table_cell(to, c, width[c], shown);
	}
	fputc('\n', to);
}

#define COLUMNS_MAX 64

static int table_write(const struct report *report, FILE *to)
{
	char shown[CELL_BYTES];
	size_t width[COLUMNS_MAX];
	int scale[COLUMNS_MAX];
	size_t r, c;

	if (report->n > COLUMNS_MAX)
		return -1;
	for (c = 0; c < report->n; c++) {
		scale[c] = column_scale(report, c);
		width[c] = column_width(report, c, scale[c]);
	}
	table_heads(report, scale, width, to);
	for (r = 0; r < rows(report); r++) {
		for (c = 0; c < report->n; c++) {
			cell_show(&report->columns[c], scale[c], cell_at(report, r, c), shown);
			table_cell(to, c, width[c], shown);
		}
		fputc('\n', to);
	}
	for (r = 0; r < report->notes; r++)
		fprintf(to, "%s%s\n", r ? "" : "\n", report->note[r]);
	return 0;
}

static void csv_text(FILE *to, const char *text)
{
	if (!strpbrk(text, ",\"\n")) {
		fputs(text, to);
		return;
	}
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', to);
		fputc(*text, to);
	}
	fputc('"', to);
}

static void csv_cell(FILE *to, const struct cell *cell)
{
	if (cell->kind == CELL_TEXT)
		csv_text(to, cell->text);
	else if (cell->kind == CELL_COUNT)
		fprintf(to, "%" PRIu64, cell->count);
	else if (cell->kind == CELL_NUMBER)
		fprintf(to, "%.6g", cell->number);
}

static int csv_write(const struct report *report, FILE *to)
{
	size_t r, c;

	for (r = 0; r < report->notes; r++)
		fprintf(to, "# %s\n", report->note[r]);
	for (c = 0; c < report->n; c++)
		fprintf(to, "%s%s", c ? "," : "", report->columns[c].key);
	fputc('\n', to);
	for (r = 0; r < rows(report); r++)
		for (c = 0; c < report->n; c++) {
			csv_cell(to, cell_at(report, r, c));
			fputc(c + 1 < report->n ? ',' : '\n', to);
		}
	return 0;
}

static json_t *json_cell(const struct cell *cell)
{
	if (cell->kind == CELL_TEXT)
		return json_string(cell->text);
	if (cell->kind == CELL_COUNT)
		return json_integer((json_int_t)cell->count);
	if (cell->kind == CELL_NUMBER)
		return json_real(cell->number);
	return json_null();
}

static json_t *json_rows(const struct report *report)
{
	json_t *array = json_array();
	size_t r, c;

	for (r = 0; r < rows(report); r++) {
		json_t *row = json_object();

		for (c = 0; c < report->n; c++)
			json_object_set_new(row, report->columns[c].key,
					    json_cell(cell_at(report, r, c)));
		json_array_append_new(array, row);
	}
	return array;
}

static int json_write(const struct report *report, FILE *to)
{
	json_t *root = json_object();
	json_t *notes = json_array();
	size_t i;
	int rc;

	for (i = 0; i < report->notes; i++)
		json_array_append_new(notes, json_string(report->note[i]));
	json_object_set_new(root, "rows", json_rows(report));
	json_object_set_new(root, "notes", notes);
	/* Enough digits for a share of a percent, few enough that the text is the same everywhere.
	 */
	rc = json_dumpf(root, to, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	fputc('\n', to);
	json_decref(root);
	return rc;
}

const char *report_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

int report_write(const struct report *report, enum report_format format, FILE *to)
{
	if (report->failed)
		return -1;
	switch (format) {
	case REPORT_TABLE:
		return table_write(report, to);
	case REPORT_CSV:
		return csv_write(report, to);
	case REPORT_JSON:
		return json_write(report, to);
	}
	return -1;
}

int report_format_parse(const char *name, enum report_format *ret_format)
{
	static const char *const names[] = {"table", "csv", "json"};
	int i;

	for (i = 0; i < 3; i++)
		if (!strcmp(name, names[i])) {
			*ret_format = (enum report_format)i;
			return 0;
		}
	return -1;
}
