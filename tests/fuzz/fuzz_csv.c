/* SPDX-License-Identifier: MIT */
/* A CSV text read at once, and in pieces: the same records; and what is written is read again. */
#include <glib.h>
#include <string.h>

#include "lib/base/csv.h"
#include "tests/fuzz/fuzz.h"

#define TAKEN_MAX (CSV_RECORD_MAX + 3)

unsigned fuzz_reached;

static void note(GString *all, const CsvReader *reader, const CsvRecord *record)
{
    if (record->n == 0)
        return;
    g_string_append_printf(all, "%" G_GUINT64_FORMAT ":", reader->line);
    for (guint i = 0; i < record->n; i++) {
        csv_append(all, record->fields[i]);
        g_string_append_c(all, i + 1 < record->n ? ',' : '\n');
    }
    fuzz_reached++;
}

static void read_again(const CsvRecord *record)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(CsvRecord) again = {0};
    CsvReader reader = {.begun = TRUE};

    for (guint i = 0; i < record->n; i++) {
        csv_append(text, record->fields[i]);
        g_string_append_c(text, i + 1 < record->n ? ',' : '\n');
    }
    if (text->len > CSV_RECORD_MAX || record->n == 0)
        return;
    if (csv_read(&reader, text->str, text->len, TRUE, &again, NULL) != text->len ||
        again.n != record->n)
        g_error("what was written is not read");
    for (guint i = 0; i < record->n; i++)
        if (strcmp(again.fields[i], record->fields[i]) != 0)
            g_error("a field is not what it was");
}

/* piece: octets that are given more each time. */
static char *read_all(const char *data, gsize size, gsize piece)
{
    GString *all = g_string_new(NULL);
    CsvReader reader = {0};
    gsize at = 0, given = MIN(piece, size);

    while (at < size) {
        g_auto(CsvRecord) record = {0};
        gsize used = csv_read(&reader, data + at, given - at, given == size, &record, NULL);
        if (used > given - at)
            g_error("more was taken than was there");
        if (used == 0 && (given == size || given - at > TAKEN_MAX))
            g_error("no progress");
        note(all, &reader, &record);
        read_again(&record);
        at += used;
        if (used == 0 || at == given)
            given = MIN(given + piece, size);
    }
    return g_string_free(all, FALSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *whole = read_all((const char *)data, size, size);
    g_autofree char *pieces = read_all((const char *)data, size, 7);

    if (size <= CSV_RECORD_MAX && strcmp(whole, pieces) != 0)
        g_error("pieces make other records");
    return 0;
}
