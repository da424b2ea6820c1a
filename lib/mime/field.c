/* SPDX-License-Identifier: MIT */
#include "lib/mime/field.h"

#include <gmime/gmime.h>
#include <string.h>

#include "lib/mime/start.h"
#include "lib/mime/word.h"

static void field_free(gpointer data)
{
    MimeField *field = data;

    g_free(field->name);
    g_free(field->value);
    g_free(field);
}

GPtrArray *mime_fields_new(void)
{
    return g_ptr_array_new_with_free_func(field_free);
}

void mime_fields_add(GPtrArray *fields, const char *name, const char *value)
{
    MimeField *field = g_new(MimeField, 1);

    field->name = g_strdup(name);
    field->value = g_strdup(value);
    g_ptr_array_add(fields, field);
}

GPtrArray *mime_fields_copy(const GPtrArray *fields)
{
    GPtrArray *copy = mime_fields_new();

    for (guint i = 0; i < fields->len; i++) {
        const MimeField *field = fields->pdata[i];
        mime_fields_add(copy, field->name, field->value);
    }
    return copy;
}

guint mime_fields_count(const GPtrArray *fields, const char *name)
{
    guint count = 0;

    for (guint i = 0; i < fields->len; i++) {
        const MimeField *field = fields->pdata[i];
        count += g_ascii_strcasecmp(field->name, name) == 0;
    }
    return count;
}

const char *mime_fields_nth(const GPtrArray *fields, const char *name, guint nth)
{
    for (guint i = 0; i < fields->len; i++) {
        const MimeField *field = fields->pdata[i];
        if (g_ascii_strcasecmp(field->name, name) == 0 && --nth == 0)
            return field->value;
    }
    return NULL;
}

const char *mime_fields_last(const GPtrArray *fields, const char *name)
{
    guint count = mime_fields_count(fields, name);

    return count ? mime_fields_nth(fields, name, count) : NULL;
}

/* Octets of the line that begins there, with its end. */
static gsize line_length(const char *line, gsize left)
{
    const char *end = memchr(line, '\n', left);

    return end ? (gsize)(end - line) + 1 : left;
}

static gboolean is_field(const char *line, gsize left, const char *name)
{
    gsize n = strlen(name);

    return left > n && line[n] == ':' && g_ascii_strncasecmp(line, name, n) == 0;
}

char *mime_field_first(const char *octets, gsize length, const char *name)
{
    gsize at = 0, used;

    for (; at < length; at += used) {
        const char *line = octets + at;
        used = line_length(line, length - at);
        if (used <= 2 && (line[0] == '\n' || line[0] == '\r'))
            return NULL;
        if (is_field(line, length - at, name))
            break;
    }
    if (at >= length)
        return NULL;
    gsize begin = at + strlen(name) + 1, end = at + used;
    while (end < length && (octets[end] == ' ' || octets[end] == '\t'))
        end += line_length(octets + end, length - end);
    while (end > begin && (octets[end - 1] == '\n' || octets[end - 1] == '\r'))
        end--;
    return g_strndup(octets + begin, end - begin);
}

char *mime_field_text(const char *value)
{
    GString *text = g_string_sized_new(strlen(value));

    for (const char *p = value; *p; p++)
        if (*p != '\n' && !(*p == '\r' && p[1] == '\n'))
            g_string_append_c(text, *p);
    return g_strstrip(g_string_free(text, FALSE));
}

char *mime_field_decoded(const char *value, glong max)
{
    g_autofree char *plain = mime_field_text(value);
    g_autofree char *text = word_join(plain);

    mime_start();
    g_autofree char *decoded = g_mime_utils_header_decode_text(NULL, text);
    g_autofree char *valid = g_utf8_make_valid(decoded ? decoded : text, -1);
    return g_utf8_substring(valid, 0, MIN(max, g_utf8_strlen(valid, -1)));
}

static gboolean is_blank(const char *text, gsize length)
{
    return strspn(text, " \t\r") >= length;
}

/* Where a line may be broken: the last white space at or before limit with something else on both
 * sides; 0: nowhere. */
static gsize fold_point(const char *line, gsize length, gsize limit)
{
    for (gsize i = MIN(limit, length - 1); i > 0; i--)
        if ((line[i] == ' ' || line[i] == '\t') && !is_blank(line, i) &&
            !is_blank(line + i, length - i))
            return i;
    return 0;
}

char *mime_field_fold(const char *name, const char *value, gboolean *too_long)
{
    gsize used = strlen(name) + 1;
    gboolean folded = FALSE;
    g_autoptr(GString) out = g_string_sized_new(strlen(value) + 16);

    for (const char *line = value; line;) {
        const char *end = strchr(line, '\n');
        gsize length = end ? (gsize)(end - line) : strlen(line);
        gsize content = length && line[length - 1] == '\r' ? length - 1 : length;

        while (used + content > MIME_LINE_MAX) {
            gsize point =
                used < MIME_LINE_MAX ? fold_point(line, content, MIME_LINE_MAX - used) : 0;
            if (point == 0) {
                *too_long = TRUE;
                break;
            }
            g_string_append_len(out, line, point);
            g_string_append_c(out, '\n');
            line += point;
            content -= point;
            length -= point;
            used = 0;
            folded = TRUE;
        }
        g_string_append_len(out, line, length);
        if (end)
            g_string_append_c(out, '\n');
        line = end ? end + 1 : NULL;
        used = 0;
    }
    return folded ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

char *mime_message_id_bare(const char *text)
{
    const char *open = strchr(text, '<');

    return open ? g_strndup(open + 1, strcspn(open + 1, ">")) : g_strdup(text);
}

char *mime_date(gint64 at)
{
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(at);

    return g_mime_utils_header_format_date(when);
}
