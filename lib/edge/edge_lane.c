/* SPDX-License-Identifier: MIT */
#include "lib/edge/edge_lane.h"

#include "lib/edge/edge_pool.h"

static void rule_free(gpointer data)
{
    EdgeLaneRule *rule = data;

    g_free(rule->from);
    g_free(rule->to);
    g_free(rule);
}

static char *column_text(sqlite3_stmt *row, int column)
{
    return g_strdup((const char *)sqlite3_column_text(row, column));
}

GPtrArray *edge_lane_rules(Edge *edge, guint32 server, guint32 organization, GError **error)
{
    g_autoptr(EdgeLink) link = edge_link_take(edge, EDGE_FILE_DIRECTORY, error);
    sqlite3_stmt *statement =
        link ? edge_link_statement(link, EDGE_STATEMENT_LANE_RULES, error) : NULL;
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func(rule_free);
    int step;

    if (!statement)
        return NULL;
    sqlite3_bind_int64(statement, 1, server);
    sqlite3_bind_int64(statement, 2, organization);
    while ((step = edge_link_step(link, statement, error)) > 0) {
        EdgeLaneRule *rule = g_new0(EdgeLaneRule, 1);
        rule->id = (guint32)sqlite3_column_int64(statement, 0);
        rule->of_server = sqlite3_column_int(statement, 1) != 0;
        rule->pool = (guint32)sqlite3_column_int64(statement, 2);
        rule->smarthost = (guint32)sqlite3_column_int64(statement, 3);
        rule->from = column_text(statement, 4);
        rule->to = column_text(statement, 5);
        g_ptr_array_add(rules, rule);
    }
    return step < 0 ? NULL : g_steal_pointer(&rules);
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
        EdgeLane lane = {
            .lane = (guint32)sqlite3_column_int64(statement, 0),
            .weight = 1,
            .next_hop = g_strdup_printf("[%s]:%d", (const char *)sqlite3_column_text(statement, 1),
                                        sqlite3_column_int(statement, 2))};
        g_array_append_val(lanes, lane);
    }
    return step < 0 ? NULL : g_steal_pointer(&lanes);
}
