/* SPDX-License-Identifier: MIT */
/* Values of fields: whatever goes in, no line of what comes out could be another field, is too long for SMTP, or blank. */
#include <glib.h>
#include <string.h>

#include "lib/mime/compose.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

#define SMTP_LINE_MAX 998 /* RFC 5321 section 4.5.3.1.6 */

static void check(char *value)
{
    const char *line = value;
    gboolean visible = TRUE; /* the field's name is, in its first line */

    for (const char *p = value; p && *p; p++) {
        if (p - line >= SMTP_LINE_MAX)
            g_error("a line is too long: %s", line);
        if (*p == '\r' && p[1] == '\n' && (p[2] == ' ' || p[2] == '\t')) {
            if (!visible)
                g_error("a line is blank: %s", line);
            visible = FALSE;
            line = ++p + 1;
        } else if ((guchar)*p < ' ' && *p != '\t') {
            g_error("octet %02x in a value", (guchar)*p);
        } else {
            visible |= g_ascii_isgraph(*p);
        }
    }
    if (!visible)
        g_error("the last line is blank: %s", line);
    fuzz_reached += value != NULL;
    g_free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    g_autofree char *raw = g_strndup((const char *)data, size);
    g_autofree char *text = g_utf8_make_valid(raw, -1);

    check(compose_text("Subject", text));
    check(compose_mailboxes("To", text, NULL));
    check(compose_type(text, data, size));
    check(compose_attachment(text));
    return 0;
}
