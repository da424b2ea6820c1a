/* SPDX-License-Identifier: MIT */
/* add, list, show, change and delete, the same for every object of the directory. */
#include <stdio.h>

#include "cli/output.h"
#include "cli/postfix_ways.h"
#include "cli/session.h"

static const char *const columns[] = {
    [DIRECTORY_ORGANIZATION] = "permalink name suspended_at created_at",
    [DIRECTORY_SERVER] = "organization permalink name mode pool smarthost suspended_at",
    [DIRECTORY_DOMAIN] =
        "organization server name verified_at use_for_any subdomains dns_status dns_checked_at",
    [DIRECTORY_CREDENTIAL] = "id organization server name type networks hold cram_md5 disabled_at "
                             "expires_at last_used_at usage",
    [DIRECTORY_POOL] = "name is_default fallback addresses servers",
    [DIRECTORY_ADDRESS] = "pool lane ipv4 ipv6 helo weight",
    [DIRECTORY_SMARTHOST] =
        "name organization server lane host port tls username is_default servers",
    [DIRECTORY_TOKEN] = "id name organization server disabled_at expires_at last_used_at",
    [DIRECTORY_TRACK_DOMAIN] =
        "organization server host domain https clicks opens text_links active dns_status",
    [DIRECTORY_ENDPOINT] =
        "organization server name kind url host port tls address resolved routes",
    [DIRECTORY_ROUTE] = "organization server address mode spam_mode endpoints token",
    [DIRECTORY_RULE] = "id organization server pool smarthost from_conditions to_conditions",
};

static DirectoryObject object_of(const Cli *cli)
{
    return (DirectoryObject)cli->command->directory;
}

static gboolean print(const Cli *cli, Record *record)
{
    if (!output_json(cli, record))
        output_record(record);
    return TRUE;
}

/* Whether Postfix is to follow a change of it. */
static gboolean is_way(const Cli *cli)
{
    return cli->command->directory == DIRECTORY_ADDRESS ||
           cli->command->directory == DIRECTORY_SMARTHOST;
}

/* Weights are not Postfix's business; what a pool's mail does without addresses is. */
static gboolean changes_ways(const Cli *cli)
{
    if (cli->command->directory == DIRECTORY_POOL)
        return command_option(cli, "fallback") != NULL;
    return is_way(cli) && !(cli->n_options == 1 && command_option(cli, "weight"));
}

gboolean object_add(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record =
        directory_add(sql, object_of(cli), cli->arguments, cli->options, cli->n_options, error);
    if (!record)
        return FALSE;
    if (is_way(cli))
        postfix_ways_follow(cli);
    return print(cli, record);
}

gboolean object_list(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) list = directory_list(sql, object_of(cli), cli->arguments[0], error);
    if (!list)
        return FALSE;
    if (!output_json(cli, list))
        output_table(list, columns[object_of(cli)]);
    return TRUE;
}

gboolean object_show(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record = directory_show(sql, object_of(cli), cli->arguments, error);
    return record && print(cli, record);
}

gboolean object_change(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record =
        directory_change(sql, object_of(cli), cli->arguments, cli->options, cli->n_options, error);
    if (!record)
        return FALSE;
    if (changes_ways(cli))
        postfix_ways_follow(cli);
    return print(cli, record);
}

gboolean object_delete(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql || !directory_delete(sql, object_of(cli), cli->arguments, error))
        return FALSE;
    if (is_way(cli))
        postfix_ways_follow(cli);
    if (!cli->json)
        printf("deleted\n");
    else
        printf("{\"deleted\": true}\n");
    return TRUE;
}
