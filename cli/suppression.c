/* SPDX-License-Identifier: MIT */
/* Recipients that nothing is sent to, one by one; whole files of them: suppression_file.c. */
#include "lib/directory/suppression.h"

#include <stdio.h>

#include "cli/output.h"
#include "cli/session.h"
#include "lib/base/error.h"

#define LIST_DEFAULT 50

static gboolean print_list(const Cli *cli, Record *list)
{
    if (!output_json(cli, list))
        output_table(list, "id scope address source reason created_at expires_at");
    return TRUE;
}

static gboolean read_filter(const Cli *cli, SuppressionFilter *filter, GError **error)
{
    const char *after = command_option(cli, "after"), *limit = command_option(cli, "limit");

    filter->scope = cli->arguments[0];
    filter->address = command_option(cli, "address");
    filter->domain = command_option(cli, "domain");
    filter->source = command_option(cli, "source");
    filter->limit = LIST_DEFAULT;
    return (!after || command_number("after", after, G_MAXINT64, &filter->after, error)) &&
           (!limit || command_number("limit", limit, SUPPRESSION_PAGE_MAX, &filter->limit, error));
}

gboolean suppression_list(Cli *cli, GError **error)
{
    SuppressionFilter filter = {0};

    if (!read_filter(cli, &filter, error))
        return FALSE;
    Sql *sql = cli_sql(cli, error);
    g_autoptr(Record) list = sql ? directory_suppression_list(sql, &filter, error) : NULL;
    return list && print_list(cli, list);
}

gboolean suppression_show(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    g_autoptr(Record) list = sql ? directory_suppression_show(sql, cli->arguments[0], error) : NULL;

    if (!list)
        return FALSE;
    if (output_json(cli, list))
        return TRUE;
    for (gsize i = 0; i < json_object_array_length(list); i++) {
        if (i > 0)
            putchar('\n');
        output_record(json_object_array_get_idx(list, i));
    }
    return TRUE;
}

gboolean suppression_add(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);
    g_autoptr(Record) record =
        sql ? directory_suppression_add(sql, cli->arguments[0], cli->arguments[1],
                                        command_option(cli, "reason"),
                                        command_option(cli, "expires"), error)
            : NULL;

    if (!record)
        return FALSE;
    if (!output_json(cli, record))
        output_record(record);
    return TRUE;
}

gboolean suppression_remove(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql || !directory_suppression_remove(sql, cli->arguments[0], cli->arguments[1], error))
        return FALSE;
    puts(cli->json ? "{\"removed\": 1}" : "removed");
    return TRUE;
}

gboolean suppression_clear(Cli *cli, GError **error)
{
    guint64 removed = 0;

    if (!command_option(cli, "yes")) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                    "suppressions of %s: to remove them say --yes", cli->arguments[0]);
        return FALSE;
    }
    Sql *sql = cli_sql(cli, error);
    if (!sql || !directory_suppression_clear(sql, cli->arguments[0], command_option(cli, "source"),
                                             &removed, error))
        return FALSE;
    printf(cli->json ? "{\"removed\": %" G_GUINT64_FORMAT "}\n" : "%" G_GUINT64_FORMAT " removed\n",
           removed);
    return TRUE;
}
