/* SPDX-License-Identifier: MIT */
/*
 * How a replica is opened. The worker writes in WAL mode and leaves -wal and -shm behind, readers
 * may not write in the directory. SQLite then has three cases:
 *     -shm there, worker there     the shared index is read
 *     -shm there, worker away      the index is not trusted: each read builds its own from -wal
 *     -shm gone (a restored copy)  cannot be opened, except as immutable; that is right as long as
 *                                  -wal is empty and no writer has come, which taking a link checks
 * So a reader never makes -shm itself, also when it is root (the command line).
 *
 * A link in WAL mode stays whole whatever is put in its file's place, so for those a look is enough now and
 * then: a path is longer to walk than a row to read.
 */
#include "lib/edge/edge_pool.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/base/error.h"

typedef enum { MODE_WAL, MODE_IMMUTABLE } LinkMode;

/* Which file a link has open; compared with what stands there now. */
typedef struct {
    dev_t device;
    ino_t inode;
    LinkMode mode;
} LinkIdentity;

struct EdgePool {
    char *path;
    GMutex lock;
    GQueue idle;       /* of EdgeLink */
    LinkIdentity seen; /* what stood there at seen_us; 0: nothing */
    gint64 seen_us;
};

struct EdgeLink {
    EdgePool *pool;
    sqlite3 *db;
    LinkIdentity identity;
    gboolean broken;
    sqlite3_stmt *statements[EDGE_STATEMENT_COUNT];
};

static const char *const statement_texts[EDGE_STATEMENT_COUNT] = {
#define X(NAME, sql) [EDGE_STATEMENT_##NAME] = (sql),
#include "lib/edge/edge_statement.def"
#undef X
};

static void link_free(EdgeLink *link)
{
    for (guint i = 0; i < EDGE_STATEMENT_COUNT; i++)
        sqlite3_finalize(link->statements[i]);
    sqlite3_close(link->db);
    g_free(link);
}

EdgePool *edge_pool_new(const char *edge_dir, EdgeFile file)
{
    EdgePool *pool = g_new0(EdgePool, 1);

    pool->path = g_build_filename(edge_dir, edge_file_name(file), NULL);
    g_mutex_init(&pool->lock);
    g_queue_init(&pool->idle);
    return pool;
}

void edge_pool_free(EdgePool *pool)
{
    EdgeLink *link;

    if (!pool)
        return;
    while ((link = g_queue_pop_head(&pool->idle)))
        link_free(link);
    g_mutex_clear(&pool->lock);
    g_free(pool->path);
    g_free(pool);
}

static gboolean unavailable(EdgeLink *link, const char *what, GError **error)
{
    link->broken = TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "%s: %s: %s", link->pool->path,
                what, link->db ? sqlite3_errmsg(link->db) : "out of memory");
    return FALSE;
}

static gboolean file_exists(const char *path, const char *suffix, off_t *size)
{
    g_autofree char *name = g_strconcat(path, suffix, NULL);
    struct stat st;

    if (stat(name, &st) < 0)
        return FALSE;
    *size = st.st_size;
    return TRUE;
}

/* What stands there now, and how it has to be opened. */
static gboolean identify(const char *path, LinkIdentity *identity, GError **error)
{
    struct stat st;
    off_t size = 0;

    if (stat(path, &st) < 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "%s: %s%s", path,
                    g_strerror(errno), errno == ENOENT ? "; outrider-worker makes it" : "");
        return FALSE;
    }
    LinkMode mode = file_exists(path, "-shm", &size) ? MODE_WAL : MODE_IMMUTABLE;
    if (mode == MODE_IMMUTABLE && file_exists(path, "-wal", &size) && size > 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "%s-shm is missing beside a -wal with changes; start outrider-worker", path);
        return FALSE;
    }
    identity->device = st.st_dev;
    identity->inode = st.st_ino;
    identity->mode = mode;
    return TRUE;
}

static gboolean same_file(const LinkIdentity *a, const LinkIdentity *b)
{
    return a->device == b->device && a->inode == b->inode && a->mode == b->mode;
}

static gboolean check_filled(EdgeLink *link, GError **error)
{
    sqlite3_stmt *statement = edge_link_statement(link, EDGE_STATEMENT_FILLED, error);

    if (!statement || edge_link_step(link, statement, error) < 0)
        return FALSE;
    gboolean filled = sqlite3_column_int(statement, 0) > 0;
    sqlite3_reset(statement);
    if (!filled)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                    "%s: not filled yet; outrider-worker does that when it reaches the database",
                    link->pool->path);
    return filled;
}

static gboolean link_open(EdgeLink *link, GError **error)
{
    static const int flags =
        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    g_autofree char *escaped = g_uri_escape_string(link->pool->path, "/", FALSE);
    g_autofree char *uri = g_strdup_printf("file:%s?mode=ro&immutable=%d", escaped,
                                           link->identity.mode == MODE_IMMUTABLE);

    if (sqlite3_open_v2(uri, &link->db, flags, NULL) != SQLITE_OK)
        return unavailable(link, "open", error);
    sqlite3_extended_result_codes(link->db, 1);
    sqlite3_busy_timeout(link->db, EDGE_POOL_BUSY_MS);
    sqlite3_db_config(link->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(link->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(link->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return check_filled(link, error);
}

/* Takes an idle link to that very file; closes those to another one. */
static EdgeLink *take_idle(EdgePool *pool, const LinkIdentity *identity)
{
    for (;;) {
        g_mutex_lock(&pool->lock);
        EdgeLink *link = g_queue_pop_head(&pool->idle);
        g_mutex_unlock(&pool->lock);
        if (!link || same_file(&link->identity, identity))
            return link;
        link_free(link);
    }
}

/* An idle link to the file that was seen a moment ago; NULL: look. */
static EdgeLink *take_seen(EdgePool *pool, gint64 now)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&pool->lock);
    const EdgeLink *first = g_queue_peek_head(&pool->idle);

    if (!first || pool->seen.mode != MODE_WAL || !same_file(&first->identity, &pool->seen) ||
        now >= pool->seen_us + EDGE_POOL_LOOK_MS * G_TIME_SPAN_MILLISECOND)
        return NULL;
    return g_queue_pop_head(&pool->idle);
}

static gboolean look(EdgePool *pool, gint64 now, LinkIdentity *identity, GError **error)
{
    gboolean found = identify(pool->path, identity, error);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&pool->lock);

    if (found)
        pool->seen = *identity;
    pool->seen_us = found ? now : 0;
    return found;
}

EdgeLink *edge_pool_take(EdgePool *pool, GError **error)
{
    gint64 now = g_get_monotonic_time();
    EdgeLink *link = take_seen(pool, now);
    LinkIdentity identity;

    if (link)
        return link;
    if (!look(pool, now, &identity, error))
        return NULL;
    link = take_idle(pool, &identity);
    if (link)
        return link;
    link = g_new0(EdgeLink, 1);
    link->pool = pool;
    link->identity = identity;
    if (link_open(link, error))
        return link;
    link_free(link);
    return NULL;
}

void edge_link_return(EdgeLink *link)
{
    if (!link)
        return;
    EdgePool *pool = link->pool;
    for (guint i = 0; i < EDGE_STATEMENT_COUNT; i++)
        if (link->statements[i])
            sqlite3_reset(link->statements[i]);
    g_mutex_lock(&pool->lock);
    gboolean keep = !link->broken && g_queue_get_length(&pool->idle) < EDGE_POOL_IDLE_MAX;
    if (keep)
        g_queue_push_head(&pool->idle, link);
    g_mutex_unlock(&pool->lock);
    if (!keep)
        link_free(link);
}

sqlite3_stmt *edge_link_statement(EdgeLink *link, EdgeStatement id, GError **error)
{
    sqlite3_stmt **statement = &link->statements[id];

    if (*statement) {
        sqlite3_reset(*statement);
        sqlite3_clear_bindings(*statement);
    } else if (sqlite3_prepare_v3(link->db, statement_texts[id], -1, SQLITE_PREPARE_PERSISTENT,
                                  statement, NULL) != SQLITE_OK) {
        unavailable(link, "prepare", error);
        return NULL;
    }
    return *statement;
}

int edge_link_step(EdgeLink *link, sqlite3_stmt *statement, GError **error)
{
    int rc = sqlite3_step(statement);

    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    unavailable(link, "read", error);
    return -1;
}

char *edge_link_text(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);

    return g_strdup(text ? text : "");
}
