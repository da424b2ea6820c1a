/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the edge to libmilter: its callbacks, turned into calls of ours and back.
 * Used by: the milter's main.
 * May touch: Postfix through libmilter.
 * Threads: libmilter's pool; state of a session is kept with smfi_setpriv only.
 *
 *     negotiate -> connect --other listener--> ACCEPT: nothing is seen, touched or waited for
 *                     | {daemon_name} = outrider-submission, -inject or -hop
 *                     v
 *                   helo -> MAIL (submission: who? 530, 550, 451) -> RCPT (452 when too many) -> header,
 *                     ^          body (no replies) -> end of message: submission.h, inject.h or split.h ->
 *                     |          accept, discard, 4xx, 5xx                                     |
 *                     +------------------------------------------------------------------------+
 */
#pragma once

#include "milters/shared.h"

/* {daemon_name} of the listeners whose mail is ours. */
#define CALLBACK_SUBMISSION "outrider-submission"
#define CALLBACK_INJECT     "outrider-inject"
#define CALLBACK_HOP        "outrider-hop"

/* Registers with libmilter; shared must outlive smfi_main. Error INTERNAL. */
gboolean callback_register(Shared *shared, GError **error);

/* From now on messages are deferred; waits at most seconds for those that are being taken. After
 * TRUE shared is not used any more; FALSE: it still may be. */
gboolean callback_drain(guint seconds);
