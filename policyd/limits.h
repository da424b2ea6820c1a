/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the limits in force and their counters: whether a message has room, and charging it. Room is judged by
 *     what all nodes have counted, as far as it is known here; what is charged here counts here.
 * Used by: policyd's policy and limit edges, and its main.
 * May touch: the replicas, through lib/edge; <spool_dir>/policyd/counters, through the book.
 * Threads: one.
 * Limits: LIMIT_TABLE_FOUND_MAX limits on one message. Without a book (no space, or somebody else has it) nothing
 *     that has a limit can be judged, and nothing at all before the directory was read: UNAVAILABLE. Users
 *     without a credential of ours have no limit until then: their mail never waits for the replicas.
 *     A limit per second is each node's own: it would be over before the others hear of it.
 */
#pragma once

#include "lib/edge/edge_limit.h"
#include "lib/journal/journal.h"
#include "lib/wire/charge.h"
#include "policyd/limit_table.h"

typedef struct Limits Limits;

/* Told when a limit is near (EVENT_LIMIT_NEAR) or reached (EVENT_LIMIT_EXCEEDED): once a period. */
typedef void (*LimitsNotice)(EventType type, const EdgeLimit *limit, guint64 count, gpointer data);

/* Where a message was counted. */
typedef struct {
    guint n;
    struct {
        guint32 limit;
        gint64 slot;
    } parts[LIMIT_TABLE_FOUND_MAX];
} LimitsCharge;

/* node: this one's number. */
Limits *limits_new(const char *spool_dir, guint node, LimitsNotice notice, gpointer data);
void limits_free(Limits *limits);

/* Once a second: opens what is not open yet, takes over what changed in the directory, writes. FALSE: what
 * was known stays in force. */
gboolean limits_tick(Limits *limits, Edge *edge, GError **error);

/* Whether there is room for n messages in every limit: verdict->limit is 0, or the gravest of those
 * that have none. FALSE: UNAVAILABLE. */
gboolean limits_look(Limits *limits, const LimitsFacts *facts, guint32 n, ChargeVerdict *verdict,
                     GError **error);

/* The same, and counts them when there is room. charge may be NULL. */
gboolean limits_take(Limits *limits, const LimitsFacts *facts, guint32 n, LimitsCharge *charge,
                     ChargeVerdict *verdict, GError **error);

/* Takes one message back out. */
void limits_give_back(Limits *limits, const LimitsCharge *charge);

/* NOT_FOUND: no such limit; UNAVAILABLE. A reset is one for all nodes, when they hear of it. */
gboolean limits_count(Limits *limits, guint32 limit, ChargeCount *count, GError **error);
gboolean limits_reset(Limits *limits, guint32 limit, GError **error);

/* Calls func with what is counted here of each limit that changed since mark, until it returns FALSE. mark
 * receives where to go on; *more, whether there is any. UNAVAILABLE. */
typedef gboolean (*LimitsUsage)(const Usage *usage, gpointer data);
gboolean limits_changes(Limits *limits, UsageMark *mark, gboolean *more, LimitsUsage func,
                        gpointer data, GError **error);

/* Takes what another node counts. */
gboolean limits_share(Limits *limits, const ChargeRequest *share, GError **error);

/* The book's memory of charged messages. */
gboolean limits_is_charged(const Limits *limits, guint64 message);
void limits_note_charged(Limits *limits, guint64 message);
