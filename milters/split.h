/* SPDX-License-Identifier: MIT */
/*
 * Purpose: DISPATCH behind the hop: the end of a message on the hop's listener. One recipient of a
 *     submission that ADMIT took before, proved by its claim; or without one what came in (incoming.h, returned.h).
 * Used by: the milter's callbacks.
 * May touch: the replicas, Postfix through libmilter, the store, the journal.
 * Threads: any; one message each.
 *
 * Its client was told 250 long ago, and a 5xx would make Postfix write to somebody: so a message is
 * taken, deferred, or, when it cannot leave any more, discarded with its reason in history.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "milters/outgoing.h"
#include "milters/session.h"

/* REFUSAL_NONE: done and durable, or *discard: to be discarded, journalled. Else a 4xx, logged. */
RefusalName split_take(SMFICTX *context, Session *session, Shared *shared, const char *queue_id,
                       const OutgoingTick *tick, gboolean *discard);
