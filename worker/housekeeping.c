/* SPDX-License-Identifier: MIT */
#include "worker/housekeeping.h"

#include "lib/base/error.h"
#include "lib/directory/key.h"
#include "lib/log/log.h"
#include "lib/sql/sql.h"
#include "lib/store/store.h"
#include "worker/database.h"

#define DAY_US   (G_GINT64_CONSTANT(24) * 60 * 60 * G_USEC_PER_SEC)
#define RETRY_US (5 * G_USEC_PER_SEC)

struct Housekeeping {
    const Config *config;
    GThread *thread;
    GMutex lock;
    GCond wake;
    gboolean stop;
};

static gboolean keep_history(const Config *config, gint64 now, GError **error)
{
    gint64 kept = config_int(config, CONFIG_HISTORY_DAYS);
    const SqlParameter days[] = {SQL_UNSIGNED(kept)};
    const SqlParameter before[] = {SQL_INT(now * G_USEC_PER_SEC - kept * DAY_US)};
    g_autoptr(Sql) sql = database_open(config, error);

    return sql && sql_execute(sql, SQL_RETENTION_SET, days, 1, NULL, NULL, error) &&
           sql_execute(sql, SQL_REJECTED_EXPIRE, before, 1, NULL, NULL, error) &&
           sql_partitions_maintain(sql, now, error);
}

static gboolean expire_keys(const Config *config, GError **error)
{
    g_autoptr(Sql) sql = database_open(config, error);
    guint deleted = 0;

    if (!sql || !directory_keys_expire(sql, &deleted, error))
        return FALSE;
    if (deleted)
        log_info(NULL, "retired DKIM keys deleted", LOG_INT("count", deleted));
    return TRUE;
}

/* Each task is tried even when another fails. */
static gboolean run_tasks(const Config *config)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(GError) history = NULL;
    g_autoptr(GError) store = NULL;
    g_autoptr(GError) keys = NULL;
    guint64 removed = 0;

    if (!keep_history(config, now, &history))
        log_warning(NULL, "partitions not maintained, will try again", LOG_GERROR(history));
    if (!store_expire(config_string(config, CONFIG_SPOOL_DIR), now,
                      (guint)config_int(config, CONFIG_STORE_DAYS), &removed, &store))
        log_warning(NULL, "stored messages not expired, will try again", LOG_GERROR(store));
    else if (removed > 0)
        log_info(NULL, "stored messages expired", LOG_INT("count", removed));
    if (!expire_keys(config, &keys))
        log_warning(NULL, "retired keys not deleted, will try again", LOG_GERROR(keys));
    return !history && !store && !keys;
}

static gpointer run(gpointer data)
{
    Housekeeping *housekeeping = data;

    g_mutex_lock(&housekeeping->lock);
    while (!housekeeping->stop) {
        g_mutex_unlock(&housekeeping->lock);
        gboolean done = run_tasks(housekeeping->config);
        gint64 end = g_get_monotonic_time() + (done ? DAY_US : RETRY_US);
        g_mutex_lock(&housekeeping->lock);
        while (!housekeeping->stop &&
               g_cond_wait_until(&housekeeping->wake, &housekeeping->lock, end))
            continue;
    }
    g_mutex_unlock(&housekeeping->lock);
    return NULL;
}

Housekeeping *housekeeping_start(const Config *config)
{
    Housekeeping *housekeeping = g_new0(Housekeeping, 1);

    housekeeping->config = config;
    g_mutex_init(&housekeeping->lock);
    g_cond_init(&housekeeping->wake);
    housekeeping->thread = g_thread_new("housekeeping", run, housekeeping);
    return housekeeping;
}

void housekeeping_stop(Housekeeping *housekeeping)
{
    if (!housekeeping)
        return;
    g_mutex_lock(&housekeeping->lock);
    housekeeping->stop = TRUE;
    g_cond_broadcast(&housekeeping->wake);
    g_mutex_unlock(&housekeeping->lock);
    g_thread_join(housekeeping->thread);
    g_mutex_clear(&housekeeping->lock);
    g_cond_clear(&housekeeping->wake);
    g_free(housekeeping);
}
