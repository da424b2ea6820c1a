/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the questions that one check of a domain asks the DNS, of which there are no more once too many had no answer.
 * Used by: lib/directory.
 * May touch: name servers.
 * Threads: one.
 * Limits: each question DNS_SECONDS; none any more after INQUIRY_UNANSWERED_MAX that nobody answered.
 */
#pragma once

#include "lib/dns/zone.h"

#define INQUIRY_UNANSWERED_MAX 2

typedef struct {
    Dns *dns;
    const _Atomic gboolean *stop; /* becoming TRUE ends it; may be NULL */
    guint unanswered;
} Inquiry;

gboolean inquiry_is_stopped(const Inquiry *inquiry);

/* As dns_lookup. UNAVAILABLE also: there are no more questions. */
GPtrArray *inquiry_lookup(Inquiry *inquiry, const char *name, DnsType type, GError **error);

/* As zone_ask_all, in the same way. A server that does not answer is for the caller to count, who ends the walk. */
gboolean inquiry_ask_all(Inquiry *inquiry, const char *name, DnsType type, ZoneAnswer answer,
                         gpointer data, GError **error);
