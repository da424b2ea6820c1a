/* SPDX-License-Identifier: MIT */
/*
 * Purpose: asks the DNS whether a track domain leads to the tracking host, notes it, and lets links be made for it or no more
 *     (lib/directory/track_finding.h).
 * Used by: the CLI, the worker.
 * May touch: name servers; the table track_domain of MariaDB. No transaction is open while it waits for the DNS.
 * Threads: one connection per thread.
 * Limits: five questions, each of DNS_SECONDS.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/directory/record.h"
#include "lib/dns/dns.h"

typedef struct {
    guint64 id;
    const char *host;
    gint64 created_at; /* Unix seconds */
} TrackCheck;

typedef struct {
    Record *findings;   /* array of one {item, status, type, name, wanted, found, wrong} */
    const char *status; /* static */
    gboolean began;     /* the DNS is right from now on */
    gboolean doubtful;  /* for the first time it is not, which changes nothing yet */
    gboolean ended;     /* it is not right any more */
} TrackReport;

void track_report_clear(TrackReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TrackReport, track_report_clear)

/* REFUSED: track_host is not set, so that there is nothing to compare with. */
gboolean track_check_may(const Config *config, GError **error);

/* One check. What the DNS cannot answer is a finding; an error is one of MariaDB, or REFUSED as above. */
gboolean track_check(Sql *sql, const Config *config, Dns *dns, const TrackCheck *check,
                     TrackReport *report, GError **error);

/* The DNS record to publish for it, as publish_domain; empty without track_host. */
Record *track_publish(const Config *config, const char *host);
