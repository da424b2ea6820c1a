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

/* Adds count and room_in (seconds) to a limit: NULL where policyd does not know it. */
static gboolean add_count(AskLink *link, Record *limit, GError **error)
{
    g_autofree char *answer = ask_about(link, CHARGE_COUNT, limit, error);
    g_autoptr(GError) unknown = NULL;
    guint64 count = 0;
    gint64 wait_us = 0;

    if (!answer)
        return FALSE;
    gboolean known = charge_count_parse(answer, &count, &wait_us, &unknown);
    if (!known && !g_error_matches(unknown, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&unknown));
        return FALSE;
    }
    json_object_object_add(limit, "count", known ? json_object_new_int64((gint64)count) : NULL);
    json_object_object_add(
        limit, "room_in",
        known && wait_us >= 0 ? json_object_new_double((double)wait_us / G_USEC_PER_SEC) : NULL);
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
        output_table(list, "subject max period action count room_in created_at");
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
