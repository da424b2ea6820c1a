/* SPDX-License-Identifier: MIT */
#include "lib/directory/api_token.h"

#include "lib/base/error.h"
#include "lib/edge/edge.h"

void directory_token_free(DirectoryToken *token)
{
    if (!token)
        return;
    g_free(token->name);
    g_free(token->organization);
    g_free(token->server);
    g_free(token);
}

static gboolean keep(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    DirectoryToken *token = g_new0(DirectoryToken, 1);

    token->id = sql_row_unsigned(row, 0);
    token->name = g_strdup(sql_row_text(row, 1));
    token->organization = g_strdup(sql_row_text(row, 2));
    token->server = g_strdup(sql_row_text(row, 3));
    token->suspended = sql_row_int(row, 4) != 0;
    token->last_used_at = sql_row_is_null(row, 5) ? 0 : sql_row_int(row, 5);
    *(DirectoryToken **)data = token;
    return FALSE;
}

DirectoryToken *directory_token_find(Sql *sql, const char *text, gint64 now, GError **error)
{
    guint8 hash[EDGE_KEY_HASH_LENGTH];
    g_autoptr(DirectoryToken) token = NULL;

    edge_key_hash(text, hash);
    const SqlParameter parameters[] = {SQL_OCTETS(hash, sizeof hash), SQL_INT(now)};
    if (!sql_query(sql, SQL_TOKEN_BY_HASH, parameters, 2, keep, &token, error))
        return NULL;
    if (!token)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "there is no such token");
    return g_steal_pointer(&token);
}

gboolean directory_token_used(Sql *sql, const DirectoryToken *token, gint64 now, GError **error)
{
    const gint64 due = now - DIRECTORY_TOKEN_USE_SECONDS;
    const SqlParameter parameters[] = {SQL_INT(now), SQL_UNSIGNED(token->id), SQL_INT(due)};

    return token->last_used_at > due ||
           sql_execute(sql, SQL_TOKEN_USED, parameters, 3, NULL, NULL, error);
}
