/* SPDX-License-Identifier: MIT */
#include "worker/queue_book.h"

#include <sqlite3.h>

#include "lib/base/error.h"

enum { FIND, BIND, FORGET, PRUNE, POSITION, SET_POSITION, BEGIN, COMMIT, ROLLBACK, STATEMENTS };

static const char *const texts[STATEMENTS] = {
    [FIND] = "SELECT id, server FROM queue WHERE queue_id = ?",
    [BIND] = "INSERT INTO queue (queue_id, id, server, at) VALUES (?, ?, ?, ?) "
             "ON CONFLICT (queue_id) DO UPDATE SET id = excluded.id, server = excluded.server, "
             "at = excluded.at",
    [FORGET] = "DELETE FROM queue WHERE queue_id = ?",
    [PRUNE] = "DELETE FROM queue WHERE at < ?",
    [POSITION] = "SELECT position FROM position WHERE name = ?",
    [SET_POSITION] = "INSERT INTO position (name, position) VALUES (?, ?) "
                     "ON CONFLICT (name) DO UPDATE SET position = excluded.position",
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
};

static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
    "CREATE TABLE IF NOT EXISTS queue (queue_id TEXT PRIMARY KEY, id INTEGER NOT NULL, "
    "server INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS queue_at ON queue (at);"
    "CREATE TABLE IF NOT EXISTS position (name TEXT PRIMARY KEY, position TEXT NOT NULL) "
    "WITHOUT ROWID;";

struct QueueBook {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    gboolean failed; /* since begin */
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

QueueBook *queue_book_open(const char *path, GError **error)
{
    g_autoptr(QueueBook) book = g_new0(QueueBook, 1);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(path, &book->db, flags, NULL) != SQLITE_OK ||
        sqlite3_exec(book->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
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

gboolean queue_book_begin(QueueBook *book, GError **error)
{
    book->failed = FALSE;
    return run(book, BEGIN) || fail(book, "begin", error);
}

gboolean queue_book_commit(QueueBook *book, GError **error)
{
    if (!book->failed && run(book, COMMIT))
        return TRUE;
    fail(book, "commit", error);
    queue_book_undo(book);
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

gboolean queue_book_find(QueueBook *book, const char *queue_id, QueueEntry *entry)
{
    sqlite3_stmt *statement = book->statements[FIND];

    bind_text(statement, 1, queue_id);
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *entry = (QueueEntry){.id = (guint64)sqlite3_column_int64(statement, 0),
                              .server = (guint32)sqlite3_column_int64(statement, 1)};
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
    sqlite3_bind_int64(statement, 4, at_us);
    run(book, BIND);
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
