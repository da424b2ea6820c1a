/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a followed link or a fetched pixel as the journal records it.
 * Used by: trackd.
 * May touch: nothing.
 * Threads: any.
 * Limits: VISIT_AGENT_MAX octets of a user agent.
 */
#pragma once

#include "lib/journal/journal.h"
#include "lib/seal/link.h"

#define VISIT_AGENT_MAX 512

typedef struct {
    guint node;
    gint64 at_us;
    const char *host;
    const char *ip;     /* "": not known */
    const char *agent;  /* octets as sent; NULL: none */
    const char *method; /* GET or HEAD */
} Visit;

/* The event's type. */
EventType visit_type(const Link *link);

/* Its JSON; g_free. */
char *visit_json(const Link *link, const Visit *visit);
