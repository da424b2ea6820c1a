/* SPDX-License-Identifier: MIT */
#include "lib/edge/edge_route.h"

#include <string.h>

#include "lib/base/address.h"
#include "lib/edge/edge_pool.h"

#define TAG_SEPARATOR '+'

static const char *const modes[] = {
#define X(name, word, text) word,
#include "lib/edge/route_mode.def"
#undef X
};

static const char *const spam_modes[] = {
#define X(name, word, text) word,
#include "lib/edge/route_spam.def"
#undef X
};

static const char *const kinds[] = {
#define X(name, word, text) word,
#include "lib/edge/endpoint_kind.def"
#undef X
};

void edge_route_free(EdgeRoute *route)
{
    if (!route)
        return;
    g_free(route->domain);
    g_free(route->name);
    g_free(route->token);
    g_free(route->organization_permalink);
    g_free(route->server_permalink);
    g_free(route);
}

void edge_endpoint_free(EdgeEndpoint *endpoint)
{
    if (!endpoint)
        return;
    g_free(endpoint->name);
    g_free(endpoint->url);
    g_free(endpoint->host);
    g_free(endpoint->tls);
    g_free(endpoint->address);
    g_free(endpoint->resolved);
    g_free(endpoint);
}

static guint32 id_at(sqlite3_stmt *row, int column)
{
    return (guint32)sqlite3_column_int64(row, column);
}

/* A word that a newer writer may have put there is the last of them, which does least. */
static guint word_at(sqlite3_stmt *row, int column, const char *const *words, guint count)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    guint found = 0;

    while (found < count - 1 && g_strcmp0(text, words[found]) != 0)
        found++;
    return found;
}

static EdgeRoute *read_route(sqlite3_stmt *row)
{
    EdgeRoute *route = g_new0(EdgeRoute, 1);

    route->id = id_at(row, 0);
    route->server = id_at(row, 1);
    route->organization = id_at(row, 2);
    route->domain_id = id_at(row, 3);
    route->domain = edge_link_text(row, 4);
    route->name = edge_link_text(row, 5);
    route->token = edge_link_text(row, 6);
    route->mode = word_at(row, 7, modes, G_N_ELEMENTS(modes));
    route->spam = word_at(row, 8, spam_modes, G_N_ELEMENTS(spam_modes));
    route->suspended = sqlite3_column_int(row, 9) != 0;
    route->development = sqlite3_column_int(row, 10) != 0;
    route->organization_permalink = edge_link_text(row, 11);
    route->server_permalink = edge_link_text(row, 12);
    return route;
}

/* One of an exact name goes before a wildcard. */
static gboolean read_first(EdgeLink *link, sqlite3_stmt *statement, EdgeRoute **found,
                           GError **error)
{
    g_autoptr(EdgeRoute) first = NULL;
    int step;

    while ((step = edge_link_step(link, statement, error)) > 0) {
        if (first && strcmp(first->name, "*") != 0)
            continue;
        edge_route_free(first);
        first = read_route(statement);
    }
    if (step < 0)
        return FALSE;
    *found = g_steal_pointer(&first);
    return TRUE;
}

static gboolean read_endpoints(EdgeLink *link, EdgeRoute *route, GError **error)
{
    sqlite3_stmt *statement = edge_link_statement(link, EDGE_STATEMENT_ROUTE_ENDPOINTS, error);
    int step;

    if (!statement)
        return FALSE;
    sqlite3_bind_int64(statement, 1, route->id);
    while ((step = edge_link_step(link, statement, error)) > 0)
        if (route->endpoint_count < EDGE_ROUTE_ENDPOINTS_MAX)
            route->endpoints[route->endpoint_count++] = id_at(statement, 0);
    return step == 0;
}

/* Reads what a statement with its parameters bound finds, endpoints and all. */
static gboolean finish_route(EdgeLink *link, sqlite3_stmt *statement, EdgeRoute **found,
                             GError **error)
{
    g_autoptr(EdgeRoute) route = NULL;

    if (!read_first(link, statement, &route, error) ||
        (route && route->mode == EDGE_ROUTE_ENDPOINT && !read_endpoints(link, route, error)))
        return FALSE;
    *found = g_steal_pointer(&route);
    return TRUE;
}

static gboolean route_by_number(Edge *edge, EdgeStatement id, guint32 number, EdgeRoute **found,
                                GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement = link ? edge_link_statement(link, id, error) : NULL;

    if (!statement)
        return FALSE;
    sqlite3_bind_int64(statement, 1, number);
    return finish_route(link, statement, found, error);
}

/* Names of routes need no quotes and have no tag, so what is quoted in an address can be a wildcard's only. */
static char *route_name(const char *form)
{
    const char *at = strrchr(form, '@');
    const char *tag = memchr(form, TAG_SEPARATOR, (gsize)(at - form));

    return g_strndup(form, (gsize)((tag && tag > form ? tag : at) - form));
}

gboolean edge_route_for(Edge *edge, const char *address, EdgeRoute **found, GError **error)
{
    g_autofree char *form = address_form(address);
    g_autofree char *name = NULL;
    g_autoptr(EdgeLink) link = NULL;
    sqlite3_stmt *statement;

    *found = NULL;
    if (!form || form[0] == '@')
        return TRUE;
    name = route_name(form);
    link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    statement = link ? edge_link_statement(link, EDGE_STATEMENT_ROUTE_FOR, error) : NULL;
    if (!statement)
        return FALSE;
    sqlite3_bind_text(statement, 1, strrchr(form, '@') + 1, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, name, -1, SQLITE_TRANSIENT);
    return finish_route(link, statement, found, error);
}

gboolean edge_route_by_token(Edge *edge, const char *token, EdgeRoute **found, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(token, -1);
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_ROUTE_BY_TOKEN, error) : NULL;

    if (!statement)
        return FALSE;
    sqlite3_bind_text(statement, 1, lower, -1, SQLITE_TRANSIENT);
    return finish_route(link, statement, found, error);
}

/* A token has no quotes, so that a tag behind it begins at the first `+'. */
static gboolean find_forward(Edge *edge, const char *form, EdgeRoute **found, GError **error)
{
    g_autofree char *token = g_strndup(form, strcspn(form, "+@"));

    return strlen(token) != EDGE_ROUTE_TOKEN_LENGTH ||
           edge_route_by_token(edge, token, found, error);
}

gboolean edge_route_for_recipient(Edge *edge, const char *address, const char *route_domain,
                                  EdgeRoute **found, GError **error)
{
    g_autofree char *form = address_form(address);
    const char *at = form ? strrchr(form, '@') : NULL;

    *found = NULL;
    if (at && *route_domain && g_str_equal(at + 1, route_domain) &&
        !find_forward(edge, form, found, error))
        return FALSE;
    return *found || edge_route_for(edge, address, found, error);
}

char *edge_route_address(const EdgeRoute *route, const char *address)
{
    const char *at = strrchr(address, '@');
    const char *rest = address + strcspn(address, "+@");

    if (!at || !*route->domain || strcmp(route->name, "*") == 0 ||
        g_ascii_strcasecmp(at + 1, route->domain) == 0)
        return g_strdup(address);
    return g_strdup_printf("%s%.*s@%s", route->name, (int)(at - rest), rest, route->domain);
}

gboolean edge_route_by_id(Edge *edge, guint32 id, EdgeRoute **found, GError **error)
{
    return route_by_number(edge, EDGE_STATEMENT_ROUTE_BY_ID, id, found, error);
}

gboolean edge_route_of_return_path(Edge *edge, guint32 server, EdgeRoute **found, GError **error)
{
    return route_by_number(edge, EDGE_STATEMENT_ROUTE_OF_RETURN_PATH, server, found, error);
}

static EdgeEndpoint *read_endpoint(sqlite3_stmt *row)
{
    EdgeEndpoint *endpoint = g_new0(EdgeEndpoint, 1);

    endpoint->id = id_at(row, 0);
    endpoint->server = id_at(row, 1);
    endpoint->name = edge_link_text(row, 2);
    endpoint->kind = word_at(row, 3, kinds, G_N_ELEMENTS(kinds));
    endpoint->url = edge_link_text(row, 4);
    endpoint->form = sqlite3_column_int(row, 5) != 0;
    endpoint->raw = sqlite3_column_int(row, 6) != 0;
    endpoint->strip_replies = sqlite3_column_int(row, 7) != 0;
    endpoint->attachments = sqlite3_column_int(row, 8) != 0;
    endpoint->timeout = (guint)sqlite3_column_int(row, 9);
    endpoint->host = edge_link_text(row, 10);
    endpoint->port = (guint16)sqlite3_column_int(row, 11);
    endpoint->tls = edge_link_text(row, 12);
    endpoint->address = edge_link_text(row, 13);
    endpoint->resolved = edge_link_text(row, 14);
    return endpoint;
}

gboolean edge_endpoint_by_id(Edge *edge, guint32 id, EdgeEndpoint **found, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_ENDPOINT, error) : NULL;
    int step;

    *found = NULL;
    if (!statement)
        return FALSE;
    sqlite3_bind_int64(statement, 1, id);
    while ((step = edge_link_step(link, statement, error)) > 0)
        *found = read_endpoint(statement);
    return step == 0;
}

/* Whether a statement with its parameters bound finds anything. */
static gboolean finds(EdgeLink *link, sqlite3_stmt *statement, gboolean *any, GError **error)
{
    int step;

    *any = FALSE;
    while ((step = edge_link_step(link, statement, error)) > 0)
        *any = TRUE;
    return step == 0;
}

static GPtrArray *read_names(EdgeLink *link, sqlite3_stmt *statement, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    int step;

    while ((step = edge_link_step(link, statement, error)) > 0)
        g_ptr_array_add(names, edge_link_text(statement, 0));
    return step < 0 ? NULL : g_steal_pointer(&names);
}

gboolean edge_route_domain(Edge *edge, const char *domain, gboolean *has, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(domain, -1);
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_ROUTE_DOMAIN, error) : NULL;

    *has = FALSE;
    if (!statement)
        return FALSE;
    sqlite3_bind_text(statement, 1, lower, -1, SQLITE_TRANSIENT);
    return finds(link, statement, has, error);
}

GPtrArray *edge_route_domains(Edge *edge, guint max, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_ROUTE_DOMAINS, error) : NULL;

    if (!statement)
        return NULL;
    sqlite3_bind_int64(statement, 1, max);
    return read_names(link, statement, error);
}

gboolean edge_return_host(Edge *edge, const char *label, const char *domain, gboolean *is,
                          GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_RETURN_HOST, error) : NULL;

    *is = FALSE;
    if (!statement)
        return FALSE;
    sqlite3_bind_text(statement, 1, label, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, domain, -1, SQLITE_TRANSIENT);
    return finds(link, statement, is, error);
}

GPtrArray *edge_return_domains(Edge *edge, const char *label, guint max, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_RETURN_DOMAINS, error) : NULL;

    if (!statement)
        return NULL;
    sqlite3_bind_text(statement, 1, label, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(statement, 2, max);
    return read_names(link, statement, error);
}
