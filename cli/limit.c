/* SPDX-License-Identifier: MIT */
/* Rate limits: one subject may have several, one for each period. */
#include "lib/directory/limit.h"

#include <stdio.h>

#include "cli/output.h"
#include "cli/session.h"

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

gboolean limit_show(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) list = directory_limit_show(sql, cli->arguments[0], error);
    return list && print_list(cli, list);
}

gboolean limit_delete(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql || !directory_limit_delete(sql, cli->arguments[0], cli->arguments[1], error))
        return FALSE;
    puts(cli->json ? "{\"deleted\": true}" : "deleted");
    return TRUE;
}
