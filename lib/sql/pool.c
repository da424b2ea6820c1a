/* SPDX-License-Identifier: MIT */
#include "lib/sql/pool.h"

#include "lib/base/error.h"
#include "lib/sql/connection.h"

#define MS      1000 /* microseconds */
#define WAIT_MS 1000 /* for a connection */
#define LOOK_MS 3000 /* that who looks may take: to connect, to send and to be answered */
#define IDLE_MS 200  /* within that a broken link shows */

struct SqlPool {
    const Config *config;
    SqlPoolUse use;
    GMutex mutex; /* guards what follows */
    GCond freed;
    GQueue idle;    /* of Sql, last used first */
    guint unopened; /* connections that may be made */
    gboolean away;  /* as the last look found */
    gint64 look_at; /* monotonic: who comes then looks */
};

SqlPool *sql_pool_new(const Config *config, SqlPoolUse use, guint connections)
{
    SqlPool *pool = g_new0(SqlPool, 1);

    sql_library_start();
    pool->config = config;
    pool->use = use;
    pool->unopened = connections;
    g_mutex_init(&pool->mutex);
    g_cond_init(&pool->freed);
    g_queue_init(&pool->idle);
    return pool;
}

void sql_pool_free(SqlPool *pool)
{
    if (!pool)
        return;
    g_queue_clear_full(&pool->idle, (GDestroyNotify)sql_close);
    g_cond_clear(&pool->freed);
    g_mutex_clear(&pool->mutex);
    g_free(pool);
}

static gboolean refuse(GError **error, const char *why)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "database: %s", why);
    return FALSE;
}

/* Takes a connection, or the right to make one (*sql NULL). */
static gboolean enter(SqlPool *pool, Sql **sql, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&pool->mutex);
    gint64 now = g_get_monotonic_time();

    if (pool->away && now < pool->look_at)
        return refuse(error, "it was away a moment ago");
    if (pool->away)
        pool->look_at = now + LOOK_MS * MS;
    while (pool->unopened == 0 && g_queue_is_empty(&pool->idle))
        if (!g_cond_wait_until(&pool->freed, &pool->mutex, now + WAIT_MS * MS))
            return refuse(error, "all connections are busy");
    *sql = g_queue_pop_head(&pool->idle);
    if (!*sql)
        pool->unopened--;
    return TRUE;
}

/* Gives it back; one without a link is not kept. */
static void leave(SqlPool *pool, Sql *sql, gboolean away)
{
    gboolean kept = sql && sql->mysql;

    if (!kept)
        sql_close(sql);
    g_mutex_lock(&pool->mutex);
    if (kept)
        g_queue_push_head(&pool->idle, sql);
    else
        pool->unopened++;
    pool->away = away;
    pool->look_at = g_get_monotonic_time() + SQL_POOL_REST_MS * MS;
    g_cond_signal(&pool->freed);
    g_mutex_unlock(&pool->mutex);
}

static Sql *open_link(const SqlPool *pool, GError **error)
{
    static const struct {
        ConfigOption user, password_file;
        SqlAccess access;
    } accounts[] = {
        [SQL_POOL_READS] = {CONFIG_APID_DB_USER, CONFIG_APID_DB_PASSWORD_FILE, SQL_ACCESS_READ},
        [SQL_POOL_MANAGES] = {CONFIG_APID_MANAGE_DB_USER, CONFIG_APID_MANAGE_DB_PASSWORD_FILE,
                              SQL_ACCESS_MANAGE},
    };
    g_auto(SqlSource) source = {0};

    return sql_source_read(&source, pool->config, accounts[pool->use].user,
                           accounts[pool->use].password_file, error)
               ? sql_open_limited(&source, accounts[pool->use].access, error)
               : NULL;
}

static gboolean run(SqlPool *pool, Sql **sql, SqlPoolFunc func, gpointer data, GError **error)
{
    if (!*sql && !(*sql = open_link(pool, error)))
        return FALSE;
    return func(*sql, data, error);
}

/* What was refused is worth another look at once: the link broke while it was idle, or a table was just altered. */
static gboolean is_passing(const Sql *elder, gint64 begun, const GError *why)
{
    gboolean quick = g_get_monotonic_time() - begun < IDLE_MS * MS;

    return quick && !g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_UNKNOWN_RESULT) &&
           ((elder && !elder->mysql) ||
            g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_CONFLICT));
}

gboolean sql_pool_run(SqlPool *pool, SqlPoolFunc func, gpointer data, GError **error)
{
    g_autoptr(GError) why = NULL;
    Sql *sql = NULL;

    if (!enter(pool, &sql, error))
        return FALSE;
    const Sql *elder = sql;
    gint64 begun = g_get_monotonic_time();
    gboolean done = run(pool, &sql, func, data, &why);
    if (!done && is_passing(elder, begun, why)) {
        g_clear_error(&why);
        done = run(pool, &sql, func, data, &why);
    }
    gboolean away = !done && (!sql || !sql->mysql ||
                              g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE));
    leave(pool, sql, away);
    if (why)
        g_propagate_error(error, g_steal_pointer(&why));
    return done;
}
