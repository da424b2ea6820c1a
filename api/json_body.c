/* SPDX-License-Identifier: MIT */
#include "api/json_body.h"

#include "lib/base/error.h"

#define NO_JSON "the parameters are not valid JSON"

static json_object *fail(GError **error, const char *text)
{
    g_set_error_literal(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, text);
    return NULL;
}

/* What of JSON takes memory, by the marks outside strings. */
typedef struct {
    gsize colons; /* the names of all objects, each time that one stands there */
    gsize begun;  /* as many values as there may be */
} Marks;

/* FALSE: an octet that json-c takes where it stands, and JSON does not. */
static gboolean count_marks(const char *json, gsize length, Marks *marks)
{
    gboolean inside = FALSE;

    for (gsize i = 0; i < length; i++) {
        if (json[i] == '"')
            inside = !inside;
        else if (inside && json[i] == '\\')
            i++;
        else if (inside ? (guchar)json[i] < ' ' : json[i] == '\'' || json[i] == '\0')
            return FALSE;
        else if (!inside && json[i] == ':')
            marks->colons++;
        else if (!inside && (json[i] == ',' || json[i] == '[' || json[i] == '{'))
            marks->begun++;
    }
    return TRUE;
}

static gsize count_names(json_object *value)
{
    gsize names = 0;

    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, inner)
        {
            (void)name;
            names += 1 + count_names(inner);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (gsize i = 0; i < json_object_array_length(value); i++)
            names += count_names(json_object_array_get_idx(value, i));
    }
    return names;
}

static json_object *parse(const char *json, gsize length, const char **wrong)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_BODY_DEPTH_MAX);

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json_object *value = json_tokener_parse_ex(tokener, json, (int)length);
    enum json_tokener_error state = json_tokener_get_error(tokener);
    if (state == json_tokener_continue) /* a number alone ends with the text */
        value = json_tokener_parse_ex(tokener, "", 1), state = json_tokener_get_error(tokener);
    if (state == json_tokener_error_depth)
        *wrong = "the JSON is nested deeper than " G_STRINGIFY(JSON_BODY_DEPTH_MAX) " levels";
    else if (state != json_tokener_success)
        *wrong = NO_JSON;
    else if (!json_object_is_type(value, json_type_object))
        *wrong = "the parameters must be a JSON object";
    json_tokener_free(tokener);
    return value;
}

json_object *json_body_read(const char *json, gsize length, GError **error)
{
    const char *wrong = NULL;
    Marks marks = {0};

    if (length > G_MAXINT - 1)
        return fail(error, "the parameters are too large");
    if (!count_marks(json, length, &marks))
        return fail(error, NO_JSON);
    if (marks.colons > JSON_BODY_NAMES_MAX)
        return fail(error, "the JSON has more than " G_STRINGIFY(JSON_BODY_NAMES_MAX) " names");
    if (marks.begun > JSON_BODY_VALUES_MAX)
        return fail(error, "the JSON has more than " G_STRINGIFY(JSON_BODY_VALUES_MAX) " values");
    json_object *value = parse(json, length, &wrong);
    if (!wrong && count_names(value) != marks.colons)
        wrong = "a name stands twice in one JSON object";
    if (!wrong)
        return value;
    json_object_put(value);
    return fail(error, wrong);
}
