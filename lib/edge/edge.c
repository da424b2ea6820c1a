/* SPDX-License-Identifier: MIT */
#include "lib/edge/edge.h"

#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/edge/edge_pool.h"

struct Edge {
    EdgePool *pools[EDGE_FILE_COUNT];
};

Edge *edge_open(const char *edge_dir)
{
    Edge *edge = g_new0(Edge, 1);

    for (guint i = 0; i < EDGE_FILE_COUNT; i++)
        edge->pools[i] = edge_pool_new(edge_dir, (EdgeFile)i);
    return edge;
}

void edge_close(Edge *edge)
{
    if (!edge)
        return;
    for (guint i = 0; i < EDGE_FILE_COUNT; i++)
        edge_pool_free(edge->pools[i]);
    g_free(edge);
}

EdgeLink *edge_link_take(Edge *edge, EdgeFile file, GError **error)
{
    return edge_pool_take(edge->pools[file], error);
}

void edge_credential_free(EdgeCredential *credential)
{
    if (!credential)
        return;
    g_free(credential->organization_permalink);
    g_free(credential->server_permalink);
    g_free(credential);
}

void edge_domain_free(EdgeDomain *domain)
{
    if (!domain)
        return;
    g_free(domain->name);
    g_free(domain->return_path_label);
    g_free(domain);
}

void edge_lane_clear(EdgeLane *lane)
{
    g_clear_pointer(&lane->ipv4, g_free);
    g_clear_pointer(&lane->ipv6, g_free);
    g_clear_pointer(&lane->helo, g_free);
    g_clear_pointer(&lane->next_hop, g_free);
}

void edge_sign_key_clear(EdgeSignKey *key)
{
    if (key->private_key)
        explicit_bzero(key->private_key, strlen(key->private_key));
    g_clear_pointer(&key->selector, g_free);
    g_clear_pointer(&key->private_key, g_free);
}

static guint32 column_u32(sqlite3_stmt *row, int column)
{
    return (guint32)sqlite3_column_int64(row, column);
}

static gboolean column_bool(sqlite3_stmt *row, int column)
{
    return sqlite3_column_int(row, column) != 0;
}

/* NULL stays NULL. */
static char *column_text(sqlite3_stmt *row, int column)
{
    return g_strdup((const char *)sqlite3_column_text(row, column));
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

static void not_found(GError **error, const char *what)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "no such %s", what);
}

static EdgeCredential *read_credential(sqlite3_stmt *row)
{
    EdgeCredential *credential = g_new0(EdgeCredential, 1);

    credential->id = column_u32(row, 0);
    credential->server = column_u32(row, 1);
    credential->organization = column_u32(row, 2);
    credential->ip_pool = column_u32(row, 3);
    credential->hold = column_bool(row, 4);
    credential->disabled = column_bool(row, 5);
    credential->expires_at = sqlite3_column_int64(row, 6);
    credential->server_suspended = column_bool(row, 7);
    credential->organization_suspended = column_bool(row, 8);
    credential->development = column_bool(row, 9);
    credential->allow_sender = column_bool(row, 10);
    credential->privacy = column_bool(row, 11);
    credential->shadow = column_bool(row, 12);
    credential->organization_permalink = column_text(row, 13);
    credential->server_permalink = column_text(row, 14);
    credential->has_networks = column_bool(row, 15);
    credential->has_senders = column_bool(row, 16);
    credential->smarthost = column_u32(row, 17);
    credential->refuse_suppressed = column_bool(row, 18);
    credential->has_rules = column_bool(row, 19);
    return credential;
}

static EdgeCredential *find_credential(Edge *edge, EdgeStatement id, guint32 credential,
                                       GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement = link ? edge_link_statement(link, id, error) : NULL;

    if (!statement)
        return NULL;
    sqlite3_bind_int64(statement, 1, credential);
    int step = edge_link_step(link, statement, error);
    if (step > 0)
        return read_credential(statement);
    if (step == 0)
        not_found(error, "credential");
    return NULL;
}

void edge_key_hash(const char *key, guint8 hash[EDGE_KEY_HASH_LENGTH])
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize length = EDGE_KEY_HASH_LENGTH;

    g_checksum_update(sum, (const guchar *)key, -1);
    g_checksum_get_digest(sum, hash, &length);
}

/* 1 found, 0 none, -1 error. */
static int find_key(Edge *edge, const guint8 *hash, gint64 now, guint32 *id, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_AUTH, error);
    sqlite3_stmt *statement = link ? edge_link_statement(link, EDGE_STATEMENT_KEY, error) : NULL;

    if (!statement)
        return -1;
    sqlite3_bind_blob(statement, 1, hash, EDGE_KEY_HASH_LENGTH, SQLITE_TRANSIENT);
    sqlite3_bind_int64(statement, 2, now);
    int step = edge_link_step(link, statement, error);
    if (step > 0)
        *id = column_u32(statement, 0);
    return step;
}

static EdgeCredential *find_by_key(Edge *edge, const guint8 *hash, gint64 now, EdgeStatement type,
                                   GError **error)
{
    guint32 id = 0;
    int found = find_key(edge, hash, now, &id, error);

    if (found > 0)
        return find_credential(edge, type, id, error);
    if (found == 0)
        not_found(error, "credential");
    return NULL;
}

EdgeCredential *edge_credential_by_key(Edge *edge, const guint8 hash[EDGE_KEY_HASH_LENGTH],
                                       gint64 now, GError **error)
{
    return find_by_key(edge, hash, now, EDGE_STATEMENT_SMTP_CREDENTIAL, error);
}

EdgeCredential *edge_api_credential_by_key(Edge *edge, const guint8 hash[EDGE_KEY_HASH_LENGTH],
                                           gint64 now, GError **error)
{
    return find_by_key(edge, hash, now, EDGE_STATEMENT_API_CREDENTIAL, error);
}

EdgeCredential *edge_credential_by_id(Edge *edge, guint32 id, GError **error)
{
    return find_credential(edge, EDGE_STATEMENT_CREDENTIAL, id, error);
}

EdgeCredential *edge_server_by_id(Edge *edge, guint32 id, GError **error)
{
    return find_credential(edge, EDGE_STATEMENT_SERVER, id, error);
}

/* Adds the states of one credential, if it has any; FALSE on error. */
static gboolean add_cram_states(EdgeLink *auth, guint32 id, gint64 now, GArray *states,
                                GError **error)
{
    sqlite3_stmt *statement = edge_link_statement(auth, EDGE_STATEMENT_CRAM_STATES, error);
    EdgeCram cram = {.id = id};
    int step;

    if (!statement)
        return FALSE;
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, now);
    while ((step = edge_link_step(auth, statement, error)) > 0 &&
           states->len < EDGE_CRAM_STATES_MAX) {
        if (sqlite3_column_bytes(statement, 0) != EDGE_CRAM_STATE_LENGTH)
            continue;
        memcpy(cram.state, sqlite3_column_blob(statement, 0), EDGE_CRAM_STATE_LENGTH);
        g_array_append_val(states, cram);
    }
    return step >= 0;
}

GArray *edge_cram_states(Edge *edge, const char *organization, const char *server, gint64 now,
                         GError **error)
{
    g_autoptr(EdgeLink) directory = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    g_autoptr(EdgeLink) auth = directory ? edge_link_take(edge, EDGE_FILE_AUTH, error) : NULL;
    sqlite3_stmt *statement =
        auth ? edge_link_statement(directory, EDGE_STATEMENT_SERVER_CREDENTIALS, error) : NULL;
    g_autoptr(GArray) states = g_array_new(FALSE, FALSE, sizeof(EdgeCram));
    int step = -1;

    if (!statement)
        return NULL;
    bind_text(statement, 1, organization);
    bind_text(statement, 2, server);
    while (states->len < EDGE_CRAM_STATES_MAX &&
           (step = edge_link_step(directory, statement, error)) > 0)
        if (!add_cram_states(auth, column_u32(statement, 0), now, states, error))
            return NULL;
    if (step < 0)
        return NULL;
    return g_steal_pointer(&states);
}

gboolean edge_cram_used(Edge *edge, gboolean *any, GError **error)
{
    g_autoptr(EdgeLink) auth = edge_link_take(edge, EDGE_FILE_AUTH, error);
    sqlite3_stmt *statement =
        auth ? edge_link_statement(auth, EDGE_STATEMENT_CRAM_USED, error) : NULL;
    int step = statement ? edge_link_step(auth, statement, error) : -1;

    if (step < 0)
        return FALSE;
    *any = step > 0;
    return TRUE;
}

static EdgeDomain *read_domain(sqlite3_stmt *row)
{
    EdgeDomain *domain = g_new0(EdgeDomain, 1);

    domain->id = column_u32(row, 0);
    domain->name = column_text(row, 1);
    domain->return_path_label = column_text(row, 2);
    return domain;
}

/* The server's goes before the organization's. 1 found, 0 none (*domain stays NULL), -1 error. */
static int find_domain(EdgeLink *link, EdgeStatement id, guint32 server, guint32 organization,
                       const char *name, gboolean exact, EdgeDomain **domain, GError **error)
{
    sqlite3_stmt *statement = edge_link_statement(link, id, error);

    if (!statement)
        return -1;
    sqlite3_bind_int64(statement, 1, server);
    if (sqlite3_bind_parameter_count(statement) > 1) {
        sqlite3_bind_int64(statement, 2, organization);
        bind_text(statement, 3, name);
        sqlite3_bind_int(statement, 4, exact);
    }
    int step;
    while ((step = edge_link_step(link, statement, error)) > 0) {
        if (*domain && !column_bool(statement, 3))
            continue;
        edge_domain_free(*domain);
        *domain = read_domain(statement);
    }
    return step < 0 ? step : *domain != NULL;
}

/* The name itself, then its parents of two labels or more. */
static int find_upward(EdgeLink *link, guint32 server, guint32 organization, const char *name,
                       EdgeDomain **domain, GError **error)
{
    const char *at = name;
    int found = 0;

    do {
        found = find_domain(link, EDGE_STATEMENT_DOMAIN, server, organization, at, at == name,
                            domain, error);
        at = strchr(at, '.');
    } while (found == 0 && at && strchr(++at, '.'));
    return found;
}

EdgeDomain *edge_domain_for(Edge *edge, guint32 server, guint32 organization, const char *name,
                            GError **error)
{
    g_autofree char *form = address_domain_form(name);
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    g_autoptr(EdgeDomain) domain = NULL;

    if (!link)
        return NULL;
    int found = form ? find_upward(link, server, organization, form, &domain, error) : 0;
    if (found == 0)
        found = find_domain(link, EDGE_STATEMENT_DOMAIN_FOR_ANY, server, organization, name, TRUE,
                            &domain, error);
    if (found == 0)
        not_found(error, "verified domain");
    return found > 0 ? g_steal_pointer(&domain) : NULL;
}

/* parameter below 0: the statement has none. */
static GArray *read_lanes(Edge *edge, EdgeStatement id, gint64 parameter, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement = link ? edge_link_statement(link, id, error) : NULL;
    g_autoptr(GArray) lanes = g_array_new(FALSE, TRUE, sizeof(EdgeLane));
    int step;

    if (!statement)
        return NULL;
    g_array_set_clear_func(lanes, (GDestroyNotify)edge_lane_clear);
    if (parameter >= 0)
        sqlite3_bind_int64(statement, 1, parameter);
    while ((step = edge_link_step(link, statement, error)) > 0) {
        EdgeLane lane = {.lane = column_u32(statement, 0),
                         .weight = column_u32(statement, 1),
                         .ipv4 = column_text(statement, 2),
                         .ipv6 = column_text(statement, 3),
                         .helo = column_text(statement, 4)};
        g_array_append_val(lanes, lane);
    }
    return step < 0 ? NULL : g_steal_pointer(&lanes);
}

GArray *edge_lanes_of_pool(Edge *edge, guint32 pool, GError **error)
{
    return pool ? read_lanes(edge, EDGE_STATEMENT_LANES_OF_POOL, pool, error)
                : read_lanes(edge, EDGE_STATEMENT_LANES_OF_DEFAULT_POOL, -1, error);
}

GArray *edge_lanes(Edge *edge, GError **error)
{
    return read_lanes(edge, EDGE_STATEMENT_LANES, -1, error);
}

GArray *edge_sign_keys(Edge *edge, guint32 domain, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_SIGN, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_SIGN_KEYS, error) : NULL;
    g_autoptr(GArray) keys = g_array_new(FALSE, TRUE, sizeof(EdgeSignKey));
    int step;

    if (!statement)
        return NULL;
    g_array_set_clear_func(keys, (GDestroyNotify)edge_sign_key_clear);
    sqlite3_bind_int64(statement, 1, domain);
    while ((step = edge_link_step(link, statement, error)) > 0) {
        EdgeSignKey key = {.selector = column_text(statement, 0),
                           .private_key = column_text(statement, 1),
                           .ed25519 = column_bool(statement, 2)};
        g_array_append_val(keys, key);
    }
    return step < 0 ? NULL : g_steal_pointer(&keys);
}

gboolean edge_state(Edge *edge, EdgeFile file, gint64 *epoch, gint64 *revision, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, file, error);
    sqlite3_stmt *statement = link ? edge_link_statement(link, EDGE_STATEMENT_STATE, error) : NULL;

    if (!statement || edge_link_step(link, statement, error) < 0)
        return FALSE;
    *epoch = sqlite3_column_int64(statement, 0);
    *revision = sqlite3_column_int64(statement, 1);
    return TRUE;
}
