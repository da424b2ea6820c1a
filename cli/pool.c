/* SPDX-License-Identifier: MIT */
/* Who may use a pool. */
#include <stdio.h>

#include "cli/output.h"
#include "cli/session.h"
#include "lib/directory/pool_access.h"

gboolean pool_allow(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql || !pool_access_allow(sql, cli->arguments[0], cli->arguments[1], error))
        return FALSE;
    puts(cli->json ? "{\"allowed\": true}" : "allowed");
    return TRUE;
}

gboolean pool_deny(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql || !pool_access_deny(sql, cli->arguments[0], cli->arguments[1], error))
        return FALSE;
    puts(cli->json ? "{\"denied\": true}" : "denied");
    return TRUE;
}

static void print_organizations(const Record *pool, const Record *list)
{
    gboolean all = record_int(pool, "is_default") != 0;
    g_autoptr(GString) text = g_string_new(all ? "all" : NULL);

    for (gsize i = 0; !all && i < json_object_array_length(list); i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "",
                               json_object_get_string(json_object_array_get_idx(list, i)));
    printf("open to organizations: %s\n", text->len ? text->str : "none");
}

gboolean pool_show(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    g_autoptr(Record) pool =
        sql ? directory_show(sql, DIRECTORY_POOL, cli->arguments, error) : NULL;
    Record *list = pool ? pool_access_list(sql, record_int(pool, "id"), error) : NULL;

    if (!list)
        return FALSE;
    json_object_object_add(pool, "organizations", list);
    if (output_json(cli, pool))
        return TRUE;
    output_record(pool);
    print_organizations(pool, list);
    return TRUE;
}
