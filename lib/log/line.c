/* SPDX-License-Identifier: MIT */
#include "lib/log/line.h"

#include <stdatomic.h>
#include <string.h>

/* Characters that a value may hold without quotes. */
static gboolean is_bare(const char *text)
{
    if (!*text)
        return FALSE;
    for (const char *p = text; *p; p++)
        if (!g_ascii_isgraph(*p) || *p == '"' || *p == '\\' || *p == '=')
            return FALSE;
    return TRUE;
}

/* Octets of the character at text when it may stand as it is, else 0. */
static gsize visible_length(const char *text)
{
    gunichar c = g_utf8_get_char_validated(text, -1);

    if (c == (gunichar)-1 || c == (gunichar)-2 || !g_unichar_isprint(c) ||
        g_unichar_type(c) == G_UNICODE_FORMAT)
        return 0;
    return (gsize)g_unichar_to_utf8(c, NULL);
}

/* Appends text with everything that is not visible escaped, at most LOG_VALUE_MAX octets. */
static void append_escaped(GString *line, const char *text)
{
    gsize start = line->len;

    while (*text) {
        char piece[8];
        gsize length = visible_length(text);
        if (*text == '"' || *text == '\\')
            g_snprintf(piece, sizeof(piece), "\\%c", *text);
        else if (length)
            g_snprintf(piece, sizeof(piece), "%.*s", (int)length, text);
        else
            g_snprintf(piece, sizeof(piece), "\\x%02x", (guchar)*text);
        if (line->len - start + strlen(piece) > LOG_VALUE_MAX) {
            g_string_append(line, "...");
            return;
        }
        g_string_append(line, piece);
        text += MAX(length, 1);
    }
}

static void append_text(GString *line, const char *text)
{
    if (!text) {
        g_string_append_c(line, '-');
        return;
    }
    gboolean bare = is_bare(text) && !g_str_equal(text, "-");
    if (!bare)
        g_string_append_c(line, '"');
    append_escaped(line, text);
    if (!bare)
        g_string_append_c(line, '"');
}

static void append_secret(GString *line, const char *text)
{
    gsize length = text ? strlen(text) : 0;
    g_autofree char *head =
        length >= LOG_SECRET_SHOW_MIN ? g_strndup(text, LOG_SECRET_SHOWN) : g_strdup("");
    g_autofree char *shown = g_strdup_printf("%s...(%zu)", head, length);

    append_text(line, text ? shown : NULL);
}

char *log_line(const char *queue_id, const char *what, const LogField *fields, guint left_out)
{
    GString *line = g_string_sized_new(128);

    if (queue_id && *queue_id) {
        append_escaped(line, queue_id);
        g_string_append(line, ": ");
    }
    append_escaped(line, what);
    for (const LogField *field = fields; field && field->key; field++) {
        g_string_append_printf(line, " %s=", field->key);
        if (field->kind == LOG_FIELD_INT)
            g_string_append_printf(line, "%" G_GINT64_FORMAT, field->number);
        else if (field->kind == LOG_FIELD_SECRET)
            append_secret(line, field->text);
        else
            append_text(line, field->text);
    }
    if (left_out)
        g_string_append_printf(line, " left_out=%u", left_out);
    if (line->len > LOG_LINE_MAX) {
        gsize cut = LOG_LINE_MAX - 3;
        while (cut > 0 && (line->str[cut] & 0xc0) == 0x80)
            cut--;
        g_string_truncate(line, cut);
        g_string_append(line, "...");
    }
    return g_string_free(line, FALSE);
}

gboolean log_site_admit(LogSite *site, gint64 second, guint *left_out)
{
    *left_out = 0;
    if (!site)
        return TRUE;
    gint64 seen = atomic_load(&site->second);
    if (seen != second && atomic_compare_exchange_strong(&site->second, &seen, second))
        atomic_store(&site->written, 0);
    if (atomic_fetch_add(&site->written, 1) >= LOG_LINES_PER_SITE) {
        atomic_fetch_add(&site->left_out, 1);
        return FALSE;
    }
    *left_out = atomic_exchange(&site->left_out, 0);
    return TRUE;
}
