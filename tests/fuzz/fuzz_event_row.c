/* SPDX-License-Identifier: MIT */
/*
 * Whatever a journal holds: an event gives all of its rows or none, with the parameters that the
 * statements take, and text that the database can read. The first two octets are the event's type.
 */
#include <glib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "worker/event_row.h"

unsigned fuzz_reached;

static void check_text(const SqlParameter *parameter)
{
    if (parameter->kind == SQL_PARAMETER_TEXT && parameter->data)
        g_assert(g_utf8_validate(parameter->data, (gssize)parameter->length, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(EventRows) rows = event_rows_new();
    guint found = 0;

    if (size < 2 || size > 65536)
        return 0;
    g_autofree char *json = g_strndup((const char *)data + 2, size - 2);
    guint16 type = (guint16)((data[0] - '0') * 10 + (data[1] - '0'));
    gboolean added = event_rows_add(rows, type, json, strlen(json), NULL);
    for (guint statement = 0; statement < SQL_STATEMENT_COUNT; statement++) {
        guint n, count;
        const SqlParameter *parameters = event_rows_of(rows, statement, &n, &count);
        for (guint i = 0; parameters && i < n * count; i++)
            check_text(&parameters[i]);
        found += parameters ? count : 0;
    }
    g_assert(found == event_rows_count(rows));
    g_assert(added || found == 0);
    if (found > 0)
        fuzz_reached++;
    return 0;
}
