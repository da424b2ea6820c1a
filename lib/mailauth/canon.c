/* SPDX-License-Identifier: MIT */
#include "lib/mailauth/canon.h"

#include <string.h>

static gboolean is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

static gboolean is_line_end(const char *p)
{
    return *p == '\n' || (*p == '\r' && p[1] == '\n');
}

void canon_field(const char *name, const char *value, GString *out)
{
    gsize length = strlen(name);
    gboolean space = FALSE;

    while (length > 0 && is_blank(name[length - 1]))
        length--;
    for (gsize i = 0; i < length; i++)
        g_string_append_c(out, g_ascii_tolower(name[i]));
    g_string_append_c(out, ':');
    gsize start = out->len;
    for (const char *p = value; *p; p++) {
        if (is_line_end(p))
            continue;
        if (is_blank(*p)) {
            space = TRUE;
            continue;
        }
        if (space && out->len > start)
            g_string_append_c(out, ' ');
        space = FALSE;
        g_string_append_c(out, *p);
    }
}

/* Appends octets none of which is white space that may have to go. */
static void append(CanonBody *body, const char *data, gsize length, GString *out)
{
    for (; body->lines > 0; body->lines--)
        g_string_append_len(out, "\r\n", 2);
    if (body->space)
        g_string_append_c(out, ' ');
    body->space = FALSE;
    body->wrote = TRUE;
    g_string_append_len(out, data, (gssize)length);
}

/* How many octets from data on, where none of these stands, are neither CR nor blank, or a single space
 * between such. */
static gsize plain_length(const char *data, const char *end)
{
    const char *p = data;

    while (p < end && *p != '\r') {
        if (is_blank(*p) && (*p != ' ' || p + 1 == end || p[1] == '\r' || is_blank(p[1])))
            break;
        p++;
    }
    return (gsize)(p - data);
}

void canon_body(CanonBody *body, const char *data, gsize length, GString *out)
{
    const char *end = data + length;

    while (data < end) {
        if (body->cr && *data == '\n') {
            body->cr = body->space = FALSE;
            body->lines++;
            data++;
            continue;
        }
        if (body->cr)
            append(body, "\r", 1, out);
        body->cr = *data == '\r';
        body->space = body->space || is_blank(*data);
        if (body->cr || is_blank(*data)) {
            data++;
            continue;
        }
        gsize run = plain_length(data, end);
        append(body, data, run, out);
        data += run;
    }
}

void canon_body_end(CanonBody *body, GString *out)
{
    if (body->cr)
        append(body, "\r", 1, out);
    body->cr = FALSE;
    if (body->wrote)
        g_string_append_len(out, "\r\n", 2);
}
