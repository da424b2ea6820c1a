/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the way to the hop: how a submission with several recipients is changed so that Postfix splits
 *     it, one message per recipient, and hands them back on the hop's listener.
 * Used by: the milter.
 * May touch: Postfix through libmilter, and the journal.
 * Threads: any.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "milters/event.h"
#include "milters/outgoing.h"

/* The claim in a header, of which there must be exactly one. FORGED, INVALID. */
Claim *hop_find_claim(const GPtrArray *fields, Shared *shared, GError **error);

/* Sets a FORGED error: "the claim is for another WHAT". Always FALSE. */
gboolean hop_refuse_claim(GError **error, const char *what);

/* Whether the message has the body that the claim is for. */
gboolean hop_claim_has_body(const Claim *claim, const Message *message);

/* Sends the submission of subject (id: its base) to the hop under a claim, as hop_send does. */
gboolean hop_hand_on(SMFICTX *context, Shared *shared, const EventSubject *subject,
                     const Claim *claim, GError **error);

/* The claim for a submission: its recipients in their order, its sender, its body; expires with Postfix's queue. */
Claim *hop_claim(Shared *shared, const EventSubject *subject, const Reserved *reserved);

/* Sends the submission of subject (id: its base) to the hop. TRUE: durable, answer "accept". FALSE:
 * answer 451; nothing of it will be seen. */
gboolean hop_send(SMFICTX *context, Shared *shared, const EventSubject *subject,
                  const Reserved *reserved, GError **error);
