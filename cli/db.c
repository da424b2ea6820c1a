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

typedef struct {
    const char *table, *privileges;
} Grant;

/* An identifier as SQL has it; g_free. */
static char *quoted(const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, "`", -1);
    g_autofree char *inner = g_strjoinv("``", parts);

    return g_strdup_printf("`%s`", inner);
}

/* One for each table; nothing when the user has no name. */
static void add_grants(Record *list, const Config *config, ConfigOption account,
                       const Grant *grants, guint n)
{
    g_autofree char *database = quoted(config_string(config, CONFIG_DB_NAME));
    g_autofree char *user = quoted(config_string(config, account));

    for (guint i = 0; i < n && *config_string(config, account); i++) {
        g_autofree char *text =
            g_strdup_printf("GRANT %s ON %s.`%s` TO %s@`localhost`;", grants[i].privileges,
                            database, grants[i].table, user);
        json_object_array_add(list, json_object_new_string(text));
    }
}

gboolean db_grants(Cli *cli, GError **error)
{
    static const Grant reader[] = {
#define X(table) {table, "SELECT"},
#include "lib/sql/reader_table.def"
#undef X
    };
    static const Grant manager[] = {
#define X(table, privileges) {table, privileges},
#include "lib/sql/manager_table.def"
#undef X
    };
    const Config *config = cli_config(cli, error);
    g_autoptr(Record) list = json_object_new_array();

    if (!config)
        return FALSE;
    add_grants(list, config, CONFIG_APID_DB_USER, reader, G_N_ELEMENTS(reader));
    add_grants(list, config, CONFIG_APID_MANAGE_DB_USER, manager, G_N_ELEMENTS(manager));
    for (gsize i = 0; !cli->json && i < json_object_array_length(list); i++)
        puts(json_object_get_string(json_object_array_get_idx(list, i)));
    return !cli->json || output_json(cli, list);
}
