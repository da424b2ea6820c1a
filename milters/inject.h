/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the end of a message on the listener of the API, which has done ADMIT's part: proved by its claim, it goes to the hop as a
 *     submission does that a client handed in.
 * Used by: the milter's callbacks.
 * May touch: Postfix through libmilter, the journal.
 * Threads: any; one message each.
 *
 * Who the client was, the API says in its own journal.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "milters/refusal.h"
#include "milters/session.h"

/* REFUSAL_NONE: done and durable. Else a refusal, logged: REFUSAL_CLAIM, there is no claim for this very message; REFUSAL_ADDRESS,
 * Postfix takes a recipient for another one. */
RefusalName inject_take(SMFICTX *context, Session *session, Shared *shared, const char *queue_id);
