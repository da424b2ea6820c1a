/* SPDX-License-Identifier: MIT */
#include "api/v1_message.h"

#include <string.h>

#include "lib/mime/build.h"
#include "lib/mime/compose.h"
#include "lib/mime/field.h"

#define DEFAULT_TYPE "application/octet-stream"

void v1_message_free(V1Message *message)
{
    if (!message)
        return;
    g_clear_pointer(&message->to, g_ptr_array_unref);
    g_clear_pointer(&message->cc, g_ptr_array_unref);
    g_clear_pointer(&message->bcc, g_ptr_array_unref);
    g_free(message->from);
    g_free(message->sender);
    g_free(message->subject);
    g_free(message->reply_to);
    g_free(message->text);
    g_free(message->html);
    g_free(message->tag);
    g_clear_pointer(&message->headers, g_ptr_array_unref);
    g_clear_pointer(&message->files, g_ptr_array_unref);
    g_free(message);
}

static gboolean read_texts(json_object *parameters, V1Message *message, GError **error)
{
    const struct {
        const char *name;
        glong max;
        char **text;
    } texts[] = {
        {"from", 0, &message->from},        {"sender", 0, &message->sender},
        {"subject", 0, &message->subject},  {"reply_to", 0, &message->reply_to},
        {"plain_body", 0, &message->text},  {"html_body", 0, &message->html},
        {"tag", V1_TAG_MAX, &message->tag},
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *text;
        if (!v1_parameter_text(parameters, texts[i].name, texts[i].max, &text, error))
            return FALSE;
        *texts[i].text = g_strdup(text);
    }
    return TRUE;
}

static gboolean read_lists(json_object *parameters, V1Message *message, GError **error)
{
    return (message->to = v1_parameter_addresses(parameters, "to", V1_LIST_MAX, error)) &&
           (message->cc = v1_parameter_addresses(parameters, "cc", V1_LIST_MAX, error)) &&
           (message->bcc = v1_parameter_addresses(parameters, "bcc", V1_LIST_MAX, error));
}

/* A null value takes the field away: there is none then. */
static gboolean read_header(json_object *headers, const char *name, GPtrArray *fields,
                            GError **error)
{
    g_autofree char *hyphened = g_strdelimit(g_strdup(name), "_", '-');
    const char *text;

    if (!compose_name_is_good(hyphened))
        return v1_parameter_wrong(error, "headers", "has a name that no header field may have");
    if (!v1_parameter_text(headers, name, 0, &text, error))
        return FALSE;
    if (text)
        mime_fields_add(fields, hyphened, text);
    return TRUE;
}

/* What is no object is ignored. */
static gboolean read_headers(json_object *parameters, V1Message *message, GError **error)
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

static gboolean is_blank_data(const guint8 *data, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isspace((char)data[i]))
            return FALSE;
    return TRUE;
}

/* FALSE: a parameter is wrong. *lacking: what a file lacks. */
static gboolean read_file(json_object *entry, GPtrArray *files, V1Error *lacking, GError **error)
{
    const char *name, *type, *data;

    if (!v1_parameter_text(entry, "name", V1_FILE_NAME_MAX, &name, error) ||
        !v1_parameter_text(entry, "content_type", V1_FILE_NAME_MAX, &type, error) ||
        !v1_parameter_text(entry, "data", 0, &data, error))
        return FALSE;
    if (v1_is_blank(name)) {
        *lacking = V1_ERROR_ATTACHMENT_NAME;
        return TRUE;
    }
    MimeFile *file = g_new0(MimeFile, 1);
    g_ptr_array_add(files, file);
    file->name = g_strdup(name);
    file->type = g_strdup(v1_is_blank(type) ? DEFAULT_TYPE : type);
    file->data = data && *data ? g_base64_decode(data, &file->length) : NULL;
    if (is_blank_data(file->data, file->length))
        *lacking = V1_ERROR_ATTACHMENT_DATA;
    return TRUE;
}

/* What is no object among them is passed over. */
static gboolean read_files(json_object *parameters, V1Message *message, V1Error *lacking,
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
            !read_file(entry, message->files, lacking, error))
            return FALSE;
    }
    return TRUE;
}

static V1Error first_error(const V1Message *message, V1Error lacking)
{
    const struct {
        gboolean applies;
        V1Error error;
    } checks[] = {
        {message->to->len + message->cc->len + message->bcc->len == 0, V1_ERROR_NO_RECIPIENTS},
        {message->to->len > V1_LIST_MAX, V1_ERROR_TOO_MANY_TO},
        {message->cc->len > V1_LIST_MAX, V1_ERROR_TOO_MANY_CC},
        {message->bcc->len > V1_LIST_MAX, V1_ERROR_TOO_MANY_BCC},
        {v1_is_blank(message->text) && v1_is_blank(message->html), V1_ERROR_NO_CONTENT},
        {v1_is_blank(message->from), V1_ERROR_FROM_MISSING},
    };

    for (guint i = 0; i < G_N_ELEMENTS(checks); i++)
        if (checks[i].applies)
            return checks[i].error;
    return lacking;
}

V1Message *v1_message_read(json_object *parameters, V1Error *first, char **text)
{
    g_autoptr(V1Message) message = g_new0(V1Message, 1);
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
    *first = first_error(message, lacking);
    return g_steal_pointer(&message);
}

/* What becomes of a custom field: see v1_header.def. */
typedef enum { RULE_FREE, RULE_OWN, RULE_LIST, RULE_PLACED } Rule;

static Rule rule_of(const char *name)
{
    static const struct {
        const char *name;
        Rule rule;
    } rules[] = {
#define X(name, rule) {name, RULE_##rule},
#include "api/v1_header.def"
#undef X
    };

    for (guint i = 0; i < G_N_ELEMENTS(rules); i++)
        if (g_ascii_strcasecmp(rules[i].name, name) == 0)
            return rules[i].rule;
    return RULE_FREE;
}

static void add_text(GPtrArray *fields, const char *name, const char *text)
{
    g_autofree char *value = compose_text(name, text);

    mime_fields_add(fields, name, value);
}

/* The custom field of that name, at its place. */
static void add_custom(const V1Message *message, GPtrArray *fields, const char *name)
{
    const char *text = mime_fields_nth(message->headers, name, 1);

    if (!text)
        return;
    g_autofree char *mailboxes =
        rule_of(name) == RULE_LIST ? compose_mailboxes(name, text, NULL) : NULL;
    if (mailboxes)
        mime_fields_add(fields, name, mailboxes);
    else
        add_text(fields, name, text);
}

static gboolean add_mailboxes(GPtrArray *fields, const char *name, const char *list)
{
    g_autofree char *value = v1_is_blank(list) ? NULL : compose_mailboxes(name, list, NULL);

    if (value)
        mime_fields_add(fields, name, value);
    return value || v1_is_blank(list);
}

/* The list, or, if it is empty, the custom field. */
static void add_list(const V1Message *message, GPtrArray *fields, const char *name,
                     const GPtrArray *list)
{
    g_autoptr(GString) joined = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++) {
        const V1Address *address = list->pdata[i];
        g_string_append_printf(joined, "%s%s", i ? ", " : "", address->mailbox);
    }
    if (list->len == 0)
        add_custom(message, fields, name);
    else
        add_mailboxes(fields, name, joined->str);
}

static void add_rest(const V1Message *message, GPtrArray *fields)
{
    for (guint i = 0; i < message->headers->len; i++) {
        const MimeField *field = message->headers->pdata[i];
        if (rule_of(field->name) == RULE_FREE)
            add_text(fields, field->name, field->value);
    }
}

/* In Postal's order. The name of the parameter that is no list of mailboxes; NULL: all are. */
static const char *add_fields(const V1Message *message, const V1Stamp *stamp, GPtrArray *fields)
{
    g_autofree char *message_id = g_strdup_printf(" <%s>", stamp->message_id);

    mime_fields_add(fields, "Received", stamp->received);
    if (mime_fields_count(message->headers, "Date"))
        add_custom(message, fields, "Date");
    else
        add_text(fields, "Date", stamp->date);
    if (!add_mailboxes(fields, "From", message->from))
        return "from";
    if (!add_mailboxes(fields, "Sender", message->sender))
        return "sender";
    if (!add_mailboxes(fields, "Reply-To", message->reply_to))
        return "reply_to";
    add_list(message, fields, "To", message->to);
    add_list(message, fields, "Cc", message->cc);
    mime_fields_add(fields, "Message-ID", message_id);
    add_custom(message, fields, "In-Reply-To");
    add_custom(message, fields, "References");
    if (message->subject)
        add_text(fields, "Subject", message->subject);
    return NULL;
}

static void add_recipients(V1Submission *submission, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const V1Address *address = list->pdata[i];
        v1_submission_add(submission, address->written, address->address);
    }
}

V1Submission *v1_message_compose(const V1Message *message, const V1Stamp *stamp, V1Error *first,
                                 char **text)
{
    g_autoptr(V1Submission) submission = v1_submission_new();
    g_autoptr(V1Address) from = v1_address_read(message->from);
    const MimeContent content = {v1_is_blank(message->text) ? NULL : message->text,
                                 v1_is_blank(message->html) ? NULL : message->html, message->files};
    const char *wrong = add_fields(message, stamp, submission->fields);

    if (!from || g_strcmp0(wrong, "from") == 0) {
        *first = V1_ERROR_UNAUTHENTICATED_FROM;
        return NULL;
    }
    if (wrong) {
        *first = V1_ERROR_PARAMETER;
        *text =
            g_strdup_printf("`%s` must be an e-mail address, or several parted by commas", wrong);
        return NULL;
    }
    g_string_free(submission->body, TRUE);
    submission->body = mime_build(&content, submission->fields);
    add_rest(message, submission->fields);
    add_recipients(submission, message->to);
    add_recipients(submission, message->cc);
    add_recipients(submission, message->bcc);
    submission->mail_from = g_strdup(message->bounce ? "" : from->address);
    submission->tag = v1_is_blank(message->tag) ? NULL : g_strdup(message->tag);
    submission->message_id = g_strdup(stamp->message_id);
    return g_steal_pointer(&submission);
}
