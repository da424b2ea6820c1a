/* SPDX-License-Identifier: MIT */
#include "worker/domain_checker.h"

#include "lib/directory/domain_check.h"
#include "lib/log/log.h"
#include "worker/database.h"
#include "worker/endpoint_checker.h"
#include "worker/rounds.h"
#include "worker/track_checker.h"

#define ROUND_MS     1000
#define RETRY_MS     5000
#define RETRY_MAX_MS 60000
#define PAUSE_MS     (1000 / DOMAIN_CHECKER_PER_SECOND)

struct DomainChecker {
    const Config *config;
    Sql *sql;
    Rounds *rounds;
    gboolean failing; /* the last round did */
};

/* FALSE without error: another worker has it. */
static gboolean claim(Sql *sql, DomainCheck *check, gint64 due, GError **error)
{
    guint64 affected = 0;

    check->claimed = g_get_real_time() / G_USEC_PER_SEC + CHECK_CLAIM_SECONDS;
    const SqlParameter parameters[] = {SQL_INT(check->claimed), SQL_UNSIGNED(check->domain),
                                       SQL_INT(due)};
    return sql_execute(sql, SQL_DNS_CHECK_CLAIM, parameters, 3, &affected, NULL, error) &&
           affected == 1;
}

/* Gives a claimed one back, so that the next start need not wait for the claim to end. */
static void give_back(Sql *sql, const DomainCheck *check)
{
    const SqlParameter due[] = {SQL_UNSIGNED(check->domain), SQL_INT(0)};

    sql_execute(sql, SQL_DNS_CHECK_DUE_SET, due, 2, NULL, NULL, NULL);
}

static gboolean check_one(DomainChecker *checker, const Record *due, GError **error)
{
    DomainCheck check = {.domain = (guint64)record_int(due, "domain_id"),
                         .name = record_text(due, "name"),
                         .stop = rounds_stopping(checker->rounds)};
    g_auto(DomainReport) report = {0};
    g_autoptr(GError) why = NULL;

    if (check.domain == 0)
        check.name = config_string(checker->config, CONFIG_RETURN_PATH_DOMAIN);
    if (!claim(checker->sql, &check, record_int(due, "due_at"), &why)) {
        if (why)
            g_propagate_error(error, g_steal_pointer(&why));
        return !*error;
    }
    /* A cache of its own: what has just been published is to be seen. */
    g_autoptr(Dns) dns = dns_open(DNS_RESOLV_CONF, error);
    if (!dns || !domain_check(checker->sql, checker->config, dns, &check, &report, error)) {
        if (*rounds_stopping(checker->rounds))
            give_back(checker->sql, &check);
        return FALSE;
    }
    log_debug(NULL, "domain checked", LOG_TEXT("domain", check.name),
              LOG_TEXT("status", report.status));
    if (report.activated)
        log_info(NULL, "DKIM keys sign from now on", LOG_TEXT("domain", check.name),
                 LOG_INT("keys", report.activated));
    if (report.lost)
        log_warning(NULL, "DKIM keys sign no more, as no name server shows their records",
                    LOG_TEXT("domain", check.name), LOG_INT("keys", report.lost));
    return TRUE;
}

/* What is due now, at most one page of it. */
static gboolean run_round(DomainChecker *checker, GError **error)
{
    const SqlParameter now[] = {SQL_INT(g_get_real_time() / G_USEC_PER_SEC)};

    if (!checker->sql && !(checker->sql = database_open(checker->config, error)))
        return FALSE;
    g_autoptr(Record) list = record_list(checker->sql, SQL_DNS_CHECK_DUE, now, 1, error);
    if (!list)
        return FALSE;
    for (gsize i = 0; i < json_object_array_length(list); i++) {
        if (!check_one(checker, json_object_array_get_idx(list, i), error))
            return FALSE;
        if (!rounds_wait(checker->rounds, PAUSE_MS))
            return TRUE;
    }
    return track_checker_round(checker->sql, checker->config, checker->rounds, PAUSE_MS, error) &&
           endpoint_checker_round(checker->sql, checker->config, checker->rounds, PAUSE_MS, error);
}

static gboolean run(gpointer data)
{
    DomainChecker *checker = data;
    g_autoptr(GError) error = NULL;
    gboolean good = run_round(checker, &error);

    if (!good && !checker->failing && !*rounds_stopping(checker->rounds))
        log_warning(NULL, "domains are not checked, will try again", LOG_GERROR(error));
    if (good && checker->failing)
        log_info(NULL, "domains are checked again");
    checker->failing = !good;
    return good;
}

DomainChecker *domain_checker_start(const Config *config)
{
    DomainChecker *checker = g_new0(DomainChecker, 1);
    const RoundsKind kind = {.name = "domain-checker",
                             .interval_ms = ROUND_MS,
                             .retry_ms = RETRY_MS,
                             .retry_max_ms = RETRY_MAX_MS,
                             .run = run};

    checker->config = config;
    checker->rounds = rounds_new(&kind, checker);
    rounds_start(checker->rounds);
    return checker;
}

void domain_checker_stop(DomainChecker *checker)
{
    if (!checker)
        return;
    rounds_stop(checker->rounds);
    sql_close(checker->sql);
    g_free(checker);
}
