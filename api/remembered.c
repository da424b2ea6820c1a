/* SPDX-License-Identifier: MIT */
#include "api/remembered.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"

#define BUSY_MS 5000

/* All that is asked. X(NAME, "SQL") */
#define STATEMENTS(X)                                                                              \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(FIND, "SELECT digest, base, seed, message_id, answer FROM request WHERE server = ?1 AND "    \
            "name = ?2 AND at > ?3")                                                               \
    X(ADD, "INSERT OR REPLACE INTO request (server, name, at, digest, base, seed, message_id) "    \
           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                                  \
    X(ANSWER, "UPDATE request SET answer = ?3 WHERE server = ?1 AND name = ?2")                    \
    X(DROP, "DELETE FROM request WHERE server = ?1 AND name = ?2")                                 \
    X(PRUNE, "DELETE FROM request WHERE (server, name) IN (SELECT server, name FROM request "      \
             "WHERE at <= ?1 ORDER BY at LIMIT 10)")

#define SCHEMA                                                                                     \
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"                                      \
    "CREATE TABLE IF NOT EXISTS request (server INTEGER NOT NULL, name TEXT NOT NULL, "            \
    "at INTEGER NOT NULL, digest TEXT NOT NULL, base INTEGER NOT NULL, seed BLOB NOT NULL, "       \
    "message_id TEXT NOT NULL, answer TEXT, PRIMARY KEY (server, name)) WITHOUT ROWID;"            \
    "CREATE INDEX IF NOT EXISTS request_at ON request (at)"

typedef enum {
#define X(NAME, sql) STATEMENT_##NAME,
    STATEMENTS(X)
#undef X
        STATEMENT_COUNT
} Statement;

/* An answer that the disk has no room for. */
typedef struct {
    guint32 server;
    char *key, *digest, *answer;
} Unwritten;

static void unwritten_free(gpointer data)
{
    Unwritten *unwritten = data;

    g_free(unwritten->key);
    g_free(unwritten->digest);
    g_free(unwritten->answer);
    g_free(unwritten);
}

struct Remembered {
    GMutex mutex; /* guards all of it */
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    GHashTable *busy;           /* "server key" that are claimed -> digest */
    GHashTable *unwritten;      /* "server key" -> Unwritten */
    gint64 unsure_at;           /* monotonic */
    char *wal_path;             /* what is written goes there first */
    int wal;                    /* -1: nothing was written yet */
    guint64 committed, durable; /* how many were begun, and of these are on disk */
    gboolean syncing, broken;   /* broken: what is on disk is not known any more */
    GCond synced;
};

gboolean remembered_key_is_good(const char *key)
{
    gsize length = strlen(key);

    for (const char *p = key; *p; p++)
        if (!g_ascii_isprint(*p))
            return FALSE;
    return length >= 1 && length <= REMEMBERED_KEY_MAX;
}

static gboolean fail(const Remembered *remembered, GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "remembered requests: %s",
                remembered->db ? sqlite3_errmsg(remembered->db) : "no memory");
    return FALSE;
}

static gboolean prepare(Remembered *remembered, GError **error)
{
    static const char *const texts[] = {
#define X(NAME, sql) sql,
        STATEMENTS(X)
#undef X
    };

    for (guint i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v3(remembered->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &remembered->statements[i], NULL) != SQLITE_OK)
            return fail(remembered, error);
    return TRUE;
}

static gboolean open_db(Remembered *remembered, const char *path, GError **error)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    return (sqlite3_open_v2(path, &remembered->db, flags, NULL) == SQLITE_OK &&
            sqlite3_busy_timeout(remembered->db, BUSY_MS) == SQLITE_OK &&
            sqlite3_exec(remembered->db, SCHEMA, NULL, NULL, NULL) == SQLITE_OK) ||
           fail(remembered, error);
}

Remembered *remembered_open(const char *path, GError **error)
{
    g_autoptr(Remembered) remembered = g_new0(Remembered, 1);

    g_mutex_init(&remembered->mutex);
    g_cond_init(&remembered->synced);
    remembered->wal = -1;
    remembered->busy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    remembered->unwritten = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unwritten_free);
    remembered->unsure_at = g_get_monotonic_time();
    remembered->wal_path = g_strconcat(path, "-wal", NULL);
    if (open_db(remembered, path, error) && prepare(remembered, error))
        return g_steal_pointer(&remembered);
    g_prefix_error(error, "%s: ", path);
    return NULL;
}

void remembered_close(Remembered *remembered)
{
    if (!remembered)
        return;
    for (guint i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(remembered->statements[i]);
    sqlite3_close(remembered->db);
    g_hash_table_unref(remembered->busy);
    g_hash_table_unref(remembered->unwritten);
    if (remembered->wal >= 0)
        close(remembered->wal);
    g_free(remembered->wal_path);
    g_cond_clear(&remembered->synced);
    g_mutex_clear(&remembered->mutex);
    g_free(remembered);
}

static sqlite3_stmt *start(Remembered *remembered, Statement id, guint32 server, const char *key)
{
    sqlite3_stmt *statement = remembered->statements[id];

    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (key) {
        sqlite3_bind_int64(statement, 1, server);
        sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
    }
    return statement;
}

/* Runs to its end. */
static gboolean run(Remembered *remembered, sqlite3_stmt *statement, GError **error)
{
    int result = sqlite3_step(statement);

    sqlite3_reset(statement);
    return result == SQLITE_DONE || result == SQLITE_ROW || fail(remembered, error);
}

static gboolean run_plain(Remembered *remembered, Statement id, GError **error)
{
    return run(remembered, start(remembered, id, 0, NULL), error);
}

/* The row under the cursor: what state the request is in. */
static RememberedState read_row(sqlite3_stmt *row, const char *digest, SubmissionNames *names,
                                char **answer)
{
    const char *text = (const char *)sqlite3_column_text(row, 4);

    if (g_strcmp0((const char *)sqlite3_column_text(row, 0), digest) != 0)
        return REMEMBERED_ANOTHER;
    if (text) {
        *answer = g_strdup(text);
        return REMEMBERED_ANSWERED;
    }
    names->base = (guint64)sqlite3_column_int64(row, 1);
    if (sqlite3_column_bytes(row, 2) == sizeof names->seed)
        memcpy(names->seed, sqlite3_column_blob(row, 2), sizeof names->seed);
    g_strlcpy(names->message_id, (const char *)sqlite3_column_text(row, 3),
              sizeof names->message_id);
    return REMEMBERED_AGAIN;
}

static gboolean add(Remembered *remembered, guint32 server, const char *key, const char *digest,
                    gint64 now, const SubmissionNames *names, GError **error)
{
    sqlite3_stmt *statement = start(remembered, STATEMENT_ADD, server, key);

    sqlite3_bind_int64(statement, 3, now);
    sqlite3_bind_text(statement, 4, digest, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, (sqlite3_int64)names->base);
    sqlite3_bind_blob(statement, 6, names->seed, sizeof names->seed, SQLITE_STATIC);
    sqlite3_bind_text(statement, 7, names->message_id, -1, SQLITE_STATIC);
    return run(remembered, statement, error);
}

static gboolean look(Remembered *remembered, guint32 server, const char *key, const char *digest,
                     gint64 now, SubmissionNames *names, RememberedState *state, char **answer,
                     GError **error)
{
    sqlite3_stmt *statement = start(remembered, STATEMENT_FIND, server, key);

    sqlite3_bind_int64(statement, 3, now - REMEMBERED_SECONDS);
    int result = sqlite3_step(statement);
    *state = result == SQLITE_ROW ? read_row(statement, digest, names, answer) : REMEMBERED_NEW;
    sqlite3_reset(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE || fail(remembered, error);
}

/* Some of what is too old: more than one that comes. */
static gboolean prune(Remembered *remembered, gint64 now, GError **error)
{
    sqlite3_stmt *statement = start(remembered, STATEMENT_PRUNE, 0, NULL);

    sqlite3_bind_int64(statement, 1, now - REMEMBERED_SECONDS);
    return run(remembered, statement, error);
}

static char *busy_name(guint32 server, const char *key)
{
    return g_strdup_printf("%u %s", server, key);
}

static gboolean write_answer(Remembered *remembered, guint32 server, const char *key,
                             const char *answer, GError **error)
{
    sqlite3_stmt *statement = start(remembered, STATEMENT_ANSWER, server, key);

    sqlite3_bind_text(statement, 3, answer, -1, SQLITE_STATIC);
    return run(remembered, statement, error);
}

/* What could not be written before, as far as it can be now. */
static void write_again(Remembered *remembered)
{
    GHashTableIter iterator;
    gpointer value;

    g_hash_table_iter_init(&iterator, remembered->unwritten);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        const Unwritten *unwritten = value;
        if (!write_answer(remembered, unwritten->server, unwritten->key, unwritten->answer, NULL))
            return;
        g_hash_table_iter_remove(&iterator);
    }
}

/* FALSE: the name is not among those that are in memory only. */
static gboolean look_in_memory(const Remembered *remembered, const char *name, const char *digest,
                               RememberedState *state, char **answer)
{
    const Unwritten *unwritten = g_hash_table_lookup(remembered->unwritten, name);

    if (g_hash_table_contains(remembered->busy, name)) {
        *state = REMEMBERED_BUSY;
        return TRUE;
    }
    if (!unwritten)
        return FALSE;
    *state = g_str_equal(unwritten->digest, digest) ? REMEMBERED_ANSWERED : REMEMBERED_ANOTHER;
    if (*state == REMEMBERED_ANSWERED)
        *answer = g_strdup(unwritten->answer);
    return TRUE;
}

/* SQLite makes it for the first transaction that writes, so that a full disk does not keep us from serving. */
static gboolean open_wal(Remembered *remembered, GError **error)
{
    if (remembered->wal < 0)
        remembered->wal = open(remembered->wal_path, O_RDONLY | O_CLOEXEC);
    return remembered->wal >= 0 || error_set_errno(error, errno, "open", remembered->wal_path);
}

/* Waits, with the mutex held, until what was begun is on disk: one write for all who wait, and the mutex is free meanwhile. */
static gboolean make_durable(Remembered *remembered, GError **error)
{
    guint64 mine = ++remembered->committed;

    if (!open_wal(remembered, error))
        return FALSE;
    while (remembered->durable < mine && !remembered->broken) {
        if (remembered->syncing) {
            g_cond_wait(&remembered->synced, &remembered->mutex);
            continue;
        }
        guint64 all = remembered->committed;
        remembered->syncing = TRUE;
        g_mutex_unlock(&remembered->mutex);
        gboolean done = fdatasync(remembered->wal) == 0;
        g_mutex_lock(&remembered->mutex);
        remembered->syncing = FALSE;
        remembered->broken = !done;
        remembered->durable = all;
        g_cond_broadcast(&remembered->synced);
    }
    if (!remembered->broken)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "remembered requests: the disk failed; start again when it is good");
    return FALSE;
}

gboolean remembered_claim(Remembered *remembered, guint32 server, const char *key,
                          const char *digest, gint64 now, SubmissionNames *names,
                          RememberedState *state, char **answer, GError **error)
{
    g_autofree char *name = busy_name(server, key);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&remembered->mutex);

    write_again(remembered);
    if (!look_in_memory(remembered, name, digest, state, answer) &&
        !look(remembered, server, key, digest, now, names, state, answer, error))
        return FALSE;
    if (*state == REMEMBERED_NEW || *state == REMEMBERED_AGAIN)
        g_hash_table_insert(remembered->busy, g_steal_pointer(&name), g_strdup(digest));
    return TRUE;
}

gboolean remembered_begin(Remembered *remembered, guint32 server, const char *key, gint64 now,
                          const SubmissionNames *names, GError **error)
{
    g_autofree char *name = busy_name(server, key);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&remembered->mutex);
    const char *digest = g_hash_table_lookup(remembered->busy, name);

    g_assert(digest); /* it was claimed */
    if (!run_plain(remembered, STATEMENT_BEGIN, error))
        return FALSE;
    if (add(remembered, server, key, digest, now, names, error) && prune(remembered, now, error) &&
        run_plain(remembered, STATEMENT_COMMIT, error))
        return make_durable(remembered, error);
    run_plain(remembered, STATEMENT_ROLLBACK, NULL);
    return FALSE;
}

gboolean remembered_done(Remembered *remembered, guint32 server, const char *key,
                         const char *answer, GError **error)
{
    g_autofree char *name = busy_name(server, key);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&remembered->mutex);
    g_autofree char *kept = NULL, *digest = NULL;

    g_hash_table_steal_extended(remembered->busy, name, (gpointer *)&kept, (gpointer *)&digest);
    if (write_answer(remembered, server, key, answer, error))
        return TRUE;
    if (digest && g_hash_table_size(remembered->unwritten) < REMEMBERED_UNWRITTEN_MAX) {
        Unwritten *unwritten = g_new(Unwritten, 1);
        *unwritten = (Unwritten){server, g_strdup(key), g_steal_pointer(&digest), g_strdup(answer)};
        g_hash_table_replace(remembered->unwritten, g_steal_pointer(&name), unwritten);
    }
    return FALSE;
}

void remembered_undone(Remembered *remembered, guint32 server, const char *key, RememberedEnd end)
{
    g_autofree char *name = busy_name(server, key);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&remembered->mutex);

    g_hash_table_remove(remembered->busy, name);
    if (end == REMEMBERED_NOTHING)
        run(remembered, start(remembered, STATEMENT_DROP, server, key), NULL);
    if (end == REMEMBERED_UNSURE)
        remembered->unsure_at = g_get_monotonic_time();
}

gint64 remembered_quiet(Remembered *remembered)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&remembered->mutex);

    return g_get_monotonic_time() - remembered->unsure_at;
}
