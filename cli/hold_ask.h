/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which held messages outrider-queue may be asked about, and asks it, many at a time.
 * Used by: hold_walk.
 * May touch: the socket `queue'.
 * Threads: one.
 * Limits: a request of at most QUEUE_IDS_MAX messages and QUEUE_REQUEST_MAX octets.
 */
#pragma once

#include "lib/config/config.h"
#include "lib/wire/queue.h"

/* A message as history has it. */
typedef struct {
    guint64 id;
    const char *status; /* NULL: history does not have it */
    gboolean on_hold;
    const char *queue_id; /* NULL: not known */
} HoldMessage;

typedef enum {
    HOLD_ASK,
    HOLD_UNKNOWN,
    HOLD_NOT_HELD,
    HOLD_ELSEWHERE,
    HOLD_NO_QUEUE_ID
} HoldVerdict;

/* Whether this node's outrider-queue can do something about a message. */
HoldVerdict hold_decide(const HoldMessage *message, guint node);

/* Why not, of any verdict but HOLD_ASK; g_free. */
char *hold_why_not(HoldVerdict verdict, const HoldMessage *message, QueueVerb verb);

typedef struct HoldBatch HoldBatch;

/* config is borrowed. */
HoldBatch *hold_batch_new(const Config *config, QueueVerb verb);
void hold_batch_free(HoldBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HoldBatch, hold_batch_free)

/* Adds a message; FALSE: there is no room before the next hold_batch_send. The queue id must be good. */
gboolean hold_batch_add(HoldBatch *batch, guint64 id, const char *queue_id);
guint hold_batch_count(const HoldBatch *batch);

typedef void (*HoldAnswered)(guint64 id, const QueueAnswer *answer, gpointer data);

/* Asks about all that was added and tells the answers in that order. What may only be done later is not told and
 * stays in the batch, the rest is out of it. A connection that was closed after the request before is opened again,
 * once. Errors: UNAVAILABLE, CORRUPT; some may be done then. */
gboolean hold_batch_send(HoldBatch *batch, HoldAnswered answered, gpointer data, GError **error);
