/* SPDX-License-Identifier: MIT */
#include "lib/base/csv.h"

#include <string.h>

#include "lib/base/error.h"

#define MARK "\xef\xbb\xbf"

/* One record as far as it was read. */
typedef struct {
    const char *data;
    gsize length, at;
    gboolean end;
} Scan;

typedef enum { FIELD_DONE, FIELD_LAST, FIELD_MORE, FIELD_BAD } FieldEnd;

void csv_record_clear(CsvRecord *record)
{
    for (guint i = 0; i < record->n; i++)
        g_free(record->fields[i]);
    record->n = 0;
}

static FieldEnd bad(GError **error, const char *what)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "no CSV: %s", what);
    return FIELD_BAD;
}

/* What follows a field: a comma, the end of the line, or the end of all. */
static FieldEnd end_of_field(Scan *scan, GError **error)
{
    if (scan->at == scan->length)
        return scan->end ? FIELD_LAST : FIELD_MORE;
    char c = scan->data[scan->at++];
    if (c == ',')
        return FIELD_DONE;
    if (c == '\r') {
        if (scan->at == scan->length)
            return scan->end ? FIELD_LAST : FIELD_MORE;
        c = scan->data[scan->at++];
    }
    return c == '\n' ? FIELD_LAST : bad(error, "text after a closing quote, or a CR alone");
}

static FieldEnd quoted_field(Scan *scan, GString *field, GError **error)
{
    for (scan->at++; scan->at < scan->length; scan->at++) {
        char c = scan->data[scan->at];
        if (c == '\0')
            return bad(error, "NUL");
        if (c != '"') {
            g_string_append_c(field, c);
            continue;
        }
        if (scan->at + 1 == scan->length && !scan->end)
            return FIELD_MORE;
        if (scan->at + 1 == scan->length || scan->data[scan->at + 1] != '"') {
            scan->at++;
            return end_of_field(scan, error);
        }
        g_string_append_c(field, '"');
        scan->at++;
    }
    return scan->end ? bad(error, "no closing quote") : FIELD_MORE;
}

static FieldEnd read_field(Scan *scan, GString *field, GError **error)
{
    if (scan->at < scan->length && scan->data[scan->at] == '"')
        return quoted_field(scan, field, error);
    for (; scan->at < scan->length; scan->at++) {
        char c = scan->data[scan->at];
        if (c == '\0')
            return bad(error, "NUL");
        if (c == '"')
            return bad(error, "a quote inside of a field without quotes");
        if (c == ',' || c == '\r' || c == '\n')
            break;
        g_string_append_c(field, c);
    }
    return end_of_field(scan, error);
}

static FieldEnd read_fields(Scan *scan, CsvRecord *record, GError **error)
{
    FieldEnd result = FIELD_DONE;

    while (result == FIELD_DONE) {
        g_autoptr(GString) field = g_string_new(NULL);
        if (record->n == CSV_FIELDS_MAX)
            return bad(error, "more than " G_STRINGIFY(CSV_FIELDS_MAX) " fields");
        result = read_field(scan, field, error);
        if (result == FIELD_DONE || result == FIELD_LAST)
            record->fields[record->n++] = g_string_free(g_steal_pointer(&field), FALSE);
    }
    return result;
}

/* Takes octets, and counts their lines. */
static gsize take(CsvReader *reader, const char *data, gsize length)
{
    for (gsize i = 0; i < length; i++)
        reader->lines += data[i] == '\n';
    return length;
}

/* To the end of the line, or all there is of it. */
static gsize skip_line(CsvReader *reader, const char *data, gsize length, gboolean end)
{
    const char *newline = memchr(data, '\n', length);

    reader->skipping = !newline && !end;
    return take(reader, data, newline ? (gsize)(newline - data) + 1 : length);
}

static gsize read_record(CsvReader *reader, const char *data, gsize length, gboolean end,
                         CsvRecord *record, GError **error)
{
    gboolean all = length <= CSV_RECORD_MAX;
    Scan scan = {.data = data, .length = all ? length : CSV_RECORD_MAX, .end = all && end};
    FieldEnd result = read_fields(&scan, record, error);

    if (result == FIELD_LAST)
        return take(reader, data, scan.at);
    csv_record_clear(record);
    if (result == FIELD_MORE && all)
        return 0;
    if (result == FIELD_MORE)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                    "longer than %d octets, or no closing quote", CSV_RECORD_MAX);
    return skip_line(reader, data, length, end);
}

gsize csv_read(CsvReader *reader, const char *data, gsize length, gboolean end, CsvRecord *record,
               GError **error)
{
    gsize mark = 0;

    csv_record_clear(record);
    if (length == 0)
        return 0;
    if (!reader->begun) {
        if (length < strlen(MARK) && !end)
            return 0;
        if (length >= strlen(MARK) && memcmp(data, MARK, strlen(MARK)) == 0)
            mark = strlen(MARK);
        if (mark == length)
            return mark;
    }
    if (reader->skipping)
        return skip_line(reader, data, length, end);
    guint64 line = reader->lines + 1;
    gsize used = read_record(reader, data + mark, length - mark, end, record, error);
    if (used == 0)
        return 0;
    reader->begun = TRUE;
    reader->line = line;
    return used + mark;
}

void csv_append(GString *out, const char *field)
{
    gsize length = strlen(field);

    if (length == 0 ||
        (!strpbrk(field, "\",\r\n") && field[0] != ' ' && field[length - 1] != ' ')) {
        g_string_append(out, field);
        return;
    }
    g_string_append_c(out, '"');
    for (const char *p = field; *p; p++)
        g_string_append_printf(out, *p == '"' ? "\"\"" : "%c", *p);
    g_string_append_c(out, '"');
}
