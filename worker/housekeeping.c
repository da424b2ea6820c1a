/* SPDX-License-Identifier: MIT */
#include "worker/housekeeping.h"

#include "lib/base/error.h"
#include "lib/directory/credential_rotate.h"
#include "lib/log/log.h"
#include "lib/sql/sql.h"
#include "lib/store/store.h"
#include "worker/database.h"
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

static gboolean end_old_keys(const Config *config, gint64 now, GError **error)
{
    g_autoptr(Sql) sql = database_open(config, error);

    return sql && directory_old_keys_expire(sql, now, error);
}

/* Each task is tried even when another fails. */
static gboolean run_tasks(gpointer data)
{
    const Config *config = ((Housekeeping *)data)->config;
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(GError) history = NULL;
    g_autoptr(GError) keys = NULL;
    g_autoptr(GError) store = NULL;
    guint64 removed = 0;

    if (!keep_history(config, now, &history))
        log_warning(NULL, "partitions not maintained, will try again", LOG_GERROR(history));
    if (!end_old_keys(config, now, &keys))
        log_warning(NULL, "old keys not erased, will try again", LOG_GERROR(keys));
    if (!store_expire(config_string(config, CONFIG_SPOOL_DIR), now,
                      (guint)config_int(config, CONFIG_STORE_DAYS), &removed, &store))
        log_warning(NULL, "stored messages not expired, will try again", LOG_GERROR(store));
    else if (removed > 0)
        log_info(NULL, "stored messages expired", LOG_INT("count", removed));
    return !history && !keys && !store;
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
