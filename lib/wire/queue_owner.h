/* SPDX-License-Identifier: MIT */
/*
 * Purpose: whether a message in Postfix's queue is ours: a sealed return path as its sender, or with another
 *     one (null, or of mail that came in) a sealed X-Outrider-MsgID in its header. Neither is a secret, so it says whose form a file has, and not
 *     which message of ours it is.
 * Used by: outrider-queue.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include "lib/seal/ring.h"
#include "lib/wire/queue_file.h"

typedef enum {
    QUEUE_OWNER_OTHER,
    QUEUE_OWNER_MESSAGE,
    QUEUE_OWNER_SUBMISSION, /* that waits to be split */
} QueueOwner;

/* file: read with the field MSGID_FIELD. */
QueueOwner queue_owner(const KeyRing *ring, const QueueFile *file);
