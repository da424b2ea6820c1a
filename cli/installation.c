/* SPDX-License-Identifier: MIT */
/* The installation's own keys and the DNS records of the return-path domain. */
#include <stdio.h>

#include "cli/output.h"
#include "cli/session.h"
#include "lib/directory/key.h"
#include "lib/directory/publish.h"

/* Each address of a pool has an A record. */
static gboolean has_addresses(Record *dns)
{
    for (gsize i = 0; i < json_object_array_length(dns); i++)
        if (g_str_equal(record_text(json_object_array_get_idx(dns, i), "type"), "A"))
            return TRUE;
    return FALSE;
}

gboolean installation_show(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    const char *return_path = config_string(cli->config, CONFIG_RETURN_PATH_DOMAIN);
    const char *hostname = config_string(cli->config, CONFIG_HOSTNAME);
    Record *dns = publish_installation(sql, return_path, hostname, error);
    if (!dns)
        return FALSE;
    g_autoptr(Record) record = json_object_new_object();
    json_object_object_add(record, "return_path_domain", json_object_new_string(return_path));
    json_object_object_add(record, "hostname", json_object_new_string(hostname));
    json_object_object_add(record, "dns", dns);
    if (output_json(cli, record))
        return TRUE;
    output_record(record);
    printf("\nDNS records to publish:\n");
    output_dns(dns);
    if (!has_addresses(dns))
        printf(
            "\nThere is no pool address yet: after each `outrider address add' the SPF record is "
            "another one;\n`outrider installation show' prints it.\n");
    return TRUE;
}

gboolean installation_init(Cli *cli, GError **error)
{
    guint made = 0;
    Sql *sql = cli_sql(cli, error);

    if (!sql || !directory_installation_init(sql, &made, error))
        return FALSE;
    if (!cli->json)
        printf("%s\n\n", made ? "DKIM keys were made." : "DKIM keys existed already.");
    return installation_show(cli, error);
}
