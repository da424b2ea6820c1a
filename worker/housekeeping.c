/* SPDX-License-Identifier: MIT */
#include "worker/housekeeping.h"

#include "lib/directory/credential_rotate.h"
#include "lib/directory/key.h"
#include "lib/log/log.h"
#include "lib/sql/sql.h"
#include "lib/store/store.h"
#include "worker/database.h"
#include "worker/replica.h"
#include "worker/rounds.h"
#include "worker/suppressor.h"

#define DAY_US   (G_GINT64_CONSTANT(24) * 60 * 60 * G_USEC_PER_SEC)
#define RETRY_MS 5000
#define USAGE_US (2 * DAY_US) /* longer than the longest period */

struct Housekeeping {
    const Config *config;
    Rounds *rounds;
};

static gboolean keep_history(const Config *config, gint64 now, GError **error)
{
    gint64 kept = config_int(config, CONFIG_HISTORY_DAYS);
    const SqlParameter days[] = {SQL_UNSIGNED(kept)};
    const SqlParameter before[] = {SQL_INT(now * G_USEC_PER_SEC - kept * DAY_US)};
    const SqlParameter usage[] = {SQL_UNSIGNED(USAGE_US)};
    g_autoptr(Sql) sql = database_open(config, error);

    return sql && sql_execute(sql, SQL_RETENTION_SET, days, 1, NULL, NULL, error) &&
           sql_execute(sql, SQL_REJECTED_EXPIRE, before, 1, NULL, NULL, error) &&
           sql_partitions_maintain(sql, now, error) &&
           sql_execute(sql, SQL_LIMIT_USAGE_EXPIRE, usage, 1, NULL, NULL, error) &&
           sql_execute(sql, SQL_LIMIT_NODE_EXPIRE, usage, 1, NULL, NULL, error) &&
           suppressor_expire(sql, now, error);
}

static gboolean expire_tombstones(const Config *config, gint64 now, GError **error)
{
    g_autoptr(Sql) sql = database_open(config, error);

    return sql && replica_tombstones_expire(sql, now, error);
}

static gboolean end_old_keys(const Config *config, gint64 now, GError **error)
{
    g_autoptr(Sql) sql = database_open(config, error);

    return sql && directory_old_keys_expire(sql, now, error);
}

static gboolean delete_retired_keys(const Config *config, gint64 now, GError **error)
{
    g_autoptr(Sql) sql = database_open(config, error);
    guint deleted = 0;

    (void)now;
    if (!sql || !directory_keys_expire(sql, &deleted, error))
        return FALSE;
    if (deleted)
        log_info(NULL, "retired DKIM keys deleted", LOG_INT("count", deleted));
    return TRUE;
}

static gboolean expire_store(const Config *config, gint64 now, GError **error)
{
    guint64 removed = 0;

    if (!store_expire(config_string(config, CONFIG_SPOOL_DIR), now,
                      (guint)config_int(config, CONFIG_STORE_DAYS), &removed, error))
        return FALSE;
    if (removed > 0)
        log_info(NULL, "stored messages expired", LOG_INT("count", removed));
    return TRUE;
}

static const struct {
    gboolean (*run)(const Config *config, gint64 now, GError **error);
    const char *complaint;
} tasks[] = {
    {keep_history, "partitions not maintained, will try again"},
    {expire_tombstones, "tombstones not expired, will try again"},
    {end_old_keys, "old keys not erased, will try again"},
    {delete_retired_keys, "retired keys not deleted, will try again"},
    {expire_store, "stored messages not expired, will try again"},
};

/* Each is tried even when another fails. */
static gboolean run_tasks(gpointer data)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    gboolean good = TRUE;

    for (guint i = 0; i < G_N_ELEMENTS(tasks); i++) {
        g_autoptr(GError) error = NULL;
        if (tasks[i].run(((Housekeeping *)data)->config, now, &error))
            continue;
        log_warning(NULL, tasks[i].complaint, LOG_GERROR(error));
        good = FALSE;
    }
    return good;
}

Housekeeping *housekeeping_start(const Config *config)
{
    Housekeeping *housekeeping = g_new0(Housekeeping, 1);
    const RoundsKind kind = {.name = "housekeeping",
                             .interval_ms = DAY_US / 1000,
                             .retry_ms = RETRY_MS,
                             .retry_max_ms = RETRY_MS,
                             .run = run_tasks};

    housekeeping->config = config;
    housekeeping->rounds = rounds_new(&kind, housekeeping);
    rounds_start(housekeeping->rounds);
    return housekeeping;
}

void housekeeping_stop(Housekeeping *housekeeping)
{
    if (!housekeeping)
        return;
    rounds_stop(housekeeping->rounds);
    g_free(housekeeping);
}
