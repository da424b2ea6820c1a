/* SPDX-License-Identifier: MIT */
#include "lib/directory/inquiry.h"

#include "lib/base/error.h"

gboolean inquiry_is_stopped(const Inquiry *inquiry)
{
    return inquiry->stop && *inquiry->stop;
}

static gboolean may_ask(const Inquiry *inquiry, GError **error)
{
    if (!inquiry_is_stopped(inquiry) && inquiry->unanswered < INQUIRY_UNANSWERED_MAX)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "DNS: not asked, as earlier questions had no answer");
    return FALSE;
}

/* Takes why, which may be NULL. */
static void note(Inquiry *inquiry, GError *why, GError **error)
{
    if (!why)
        return;
    inquiry->unanswered += !g_error_matches(why, OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND);
    g_propagate_error(error, why);
}

GPtrArray *inquiry_lookup(Inquiry *inquiry, const char *name, DnsType type, GError **error)
{
    GError *why = NULL;

    if (!may_ask(inquiry, error))
        return NULL;
    GPtrArray *records = dns_lookup(inquiry->dns, name, type, &why);
    note(inquiry, why, error);
    return records;
}

gboolean inquiry_ask_all(Inquiry *inquiry, const char *name, DnsType type, ZoneAnswer answer,
                         gpointer data, GError **error)
{
    GError *why = NULL;

    if (!may_ask(inquiry, error))
        return FALSE;
    gboolean whole = zone_ask_all(inquiry->dns, name, type, answer, data, &why);
    note(inquiry, why, error);
    return whole;
}
