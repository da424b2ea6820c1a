/* SPDX-License-Identifier: MIT */
/* A route: shown with its forward address. */
#include "cli/output.h"
#include "cli/session.h"

static void add_forward(const Config *config, Record *record)
{
    const char *domain = config_string(config, CONFIG_ROUTE_DOMAIN);
    gboolean has = *domain && !record_is_null(record, "domain");
    g_autofree char *address =
        has ? g_strconcat(record_text(record, "token"), "@", domain, NULL) : NULL;

    json_object_object_add(record, "forward_address",
                           address ? json_object_new_string(address) : NULL);
}

static gboolean print(Cli *cli, Record *record)
{
    add_forward(cli->config, record);
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
