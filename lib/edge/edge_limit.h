/* SPDX-License-Identifier: MIT */
/*
 * Purpose: rate limits as the replicas have them, and the words for their parts.
 * Used by: policyd (all of them), the milter (whether there is any); lib/directory for the words.
 * May touch: <edge_dir>/edge.2.db, read-only.
 * Threads: any.
 * Limits: as edge.h. All limits are read into memory: about 100 octets each.
 */
#pragma once

#include "lib/edge/edge.h"
#include "lib/edge/edge_limit.def"

typedef enum {
#define X(SUBJECT, word) EDGE_LIMIT_##SUBJECT,
    EDGE_LIMIT_SUBJECTS(X)
#undef X
        EDGE_LIMIT_SUBJECT_COUNT
} EdgeLimitSubject;

typedef enum {
#define X(PERIOD, word, seconds) EDGE_LIMIT_##PERIOD,
    EDGE_LIMIT_PERIODS(X)
#undef X
        EDGE_LIMIT_PERIOD_COUNT
} EdgeLimitPeriod;

typedef enum {
#define X(ACTION, word) EDGE_LIMIT_##ACTION,
    EDGE_LIMIT_ACTIONS(X)
#undef X
        EDGE_LIMIT_ACTION_COUNT
} EdgeLimitAction;

/* "credential", "minute", "defer" and so on. */
const char *edge_limit_subject_word(EdgeLimitSubject subject);
const char *edge_limit_period_word(EdgeLimitPeriod period);
const char *edge_limit_action_word(EdgeLimitAction action);

guint edge_limit_period_seconds(EdgeLimitPeriod period);

/* The other way round, for exactly these words; FALSE (out parameter untouched) for any other. */
gboolean edge_limit_subject_read(const char *word, EdgeLimitSubject *subject);
gboolean edge_limit_period_read(const char *word, EdgeLimitPeriod *period);
gboolean edge_limit_action_read(const char *word, EdgeLimitAction *action);

typedef struct {
    guint32 id;
    EdgeLimitSubject subject;
    guint32 subject_id; /* 0 for a domain or user */
    char *subject_name; /* domain (lower-case A-labels) or user; "" for the others */
    EdgeLimitPeriod period;
    guint32 max; /* messages of one recipient each per period; 0: none may be sent */
    EdgeLimitAction action;
} EdgeLimit;

void edge_limit_clear(EdgeLimit *limit);

/* GArray of EdgeLimit (cleared on unref), by id: every limit. UNAVAILABLE or CORRUPT (a word that this
 * version does not know). */
GArray *edge_limits(Edge *edge, GError **error);

/* Whether any limit exists for the credential, its server or organization, or the recipient's domain
 * (compared as edge_limit_domain writes it; NULL: none). UNAVAILABLE. */
gboolean edge_is_limited(Edge *edge, const EdgeCredential *credential, const char *rcpt_domain,
                         gboolean *limited, GError **error);

/* A domain as limits name it: lower case, A-labels; as it is, in lower case, when it is none. g_free. */
char *edge_limit_domain(const char *domain);
