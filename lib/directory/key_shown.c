/* SPDX-License-Identifier: MIT */
#include "lib/directory/key_shown.h"

#include "lib/base/error.h"
#include "lib/mailauth/published_record.h"

static DnsFinding judge(const Record *key, DnsAnswer answer)
{
    return dns_judge_dkim(answer, record_text(key, "algorithm"), record_text(key, "public_key"));
}

DnsFinding key_shown_by_resolver(Inquiry *inquiry, const Record *key, const char *name)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) records = inquiry_lookup(inquiry, name, DNS_TXT, &why);

    return judge(key, (DnsAnswer){records, why});
}

static gboolean is_absence(const GError *why)
{
    return g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND);
}

/* Where an alias leads; NULL without error: there is none. g_free. */
static char *find_alias(Inquiry *inquiry, const char *name, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) alias = inquiry_lookup(inquiry, name, DNS_CNAME, &why);

    if (why && !is_absence(why))
        g_propagate_error(error, g_steal_pointer(&why));
    return alias ? g_strdup(alias->pdata[0]) : NULL;
}

static DnsFinding unknown(const GError *why)
{
    return (DnsFinding){.status = DNS_STATUS_UNKNOWN, .found = g_strdup(why->message)};
}

/* One name, asked of every server. */
typedef struct {
    const Record *key;
    const char *target; /* of an alias that each must show; NULL: they show the key */
    DnsFinding worst;
} Everywhere;

static gboolean is_shown(const char *server, const GPtrArray *records, const GError *why,
                         gpointer data)
{
    Everywhere *all = data;
    const DnsAnswer answer = {records, why};
    g_auto(DnsFinding) finding =
        all->target ? dns_judge_cname(answer, all->target) : judge(all->key, answer);

    if (finding.status == DNS_STATUS_OK)
        return TRUE;
    dns_finding_clear(&all->worst);
    all->worst = (DnsFinding){
        .status = finding.status,
        .found = g_steal_pointer(&finding.found),
        .wrong = g_strdup_printf("%s: %s", server,
                                 finding.wrong ? finding.wrong : dns_status_word(finding.status))};
    return FALSE;
}

/* FALSE: some server does not show it, and all->worst says which. */
static gboolean ask_everywhere(Inquiry *inquiry, const char *name, DnsType type, Everywhere *all)
{
    g_autoptr(GError) why = NULL;

    if (inquiry_ask_all(inquiry, name, type, is_shown, all, &why))
        return TRUE;
    if (all->worst.status == DNS_STATUS_UNKNOWN)
        inquiry->unanswered++;
    if (why)
        all->worst = unknown(why);
    return FALSE;
}

DnsFinding key_shown_everywhere(Inquiry *inquiry, const Record *key, const char *name)
{
    Everywhere all = {.key = key};
    g_autofree char *at = g_strdup(name);

    for (guint i = 0; i < KEY_SHOWN_ALIASES_MAX; i++) {
        g_autoptr(GError) why = NULL;
        g_autofree char *alias = find_alias(inquiry, at, &why);
        if (why)
            return unknown(why);
        all.target = alias;
        if (!ask_everywhere(inquiry, at, alias ? DNS_CNAME : DNS_TXT, &all) || !alias)
            return all.worst;
        g_free(at);
        at = g_steal_pointer(&alias);
    }
    return (DnsFinding){.status = DNS_STATUS_WRONG,
                        .wrong = g_strdup("there are too many aliases")};
}

typedef struct {
    const char *public_key;
    DnsStatus status;
} Nowhere;

static gboolean is_not_shown(G_GNUC_UNUSED const char *server, const GPtrArray *records,
                             const GError *why, gpointer data)
{
    Nowhere *all = data;

    all->status = !records && !is_absence(why) ? DNS_STATUS_UNKNOWN : DNS_STATUS_MISSING;
    for (guint i = 0; records && i < records->len; i++)
        if (published_dkim_may_hold(records->pdata[i], all->public_key))
            all->status = DNS_STATUS_OK;
    return all->status == DNS_STATUS_MISSING;
}

static DnsStatus ask_nowhere(Inquiry *inquiry, const Record *key, const char *name)
{
    Nowhere all = {.public_key = record_text(key, "public_key"), .status = DNS_STATUS_UNKNOWN};

    if (inquiry_ask_all(inquiry, name, DNS_TXT, is_not_shown, &all, NULL) ||
        all.status == DNS_STATUS_OK)
        return all.status;
    inquiry->unanswered++;
    return DNS_STATUS_UNKNOWN;
}

DnsStatus key_shown_nowhere(Inquiry *inquiry, const Record *key, const char *name)
{
    g_autofree char *at = g_strdup(name);

    for (guint i = 0; i < KEY_SHOWN_ALIASES_MAX; i++) {
        g_autoptr(GError) why = NULL;
        g_autofree char *alias = find_alias(inquiry, at, &why);
        if (why)
            return DNS_STATUS_UNKNOWN;
        if (!alias)
            return ask_nowhere(inquiry, key, at);
        g_free(at);
        at = g_steal_pointer(&alias);
    }
    return DNS_STATUS_UNKNOWN;
}
