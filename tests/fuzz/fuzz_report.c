/* SPDX-License-Identifier: MIT */
/* A message (header, blank line, body) that may be a delivery status notification: what is read of it is bounded, valid text. */
#include <glib.h>

#include "lib/mime/report.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/message.h"

unsigned fuzz_reached;

static void check(const char *text)
{
    if (!text)
        return;
    g_assert(g_utf8_validate(text, -1, NULL));
    g_assert(strpbrk(text, "\r\n") == NULL);
    g_assert(strlen(text) <= 3 * MIME_REPORT_TEXT_MAX);
    fuzz_reached++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *end = (const char *)data + size;
    g_autoptr(GPtrArray) fields = mime_fields_new();
    const char *body = read_fields((const char *)data, end, fields);
    g_auto(MimeReport) report = {0};
    gboolean found = mime_report_read(fields, body, (gsize)(end - body), &report);

    g_assert(found == (report.action != NULL));
    check(report.action);
    check(report.status);
    check(report.recipient);
    check(report.diagnostic);
    check(report.remote);
    return 0;
}
