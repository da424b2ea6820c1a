/* SPDX-License-Identifier: MIT */
#include "api/v1_raw.h"

#include <string.h>

#include "api/v1_parameter.h"
#include "lib/base/error.h"
#include "lib/mime/transfer.h"
#include "lib/submission/raw.h"

#define MISSING "parameter is required but is missing"

/* clang-format off */
static const char too_many[] = "may have " G_STRINGIFY(SUBMISSION_RECIPIENTS_MAX)
    " addresses at most, of " G_STRINGIFY(SUBMISSION_ADDRESSES_MAX) " octets in all";
/* clang-format on */

static gboolean read_recipients(json_object *parameters, Submission *submission, GError **error)
{
    json_object *list = NULL;

    if (!json_object_object_get_ex(parameters, "rcpt_to", &list) ||
        !json_object_is_type(list, json_type_array))
        return v1_parameter_wrong(error, "rcpt_to", MISSING);
    for (gsize i = 0; i < json_object_array_length(list); i++) {
        json_object *value = json_object_array_get_idx(list, i);
        const char *written = value ? json_object_get_string(value) : "null";
        g_autoptr(Addressee) address =
            json_object_is_type(value, json_type_string) &&
                    strlen(written) == (gsize)json_object_get_string_len(value)
                ? addressee_read(written)
                : NULL;
        if (!address)
            return addressee_wrong(error, "rcpt_to", written);
        if (!submission_add(submission, written, address->address))
            return v1_parameter_wrong(error, "rcpt_to", too_many);
    }
    return TRUE;
}

static gboolean read_sender(json_object *parameters, Submission *submission, GError **error)
{
    const char *text;

    if (!v1_parameter_text(parameters, "mail_from", 0, &text, error))
        return FALSE;
    if (v1_is_blank(text))
        return v1_parameter_wrong(error, "mail_from", MISSING);
    g_autoptr(Addressee) address = addressee_read(text);
    if (!address)
        return v1_parameter_wrong(error, "mail_from", "is no address");
    submission->mail_from =
        g_strdup(v1_parameter_is_set(parameters, "bounce") ? "" : address->address);
    return TRUE;
}

static gboolean read_data(json_object *parameters, Submission *submission, GError **error)
{
    const char *text;
    gsize length = 0;
    g_autoptr(GError) why = NULL;

    if (!v1_parameter_text(parameters, "data", 0, &text, error))
        return FALSE;
    g_autofree guint8 *octets = text ? transfer_unbase64(text, strlen(text), &length) : NULL;
    if (length == 0)
        return v1_parameter_wrong(error, "data", MISSING);
    if (raw_read((const char *)octets, length, submission, &why))
        return TRUE;
    if (!g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE))
        return v1_parameter_wrong(error, "data", why->message);
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

Submission *v1_raw_read(json_object *parameters, V1Error *first, char **text)
{
    g_autoptr(Submission) submission = submission_new();
    g_autoptr(GError) error = NULL;

    if (!read_recipients(parameters, submission, &error) ||
        !read_sender(parameters, submission, &error) ||
        !read_data(parameters, submission, &error)) {
        *first = g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE)
                     ? V1_ERROR_TOO_LARGE
                     : V1_ERROR_PARAMETER;
        *text = g_strdup(error->message);
        return NULL;
    }
    *first = V1_ERROR_NONE;
    if (submission->rcpts->len == 0)
        g_clear_pointer(&submission->message_id, g_free);
    return g_steal_pointer(&submission);
}
