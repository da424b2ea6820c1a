/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what the DNS says of one record that a domain needs: an answer in, a finding out; and when to ask again.
 * Used by: lib/directory.
 * May touch: nothing.
 * Threads: any.
 * Limits: what was found is told in at most DNS_FOUND_MAX octets.
 */
#pragma once

#include "lib/mailauth/spf.h"

#define DNS_FOUND_MAX 500

typedef enum {
#define X(NAME, word) DNS_STATUS_##NAME,
#include "lib/directory/dns_status.def"
#undef X
    DNS_STATUS_COUNT
} DnsStatus;

const char *dns_status_word(DnsStatus status);

/* An answer: records (text), or NULL and why. */
typedef struct {
    const GPtrArray *records;
    const GError *why;
} DnsAnswer;

typedef struct {
    DnsStatus status;
    char *found; /* the records, or why it could not be checked; NULL: nothing */
    char *wrong; /* what is wrong with them; NULL: nothing */
} DnsFinding;

void dns_finding_clear(DnsFinding *finding);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DnsFinding, dns_finding_clear)

/* Each returns a finding to be cleared. domain, target and host are in lower case, without a last dot. lookup reads what
 * the record includes. */
DnsFinding dns_judge_spf(DnsAnswer answer, const char *return_path_domain, SpfLookup lookup,
                         gpointer data);
DnsFinding dns_judge_dkim(DnsAnswer answer, const char *algorithm, const char *public_key);
DnsFinding dns_judge_cname(DnsAnswer answer, const char *target);
DnsFinding dns_judge_mx(DnsAnswer answer, const char *host);
DnsFinding dns_judge_dmarc(DnsAnswer answer);

/* Of two findings that are both needed, the worse. */
DnsStatus dns_status_worse(DnsStatus one, DnsStatus other);

/* What decides when a domain is asked about next. */
typedef struct {
    DnsStatus status; /* of what is needed */
    gint64
        waits_since; /* Unix seconds: since when the latest key waits that the DNS has to show; 0: none waits */
    gboolean vanished; /* of a key that signs the record was nowhere */
} DnsOutlook;

/* Seconds between two looks. */
typedef struct {
    gint64 waiting;  /* for a key that waits, at first; later ever more */
    gint64 again;    /* for what is right */
    gint64 vanished; /* for a record that was nowhere */
} DnsPace;

/* When that is (Unix seconds). */
gint64 dns_check_next(const DnsOutlook *outlook, const DnsPace *pace, gint64 now);
