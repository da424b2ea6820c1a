/* SPDX-License-Identifier: MIT */
/*
 * Purpose: held messages, found page by page and handed to outrider-queue.
 * Used by: the hold commands.
 * May touch: MariaDB, by reading; the socket `queue'.
 * Threads: one.
 * Limits: a page of HOLD_PAGE messages. What was not done is kept in memory.
 */
#pragma once

#include "cli/hold_ask.h"
#include "lib/directory/record.h"

#define HOLD_PAGE 1000

typedef struct {
    guint64 organization;  /* 0: any */
    guint64 server;        /* 0: any */
    const char *rule;      /* "": any */
    const char *recipient; /* "": any */
    guint64 after;         /* only younger ids */
    guint64 limit;
} HoldFilter;

/* Messages on hold, oldest first. */
Record *hold_find(Sql *sql, const HoldFilter *filter, GError **error);

typedef struct HoldWalk HoldWalk;
struct HoldWalk {
    Sql *sql;
    guint node; /* this one */
    QueueVerb verb;
    HoldBatch *batch;
    gboolean (*go_on)(
        const HoldWalk *walk); /* called before each request; FALSE: no more of them */

    /* What came of it. */
    gboolean stopped;
    guint64 results[QUEUE_RESULT_COUNT];
    guint64 not_asked;
    Record *
        not_done; /* [{id, queue_id, reason}], and [{node, messages, reason}] of other nodes in a query */
};

/* The messages with these ids. FALSE: the counts say what was done before the error. */
gboolean hold_walk_ids(HoldWalk *walk, const guint64 *ids, guint count, GError **error);

/* What the filter finds (its limit is not looked at), but what is held from now on. FALSE: likewise. */
gboolean hold_walk_filter(HoldWalk *walk, const HoldFilter *filter, GError **error);

/* Whether the filter finds more than so many messages that this node may be asked about. */
gboolean hold_walk_is_more(const HoldWalk *walk, const HoldFilter *filter, guint most,
                           gboolean *more, GError **error);
