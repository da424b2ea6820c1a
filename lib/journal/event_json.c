/* SPDX-License-Identifier: MIT */
#include "lib/journal/event_json.h"

json_object *event_json_begin(guint node, gint64 at_us)
{
    json_object *object = json_object_new_object();

    event_json_number(object, "v", 1);
    event_json_number(object, "node", node);
    event_json_number(object, "at", (guint64)at_us);
    return object;
}

void event_json_number(json_object *object, const char *key, guint64 number)
{
    json_object_object_add(object, key, json_object_new_int64((gint64)number));
}

json_object *event_json_text_new(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    if (g_utf8_strlen(valid, -1) > EVENT_JSON_TEXT_MAX)
        *g_utf8_offset_to_pointer(valid, EVENT_JSON_TEXT_MAX) = '\0';
    return json_object_new_string(valid);
}

void event_json_text(json_object *object, const char *key, const char *text)
{
    if (text)
        json_object_object_add(object, key, event_json_text_new(text));
}

void event_json_flag(json_object *object, const char *key, gboolean set)
{
    if (set)
        json_object_object_add(object, key, json_object_new_boolean(TRUE));
}

char *event_json_finish(json_object *object)
{
    char *text = g_strdup(json_object_to_json_string_ext(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));

    json_object_put(object);
    return text;
}
