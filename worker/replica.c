/* SPDX-License-Identifier: MIT */
#include "worker/replica.h"

#include <grp.h>
#include <string.h>

#include "lib/base/error.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

static const struct {
    const char *table;
    SqlStatement rows;
} sources[] = {
#define X(file, table, columns, index) {#table, SQL_EDGE_ROWS_##table},
#include "lib/edge/edge_table.def"
#undef X
};

#define DAY_SECONDS        86400
#define TOMBSTONES_AT_ONCE 10000

/* One table being copied. */
typedef struct {
    sqlite3 *db;
    sqlite3_stmt *upsert;
    const char *table;
    guint32 octets; /* bit n: column n holds octets, not text */
    guint columns;
    ReplicaPage *page; /* NULL: all at once */
} Copy;

/* An unknown group leaves the file to the directory's group. */
static gid_t group_id(const char *name)
{
    struct group entry, *found = NULL;
    char buffer[16384];

    if (getgrnam_r(name, &entry, buffer, sizeof(buffer), &found) != 0 || !found)
        return (gid_t)-1;
    return found->gr_gid;
}

sqlite3 *replica_open(const char *edge_dir, EdgeFile file, GError **error)
{
    return edge_schema_open(edge_dir, file, group_id(edge_file_group(file)), error);
}

ReplicaNeed replica_need(gboolean complete, gint64 epoch, gint64 revision,
                         const DirectoryState *state)
{
    if (!complete || epoch != state->epoch || revision > state->revision ||
        revision < state->tombstone_floor)
        return REPLICA_REBUILD;
    return revision < state->revision ? REPLICA_BEHIND : REPLICA_CURRENT;
}

static gboolean take_state(const SqlRow *row, gpointer data, GError **error)
{
    DirectoryState *state = data;

    (void)error;
    state->epoch = sql_row_int(row, 0);
    state->revision = sql_row_int(row, 1);
    state->tombstone_floor = sql_row_int(row, 2);
    return TRUE;
}

gboolean replica_directory_state(Sql *sql, SqlStatement statement, DirectoryState *state,
                                 GError **error)
{
    DirectoryState found = {.epoch = -1};

    if (!sql_query(sql, statement, NULL, 0, take_state, &found, error))
        return FALSE;
    if (found.epoch < 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "database: no installation row: run `outrider db migrate'");
        return FALSE;
    }
    *state = found;
    return TRUE;
}

static gboolean fail_write(sqlite3 *db, const char *table, GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_IO, "%s: %s: %s",
                sqlite3_db_filename(db, "main"), table, sqlite3_errmsg(db));
    return FALSE;
}

/* Which columns of a table are declared BLOB; id is column 0. */
static guint32 octet_columns(const EdgeTable *table)
{
    g_auto(GStrv) columns = g_strsplit(table->columns, ", ", -1);
    guint32 octets = 0;

    for (guint i = 0; columns[i]; i++)
        if (g_str_has_suffix(columns[i], " BLOB"))
            octets |= 1u << (i + 1);
    return octets;
}

static void bind_column(const Copy *copy, const SqlRow *row, guint column)
{
    int parameter = (int)column + 1;
    gsize length = 0;

    if (sql_row_is_null(row, column)) {
        sqlite3_bind_null(copy->upsert, parameter);
    } else if (sql_row_is_integer(row, column)) {
        sqlite3_bind_int64(copy->upsert, parameter, sql_row_int(row, column));
    } else if (copy->octets >> column & 1) {
        const guint8 *octets = sql_row_octets(row, column, &length);
        sqlite3_bind_blob64(copy->upsert, parameter, octets, length, SQLITE_STATIC);
    } else {
        sqlite3_bind_text(copy->upsert, parameter, sql_row_text(row, column), -1, SQLITE_STATIC);
    }
}

static gboolean copy_row(const SqlRow *row, gpointer data, GError **error)
{
    Copy *copy = data;

    for (guint column = 0; column < copy->columns; column++)
        bind_column(copy, row, column);
    if (copy->page)
        *copy->page = (ReplicaPage){.rows = copy->page->rows + 1,
                                    .id = sql_row_unsigned(row, 0),
                                    .revision = sql_row_unsigned(row, copy->columns)};
    int rc = sqlite3_step(copy->upsert);
    sqlite3_reset(copy->upsert);
    return rc == SQLITE_DONE || fail_write(copy->db, copy->table, error);
}

static gboolean copy_table(sqlite3 *db, Sql *sql, const EdgeTable *table, SqlStatement rows,
                           const SqlParameter *range, guint n, ReplicaPage *page, GError **error)
{
    g_autofree char *text = edge_schema_upsert(table);
    g_auto(GStrv) columns = edge_schema_columns(table);
    g_autoptr(sqlite3_stmt) upsert = NULL;

    if (sqlite3_prepare_v2(db, text, -1, &upsert, NULL) != SQLITE_OK)
        return fail_write(db, table->name, error);
    Copy copy = {.db = db,
                 .upsert = upsert,
                 .table = table->name,
                 .octets = octet_columns(table),
                 .columns = g_strv_length(columns),
                 .page = page};
    return sql_query(sql, rows, range, n, copy_row, &copy, error);
}

gboolean replica_copy_page(sqlite3 *db, Sql *sql, const EdgeTable *table, SqlStatement rows,
                           const SqlParameter *range, guint n, ReplicaPage *page, GError **error)
{
    *page = (ReplicaPage){0};
    return copy_table(db, sql, table, rows, range, n, page, error);
}

static gboolean copy_tables(sqlite3 *db, EdgeFile file, Sql *sql, const SqlParameter range[2],
                            GError **error)
{
    for (guint i = 0; i < edge_table_count; i++) {
        const EdgeTable *table = &edge_tables[i];
        if (table->file != file)
            continue;
        g_assert(strcmp(sources[i].table, table->name) == 0);
        if (!copy_table(db, sql, table, sources[i].rows, range, 2, NULL, error))
            return FALSE;
    }
    return TRUE;
}

typedef struct {
    sqlite3 *db;
    EdgeFile file;
} Deletion;

/* Tombstones of tables that this replica does not have are not its business. */
static gboolean delete_row(const SqlRow *row, gpointer data, GError **error)
{
    Deletion *deletion = data;
    const EdgeTable *table = edge_schema_table(sql_row_text(row, 0));

    if (!table || table->file != deletion->file)
        return TRUE;
    g_autofree char *text = g_strdup_printf("DELETE FROM %s WHERE id = %" G_GUINT64_FORMAT,
                                            table->name, sql_row_unsigned(row, 1));
    return edge_schema_exec(deletion->db, text, error);
}

/* Old tombstones may have gone while the others were read. */
static gboolean has_all_tombstones(Sql *sql, gint64 after, GError **error)
{
    DirectoryState now;

    if (!replica_directory_state(sql, SQL_EDGE_STATE, &now, error))
        return FALSE;
    if (after >= now.tombstone_floor)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "tombstones went while they were read");
    return FALSE;
}

static gboolean write_changes(sqlite3 *db, EdgeFile file, Sql *sql, gint64 after,
                              const DirectoryState *state, gboolean rebuild, GError **error)
{
    const SqlParameter range[2] = {SQL_UNSIGNED(after), SQL_UNSIGNED(state->revision)};
    Deletion deletion = {.db = db, .file = file};

    if (rebuild && !edge_schema_empty(db, file, error))
        return FALSE;
    if (!copy_tables(db, file, sql, range, error))
        return FALSE;
    if (!rebuild && (!sql_query(sql, SQL_EDGE_TOMBSTONES, range, 2, delete_row, &deletion, error) ||
                     !has_all_tombstones(sql, after, error)))
        return FALSE;
    return edge_schema_set_state(db, state->epoch, state->revision, error);
}

/* The floor first: whoever reads it rebuilds rather than miss what is gone. */
gboolean replica_tombstones_expire(Sql *sql, gint64 now, GError **error)
{
    const SqlParameter before[] = {SQL_INT(now - REPLICA_TOMBSTONE_DAYS * DAY_SECONDS)};
    const SqlParameter page[] = {SQL_UNSIGNED(TOMBSTONES_AT_ONCE)};

    return sql_execute(sql, SQL_TOMBSTONE_FLOOR_RAISE, before, 1, NULL, NULL, error) &&
           sql_execute_pages(sql, SQL_TOMBSTONE_EXPIRE, page, 1, error);
}

gboolean replica_update(sqlite3 *db, EdgeFile file, Sql *sql, const DirectoryState *state,
                        gboolean *changed, GError **error)
{
    g_autoptr(GError) why = NULL;
    gint64 epoch = 0, revision = 0;
    gboolean complete = edge_schema_state(db, &epoch, &revision, &why);

    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    ReplicaNeed need = replica_need(complete, epoch, revision, state);
    if (need == REPLICA_CURRENT) {
        *changed = FALSE;
        return TRUE;
    }
    gboolean rebuild = need == REPLICA_REBUILD;
    if (!edge_schema_exec(db, "BEGIN IMMEDIATE", error))
        return FALSE;
    if (!write_changes(db, file, sql, rebuild ? 0 : revision, state, rebuild, error) ||
        !edge_schema_exec(db, "COMMIT", error)) {
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return FALSE;
    }
    *changed = TRUE;
    return TRUE;
}
