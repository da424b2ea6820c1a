/* SPDX-License-Identifier: MIT */
#include "api/v1_request.h"

#include <string.h>

#include "lib/base/error.h"

#define JSON_TYPE "application/json"
#define FORM_TYPE "application/x-www-form-urlencoded"
#define FIELD     "params"
#define NO_JSON   "the parameters are not valid JSON"

static json_object *fail(GError **error, const char *text)
{
    g_set_error_literal(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, text);
    return NULL;
}

/* Counts colons outside strings: the names of all objects, each time that one stands there. FALSE: an octet that json-c takes where it
 * stands, and JSON does not. */
static gboolean count_colons(const char *json, gsize length, gsize *colons)
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
            ++*colons;
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
    struct json_tokener *tokener = json_tokener_new_ex(V1_DEPTH_MAX);

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json_object *value = json_tokener_parse_ex(tokener, json, (int)length);
    enum json_tokener_error state = json_tokener_get_error(tokener);
    if (state == json_tokener_continue) /* a number alone ends with the text */
        value = json_tokener_parse_ex(tokener, "", 1), state = json_tokener_get_error(tokener);
    if (state == json_tokener_error_depth)
        *wrong = "the JSON is nested deeper than " G_STRINGIFY(V1_DEPTH_MAX) " levels";
    else if (state != json_tokener_success)
        *wrong = NO_JSON;
    else if (!json_object_is_type(value, json_type_object))
        *wrong = "the parameters must be a JSON object";
    json_tokener_free(tokener);
    return value;
}

static json_object *read_json(const char *json, gsize length, GError **error)
{
    const char *wrong = NULL;
    gsize colons = 0;

    if (length > G_MAXINT - 1)
        return fail(error, "the parameters are too large");
    if (!count_colons(json, length, &colons))
        return fail(error, NO_JSON);
    if (colons > V1_KEYS_MAX)
        return fail(error, "the JSON has more than " G_STRINGIFY(V1_KEYS_MAX) " names");
    json_object *value = parse(json, length, &wrong);
    if (!wrong && count_names(value) != colons)
        wrong = "a name stands twice in one JSON object";
    if (!wrong)
        return value;
    json_object_put(value);
    return fail(error, wrong);
}

static gboolean is_type(const char *content_type, const char *type)
{
    return content_type && g_ascii_strncasecmp(content_type, type, strlen(type)) == 0;
}

/* Names and values; empty for NULL. */
static GHashTable *read_form(const char *text, gsize length, GError **error)
{
    g_autoptr(GError) failed = NULL;

    if (memchr(text, '\0', length))
        return (GHashTable *)fail(error, "the form has a NUL in it");
    GHashTable *form =
        g_uri_parse_params(text, (gssize)length, "&", G_URI_PARAMS_WWW_FORM, &failed);
    return form ? form : (GHashTable *)fail(error, "the form or query is not well-formed");
}

/* What the body does not say itself. */
static void add_query(json_object *object, GHashTable *query)
{
    GHashTableIter iterator;
    gpointer name, value;

    g_hash_table_iter_init(&iterator, query);
    while (g_hash_table_iter_next(&iterator, &name, &value))
        if (!json_object_object_get_ex(object, name, NULL))
            json_object_object_add(object, name, json_object_new_string(value));
}

static json_object *from_json(const V1Input *input, GHashTable *query, GError **error)
{
    json_object *object =
        input->length ? read_json(input->body, input->length, error) : json_object_new_object();

    if (object)
        add_query(object, query);
    return object;
}

static json_object *from_form(const V1Input *input, GHashTable *query, GError **error)
{
    g_autoptr(GHashTable) form = NULL;
    const char *params = NULL;

    if (is_type(input->content_type, FORM_TYPE)) {
        if (!(form = read_form(input->body, input->length, error)))
            return NULL;
        params = g_hash_table_lookup(form, FIELD);
    }
    if (!params)
        params = g_hash_table_lookup(query, FIELD);
    return params && *params ? read_json(params, strlen(params), error) : json_object_new_object();
}

json_object *v1_request_parameters(const V1Input *input, GError **error)
{
    const char *text = input->query ? input->query : "";
    g_autoptr(GHashTable) query = read_form(text, strlen(text), error);

    if (!query)
        return NULL;
    return is_type(input->content_type, JSON_TYPE) ? from_json(input, query, error)
                                                   : from_form(input, query, error);
}
