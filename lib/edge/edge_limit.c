/* SPDX-License-Identifier: MIT */
#include "lib/edge/edge_limit.h"

#include "lib/base/error.h"
#include "lib/edge/edge_pool.h"

void edge_limit_clear(EdgeLimit *limit)
{
    g_clear_pointer(&limit->subject_name, g_free);
}

static const char *word_at(sqlite3_stmt *row, int column)
{
    return (const char *)sqlite3_column_text(row, column);
}

static gboolean read_limit(sqlite3_stmt *row, EdgeLimit *limit, GError **error)
{
    if (!limit_subject_read(word_at(row, 1), &limit->subject) ||
        !limit_period_read(word_at(row, 4), &limit->period) ||
        !limit_action_read(word_at(row, 6), &limit->action)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                    "%s: rate_limit %" G_GINT64_FORMAT ": unknown subject, period or action",
                    edge_file_name(EDGE_FILE_DIRECTORY), (gint64)sqlite3_column_int64(row, 0));
        return FALSE;
    }
    limit->id = (guint32)sqlite3_column_int64(row, 0);
    limit->subject_id = (guint32)sqlite3_column_int64(row, 2);
    limit->subject_name = g_strdup(word_at(row, 3) ? word_at(row, 3) : "");
    limit->max = (guint32)sqlite3_column_int64(row, 5);
    return TRUE;
}

GArray *edge_limits(Edge *edge, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement = link ? edge_link_statement(link, EDGE_STATEMENT_LIMITS, error) : NULL;
    g_autoptr(GArray) limits = g_array_new(FALSE, TRUE, sizeof(EdgeLimit));
    int step;

    if (!statement)
        return NULL;
    g_array_set_clear_func(limits, (GDestroyNotify)edge_limit_clear);
    while ((step = edge_link_step(link, statement, error)) > 0) {
        EdgeLimit limit = {0};
        if (!read_limit(statement, &limit, error))
            return NULL;
        g_array_append_val(limits, limit);
    }
    return step < 0 ? NULL : g_steal_pointer(&limits);
}

gboolean edge_is_limited(Edge *edge, const EdgeCredential *credential, const char *rcpt_domain,
                         gboolean *limited, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_IS_LIMITED, error) : NULL;

    if (!statement)
        return FALSE;
    sqlite3_bind_int64(statement, 1, credential->organization);
    sqlite3_bind_int64(statement, 2, credential->server);
    sqlite3_bind_int64(statement, 3, credential->id);
    sqlite3_bind_text(statement, 4, rcpt_domain ? rcpt_domain : "", -1, SQLITE_TRANSIENT);
    int step = edge_link_step(link, statement, error);
    if (step < 0)
        return FALSE;
    *limited = step > 0;
    return TRUE;
}
