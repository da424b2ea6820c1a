/* SPDX-License-Identifier: MIT */
#include "lib/httpd/answer.h"

#include <string.h>

#define NAME_OCTETS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"

static void add_field(HttpdAnswer *answer, const char *name, const char *value)
{
    if (!answer->fields)
        answer->fields = g_string_sized_new(128);
    g_string_append_len(answer->fields, name, (gssize)strlen(name) + 1);
    g_string_append_len(answer->fields, value, (gssize)strlen(value) + 1);
}

void httpd_answer(HttpdAnswer *answer, guint status, const char *type, GBytes *body)
{
    g_bytes_ref(body);
    answer_clear(answer);
    answer->status = status;
    answer->body = body;
    if (type)
        add_field(answer, "Content-Type", type);
    if (status == 429 || status == 503)
        add_field(answer, "Retry-After", HTTPD_RETRY_SECONDS);
}

void httpd_answer_text(HttpdAnswer *answer, guint status, const char *text)
{
    g_autoptr(GBytes) body = g_bytes_new_static(text, strlen(text));

    httpd_answer(answer, status, "text/plain; charset=utf-8", body);
}

gboolean answer_name_is_good(const char *name)
{
    return *name && name[strspn(name, NAME_OCTETS)] == '\0';
}

gboolean answer_value_is_good(const char *value)
{
    for (; *value; value++)
        if (((guchar)*value < ' ' && *value != '\t') || *value == 0x7f)
            return FALSE;
    return TRUE;
}

gboolean httpd_answer_field(HttpdAnswer *answer, const char *name, const char *value)
{
    if (!answer_name_is_good(name) || !answer_value_is_good(value))
        return FALSE;
    add_field(answer, name, value);
    return TRUE;
}

void answer_clear(HttpdAnswer *answer)
{
    g_clear_pointer(&answer->body, g_bytes_unref);
    if (answer->fields)
        g_string_free(g_steal_pointer(&answer->fields), TRUE);
    answer->status = 0;
}

static void release_body(void *body)
{
    g_bytes_unref(body);
}

struct MHD_Response *answer_response(HttpdAnswer *answer, gboolean closing)
{
    gsize length;
    const char *data = g_bytes_get_data(answer->body, &length);
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        length, (void *)(guintptr)data, release_body, answer->body);

    if (!response)
        return NULL;
    answer->body = NULL;
    const char *end = answer->fields ? answer->fields->str + answer->fields->len : NULL;
    for (const char *name = answer->fields ? answer->fields->str : NULL; name < end;) {
        const char *value = name + strlen(name) + 1;
        MHD_add_response_header(response, name, value);
        name = value + strlen(value) + 1;
    }
    if (closing)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    return response;
}
