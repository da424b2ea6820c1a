/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the end of a message on the listener of programs of ours (API, CLI), which have done ADMIT's part: proved by its claim, it
 *     is made ready to leave at once (one recipient) or goes to the hop, as a submission does that a client handed in.
 * Used by: the milter's callbacks.
 * May touch: the replicas, Postfix through libmilter, the store, the journal.
 * Threads: any; one message each.
 *
 * Who the client was, the API says in its own journal. It was told a success or none, so one message that has to wait goes to the hop
 * too, where Postfix tries it again.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "milters/outgoing.h"
#include "milters/session.h"

/* REFUSAL_NONE: done and durable, or *discard: to be discarded, journalled. Else a refusal, logged: REFUSAL_CLAIM, there is no claim for this very message; REFUSAL_ADDRESS,
 * Postfix takes a recipient for another one. */
RefusalName inject_take(SMFICTX *context, Session *session, Shared *shared, const char *queue_id,
                        const OutgoingTick *tick, gboolean *discard);
