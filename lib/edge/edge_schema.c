/* SPDX-License-Identifier: MIT */
#include "lib/edge/edge_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"

#define WRITER_BUSY_MS 5000
#define FILE_MODE      0640
#define TRIM_BUSY_MS   250

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

static gboolean fail(sqlite3 *db, int rc, const char *what, GError **error)
{
    int primary = rc & 0xff;
    OutriderError code = OUTRIDER_ERROR_IO;

    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
        code = OUTRIDER_ERROR_UNAVAILABLE;
    else if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
        code = OUTRIDER_ERROR_CORRUPT;
    else if (primary == SQLITE_FULL)
        code = OUTRIDER_ERROR_NO_SPACE;
    const char *name = sqlite3_db_filename(db, "main");
    g_set_error(error, OUTRIDER_ERROR, (int)code, "%s: %s: %s", name ? name : "edge", what,
                sqlite3_errmsg(db));
    return FALSE;
}

gboolean edge_schema_exec(sqlite3 *db, const char *sql, GError **error)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK || fail(db, rc, "write", error);
}

/* Makes the empty file with its mode before SQLite does, so that it is never readable by others.
 * An existing file is not opened here: closing it would drop SQLite's locks in this process. */
static gboolean make_file(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);

    if (fd < 0)
        return errno == EEXIST || error_set_errno(error, errno, "create", path);
    fchmod(fd, FILE_MODE);
    close(fd);
    return TRUE;
}

/* SQLite gives -wal and -shm the file's mode but the directory's group. */
static gboolean share_files(const char *path, gid_t group, GError **error)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *name = g_strconcat(path, suffixes[i], NULL);
        if (group != (gid_t)-1 && chown(name, (uid_t)-1, group) < 0)
            return error_set_errno(error, errno, "change group of", name);
        if (chmod(name, FILE_MODE) < 0)
            return error_set_errno(error, errno, "change mode of", name);
    }
    return TRUE;
}

static gboolean read_number(sqlite3 *db, const char *sql, gint64 *number, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc != SQLITE_ROW)
        return fail(db, rc, "read", error);
    *number = sqlite3_column_int64(statement, 0);
    return TRUE;
}

static const struct {
    EdgeFile file;
    const char *name;
    const char *columns;
    const char *more;
} derived[] = {
#define X(file, table, columns, more) {EDGE_FILE_##file, #table, columns, more},
#include "lib/edge/edge_derived.def"
#undef X
};

static void append_derived(GString *sql, EdgeFile file)
{
    for (guint i = 0; i < G_N_ELEMENTS(derived); i++)
        if (derived[i].file == file)
            g_string_append_printf(sql, "CREATE TABLE %s (%s) WITHOUT ROWID;%s;", derived[i].name,
                                   derived[i].columns, derived[i].more);
}

static gboolean make_tables(sqlite3 *db, EdgeFile file, GError **error)
{
    g_autoptr(GString) sql = g_string_new(
        "CREATE TABLE edge_state (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, "
        "revision INTEGER NOT NULL);");

    for (guint i = 0; i < edge_table_count; i++) {
        const EdgeTable *table = &edge_tables[i];
        if (table->file == file)
            g_string_append_printf(sql, "CREATE TABLE %s (id INTEGER PRIMARY KEY, %s);%s;",
                                   table->name, table->columns, table->index);
    }
    append_derived(sql, file);
    g_string_append_printf(sql, "PRAGMA user_version = %d;", EDGE_SCHEMA);
    return edge_schema_exec(db, sql->str, error);
}

static gboolean ensure_tables(sqlite3 *db, EdgeFile file, GError **error)
{
    gint64 version = 0;

    if (!edge_schema_exec(db, "BEGIN IMMEDIATE", error))
        return FALSE;
    gboolean done = read_number(db, "PRAGMA user_version", &version, error);
    if (done && version == 0)
        done = make_tables(db, file, error);
    else if (done && version != EDGE_SCHEMA) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CORRUPT,
                    "%s: schema %" G_GINT64_FORMAT ", this program writes %d",
                    sqlite3_db_filename(db, "main"), version, EDGE_SCHEMA);
        done = FALSE;
    }
    if (done)
        done = edge_schema_exec(db, "COMMIT", error);
    if (!done)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return done;
}

static gboolean set_up(sqlite3 *db, EdgeFile file, GError **error)
{
    int persist = 1;

    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, WRITER_BUSY_MS);
    if (!edge_schema_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", error))
        return FALSE;
    sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    return ensure_tables(db, file, error);
}

sqlite3 *edge_schema_open(const char *edge_dir, EdgeFile file, gid_t group, GError **error)
{
    g_autofree char *path = g_build_filename(edge_dir, edge_file_name(file), NULL);
    sqlite3 *db = NULL;

    if (!make_file(path, error))
        return NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        fail(db, rc, "open", error);
    if (rc != SQLITE_OK || !set_up(db, file, error) || !share_files(path, group, error)) {
        sqlite3_close(db);
        return NULL;
    }
    return db;
}

void edge_schema_remove_elder(const char *edge_dir)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    for (guint file = 0; file < EDGE_FILE_COUNT; file++) {
        g_auto(GStrv) parts = g_strsplit(edge_file_name((EdgeFile)file), ".", 2);
        for (guint schema = 1; schema < EDGE_SCHEMA; schema++)
            for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
                g_autofree char *path =
                    g_strdup_printf("%s/%s.%u.db%s", edge_dir, parts[0], schema, suffixes[i]);
                unlink(path);
            }
    }
}

const EdgeTable *edge_schema_table(const char *name)
{
    for (guint i = 0; i < edge_table_count; i++)
        if (strcmp(edge_tables[i].name, name) == 0)
            return &edge_tables[i];
    return NULL;
}

char **edge_schema_columns(const EdgeTable *table)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) columns = g_strsplit(table->columns, ", ", -1);

    g_strv_builder_add(builder, "id");
    for (guint i = 0; columns[i]; i++) {
        *strchrnul(columns[i], ' ') = '\0';
        g_strv_builder_add(builder, columns[i]);
    }
    return g_strv_builder_end(builder);
}

char *edge_schema_upsert(const EdgeTable *table)
{
    g_auto(GStrv) columns = edge_schema_columns(table);
    g_autofree char *names = g_strjoinv(", ", columns);
    g_autoptr(GString) sql = g_string_new(NULL);

    g_string_append_printf(sql, "INSERT INTO %s (%s) VALUES (?", table->name, names);
    for (guint i = 1; columns[i]; i++)
        g_string_append(sql, ", ?");
    g_string_append(sql, ") ON CONFLICT (id) DO UPDATE SET ");
    for (guint i = 1; columns[i]; i++)
        g_string_append_printf(sql, "%s%s = excluded.%s", i > 1 ? ", " : "", columns[i],
                               columns[i]);
    return g_string_free(g_steal_pointer(&sql), FALSE);
}

gboolean edge_schema_empty(sqlite3 *db, EdgeFile file, GError **error)
{
    g_autoptr(GString) sql = g_string_new("DELETE FROM edge_state;");

    /* First, so that the triggers of the others find nothing left to do. */
    for (guint i = 0; i < G_N_ELEMENTS(derived); i++)
        if (derived[i].file == file)
            g_string_append_printf(sql, "DELETE FROM %s;", derived[i].name);
    for (guint i = 0; i < edge_table_count; i++)
        if (edge_tables[i].file == file)
            g_string_append_printf(sql, "DELETE FROM %s;", edge_tables[i].name);
    return edge_schema_exec(db, sql->str, error);
}

gboolean edge_schema_state(sqlite3 *db, gint64 *epoch, gint64 *revision, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT epoch, revision FROM edge_state", -1, &statement, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_DONE)
        return FALSE;
    if (rc != SQLITE_ROW)
        return fail(db, rc, "read state", error);
    *epoch = sqlite3_column_int64(statement, 0);
    *revision = sqlite3_column_int64(statement, 1);
    return TRUE;
}

gboolean edge_schema_set_state(sqlite3 *db, gint64 epoch, gint64 revision, GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("INSERT INTO edge_state (id, epoch, revision) VALUES (1, %" G_GINT64_FORMAT
                        ", %" G_GINT64_FORMAT ") ON CONFLICT (id) DO UPDATE SET "
                        "epoch = excluded.epoch, revision = excluded.revision",
                        epoch, revision);
    return edge_schema_exec(db, sql, error);
}

gboolean edge_schema_open_returns(sqlite3 *db, const char *label, guint max, GError **error)
{
    char *sql = sqlite3_mprintf("INSERT OR IGNORE INTO return_domain SELECT DISTINCT name FROM "
                                "domain WHERE return_path_label = %Q AND verified_at IS NOT NULL "
                                "ORDER BY name LIMIT %u",
                                label, max);
    gboolean done = edge_schema_exec(db, sql, error);

    sqlite3_free(sql);
    return done;
}

/* TRUNCATE waits for readers that still need -wal; when they take long the next call does it. */
static gboolean empty_wal(sqlite3 *db, GError **error)
{
    sqlite3_busy_timeout(db, TRIM_BUSY_MS);
    int rc = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(db, WRITER_BUSY_MS);
    return rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY || fail(db, rc, "checkpoint", error);
}

gboolean edge_schema_trim(sqlite3 *db, GError **error)
{
    const char *name = sqlite3_filename_wal(sqlite3_db_filename(db, "main"));
    struct stat st;

    if (stat(name, &st) < 0)
        return errno == ENOENT || error_set_errno(error, errno, "look at", name);
    return st.st_size <= EDGE_WAL_MAX || empty_wal(db, error);
}
