/* SPDX-License-Identifier: MIT */
/*
 * Purpose: asks the DNS whether what a domain (or the installation) needs is there, notes it, and acts on it: a new or
 *     lost key signs once every authoritative server shows it, one that none shows for long enough is lost, and return
 *     paths move below the domain once its CNAME is right.
 * Used by: the CLI, the worker.
 * May touch: name servers; the tables domain, dkim_key and dns_check of MariaDB. No transaction is open while it waits
 *     for the DNS.
 * Threads: one connection per thread.
 * Limits: as inquiry.h and key_shown.h.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/directory/record.h"
#include "lib/dns/dns.h"

/* How long a check that has been claimed is not begun by another worker, in seconds. */
#define CHECK_CLAIM_SECONDS 600

typedef struct {
    guint64 domain;   /* 0: the installation */
    const char *name; /* the domain's, or return_path_domain */
    gint64 claimed;   /* due_at as whoever claimed it has set it */
    gboolean by_hand; /* a record that is nowhere is told, but no look that a key is lost by */
    const _Atomic gboolean *stop; /* becoming TRUE ends it early, as UNAVAILABLE; may be NULL */
} DomainCheck;

/* What a check has found and done. */
typedef struct {
    Record *findings;   /* array of {item, status, type, name, wanted, found, wrong} */
    const char *status; /* of what is needed, static */
    guint activated;    /* keys that sign from now on */
    guint lost;         /* keys that sign no more, as no server shows them */
} DomainReport;

void domain_report_clear(DomainReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DomainReport, domain_report_clear)

/* One check. What the DNS cannot answer is a finding; an error is one of MariaDB or of the resolver itself. */
gboolean domain_check(Sql *sql, const Config *config, Dns *dns, const DomainCheck *check,
                      DomainReport *report, GError **error);

/* The same, now, whether it is due or not. */
gboolean domain_check_now(Sql *sql, const Config *config, guint64 domain, const char *name,
                          DomainReport *report, GError **error);
