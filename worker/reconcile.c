/* SPDX-License-Identifier: MIT */
#include "worker/reconcile.h"

#include <string.h>

/* The message itself. */
static const QueuedMail *find_message(const ReconcileMessage *message, const QueueSnapshot *queue)
{
    const QueuedMail *mail =
        queue_snapshot_find(queue, QUEUED_MESSAGE, message->id, 0, message->queue_id);

    if (!mail && message->queue_id[0])
        mail = queue_snapshot_find(queue, QUEUED_ANY, 0, 0, message->queue_id);
    return mail;
}

/* Its submission, as long as that waits for this recipient. What Postfix wrote the address to may differ from
 * what the client said; so the submission of a message that is not made counts whole. */
static const QueuedMail *find_submission(const ReconcileMessage *message,
                                         const QueueSnapshot *queue)
{
    const QueuedMail *mail = NULL;

    if (!message->hop || !message->base)
        return NULL;
    if (message->recipient)
        mail = queue_snapshot_find(queue, QUEUED_SUBMISSION, message->base, message->recipient,
                                   message->submission_queue_id);
    if (!mail && !message->made)
        mail = queue_snapshot_find(queue, QUEUED_SUBMISSION, message->base, 0,
                                   message->submission_queue_id);
    return mail;
}

static const QueuedMail *find(const ReconcileMessage *message, const QueueSnapshot *queue)
{
    const QueuedMail *mail = find_message(message, queue);

    return mail ? mail : find_submission(message, queue);
}

static gboolean is_confirmed(const ReconcileMessage *message, const QueuedMail *mail)
{
    const char *named =
        mail->kind == QUEUED_SUBMISSION ? message->submission_queue_id : message->queue_id;

    return strcmp(mail->queue_id, named) == 0;
}

/* Whether Postfix must have had it, though no line of its log said so. */
static gboolean was_queued(const ReconcileMessage *message)
{
    return message->removed || (message->hop && message->made);
}

/* What is in the queue under the queue id that history names. */
static ReconcileVerdict judge_found(const ReconcileMessage *message, const QueuedMail *found)
{
    if (found->kind == QUEUED_SUBMISSION)
        return message->unproven ? RECONCILE_SUBMISSION_QUEUED : RECONCILE_LEAVE;
    if (message->unproven || (found->held && !message->held))
        return RECONCILE_QUEUED;
    return message->held && !found->held ? RECONCILE_RELEASED : RECONCILE_LEAVE;
}

ReconcileVerdict reconcile_decide(const ReconcileMessage *message, const QueueSnapshot *now,
                                  const QueueSnapshot *before, const QueuedMail **mail)
{
    const QueuedMail *found = find(message, now);

    *mail = NULL;
    if (found && !is_confirmed(message, found))
        return RECONCILE_LEAVE;
    if (found) {
        *mail = found;
        return judge_found(message, found);
    }
    if (!before || queue_snapshot_at(before) <= message->status_at_us || find(message, before))
        return RECONCILE_LEAVE;
    return message->unproven && !was_queued(message) ? RECONCILE_ABORTED : RECONCILE_UNKNOWN;
}
