/* SPDX-License-Identifier: MIT */
#include "api/v1_submission.h"

#include <string.h>

#include "lib/mime/field.h"

static void name_free(gpointer data)
{
    V1Name *name = data;

    g_free(name->written);
    g_free(name);
}

V1Submission *v1_submission_new(void)
{
    V1Submission *submission = g_new0(V1Submission, 1);

    submission->rcpts = g_ptr_array_new_with_free_func(g_free);
    submission->names = g_ptr_array_new_with_free_func(name_free);
    submission->fields = mime_fields_new();
    submission->body = g_string_new(NULL);
    return submission;
}

void v1_submission_free(V1Submission *submission)
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

gboolean v1_submission_add(V1Submission *submission, const char *written, const char *address)
{
    guint index;

    if (!g_ptr_array_find_with_equal_func(submission->rcpts, address, is_same, &index)) {
        index = submission->rcpts->len;
        if (index >= V1_RECIPIENTS_MAX)
            return FALSE;
        g_ptr_array_add(submission->rcpts, g_strdup(address));
    }
    V1Name *name = g_new(V1Name, 1);
    name->written = g_strdup(written);
    name->index = index;
    g_ptr_array_add(submission->names, name);
    return TRUE;
}

gsize v1_submission_header_size(const V1Submission *submission)
{
    gsize size = 0;

    for (guint i = 0; i < submission->fields->len; i++) {
        const MimeField *field = submission->fields->pdata[i];
        size += strlen(field->name) + strlen(field->value) + strlen(":\r\n");
    }
    return size;
}

gsize v1_submission_size(const V1Submission *submission)
{
    return v1_submission_header_size(submission) + strlen("\r\n") + submission->body->len;
}
