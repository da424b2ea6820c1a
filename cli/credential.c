/* SPDX-License-Identifier: MIT */
/* What a credential can do besides what every object of the directory can. */
#include "cli/output.h"
#include "cli/session.h"
#include "lib/directory/credential_rotate.h"

gboolean credential_rotate(Cli *cli, GError **error)
{
    Sql *sql = cli_sql(cli, error);

    if (!sql)
        return FALSE;
    g_autoptr(Record) record =
        directory_credential_rotate(sql, cli->arguments, command_option(cli, "overlap"), error);
    if (!record)
        return FALSE;
    if (!output_json(cli, record))
        output_record(record);
    return TRUE;
}
