/* SPDX-License-Identifier: MIT */
#include "lib/directory/dns_finding.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/mailauth/published_record.h"

#define HOUR ((gint64)60 * 60)
#define DAY  (24 * HOUR)

/* A key that has waited for an hour, and for a day, is looked for ever more rarely. */
#define SLOWER     10
#define SLOWER_MAX HOUR

const char *dns_status_word(DnsStatus status)
{
    static const char *const words[] = {
#define X(NAME, word) [DNS_STATUS_##NAME] = (word),
#include "lib/directory/dns_status.def"
#undef X
    };

    return words[status];
}

void dns_finding_clear(DnsFinding *finding)
{
    g_clear_pointer(&finding->found, g_free);
    g_clear_pointer(&finding->wrong, g_free);
}

static char *cut(const char *text)
{
    return g_strndup(text, DNS_FOUND_MAX);
}

static char *join(const GPtrArray *records)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < records->len && text->len < DNS_FOUND_MAX; i++)
        g_string_append_printf(text, "%s%s", i ? " | " : "", (const char *)records->pdata[i]);
    return cut(text->str);
}

/* Without records: missing, or could not be checked. */
static gboolean judge_absence(DnsAnswer answer, DnsFinding *finding)
{
    if (answer.records && answer.records->len > 0)
        return FALSE;
    gboolean missing =
        !answer.why || g_error_matches(answer.why, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND);
    finding->status = missing ? DNS_STATUS_MISSING : DNS_STATUS_UNKNOWN;
    if (!missing)
        finding->found = cut(answer.why->message);
    return TRUE;
}

static void judge_text(DnsFinding *finding, const char *wrong)
{
    finding->status = wrong ? DNS_STATUS_WRONG : DNS_STATUS_OK;
    finding->wrong = wrong ? cut(wrong) : NULL;
}

/* Those records that func takes; borrowed. */
static GPtrArray *filter(const GPtrArray *records, gboolean (*func)(const char *))
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    for (guint i = 0; records && i < records->len; i++)
        if (func(records->pdata[i]))
            g_ptr_array_add(list, records->pdata[i]);
    return g_steal_pointer(&list);
}

DnsFinding dns_judge_spf(DnsAnswer answer, const char *return_path_domain, SpfLookup lookup,
                         gpointer data)
{
    g_autoptr(GPtrArray) records = filter(answer.records, published_is_spf);
    DnsFinding finding = {0};

    if (judge_absence((DnsAnswer){records, answer.why}, &finding))
        return finding;
    finding.found = join(records);
    if (records->len > 1) {
        judge_text(&finding, "there are several SPF records, which is an error (RFC 7208)");
        return finding;
    }
    g_autofree char *why = NULL;
    if (spf_covers(records->pdata[0], return_path_domain, lookup, data, &why) != SPF_UNKNOWN) {
        judge_text(&finding, why);
        return finding;
    }
    g_free(finding.found);
    return (DnsFinding){.status = DNS_STATUS_UNKNOWN, .found = cut(why)};
}

DnsFinding dns_judge_dkim(DnsAnswer answer, const char *algorithm, const char *public_key)
{
    DnsFinding finding = {0};

    if (judge_absence(answer, &finding))
        return finding;
    finding.found = join(answer.records);
    judge_text(&finding,
               answer.records->len > 1
                   ? "there are several records, and verifiers may take any"
                   : published_dkim_differs(answer.records->pdata[0], algorithm, public_key));
    return finding;
}

DnsFinding dns_judge_cname(DnsAnswer answer, const char *target)
{
    DnsFinding finding = {0};

    if (judge_absence(answer, &finding))
        return finding;
    finding.found = join(answer.records);
    judge_text(&finding,
               answer.records->len == 1 && g_ascii_strcasecmp(answer.records->pdata[0], target) == 0
                   ? NULL
                   : "it points elsewhere");
    return finding;
}

/* "10 mail.example" */
static gboolean is_mx_of(const char *record, const char *host)
{
    const char *space = strchr(record, ' ');

    return space && g_ascii_strcasecmp(space + 1, host) == 0;
}

DnsFinding dns_judge_mx(DnsAnswer answer, const char *host)
{
    DnsFinding finding = {0};

    if (judge_absence(answer, &finding))
        return finding;
    finding.found = join(answer.records);
    finding.status = DNS_STATUS_MISSING;
    for (guint i = 0; i < answer.records->len; i++)
        if (is_mx_of(answer.records->pdata[i], host))
            finding.status = DNS_STATUS_OK;
    return finding;
}

DnsFinding dns_judge_dmarc(DnsAnswer answer)
{
    g_autoptr(GPtrArray) records = filter(answer.records, published_is_dmarc);
    DnsFinding finding = {0};

    if (judge_absence((DnsAnswer){records, answer.why}, &finding))
        return finding;
    finding.found = join(records);
    judge_text(&finding,
               records->len > 1 ? "there are several records: receivers ignore them all" : NULL);
    return finding;
}

DnsStatus dns_status_worse(DnsStatus one, DnsStatus other)
{
    return MAX(one, other);
}

static gint64 pause_for_waiting(gint64 waited, gint64 interval)
{
    if (waited > DAY)
        return HOUR;
    return waited > HOUR ? MIN(interval * SLOWER, SLOWER_MAX) : interval;
}

gint64 dns_check_next(const DnsOutlook *outlook, const DnsPace *pace, gint64 now)
{
    gint64 pause = outlook->status == DNS_STATUS_OK ? pace->again : MIN(pace->again, HOUR);

    if (outlook->vanished)
        pause = MIN(pause, pace->vanished);
    if (outlook->waits_since > 0)
        pause = MIN(pause, pause_for_waiting(now - outlook->waits_since, pace->waiting));
    return now + MAX(pause, 1);
}
