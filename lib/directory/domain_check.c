/* SPDX-License-Identifier: MIT */
#include "lib/directory/domain_check.h"

#include "lib/base/error.h"
#include "lib/directory/dns_finding.h"
#include "lib/directory/inquiry.h"
#include "lib/directory/key.h"
#include "lib/directory/key_shown.h"

typedef struct {
    Sql *sql;
    const Config *config;
    Inquiry inquiry;
    const DomainCheck *check;
    DomainReport *report;
    Record *keys;
    DnsStatus status;      /* of what is needed */
    DnsStatus return_path; /* of the CNAME */
    gboolean vanished;     /* the record of a key that signs is nowhere */
} Check;

void domain_report_clear(DomainReport *report)
{
    g_clear_pointer(&report->findings, record_free);
}

static void add_text(Record *record, const char *key, const char *text)
{
    json_object_object_add(record, key, text ? json_object_new_string(text) : NULL);
}

static void add_finding(Check *check, const char *item, const char *type, const char *name,
                        const char *wanted, const DnsFinding *finding)
{
    Record *record = json_object_new_object();

    add_text(record, "item", item);
    add_text(record, "status", dns_status_word(finding->status));
    add_text(record, "type", type);
    add_text(record, "name", name);
    add_text(record, "wanted", wanted);
    add_text(record, "found", finding->found);
    add_text(record, "wrong", finding->wrong);
    json_object_array_add(check->report->findings, record);
}

static void need(Check *check, DnsStatus status)
{
    check->status = dns_status_worse(check->status, status);
}

/* What need not be there, but must not be wrong. */
static void allow(Check *check, DnsStatus status)
{
    if (status != DNS_STATUS_MISSING)
        need(check, status);
}

static GPtrArray *look(Check *check, const char *name, DnsType type, GError **error)
{
    return inquiry_lookup(&check->inquiry, name, type, error);
}

static GPtrArray *look_for_policy(const char *name, gpointer data, GError **error)
{
    return look(data, name, DNS_TXT, error);
}

static void check_spf(Check *check)
{
    const char *path = config_string(check->config, CONFIG_RETURN_PATH_DOMAIN);
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) records = look(check, check->check->name, DNS_TXT, &why);
    g_auto(DnsFinding) finding =
        dns_judge_spf((DnsAnswer){records, why}, path, look_for_policy, check);
    g_autofree char *wanted = g_strdup_printf("v=spf1 ... include:%s ...", path);

    need(check, finding.status);
    add_finding(check, "spf", "TXT", check->check->name, wanted, &finding);
}

static void check_mx(Check *check)
{
    const char *host = config_string(check->config, CONFIG_HOSTNAME);
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) records = look(check, check->check->name, DNS_MX, &why);
    g_auto(DnsFinding) finding = dns_judge_mx((DnsAnswer){records, why}, host);

    add_finding(check, "mx", "MX", check->check->name, host, &finding);
}

static void check_return_path(Check *check)
{
    const char *target = config_string(check->config, CONFIG_RETURN_PATH_DOMAIN);
    g_autofree char *name = g_strdup_printf(
        "%s.%s", config_string(check->config, CONFIG_RETURN_PATH_LABEL), check->check->name);
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) records = look(check, name, DNS_CNAME, &why);
    g_auto(DnsFinding) finding = dns_judge_cname((DnsAnswer){records, why}, target);

    check->return_path = finding.status;
    allow(check, finding.status);
    add_finding(check, "return path", "CNAME", name, target, &finding);
}

static void check_dmarc(Check *check)
{
    g_autofree char *name = g_strdup_printf("_dmarc.%s", check->check->name);
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) records = look(check, name, DNS_TXT, &why);
    g_auto(DnsFinding) finding = dns_judge_dmarc((DnsAnswer){records, why});

    add_finding(check, "dmarc", "TXT", name, "v=DMARC1; p=none (or a stricter policy)", &finding);
}

static const char *words_of(const DnsFinding *finding)
{
    if (finding->wrong)
        return finding->wrong;
    return finding->found ? finding->found : dns_status_word(finding->status);
}

/* A key that is shown signs from now on; of another it is noted what it waits for. */
static gboolean act_on_waiting(Check *check, const Record *key, const DnsFinding *finding,
                               GError **error)
{
    guint64 id = (guint64)record_int(key, "id");
    const SqlParameter waits[] = {SQL_TEXT(words_of(finding)), SQL_UNSIGNED(id)};
    gint64 keep = key_state_keep(config_int(check->config, CONFIG_QUEUE_LIFETIME),
                                 config_int(check->config, CONFIG_HOLD_DAYS));
    gboolean changed = FALSE;

    if (finding->status != DNS_STATUS_OK)
        return sql_execute(check->sql, SQL_DKIM_KEY_WAITS_FOR, waits, 2, NULL, NULL, error);
    if (!directory_key_activate(check->sql, check->check->domain, id, keep, &changed, error))
        return FALSE;
    check->report->activated += changed;
    return TRUE;
}

static gint64 lost_after(const Config *config)
{
    return config_int(config, CONFIG_DKIM_LOST_AFTER) / 1000;
}

/* What the resolver does not see is asked of every server: none may show it, and all must say so. */
static gboolean act_on_active(Check *check, const Record *key, const char *name,
                              const DnsFinding *finding, GError **error)
{
    guint64 id = (guint64)record_int(key, "id");
    DnsStatus nowhere = finding->status;
    gboolean lost = FALSE;

    if (finding->status == DNS_STATUS_MISSING || finding->status == DNS_STATUS_WRONG)
        nowhere = key_shown_nowhere(&check->inquiry, key, name);
    if (nowhere == DNS_STATUS_OK && !record_is_null(key, "vanished_at"))
        return directory_key_seen(check->sql, id, error);
    if (nowhere != DNS_STATUS_MISSING || inquiry_is_stopped(&check->inquiry))
        return TRUE;
    check->vanished = TRUE;
    if (check->check->by_hand)
        return TRUE;
    if (!directory_key_vanished(check->sql, check->check->domain, id, words_of(finding),
                                lost_after(check->config), &lost, error))
        return FALSE;
    check->report->lost += lost;
    return TRUE;
}

static gboolean check_key(Check *check, const Record *key, GError **error)
{
    g_autofree char *name =
        g_strdup_printf("%s._domainkey.%s", record_text(key, "selector"), check->check->name);
    g_autofree char *item = g_strdup_printf("dkim %s", record_text(key, "selector"));
    g_autofree char *wanted =
        dkim_key_record(record_text(key, "algorithm"), record_text(key, "public_key"));
    KeyState state = key_state_read(record_text(key, "state"));
    gboolean waits = state == KEY_STATE_NEW || state == KEY_STATE_LOST;
    g_auto(DnsFinding) finding = waits ? key_shown_everywhere(&check->inquiry, key, name)
                                       : key_shown_by_resolver(&check->inquiry, key, name);

    need(check, finding.status);
    add_finding(check, item, "TXT", name, wanted, &finding);
    if (waits)
        return act_on_waiting(check, key, &finding, error);
    return state != KEY_STATE_ACTIVE || act_on_active(check, key, name, &finding, error);
}

static gboolean check_keys(Check *check, GError **error)
{
    check->keys = directory_key_list(check->sql, check->check->domain, error);
    if (!check->keys)
        return FALSE;
    for (gsize i = 0; i < json_object_array_length(check->keys); i++)
        if (!check_key(check, json_object_array_get_idx(check->keys, i), error))
            return FALSE;
    return TRUE;
}

/* Since when the latest key waits; 0: none does. */
static gint64 waits_since(const Record *keys)
{
    gint64 since = 0;

    for (gsize i = 0; i < json_object_array_length(keys); i++) {
        const Record *key = json_object_array_get_idx(keys, i);
        KeyState state = key_state_read(record_text(key, "state"));
        if (state == KEY_STATE_NEW || state == KEY_STATE_LOST)
            since = MAX(since, record_int(key, state == KEY_STATE_NEW ? "created_at" : "lost_at"));
    }
    return since;
}

/* Looks for a record that is nowhere fill the time until its key is lost. */
static DnsPace pace_of(const Config *config)
{
    gint64 after = lost_after(config), pauses = KEY_LOST_LOOKS - 1;

    return (DnsPace){.waiting = config_int(config, CONFIG_DNS_CHECK_INTERVAL) / 1000,
                     .again = config_int(config, CONFIG_DNS_RECHECK_INTERVAL) / 1000,
                     .vanished = (after + pauses - 1) / pauses};
}

/* Right: below the domain. Missing or wrong: not. What could not be checked stays as it is. */
static gboolean set_return_path(Check *check, GError **error)
{
    const SqlParameter id[] = {SQL_UNSIGNED(check->check->domain)};
    const char *label = check->return_path == DNS_STATUS_OK
                            ? config_string(check->config, CONFIG_RETURN_PATH_LABEL)
                            : NULL;
    guint64 revision;

    if (check->check->domain == 0 || check->return_path == DNS_STATUS_UNKNOWN)
        return TRUE;
    g_autoptr(GError) why = NULL;
    g_autoptr(Record) old = record_first(check->sql, SQL_DOMAIN_RETURN_PATH_GET, id, 1, &why);
    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (!old || g_strcmp0(record_text(old, "return_path_label"), label) == 0)
        return TRUE;
    if (!sql_next_revision(check->sql, &revision, error))
        return FALSE;
    const SqlParameter parameters[] = {SQL_TEXT(label), SQL_UNSIGNED(revision), id[0]};
    return sql_execute(check->sql, SQL_DOMAIN_RETURN_PATH, parameters, 3, NULL, NULL, error);
}

static gboolean do_store(Sql *sql, gpointer data, GError **error)
{
    Check *check = data;
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    const DnsPace pace = pace_of(check->config);
    g_autoptr(Record) keys = directory_key_list(sql, check->check->domain, error);

    if (!keys)
        return FALSE;
    const DnsOutlook outlook = {check->status, waits_since(keys), check->vanished};
    gint64 next = dns_check_next(&outlook, &pace, now);
    const SqlParameter parameters[] = {
        SQL_INT(check->check->claimed),
        SQL_INT(next),
        SQL_INT(now),
        SQL_TEXT(dns_status_word(check->status)),
        SQL_TEXT(json_object_to_json_string_ext(check->report->findings, JSON_C_TO_STRING_PLAIN)),
        SQL_UNSIGNED(check->check->domain)};
    return set_return_path(check, error) &&
           sql_execute(sql, SQL_DNS_CHECK_SET, parameters, G_N_ELEMENTS(parameters), NULL, NULL,
                       error);
}

/* What was found until then is not the whole. */
static gboolean was_stopped(const Check *check, GError **error)
{
    if (inquiry_is_stopped(&check->inquiry))
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "stopped");
    return inquiry_is_stopped(&check->inquiry);
}

gboolean domain_check(Sql *sql, const Config *config, Dns *dns, const DomainCheck *check,
                      DomainReport *report, GError **error)
{
    g_auto(DomainReport) made = {.findings = json_object_new_array()};
    Check work = {.sql = sql,
                  .config = config,
                  .inquiry = {.dns = dns, .stop = check->stop},
                  .check = check,
                  .report = &made};

    if (check->domain != 0) {
        check_spf(&work);
        check_return_path(&work);
        check_mx(&work);
        check_dmarc(&work);
    }
    gboolean done = check_keys(&work, error) && !was_stopped(&work, error) &&
                    sql_transaction(sql, do_store, &work, error);
    g_clear_pointer(&work.keys, record_free);
    if (!done)
        return FALSE;
    made.status = dns_status_word(work.status);
    domain_report_clear(report);
    *report = made;
    made.findings = NULL;
    return TRUE;
}

gboolean domain_check_now(Sql *sql, const Config *config, guint64 domain, const char *name,
                          DomainReport *report, GError **error)
{
    const DomainCheck check = {.domain = domain,
                               .name = name,
                               .by_hand = TRUE,
                               .claimed = g_get_real_time() / G_USEC_PER_SEC + CHECK_CLAIM_SECONDS};
    const SqlParameter claim[] = {SQL_INT(check.claimed), SQL_UNSIGNED(domain)};
    g_autoptr(Dns) dns = dns_open(DNS_RESOLV_CONF, error);

    return dns && sql_execute(sql, SQL_DNS_CHECK_CLAIM_ANY, claim, 2, NULL, NULL, error) &&
           domain_check(sql, config, dns, &check, report, error);
}
