/* SPDX-License-Identifier: MIT */
#include "api/v1_answer.h"

#include <string.h>

const V1ErrorWords *v1_error_words(V1Error name)
{
    static const V1ErrorWords words[] = {
        {0},
#define X(name, http, status, code, message) {http, status, code, message},
#include "api/v1_error.def"
#undef X
    };

    g_assert(name > V1_ERROR_NONE && name < V1_ERROR_COUNT);
    return &words[name];
}

static void add_text(json_object *object, const char *key, const char *text)
{
    g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

    if (valid)
        json_object_object_add(object, key, json_object_new_string(valid));
}

/* They occur in strings only, so nothing else changes. */
static GBytes *escape(const char *json)
{
    GString *out = g_string_sized_new(strlen(json) + 64);

    while (*json) {
        gsize plain = strcspn(json, "<>&");
        g_string_append_len(out, json, (gssize)plain);
        json += plain;
        if (*json)
            g_string_append_printf(out, "\\u%04x", (guchar)*json++);
    }
    return g_string_free_to_bytes(out);
}

static GBytes *envelope(const char *status, json_object *data, gint64 us)
{
    json_object *object = json_object_new_object();
    g_autofree char *seconds = g_strdup_printf("%" G_GINT64_FORMAT ".%03d", us / G_USEC_PER_SEC,
                                               (int)(us % G_USEC_PER_SEC / 1000));

    json_object_object_add(object, "status", json_object_new_string(status));
    json_object_object_add(object, "time",
                           json_object_new_double_s((double)us / G_USEC_PER_SEC, seconds));
    json_object_object_add(object, "flags", json_object_new_object());
    json_object_object_add(object, "data", data);
    GBytes *text = escape(json_object_to_json_string_ext(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
    return text;
}

GBytes *v1_answer_success(json_object *data, gint64 us)
{
    return envelope("success", data, us);
}

static json_object *error_data(const V1ErrorWords *words, const char *message)
{
    json_object *data = json_object_new_object();

    add_text(data, "code", words->code);
    add_text(data, "message", message ? message : words->message);
    return data;
}

GBytes *v1_answer_not_found(json_object *id, gint64 us)
{
    const V1ErrorWords *words = v1_error_words(V1_ERROR_MESSAGE_NOT_FOUND);
    json_object *data = error_data(words, NULL);

    json_object_object_add(data, "id", json_object_get(id));
    return envelope(words->status, data, us);
}

GBytes *v1_answer_error(V1Error name, const char *message, const char *token, gint64 us)
{
    const V1ErrorWords *words = v1_error_words(name);
    json_object *data = error_data(words, message);

    add_text(data, "token", token);
    return envelope(words->status, data, us);
}
