/* SPDX-License-Identifier: MIT */
/*
 * Purpose: rate limits as the replicas have them.
 * Used by: policyd (all of them), the milter (whether there is any).
 * May touch: <edge_dir>/edge.5.db, read-only.
 * Threads: any.
 * Limits: as edge.h. All limits are read into memory: about 100 octets each.
 */
#pragma once

#include "lib/base/limit.h"
#include "lib/edge/edge.h"

typedef struct {
    guint32 id;
    LimitSubject subject;
    guint32 subject_id; /* 0 for a domain or user */
    char *subject_name; /* domain (lower-case A-labels) or user; "" for the others */
    LimitPeriod period;
    guint32 max; /* messages of one recipient each per period; 0: none may be sent */
    LimitAction action;
} EdgeLimit;

void edge_limit_clear(EdgeLimit *limit);

/* GArray of EdgeLimit (cleared on unref), by id: every limit. UNAVAILABLE or CORRUPT (a word that this
 * version does not know). */
GArray *edge_limits(Edge *edge, GError **error);

/* Whether any limit exists for the credential, its server or organization, or the recipient's domain
 * (as address_domain makes it; NULL: none). UNAVAILABLE. */
gboolean edge_is_limited(Edge *edge, const EdgeCredential *credential, const char *rcpt_domain,
                         gboolean *limited, GError **error);
