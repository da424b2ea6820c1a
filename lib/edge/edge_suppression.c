/* SPDX-License-Identifier: MIT */
#include "lib/edge/edge_suppression.h"

#include "lib/edge/edge_pool.h"

void edge_suppression_free(EdgeSuppression *suppression)
{
    if (!suppression)
        return;
    g_free(suppression->address);
    g_free(suppression->source);
    g_free(suppression->reason);
    g_free(suppression);
}

static SuppressionScope scope_of(gint64 owner)
{
    if (owner == 0)
        return SUPPRESSION_OF_INSTALLATION;
    return owner < 0 ? SUPPRESSION_OF_ORGANIZATION : SUPPRESSION_OF_SERVER;
}

static EdgeSuppression *read_row(sqlite3_stmt *row)
{
    EdgeSuppression *suppression = g_new0(EdgeSuppression, 1);

    suppression->id = (guint64)sqlite3_column_int64(row, 0);
    suppression->scope = scope_of(sqlite3_column_int64(row, 1));
    suppression->address = edge_link_text(row, 2);
    suppression->source = edge_link_text(row, 3);
    suppression->reason = edge_link_text(row, 4);
    suppression->created_at = sqlite3_column_int64(row, 5);
    suppression->expires_at = sqlite3_column_int64(row, 6);
    return suppression;
}

/* The row of the least rank, which is its last column; *found is NULL. */
static gboolean find_first(EdgeLink *link, sqlite3_stmt *statement, EdgeSuppression **found,
                           GError **error)
{
    g_autoptr(EdgeSuppression) first = NULL;
    int least = G_MAXINT, step;

    while ((step = edge_link_step(link, statement, error)) > 0) {
        int rank = sqlite3_column_int(statement, 7);
        if (rank >= least)
            continue;
        least = rank;
        edge_suppression_free(first);
        first = read_row(statement);
    }
    if (step < 0)
        return FALSE;
    *found = g_steal_pointer(&first);
    return TRUE;
}

gboolean edge_suppression_find(Edge *edge, const EdgeCredential *credential, const char *recipient,
                               gint64 now, EdgeSuppression **found, GError **error)
{
    g_autofree char *address = suppression_lookup(recipient);
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_SUPPRESSION, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_SUPPRESSION, error) : NULL;

    if (!statement)
        return FALSE;
    *found = NULL;
    if (!address)
        return TRUE;
    sqlite3_bind_text(statement, 1, address, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, suppression_domain(address), -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(statement, 3, -(gint64)credential->organization);
    sqlite3_bind_int64(statement, 4, credential->server);
    sqlite3_bind_int64(statement, 5, now);
    return find_first(link, statement, found, error);
}

static char *day_of(gint64 seconds)
{
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(seconds);

    return when ? g_date_time_format(when, "%Y-%m-%d") : g_strdup("?");
}

char *edge_suppression_text(const EdgeSuppression *suppression, const EdgeCredential *credential)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *since = day_of(suppression->created_at);

    g_string_append_printf(text, "%s is suppressed for ", suppression->address);
    if (suppression->scope == SUPPRESSION_OF_INSTALLATION)
        g_string_append(text, "the installation");
    else if (suppression->scope == SUPPRESSION_OF_ORGANIZATION)
        g_string_append_printf(text, "organization %s", credential->organization_permalink);
    else
        g_string_append_printf(text, "server %s/%s", credential->organization_permalink,
                               credential->server_permalink);
    g_string_append_printf(text, ": %s (%s, since %s", suppression->reason, suppression->source,
                           since);
    if (suppression->expires_at) {
        g_autofree char *until = day_of(suppression->expires_at);
        g_string_append_printf(text, ", until %s", until);
    }
    g_string_append_c(text, ')');
    return g_string_free(g_steal_pointer(&text), FALSE);
}
