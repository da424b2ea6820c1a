/* SPDX-License-Identifier: MIT */
/* A route: shown with its forward address. */
#include "cli/output.h"
#include "cli/session.h"
#include "lib/directory/route_shown.h"

static gboolean print(Cli *cli, Record *record)
{
    route_show_forward(cli->config, record);
    if (!output_json(cli, record))
        output_record(record);
    return TRUE;
}

gboolean route_add(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record =
        directory_add(sql, DIRECTORY_ROUTE, cli->arguments, cli->options, cli->n_options, error);
    return record && print(cli, record);
}

gboolean route_show(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record = directory_show(sql, DIRECTORY_ROUTE, cli->arguments, error);
    return record && print(cli, record);
}

gboolean route_change(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record =
        directory_change(sql, DIRECTORY_ROUTE, cli->arguments, cli->options, cli->n_options, error);
    return record && print(cli, record);
}
