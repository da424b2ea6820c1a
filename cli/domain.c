/* SPDX-License-Identifier: MIT */
/* A domain is shown with the DNS records to publish. */
#include <stdio.h>

#include "cli/output.h"
#include "cli/session.h"
#include "lib/directory/publish.h"

static gboolean print(Cli *cli, Record *record, GError **error)
{
    const char *return_path = config_string(cli->config, CONFIG_RETURN_PATH_DOMAIN);
    Record *dns = publish_domain(cli->sql, record_text(record, "name"), record_int(record, "id"),
                                 return_path, error);

    if (!dns)
        return FALSE;
    json_object_object_add(record, "dns", dns);
    if (output_json(cli, record))
        return TRUE;
    output_record(record);
    printf("\nDNS records to publish (DMARC is advice: keep a policy that exists):\n");
    output_dns(dns);
    return TRUE;
}

gboolean domain_add(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record =
        directory_add(sql, DIRECTORY_DOMAIN, cli->arguments, cli->options, cli->n_options, error);
    return record && print(cli, record, error);
}

gboolean domain_show(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record = directory_show(sql, DIRECTORY_DOMAIN, cli->arguments, error);
    return record && print(cli, record, error);
}
