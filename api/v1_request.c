/* SPDX-License-Identifier: MIT */
#include "api/v1_request.h"

#include <string.h>

#include "api/json_body.h"
#include "lib/base/error.h"

#define FORM_TYPE "application/x-www-form-urlencoded"
#define FIELD     "params"

gboolean v1_request_is_for(const char *path, const char *call)
{
    for (; *call; call++) {
        if (*path != *call)
            return FALSE;
        path += *path == '/' ? strspn(path, "/") : 1;
    }
    return path[strspn(path, "/")] == '\0';
}

static void *fail(GError **error, const char *text)
{
    g_set_error_literal(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, text);
    return NULL;
}

static gboolean is_type(const char *content_type, const char *type)
{
    return content_type && g_ascii_strncasecmp(content_type, type, strlen(type)) == 0;
}

/* Whether c is there more often than max. */
static gboolean has_more(const char *text, gsize length, char c, guint max)
{
    const char *end = text + length;
    guint found = 0;

    while (found <= max && (text = memchr(text, c, (gsize)(end - text))))
        found++, text++;
    return found > max;
}

/* Names and values; empty for NULL. */
static GHashTable *read_form(const char *text, gsize length, GError **error)
{
    g_autoptr(GError) failed = NULL;

    if (memchr(text, '\0', length))
        return fail(error, "the form has a NUL in it");
    if (has_more(text, length, '&', V1_FORM_FIELDS_MAX - 1))
        return fail(error,
                    "the form or query has more than " G_STRINGIFY(V1_FORM_FIELDS_MAX) " fields");
    GHashTable *form =
        g_uri_parse_params(text, (gssize)length, "&", G_URI_PARAMS_WWW_FORM, &failed);
    return form ? form : fail(error, "the form or query is not well-formed");
}

/* They go before what the body says, as Rails has it. */
static void add_query(json_object *object, GHashTable *query)
{
    GHashTableIter iterator;
    gpointer name, value;

    g_hash_table_iter_init(&iterator, query);
    while (g_hash_table_iter_next(&iterator, &name, &value))
        json_object_object_add(object, name, json_object_new_string(value));
}

static json_object *from_json(const V1Input *input, GHashTable *query, GError **error)
{
    json_object *object = input->length ? json_body_read(input->body, input->length, error)
                                        : json_object_new_object();

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
    return params && *params ? json_body_read(params, strlen(params), error)
                             : json_object_new_object();
}

json_object *v1_request_parameters(const V1Input *input, GError **error)
{
    const char *text = input->query ? input->query : "";
    g_autoptr(GHashTable) query = read_form(text, strlen(text), error);

    if (!query)
        return NULL;
    return is_type(input->content_type, JSON_BODY_TYPE) ? from_json(input, query, error)
                                                        : from_form(input, query, error);
}
