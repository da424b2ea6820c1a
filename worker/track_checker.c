/* SPDX-License-Identifier: MIT */
#include "worker/track_checker.h"

#include "lib/directory/domain_check.h"
#include "lib/directory/track_check.h"
#include "lib/log/log.h"

/* FALSE without error: another worker has it. */
static gboolean claim(Sql *sql, const Record *due, GError **error)
{
    gint64 until = g_get_real_time() / G_USEC_PER_SEC + CHECK_CLAIM_SECONDS;
    const SqlParameter parameters[] = {SQL_INT(until), SQL_UNSIGNED(record_int(due, "id")),
                                       SQL_INT(record_int(due, "dns_due_at"))};
    guint64 affected = 0;

    return sql_execute(sql, SQL_TRACK_CHECK_CLAIM, parameters, 3, &affected, NULL, error) &&
           affected == 1;
}

static void tell(const TrackCheck *check, const TrackReport *report)
{
    log_debug(NULL, "track domain checked", LOG_TEXT("host", check->host),
              LOG_TEXT("status", report->status));
    if (report->began)
        log_info(NULL, "track domain leads to the tracking host", LOG_TEXT("host", check->host));
    if (report->doubtful)
        log_warning(NULL, "track domain does not lead to the tracking host just now",
                    LOG_TEXT("host", check->host), LOG_TEXT("status", report->status));
    if (report->ended)
        log_warning(NULL, "track domain leads elsewhere, mail has no more links of it",
                    LOG_TEXT("host", check->host), LOG_TEXT("status", report->status));
}

static gboolean check_one(Sql *sql, const Config *config, const Record *due, GError **error)
{
    const TrackCheck check = {.id = (guint64)record_int(due, "id"),
                              .host = record_text(due, "host"),
                              .created_at = record_int(due, "created_at")};
    const SqlParameter id = SQL_UNSIGNED(check.id);
    g_auto(TrackReport) report = {0};
    g_autoptr(GError) why = NULL;

    if (!claim(sql, due, &why)) {
        if (why)
            g_propagate_error(error, g_steal_pointer(&why));
        return !*error;
    }
    /* A cache of its own: what has just been published is to be seen. */
    g_autoptr(Dns) dns = dns_open(DNS_RESOLV_CONF, error);
    if (!dns || !track_check(sql, config, dns, &check, &report, error)) {
        sql_execute(sql, SQL_TRACK_CHECK_GIVE_BACK, &id, 1, NULL, NULL, NULL);
        return FALSE;
    }
    tell(&check, &report);
    return TRUE;
}

gboolean track_checker_round(Sql *sql, const Config *config, Rounds *rounds, gint64 pause_ms,
                             GError **error)
{
    const SqlParameter now[] = {SQL_INT(g_get_real_time() / G_USEC_PER_SEC)};

    if (!track_check_may(config, NULL))
        return TRUE;
    g_autoptr(Record) list = record_list(sql, SQL_TRACK_CHECK_DUE, now, 1, error);
    if (!list)
        return FALSE;
    for (gsize i = 0; i < json_object_array_length(list); i++)
        if (!check_one(sql, config, json_object_array_get_idx(list, i), error) ||
            !rounds_wait(rounds, pause_ms))
            return !*error;
    return TRUE;
}
