/* SPDX-License-Identifier: MIT */
#include "cli/session.h"

#include "lib/base/error.h"

const Config *cli_config(Cli *cli, GError **error)
{
    if (!cli->config)
        cli->config =
            config_load(cli->config_file ? cli->config_file : OUTRIDER_CONFIG_FILE, error);
    cli->config_wrong = cli->config == NULL;
    return cli->config;
}

Sql *cli_sql_any_schema(Cli *cli, GError **error)
{
    g_autoptr(GError) why = NULL;
    const Config *config = cli_config(cli, error);

    if (!config || cli->sql)
        return cli->sql;
    cli->sql = sql_open(config, &why);
    /* Whatever stops the connection is no fault of what was typed. */
    if (!cli->sql)
        g_set_error_literal(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, why->message);
    return cli->sql;
}

Sql *cli_sql(Cli *cli, GError **error)
{
    Sql *sql = cli_sql_any_schema(cli, error);

    return sql && sql_schema_check(sql, error) ? sql : NULL;
}

void cli_clear(Cli *cli)
{
    g_clear_pointer(&cli->sql, sql_close);
    g_clear_pointer(&cli->config, config_free);
}
