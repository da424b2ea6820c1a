/* SPDX-License-Identifier: MIT */
#include "worker/queue_book.h"

#include <sqlite3.h>

#include "lib/base/error.h"

enum {
    FIND,
    BIND,
    FORGET,
    PRUNE,
    PRUNE_RECIPIENTS,
    ADD_RECIPIENT,
    MADE,
    RECIPIENT,
    UNMADE,
    POSITION,
    SET_POSITION,
    BEGIN,
    COMMIT,
    ROLLBACK,
    STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    [FIND] = "SELECT id, server, n, recipient, base, said, parent FROM queue WHERE queue_id = ?",
    [BIND] =
        "INSERT OR REPLACE INTO queue (queue_id, id, server, n, recipient, base, said, parent, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [FORGET] = "DELETE FROM queue WHERE queue_id = ?",
    [PRUNE] = "DELETE FROM queue WHERE at < ?",
    [PRUNE_RECIPIENTS] =
        "DELETE FROM recipient WHERE base NOT IN (SELECT id FROM queue WHERE n > 0)",
    [ADD_RECIPIENT] = "INSERT OR IGNORE INTO recipient (base, recipient, id) VALUES (?, ?, ?)",
    [MADE] = "UPDATE recipient SET made = 1 WHERE base = ? AND recipient = ? AND id = ?",
    [RECIPIENT] = "SELECT id, made FROM recipient WHERE base = ? AND recipient = ?",
    [UNMADE] = "SELECT id, made FROM recipient WHERE base = ? AND NOT made ORDER BY id",
    [POSITION] = "SELECT position FROM position WHERE name = ?",
    [SET_POSITION] = "INSERT INTO position (name, position) VALUES (?, ?) "
                     "ON CONFLICT (name) DO UPDATE SET position = excluded.position",
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
};

/* Steps from one user_version of the file to the next; never changed, only added to. */
static const char *const schema[] = {
    "CREATE TABLE IF NOT EXISTS queue (queue_id TEXT PRIMARY KEY, id INTEGER NOT NULL, "
    "server INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS queue_at ON queue (at);"
    "CREATE TABLE IF NOT EXISTS position (name TEXT PRIMARY KEY, position TEXT NOT NULL) "
    "WITHOUT ROWID;",
    "ALTER TABLE queue ADD COLUMN n INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE queue ADD COLUMN recipient INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE queue ADD COLUMN base INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE queue ADD COLUMN said INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE queue ADD COLUMN parent TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE recipient (base INTEGER NOT NULL, recipient INTEGER NOT NULL, id INTEGER NOT "
    "NULL, "
    "made INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (base, recipient, id)) WITHOUT ROWID;"
    "CREATE TRIGGER queue_forget AFTER DELETE ON queue WHEN old.n > 0 BEGIN "
    "DELETE FROM recipient WHERE base = old.id; END;",
};

/* The log file of the database is cut back after a long transaction. */
static const char options[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216;"
    "PRAGMA recursive_triggers = OFF;";

struct QueueBook {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    gboolean failed;   /* since begin */
    gboolean in_doubt; /* the last commit failed */
};

static gboolean fail(QueueBook *book, const char *what, GError **error)
{
    int code = sqlite3_errcode(book->db);

    g_set_error(error, OUTRIDER_ERROR,
                code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? OUTRIDER_ERROR_CORRUPT
                                                                : OUTRIDER_ERROR_IO,
                "worker.db: %s: %s", what, sqlite3_errmsg(book->db));
    return FALSE;
}

static int schema_version(QueueBook *book)
{
    sqlite3_stmt *statement = NULL;
    int version = -1;

    if (sqlite3_prepare_v2(book->db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return version;
}

static gboolean upgrade(QueueBook *book)
{
    int version = schema_version(book);

    for (gsize i = (gsize)MAX(version, 0); version >= 0 && i < G_N_ELEMENTS(schema); i++) {
        g_autofree char *step = g_strdup_printf(
            "BEGIN IMMEDIATE; %s PRAGMA user_version = %zu; COMMIT", schema[i], i + 1);
        if (sqlite3_exec(book->db, step, NULL, NULL, NULL) != SQLITE_OK)
            return FALSE;
    }
    return version >= 0;
}

QueueBook *queue_book_open(const char *path, GError **error)
{
    g_autoptr(QueueBook) book = g_new0(QueueBook, 1);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(path, &book->db, flags, NULL) != SQLITE_OK ||
        sqlite3_exec(book->db, options, NULL, NULL, NULL) != SQLITE_OK || !upgrade(book)) {
        fail(book, path, error);
        return NULL;
    }
    for (guint i = 0; i < STATEMENTS; i++) {
        if (sqlite3_prepare_v2(book->db, texts[i], -1, &book->statements[i], NULL) != SQLITE_OK) {
            fail(book, texts[i], error);
            return NULL;
        }
    }
    return g_steal_pointer(&book);
}

void queue_book_close(QueueBook *book)
{
    if (!book)
        return;
    for (guint i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(book->statements[i]);
    sqlite3_close(book->db);
    g_free(book);
}

/* Runs a statement that gives no row. */
static gboolean run(QueueBook *book, guint which)
{
    int rc = sqlite3_step(book->statements[which]);

    sqlite3_reset(book->statements[which]);
    sqlite3_clear_bindings(book->statements[which]);
    if (rc != SQLITE_DONE)
        book->failed = TRUE;
    return rc == SQLITE_DONE;
}

/* Writes as much as a round may, and takes it away again. */
static gboolean has_room(QueueBook *book)
{
    static const char trial[] =
        "BEGIN IMMEDIATE; INSERT OR REPLACE INTO position (name, position) "
        "VALUES ('trial', hex(zeroblob(65536))); COMMIT; DELETE FROM position WHERE name = 'trial'";

    if (sqlite3_exec(book->db, trial, NULL, NULL, NULL) == SQLITE_OK)
        return TRUE;
    if (!sqlite3_get_autocommit(book->db))
        queue_book_undo(book);
    return FALSE;
}

gboolean queue_book_begin(QueueBook *book, GError **error)
{
    if (book->in_doubt && !has_room(book))
        return fail(book, "begin", error);
    book->in_doubt = FALSE;
    book->failed = FALSE;
    return run(book, BEGIN) || fail(book, "begin", error);
}

gboolean queue_book_commit(QueueBook *book, GError **error)
{
    if (!book->failed && run(book, COMMIT))
        return TRUE;
    fail(book, "commit", error);
    queue_book_undo(book);
    book->in_doubt = TRUE;
    return FALSE;
}

void queue_book_undo(QueueBook *book)
{
    run(book, ROLLBACK);
}

static void bind_text(sqlite3_stmt *statement, int parameter, const char *text)
{
    sqlite3_bind_text(statement, parameter, text, -1, SQLITE_STATIC);
}

static void read_entry(sqlite3_stmt *statement, QueueEntry *entry)
{
    *entry = (QueueEntry){.id = (guint64)sqlite3_column_int64(statement, 0),
                          .server = (guint32)sqlite3_column_int64(statement, 1),
                          .n = (guint)sqlite3_column_int64(statement, 2),
                          .recipient = (guint64)sqlite3_column_int64(statement, 3),
                          .base = (guint64)sqlite3_column_int64(statement, 4),
                          .said = (guint)sqlite3_column_int64(statement, 5)};
    g_strlcpy(entry->parent, (const char *)sqlite3_column_text(statement, 6),
              sizeof(entry->parent));
}

gboolean queue_book_find(QueueBook *book, const char *queue_id, QueueEntry *entry)
{
    sqlite3_stmt *statement = book->statements[FIND];

    bind_text(statement, 1, queue_id);
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        read_entry(statement, entry);
    else if (rc != SQLITE_DONE)
        book->failed = TRUE;
    sqlite3_reset(statement);
    return rc == SQLITE_ROW;
}

void queue_book_bind(QueueBook *book, const char *queue_id, const QueueEntry *entry, gint64 at_us)
{
    sqlite3_stmt *statement = book->statements[BIND];

    bind_text(statement, 1, queue_id);
    sqlite3_bind_int64(statement, 2, (gint64)entry->id);
    sqlite3_bind_int64(statement, 3, entry->server);
    sqlite3_bind_int64(statement, 4, entry->n);
    sqlite3_bind_int64(statement, 5, (gint64)entry->recipient);
    sqlite3_bind_int64(statement, 6, (gint64)entry->base);
    sqlite3_bind_int64(statement, 7, entry->said);
    bind_text(statement, 8, entry->parent);
    sqlite3_bind_int64(statement, 9, at_us);
    run(book, BIND);
}

static void bind_numbers(sqlite3_stmt *statement, guint64 base, guint64 recipient, guint64 id)
{
    sqlite3_bind_int64(statement, 1, (gint64)base);
    sqlite3_bind_int64(statement, 2, (gint64)recipient);
    sqlite3_bind_int64(statement, 3, (gint64)id);
}

void queue_book_add_recipient(QueueBook *book, guint64 base, guint64 recipient, guint64 id)
{
    bind_numbers(book->statements[ADD_RECIPIENT], base, recipient, id);
    run(book, ADD_RECIPIENT);
}

void queue_book_made(QueueBook *book, guint64 base, guint64 recipient, guint64 id)
{
    bind_numbers(book->statements[MADE], base, recipient, id);
    run(book, MADE);
}

/* What a bound statement finds. */
static GArray *find_recipients(QueueBook *book, guint which)
{
    sqlite3_stmt *statement = book->statements[which];
    GArray *found = g_array_new(FALSE, FALSE, sizeof(QueueRecipient));
    int rc;

    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const QueueRecipient recipient = {.id = (guint64)sqlite3_column_int64(statement, 0),
                                          .made = sqlite3_column_int(statement, 1)};
        g_array_append_val(found, recipient);
    }
    if (rc != SQLITE_DONE)
        book->failed = TRUE;
    sqlite3_reset(statement);
    return found;
}

GArray *queue_book_recipient(QueueBook *book, guint64 base, guint64 recipient)
{
    sqlite3_bind_int64(book->statements[RECIPIENT], 1, (gint64)base);
    sqlite3_bind_int64(book->statements[RECIPIENT], 2, (gint64)recipient);
    return find_recipients(book, RECIPIENT);
}

GArray *queue_book_unmade(QueueBook *book, guint64 base)
{
    sqlite3_bind_int64(book->statements[UNMADE], 1, (gint64)base);
    return find_recipients(book, UNMADE);
}

void queue_book_forget(QueueBook *book, const char *queue_id)
{
    bind_text(book->statements[FORGET], 1, queue_id);
    run(book, FORGET);
}

void queue_book_prune(QueueBook *book, gint64 before_us)
{
    sqlite3_bind_int64(book->statements[PRUNE], 1, before_us);
    run(book, PRUNE);
    run(book, PRUNE_RECIPIENTS);
}

char *queue_book_position(QueueBook *book, const char *name)
{
    sqlite3_stmt *statement = book->statements[POSITION];
    char *position = NULL;

    bind_text(statement, 1, name);
    if (sqlite3_step(statement) == SQLITE_ROW)
        position = g_strdup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_reset(statement);
    return position;
}

void queue_book_set_position(QueueBook *book, const char *name, const char *position)
{
    bind_text(book->statements[SET_POSITION], 1, name);
    bind_text(book->statements[SET_POSITION], 2, position);
    run(book, SET_POSITION);
}
