/* SPDX-License-Identifier: MIT */
/*
 * Purpose: decides, of a message whose end is not known, what Postfix's queue says about it.
 * Used by: reconciler.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include "worker/queue_snapshot.h"

/* A message as history has it. */
typedef struct {
    guint64 id;
    guint32 server;
    gint64 status_at_us; /* of the last that is known of it; 0: not known */
    gboolean held;       /* on hold */
    gboolean incoming;   /* it came in, and may go to another recipient than it came for */
    gboolean unproven;   /* Accepting: Postfix has not said that it has it */
    gboolean made;       /* accepted by itself; a message that the hop has yet to make is not */
    gboolean removed;    /* Postfix has said that it removed the queue file */
    guint64 recipient;   /* recipient_key; 0: not known */
    guint64 base;        /* its submission; 0: not known */
    guint n;             /* messages of that; 0: not known */
    gboolean hop;        /* which the hop makes */
    char queue_id[MAIL_QUEUE_ID_MAX + 1];            /* empty: not known */
    char submission_queue_id[MAIL_QUEUE_ID_MAX + 1]; /* empty: not known */
} ReconcileMessage;

typedef enum {
    RECONCILE_LEAVE,    /* it waits in the queue, or it is too early to say */
    RECONCILE_QUEUED,   /* the message is in the queue: its proof; or it is on hold there */
    RECONCILE_RELEASED, /* it is in the queue, and not on hold any more */
    RECONCILE_SUBMISSION_QUEUED, /* its submission is: the proof of all its messages */
    RECONCILE_ABORTED,           /* Postfix never had it */
    RECONCILE_UNKNOWN,           /* it left the queue, and nobody knows how */
} ReconcileVerdict;

/* Compares a message with the queue now and at the time before (NULL: there was none); the log and the
 * journals told all that was before now. What is in neither is lost, if both looks are younger than its status. *mail receives what is in the queue under the very queue id that history names for it, or
 * NULL: a return path alone, which every recipient knows, keeps a message from being given up but proves
 * nothing. */
ReconcileVerdict reconcile_decide(const ReconcileMessage *message, const QueueSnapshot *now,
                                  const QueueSnapshot *before, const QueuedMail **mail);
