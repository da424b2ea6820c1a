/* SPDX-License-Identifier: MIT */
/*
 * Purpose: puts a prepared message into effect: envelope sender, header, body and hold at Postfix;
 *     stored octets; journal, last of all.
 * Used by: the milter.
 * May touch: Postfix through libmilter, the store, the journal.
 * Threads: any; one message each.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "milters/outgoing.h"

/* TRUE: all is done and durable, answer "accept". FALSE: answer 451; nothing of it will be seen. */
gboolean effect_apply(SMFICTX *context, Session *session, Shared *shared,
                      const EdgeCredential *credential, const char *queue_id, Outgoing *outgoing,
                      GError **error);
