/* SPDX-License-Identifier: MIT */
/*
 * Rate limits: one subject may have several, one for each period. The directory knows them, policyd of
 * this host what is counted.
 */
#include "lib/directory/limit.h"

#include <stdio.h>

#include "cli/output.h"
#include "cli/session.h"
#include "lib/base/error.h"
#include "lib/service/ask.h"
#include "lib/wire/charge.h"

static gboolean print_list(const Cli *cli, Record *list)
{
    if (!output_json(cli, list))
        output_table(list, "subject max period action created_at");
    return TRUE;
}

gboolean limit_set(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record = directory_limit_set(sql, cli->arguments[0], cli->arguments[1],
                                                   command_option(cli, "action"), error);
    if (!record)
        return FALSE;
    if (!output_json(cli, record))
        output_record(record);
    return TRUE;
}

gboolean limit_list(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) list = directory_limit_list(sql, cli->arguments[0], error);
    return list && print_list(cli, list);
}

/* The answer to a request about one limit. NULL: policyd is away. */
static char *ask_about(AskLink *link, ChargeVerb verb, const Record *limit, GError **error)
{
    const ChargeRequest request = {.verb = verb, .limit = (guint32)record_int(limit, "id")};
    g_autoptr(GString) line = g_string_new(NULL);

    charge_request_append(line, &request);
    return ask_send(link, line, error) ? ask_line(link, error) : NULL;
}

/* Adds what each node counted, as an object: NULL when only this one did. */
static void add_nodes(Record *limit, const ChargeCount *count)
{
    json_object *nodes = count->n > 0 ? json_object_new_object() : NULL;

    for (guint i = 0; i < count->n; i++) {
        g_autofree char *node = g_strdup_printf("%u", count->shares[i].node);
        json_object_object_add(nodes, node, json_object_new_int64((gint64)count->shares[i].count));
    }
    json_object_object_add(limit, "nodes", nodes);
}

/* Adds count, room_in (seconds) and nodes to a limit: NULL where policyd does not know it. */
static gboolean add_count(AskLink *link, Record *limit, GError **error)
{
    g_autofree char *answer = ask_about(link, CHARGE_COUNT, limit, error);
    g_autoptr(GError) unknown = NULL;
    ChargeCount count = {0};

    if (!answer)
        return FALSE;
    gboolean known = charge_count_parse(answer, &count, &unknown);
    if (!known && !g_error_matches(unknown, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&unknown));
        return FALSE;
    }
    json_object_object_add(limit, "count",
                           known ? json_object_new_int64((gint64)count.count) : NULL);
    json_object_object_add(limit, "room_in",
                           known && count.wait_us >= 0
                               ? json_object_new_double((double)count.wait_us / G_USEC_PER_SEC)
                               : NULL);
    add_nodes(limit, &count);
    return TRUE;
}

/* Without policyd the limits are shown all the same. */
static void add_counts(Cli *cli, Record *list)
{
    g_autoptr(GError) error = NULL;
    const Config *config = cli_config(cli, &error);
    g_autoptr(AskLink) link = config ? ask_open(config, CHARGE_SOCKET, &error) : NULL;
    gboolean good = link != NULL;

    for (gsize i = 0; i < json_object_array_length(list) && good; i++)
        good = add_count(link, json_object_array_get_idx(list, i), &error);
    if (!good)
        g_printerr("outrider: no counters: %s\n", error->message);
}

/* Makes text of nodes: "1: 60, 2: 40". FALSE: no limit has any. */
static gboolean nodes_to_text(Record *list)
{
    gboolean any = FALSE;

    for (gsize i = 0; i < json_object_array_length(list); i++) {
        Record *limit = json_object_array_get_idx(list, i);
        Record *nodes = json_object_object_get(limit, "nodes");
        g_autoptr(GString) text = g_string_new(NULL);
        if (!nodes)
            continue;
        json_object_object_foreach(nodes, node, count)
        {
            g_string_append_printf(text, "%s%s: %" G_GINT64_FORMAT, text->len > 0 ? ", " : "", node,
                                   json_object_get_int64(count));
        }
        json_object_object_add(limit, "nodes", json_object_new_string(text->str));
        any = TRUE;
    }
    return any;
}

gboolean limit_show(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) list = directory_limit_show(sql, cli->arguments[0], error);
    if (!list)
        return FALSE;
    add_counts(cli, list);
    if (!output_json(cli, list))
        output_table(list, nodes_to_text(list)
                               ? "subject max period action count nodes room_in created_at"
                               : "subject max period action count room_in created_at");
    return TRUE;
}

gboolean limit_reset(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    g_autoptr(Record) list = sql ? directory_limit_show(sql, cli->arguments[0], error) : NULL;
    const Config *config = list ? cli_config(cli, error) : NULL;
    g_autoptr(AskLink) link = config ? ask_open(config, CHARGE_SOCKET, error) : NULL;

    if (!link)
        return FALSE;
    for (gsize i = 0; i < json_object_array_length(list); i++) {
        const Record *limit = json_object_array_get_idx(list, i);
        g_autofree char *answer = ask_about(link, CHARGE_RESET, limit, error);
        if (!answer)
            return FALSE;
    }
    puts(cli->json ? "{\"reset\": true}" : "reset");
    return TRUE;
}

gboolean limit_delete(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql || !directory_limit_delete(sql, cli->arguments[0], cli->arguments[1], error))
        return FALSE;
    puts(cli->json ? "{\"deleted\": true}" : "deleted");
    return TRUE;
}
