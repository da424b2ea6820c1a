/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whether a track domain leads to the tracking host: answers in, a finding out; and what follows for its links.
 * Used by: lib/directory.
 * May touch: nothing.
 * Threads: any.
 * Limits: as dns_finding.h.
 *
 *     not right --ok--> right --missing or wrong, and again TRACK_GRACE_SECONDS later--> not right
 *
 * What could not be checked changes nothing, and ok in between begins anew: one bad look takes no links away, and a name
 * that its owner has moved gets no new ones for long.
 */
#pragma once

#include "lib/directory/dns_finding.h"

#define TRACK_GRACE_SECONDS 7200

typedef struct {
    const char *target; /* the tracking host, in lower case */
    DnsAnswer alias;    /* CNAME of the track domain */
    DnsAnswer own;      /* its addresses, aliases followed */
    DnsAnswer wanted;   /* those of the tracking host */
} TrackAnswers;

/* The same addresses: at least one, and none that the tracking host has not. To be cleared. */
DnsFinding track_judge(const TrackAnswers *answers);

typedef struct {
    gboolean right;
    gint64 wrong_since; /* Unix seconds; 0: was not wrong when looked for last */
} TrackDns;

/* What holds after a look at now. */
TrackDns track_dns_next(TrackDns was, DnsStatus status, gint64 now);
