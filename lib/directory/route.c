/* SPDX-License-Identifier: MIT */
#include "lib/directory/route.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/edge/edge_route.h"
#include "lib/seal/random.h"

static gboolean fail(GError **error, OutriderError code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static gboolean fail(GError **error, OutriderError code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, OUTRIDER_ERROR, (int)code, text);
    return FALSE;
}

static void set_text(Value *value, const char *text)
{
    char *copy = g_strdup(text);

    value_clear(value);
    value->is = VALUE_IS_TEXT;
    value->text = copy;
}

static const char *text_of(Fields *fields, const char *column)
{
    return fields_column(fields, column)->text;
}

/* NULL without error: there is none. */
static gboolean look(Sql *sql, SqlStatement statement, const SqlParameter *parameters, guint n,
                     Record **found, GError **error)
{
    g_autoptr(GError) why = NULL;

    *found = record_first(sql, statement, parameters, n, &why);
    if (!why)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean find_domain(Sql *sql, ReferenceOwner owner, const char *name, Fields *fields,
                            GError **error)
{
    const SqlParameter parameters[] = {SQL_TEXT(name), SQL_UNSIGNED(owner.server),
                                       SQL_UNSIGNED(owner.organization)};
    g_autoptr(Record) domain = NULL;
    Value *id = fields_column(fields, "domain_id");

    if (!look(sql, SQL_ROUTE_DOMAIN_OF, parameters, 3, &domain, error))
        return FALSE;
    if (!domain)
        return fail(error, OUTRIDER_ERROR_NOT_FOUND,
                    "route: neither the server nor its organization has a domain %s", name);
    if (!record_int(domain, "verified"))
        return fail(error, OUTRIDER_ERROR_REFUSED, "route: domain %s is not verified", name);
    value_clear(id);
    id->is = VALUE_IS_UNSIGNED;
    id->number = record_int(domain, "id");
    set_text(fields_column(fields, "domain"), name);
    return TRUE;
}

/* A name has one route in a domain, whoever has domains of that name; a server has one for its return path. */
static gboolean check_free(Sql *sql, ReferenceOwner owner, const char *name, const char *domain,
                           GError **error)
{
    const SqlParameter parameters[] = {SQL_TEXT(name), domain ? SQL_TEXT(domain) : SQL_NULL,
                                       domain ? SQL_NULL : SQL_UNSIGNED(owner.server)};
    g_autoptr(Record) other = NULL;

    if (!look(sql, SQL_ROUTE_TAKEN, parameters, 3, &other, error))
        return FALSE;
    if (!other)
        return TRUE;
    gboolean ours = (guint64)record_int(other, "server_id") == owner.server;
    return fail(error, OUTRIDER_ERROR_EXISTS, "route %s%s%s exists already%s", name,
                domain ? "@" : "", domain ? domain : "", ours ? "" : ", of another server");
}

static gboolean settle_new(Sql *sql, ReferenceOwner owner, Fields *fields, GError **error)
{
    g_autofree char *address = g_strdup(text_of(fields, "name"));
    char *at = strrchr(address, '@');

    if (text_of(fields, "token"))
        return TRUE;
    if (at)
        *at = '\0';
    /* In this order: who has not the domain is not told what routes it has. */
    if ((at && !find_domain(sql, owner, at + 1, fields, error)) ||
        !check_free(sql, owner, address, at ? at + 1 : NULL, error))
        return FALSE;
    g_autofree char *token =
        random_text(RANDOM_SMALL RANDOM_DIGITS, EDGE_ROUTE_TOKEN_LENGTH, error);
    if (!token)
        return FALSE;
    set_text(fields_column(fields, "name"), address);
    set_text(fields_column(fields, "token"), token);
    return TRUE;
}

/* Who names endpoints, and no mode, means that mail goes there. */
static gboolean settle_mode(Fields *fields, GError **error)
{
    gboolean named = fields_given(fields, "endpoint") != NULL;
    Value *mode = fields_column(fields, "mode");

    if (named && !fields_given(fields, "mode"))
        set_text(mode, "endpoint");
    if (mode->is == VALUE_IS_NULL)
        return fail(error, OUTRIDER_ERROR_INVALID, "--mode MODE or --endpoint NAME is missing");
    gboolean to_endpoints = g_str_equal(mode->text, "endpoint");
    if (named && !to_endpoints)
        return fail(error, OUTRIDER_ERROR_INVALID, "--endpoint: a route of mode %s has none",
                    mode->text);
    if (!to_endpoints && g_str_equal(text_of(fields, "name"), EDGE_ROUTE_RETURN_PATH))
        return fail(error, OUTRIDER_ERROR_INVALID,
                    "mode: the route of a return path leads to HTTP endpoints");
    return TRUE;
}

gboolean route_settle(Sql *sql, ReferenceOwner owner, gboolean is_new, Fields *fields,
                      GError **error)
{
    return (!is_new || settle_new(sql, owner, fields, error)) && settle_mode(fields, error);
}

static gboolean check_kind(Fields *fields, const char *name, const char *kind, guint position,
                           GError **error)
{
    gboolean http = g_str_equal(kind, "http");
    const char *route = text_of(fields, "name");

    if (!http && g_str_equal(route, EDGE_ROUTE_RETURN_PATH))
        return fail(
            error, OUTRIDER_ERROR_INVALID,
            "endpoint: %s is of kind %s, but the route of a return path leads to HTTP endpoints",
            name, kind);
    if (!http && position > 0 && g_str_equal(route, "*"))
        return fail(
            error, OUTRIDER_ERROR_INVALID,
            "endpoint: %s is of kind %s, which a wildcard route may have in the first place only",
            name, kind);
    return TRUE;
}

static gboolean add_endpoint(Sql *sql, guint64 server, guint64 route, Fields *fields,
                             const char *name, guint position, guint64 revision, GError **error)
{
    const SqlParameter by_name[] = {SQL_UNSIGNED(server), SQL_TEXT(name)};
    g_autoptr(Record) endpoint = NULL;

    if (!look(sql, SQL_ROUTE_ENDPOINT_NAMED, by_name, 2, &endpoint, error))
        return FALSE;
    if (!endpoint)
        return fail(error, OUTRIDER_ERROR_NOT_FOUND, "endpoint: the server has no endpoint %s",
                    name);
    const SqlParameter row[] = {SQL_UNSIGNED(route), SQL_UNSIGNED(record_int(endpoint, "id")),
                                SQL_UNSIGNED(position), SQL_UNSIGNED(revision)};
    return check_kind(fields, name, record_text(endpoint, "kind"), position, error) &&
           sql_execute(sql, SQL_ROUTE_ENDPOINT_ADD, row, 4, NULL, NULL, error);
}

/* A route of mode endpoint has one at least. */
static gboolean check_any(Sql *sql, guint64 route, GError **error)
{
    const SqlParameter id[] = {SQL_UNSIGNED(route)};
    g_autoptr(Record) count = NULL;

    if (!look(sql, SQL_ROUTE_ENDPOINT_COUNT, id, 1, &count, error))
        return FALSE;
    return record_int(count, "n") > 0 ||
           fail(error, OUTRIDER_ERROR_INVALID,
                "--endpoint NAME is missing: mode endpoint needs one");
}

gboolean route_endpoints_write(Sql *sql, guint64 server, guint64 route, Fields *fields,
                               guint64 revision, GError **error)
{
    const Value *named = fields_given(fields, "endpoint");
    gboolean to_endpoints = g_str_equal(text_of(fields, "mode"), "endpoint");

    if ((named || !to_endpoints) &&
        !route_endpoints_forget(sql, (RouteOwner){.route = route}, revision, error))
        return FALSE;
    if (!to_endpoints)
        return TRUE;
    g_auto(GStrv) names = g_strsplit(named && named->text ? named->text : "", ",", -1);
    if (g_strv_length(names) > EDGE_ROUTE_ENDPOINTS_MAX)
        return fail(error, OUTRIDER_ERROR_INVALID, "endpoint: a route has %d at most",
                    EDGE_ROUTE_ENDPOINTS_MAX);
    for (guint i = 0; names[i]; i++)
        if (!add_endpoint(sql, server, route, fields, names[i], i, revision, error))
            return FALSE;
    return check_any(sql, route, error);
}

static gboolean run(Sql *sql, SqlStatement stones, SqlStatement delete, RouteOwner owner,
                    guint64 revision, GError **error)
{
    const SqlParameter parameters[] = {SQL_UNSIGNED(revision), SQL_UNSIGNED(owner.domain),
                                       SQL_UNSIGNED(owner.server), SQL_UNSIGNED(owner.route)};

    return sql_execute(sql, stones, parameters, 4, NULL, NULL, error) &&
           sql_execute(sql, delete, parameters + 1, 3, NULL, NULL, error);
}

gboolean route_endpoints_forget(Sql *sql, RouteOwner owner, guint64 revision, GError **error)
{
    return run(sql, SQL_ROUTE_ENDPOINTS_TOMBSTONES, SQL_ROUTE_ENDPOINTS_DELETE, owner, revision,
               error);
}

gboolean routes_forget(Sql *sql, RouteOwner owner, guint64 revision, GError **error)
{
    return route_endpoints_forget(sql, owner, revision, error) &&
           run(sql, SQL_ROUTES_TOMBSTONES, SQL_ROUTES_DELETE, owner, revision, error);
}
