/* SPDX-License-Identifier: MIT */
#include "api/v1_raw.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/mime/compose.h"
#include "lib/mime/field.h"

#define MISSING "parameter is required but is missing"

static gboolean read_recipients(json_object *parameters, V1Submission *submission, GError **error)
{
    json_object *list = NULL;

    if (!json_object_object_get_ex(parameters, "rcpt_to", &list) ||
        !json_object_is_type(list, json_type_array))
        return v1_parameter_wrong(error, "rcpt_to", MISSING);
    for (gsize i = 0; i < json_object_array_length(list); i++) {
        json_object *value = json_object_array_get_idx(list, i);
        const char *written = value ? json_object_get_string(value) : "";
        g_autoptr(V1Address) address =
            json_object_is_type(value, json_type_string) &&
                    strlen(written) == (gsize)json_object_get_string_len(value)
                ? v1_address_read(written)
                : NULL;
        if (!address)
            return v1_parameter_wrong(error, "rcpt_to", "has something in it that is no address");
        if (!v1_submission_add(submission, written, address->address))
            return v1_parameter_wrong(
                error, "rcpt_to",
                "may have " G_STRINGIFY(CLAIM_RECIPIENTS_MAX) " addresses at most");
    }
    return TRUE;
}

static gboolean read_sender(json_object *parameters, V1Submission *submission, GError **error)
{
    const char *text;

    if (!v1_parameter_text(parameters, "mail_from", 0, &text, error))
        return FALSE;
    if (v1_is_blank(text))
        return v1_parameter_wrong(error, "mail_from", MISSING);
    g_autoptr(V1Address) address = v1_address_read(text);
    if (!address)
        return v1_parameter_wrong(error, "mail_from", "is no address");
    submission->mail_from =
        g_strdup(v1_parameter_is_set(parameters, "bounce") ? "" : address->address);
    return TRUE;
}

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

/* Where the body begins; 0: line *number of the header is no field. */
static gsize read_head(const char *octets, gsize length, GPtrArray *fields, guint *number)
{
    Pending pending = {NULL, g_string_new(NULL)};
    gsize at = 0, end = 0, line = 1;

    for (*number = 1; at < length && line > 0; at += line + end, ++*number) {
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

static gboolean split(const char *octets, gsize length, V1Submission *submission, GError **error)
{
    gsize end = 0, line;
    guint number;
    gsize at = read_head(octets, length, submission->fields, &number);

    if (at == 0) {
        g_autofree char *why =
            g_strdup_printf("is no message: line %u of it is no header field", number);
        return v1_parameter_wrong(error, "data", why);
    }
    for (; at < length; at += line + end) {
        line = line_at(octets + at, length - at, &end);
        g_string_append_len(submission->body, octets + at, (gssize)line);
        g_string_append(submission->body, "\r\n");
    }
    return TRUE;
}

static gboolean read_data(json_object *parameters, V1Submission *submission, GError **error)
{
    const char *text;
    gsize length = 0;

    if (!v1_parameter_text(parameters, "data", 0, &text, error))
        return FALSE;
    g_autofree guint8 *octets = v1_is_blank(text) ? NULL : g_base64_decode(text, &length);
    if (length == 0)
        return v1_parameter_wrong(error, "data", MISSING);
    if (memchr(octets, '\0', length))
        return v1_parameter_wrong(error, "data", "is no message: it has a NUL in it");
    return split((const char *)octets, length, submission, error);
}

/* Without brackets; NULL: there is none, or no text. */
static char *message_id_of(const GPtrArray *fields)
{
    const char *value = mime_fields_nth(fields, "Message-ID", 1);
    g_autofree char *text = value ? mime_field_text(value) : NULL;

    if (!text || !g_utf8_validate(text, -1, NULL))
        return NULL;
    const char *open = strchr(text, '<');
    return open ? g_strndup(open + 1, strcspn(open + 1, ">")) : g_strdup(text);
}

V1Submission *v1_raw_read(json_object *parameters, V1Error *first, char **text)
{
    g_autoptr(V1Submission) submission = v1_submission_new();
    g_autoptr(GError) error = NULL;

    if (!read_recipients(parameters, submission, &error) ||
        !read_sender(parameters, submission, &error) ||
        !read_data(parameters, submission, &error)) {
        *first = V1_ERROR_PARAMETER;
        *text = g_strdup(error->message);
        return NULL;
    }
    *first = V1_ERROR_NONE;
    submission->message_id = submission->rcpts->len ? message_id_of(submission->fields) : NULL;
    return g_steal_pointer(&submission);
}
