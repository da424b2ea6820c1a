/* SPDX-License-Identifier: MIT */
#include "lib/edge/edge_lane.h"

#include "lib/base/condition.h"
#include "lib/edge/edge_pool.h"
#include "lib/edge/lane_served.h"

static gboolean goes_before(const EdgeLaneRule *rule, const EdgeLaneRule *other)
{
    if (rule->of_server != other->of_server)
        return rule->of_server;
    return rule->id > other->id;
}

/* Puts the first rule that holds for an address into *rule, if it goes before what is there. */
static gboolean ask(EdgeLink *link, const EdgeCredential *credential, const char *side,
                    const char *address, EdgeLaneRule *rule, GError **error)
{
    g_autofree char *whole = NULL, *domain = NULL;
    sqlite3_stmt *statement = edge_link_statement(link, EDGE_STATEMENT_LANE_RULE, error);

    if (!statement)
        return FALSE;
    if (!condition_keys(address, &whole, &domain))
        return TRUE;
    sqlite3_bind_int64(statement, 1, credential->server);
    sqlite3_bind_int64(statement, 2, -(gint64)credential->organization);
    sqlite3_bind_text(statement, 3, side, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, whole, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 5, domain, -1, SQLITE_TRANSIENT);
    int step;
    while ((step = edge_link_step(link, statement, error)) > 0) {
        EdgeLaneRule found = {.of_server = sqlite3_column_int(statement, 0) != 0,
                              .id = (guint32)sqlite3_column_int64(statement, 1),
                              .pool = (guint32)sqlite3_column_int64(statement, 2),
                              .smarthost = (guint32)sqlite3_column_int64(statement, 3)};
        if (goes_before(&found, rule))
            *rule = found;
    }
    return step >= 0;
}

gboolean edge_lane_rule(Edge *edge, const EdgeCredential *credential, const GPtrArray *from,
                        const char *rcpt, EdgeLaneRule *rule, GError **error)
{
    EdgeLaneRule best = {0};

    if (!credential->has_rules) {
        *rule = best;
        return TRUE;
    }
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    if (!link || !ask(link, credential, "to", rcpt, &best, error))
        return FALSE;
    for (guint i = 0; i < from->len; i++)
        if (!ask(link, credential, "from", from->pdata[i], &best, error))
            return FALSE;
    *rule = best;
    return TRUE;
}

gboolean edge_pool_that_defers(Edge *edge, guint32 pool, char **name, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_POOL_THAT_DEFERS, error) : NULL;

    if (!statement)
        return FALSE;
    sqlite3_bind_int64(statement, 1, pool);
    int step = edge_link_step(link, statement, error);
    if (step < 0)
        return FALSE;
    *name = step > 0 ? g_strdup((const char *)sqlite3_column_text(statement, 0)) : NULL;
    return TRUE;
}

static char *next_hop(sqlite3_stmt *row, int host, int port)
{
    const char *name = (const char *)sqlite3_column_text(row, host);

    return name ? g_strdup_printf("[%s]:%d", name, sqlite3_column_int(row, port)) : NULL;
}

GArray *edge_smarthost(Edge *edge, guint32 smarthost, GError **error)
{
    EdgeStatement id = smarthost ? EDGE_STATEMENT_SMARTHOST : EDGE_STATEMENT_SMARTHOST_DEFAULT;
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement = link ? edge_link_statement(link, id, error) : NULL;
    g_autoptr(GArray) lanes = g_array_new(FALSE, TRUE, sizeof(EdgeLane));

    if (!statement)
        return NULL;
    g_array_set_clear_func(lanes, (GDestroyNotify)edge_lane_clear);
    if (smarthost)
        sqlite3_bind_int64(statement, 1, smarthost);
    int step = edge_link_step(link, statement, error);
    if (step > 0) {
        EdgeLane lane = {.lane = (guint32)sqlite3_column_int64(statement, 0),
                         .weight = 1,
                         .next_hop = next_hop(statement, 1, 2)};
        g_array_append_val(lanes, lane);
    }
    return step < 0 ? NULL : g_steal_pointer(&lanes);
}

void edge_lane_state_clear(EdgeLaneState *state)
{
    g_clear_pointer(&state->next_hop, g_free);
}

GArray *edge_lane_states(Edge *edge, const GArray *served, gint64 gone_after, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_LANE_STATES, error) : NULL;
    g_autoptr(GArray) lanes = g_array_new(FALSE, TRUE, sizeof(EdgeLaneState));
    int step;

    if (!statement)
        return NULL;
    g_array_set_clear_func(lanes, (GDestroyNotify)edge_lane_state_clear);
    sqlite3_bind_int64(statement, 1, gone_after);
    while ((step = edge_link_step(link, statement, error)) > 0) {
        EdgeLaneState lane = {.lane = (guint32)sqlite3_column_int64(statement, 0),
                              .pool = (guint32)sqlite3_column_int64(statement, 1),
                              .weight = (guint32)sqlite3_column_int64(statement, 2),
                              .next_hop = next_hop(statement, 3, 4),
                              .is_default = sqlite3_column_int(statement, 5) != 0,
                              .gone = sqlite3_column_int(statement, 6) != 0,
                              .defer = sqlite3_column_int(statement, 7) != 0};
        lane.served = !lane.gone && lane_served_has(served, lane.lane);
        g_array_append_val(lanes, lane);
    }
    return step < 0 ? NULL : g_steal_pointer(&lanes);
}
