/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the limits in force and their counters: whether a message has room, and charging it.
 * Used by: policyd's policy and limit edges, and its main.
 * May touch: the replicas, through lib/edge; <spool_dir>/policyd/counters, through the book.
 * Threads: one.
 * Limits: LIMITS_PARTS_MAX limits on one message. Without a book (no space, or somebody else has it) nothing
 *     that has a limit can be judged, and nothing at all before the directory was read: UNAVAILABLE. Users
 *     without a credential of ours have no limit until then: their mail never waits for the replicas.
 */
#pragma once

#include "lib/edge/edge_limit.h"
#include "lib/journal/journal.h"
#include "lib/wire/charge.h"

#define LIMITS_PARTS_MAX 16 /* organization, server, credential, domain; of each four periods */

typedef struct Limits Limits;

/* Told when a limit is near (EVENT_LIMIT_NEAR) or reached (EVENT_LIMIT_EXCEEDED): once a period. */
typedef void (*LimitsNotice)(EventType type, const EdgeLimit *limit, guint64 count, gpointer data);

/* What a message is; 0 and NULL: it has none. */
typedef struct {
    guint32 organization, server, credential;
    const char *domain; /* as limit_domain makes it */
    const char *user;
} LimitsFacts;

/* Where a message was counted. */
typedef struct {
    guint n;
    struct {
        guint32 limit;
        gint64 slot;
    } parts[LIMITS_PARTS_MAX];
} LimitsCharge;

Limits *limits_new(const char *spool_dir, LimitsNotice notice, gpointer data);
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

/* NOT_FOUND: no such limit; UNAVAILABLE. */
gboolean limits_count(Limits *limits, guint32 limit, guint64 *count, gint64 *wait_us,
                      GError **error);
gboolean limits_reset(Limits *limits, guint32 limit, GError **error);

/* The book's memory of charged messages. */
gboolean limits_is_charged(const Limits *limits, guint64 message);
void limits_note_charged(Limits *limits, guint64 message);
