/* SPDX-License-Identifier: MIT */
/*
 * Purpose: mail to a sealed return path, on the hop's listener: what came back for a message of ours.
 * Used by: the milter's DISPATCH.
 * May touch: the replicas, the store, Postfix through libmilter, the journal.
 * Threads: any; one message each.
 *
 * What this host's own Postfix reports its log has told already, and is dropped. A notification from outside that a message
 * failed makes it Bounced in history. What was forwarded with our sender fails for the one who sent it: the notification goes on
 * to the sender who stands in the stored message, as long as that is kept. What is no notification of a failure goes to the
 * server's route for that (EDGE_ROUTE_RETURN_PATH), or ends here.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "milters/refusal.h"
#include "milters/session.h"

typedef enum {
    RETURNED_NOT,     /* its recipient is no return path of ours */
    RETURNED_TAKEN,   /* it goes on, or *refusal says why not; logged */
    RETURNED_DROPPED, /* all is recorded: to be discarded */
} ReturnedVerdict;

ReturnedVerdict returned_take(SMFICTX *context, Session *session, Shared *shared,
                              const char *queue_id, RefusalName *refusal);
