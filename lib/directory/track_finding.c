/* SPDX-License-Identifier: MIT */
#include "lib/directory/track_finding.h"

#include "lib/base/error.h"

static gboolean is_unknown(DnsAnswer answer)
{
    return !answer.records && answer.why &&
           !g_error_matches(answer.why, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND);
}

static DnsFinding unknown(const char *why)
{
    return (DnsFinding){.status = DNS_STATUS_UNKNOWN, .found = g_strndup(why, DNS_FOUND_MAX)};
}

static gboolean has(const GPtrArray *records, const char *record)
{
    for (guint i = 0; records && i < records->len; i++)
        if (g_ascii_strcasecmp(records->pdata[i], record) == 0)
            return TRUE;
    return FALSE;
}

/* The first address that is not the tracking host's; NULL: none. */
static const char *stranger(const TrackAnswers *answers)
{
    for (guint i = 0; i < answers->own.records->len; i++)
        if (!has(answers->wanted.records, answers->own.records->pdata[i]))
            return answers->own.records->pdata[i];
    return NULL;
}

static DnsFinding judge_addresses(const TrackAnswers *answers)
{
    if (is_unknown(answers->wanted))
        return unknown(answers->wanted.why->message);
    const char *address = stranger(answers);
    if (!address)
        return (DnsFinding){.status = DNS_STATUS_OK, .found = g_strdup("the same addresses")};
    return (DnsFinding){.status = DNS_STATUS_WRONG,
                        .found = g_strdup(address),
                        .wrong = g_strdup("it leads elsewhere")};
}

DnsFinding track_judge(const TrackAnswers *answers)
{
    const GPtrArray *alias = answers->alias.records;
    gboolean named = has(alias, answers->target);

    if (is_unknown(answers->own))
        return unknown(answers->own.why->message);
    if (!answers->own.records || answers->own.records->len == 0) {
        DnsFinding none = {.status = DNS_STATUS_MISSING};
        if (!alias || alias->len == 0)
            return none;
        none.status = DNS_STATUS_WRONG;
        none.found = g_strndup(alias->pdata[0], DNS_FOUND_MAX);
        none.wrong = g_strdup("it is an alias of a name without address");
        return none;
    }
    if (named)
        return (DnsFinding){.status = DNS_STATUS_OK, .found = g_strdup(answers->target)};
    return judge_addresses(answers);
}

TrackDns track_dns_next(TrackDns was, DnsStatus status, gint64 now)
{
    if (status == DNS_STATUS_OK)
        return (TrackDns){.right = TRUE};
    if (status == DNS_STATUS_UNKNOWN)
        return was;
    gint64 since = was.wrong_since ? was.wrong_since : now;
    return (TrackDns){.right = was.right && now - since < TRACK_GRACE_SECONDS,
                      .wrong_since = since};
}
