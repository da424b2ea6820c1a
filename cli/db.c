/* SPDX-License-Identifier: MIT */
/* The database schema. */
#include <stdio.h>

#include "cli/output.h"
#include "cli/session.h"

#define US 1000000

static gboolean print_status(Cli *cli, int applied, GError **error)
{
    guint version = 0;
    g_autoptr(Record) record = json_object_new_object();

    if (!sql_schema_version(cli->sql, &version, error))
        return FALSE;
    json_object_object_add(record, "schema_version", json_object_new_int64(version));
    if (applied >= 0)
        json_object_object_add(record, "applied", json_object_new_int64(applied));
    if (version > 0) {
        Record *retention = record_list(cli->sql, SQL_RETENTION_LIST, NULL, 0, error);
        if (!retention)
            return FALSE;
        json_object_object_add(record, "retention", retention);
    }
    if (output_json(cli, record))
        return TRUE;
    output_record(record);
    return TRUE;
}

/* Where the migrations lie: beside this program when it was moved as a whole (a staged installation),
 * else where it was built for. g_free. */
static char *migrations_directory(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *bin = program ? g_path_get_dirname(program) : g_strdup("/");
    g_autofree char *beside = g_build_filename(bin, "..", "share", PACKAGE, "migrations", NULL);

    return g_file_test(beside, G_FILE_TEST_IS_DIR) ? g_steal_pointer(&beside)
                                                   : g_strdup(OUTRIDER_DATA_DIR "/migrations");
}

/* The configuration says how long history is kept; the table is what the maintenance goes by. */
static gboolean set_retention(Cli *cli, GError **error)
{
    const SqlParameter days[] = {SQL_UNSIGNED(config_int(cli->config, CONFIG_HISTORY_DAYS))};

    return sql_execute(cli->sql, SQL_RETENTION_SET, days, 1, NULL, NULL, error);
}

gboolean db_migrate(Cli *cli, GError **error)
{
    const char *directory = command_option(cli, "directory");
    g_autofree char *usual = migrations_directory();
    guint applied = 0;
    Sql *sql = cli_sql_any_schema(cli, error);

    if (!sql || !sql_migrate(sql, directory ? directory : usual, &applied, error) ||
        !set_retention(cli, error) || !sql_partitions_maintain(sql, g_get_real_time() / US, error))
        return FALSE;
    return print_status(cli, (int)applied, error);
}

gboolean db_status(Cli *cli, GError **error)
{
    return cli_sql_any_schema(cli, error) && print_status(cli, -1, error);
}

/* An identifier as SQL has it; g_free. */
static char *quoted(const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, "`", -1);
    g_autofree char *inner = g_strjoinv("``", parts);

    return g_strdup_printf("`%s`", inner);
}

gboolean db_grants(Cli *cli, GError **error)
{
    static const char *const tables[] = {
#define X(table) table,
#include "lib/sql/reader_table.def"
#undef X
    };
    const Config *config = cli_config(cli, error);
    g_autoptr(Record) list = json_object_new_array();

    if (!config)
        return FALSE;
    g_autofree char *database = quoted(config_string(config, CONFIG_DB_NAME));
    g_autofree char *user = quoted(config_string(config, CONFIG_APID_DB_USER));
    for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *text = g_strdup_printf("GRANT SELECT ON %s.`%s` TO %s@`localhost`;",
                                                database, tables[i], user);
        json_object_array_add(list, json_object_new_string(text));
        if (!cli->json)
            puts(text);
    }
    return cli->json ? output_json(cli, list) : TRUE;
}
