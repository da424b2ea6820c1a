/* SPDX-License-Identifier: MIT */
#include "lib/submission/raw.h"

#include <string.h>

#include "lib/admission/form.h"
#include "lib/base/error.h"
#include "lib/mime/compose.h"
#include "lib/mime/field.h"

/* Octets of the line at text without its end; *end is the length of that. */
static gsize line_at(const char *text, gsize left, gsize *end)
{
    gsize length = 0;

    while (length < left && text[length] != '\r' && text[length] != '\n')
        length++;
    *end = length == left                                                          ? 0
           : text[length] == '\r' && length + 1 < left && text[length + 1] == '\n' ? 2
                                                                                   : 1;
    return length;
}

/* The field that is being read: more lines may come. */
typedef struct {
    char *name; /* NULL: none yet */
    GString *value;
} Pending;

static void put_pending(Pending *pending, GPtrArray *fields)
{
    if (pending->name)
        mime_fields_add(fields, pending->name, pending->value->str);
    g_clear_pointer(&pending->name, g_free);
    g_string_truncate(pending->value, 0);
}

/* A line of the header: a field, or more of the one before it. FALSE: neither. */
static gboolean take_line(const char *line, gsize length, Pending *pending, GPtrArray *fields)
{
    if (*line == ' ' || *line == '\t') {
        g_string_append(pending->value, "\r\n");
        g_string_append_len(pending->value, line, (gssize)length);
        return pending->name != NULL;
    }
    const char *colon = memchr(line, ':', length);
    g_autofree char *name = g_strndup(line, colon ? (gsize)(colon - line) : 0);
    if (!compose_name_is_good(name))
        return FALSE;
    put_pending(pending, fields);
    pending->name = g_steal_pointer(&name);
    g_string_append_len(pending->value, colon + 1, line + length - (colon + 1));
    return TRUE;
}

/* Where the body begins; 0: line *number of the header is no field. It ends early with more than FORM_FIELDS_MAX fields. */
static gsize read_head(const char *octets, gsize length, GPtrArray *fields, guint *number)
{
    Pending pending = {NULL, g_string_new(NULL)};
    gsize at = 0, end = 0, line = 1;

    for (*number = 1; at < length && line > 0 && fields->len <= FORM_FIELDS_MAX;
         at += line + end, ++*number) {
        line = line_at(octets + at, length - at, &end);
        if (line > 0 && !take_line(octets + at, line, &pending, fields)) {
            at = 0;
            break;
        }
    }
    put_pending(&pending, fields);
    g_string_free(pending.value, TRUE);
    return at;
}

/* Without brackets; NULL: there is none, or no text. */
static char *message_id_of(const GPtrArray *fields)
{
    const char *value = mime_fields_nth(fields, "Message-ID", 1);
    g_autofree char *text = value ? mime_field_text(value) : NULL;

    if (!text || !g_utf8_validate(text, -1, NULL))
        return NULL;
    return mime_message_id_bare(text);
}

static gboolean fail(GError **error, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "is no message: %s", why);
    return FALSE;
}

gboolean raw_read(const char *octets, gsize length, Submission *submission, GError **error)
{
    gsize end = 0, line;
    guint number;

    if (memchr(octets, '\0', length))
        return fail(error, "it has a NUL in it");
    gsize at = read_head(octets, length, submission->fields, &number);
    if (at == 0) {
        g_autofree char *why = g_strdup_printf("line %u of it is no header field", number);
        return fail(error, why);
    }
    if (submission->fields->len > FORM_FIELDS_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                    "The header of the message has more than %d fields", FORM_FIELDS_MAX);
        return FALSE;
    }
    for (; at < length; at += line + end) {
        line = line_at(octets + at, length - at, &end);
        g_string_append_len(submission->body, octets + at, (gssize)line);
        g_string_append(submission->body, "\r\n");
    }
    submission->message_id = message_id_of(submission->fields);
    return TRUE;
}
