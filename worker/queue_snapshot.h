/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what of ours is in Postfix's queue at one moment, as `postqueue -j' prints it.
 * Used by: reconciler, reconcile; tests; the fuzz target.
 * May touch: runs postqueue(1) directly, without privileges of its own (it needs the group postdrop).
 * Threads: one per snapshot.
 * Limits: 120 s, 1 GiB, a line of 8 MiB, 500,000 messages and waiting recipients of ours; what is over
 *     them is an error, not half a snapshot. Mail of others costs nothing but its line.
 */
#pragma once

#include "lib/seal/ring.h"
#include "worker/mail_line.h"

typedef enum {
    QUEUED_MESSAGE,    /* sender sealed for a message */
    QUEUED_SUBMISSION, /* sender sealed for a submission; one for each recipient still to do */
    QUEUED_ANY,        /* whatever its sender is: known by its queue id only; id is 0 */
} QueuedKind;

typedef struct {
    QueuedKind kind;
    gboolean held;
    guint64 id;        /* of the message; the base of a submission */
    guint64 recipient; /* recipient_key, of a submission's; else 0 */
    char queue_id[MAIL_QUEUE_ID_MAX + 1];
} QueuedMail;

typedef struct QueueSnapshot QueueSnapshot;

/* Asks the Postfix of a configuration directory; ring opens return paths. stop (may be NULL) becoming TRUE ends it early. Errors:
 * UNAVAILABLE (no answer, with postqueue's words), TOO_LARGE. */
QueueSnapshot *queue_snapshot_take(const char *postfix_config_dir, const KeyRing *ring,
                                   const _Atomic gboolean *stop, GError **error);

/* An empty one, a line of postqueue added to it, and the end of adding. FALSE and INVALID: the line is no
 * entry of a queue; TOO_LARGE: there are too many. */
QueueSnapshot *queue_snapshot_new(gint64 at_us);
gboolean queue_snapshot_add(QueueSnapshot *snapshot, const KeyRing *ring, const char *line,
                            gsize length, GError **error);
void queue_snapshot_end(QueueSnapshot *snapshot);

void queue_snapshot_free(QueueSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QueueSnapshot, queue_snapshot_free)

/* When it was begun (Unix microseconds). */
gint64 queue_snapshot_at(const QueueSnapshot *snapshot);

/* The first mail of a kind, id and recipient (0: any); one with this queue id before others, which may be
 * NULL. NULL: there is none. */
const QueuedMail *queue_snapshot_find(const QueueSnapshot *snapshot, QueuedKind kind, guint64 id,
                                      guint64 recipient, const char *queue_id);
