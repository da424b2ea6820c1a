/* SPDX-License-Identifier: MIT */
/*
 * Migrations: files NNNN-name.sql, forward only. DDL commits by itself, so a migration that breaks
 * off cannot be rolled back: it is marked as begun before it runs, and one that did not finish stops
 * every later run until an admin has looked.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/sql/connection.h"

#define MIGRATION_BYTES_MAX (4 * 1024 * 1024)
#define MIGRATION_NAME_MAX  100

typedef struct {
    guint version;
    char *name;
} Migration;

static void migration_clear(gpointer data)
{
    g_free(((Migration *)data)->name);
}

static gint by_version(gconstpointer a, gconstpointer b)
{
    guint left = ((const Migration *)a)->version;
    guint right = ((const Migration *)b)->version;

    return (left > right) - (left < right);
}

/* "0001-directory.sql" and nothing else. */
static gboolean parse_name(const char *name, guint *version)
{
    guint64 number;

    if (strlen(name) > MIGRATION_NAME_MAX || strlen(name) < 10 || name[4] != '-' ||
        !g_str_has_suffix(name, ".sql"))
        return FALSE;
    g_autofree char *digits = g_strndup(name, 4);
    if (!g_ascii_string_to_unsigned(digits, 10, 1, 9999, &number, NULL))
        return FALSE;
    *version = (guint)number;
    return TRUE;
}

static GArray *list_files(const char *directory, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GDir) dir = g_dir_open(directory, 0, &why);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Migration));
    const char *name;

    g_array_set_clear_func(found, migration_clear);
    if (!dir) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "migrations: %s",
                    why->message);
        return NULL;
    }
    while ((name = g_dir_read_name(dir))) {
        Migration migration = {0};
        if (!parse_name(name, &migration.version))
            continue;
        migration.name = g_strdup(name);
        g_array_append_val(found, migration);
    }
    g_array_sort(found, by_version);
    for (guint i = 1; i < found->len; i++)
        if (g_array_index(found, Migration, i).version ==
            g_array_index(found, Migration, i - 1).version) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                        "migrations: %s and %s have the same number",
                        g_array_index(found, Migration, i - 1).name,
                        g_array_index(found, Migration, i).name);
            return NULL;
        }
    return g_steal_pointer(&found);
}

static gboolean read_found(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    *(gboolean *)data = sql_row_int(row, 0) > 0;
    return TRUE;
}

static gboolean read_version(const SqlRow *row, gpointer data, GError **error)
{
    if (!sql_row_int(row, 2)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                    "migration %s was begun and did not finish: restore the database, or finish "
                    "it by hand and mark it in schema_migration",
                    sql_row_text(row, 1));
        return FALSE;
    }
    *(guint *)data = (guint)sql_row_unsigned(row, 0);
    return TRUE;
}

gboolean sql_schema_version(Sql *sql, guint *version, GError **error)
{
    gboolean found = FALSE;
    guint newest = 0;

    if (!sql_query(sql, SQL_MIGRATION_TABLE_EXISTS, NULL, 0, read_found, &found, error))
        return FALSE;
    if (found && !sql_query(sql, SQL_MIGRATION_LIST, NULL, 0, read_version, &newest, error))
        return FALSE;
    *version = newest;
    return TRUE;
}

gboolean sql_schema_check(Sql *sql, GError **error)
{
    guint version = 0;

    if (!sql_schema_version(sql, &version, error))
        return FALSE;
    if (version >= SQL_SCHEMA)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "the database %s: run `outrider db migrate'",
                version ? "has the schema of an older version" : "is empty");
    return FALSE;
}

static gboolean apply(Sql *sql, const char *directory, const Migration *migration, GError **error)
{
    g_autofree char *path = g_build_filename(directory, migration->name, NULL);
    g_autofree char *text = NULL;
    gsize length;
    g_autoptr(GError) why = NULL;
    const SqlParameter begun[] = {SQL_UNSIGNED(migration->version), SQL_TEXT(migration->name)};
    const SqlParameter done[] = {SQL_UNSIGNED(migration->version)};

    if (!g_file_get_contents(path, &text, &length, &why)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO, "migrations: %s", why->message);
        return FALSE;
    }
    if (length > MIGRATION_BYTES_MAX) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_TOO_LARGE,
                    "migrations: %s: longer than %d octets", path, MIGRATION_BYTES_MAX);
        return FALSE;
    }
    if (!sql_execute(sql, SQL_MIGRATION_START, begun, 2, NULL, NULL, &why)) {
        gboolean other = g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_EXISTS);
        g_set_error(error, OUTRIDER_ERROR, other ? OUTRIDER_ERROR_CONFLICT : why->code,
                    "migration %s: %s", migration->name,
                    other ? "another program is applying it" : why->message);
        return FALSE;
    }
    if (!sql_run_text(sql, text, error)) {
        g_prefix_error(error, "migration %s: ", migration->name);
        return FALSE;
    }
    return sql_execute(sql, SQL_MIGRATION_FINISH, done, 1, NULL, NULL, error);
}

static gboolean apply_missing(Sql *sql, const char *directory, guint *applied, GError **error)
{
    guint version = 0;
    g_autoptr(GArray) files = list_files(directory, error);

    if (!files || !sql_run_text(sql, sql_control_text(SQL_CONTROL_MIGRATION_TABLE), error) ||
        !sql_schema_version(sql, &version, error))
        return FALSE;
    for (guint i = 0; i < files->len; i++) {
        const Migration *migration = &g_array_index(files, Migration, i);
        if (migration->version <= version)
            continue;
        if (!apply(sql, directory, migration, error))
            return FALSE;
        (*applied)++;
    }
    return TRUE;
}

gboolean sql_migrate(Sql *sql, const char *directory, guint *applied, GError **error)
{
    guint count = 0;

    sql->patient = TRUE;
    gboolean done = sql_reconnect(sql, error) && apply_missing(sql, directory, &count, error);
    sql->patient = FALSE;
    if (!done)
        return FALSE;
    *applied = count;
    return sql_reconnect(sql, error);
}
