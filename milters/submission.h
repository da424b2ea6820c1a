/* SPDX-License-Identifier: MIT */
/*
 * Purpose: ADMIT: the end of a message on a submission listener. Judged, named, and then made ready to
 *     leave at once (one recipient) or sent to the hop (several).
 * Used by: the milter's callbacks.
 * May touch: the replicas, Postfix through libmilter, the store, the journal.
 * Threads: any; one message each.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "milters/outgoing.h"
#include "milters/session.h"

/* REFUSAL_NONE: all is done and durable. Else what the client is told, journalled where it is about the
 * message and logged where it is about us. */
RefusalName submission_take(SMFICTX *context, Session *session, Shared *shared,
                            const char *queue_id, const OutgoingTick *tick);
