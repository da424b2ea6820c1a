/* SPDX-License-Identifier: MIT */
#include "lib/directory/track_check.h"

#include "lib/base/error.h"
#include "lib/directory/track_finding.h"

typedef struct {
    Sql *sql;
    const Config *config;
    const TrackCheck *check;
    DnsStatus status;
    TrackReport *report;
} Work;

void track_report_clear(TrackReport *report)
{
    g_clear_pointer(&report->findings, record_free);
}

gboolean track_check_may(const Config *config, GError **error)
{
    if (*config_string(config, CONFIG_TRACK_HOST))
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_REFUSED,
                "track_host is not set: there is no tracking host to compare with");
    return FALSE;
}

static void add_text(Record *record, const char *key, const char *text)
{
    json_object_object_add(record, key, text ? json_object_new_string(text) : NULL);
}

Record *track_publish(const Config *config, const char *host)
{
    Record *list = json_object_new_array();

    if (!track_check_may(config, NULL))
        return list;
    Record *record = json_object_new_object();
    add_text(record, "name", host);
    add_text(record, "type", "CNAME");
    add_text(record, "value", config_string(config, CONFIG_TRACK_HOST));
    json_object_array_add(list, record);
    return list;
}

/* A and AAAA together. NULL: none, or nobody could say. */
static GPtrArray *addresses(Dns *dns, const char *name, GError **why)
{
    static const DnsType types[] = {DNS_A, DNS_AAAA};
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) some = dns_lookup(dns, name, types[i], &error);
        if (!some && !g_error_matches(error, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND)) {
            g_propagate_error(why, g_steal_pointer(&error));
            return NULL;
        }
        for (guint j = 0; some && j < some->len; j++)
            g_ptr_array_add(all, g_strdup(some->pdata[j]));
    }
    return all->len ? g_steal_pointer(&all) : NULL;
}

static DnsFinding ask(Dns *dns, const char *host, const char *target)
{
    g_autoptr(GError) no_alias = NULL;
    g_autoptr(GError) no_own = NULL;
    g_autoptr(GError) no_wanted = NULL;
    g_autoptr(GPtrArray) alias = dns_lookup(dns, host, DNS_CNAME, &no_alias);
    g_autoptr(GPtrArray) own = addresses(dns, host, &no_own);
    g_autoptr(GPtrArray) wanted = own ? addresses(dns, target, &no_wanted) : NULL;
    const TrackAnswers answers = {.target = target,
                                  .alias = {alias, no_alias},
                                  .own = {own, no_own},
                                  .wanted = {wanted, no_wanted}};

    return track_judge(&answers);
}

static void note(Work *work, const DnsFinding *finding)
{
    Record *record = json_object_new_object();

    add_text(record, "item", "track domain");
    add_text(record, "status", dns_status_word(finding->status));
    add_text(record, "type", "CNAME");
    add_text(record, "name", work->check->host);
    add_text(record, "wanted", config_string(work->config, CONFIG_TRACK_HOST));
    add_text(record, "found", finding->found);
    add_text(record, "wrong", finding->wrong);
    json_object_array_add(work->report->findings, record);
    work->status = finding->status;
    work->report->status = dns_status_word(finding->status);
}

static gboolean read_state(const SqlRow *row, gpointer data, G_GNUC_UNUSED GError **error)
{
    TrackDns *state = data;

    state->right = sql_row_int(row, 0) != 0;
    state->wrong_since = sql_row_is_null(row, 1) ? 0 : sql_row_int(row, 1);
    return TRUE;
}

static gboolean set_right(Sql *sql, guint64 id, gboolean right, GError **error)
{
    guint64 revision;

    if (!sql_next_revision(sql, &revision, error))
        return FALSE;
    const SqlParameter parameters[] = {SQL_UNSIGNED(right), SQL_UNSIGNED(revision),
                                       SQL_UNSIGNED(id)};
    return sql_execute(sql, SQL_TRACK_CHECK_RIGHT, parameters, 3, NULL, NULL, error);
}

static gboolean do_store(Sql *sql, gpointer data, GError **error)
{
    Work *work = data;
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    const DnsPace pace = {.waiting = config_int(work->config, CONFIG_DNS_CHECK_INTERVAL) / 1000,
                          .again = config_int(work->config, CONFIG_DNS_RECHECK_INTERVAL) / 1000};
    const SqlParameter id = SQL_UNSIGNED(work->check->id);
    TrackDns was = {0};

    if (!sql_query(sql, SQL_TRACK_CHECK_STATE, &id, 1, read_state, &was, error))
        return FALSE;
    TrackDns is = track_dns_next(was, work->status, now);
    const DnsOutlook outlook = {.status = work->status,
                                .waits_since = is.right ? 0 : work->check->created_at};
    const SqlParameter parameters[] = {
        SQL_INT(dns_check_next(&outlook, &pace, now)),
        SQL_INT(now),
        SQL_TEXT(work->report->status),
        SQL_TEXT(json_object_to_json_string_ext(work->report->findings, JSON_C_TO_STRING_PLAIN)),
        is.wrong_since ? SQL_INT(is.wrong_since) : SQL_NULL,
        id};
    work->report->began = is.right && !was.right;
    work->report->doubtful = is.right && is.wrong_since && !was.wrong_since;
    work->report->ended = was.right && !is.right;
    return sql_execute(sql, SQL_TRACK_CHECK_SET, parameters, G_N_ELEMENTS(parameters), NULL, NULL,
                       error) &&
           (is.right == was.right || set_right(sql, work->check->id, is.right, error));
}

gboolean track_check(Sql *sql, const Config *config, Dns *dns, const TrackCheck *check,
                     TrackReport *report, GError **error)
{
    g_auto(TrackReport) made = {.findings = json_object_new_array()};
    Work work = {.sql = sql, .config = config, .check = check, .report = &made};

    if (!track_check_may(config, error))
        return FALSE;
    g_auto(DnsFinding) finding = ask(dns, check->host, config_string(config, CONFIG_TRACK_HOST));
    note(&work, &finding);
    if (!sql_transaction(sql, do_store, &work, error))
        return FALSE;
    track_report_clear(report);
    *report = made;
    made.findings = NULL;
    return TRUE;
}
