/* SPDX-License-Identifier: MIT */
#include "lib/edge/edge_track.h"

#include "lib/edge/edge_pool.h"

void edge_track_free(EdgeTrack *track)
{
    if (!track)
        return;
    g_free(track->host);
    g_free(track->excluded);
    g_free(track);
}

static EdgeTrack *read_row(sqlite3_stmt *row)
{
    EdgeTrack *track = g_new0(EdgeTrack, 1);

    track->id = (guint32)sqlite3_column_int64(row, 0);
    track->server = (guint32)sqlite3_column_int64(row, 1);
    track->host = edge_link_text(row, 2);
    track->https = sqlite3_column_int(row, 3) != 0;
    track->clicks = sqlite3_column_int(row, 4) != 0;
    track->opens = sqlite3_column_int(row, 5) != 0;
    track->text_links = sqlite3_column_int(row, 6) != 0;
    track->excluded = edge_link_text(row, 7);
    track->active = sqlite3_column_int(row, 8) != 0;
    return track;
}

/* One of a domain goes before one for all. */
static gboolean read_one(EdgeLink *link, sqlite3_stmt *statement, EdgeTrack **found, GError **error)
{
    g_autoptr(EdgeTrack) first = NULL;
    int step;

    while ((step = edge_link_step(link, statement, error)) > 0) {
        if (first && sqlite3_column_int(statement, 9) == 0)
            continue;
        edge_track_free(first);
        first = read_row(statement);
    }
    if (step < 0)
        return FALSE;
    *found = g_steal_pointer(&first);
    return TRUE;
}

gboolean edge_track_for(Edge *edge, guint32 server, guint32 domain, EdgeTrack **found,
                        GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_TRACK_FOR, error) : NULL;

    if (!statement)
        return FALSE;
    sqlite3_bind_int64(statement, 1, server);
    sqlite3_bind_int64(statement, 2, domain);
    return read_one(link, statement, found, error);
}

gboolean edge_track_by_host(Edge *edge, const char *host, EdgeTrack **found, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(host, -1);
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_TRACK_BY_HOST, error) : NULL;

    if (!statement)
        return FALSE;
    sqlite3_bind_text(statement, 1, lower, -1, SQLITE_TRANSIENT);
    return read_one(link, statement, found, error);
}
