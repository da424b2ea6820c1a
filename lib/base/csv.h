/* SPDX-License-Identifier: MIT */
/*
 * Purpose: comma-separated values (RFC 4180), record by record; lines end with CRLF or LF, a byte order mark before the
 *     first is passed over.
 * Used by: the CLI.
 * May touch: nothing.
 * Threads: one per reader.
 * Limits: a record of CSV_RECORD_MAX octets and CSV_FIELDS_MAX fields.
 */
#pragma once

#include <glib.h>

#define CSV_RECORD_MAX 4096
#define CSV_FIELDS_MAX 8

/* Where a text is read; begins as {0}. */
typedef struct {
    guint64 line;      /* of the record that was read last, from 1 */
    guint64 lines;     /* read so far */
    gboolean begun;    /* the mark may not come any more */
    gboolean skipping; /* the rest of a line that was too long */
} CsvReader;

typedef struct {
    guint n; /* 0: no record */
    char *fields[CSV_FIELDS_MAX];
} CsvRecord;

void csv_record_clear(CsvRecord *record);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CsvRecord, csv_record_clear)

/* Reads the record at the begin of data; end: nothing comes after it. Returns how many octets it took, of which there
 * may be no record (n 0); 0: more is needed. With error set (INVALID, TOO_LARGE) the line was no record and is taken all
 * the same. record's old content is freed. CSV_RECORD_MAX + 3 octets are always enough. */
gsize csv_read(CsvReader *reader, const char *data, gsize length, gboolean end, CsvRecord *record,
               GError **error);

/* Appends a field, quoted where it must be. */
void csv_append(GString *out, const char *field);
