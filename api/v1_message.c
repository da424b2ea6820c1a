/* SPDX-License-Identifier: MIT */
#include "api/v1_message.h"

#include "api/v1_parameter.h"
#include "lib/mime/build.h"
#include "lib/mime/compose.h"
#include "lib/mime/field.h"
#include "lib/mime/transfer.h"

#define SHOWN 100 /* characters of a name that a refusal shows */

static gboolean read_texts(json_object *parameters, Letter *message, GError **error)
{
    const struct {
        const char *name;
        glong max;
        char **text;
    } texts[] = {
        {"from", 0, &message->from},
        {"sender", 0, &message->sender},
        {"subject", 0, &message->subject},
        {"reply_to", 0, &message->reply_to},
        {"plain_body", 0, &message->text},
        {"html_body", 0, &message->html},
        {"tag", SUBMISSION_TAG_MAX, &message->tag},
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *text;
        if (!v1_parameter_text(parameters, texts[i].name, texts[i].max, &text, error))
            return FALSE;
        *texts[i].text = g_strdup(text);
    }
    return TRUE;
}

static gboolean read_lists(json_object *parameters, Letter *message, GError **error)
{
    return (message->to = v1_parameter_addresses(parameters, "to", LETTER_LIST_MAX, error)) &&
           (message->cc = v1_parameter_addresses(parameters, "cc", LETTER_LIST_MAX, error)) &&
           (message->bcc = v1_parameter_addresses(parameters, "bcc", LETTER_LIST_MAX, error));
}

/* A null value takes the field away: there is none then. */
static gboolean read_header(json_object *headers, const char *name, GPtrArray *fields,
                            GError **error)
{
    g_autofree char *hyphened = g_strdelimit(g_strdup(name), "_", '-');
    const char *text;

    if (!compose_name_is_good(hyphened)) {
        g_autofree char *shown = g_utf8_substring(name, 0, MIN(SHOWN, g_utf8_strlen(name, -1)));
        g_autofree char *why =
            g_strconcat("has a name that no header field may have: ", shown, NULL);
        return v1_parameter_wrong(error, "headers", why);
    }
    if (!v1_parameter_text(headers, name, 0, &text, error)) {
        g_prefix_error(error, "`headers`: ");
        return FALSE;
    }
    if (text)
        mime_fields_add(fields, hyphened, text);
    return TRUE;
}

/* What is no object is ignored. */
static gboolean read_headers(json_object *parameters, Letter *message, GError **error)
{
    json_object *headers = NULL;

    message->headers = mime_fields_new();
    if (!json_object_object_get_ex(parameters, "headers", &headers) ||
        !json_object_is_type(headers, json_type_object))
        return TRUE;
    json_object_object_foreach(headers, name, value)
    {
        (void)value;
        if (!read_header(headers, name, message->headers, error))
            return FALSE;
    }
    return TRUE;
}

/* FALSE: a parameter is wrong. *lacking: what a file lacks. */
static gboolean read_file(json_object *entry, GPtrArray *files, V1Error *lacking, GError **error)
{
    const char *name, *type, *data;

    if (!v1_parameter_text(entry, "name", LETTER_FILE_NAME_MAX, &name, error) ||
        !v1_parameter_text(entry, "content_type", LETTER_FILE_NAME_MAX, &type, error) ||
        !v1_parameter_text(entry, "data", 0, &data, error))
        return FALSE;
    if (v1_is_blank(name)) {
        *lacking = V1_ERROR_ATTACHMENT_NAME;
        return TRUE;
    }
    MimeFile *file = g_new0(MimeFile, 1);
    g_ptr_array_add(files, file);
    file->name = g_strdup(name);
    file->type = g_strdup(v1_is_blank(type) ? LETTER_FILE_TYPE : type);
    file->data = data ? transfer_unbase64(data, strlen(data), &file->length) : NULL;
    if (letter_file_is_blank(file))
        *lacking = V1_ERROR_ATTACHMENT_DATA;
    return TRUE;
}

/* What is no object among them is passed over. */
static gboolean read_files(json_object *parameters, Letter *message, V1Error *lacking,
                           GError **error)
{
    json_object *list = NULL;

    message->files = g_ptr_array_new_with_free_func((GDestroyNotify)mime_file_free);
    if (!json_object_object_get_ex(parameters, "attachments", &list) || !list)
        return TRUE;
    if (!json_object_is_type(list, json_type_array))
        return v1_parameter_wrong(error, "attachments", "must be an array of objects");
    for (gsize i = 0; i < json_object_array_length(list) && !*lacking; i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        if (json_object_is_type(entry, json_type_object) &&
            !read_file(entry, message->files, lacking, error)) {
            g_prefix_error(error, "`attachments`, entry %zu: ", i + 1);
            return FALSE;
        }
    }
    return TRUE;
}

Letter *v1_message_read(json_object *parameters, V1Error *first, char **text)
{
    g_autoptr(Letter) message = g_new0(Letter, 1);
    g_autoptr(GError) error = NULL;
    V1Error lacking = V1_ERROR_NONE;

    if (!read_lists(parameters, message, &error) || !read_texts(parameters, message, &error) ||
        !read_headers(parameters, message, &error) ||
        !read_files(parameters, message, &lacking, &error)) {
        *first = V1_ERROR_PARAMETER;
        *text = g_strdup(error->message);
        return NULL;
    }
    message->bounce = v1_parameter_is_set(parameters, "bounce");
    *first = letter_error(message, lacking);
    return g_steal_pointer(&message);
}
