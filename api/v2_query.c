/* SPDX-License-Identifier: MIT */
#include "api/v2_query.h"

#include <string.h>

void v2_query_clear(V2Query *query)
{
    g_clear_pointer(&query->after, g_free);
}

static gboolean wrong(V2Problem *problem, const char *field, const char *why)
{
    g_autofree char *message = g_strdup_printf("%s: %s", field, why);

    return v2_problem_set(problem, V2_ERROR_INVALID, field, message);
}

static gboolean take_limit(const char *text, V2Query *query, V2Problem *problem)
{
    guint64 number = 0;

    if (!g_ascii_string_to_unsigned(text, 10, 1, V2_LIMIT_MAX, &number, NULL))
        return wrong(problem, "limit", "allowed are 1 to " G_STRINGIFY(V2_LIMIT_MAX));
    query->limit = (guint)number;
    return TRUE;
}

static gboolean take_after(const char *text, V2Query *query, V2Problem *problem)
{
    if (!*text || strlen(text) > V2_SEGMENT_MAX || !g_utf8_validate(text, -1, NULL))
        return wrong(problem, "after", "allowed is a name, as next says it");
    query->after = g_strdup(text);
    return TRUE;
}

static gboolean take_force(const char *text, V2Query *query, V2Problem *problem)
{
    query->force = g_str_equal(text, "true");
    return query->force || g_str_equal(text, "false") ||
           wrong(problem, "force", "allowed are true and false");
}

typedef gboolean (*Taker)(const char *text, V2Query *query, V2Problem *problem);

static Taker taker_of(const V2Resource *resource, V2Verb verb, const char *name)
{
    if (verb == V2_LIST && g_str_equal(name, "limit"))
        return take_limit;
    if (verb == V2_LIST && g_str_equal(name, "after"))
        return take_after;
    if (verb == V2_DELETE && (resource->verbs & V2_FORCE) && g_str_equal(name, "force"))
        return take_force;
    return NULL;
}

static gboolean take(const V2Resource *resource, V2Verb verb, GHashTable *seen, const char *name,
                     const char *value, V2Query *query, V2Problem *problem)
{
    Taker taker = taker_of(resource, verb, name);

    if (!taker)
        return v2_problem_set(problem, V2_ERROR_INVALID, NULL,
                              "the query has a parameter that is unknown here");
    if (!g_hash_table_add(seen, g_strdup(name)))
        return wrong(problem, name, "stands twice");
    return taker(value, query, problem);
}

gboolean v2_query_read(const V2Resource *resource, V2Verb verb, const char *text, V2Query *query,
                       V2Problem *problem)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GError) error = NULL;
    GUriParamsIter iterator;
    char *attribute = NULL, *value = NULL;
    gboolean good = TRUE;

    query->limit = V2_LIMIT;
    if (!text || !*text)
        return TRUE;
    if (strstr(text, "%00"))
        return v2_problem_set(problem, V2_ERROR_INVALID, NULL, "the query has a NUL in it");
    g_uri_params_iter_init(&iterator, text, -1, "&", G_URI_PARAMS_WWW_FORM);
    while (good && g_uri_params_iter_next(&iterator, &attribute, &value, &error)) {
        good = take(resource, verb, seen, attribute, value, query, problem);
        g_clear_pointer(&attribute, g_free);
        g_clear_pointer(&value, g_free);
    }
    return good && (!error || v2_problem_set(problem, V2_ERROR_INVALID, NULL,
                                             "the query is not well-formed"));
}
