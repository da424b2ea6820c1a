/* SPDX-License-Identifier: MIT */
#include "lib/submission/submission.h"

#include <string.h>

#include "lib/base/id.h"
#include "lib/mime/field.h"

static void name_free(gpointer data)
{
    SubmissionName *name = data;

    g_free(name->written);
    g_free(name);
}

Submission *submission_new(void)
{
    Submission *submission = g_new0(Submission, 1);

    submission->rcpts = g_ptr_array_new_with_free_func(g_free);
    submission->names = g_ptr_array_new_with_free_func(name_free);
    submission->fields = mime_fields_new();
    submission->body = g_string_new(NULL);
    return submission;
}

void submission_free(Submission *submission)
{
    if (!submission)
        return;
    g_ptr_array_unref(submission->rcpts);
    g_ptr_array_unref(submission->names);
    g_ptr_array_unref(submission->fields);
    g_string_free(submission->body, TRUE);
    g_free(submission->mail_from);
    g_free(submission->tag);
    g_free(submission->message_id);
    g_free(submission);
}

static gboolean is_same(gconstpointer a, gconstpointer b)
{
    return g_ascii_strcasecmp(a, b) == 0;
}

gboolean submission_add(Submission *submission, const char *written, const char *address)
{
    guint index;

    if (!g_ptr_array_find_with_equal_func(submission->rcpts, address, is_same, &index)) {
        index = submission->rcpts->len;
        gsize size = submission->address_size + strlen(address);
        if (index >= SUBMISSION_RECIPIENTS_MAX || size > SUBMISSION_ADDRESSES_MAX)
            return FALSE;
        submission->address_size = size;
        g_ptr_array_add(submission->rcpts, g_strdup(address));
    }
    SubmissionName *name = g_new(SubmissionName, 1);
    name->written = g_strdup(written);
    name->index = index;
    g_ptr_array_add(submission->names, name);
    return TRUE;
}

void submission_write_fields(const Submission *submission, GString *text)
{
    for (guint i = 0; i < submission->fields->len; i++) {
        const MimeField *field = submission->fields->pdata[i];
        if (g_ascii_strcasecmp(field->name, CLAIM_FIELD) != 0)
            g_string_append_printf(text, "%s:%s\r\n", field->name, field->value);
    }
}

gsize submission_header_size(const Submission *submission)
{
    gsize size = 0;

    for (guint i = 0; i < submission->fields->len; i++) {
        const MimeField *field = submission->fields->pdata[i];
        size += strlen(field->name) + strlen(field->value) + strlen(":\r\n");
    }
    return size;
}

gsize submission_size(const Submission *submission)
{
    return submission_header_size(submission) + strlen("\r\n") + submission->body->len;
}

json_object *submission_data(const Submission *submission, const SubmissionNames *names)
{
    json_object *data = json_object_new_object(), *messages = json_object_new_object();

    for (guint i = 0; i < submission->names->len; i++) {
        const SubmissionName *name = submission->names->pdata[i];
        char token[TOKEN_LENGTH + 1];
        json_object *message = json_object_new_object();
        token_derive(names->seed, name->index, token);
        json_object_object_add(message, "id",
                               json_object_new_int64((gint64)id_at(names->base, name->index)));
        json_object_object_add(message, "token", json_object_new_string(token));
        json_object_object_add(messages, name->written, message);
    }
    json_object_object_add(data, "message_id",
                           submission->message_id ? json_object_new_string(submission->message_id)
                                                  : NULL);
    json_object_object_add(data, "messages", messages);
    return data;
}
