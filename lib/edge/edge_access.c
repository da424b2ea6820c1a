/* SPDX-License-Identifier: MIT */
#include "lib/edge/edge_access.h"

#include <string.h>

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/edge/edge_pool.h"

/* 1 found, 0 none, -1 error. */
static int find_source(Edge *edge, const guint8 address[NETWORK_OCTETS], guint32 *id,
                       GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement = link ? edge_link_statement(link, EDGE_STATEMENT_SOURCE, error) : NULL;

    if (!statement)
        return -1;
    sqlite3_bind_blob(statement, 1, address, NETWORK_OCTETS, SQLITE_TRANSIENT);
    int step = edge_link_step(link, statement, error);
    if (step > 0)
        *id = (guint32)sqlite3_column_int64(statement, 0);
    return step;
}

EdgeCredential *edge_credential_by_address(Edge *edge, const char *client, GError **error)
{
    guint8 address[NETWORK_OCTETS];
    guint32 id = 0;
    int found = 0;

    if (client && network_address(client, address))
        found = find_source(edge, address, &id, error);
    if (found > 0)
        return edge_credential_by_id(edge, id, error);
    if (found == 0)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND,
                    "no credential has that address");
    return NULL;
}

/* Whether a statement about the credential (its first parameter) has a row. */
static gboolean has_row(EdgeLink *link, sqlite3_stmt *statement, guint32 credential,
                        gboolean *found, GError **error)
{
    sqlite3_bind_int64(statement, 1, credential);
    int step = edge_link_step(link, statement, error);
    if (step < 0)
        return FALSE;
    *found = step > 0;
    return TRUE;
}

const char *edge_credential_unusable(const EdgeCredential *credential, gint64 now)
{
    if (credential->disabled)
        return "disabled";
    if (credential->expires_at && credential->expires_at <= now)
        return "expired";
    return NULL;
}

gboolean edge_network_allowed(Edge *edge, const EdgeCredential *credential, const char *client,
                              gboolean *allowed, GError **error)
{
    guint8 address[NETWORK_OCTETS];

    if (!credential->has_networks || !client || !network_address(client, address)) {
        *allowed = !credential->has_networks;
        return TRUE;
    }
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_NETWORK_ALLOWED, error) : NULL;
    if (!statement)
        return FALSE;
    sqlite3_bind_blob(statement, 2, address, sizeof address, SQLITE_TRANSIENT);
    return has_row(link, statement, credential->id, allowed, error);
}

gboolean edge_sender_allowed(Edge *edge, const EdgeCredential *credential, const char *address,
                             gboolean *allowed, GError **error)
{
    g_autofree char *form = g_str_has_suffix(address, ".") ? NULL : address_form(address);

    if (!credential->has_senders || !form) {
        *allowed = !credential->has_senders;
        return TRUE;
    }
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_SENDER_ALLOWED, error) : NULL;
    if (!statement)
        return FALSE;
    sqlite3_bind_text(statement, 2, form, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 3, strrchr(form, '@'), -1, SQLITE_TRANSIENT);
    return has_row(link, statement, credential->id, allowed, error);
}
